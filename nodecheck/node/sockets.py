"""Listening sockets: one read for all checks.

The kernel's sock_diag(7) tells what /proc/net/tcp6 does not: whether an IPv6 socket serves IPv4 too, and how many
connections its queue may hold. It is asked only where that loads no kernel module (a checker changes nothing); else
/proc/net is read.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

from nodecheck.node.unobserved import Unobserved
from nodecheck.patterns import later

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = "sockets"
PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
LISTENING_STATE = {"tcp": 10, "udp": 7}  # TCP_LISTEN, TCP_CLOSE: a bound UDP socket without a peer

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST_DUMP = 0x301
NLMSG_ERROR = 2
NLMSG_DONE = 3
INET_DIAG_SKV6ONLY = 11
REQUEST = struct.Struct("=LHHLL BBBxL HH16s16sLLL")
HEADER = struct.Struct("=LHHLL")
MESSAGE = struct.Struct("=BBBB 2s2s16s16sLLL LLLLL")
ATTRIBUTE = struct.Struct("=HH")

# A line of /proc/net/unix: address, references, protocol, flags, type, state, inode and path. The flag is the kernel's
# __SO_ACCEPTCON, include/linux/net.h.
UNIX_FILE = later(r"[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ ([0-9A-F]+) [0-9A-F]+ [0-9A-F]+ +([0-9]+) (/.*)")
LISTENS = 0x10000


class Listener(NamedTuple):
    """A socket that listens (TCP) or is bound and has no peer (UDP).

    `v6only` is None when it could not be seen; `queued` and `backlog` are connections waiting for accept(2) and how
    many may; `owners` are the pids that hold it, None when nobody asked or this user may not see them; `interface` is
    the number of the network interface that it is bound to, 0 for none or where that could not be seen.
    """

    protocol: str
    family: int
    address: str
    port: int
    inode: int
    v6only: bool | None = None
    queued: int = 0
    backlog: int | None = None
    owners: tuple[int, ...] | None = None
    interface: int = 0


class Connection(NamedTuple):
    """What a try to connect came to: `error` is "" when the connection was made.

    `accepted` is None where it could not be told whether the process took the connection out of the queue.
    """

    error: str
    seconds: float
    accepted: bool | None


def collect(protocols: set[str]) -> list[Listener]:
    """Return all listening sockets of these protocols in this network namespace. Raises Unobserved."""
    try:
        return [listener for protocol in sorted(protocols) for listener in _listeners(protocol)]
    except OSError as error:
        raise Unobserved(SOURCE, f"the listening sockets cannot be read: {error.strerror}") from error


def _listeners(protocol: str) -> list[Listener]:
    if answers_without_loading(f"{protocol}_diag"):
        try:
            return [listener for family in FAMILIES for listener in _ask_kernel(protocol, family)]
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EPROTONOSUPPORT, errno.EACCES, errno.EPERM, errno.EINVAL):
                raise
    return [listener for family in FAMILIES for listener in _read_table(protocol, family)]


def answers_without_loading(module: str) -> bool:
    """Tell whether a kernel module is there already: asking for its protocol would load it."""
    if os.path.isdir(f"/sys/module/{module}") or not os.path.exists("/proc/modules"):
        return True  # it is loaded, or this kernel was built without modules
    try:
        with open(f"/lib/modules/{os.uname().release}/modules.builtin", encoding="ascii") as builtin:
            return f"/{module}.ko" in builtin.read()
    except OSError:
        return False  # in a container, say: the kernel would load it from the host's disk


# ---- sock_diag


def _ask_kernel(protocol: str, family: int) -> Iterator[Listener]:
    request = REQUEST.pack(
        REQUEST.size, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 0, 0,
        FAMILIES[family], PROTOCOLS[protocol], 0, 1 << LISTENING_STATE[protocol], 0, 0, b"", b"", 0, 0, 0,
    )  # fmt: skip
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(5)
        kernel.send(request)
        while True:
            for kind, body in _messages(kernel.recv(1 << 18)):
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    raise OSError(-struct.unpack_from("=i", body)[0], "sock_diag refused")
                yield _parse_message(protocol, body)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset < len(data):
        length, kind, *_ = HEADER.unpack_from(data, offset)
        yield kind, data[offset + HEADER.size : offset + length]
        offset += (length + 3) & ~3


def _parse_message(protocol: str, body: bytes) -> Listener:
    (kernel_family, _state, _timer, _retrans, port, _peer_port, source, _peer, interface, _cookie0, _cookie1,
     _expires, queued, backlog, _uid, inode) = MESSAGE.unpack_from(body)  # fmt: skip
    family = 4 if kernel_family == socket.AF_INET else 6
    address = socket.inet_ntop(kernel_family, source[: 4 if family == 4 else 16])
    v6only = _attribute(body[MESSAGE.size :], INET_DIAG_SKV6ONLY) if family == 6 else None
    return Listener(
        protocol, family, address, int.from_bytes(port, "big"), inode,
        v6only=None if v6only is None else bool(v6only[0]),
        queued=queued, backlog=backlog if protocol == "tcp" else None, interface=interface,
    )  # fmt: skip


def _attribute(data: bytes, wanted: int) -> bytes | None:
    offset = 0
    while offset + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, offset)
        if kind == wanted:
            return data[offset + ATTRIBUTE.size : offset + length]
        offset += max(ATTRIBUTE.size, (length + 3) & ~3)
    return None


# ---- /proc/net


def _read_table(protocol: str, family: int) -> Iterator[Listener]:
    path = f"/proc/net/{protocol}{'6' if family == 6 else ''}"
    try:
        with open(path, encoding="ascii") as table:
            lines = table.read().splitlines()[1:]
    except FileNotFoundError:
        return  # no IPv6 on this host
    for line in lines:
        fields = line.split()
        if int(fields[3], 16) == LISTENING_STATE[protocol]:
            address, _, port = fields[1].partition(":")
            queued = int(fields[4].partition(":")[2], 16)
            yield Listener(protocol, family, _parse_address(address), int(port, 16), int(fields[9]), queued=queued)


def _parse_address(text: str) -> str:
    """The kernel prints the address as 32-bit words in the byte order of the host."""
    raw = bytes.fromhex(text)
    words = struct.unpack(f">{len(raw) // 4}I", raw)
    return socket.inet_ntop(
        socket.AF_INET if len(raw) == 4 else socket.AF_INET6, struct.pack(f"={len(words)}I", *words)
    )


# ---- who holds a socket


def with_owners(listeners: list[Listener], ports: set[tuple[str, int]]) -> list[Listener]:
    """Return the listeners, those on these (protocol, port) with the pids that hold them."""
    wanted = {
        f"socket:[{listener.inode}]": listener.inode
        for listener in listeners
        if (listener.protocol, listener.port) in ports
    }
    holders, all_seen = _holders(wanted)
    return [
        listener._replace(owners=_owners(holders.get(listener.inode), all_seen=all_seen))
        if (listener.protocol, listener.port) in ports
        else listener
        for listener in listeners
    ]


def _owners(pids: list[int] | None, *, all_seen: bool) -> tuple[int, ...] | None:
    if pids:
        return tuple(pids)
    return () if all_seen else None


def _holders(wanted: dict[str, int]) -> tuple[dict[int, list[int]], bool]:
    """Return {inode: pids}, and whether the files of all processes could be seen."""
    holders: dict[int, list[int]] = {}
    all_seen = True
    for entry in sorted((entry for entry in os.listdir("/proc") if entry.isdigit()), key=int) if wanted else ():
        try:
            links = links_in(f"/proc/{entry}/fd")
        except PermissionError:
            all_seen = False
            continue
        except OSError:
            continue  # it ended meanwhile
        for inode in {wanted[link] for link in links if link in wanted}:
            holders.setdefault(inode, []).append(int(entry))
    return holders, all_seen


def links_in(folder: str) -> Iterator[str]:
    """Return where the links of a folder lead, "" for one that is gone meanwhile. Raises OSError."""
    names = os.listdir(folder)
    return (_link(f"{folder}/{name}") for name in names)


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def listening_files() -> Iterator[tuple[int, str]]:
    """Yield (inode, path) of the sockets in the file system on which somebody listens.

    A socket without a path may be called anything, and is printed so: what is no line of this table is passed over.
    """
    with open("/proc/net/unix", encoding="utf-8", errors="surrogateescape", newline="\n") as table:
        for line in table:
            found = UNIX_FILE.fullmatch(line.rstrip("\n"))
            if found and int(found[1], 16) & LISTENS:
                yield int(found[2]), found[3]
