"""The contract of check types: arguments, what to observe, how to judge.

A check type is a frozen dataclass. Its fields are the only place from which argument checking, `nodecheck explain` and
the pages in the docs come.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from nodecheck.definitions.expectation import Duration, HeldText, Number, Percent, Regex, Size, Text
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nodecheck.definitions.expectation import Expectation
    from nodecheck.node.node import Node, Want

REQUIRED = dataclasses.MISSING


class Rule(NamedTuple):
    """A row of a table of verdicts: which state, which status, and what it means."""

    name: str
    status: Status
    when: str
    meaning: str


class Kind(NamedTuple):
    """A kind of argument: how it is read, and how a person is told what it takes."""

    read: Callable[[Any], Any]
    words: str


def arg(
    help: str,
    *,
    default: Any = REQUIRED,
    choices: tuple[Any, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
) -> Any:  # the word that argparse uses too
    """Describe an argument of a check type: what it is for, with its unit, its default and what it may be."""
    metadata = {"help": help, "choices": choices, "minimum": minimum, "maximum": maximum}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Check:
    """The desired state of one thing. `wants` says what to look at, `judge` is a pure function of what was seen."""

    EXAMPLE: ClassVar[str] = ""
    RULES: ClassVar[tuple[Rule, ...]] = ()
    # The window that this type watches: when it is dark, a check of this type is the cause, and blocks the others.
    WATCHES: ClassVar[str] = ""

    def mistakes(self) -> Iterable[tuple[str, str, str]]:
        """Yield (argument, message, hint) for arguments that are legal one by one and wrong together."""
        return ()

    def wants(self) -> Iterable[Want]:
        """Yield what has to be observed before this can be judged."""
        raise NotImplementedError

    def judge(self, node: Node) -> Iterator[Finding]:
        """Yield what was found. Raises Unobserved where something could not be seen."""
        raise NotImplementedError

    @classmethod
    def arguments(cls) -> dict[str, dataclasses.Field[Any]]:
        """Return the fields that are arguments, by name."""
        return {field.name: field for field in dataclasses.fields(cls)}


def judge_expectation(
    name: str, expectation: Expectation | None, observed: Any, *, subject: str, unit: str = ""
) -> Iterator[Finding]:
    """Yield a finding for a property with an expectation; nothing when none is set, unknown when it was not seen."""
    if expectation is None:
        return
    if observed is None:
        yield Finding(
            name, Status.UNKNOWN, str(expectation), None, f"the {unit or name} of {subject} could not be seen"
        )
        return
    shown = expectation.show(observed)
    shown = ", ".join(shown) if isinstance(shown, tuple | frozenset) else shown
    matched = expectation.matches(observed)
    message = f"{unit or name} of {subject} is {shown}" + ("" if matched else f", expected {expectation}")
    yield Finding(name, Status.OK if matched else Status.CRITICAL, str(expectation), shown, message)


def _integer(data: Any) -> int:
    if isinstance(data, bool) or not isinstance(data, int):
        raise ValueError(f"expected a whole number, not {data!r}")
    return data


def _text(data: Any) -> str:
    if not isinstance(data, str) or not data:
        raise ValueError(f"expected text, not {data!r}" + (": quote it" if isinstance(data, int | float) else ""))
    return data


def _boolean(data: Any) -> bool:
    if not isinstance(data, bool):
        hint = " (YAML 1.2: only true and false are booleans)" if data in ("yes", "no", "on", "off") else ""
        raise ValueError(f"expected true or false, not {data!r}{hint}")
    return data


KINDS = {
    "int": Kind(_integer, "a whole number"),
    "str": Kind(_text, "a text"),
    "bool": Kind(_boolean, "true or false"),
    "Regex": Kind(Regex, "a regular expression"),
    **{kind.__name__: Kind(kind, kind.GRAMMAR) for kind in (Number, Percent, Size, Duration, Text, HeldText)},
}


def kind_of(field: dataclasses.Field[Any]) -> Kind:
    """Return the kind of an argument, from its annotation (a string, since annotations are not evaluated)."""
    return KINDS[str(field.type).removesuffix(" | None")]
