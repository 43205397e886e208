"""Real sockets to look at."""

import socket

V4, V6 = socket.AF_INET, socket.AF_INET6
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


def bound(
    address: str,
    *,
    kind: socket.SocketKind = TCP,
    family: socket.AddressFamily = V4,
    port: int = 0,
    v6only: bool | None = None,
    reuse: bool = False,
    backlog: int = 100,
    scope: int = 0,
) -> socket.socket:
    """Return a socket that is bound, and listens when it is TCP."""
    server = socket.socket(family, kind)
    if v6only is not None or address == "::":
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, bool(v6only))
    if reuse:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind((address, port) if family is V4 else (address, port, 0, scope))
    if kind is TCP:
        server.listen(backlog)
    return server


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])
