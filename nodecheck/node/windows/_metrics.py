"""Values in the text format of Prometheus, by the names of metrics.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LABELS = r'(?:\{(?:"(?:[^"\\]|\\.)*"|[^"}])*\})?'
NUMBER = r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|Inf|NaN)"


def values(body: str, names: Iterable[str]) -> dict[str, list[str]]:
    """Return the values of all series of each name; a name with labels is one series, as it stands there.

    The value of a histogram, or of a summary, is the mean of all that it has counted since its server was started; NaN
    where all series of it have counted nothing yet, as Prometheus has it.
    """
    lines = [line for line in body.splitlines() if line and not line.startswith("#")]
    return {name: _series(name, lines) or _means(name, lines) for name in names}


def _series(name: str, lines: list[str]) -> list[str]:
    found = (_value(name, line[len(name) :]) for line in lines if line.startswith(name))
    return [value for value in found if value]


def _value(name: str, rest: str) -> str:
    """Return the number behind the name and its labels; "" where the name goes on. An exemplar may follow it."""
    labels = "" if name.endswith("}") else LABELS
    found = re.match(rf"{labels}\s+({NUMBER})(?:\s|$)", rest)
    return found[1] if found else ""


def _means(name: str, lines: list[str]) -> list[str]:
    sums, counts = _series(f"{name}_sum", lines), _series(f"{name}_count", lines)
    pairs = [(float(total), float(count)) for total, count in zip(sums, counts, strict=False)]
    means = [str(total / count) for total, count in pairs if count]
    return means or ["NaN"] * bool(pairs)
