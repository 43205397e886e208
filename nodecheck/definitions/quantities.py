"""Expectations of numbers, percentages, sizes and times: "< 90%", ">= 2", "1..3", "2GiB"."""

from __future__ import annotations

import operator
import re
from itertools import pairwise
from math import floor, isfinite
from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.definitions.terms import Expectation, in_yaml
from nodecheck.durations import UNITS, format_duration, format_precisely, largest_unit, parse_duration
from nodecheck.patterns import later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nodecheck.definitions.terms import Term

COMPARISON = later(r"(<=|>=|==|!=|<|>)\s*(.*)", re.DOTALL)
QUANTITY = later(r"(-?[0-9]+(?:\.[0-9]+)?)\s*([A-Za-z%]*)")
BYTE_UNITS = {
    "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50,
    "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15,
}  # fmt: skip
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
LONGEST_NUMBER = 40  # characters
LEAST_WITHIN_SECONDS = 60
MOST_DIGITS = 18  # after the point


class Quantity(Expectation):
    """A number with a unit, or without."""

    def __init__(self, source: Any) -> None:
        self._bounds: list[float] = []  # what observations are compared with
        self._written = ""  # the text that is being read
        super().__init__(source)

    def convert(self, text: str) -> float:
        """Return one number with its unit in the base unit. Raises ValueError."""
        raise NotImplementedError

    def show(self, observed: Any) -> Any:
        """Return what was observed in the unit of the author, with so many digits that it is not taken for a bound."""
        if isinstance(observed, float) and not isfinite(observed):
            return str(observed)
        for shown in self._shown(observed):
            if self._reads_as(shown, observed):
                return shown
        return self._exact(observed)

    def _shown(self, observed: float) -> Iterator[Any]:
        """Yield ever more precise ways to show a number."""
        raise NotImplementedError

    def _exact(self, observed: float) -> Any:
        """Show a number so that not a bit of it is lost."""
        raise NotImplementedError

    def _reads_as(self, shown: Any, observed: float) -> bool:
        """Tell whether what is shown lies on the same side of each bound, and of nothing, as what was observed."""
        value = shown if isinstance(shown, float) else self.convert(shown)
        bounds = (0, *self._bounds)
        return all((value < bound, value > bound) == (observed < bound, observed > bound) for bound in bounds)

    def _leaf(self, item: Any) -> Term:
        if isinstance(item, bool) or not isinstance(item, int | float | str):
            raise ValueError(f"expected {self.GRAMMAR}, not {in_yaml(item)}")
        text = self._written = str(item).strip()
        low, dots, high = text.partition("..")
        if dots:
            return self._range(low, high)
        comparison = COMPARISON.fullmatch(text)
        sign, operand = comparison.groups() if comparison else ("==", text)
        wanted, compare = self._operand(operand), COMPARE[sign]
        return lambda observed: compare(observed, wanted)

    def _range(self, low: str, high: str) -> Term:
        if not low.strip() or not high.strip():
            raise ValueError('a range has two ends: "1..3"; with one, write ">= 1" or "<= 3"')
        least, most = self._operand(low), self._operand(high)
        if least > most:
            raise ValueError(f"nothing lies between {low.strip()} and {high.strip()}")
        return lambda observed: least <= observed <= most

    def _operand(self, text: str) -> float:
        if len(text) > LONGEST_NUMBER:
            raise ValueError(f"expected {self.GRAMMAR}; {text.strip()[:LONGEST_NUMBER]}... is too long")
        wanted = self.convert(text)
        self._bounds.append(wanted)
        return wanted

    def _split(self, text: str) -> tuple[float, str]:
        match = QUANTITY.fullmatch(text.strip())
        if not match:
            raise ValueError(f"expected {self.GRAMMAR}, not {text.strip()!r}")
        return number_in(match[1]), match[2]

    def _meant(self, wrong: str, right: str) -> str:
        """Return what was written with another unit, and all else as it was."""
        unit = rf"(?<=[0-9])\s*{re.escape(wrong)}(?![A-Za-z%0-9]|\.[0-9])"
        return f'"{re.sub(unit, right, self._written)}"'

    def _count_samples(self) -> int:
        return 2 * len(self._bounds) + 2

    def _samples(self) -> Iterator[float]:
        """At each bound, between two, and above all; nothing that is counted or measured here is below 0."""
        bounds = sorted({0, *(bound for bound in self._bounds if bound > 0)})
        yield from bounds
        for low, high in pairwise(bounds):
            # Half of a large whole number may be no float.
            yield low + (high - low) // 2 if high - low > 1 else low + (high - low) / 2
        yield bounds[-1] * 2 + 1


