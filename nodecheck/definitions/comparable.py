"""Expectations of texts that are compared as what they stand for: numbers within texts, and versions."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.definitions.quantities import COMPARE, number_in
from nodecheck.definitions.terms import Expectation, in_yaml
from nodecheck.definitions.texts import Text
from nodecheck.patterns import later

if TYPE_CHECKING:
    from nodecheck.definitions.terms import Term

NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
NUMERIC = later(rf"(<=|>=|==|!=|<|>)?\s*({NUMBER})")
RANGE = later(rf"({NUMBER})\s*\.\.\s*({NUMBER})")
VERSION = r"[0-9]{1,18}(?:\.[0-9]{1,18})*"
COMPARISON = later(rf"(<=|>=|==|!=|<|>)?\s*v?({VERSION})")
VERSIONS = later(rf"v?({VERSION})\s*\.\.\s*v?({VERSION})")


class TextOrNumber(Text):
    """A text that may be a number."""

    GRAMMAR = 'a number such as 1, ">= 262144" or "1..3", a text, /a regular expression/, or a list for any of these'
    EXAMPLES: ClassVar[tuple[Any, ...]] = (1, ">= 262144", "bbr", "10000..65535", {"not": [0, "/^none/"]})
    UNITS = "none; what is a number on both sides is compared as one"

    def __init__(self, source: Any) -> None:
        self._numeric = False
        super().__init__(source)

    def _leaf(self, item: Any) -> Term:
        text = "" if isinstance(item, bool) else str(item).strip()
        bounds = RANGE.fullmatch(text)
        if bounds:
            return self._between(*map(number_in, bounds.groups()))
        comparison = NUMERIC.fullmatch(text)
        if not comparison:
            return super()._leaf(item)
        self._numeric = True
        wanted, compare = number_in(comparison[2]), COMPARE[comparison[1] or "=="]
        unlike = comparison[1] == "!="  # a text is another than any number, and neither more nor less
        return lambda seen: all(_compares(word, compare, wanted, unlike) for word in seen.words)

    def _between(self, least: float, most: float) -> Term:
        if least > most:
            raise ValueError(f"nothing lies between {least:g} and {most:g}")
        self._numeric = True
        return lambda seen: all(_compares(word, lambda number, _: least <= number <= most, 0.0) for word in seen.words)

    def _can_sample(self) -> bool:
        """Numbers and patterns mixed cannot be tried out one by one."""
        return not self._numeric and super()._can_sample()


class Version(Expectation):
    """A version: numbers with points between."""

    GRAMMAR = 'a version such as ">= 5.4", "5.4..6.1" or "!= 6.1.0"'
    EXAMPLES: ClassVar[tuple[Any, ...]] = (">= 5.4", "5.4..6.1", {"all": [">= 5.15", "!= 6.1.0"]})
    UNITS = "none; 6.1 and 6.1.0 are the same, and what follows the numbers does not count"

    def _leaf(self, item: Any) -> Term:
        text = "" if isinstance(item, bool) else str(item).strip()
        bounds = VERSIONS.fullmatch(text)
        if bounds:
            return _between_versions(*bounds.groups())
        comparison = COMPARISON.fullmatch(text)
        if not comparison:
            raise ValueError(f"expected {self.GRAMMAR}, not {in_yaml(item)}")
        wanted, compare = _numbers(comparison[2]), COMPARE[comparison[1] or "=="]
        return lambda observed: compare(_order(_numbers(observed), wanted), 0)

    def _can_sample(self) -> bool:
        """There are too many versions to try."""
        return False


def _compares(word: str, compare: Any, wanted: float, otherwise: bool = False) -> bool:
    return compare(number_in(word), wanted) if re.fullmatch(NUMBER, word) else otherwise


def _between_versions(low: str, high: str) -> Term:
    least, most = _numbers(low), _numbers(high)
    if _order(least, most) > 0:
        raise ValueError(f"nothing lies between {low} and {high}")
    return lambda observed: _order(least, _numbers(observed)) <= 0 <= _order(most, _numbers(observed))


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with; none of them for a text that is no version."""
    found = re.match(rf"v?({VERSION})", version)
    return tuple(map(int, found[1].split("."))) if found else ()


def _order(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Return -1, 0 or 1; what is missing at the end is 0, as in 6.1 and 6.1.0."""
    pairs = tuple(zip_longest(one, other, fillvalue=0))
    return next(((a > b) - (a < b) for a, b in pairs if a != b), 0)
