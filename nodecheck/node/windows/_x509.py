"""X.509 certificates: the few fields that are judged, read from DER (RFC 5280).

ssl tells these only of a certificate that verifies, or by a private function; a package for it takes longer to import
than all looks of a run.
"""

from __future__ import annotations

import hashlib
import re
import socket
from typing import Any, NamedTuple

# One that is cut off is one, too: OpenSSL does not load a file with such a one at its end.
PEM = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----\s*(.*?)(?:-----END|\Z)", re.DOTALL)
SEQUENCE, SET, OID, OCTETS, BIT_STRING = 0x30, 0x31, 0x06, 0x04, 0x03
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
VERSION, EXTENSIONS = 0xA0, 0xA3
EMAIL, DNS, URI, IP = 0x81, 0x82, 0x86, 0x87
TIME_FIELDS = ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))
ALTERNATIVE_NAMES = "2.5.29.17"
ATTRIBUTES = {
    "2.5.4.3": "CN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O",
    "2.5.4.11": "OU", "1.2.840.113549.1.9.1": "emailAddress", "0.9.2342.19200300.100.1.25": "DC",
}  # fmt: skip
ENCODINGS = {0x1E: "utf-16-be", 0x1C: "utf-32-be", 0x14: "latin-1"}  # BMPString, UniversalString, TeletexString


class BadCertificate(Exception):
    """It is no certificate."""


class Part(NamedTuple):
    """One element of DER: what it is, and what is in it."""

    tag: int
    value: bytes


def all_in(data: bytes) -> list[bytes]:
    """Return the DER of each certificate in a file: PEM, or one in DER. Raises BadCertificate."""
    import binascii

    if data[:1] == b"\x30" and data[1:2] >= b"\x80":
        return [data]
    try:
        return [binascii.a2b_base64(found) for found in PEM.findall(data)]
    except binascii.Error as error:
        raise BadCertificate("its base64 is broken") from error


def read(der: bytes) -> dict[str, Any]:
    """Return subject, issuer, names, the seconds since 1970 from which and until which it is valid, and fingerprint.

    Raises BadCertificate.
    """
    try:
        return _read(der)
    except (IndexError, ValueError) as error:
        raise BadCertificate("it is not what a certificate looks like") from error


def _read(der: bytes) -> dict[str, Any]:
    signed = _parts(_only(der, SEQUENCE))[0]
    parts = _parts(_expect(signed, SEQUENCE))
    if parts[0].tag == VERSION:
        del parts[0]
    _serial, _algorithm, issuer, validity, subject, _public_key, *rest = parts
    begins, ends = _parts(_expect(validity, SEQUENCE))
    extensions = next((part.value for part in rest if part.tag == EXTENSIONS), None)
    return {
        "subject": _name(subject),
        "common_name": _common_name(subject),
        "issuer": _name(issuer),
        "issuer_common_name": _common_name(issuer),
        "names": _alternative_names(extensions) if extensions else [],
        "not_before": _time(begins),
        "not_after": _time(ends),
        "fingerprint": hashlib.sha256(der).hexdigest(),
    }


# ---- DER


def _parts(data: bytes) -> list[Part]:
    """Return the elements that stand one after another. Raises ValueError and IndexError."""
    parts = []
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            octets = length & 0x7F
            if octets == 0 or octets > 4:
                raise ValueError("a length that DER does not know")
            length, at = int.from_bytes(data[at : at + octets], "big"), at + octets
        if at + length > len(data):
            raise ValueError("it is cut off")
        parts.append(Part(tag, data[at : at + length]))
        at += length
    return parts


def _expect(part: Part, tag: int) -> bytes:
    if part.tag != tag:
        raise ValueError(f"tag {part.tag:#x} in the place of {tag:#x}")
    return part.value


def _only(data: bytes, tag: int) -> bytes:
    return _expect(_parts(data)[0], tag)


def _object_id(value: bytes) -> str:
    numbers, number = [], 0
    for octet in value:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _time(part: Part) -> int:
    """Return seconds since 1970; 0 for what was before."""
    import calendar

    digits = part.value.decode("ascii").removesuffix("Z")
    if part.tag == UTC_TIME:
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    elif part.tag != GENERALIZED_TIME:
        raise ValueError("no time")
    year, month, day, hour, minute, second = (int(digits[at:end]) for at, end in TIME_FIELDS)
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        raise ValueError("no time")
    return max(0, calendar.timegm((year, month, day, hour, minute, second)))


# ---- names


def _attributes(name: Part) -> list[tuple[str, str]]:
    found = []
    for same_level in _parts(_expect(name, SEQUENCE)):
        for pair in _parts(_expect(same_level, SET)):
            kind, value = _parts(_expect(pair, SEQUENCE))
            oid = _object_id(_expect(kind, OID))
            found.append((ATTRIBUTES.get(oid, oid), value.value.decode(ENCODINGS.get(value.tag, "utf-8"), "replace")))
    return found


def _name(name: Part) -> str:
    return ", ".join(f"{kind}={value}" for kind, value in _attributes(name))


def _common_name(name: Part) -> str:
    return next((value for kind, value in _attributes(name) if kind == "CN"), "")


def _alternative_names(extensions: bytes) -> list[str]:
    for extension in _parts(_only(extensions, SEQUENCE)):
        oid, *_critical, value = _parts(_expect(extension, SEQUENCE))
        if _object_id(_expect(oid, OID)) == ALTERNATIVE_NAMES:
            names = _parts(_only(_expect(value, OCTETS), SEQUENCE))
            return [_alternative_name(name) for name in names if name.tag in (EMAIL, DNS, URI, IP)]
    return []


def _alternative_name(name: Part) -> str:
    if name.tag == IP:
        return socket.inet_ntop(socket.AF_INET if len(name.value) == 4 else socket.AF_INET6, name.value)
    return name.value.decode("ascii", "replace")