class Number(Quantity):
    """A plain number."""

    GRAMMAR = 'a number such as 3, "< 3", ">= 1" or "1..3"'
    EXAMPLES = (1, "< 3", "1..3", {"all": ["> 1", "!= 7"]})
    UNITS = "none"

    def convert(self, text: str) -> float:
        """See above."""
        number, unit = self._split(text)
        if unit:
            raise ValueError(f"this is a plain number: {text.strip()!r} has the unit {unit}")
        return number

    def show(self, observed: Any) -> Any:
        """Whole numbers as they are."""
        return observed if isinstance(observed, int) else super().show(observed)

    def _shown(self, observed: float) -> Iterator[float]:
        yield from (float(f"{observed:.{digits}f}") for digits in range(2, MOST_DIGITS))

    def _exact(self, observed: float) -> float:
        return observed


class InTime(Quantity):
    """What may be of a time: `within` is that time in seconds, 0 where there is none."""

    def __init__(self, source: Any) -> None:
        self._time = ""  # of what is being read
        self._withins: set[float] = set()
        super().__init__(source)
        self.within = max(self._withins, default=0.0)

    def matches_all(self, least: int, most: int) -> bool | None:
        """Tell whether any whole number from one to the other is as wanted; None where it depends on which one."""
        bounds = sorted({least, most, *(bound for bound in self._bounds if least < bound < most)})
        between = (floor(low) + 1 for low, high in pairwise(bounds) if floor(low) + 1 < high)
        verdicts = {self.matches(number) for number in (*bounds, *between) if number == floor(number)}
        return verdicts.pop() if len(verdicts) == 1 else None

    def _leaf(self, item: Any) -> Term:
        text, word, time = item.rpartition(" in ") if isinstance(item, str) else ("", "", "")
        seconds = parse_duration(time) if word else 0.0
        if word and seconds < LEAST_WITHIN_SECONDS:
            raise ValueError(f"{time.strip()} is too short a time: runs are a minute apart or so")
        self._withins.add(seconds)
        self._time = time.strip()
        if len(self._withins) > 1:
            raise ValueError('one time for all of it: {all: ["> 1 in 1d", "!= 7 in 1d"]}')
        return super()._leaf(text if word else item)

    def _meant(self, wrong: str, right: str) -> str:
        meant = super()._meant(wrong, right)
        return f'{meant[:-1]} in {self._time}"' if self._time else meant


class CountInTime(InTime, Number):
    """A number that may be of a time.

    With "in 1h" it is what came within that time that counts, else all there has been; `within` is 0 then.
    """

    GRAMMAR = 'a number such as 3, "< 3" or "1..3", or of a time: "< 3 in 1h"'
    EXAMPLES: ClassVar[tuple[Any, ...]] = ("< 3 in 1h", "< 3", {"all": ["> 1 in 1d", "!= 7 in 1d"]})


class Percent(Quantity):
    """A percentage."""

    GRAMMAR = 'a percentage such as "< 90%"'
    EXAMPLES = ("< 90%", "10%..80%", {"not": "40%..60%"})
    UNITS = "`%`, always written"

    def convert(self, text: str) -> float:
        """See above."""
        number, unit = self._split(text)
        if unit != "%":
            share = f"; {number * 100:g}% if it is a share" if not unit and 0 < number <= 1 else ""
            raise ValueError(f"this is a percentage, not {text.strip()!r}: write {self._meant(unit, '%')}{share}")
        return number

    def _meant(self, wrong: str, right: str) -> str:
        """Exactly so much is hardly ever meant."""
        bare = QUANTITY.fullmatch(self._written)
        return f'"< {bare[1]}{right}" or "> {bare[1]}{right}"' if bare else super()._meant(wrong, right)

    def suspicions(self) -> Iterator[str]:
        """Yield a share that was written as a percentage."""
        for bound in self._bounds:
            if 0 < bound < 1:
                yield f"{bound:g}% is less than one in a hundred; if {bound:g} is a share, write {bound * 100:g}%"

    def _shown(self, observed: float) -> Iterator[str]:
        yield from (f"{observed:.{digits}f}%" for digits in range(1, MOST_DIGITS))

    def _exact(self, observed: float) -> str:
        return f"{_decimal(observed)}%"


