"""Amounts of time as people write them: 30s, 5m, 1h30m, 2d."""

from __future__ import annotations

import re

UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|min|[smhdw])")


def parse_duration(text: str) -> float:
    """Return seconds; raises ValueError. A bare number has no unit, so it is refused rather than guessed."""
    stripped = text.strip()
    parts = PART.findall(stripped)
    if not parts or PART.sub("", stripped).strip():
        raise ValueError(f"expected a time with its unit such as 30s, 5m or 1h30m, not {stripped!r}")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def format_duration(seconds: float) -> str:
    """Return an amount of time in its two largest units: 3.2s, 12m 5s, 3h 2m, 12d 4h."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 10:
        return f"{seconds:.1f}s".replace(".0s", "s")
    whole = round(seconds)
    for size, unit, small_size, small_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            rest = whole % size // small_size
            return f"{whole // size}{unit} {rest}{small_unit}" if rest else f"{whole // size}{unit}"
    return f"{whole}s"
