"""The journal of systemd, by its native protocol: fields that journalctl can search for, and no library.

https://systemd.io/JOURNAL_NATIVE_PROTOCOL/: a datagram for each entry; one that is too long for that goes as a file in
memory, sealed, whose descriptor is passed.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import socket
import sys
import termios
import time
from typing import TYPE_CHECKING, Any

from nodecheck.events.sinks import Down, left

if TYPE_CHECKING:
    from collections.abc import Iterator

SOCKET = "/run/systemd/journal/socket"
STAY_SECONDS = 0.5  # for a journald that is busy
LOOKS_UP_SECONDS = 0.02  # from reading an entry to having looked who sent it
# Of each kind of message; systemd/nodecheck.catalog has the texts of `journalctl -x`.
MESSAGE_IDS = {
    "run": "d0955a7f871f4bf1bd2ca67ffc66cb80",
    "check": "8cde51c6f16c4858b3539865ca37423b",
    "unseen": "8872340383c644ba85087058a4426c32",
    "change": "004d0fae7310401683d092cc8e6aec85",
    "recovery": "dbf11527d4744b368a55adca0edc6d5c",
}
PRIORITIES = {"critical": 3, "unknown": 4, "warning": 4, "info": 5}  # those of syslog; what is well is 6
RENAMED = {"id": "CHECK"}
LONGEST_NAME = 64
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def send(records: list[dict[str, Any]], options: dict[str, Any], deadline: float) -> Iterator[int]:
    """Send records, and yield after each how many are sent. Raises Down."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        try:
            connection.connect(options.get("socket", SOCKET))
            for number, record in enumerate(records, 1):
                connection.settimeout(left(deadline))
                _send(connection, encode(fields(record)))
                if number == len(records):
                    _stay(connection, deadline)
                yield number
        except TimeoutError as error:
            raise Down("journald does not read what it is sent") from error
        except OSError as error:
            raise Down(f"journald is not there: {error.strerror}") from error


def fields(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of a journal entry; a list of texts is the same field several times."""
    entry = [
        ("MESSAGE", _message(record)),
        ("PRIORITY", str(PRIORITIES.get(record["status"], 6))),
        ("MESSAGE_ID", MESSAGE_IDS[_kind(record)]),
        ("SYSLOG_IDENTIFIER", "nodecheck"),
    ]
    if "unit" in record:
        # `journalctl -u docker` shows what root says of OBJECT_SYSTEMD_UNIT; UNIT is what systemd's own messages have.
        entry += [("UNIT", record["unit"]), ("OBJECT_SYSTEMD_UNIT", record["unit"])]
    if str(record.get("docs", "")).startswith("http"):
        entry.append(("DOCUMENTATION", record["docs"]))
    own = {name: value for name, value in record.items() if name not in ("message", "schema")}
    return entry + [pair for name, value in own.items() for pair in _flat(RENAMED.get(name, name), value)]


def encode(entry: list[tuple[str, str]]) -> bytes:
    """Return an entry as the protocol has it; a value of several lines goes with its length."""
    parts = []
    for name, value in entry:
        data = value.encode(errors="replace")
        if b"\n" in data:
            parts.append(name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n")
        else:
            parts.append(name.encode() + b"=" + data + b"\n")
    return b"".join(parts)


def _kind(record: dict[str, Any]) -> str:
    if record["event"] == "change" and record["status"] == "ok":
        return "recovery"
    if record["event"] != "run" and record["status"] == "unknown":
        return "unseen"
    return str(record["event"])


def _message(record: dict[str, Any]) -> str:
    """Return a line that says all to whoever reads the journal without its fields."""
    message = record.get("message") or "nothing is wrong"
    if record["event"] == "run":
        return str(message)
    was = f" (was {record['before']})" if "before" in record else ""
    return f"{record['status']}{was}: {record['name']}: {message}"


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the fields of a value; the names within a mapping are joined to its own."""
    if isinstance(value, dict) and name != "not_ok":
        for key, item in value.items():
            yield from _flat(f"{name}_{key}", item)
    elif isinstance(value, list | tuple) and not any(isinstance(item, dict | list) for item in value):
        yield from ((_name(name), _text(item)) for item in value)
    elif value is not None:
        yield _name(name), _text(value)


def _name(name: str) -> str:
    return ("NODECHECK_" + re.sub("[^A-Z0-9_]", "_", name.upper()))[:LONGEST_NAME]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _stay(connection: socket.socket, deadline: float) -> None:
    """Live until journald has read it: only then it sees in /proc of which unit this process is.

    https://github.com/systemd/systemd/issues/2913
    """
    waiting = bytearray(4)
    until = min(deadline, time.monotonic() + STAY_SECONDS)
    while time.monotonic() < until:
        fcntl.ioctl(connection, termios.TIOCOUTQ, waiting)
        if not int.from_bytes(waiting, sys.byteorder):
            break
        time.sleep(0.001)
    time.sleep(LOOKS_UP_SECONDS)


def _send(connection: socket.socket, entry: bytes) -> None:
    """Raises OSError."""
    try:
        connection.send(entry)
    except OSError as error:
        if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
            raise
        memory = os.memfd_create("nodecheck", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        try:
            with open(memory, "wb", closefd=False) as file:
                file.write(entry)
            fcntl.fcntl(memory, fcntl.F_ADD_SEALS, SEALS)
            socket.send_fds(connection, [b""], [memory])
        finally:
            os.close(memory)
