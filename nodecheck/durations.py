"""Amounts of time as people write them: 30s, 5m, 1h30m, 2d."""

from __future__ import annotations

from itertools import pairwise

from nodecheck.patterns import later

UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
STEPS = ((604800, "w"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
LONGEST = 100  # characters; what is longer is no time, and would take long to read
PART = later(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|min|[smhdw])")


def parse_duration(text: str) -> float:
    """Return seconds; raises ValueError. A bare number has no unit, so it is refused rather than guessed."""
    stripped = text.strip()
    parts = PART.findall(stripped) if len(stripped) <= LONGEST else []
    if not parts or PART.sub("", stripped).strip():
        shown = repr(stripped) if len(stripped) <= LONGEST else f"{stripped[:LONGEST]!r}..."
        raise ValueError(f"expected a time with its unit such as 30s, 5m or 1h30m, not {shown}")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def largest_unit(text: str) -> str:
    """Return the largest unit in which times are written in a text; seconds when there are none."""
    units = [unit for _, unit in PART.findall(text)] or ["s"]
    return str(max(units, key=lambda unit: UNITS[unit])).replace("min", "m")


def format_duration(seconds: float, largest: str = "d") -> str:
    """Return an amount of time in its two largest units: 3.2s, 12m 5s, 3h 2m, 12d 4h; in none above `largest`."""
    if seconds < 0.1 or largest == "ms":
        return f"{seconds * 1000:.0f}ms"
    if seconds < 10:
        return f"{seconds:.1f}s".replace(".0s", "s")
    whole = round(seconds)
    for (size, unit), (small_size, small_unit) in pairwise(STEPS):
        if whole >= size and size <= UNITS[largest]:
            rest = whole % size // small_size
            return f"{whole // size}{unit} {rest}{small_unit}" if rest else f"{whole // size}{unit}"
    return f"{whole}s"


def format_precisely(seconds: float, digits: int, largest: str = "d") -> str:
    """Return an amount of time down to its seconds, with so many digits after the point: 1d 2h 0.25s."""
    if largest == "ms":
        return f"{seconds * 1000:.{digits}f}ms"
    rest = round(seconds, digits)
    parts = []
    for size, unit in STEPS[:-1]:
        if size <= UNITS[largest]:
            count, rest = divmod(rest, size)
            parts += [f"{count:.0f}{unit}"] if count else []
    parts += [f"{rest:.{digits}f}s"] if rest or not parts else []
    return " ".join(parts)
