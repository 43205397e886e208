"""The page about expectations: their grammar, from the tables and examples of their kinds."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from nodecheck.cli.markdown import items, section, table
from nodecheck.definitions.expectation import EXPECTATIONS
from nodecheck.definitions.terms import ELSEWHERE, MAXIMUM_NESTING, in_words
from nodecheck.definitions.yamlfile import scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Expectation

# What needs no quotes within {} and [].
PLAIN = re.compile(r"[A-Za-z0-9/^$_][A-Za-z0-9/^$_.+-]*( [A-Za-z0-9]+)*")
COMPARISONS = (
    ("`3`, `2GiB`, `running`", "exactly that; `==` before it says the same"),
    ('`"< 3"`, `"<= 3"`, `"> 3"`, `">= 3"`', "less than, at most, more than, at least; not for texts"),
    ('`"!= 3"`, `"!= failed"`', "anything else"),
    ('`"1..3"`, `"1GiB..2GiB"`', "from one to the other, both included; each has its unit; not for texts"),
    ("`/^kube-/`", "a text in which this regular expression is found"),
    ('`"!= /^kube-/"`', "a text in which it is not"),
    ('`"< 3 in 1h"`', "less than three within the latest hour; for what is counted"),
    ('`"!= D for 1m"`', "not D, or D for less than a minute; for the state of processes"),
)
COMPOSITIONS: tuple[Any, ...] = (
    ["running", "exited"],
    {"all": [">= 2", "!= 7"]},
    {"not": "failed"},
    {"not": ["failed", "inactive"]},
    [0, {"all": ["> 10", "< 20"]}],
    {"all": ["/^kube/", {"not": "/proxy$/"}]},
)
REGULAR_EXPRESSIONS = (
    "They are Python's: <https://docs.python.org/3/library/re.html>.",
    "They are searched anywhere in the text: `/run/` is found in `running`; `/^run$/` is the whole text `run`.",
    "They stand between slashes: `^kube-` is a literal text. An `i` behind the last slash ignores case: `/kube/i`.",
    "A `*` repeats what stands before it, and any text is `.*`: what a shell calls `kube-*` is `/^kube-/`.",
    "An argument that takes nothing but a regular expression, such as `cmdline` of `process`, needs no slashes.",
)
QUOTES = (
    '`"< 90%"`, `"!= 3"`, `">= 2"`: without quotes, `>` begins a folded text, and `!` a tag.',
    'Within `{ }` and `[ ]`, quote what holds one of `{ } [ ] ,`: `{process: "/^(etcd|kube-.{3})$/"}`.',
    "Between double quotes a backslash is written twice, between single quotes once: `'/^v\\d+$/'`.",
    "Quote a text with a colon before a blank or a `#` behind one, and `true` and `false` where they are texts.",
    "`no`, `on`, `1.10` and `0755` are texts where a text is wanted: they are read as they are written.",
)


def expectations() -> Iterator[str]:
    """Yield the page about expectations."""
    yield "# Expectations"
    yield ""
    yield "What a definition wants of a property. Each property has a kind, so its unit is known: `lint` refuses a"
    yield "percentage where bytes are counted. What was observed is shown in the unit of what was expected."
    yield from section("One value", table(("written", "means"), COMPARISONS))
    yield from section("Kinds", table(("kind", "takes", "units", "examples"), map(_kind, EXPECTATIONS)))
    yield from section("Several values", _several())
    yield from section("Regular expressions", items(REGULAR_EXPRESSIONS))
    yield from section("Quotes", items(QUOTES))
    yield from section("From other tools", table(("elsewhere", "here"), _elsewhere()))


def _several() -> Iterator[str]:
    yield "A list means any of these, `all` every one of these, `not` none of these. They go into one another, up to"
    yield f'{MAXIMUM_NESTING} levels of `all` and `not`. What can never hold is refused: `{{all: ["> 5", "< 3"]}}`.'
    yield ""
    yield from table(("written", "means"), ((f"`{in_flow(source)}`", in_words(source)) for source in COMPOSITIONS))
    yield ""
    yield "A unit shows several words at once, such as `active` and `running`: `running` fits when it is one of them,"
    yield "`{not: running}` when it is none of them."


def _kind(kind: type[Expectation]) -> tuple[str, ...]:
    summary = (kind.__doc__ or "").partition("\n")[0].rstrip(".")
    examples = ", ".join(f"`{in_flow(example)}`" for example in kind.EXAMPLES)
    return summary, kind.GRAMMAR, kind.UNITS, examples


def _elsewhere() -> Iterator[tuple[str, str]]:
    words: dict[str, list[str]] = {}
    for word, instead in ELSEWHERE.items():
        words.setdefault(instead, []).append(f"`{word}`")
    return ((", ".join(same), instead) for instead, same in words.items())


def in_flow(source: Any) -> str:
    """Write an expectation in one line of YAML, with quotes where they are needed."""
    if isinstance(source, dict):
        return "{" + ", ".join(f"{key}: {in_flow(item)}" for key, item in source.items()) + "}"
    if isinstance(source, list):
        return "[" + ", ".join(map(in_flow, source)) + "]"
    if isinstance(source, str) and not (PLAIN.fullmatch(source) and scalar(source) == source):
        return json.dumps(source, ensure_ascii=False)
    return str(source)
