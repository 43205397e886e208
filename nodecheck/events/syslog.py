"""Syslog, RFC 5424: to a socket of this host, by UDP, TCP or TLS; on a stream with octet counting (RFC 6587, 5425).

The message is JSON behind the cookie @cee:, which rsyslog, syslog-ng and Graylog know how to read; the fields that one
filters by stand in the structured data, too. On a stream nothing tells that a record has arrived: so it is closed after
a few records, and they have arrived when the other side has read up to there and closed it as well.
"""

from __future__ import annotations

import errno
import json
import os
import re
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nodecheck.events.dialects import DIALECTS
from nodecheck.events.journal import PRIORITIES
from nodecheck.events.sinks import Down, left
from nodecheck.events.size import cut, size

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

FACILITY = 3  # daemon
# 32473 is IANA's number for examples: nodecheck has none of its own, and a name without one is reserved.
STRUCTURED = "nodecheck@32473"
IN_STRUCTURED = ("event", "event_id", "run_id", "id", "status", "before", "unit")
LEAST = (*IN_STRUCTURED, "timestamp", "level", "hostname", "truncated")
PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
# Of a whole message: what receivers take. RFC 5426 asks for 2048 octets over UDP; rsyslog's default limit is 8 KiB.
MOST_BYTES = {"udp": 2048, "unix": 8000, "tcp": 8000, "tls": 8000}
AT_ONCE = 200  # records in one connection
NILVALUE = "-"


def send(records: list[dict[str, Any]], options: dict[str, Any], deadline: float) -> Iterator[int]:
    """Send records, and yield how many have arrived. Raises Down."""
    scheme, target = place(options["address"])
    messages = [encode(record, options["dialect"], MOST_BYTES[scheme]) for record in records]
    try:
        if scheme in ("unix", "udp"):
            yield from _datagrams(scheme, target, messages, deadline)
        else:
            yield from _streams(target, messages, options if scheme == "tls" else None, deadline)
    except TimeoutError as error:
        raise Down("it does not answer in time") from error
    except OSError as error:
        raise Down(error.strerror or str(error)) from error


def place(address: str) -> tuple[str, Any]:
    """Return the scheme of an address, and the path of a socket or (host, port). Raises ValueError."""
    parts = urlsplit(address)
    if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
        return "unix", parts.path
    if parts.scheme not in PORTS or not parts.hostname or parts.path:
        raise ValueError(address)
    return parts.scheme, (parts.hostname, parts.port or PORTS[parts.scheme])


def encode(record: dict[str, Any], dialect: str, most_bytes: int = MOST_BYTES["tls"]) -> bytes:
    """Return a record as a message of RFC 5424, cut so that it has at most so many bytes.

    It has more where what names the check is so long alone: nobody could tell which check it is about.
    """
    head = _head(record).encode(errors="replace")
    room = most_bytes - len(head)
    while (over := size(DIALECTS[dialect](record)) - room) > 0:
        before = size(record)
        record = cut(record, max(1, before - over))
        if size(record) >= before:  # nothing more can be cut
            record = {name: record[name] for name in LEAST if name in record}
            break
    return head + json.dumps(DIALECTS[dialect](record), ensure_ascii=False, default=str).encode(errors="replace")


def _head(record: dict[str, Any]) -> str:
    priority = FACILITY * 8 + PRIORITIES.get(record["status"], 6)
    host = re.sub(r"[^!-~]", "", str(record["hostname"]))[:255] or NILVALUE
    data = "".join(f' {name}="{_escaped(record[name])}"' for name in IN_STRUCTURED if name in record)
    return (
        f"<{priority}>1 {record['timestamp']} {host} nodecheck {os.getpid()} {record['event']}"
        f" [{STRUCTURED}{data}] @cee:"
    )


def _escaped(value: Any) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", str(value))


def _datagrams(scheme: str, target: Any, messages: list[bytes], deadline: float) -> Iterator[int]:
    """Raises OSError. Nothing tells whether a datagram has arrived."""
    family, address = (socket.AF_UNIX, target) if scheme == "unix" else _resolved(target, socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.connect(address)
        for number, message in enumerate(messages, 1):
            connection.settimeout(left(deadline))
            connection.send(message)
            yield number


def _resolved(target: tuple[str, int], kind: int) -> list[tuple[Any, Any]]:
    """Return (family, address) of a host; never empty. Raises OSError."""
    try:
        found = socket.getaddrinfo(*target, type=kind)
    except socket.gaierror as error:
        raise OSError(errno.EHOSTUNREACH, f"{target[0]} cannot be resolved: {error.strerror}") from error
    return [(family, address) for family, _, _, _, address in found]


def _streams(
    target: tuple[str, int], messages: list[bytes], tls: dict[str, Any] | None, deadline: float
) -> Iterator[int]:
    """Raises OSError."""
    for start in range(0, len(messages), AT_ONCE):
        together = messages[start : start + AT_ONCE]
        with _connected(target, tls, deadline) as connection:
            connection.settimeout(left(deadline))
            connection.sendall(b"".join(b"%d %b" % (len(message), message) for message in together))
            _finish(connection, deadline)
        yield start + len(together)


def _connected(target: tuple[str, int], tls: dict[str, Any] | None, deadline: float) -> socket.socket:
    """Raises OSError."""
    failure: OSError = TimeoutError()
    places = _resolved(target, socket.SOCK_STREAM)
    for number, (family, address) in enumerate(places):
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(left(deadline) / (len(places) - number))  # time for the others, where this one hangs
            connection.connect(address)
            connection.settimeout(left(deadline))
            return _secured(connection, target[0], tls) if tls is not None else connection
        except OSError as error:
            connection.close()
            failure = error
    raise failure


def _secured(connection: socket.socket, host: str, options: dict[str, Any]) -> socket.socket:
    """Raises OSError."""
    context = _context(options)
    return context.wrap_socket(connection, server_hostname=options.get("server_name") or host)


def _context(options: dict[str, Any]) -> ssl.SSLContext:
    """Raises OSError, which names the files: OpenSSL does not say which of them it is."""
    import ssl  # costs 10 ms

    try:
        context = ssl.create_default_context(cafile=options.get("ca") or None)
        if options.get("certificate"):
            context.load_cert_chain(options["certificate"], options.get("key") or None)
    except OSError as error:
        files = ", ".join(options[name] for name in ("ca", "certificate", "key") if options.get(name))
        raise OSError(error.errno, f"{files}: {error.strerror or error}") from error
    return context


def _finish(connection: socket.socket, deadline: float) -> None:
    """Say that nothing more comes, and wait until the other side has read all and closed, too. Raises OSError."""
    connection.settimeout(left(deadline))
    if hasattr(connection, "unwrap"):
        import ssl

        try:
            connection = connection.unwrap()
        except (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError):
            return  # it closes without the farewell of TLS, as many do
        except OSError as error:
            if error.errno == 0:
                return
            raise
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(1 << 12):
        connection.settimeout(left(deadline))
