"""What a definition wants of a property: "< 90%", ">= 2", "1..3", /regex/, a list, {all: [...]}, {not: ...}.

An expectation is typed by its property. It says what it expects and shows what was observed in the same unit. This is
the door: how expectations are put together is in terms.py, each kind in quantities.py, texts.py and comparable.py.
"""

from __future__ import annotations

from nodecheck.definitions.comparable import TextOrNumber, Version
from nodecheck.definitions.quantities import (
    CountInTime,
    Duration,
    InTime,
    Number,
    Percent,
    Quantity,
    Size,
    SizeInTime,
)
from nodecheck.definitions.terms import Expectation
from nodecheck.definitions.texts import HeldText, Regex, Text

EXPECTATIONS: tuple[type[Expectation], ...] = (
    Number,
    CountInTime,
    Percent,
    Size,
    SizeInTime,
    Duration,
    Text,
    HeldText,
    TextOrNumber,
    Version,
)

__all__ = [
    "EXPECTATIONS",
    "CountInTime",
    "Duration",
    "Expectation",
    "HeldText",
    "InTime",
    "Number",
    "Percent",
    "Quantity",
    "Regex",
    "Size",
    "SizeInTime",
    "Text",
    "TextOrNumber",
    "Version",
]
