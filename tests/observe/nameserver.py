"""A name server that answers, or does not, as a test says; and the messages that it sends."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

from nodecheck.node import dnsmessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Replies = list[bytes]
AT_QUESTION = b"\xc0\x0c"  # a pointer to the name in the question


def record(kind: str, content: bytes, name: bytes = AT_QUESTION, network: int = 1) -> bytes:
    return name + dnsmessage.RECORD.pack(dnsmessage.TYPES[kind], network, 60, len(content)) + content


def a(address: str) -> bytes:
    return record("A", socket.inet_aton(address))


def reply(ask: bytes, *records: bytes, rcode: int = 0, flags: int = 0, number: int | None = None) -> bytes:
    """Return an answer to a question."""
    asked, *_ = struct.unpack_from("!H", ask)
    head = dnsmessage.HEADER.pack(asked if number is None else number, 0x8180 | rcode | flags, 1, len(records), 0, 0)
    return head + ask[dnsmessage.HEADER.size :] + b"".join(records)


@contextlib.contextmanager
def name_server(
    by_udp: Callable[[bytes], Replies],
    by_tcp: Callable[[bytes], Replies] | None = None,
    address: tuple[str, int] = ("127.0.0.1", 0),
) -> Iterator[str]:
    """Serve on a free port: each question is answered by these datagrams, or by these pieces of a TCP stream."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        tcp.bind(address)  # the port has to be free for both
        udp.bind(tcp.getsockname())
        threads = [threading.Thread(target=_serve_udp, args=(udp, by_udp))]
        if by_tcp:
            tcp.listen()
            threads.append(threading.Thread(target=_serve_tcp, args=(tcp, by_tcp)))
        for thread in threads:
            thread.start()
        try:
            yield f"127.0.0.1:{udp.getsockname()[1]}"
        finally:
            for open_socket in (udp, tcp):
                with contextlib.suppress(OSError):  # one that does not listen has nothing to wake
                    open_socket.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def _serve_udp(udp: socket.socket, answer: Callable[[bytes], Replies]) -> None:
    with contextlib.suppress(OSError):
        while True:
            ask, asking = udp.recvfrom(1 << 16)
            if not asking:  # shut down
                return
            for data in answer(ask):
                udp.sendto(data, asking)


def _serve_tcp(tcp: socket.socket, answer: Callable[[bytes], Replies]) -> None:
    with contextlib.suppress(OSError):
        while True:
            with tcp.accept()[0] as asking:
                for data in answer(asking.recv(1 << 16)[2:]):
                    asking.sendall(data)
