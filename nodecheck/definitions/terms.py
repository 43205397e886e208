"""How expectations are put together: one of them, a list for any of these, {all: [...]}, {not: ...}."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Term = Callable[[Any], bool]

MAXIMUM_NESTING = 4
MAXIMUM_VALUES = 1000
MAXIMUM_WORK = 200_000  # samples times values; it takes a twentieth of a second
# What people write who come from elsewhere, and how it is written here.
ELSEWHERE = {
    "any": "[...]: a list means any of these",
    "or": "[...]: a list means any of these",
    "and": "{all: [...]}",
    "none": "{not: [...]}",
    "lt": '"< ..."',
    "le": '"<= ..."',
    "gt": '"> ..."',
    "ge": '">= ..."',
    "eq": "the value itself",
    "equal": "the value itself",
    "ne": '"!= ..."',
    "min": '">= ..."',
    "max": '"<= ..."',
    "regex": "/.../",
    "match-regexp": "/.../",
    "have-prefix": "/^.../",
    "have-suffix": "/...$/",
    "contain-substring": "/.../",
    "contain-element": "the value itself",
    "contain-elements": "{all: [...]}",
}


class Expectation:
    """What is wanted of one property; the subclasses know its type.

    `source` is what the author wrote: text, a number, a list for any of these, {all: [...]} or {not: ...}.
    """

    GRAMMAR: ClassVar[str] = ""
    EXAMPLES: ClassVar[tuple[Any, ...]] = ()
    UNITS: ClassVar[str] = ""

    def __init__(self, source: Any) -> None:
        """Parse what stands in a definition. Raises ValueError."""
        self.source = source
        self._negated = False  # while reading: within an odd number of {not: ...}
        self._values = 0
        self._term = self._read(source, MAXIMUM_NESTING)

    def matches(self, observed: Any) -> bool:
        """Tell whether what was observed is as wanted."""
        return self._term(observed)

    def show(self, observed: Any) -> Any:
        """Return what was observed in the unit of the expectation."""
        return observed

    def can_fail(self) -> bool:
        """Tell whether anything that may be observed is not as wanted; True where that cannot be told."""
        return not self._can_sample() or not all(map(self._term, self._samples()))

    def can_hold(self) -> bool:
        """Tell whether anything that may be observed is as wanted; True where that cannot be told."""
        return not self._can_sample() or any(map(self._term, self._samples()))

    def suspicions(self) -> Iterator[str]:
        """Yield, for lint, what is legal and probably does not mean what its author meant."""
        return iter(())

    def __str__(self) -> str:
        return in_words(self.source)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expectation) and type(self) is type(other) and self.source == other.source

    def __hash__(self) -> int:
        return hash((type(self), str(self)))

    def _leaf(self, item: Any) -> Term:
        """Parse one text or number. Raises ValueError."""
        raise NotImplementedError

    def _samples(self) -> Iterator[Any]:
        """Yield one observation of each sort that the operands tell apart, of those that a node can show."""
        raise NotImplementedError

    def _count_samples(self) -> int:
        raise NotImplementedError

    def _can_sample(self) -> bool:
        """Tell whether looking at all samples ends soon."""
        return self._count_samples() * self._values <= MAXIMUM_WORK

    def _read(self, source: Any, deeper: int) -> Term:
        if isinstance(source, dict):
            return self._read_mapping(source, deeper)
        if isinstance(source, list):
            return self._read_list(source, deeper)
        self._values += 1
        if self._values > MAXIMUM_VALUES:
            raise ValueError(f"there are more than {MAXIMUM_VALUES} values in one expectation")
        return self._leaf(source)

    def _read_list(self, items: list[Any], deeper: int) -> Term:
        terms = self._read_items(items, deeper)
        unwanted = [str(item) for item in items if str(item).lstrip().startswith("!=")]
        if unwanted and len(items) > 1:
            raise ValueError(
                f'a list means any of these, and nearly everything is "{unwanted[0]}"; for none of several write '
                "{not: [one, other]}"
            )
        return lambda observed: any(term(observed) for term in terms)

    def _read_items(self, items: list[Any], deeper: int) -> list[Term]:
        if not items:
            raise ValueError("an empty list expects nothing")
        return [self._leaf(item) if isinstance(item, list) else self._read(item, deeper) for item in items]

    def _read_mapping(self, source: dict[str, Any], deeper: int) -> Term:
        key = _only_key(source)
        if not deeper:
            raise ValueError(f"all and not are nested deeper than {MAXIMUM_NESTING} levels here")
        term = self._read_all(source[key], deeper - 1) if key == "all" else self._read_not(source[key], deeper - 1)
        if self._can_sample() and not any(map(term, self._samples())):
            raise ValueError(f"this can never hold: nothing is {in_words(source)}")
        return term

    def _read_all(self, items: Any, deeper: int) -> Term:
        if not isinstance(items, list):
            raise ValueError(f"all takes a list, not {in_yaml(items)}: {{all: [...]}}")
        if not items:
            raise ValueError("an empty list expects nothing")
        # A list in this list is once more any of these.
        terms = [self._read(item, deeper) for item in items]
        return lambda observed: all(term(observed) for term in terms)

    def _read_not(self, unwanted: Any, deeper: int) -> Term:
        if unwanted is None or unwanted == "":
            raise ValueError("not takes what is unwanted, and nothing stands there: {not: ...}")
        self._negated = not self._negated
        term = self._read(unwanted, deeper)
        self._negated = not self._negated
        return lambda observed: not term(observed)


def _only_key(source: dict[str, Any]) -> str:
    """Return the one key of a mapping. Raises ValueError."""
    unknown = [key for key in source if key not in ("all", "not")]
    if unknown:
        instead = ELSEWHERE.get(str(unknown[0]).replace("_", "-"))
        hint = f"; write {instead}" if instead else ""
        known = "{all: [...]} or {not: ...}"
        raise ValueError(f"an expectation that is a mapping is {known}, not {unknown[0]!r}{hint}")
    if len(source) != 1:
        hint = "; for both write {all: [..., {not: ...}]}" if source else ""
        raise ValueError(f"an expectation that is a mapping has one key, all or not{hint}")
    return next(iter(source))


def in_words(source: Any, *, inside: bool = False) -> str:
    """Show what the author wrote as a person reads it: > 1 and < 5, not (a or b)."""
    if isinstance(source, dict) and "not" in source:
        return f"not {in_words(source['not'], inside=True)}"
    if not isinstance(source, list | dict):
        return str(source)
    items, word = (source, " or ") if isinstance(source, list) else (source["all"], " and ")
    text = word.join(in_words(item, inside=len(items) > 1 or inside) for item in items)
    return f"({text})" if inside and len(items) > 1 else text


def in_yaml(data: Any) -> str:
    """Show a value of the wrong kind in a message, in the words of YAML and not of Python."""
    if isinstance(data, dict):
        return "a mapping"
    if isinstance(data, list):
        return "a list"
    if data is None or data == "":
        return "nothing"
    return str(data).lower() if isinstance(data, bool) else repr(data)
