"""The contract of check types: arguments, what to observe, how to judge.

A check type is a class whose fields are its arguments. They are the only place from which argument checking, `nodecheck
explain` and the pages in the docs come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, Self, dataclass_transform

from nodecheck.definitions.expectation import EXPECTATIONS, Expectation, Number, Regex, Text
from nodecheck.durations import format_duration
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nodecheck.definitions.expectation import InTime
    from nodecheck.node.counters import Growth
    from nodecheck.node.node import CounterWant, Node, Want

REQUIRED: Any = ...  # the default of an argument that has none


class Argument(NamedTuple):
    """An argument of a check type: `type` is its annotation, `metadata` has what arg() was told of it."""

    name: str
    type: str
    default: Any
    metadata: dict[str, Any]


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


def arg(  # noqa: PLR0913  # all that is told of an argument
    help: str,
    *,
    default: Any = REQUIRED,
    choices: tuple[Any, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    otherwise: str = "",
) -> Any:  # the word that argparse uses too
    """Describe an argument of a check type: what it is for, with its unit, its default and what it may be.

    `otherwise` is what is wanted when it is left out, where that is no plain default.
    """
    metadata = {"help": help, "choices": choices, "minimum": minimum, "maximum": maximum, "otherwise": otherwise}
    return Argument("", "", default, metadata)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(arg,))
class Check:
    """The desired state of one thing. `wants` says what to look at, `judge` is a pure function of what was seen.

    To mypy its types are frozen dataclasses. They are none, for dataclasses takes as long to load and to make the types
    of a run as all of judging does.
    """

    ARGUMENTS: ClassVar[dict[str, Argument]] = {}
    EXAMPLE: ClassVar[str] = ""
    RULES: ClassVar[tuple[Rule, ...]] = ()
    # The window that this type watches: when it is dark, a check of this type is the cause, and blocks the others.
    WATCHES: ClassVar[str] = ""
    # What it looks with may act, as a program may: it waits for what it needs, and does not begin when that is not ok.
    ACTS: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Collect the arguments; what has a default keeps it as an attribute of the class."""
        super().__init_subclass__()
        cls.ARGUMENTS = dict(cls.ARGUMENTS)
        for name, annotation in cls.__annotations__.items():
            argument = cls.__dict__.get(name)
            if isinstance(argument, Argument):
                cls.ARGUMENTS[name] = argument._replace(name=name, type=annotation)
                if argument.default is REQUIRED:
                    delattr(cls, name)
                else:
                    setattr(cls, name, argument.default)

    def __init__(self, **arguments: Any) -> None:
        """Take the arguments by their names. Raises TypeError for one that is missing, or that there is not."""
        values = {name: arguments.pop(name, argument.default) for name, argument in self.ARGUMENTS.items()}
        missing = [name for name, value in values.items() if value is REQUIRED]
        if missing or arguments:
            raise TypeError(f"{type(self).__name__} lacks {missing}, and has no {list(arguments)}")
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name} of a check is as it was read")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def mistakes(self) -> Iterable[tuple[str, str, str]]:
        """Yield (argument, message, hint) for arguments that are legal one by one and wrong together."""
        return ()

    def suspicions(self) -> Iterable[tuple[str, str, str]]:
        """Yield the same for what is legal and surely not meant: lint tells it."""
        return ()

    def wants(self) -> Iterable[Want]:
        """Yield what has to be observed before this can be judged."""
        raise NotImplementedError

    def judge(self, node: Node) -> Iterator[Finding]:
        """Yield what was found. Raises Unobserved where something could not be seen."""
        raise NotImplementedError

    def counters(self, node: Node) -> Iterator[tuple[CounterWant, float]]:  # noqa: ARG002  # for those that have one
        """Yield each counter whose growth is judged, with what it is now: it is remembered for the next run."""
        return iter(())

    def concerns(self) -> str:
        """Return the systemd unit that this is about, "" for none: the journal of that unit shows what was found."""
        unit = getattr(self, "unit", None)
        return unit if isinstance(unit, str) and "*" not in unit else ""

    @classmethod
    def arguments(cls) -> dict[str, Argument]:
        """Return the arguments by name."""
        return cls.ARGUMENTS


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
    matched = expectation.matches(observed)
    message = f"{unit or name} of {subject} is {_visible(shown)}" + ("" if matched else f", expected {expectation}")
    yield Finding(name, Status.OK if matched else Status.CRITICAL, str(expectation), shown, message)


