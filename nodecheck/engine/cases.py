"""Cases: a recorded node, changes to it, and the statuses that are expected. With these people test their checks.d.

A file is a list of cases. What a case does not name has to be ok, skipped or info, so a case with one expected critical
also proves that there is no other one.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.definitions.errors import DefinitionError, Mark, Mistake, Mistakes, did_you_mean
from nodecheck.definitions.expectation import Text
from nodecheck.definitions.levels import with_variables
from nodecheck.definitions.searchpath import refusal
from nodecheck.definitions.settings import DEFAULT_BUDGET_SECONDS, NOTHING
from nodecheck.definitions.sources import read_definitions
from nodecheck.definitions.values import read_name, read_words
from nodecheck.definitions.variables import plain
from nodecheck.definitions.yamlfile import Value, load, read_text
from nodecheck.engine.changes import BadChange, change
from nodecheck.engine.clock import Clock
from nodecheck.engine.known import names_of, variables_of
from nodecheck.engine.plan import Selection, make_plan
from nodecheck.engine.run import run
from nodecheck.node.recordfile import BadRecord, read_data, replay
from nodecheck.report.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nodecheck.node.record import Replayed
    from nodecheck.report.result import Report, Result

KEYWORDS = ("name", "node", "checks", "vars", "tags", "change", "expect", "others")
EXPECTED = ("status", "message", "causes")
BY_NAME = "nodecheck test --checks DIR"  # how definition files are named, where the case does not
HOW_TO_RECORD = "nodecheck record > node.json writes one"
FINE = ("ok", "skipped", "info")
STATUSES = tuple(map(str, Status))


class Expected(NamedTuple):
    """What a case expects of one result; None where it says nothing."""

    check: str
    status: str | None
    message: Text | None
    causes: tuple[str, ...] | None
    mark: Mark


class Case(NamedTuple):
    """One case; `node` and `checks` are paths, `others` the statuses that all other results may have."""

    name: str
    node: str
    checks: tuple[str, ...]
    variables: Mapping[str, Any]
    tags: frozenset[str]
    changes: Mapping[str, Any]
    expected: tuple[Expected, ...]
    others: tuple[str, ...]
    mark: Mark
    changes_mark: Mark


class Outcome(NamedTuple):
    """What became of a case: nothing is wrong where there are no `differences`."""

    case: Case
    differences: tuple[str, ...]
    seconds: float


# ---- reading


def read_cases(path: str) -> list[Case]:
    """Return the cases of a file. Raises DefinitionError with all mistakes in it."""
    mistakes = Mistakes()
    text = read_text(path, mistakes, refusal)
    value = None if text is None else load(path, text, mistakes)
    if value and (not isinstance(value.data, list) or not value.data):
        kind = "an empty list" if value.data == [] else value.kind()
        mistakes.add(
            value.mark, f"this is a list of cases, not {kind}", "- {name: ..., node: node.json, expect: {...}}"
        )
    items = value.data if value and isinstance(value.data, list) else []
    cases = [_read_case(item, mistakes) for item in items]
    mistakes.raise_if_any()
    return [case for case in cases if case]


def _read_case(value: Value, mistakes: Mistakes) -> Case | None:
    data = value.data
    if not isinstance(data, dict):
        mistakes.add(value.mark, f"a case is a mapping, not {value.kind()}")
        return None
    if "checks" in data and not data.keys() & {"node", "expect"}:
        mistakes.add(value.mark, "this is a play, not a case", "nodecheck run FILE judges plays")
        return None
    for key in data:
        if key not in KEYWORDS:
            mistakes.add(value.key_marks[key], f"a case has no keyword {key!r}", did_you_mean(key, KEYWORDS))
    for key, hint in (("name", "what is tested, in a sentence"), ("node", HOW_TO_RECORD), ("expect", "name: status")):
        if key not in data:
            mistakes.add(value.mark, f"a case needs the keyword {key!r}", hint)
    nodes = read_words("node", data.get("node"), mistakes)
    changes = _mapping("change", data.get("change"), mistakes)
    return Case(
        name=read_name(data.get("name"), mistakes),
        node=_beside(value, nodes[0]) if nodes else "",
        checks=tuple(_beside(value, path) for path in read_words("checks", data.get("checks"), mistakes)),
        variables=_variables(data.get("vars"), mistakes),
        tags=frozenset(read_words("tags", data.get("tags"), mistakes)),
        changes=changes,
        expected=tuple(_expectations(data.get("expect"), mistakes)),
        others=_others(data.get("others"), mistakes),
        mark=value.mark,
        changes_mark=data["change"].mark if "change" in data else value.mark,
    )


def _beside(value: Value, path: str) -> str:
    return os.path.normpath(os.path.join(os.path.dirname(value.mark.file), path))


def _mapping(key: str, value: Value | None, mistakes: Mistakes) -> dict[str, Any]:
    if value is None or value.data is None:
        return {}
    if not isinstance(value.data, dict):
        mistakes.add(value.mark, f"{key} is a mapping, not {value.kind()}")
        return {}
    found: dict[str, Any] = plain(value)
    return found


def _variables(value: Value | None, mistakes: Mistakes) -> Mapping[str, Any]:
    """Read as those of -e are, so that 1.10 keeps its zero."""
    return with_variables(value, NOTHING, mistakes).variables if value else {}


def _others(value: Value | None, mistakes: Mistakes) -> tuple[str, ...]:
    if value is None:
        return FINE
    words = tuple(read_words("others", value, mistakes))
    for word in words:
        _refuse_status(word, value.mark, mistakes)
    return words


def _refuse_status(word: str, mark: Mark, mistakes: Mistakes) -> None:
    if word not in STATUSES:
        mistakes.add(mark, f"{word!r} is no status", did_you_mean(word, STATUSES))


def _expectations(value: Value | None, mistakes: Mistakes) -> Iterator[Expected]:
    if value is None:
        return
    if not isinstance(value.data, dict):
        mistakes.add(value.mark, f"expect is a mapping of names to statuses, not {value.kind()}")
        return
    for check, wanted in value.data.items():
        yield _expectation(check, wanted, value.key_marks[check], mistakes)


def _expectation(check: str, wanted: Value, mark: Mark, mistakes: Mistakes) -> Expected:
    data = wanted.data if isinstance(wanted.data, dict) else {"status": wanted}
    for key in data:
        if key not in EXPECTED:
            hint = did_you_mean(key, EXPECTED)
            mistakes.add(wanted.key_marks[key], f"of a result, {key!r} is not expected", hint)
    status = data["status"].text if "status" in data else None
    if status is not None:
        _refuse_status(status, data["status"].mark, mistakes)
    causes = tuple(read_words("causes", data["causes"], mistakes)) if "causes" in data else None
    return Expected(check, status, _message(data.get("message"), mistakes), causes, mark)


def _message(value: Value | None, mistakes: Mistakes) -> Text | None:
    if value is None:
        return None
    try:
        return Text(plain(value))
    except ValueError as error:
        mistakes.add(value.mark, f"message: {error}")
        return None


# ---- judging


def judge(case: Case, checks: list[str], overrides: Mapping[str, Any]) -> Outcome:
    """Judge the node of a case by its own `checks`, else by these. Raises DefinitionError where that cannot be done."""
    started = time.monotonic()
    node = _changed(case)
    names = names_of(node)
    overrides = {**case.variables, **overrides}
    paths = list(case.checks) or checks
    definitions = read_definitions(
        paths, variables_of(node), overrides, names, by_name="checks: DIR" if case.checks else BY_NAME
    )
    plan = make_plan(definitions.plays, set(names), Selection(case.tags))
    report = run(plan, definitions, node, Clock(started, DEFAULT_BUDGET_SECONDS), None) if plan.checks else None
    return Outcome(case, tuple(_differences(case, report)), time.monotonic() - started)


def _changed(case: Case) -> Replayed:
    """Return the node of a case. Raises DefinitionError that says whether its record or its change is at fault."""
    try:
        data = read_data(case.node)
        replay(data, case.node)
    except BadRecord as error:
        raise DefinitionError([Mistake(case.mark, str(error), error.hint)]) from error
    try:
        return replay(change(data, case.changes), case.node)
    except BadRecord as error:
        wrong = str(error).partition("cannot be used: ")[2]
        raise DefinitionError([Mistake(case.changes_mark, f"what is changed makes no record: {wrong}")]) from error
    except BadChange as error:
        where, wrong = error.args
        raise DefinitionError([Mistake(case.changes_mark, f"the change of {where}: expected {wrong}")]) from error


def _differences(case: Case, report: Report | None) -> Iterator[str]:
    results = {name: result for result in (report.results if report else ()) for name in (result.id, result.name)}
    named: set[str] = set()
    if not results:
        yield "no check was judged: none is for this node"
    for expected in case.expected:
        result = results.get(expected.check)
        if result is None:
            hint = did_you_mean(expected.check, {other.name for other in results.values()})
            yield f"no check {expected.check!r} was judged" + (f"; {hint}" if hint else "")
            continue
        named.add(result.id)
        yield from _different(expected, result, results)
    for result in dict.fromkeys(results.values()):
        if result.id not in named and result.status not in case.others:
            yield f"{result.name}: expected {' or '.join(case.others)}, and it is {result.status}: {result.message}"


def _different(expected: Expected, result: Result, results: dict[str, Result]) -> Iterator[str]:
    if expected.status is not None and result.status != expected.status:
        yield f"{result.name}: expected {expected.status}, and it is {result.status}: {result.message}"
    if expected.message is not None and not expected.message.matches(result.message):
        yield f"{result.name}: expected the message {expected.message}, and it says: {result.message}"
    if expected.causes is None:
        return
    causes = tuple(results[cause].id if cause in results else cause for cause in expected.causes)
    if set(causes) != set(result.causes):
        seen = ", ".join(result.causes) or "none"
        yield f"{result.name}: expected the causes {', '.join(causes)}, and they are {seen}"
