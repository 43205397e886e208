"""Protocol Buffers, as little as the CRI needs: messages of numbers and texts, without their descriptions.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBER, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED = {FIXED64: 8, FIXED32: 4}


class Message:
    """A message that was read; fields are asked for by number. What is not there is 0, "" or none, as the rules say."""

    def __init__(self, data: bytes) -> None:
        """Read a message. Raises ValueError."""
        self._fields: dict[int, list[int | bytes]] = {}
        for number, value in _read(data):
            self._fields.setdefault(number, []).append(value)

    def number(self, field: int) -> int:
        """Return a number."""
        found = self._fields.get(field, [0])[-1]
        return found if isinstance(found, int) else 0

    def text(self, field: int) -> str:
        """Return a text."""
        found = self._fields.get(field, [b""])[-1]
        return found.decode("utf-8", "replace") if isinstance(found, bytes) else ""

    def texts(self, field: int) -> list[str]:
        """Return all texts of a repeated field."""
        return [found.decode("utf-8", "replace") for found in self._fields.get(field, []) if isinstance(found, bytes)]

    def has(self, field: int) -> bool:
        """Tell whether a field is there at all."""
        return field in self._fields

    def message(self, field: int) -> Message:
        """Return a message within; an empty one where there is none."""
        return (self.messages(field) or [Message(b"")])[-1]

    def messages(self, field: int) -> list[Message]:
        """Return all messages of a repeated field. Raises ValueError."""
        return [Message(found) for found in self._fields.get(field, []) if isinstance(found, bytes)]

    def mapping(self, field: int) -> dict[str, str]:
        """Return a map of texts: its entries are messages of key and value. Raises ValueError."""
        return {entry.text(1): entry.text(2) for entry in self.messages(field)}


def write_text(field: int, text: str) -> bytes:
    """Return a field that holds a text."""
    data = text.encode()
    return bytes([field << 3 | BYTES]) + _write_number(len(data)) + data


def write_true(field: int) -> bytes:
    """Return a field that holds true."""
    return bytes([field << 3 | NUMBER, 1])


def _write_number(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _read(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    place = 0
    while place < len(data):
        tag, place = _read_number(data, place)
        kind = tag & 7
        if kind == NUMBER:
            value, place = _read_number(data, place)
            yield tag >> 3, value
            continue
        if kind == BYTES:
            size, place = _read_number(data, place)
        elif kind in FIXED:
            size = FIXED[kind]
        else:
            raise ValueError(f"there is no kind {kind} of fields")
        if place + size > len(data):
            raise ValueError("it ends within a field")
        yield tag >> 3, data[place : place + size]
        place += size


def _read_number(data: bytes, place: int) -> tuple[int, int]:
    """Return (number, the place behind it): seven bits a byte, the lowest first."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise ValueError("it ends within a number")
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return value, place
    raise ValueError("a number is too long")
