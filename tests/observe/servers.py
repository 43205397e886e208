"""TCP servers that do what a test says, for a while."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Handle = Callable[[socket.socket], object]


@contextmanager
def serving(handle: Handle, *, path: str = "") -> Iterator[int]:
    """Serve each connection in a thread of its own, at a port of the loopback (yielded) or at a path."""
    listener = _listener(path)
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            handle(connection)

    def begin(target: Callable[..., None], *arguments: object) -> None:
        threads.append(threading.Thread(target=target, args=arguments, daemon=True))
        threads[-1].start()

    def accept() -> None:
        with suppress(OSError):  # the listener was shut down
            while True:
                begin(serve, listener.accept()[0])

    begin(accept)
    try:
        yield 0 if path else listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        threads[0].join(5)
        for thread in threads:
            thread.join(5)
        listener.close()


def _listener(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    made.bind(path or ("127.0.0.1", 0))
    made.listen()
    return made


@contextmanager
def full(path: str = "") -> Iterator[int]:
    """A queue that is full: nobody takes connections, and no more of them fit."""
    listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    listener.bind(path or ("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    try:
        with suppress(OSError):
            for _ in range(8):
                waiting.append(socket.socket(listener.family))
                waiting[-1].settimeout(0.2)
                waiting[-1].connect(listener.getsockname())
        yield 0 if path else listener.getsockname()[1]
    finally:
        for one in (*waiting, listener):
            one.close()


def says(*parts: bytes, then: Handle | None = None) -> Handle:
    """Read the request, and say this."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        for part in parts:
            connection.sendall(part)
        if then is not None:
            then(connection)

    return handle


def read_request(connection: socket.socket) -> bytes:
    """Return the request."""
    request = b""
    while b"\r\n\r\n" not in request:
        more = connection.recv(4096)
        if not more:
            break
        request += more
    return request


def close(_connection: socket.socket) -> None:
    """Say nothing: the connection is closed after this."""


def wait(connection: socket.socket) -> None:
    """Say nothing until the other side has gone."""
    connection.settimeout(10)
    while connection.recv(4096):
        pass


def with_tls(handle: Handle, cert: str, key: str, *, clients: str = "", newest: ssl.TLSVersion | None = None) -> Handle:
    """Do the same over TLS; `clients` is the authority of the certificates that clients have to show."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    if newest is not None:
        context.maximum_version = newest

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            handle(secured)

    return serve
