"""A bus that lies: it authenticates whoever comes, and answers each call but Hello with a lie.

Run as a process of its own: python liar.py PATH LIE.
"""

import os
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402  # the version has to be required first

HEADER_BYTES = 16
Lie = Callable[[Any], bytes]
UNIT = ("a.service", "", "loaded", "active", "running", "", "/a", 0, "", "/")
# What a client asks first, and the server's answer (D-Bus specification, Authentication Protocol).
STEPS = {(b"AUTH",): b"REJECTED EXTERNAL", (b"AUTH", b"EXTERNAL"): b"DATA"}


def main(path: str, lie: Lie) -> None:
    """Serve at this path, for ever."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_talk, args=(connection, lie), daemon=True).start()


def _talk(connection: socket.socket, lie: Lie) -> None:
    with suppress(OSError), connection, connection.makefile("rb") as said:  # whoever asked may leave
        _authenticate(connection, said)
        while message := _read(said):
            is_hello = message.get_member() == "Hello"
            connection.sendall(reply(message, GLib.Variant("(s)", (":1.1",))) if is_hello else lie(message))


def _authenticate(connection: socket.socket, said: Any) -> None:
    said.read(1)  # the NUL that carries credentials
    while (line := said.readline().split()) and line[0] != b"BEGIN":
        accepted = b"AGREE_UNIX_FD" if line[0] == b"NEGOTIATE_UNIX_FD" else b"OK 0123456789abcdef0123456789abcdef"
        connection.sendall(STEPS.get(tuple(line), accepted) + b"\r\n")


def _read(said: Any) -> Any:
    head = said.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES:
        return None
    rest = said.read(Gio.DBusMessage.bytes_needed(head) - HEADER_BYTES)
    return Gio.DBusMessage.new_from_blob(head + rest, Gio.DBusCapabilityFlags.NONE)


def reply(message: Any, body: Any) -> bytes:
    """Return the bytes of a reply with this GLib.Variant."""
    answer = Gio.DBusMessage.new_method_reply(message)
    answer.set_serial(1)
    answer.set_sender("org.freedesktop.DBus")
    answer.set_body(body)
    return bytes(answer.to_blob(Gio.DBusCapabilityFlags.NONE))


def refusal(message: Any, text: str) -> bytes:
    """Return the bytes of an error."""
    answer = Gio.DBusMessage.new_method_error_literal(message, "org.freedesktop.DBus.Error.AccessDenied", text)
    answer.set_serial(1)
    return bytes(answer.to_blob(Gio.DBusCapabilityFlags.NONE))


def crowd(message: Any, mebibytes: int) -> bytes:
    """Return the bytes of a list of units that is this long, all of them the same."""
    one, two = (reply(message, GLib.Variant("(a(ssssssouso))", ([UNIT] * count,))) for count in (1, 2))
    unit = two[-(len(two) - len(one)) :]
    count = (mebibytes << 20) // len(unit)
    body_bytes = struct.unpack_from("<I", one, 4)[0]
    head = bytearray(one[: len(one) - body_bytes])
    struct.pack_into("<I", head, 4, 8 + count * len(unit))
    return bytes(head) + struct.pack("<II", count * len(unit), 0) + unit * count


def half(message: Any) -> bytes:
    """Return the bytes of a message that lacks its end."""
    return reply(message, GLib.Variant("(s)", ("the rest of this never comes",)))[:40]


LIES: dict[str, Lie] = {
    "noise": lambda _: os.urandom(1 << 16),
    "half a message": half,
    "nothing": lambda _: b"",
    "another type": lambda message: reply(message, GLib.Variant("(s)", ("no list",))),
    "100 MiB of another type": lambda message: reply(message, GLib.Variant("(ay)", (bytes(100 << 20),))),
    "100 MiB of units": lambda message: crowd(message, 100),
    "a refusal": lambda message: refusal(message, "\x1b[31mred\n{{ 7 * 7 }}"),
}

if __name__ == "__main__":
    main(sys.argv[1], LIES[sys.argv[2]])