class Size(Quantity):
    """An amount of bytes."""

    GRAMMAR = 'a size such as "< 2GiB" or ">= 500MB"'
    EXAMPLES = ("< 2GiB", ">= 500MB", "500MiB..2GiB")
    UNITS = f"{', '.join(f'`{unit}`' for unit in BYTE_UNITS)}; KiB is 1024 bytes, kB is 1000"

    def convert(self, text: str) -> float:
        """See above."""
        number, unit = self._split(text)
        if unit not in BYTE_UNITS:
            near = [known for known in BYTE_UNITS if unit and known.lower() in (unit.lower(), f"{unit.lower()}b")]
            meant = f"did you mean {self._meant(unit, near[0])}?" if near else f"known are {' '.join(BYTE_UNITS)}"
            raise ValueError(
                f"this is a size: {text.strip()!r} has {f'the unit {unit}' if unit else 'no unit'}; {meant}"
            )
        return number * BYTE_UNITS[unit]

    def _shown(self, observed: float) -> Iterator[str]:
        """In a unit that the author used: the largest of which there is one, or the smallest."""
        used = [unit for unit in re.findall(r"[A-Za-z]+", str(self.source)) if unit in BYTE_UNITS]
        used.sort(key=lambda unit: (BYTE_UNITS[unit] > observed, abs(BYTE_UNITS[unit] - observed)))
        unit = used[0]
        for digits in range(0 if unit == "B" else 1, MOST_DIGITS):
            yield f"{observed / BYTE_UNITS[unit]:.{digits}f}{unit}"

    def _exact(self, observed: float) -> str:
        return f"{_decimal(observed)}B"


class SizeInTime(InTime, Size):
    """An amount of bytes that something grows by in a time."""

    GRAMMAR = 'a size in a time such as "< 2GiB in 1h"'
    EXAMPLES: ClassVar[tuple[Any, ...]] = ("< 2GiB in 1h", "1MiB..2GiB in 1d", {"not": "> 500MB in 10m"})

    def _leaf(self, item: Any) -> Term:
        leaf = super()._leaf(item)
        if not all(self._withins):
            raise ValueError(f"expected {self.GRAMMAR}: {in_yaml(item)} has no time")
        return leaf


class Duration(Quantity):
    """An amount of time."""

    GRAMMAR = 'a time such as "> 10m" or "< 2h"'
    EXAMPLES = ("> 10m", "< 1h30m", "1s..1m")
    UNITS = f"{', '.join(f'`{unit}`' for unit in UNITS)}; `1h30m` and `1h 30m` are the same"

    def convert(self, text: str) -> float:
        """See above."""
        return parse_duration(text)

    def _shown(self, observed: float) -> Iterator[str]:
        """In two units; when it has to be compared, in none that is larger than the author's."""
        if observed < 0:  # a clock that was set back; no bound is below 0
            yield f"-{format_duration(-observed)}"
        largest = largest_unit(str(self.source))
        yield format_duration(observed, "d" if self.matches(observed) else largest)
        yield from (format_precisely(observed, digits, largest) for digits in range(MOST_DIGITS))

    def _reads_as(self, shown: Any, observed: float) -> bool:
        return observed < 0 or super()._reads_as(shown, observed)

    def _exact(self, observed: float) -> str:
        return f"{_decimal(observed)}s"


def number_in(text: str) -> float:
    """Read a number exactly where it is whole: 18446744073709551615 is no float."""
    return float(text) if "." in text else int(text)


def _decimal(observed: float) -> str:
    """Show a number with all its digits and without an exponent."""
    from decimal import Decimal

    return f"{Decimal(repr(observed)):f}"
