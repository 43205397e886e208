"""Questions to a name server and its answers, as they go over the wire: RFC 1035, section 4."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = struct.Struct("!HHHHHH")
QUESTION = struct.Struct("!HH")
RECORD = struct.Struct("!HHIH")
QUESTION_FLAGS = 0x0100  # recursion desired
IS_ANSWER, OPERATION, IS_TRUNCATED, RCODE = 0x8000, 0x7800, 0x0200, 0x000F
INTERNET = 1
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}
ADDRESSES = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}
RCODES = (
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
)
LONGEST_LABEL = 63
LONGEST_NAME = 253
POINTER = 0xC0


class NotTheAnswer(Exception):
    """What came is no answer to the question."""


class Answer(NamedTuple):
    """`records` are the answers of the wanted type as texts, `aliases` the names that a CNAME leads to."""

    rcode: str
    truncated: bool
    records: tuple[str, ...]
    aliases: tuple[str, ...]


def as_answered(wanted: str, type: str) -> str:
    """Return a record as an answer has it: an address as inet_ntop(3) writes it, names without the dot at their end."""
    if type in ADDRESSES:
        with suppress(OSError):  # it is none
            return socket.inet_ntop(ADDRESSES[type], socket.inet_pton(ADDRESSES[type], wanted))
    if type in (*ADDRESSES, "TXT") or wanted.endswith(" ."):
        return wanted
    return wanted.removesuffix(".") or wanted


def rcode(code: int) -> str:
    """Return a response code as people write it."""
    return RCODES[code] if code < len(RCODES) else f"RCODE{code}"


def every_rcode() -> list[str]:
    """Return all that there are in a header."""
    return [rcode(code) for code in range(RCODE + 1)]


def question(number: int, name: str, type: str) -> bytes:
    """Return a question with this number from 0 to 65535. Raises ValueError where the name can be none."""
    return HEADER.pack(number, QUESTION_FLAGS, 1, 0, 0, 0) + encoded(name) + QUESTION.pack(TYPES[type], INTERNET)


def encoded(name: str) -> bytes:
    """Return a name as it goes over the wire. Raises ValueError."""
    bare = name.removesuffix(".")
    labels = bare.split(".")
    if not name.isascii():
        raise ValueError(f"{name!r} is not ASCII: write it as xn--...")
    if len(bare) > LONGEST_NAME or not all(1 <= len(label) <= LONGEST_LABEL for label in labels):
        raise ValueError(f"{name!r} can be no name: its parts have 1 to {LONGEST_LABEL} characters")
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def answer(asked: bytes, data: bytes) -> Answer:
    """Return what was answered to a question; raises NotTheAnswer."""
    try:
        return _answer(asked, data)
    except (struct.error, IndexError, OSError) as error:
        raise NotTheAnswer("what came is no message of a name server") from error


def _answer(asked: bytes, data: bytes) -> Answer:
    number, flags, questions, answers, *_ = HEADER.unpack_from(data)
    if number != HEADER.unpack_from(asked)[0] or not flags & IS_ANSWER or flags & OPERATION:
        raise NotTheAnswer("what came is an answer to another question")
    name, offset = _name(asked, HEADER.size)
    wanted, _ = QUESTION.unpack_from(asked, offset)
    code = flags & RCODE
    if questions or not code:  # a server that understood nothing need not repeat the question
        seen, at = _name(data, HEADER.size)
        if questions != 1 or seen.lower() != name.lower() or QUESTION.unpack_from(data, at) != (wanted, INTERNET):
            raise NotTheAnswer("what came is an answer to another question")
        offset = at + QUESTION.size
    truncated = bool(flags & IS_TRUNCATED)
    found = [] if truncated or code else list(_records(data, offset, answers))
    return Answer(
        rcode(code),
        truncated,
        tuple(text for kind, text in found if kind == wanted),
        tuple(text for kind, text in found if kind == TYPES["CNAME"] != wanted),
    )


def _records(data: bytes, offset: int, count: int) -> Iterator[tuple[int, str]]:
    for _ in range(count):
        _, offset = _name(data, offset)
        kind, network, _, length = RECORD.unpack_from(data, offset)
        offset += RECORD.size
        if offset + length > len(data):
            raise NotTheAnswer("what came ends in the middle of a record")
        if network == INTERNET and kind in TYPES.values():
            yield kind, _shown(kind, data, offset, length)
        offset += length


def _shown(type: int, data: bytes, offset: int, length: int) -> str:
    """Return a record as people write it."""
    content = data[offset : offset + length]
    if type == TYPES["A"]:
        return socket.inet_ntop(socket.AF_INET, _exactly(content, 4))
    if type == TYPES["AAAA"]:
        return socket.inet_ntop(socket.AF_INET6, _exactly(content, 16))
    if type == TYPES["TXT"]:
        return "".join(_strings(content))
    numbers = {TYPES["MX"]: 1, TYPES["SRV"]: 3}.get(type, 0)
    words = [str(number) for number in struct.unpack_from(f"!{numbers}H", data, offset)]
    return " ".join([*words, _name(data, offset + 2 * numbers)[0] or "."])


def _exactly(content: bytes, length: int) -> bytes:
    if len(content) != length:
        raise NotTheAnswer(f"what came has an address of {len(content)} bytes")
    return content


def _strings(content: bytes) -> Iterator[str]:
    offset = 0
    while offset < len(content):
        length = content[offset]
        yield content[offset + 1 : offset + 1 + length].decode("utf-8", "backslashreplace")
        offset += 1 + length


def _name(data: bytes, offset: int) -> tuple[str, int]:
    """Return the name at an offset, and the offset after it; a pointer leads to an earlier place only."""
    labels: list[str] = []
    after, earliest = 0, offset
    while data[offset]:
        length = data[offset]
        if length >= POINTER:
            after = after or offset + 2
            offset = (length - POINTER) << 8 | data[offset + 1]
            if offset >= earliest:
                raise NotTheAnswer("what came has a name without an end")
            earliest = offset
            continue
        if length > LONGEST_LABEL or offset + 1 + length > len(data):
            raise NotTheAnswer("what came has a name that can be none")
        labels.append(data[offset + 1 : offset + 1 + length].decode("ascii", "backslashreplace"))
        offset += 1 + length
    return ".".join(labels), after or offset + 1
