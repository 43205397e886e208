"""The kernel's own account of interfaces, addresses and routes: rtnetlink(7), of this network namespace.

Unlike /proc and /sys it also tells of namespaces whose files are not mounted, and loads no kernel module.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# linux/netlink.h, linux/rtnetlink.h
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLM_F_DUMP_INTR = 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
SOL_NETLINK, NETLINK_GET_STRICT_CHK = 270, 12
NLA_TYPE_MASK = 0x3FFF  # the two highest bits are flags
HEADER = struct.Struct("=LHHLL")
ATTRIBUTE = struct.Struct("=HH")
RECEIVE_BYTES = 1 << 18
INTERRUPTED_AT_MOST = 3  # how often a table is read that changes while it was read


def ask(kind: int, head: bytes, attributes: Mapping[int, bytes], deadline: float) -> bytes | None:
    """Return the body of the one answer; None where the kernel knows no such thing. Raises OSError, TimeoutError."""
    request = head + b"".join(_attribute(number, value) for number, value in attributes.items())
    with _socket() as kernel:
        _send(kernel, kind, NLM_F_REQUEST, request, deadline)
        for answer, _, body in _messages(kernel.recv(RECEIVE_BYTES)):
            if answer != NLMSG_ERROR:
                return body
            code = -struct.unpack_from("=i", body)[0]
            if code in (errno.ENODEV, errno.ENXIO):
                return None
            raise OSError(code, os.strerror(code))
    return None


def dump(kind: int, head: bytes, deadline: float) -> Iterator[bytes]:
    """Return the bodies of all answers, of one and the same moment. Raises OSError, TimeoutError."""
    for _ in range(INTERRUPTED_AT_MOST):
        bodies, whole = _dump(kind, head, deadline)
        if whole:
            return iter(bodies)
    raise OSError(errno.EINTR, "it changed each time while it was read")


def _dump(kind: int, head: bytes, deadline: float) -> tuple[list[bytes], bool]:
    bodies: list[bytes] = []
    whole = True
    with _socket() as kernel:
        with suppress(OSError):  # so the kernel heeds all that `head` asks for; before Linux 4.20 it tells more
            kernel.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        _send(kernel, kind, NLM_F_REQUEST | NLM_F_DUMP, head, deadline)
        while True:
            for answer, flags, body in _messages(kernel.recv(RECEIVE_BYTES)):
                whole = whole and not flags & NLM_F_DUMP_INTR
                if answer == NLMSG_DONE:
                    return bodies, whole
                if answer == NLMSG_ERROR:
                    code = -struct.unpack_from("=i", body)[0]
                    raise OSError(code, os.strerror(code))
                bodies.append(body)
            kernel.settimeout(max(0.001, deadline - time.monotonic()))


def attributes(body: bytes, offset: int = 0) -> dict[int, bytes]:
    """Return the attributes of a message, by their numbers."""
    found = {}
    while offset + ATTRIBUTE.size <= len(body):
        length, number = ATTRIBUTE.unpack_from(body, offset)
        found[number & NLA_TYPE_MASK] = body[offset + ATTRIBUTE.size : offset + length]
        offset += max(ATTRIBUTE.size, _aligned(length))
    return found


def text(value: bytes) -> str:
    """Return a name as the kernel gives it, with a 0 at its end."""
    return value.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def whole(value: bytes) -> int:
    """Return a whole number of the host's byte order."""
    return int.from_bytes(value, "little" if struct.pack("=H", 1)[0] else "big")


def address(family: int, value: bytes) -> str:
    """Return an address as people write it."""
    return socket.inet_ntop(family, value)


def _socket() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)


def _send(kernel: socket.socket, kind: int, flags: int, request: bytes, deadline: float) -> None:
    kernel.settimeout(max(0.001, deadline - time.monotonic()))
    kernel.send(HEADER.pack(HEADER.size + len(request), kind, flags, 1, 0) + request)


def _attribute(number: int, value: bytes) -> bytes:
    length = ATTRIBUTE.size + len(value)
    return ATTRIBUTE.pack(length, number) + value + b"\0" * (_aligned(length) - length)


def _messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (kind, flags, body)."""
    offset = 0
    while offset + HEADER.size <= len(data):
        length, kind, flags, *_ = HEADER.unpack_from(data, offset)
        yield kind, flags, data[offset + HEADER.size : offset + length]
        offset += max(HEADER.size, _aligned(length))


def _aligned(length: int) -> int:
    return (length + 3) & ~3
