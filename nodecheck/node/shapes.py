"""The shapes of plain data that somebody else may have written.

Each reader takes a value and its place, and gives the value back or says what it has to be. Raises WrongShape.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Reader = Callable[[Any, str], Any]

LARGEST = 2**64 - 1  # systemd says so for "infinity"
DEEPEST = 10
WORDS = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", type(None): "null"}


class WrongShape(Exception):
    """Something is not what it has to be: (place, what is wrong)."""


def _wrong(place: str, wanted: str, value: Any) -> WrongShape:
    shown = repr(value) if isinstance(value, str | int | float) and len(str(value)) < 60 else kind(value)
    return WrongShape(place, f"expected {wanted}, not {shown}")


def kind(value: Any) -> str:
    """Name the kind of a value in plain words."""
    return WORDS.get(type(value), "a number")


def text(value: Any, place: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise _wrong(place, "a text", value)
    return value


def address(value: Any, place: str) -> str:
    """An address, perhaps with a prefix: 10.0.0.1/24."""
    import ipaddress

    try:
        ipaddress.ip_interface(text(value, place))
    except ValueError:
        raise _wrong(place, "an address", value) from None
    return str(value)


def boolean(value: Any, place: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise _wrong(place, "true or false", value)
    return value


def whole(value: Any, place: str) -> int:
    """A whole number, not below zero."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise _wrong(place, "a whole number, not below zero", value)
    return value


def number(value: Any, place: str) -> float:
    """A number, not below zero."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST:
        raise _wrong(place, "a number, not below zero", value)
    return float(value)


def anything(value: Any, place: str, depth: int = 0) -> Any:
    """Any value, as long as it is no maze."""
    if depth > DEEPEST:
        raise WrongShape(place, f"nested deeper than {DEEPEST} levels")
    if isinstance(value, float) and not math.isfinite(value):
        raise _wrong(place, "a number", "one that is none")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        anything(item, place, depth + 1)
    return value


def one_of(*choices: Any) -> Reader:
    """One of these."""

    def read(value: Any, place: str) -> Any:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise _wrong(place, f"one of {', '.join(map(str, choices))}", value)
        return value

    return read


def optional(reader: Reader) -> Reader:
    """The same, or null."""
    return lambda value, place: None if value is None else reader(value, place)


def list_of(reader: Reader, length: int | None = None) -> Reader:
    """A list, of this length where one is given."""

    def read(value: Any, place: str) -> list[Any]:
        if not isinstance(value, list) or length not in (None, len(value)):
            raise _wrong(place, "a list" if length is None else f"a list of {length}", value)
        return [reader(item, f"{place}[{number}]") for number, item in enumerate(value)]

    return read


def mapping_of(reader: Reader) -> Reader:
    """A mapping of any keys."""

    def read(value: Any, place: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(place, "a mapping", value)
        return {key: reader(item, _inside(place, key)) for key, item in value.items()}

    return read


def fields(required: Mapping[str, Reader], others: Mapping[str, Reader] | None = None) -> Reader:
    """A mapping of these keys; those of `others` may be missing."""
    known = {**(others or {}), **required}

    def read(value: Any, place: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(place, "a mapping", value)
        for key in value:
            if key not in known:
                raise WrongShape(place, f"there is nothing called {key!r} here; known: {', '.join(sorted(known))}")
        for key in required:
            if key not in value:
                raise WrongShape(place, f"{key!r} is missing")
        return {key: known[key](item, _inside(place, key)) for key, item in value.items()}

    return read


def _inside(place: str, key: str) -> str:
    return f"{place} > {key}" if place else key