def judge_growth(name: str, expectation: InTime, grown: Growth, *, subject: str, unit: str = "") -> Iterator[Finding]:
    """Yield a finding for what something has grown by in a time; unknown where it depends on what nobody has seen."""
    within = format_duration(expectation.within)
    words = f"{unit or name} of {subject} in {within}"
    least, most = (int(bound) for bound in (grown.least, grown.most))
    low, high = expectation.show(least), expectation.show(most)
    span = low if low == high else f"{low} to {high}"
    matched = expectation.matches_all(least, most)
    if matched is not None:
        message = f"{words} is {span}" + ("" if matched else f", expected {expectation}")
        yield Finding(name, Status.OK if matched else Status.CRITICAL, str(expectation), span, message)
        return
    since = f"it has been looked at for {format_duration(grown.watched)}, and {low} came since"
    known = since if grown.watched else "it was not looked at before"
    message = f"{words} could be {span}: {known}"
    yield Finding(name, Status.UNKNOWN, str(expectation), None, message)


def _visible(shown: Any) -> Any:
    """Quote a text that would not be seen, or not whole: nothing, or blanks at its ends."""
    return f'"{shown}"' if isinstance(shown, str) and (not shown or shown != shown.strip()) else shown


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


class Words(tuple[str, ...]):
    """Several texts; one alone needs no list."""

    __slots__ = ()

    def __new__(cls, source: Any) -> Self:
        """Take a text, or a list of texts. Raises ValueError."""
        items = source if isinstance(source, list) else [source]
        if not items:
            raise ValueError("an empty list names nothing")
        return super().__new__(cls, map(_text, items))

    def __str__(self) -> str:
        """As a person lists them."""
        return ", ".join(self)


class Numbers(dict[str, Number]):
    """What is wanted of several numbers, by their names: {name: expectation}."""

    def __init__(self, source: Any) -> None:
        """Take a mapping of names to expectations. Raises ValueError."""
        if not isinstance(source, dict) or not source:
            raise ValueError("expected a mapping of names to expectations")
        super().__init__({name: Number(wanted) for name, wanted in source.items()})

    def __hash__(self) -> int:  # type: ignore[override]  # it is not changed: check types are frozen
        return hash(tuple(self.items()))


class Texts(dict[str, Text]):
    """What is wanted of several texts, by their names: {name: expectation}."""

    def __init__(self, source: Any) -> None:
        """Take a mapping of names to expectations. Raises ValueError."""
        if not isinstance(source, dict) or not source:
            raise ValueError("expected a mapping of names to expectations")
        super().__init__({name: Text(wanted) for name, wanted in source.items()})

    def __hash__(self) -> int:  # type: ignore[override]  # it is not changed: check types are frozen
        return hash(tuple(self.items()))


class Condition(NamedTuple):
    """An expression, whether it is true, and the values that it looks at, in words."""

    expression: str
    holds: bool
    values: str


class Conditions(tuple[Condition, ...]):
    """Expressions that were evaluated as the definition was read, where its variables are known."""

    __slots__ = ()

    def __new__(cls, source: Any) -> Self:
        """Take what check.py made of the expressions: mappings with the parts of a Condition. Raises ValueError."""
        items = source if isinstance(source, list) else [source]
        if not items:
            raise ValueError("an empty list asserts nothing")
        return super().__new__(cls, (Condition(**item) for item in items))


KINDS = {
    "Conditions": Kind(Conditions, "an expression, or a list of them"),
    "Words": Kind(Words, "a text, or a list of texts"),
    "Texts": Kind(Texts, "a mapping of names to texts, /regular expressions/ or lists of these"),
    "Numbers": Kind(Numbers, 'a mapping of names to numbers such as 3, "< 3" or "1..3"'),
    "int": Kind(_integer, "a whole number"),
    "str": Kind(_text, "a text"),
    "bool": Kind(_boolean, "true or false"),
    "Regex": Kind(Regex, "a regular expression"),
    **{kind.__name__: Kind(kind, kind.GRAMMAR) for kind in EXPECTATIONS},
}


def kind_of(field: Argument) -> Kind:
    """Return the kind of an argument, from its annotation (a string, since annotations are not evaluated)."""
    return KINDS[field.type.removesuffix(" | None")]


def is_judged(field: Argument) -> bool:
    """Tell whether an argument is an expectation, rather than what is looked at and how."""
    kind = kind_of(field).read
    return (isinstance(kind, type) and issubclass(kind, Expectation | Numbers | Texts)) or (
        kind is _boolean and field.default is None
    )
