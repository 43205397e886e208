"""What a definition wants of a property: "< 90%", ">= 2", "1..3", /regex/, a list for any of these.

An expectation is typed by its property. It says what it expects and shows what was observed in the same unit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nodecheck.durations import format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

COMPARISON = re.compile(r"(<=|>=|==|!=|<|>)\s*(.*)", re.DOTALL)
QUANTITY = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)\s*([A-Za-z%]*)")
REGULAR_EXPRESSION = re.compile(r"/(.*)/(i?)", re.DOTALL)
HELD = re.compile(r"(.*?)\s+for\s+(.*)", re.DOTALL)
BYTE_UNITS = {
    "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50,
    "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15,
}  # fmt: skip
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda observed, wanted: observed < wanted,
    "<=": lambda observed, wanted: observed <= wanted,
    ">": lambda observed, wanted: observed > wanted,
    ">=": lambda observed, wanted: observed >= wanted,
    "==": lambda observed, wanted: observed == wanted,
    "!=": lambda observed, wanted: observed != wanted,
}


class Expectation:
    """What is wanted of one property; the subclasses know its type.

    `source` is what the author wrote. Several terms mean any of them.
    """

    GRAMMAR: ClassVar[str] = ""
    EXAMPLES: ClassVar[tuple[Any, ...]] = ()

    def __init__(self, source: Any) -> None:
        """Parse what stands in a definition: text, a number, a boolean, or a list of these. Raises ValueError."""
        sources = source if isinstance(source, list) else [source]
        if not sources:
            raise ValueError("an empty list expects nothing")
        self.source = source
        self._terms = [self._parse(item) for item in sources]
        unwanted = [str(item) for item in sources if str(item).lstrip().startswith("!=")]
        if unwanted and len(sources) > 1:
            raise ValueError(
                f'a list means any of these, and nearly everything is "{unwanted[0]}"; for none of several words write '
                '"!= /^(one|other)$/"'
            )

    def matches(self, observed: Any) -> bool:
        """Tell whether what was observed is as wanted."""
        return any(term(observed) for term in self._terms)

    def show(self, observed: Any) -> Any:
        """Return what was observed in the unit of the expectation."""
        return observed

    def __str__(self) -> str:
        if isinstance(self.source, list):
            return " or ".join(map(str, self.source))
        return str(self.source)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expectation) and type(self) is type(other) and self.source == other.source

    def __hash__(self) -> int:
        return hash((type(self), str(self)))

    def _parse(self, item: Any) -> Callable[[Any], bool]:
        raise NotImplementedError


class _Quantity(Expectation):
    """A number with a unit, or without."""

    def _parse(self, item: Any) -> Callable[[Any], bool]:
        if isinstance(item, bool) or not isinstance(item, int | float | str):
            raise ValueError(f"expected {self.GRAMMAR}, not {in_yaml(item)}")
        text = str(item).strip()
        low, dots, high = text.partition("..")
        if dots:
            return self._range(low, high)
        comparison = COMPARISON.fullmatch(text)
        operator, operand = comparison.groups() if comparison else ("==", text)
        wanted, compare = self.convert(operand), COMPARE[operator]
        return lambda observed: compare(observed, wanted)

    def _range(self, low: str, high: str) -> Callable[[Any], bool]:
        if not low.strip() or not high.strip():
            raise ValueError('a range has two ends: "1..3"; with one, write ">= 1" or "<= 3"')
        least, most = self.convert(low), self.convert(high)
        if least > most:
            raise ValueError(f"nothing lies between {low.strip()} and {high.strip()}")
        return lambda observed: least <= observed <= most

    def convert(self, text: str) -> float:
        """Return one number with its unit in the base unit. Raises ValueError."""
        raise NotImplementedError

    def _split(self, text: str) -> tuple[float, str]:
        match = QUANTITY.fullmatch(text.strip())
        if not match:
            raise ValueError(f"expected {self.GRAMMAR}, not {text.strip()!r}")
        return float(match[1]), match[2]


class Number(_Quantity):
    """A plain number."""

    GRAMMAR = 'a number such as 3, "< 3", ">= 1" or "1..3"'
    EXAMPLES = (1, "< 3", "1..3")

    def convert(self, text: str) -> float:
        """See above."""
        number, unit = self._split(text)
        if unit:
            raise ValueError(f"this is a plain number: {text.strip()!r} has the unit {unit}")
        return number


class Percent(_Quantity):
    """A percentage."""

    GRAMMAR = 'a percentage such as "< 90%"'
    EXAMPLES = ("< 90%", "10%..80%")

    def convert(self, text: str) -> float:
        """See above."""
        number, unit = self._split(text)
        if unit != "%":
            share = f", or {number * 100:g}% if it is a share" if not unit and 0 < number <= 1 else ""
            raise ValueError(f"this is a percentage, not {text.strip()!r}: write {number:g}%{share}")
        return number

    def show(self, observed: Any) -> Any:
        """With one digit after the point."""
        return f"{observed:.1f}%"


class Size(_Quantity):
    """An amount of bytes."""

    GRAMMAR = 'a size such as "< 2GiB" or ">= 500MB"'
    EXAMPLES = ("< 2GiB", ">= 500MB")

    def convert(self, text: str) -> float:
        """See above."""
        number, unit = self._split(text)
        if unit not in BYTE_UNITS:
            near = [known for known in BYTE_UNITS if unit and known.lower() in (unit.lower(), f"{unit.lower()}b")]
            meant = f"did you mean {number:g}{near[0]}?" if near else f"known are {' '.join(BYTE_UNITS)}"
            raise ValueError(
                f"this is a size: {text.strip()!r} has {f'the unit {unit}' if unit else 'no unit'}; {meant}"
            )
        return number * BYTE_UNITS[unit]

    def show(self, observed: Any) -> Any:
        """In the unit that the author used."""
        units = [unit for unit in re.findall(r"[A-Za-z]+", str(self.source)) if unit in BYTE_UNITS]
        unit = units[0] if units else "MiB"
        return f"{observed / BYTE_UNITS[unit]:.{0 if unit == 'B' else 1}f}{unit}"


class Duration(_Quantity):
    """An amount of time."""

    GRAMMAR = 'a time such as "> 10m" or "< 2h"'
    EXAMPLES = ("> 10m", "< 2h", "1s..1m")

    def convert(self, text: str) -> float:
        """See above."""
        return parse_duration(text)

    def show(self, observed: Any) -> Any:
        """In its two largest units."""
        return format_duration(observed)


class Text(Expectation):
    """A word, a /regular expression/, or any of a list; "!= word" for anything else."""

    GRAMMAR = 'a text, /a regular expression/, "!= text", or a list for any of these'
    EXAMPLES: ClassVar[tuple[Any, ...]] = ("running", "/^kube-/", "!= failed", ["running", "exited"])

    def _parse(self, item: Any) -> Callable[[Any], bool]:
        if isinstance(item, bool | list | dict) or item is None or item == "":
            raise ValueError(f"expected {self.GRAMMAR}, not {in_yaml(item)}")
        text = str(item).strip()
        if text.startswith(("<", ">", "=>", "=<")):
            raise ValueError(f"a text is neither more nor less than another: {text!r}")
        if text.startswith("!="):
            unwanted = self._word(text[2:].strip())
            return lambda observed: not unwanted(observed)
        return self._word(text.removeprefix("==").strip())

    def _word(self, text: str) -> Callable[[Any], bool]:
        """An observed set of words, such as (active, running), matches when one of them does."""
        if text in ("", "//", "//i"):
            raise ValueError(f"expected {self.GRAMMAR}, and there is no text")
        expression = REGULAR_EXPRESSION.fullmatch(text)
        if not expression:
            return lambda observed: text in observed if isinstance(observed, tuple | frozenset) else text == observed
        pattern = compile_regular_expression(expression[1], ignore_case=bool(expression[2]))
        return lambda observed: any(
            pattern.search(word) for word in (observed if isinstance(observed, tuple | frozenset) else (observed,))
        )


class HeldText(Text):
    """A text as above; with "for 1m" it counts only when it has been so for at least that long."""

    GRAMMAR = 'a text, /a regular expression/, "!= text" or "!= text for 1m", or a list for any of these'
    EXAMPLES: ClassVar[tuple[Any, ...]] = ("!= D for 1m", "sleeping", "!= zombie")

    def __init__(self, source: Any) -> None:
        self.held: float | None = None
        super().__init__(source)

    def _parse(self, item: Any) -> Callable[[Any], bool]:
        held = HELD.fullmatch(str(item))
        if not held:
            return super()._parse(item)
        if not held[1].startswith("!="):
            raise ValueError('"for" goes with "!=": "!= D for 1m" means not D for a minute or longer')
        self.held = parse_duration(held[2])
        return super()._parse(held[1])


class Regex(str):
    """A regular expression, searched anywhere in the text."""

    __slots__ = ()

    def __new__(cls, source: Any) -> Self:
        """Take what stands in a definition. Raises ValueError."""
        if not isinstance(source, str) or not source:
            raise ValueError(f"expected a regular expression, not {in_yaml(source)}")
        text = source[1:-1] if len(source) > 1 and source.startswith("/") and source.endswith("/") else source
        compile_regular_expression(text)
        return super().__new__(cls, text)


def compile_regular_expression(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Compile a pattern; raises ValueError that says what is wrong with it."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)  # [[:alpha:]] is legal and does not mean what its author meant
        try:
            return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
        except FutureWarning as warning:
            raise ValueError(f"not a regular expression of Python: {warning}; [[:alpha:]] is [A-Za-z]") from warning
        except (re.error, OverflowError, RecursionError) as error:
            hint = "; * repeats what stands before it: any text is .*" if "nothing to repeat" in str(error) else ""
            raise ValueError(f"not a regular expression: {error}{hint}") from error


def in_yaml(data: Any) -> str:
    """Show a value of the wrong kind in a message, in the words of YAML and not of Python."""
    if isinstance(data, dict):
        return "a mapping"
    if isinstance(data, list):
        return "a list"
    if data is None or data == "":
        return "nothing"
    return str(data).lower() if isinstance(data, bool) else repr(data)
