"""Plays, blocks and checks as levels: each inherits from the one around it, and reads its own keywords over that.

One table reads them on every level, so a keyword means the same on a block as on a check.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.definitions.conditions import BadCondition, decide
from nodecheck.definitions.errors import did_you_mean
from nodecheck.definitions.keywords import (
    DEFAULT_DELAY_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    MOST_RETRIES,
    SEVERITIES,
)
from nodecheck.definitions.scope import FOUND_OUT, Pending, Scope, resolve
from nodecheck.definitions.template import LOOKUP, fill, from_node, located, refuse_parts_of, render, waits_for
from nodecheck.definitions.values import (
    is_duration,
    read_choice,
    read_count,
    read_duration,
    read_items,
    read_text,
    read_words,
)
from nodecheck.definitions.variables import NotSeen, Undefined, Unfilled, Unseen
from nodecheck.definitions.yamlfile import Value
from nodecheck.patterns import later

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nodecheck.definitions.errors import Mark, Mistakes

RUNS = later(r"([1-9][0-9]{0,3})\s*runs?")
WORDS_OF_TIME = {"sec": "s", "min": "m", "hou": "h", "day": "d"}  # by their first letters
DAY = later(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ELSEWHERE = "what another node is"  # what the facts of a node are not known by: it is not this one


class Need(NamedTuple):
    """A check that is needed, as its author named it, and where."""

    name: str
    mark: Mark


class Hold(NamedTuple):
    """For how many runs, or seconds, something has to be so before it is confirmed; the other one is 0."""

    runs: int = 0
    seconds: float = 0.0


class Waiver(NamedTuple):
    """Up to and with which day (YYYY-MM-DD) a check may fail, and why."""

    until: str
    reason: str
    mark: Mark


class Level(NamedTuple):
    """What holds at one place: the keywords of a play, a block or a check with those around it."""

    scope: Scope
    tags: frozenset[str] = frozenset()
    when: tuple[Value, ...] = ()
    needs: tuple[Need, ...] = ()
    severity: str = SEVERITIES[0]
    warn: Value | None = None
    hold: Hold | None = None
    timeout: float = DEFAULT_TIMEOUT_SECONDS
    until: tuple[Value, ...] = ()
    retries: int | None = None
    delay: float = DEFAULT_DELAY_SECONDS
    waiver: Waiver | None = None
    remedy: str = ""
    docs: str = ""
    labels: tuple[str, ...] = ()  # of the items of the loops around
    unseen: str = ""  # why nobody can tell what holds here: a fact could not be found out


def enter(value: Value, outer: Level, mistakes: Mistakes, *, given: bool = False) -> Level:
    """Return the level within a play, a block or a check; `given`: its vars win over those of the file it reads."""
    data = value.data
    level = outer
    if "vars" in data:
        lazy = bool(outer.when) or "when" in data
        level = level._replace(scope=with_variables(data["vars"], level.scope, mistakes, given=given, lazy=lazy))
    own = sorted((key for key in data if key in READERS), key=lambda key: key != "when")  # that may forbid the others
    if own:
        names = level.scope.names()
        for key in own:
            if ELSEWHERE not in waits_for(data[key], names) or key in EXPRESSIONS:
                level = _read_keyword(key, data[key], level, names, mistakes)
    return level


def _read_keyword(key: str, value: Value, level: Level, names: dict[str, Any], mistakes: Mistakes) -> Level:
    if key not in EXPRESSIONS and does_not_matter(value, level.when, names):
        return level
    try:
        return READERS[key](level, static(key, value, names, mistakes), mistakes)
    except NotSeen as error:
        return level._replace(unseen=level.unseen or error.args[0])


def does_not_matter(value: Value, when: tuple[Value, ...], names: dict[str, Any]) -> bool:
    """Tell whether a value is undefined, and one of these conditions says that it is not for this node."""
    if not when:
        return False
    try:
        _rendered(value, names)
    except Undefined:
        with suppress(BadCondition):  # told where the check is read
            return decide(when, names).false is not None
    except Unfilled:
        pass  # told where the value is read
    return False


# ---- variables


def with_variables(own: Value, scope: Scope, mistakes: Mistakes, *, given: bool = False, lazy: bool = False) -> Scope:
    """Return the scope with these variables: each may use those above it."""
    if own.data is None:
        return scope
    if not isinstance(own.data, dict):
        mistakes.add(own.mark, f"vars is a mapping, not {own.kind()}", "vars: {name: value}")
        return scope
    refuse_names(own.key_marks, mistakes)
    for name, value in own.data.items():
        variable = _variable(value, scope.names(), mistakes, lazy=lazy)
        if given:
            scope = scope._replace(given={**scope.given, name: variable})
        else:
            scope = scope._replace(variables={**scope.variables, name: variable})
    return scope


def _variable(value: Value, names: dict[str, Any], mistakes: Mistakes, *, lazy: bool) -> Any:
    """`lazy`: what is undefined is a mistake only where it is used, since a `when` may forbid that."""
    checks = waits_for(value, names)
    if checks:
        try:
            refuse_parts_of(value, names)
        except Unfilled as error:
            mistakes.add(value.mark, *error.args)
        return Pending(checks, lambda results: _rendered(value, resolve(names, results)))
    if not lazy:
        return _filled_in(value, names, mistakes)
    try:
        return from_node(_rendered(value, names), value, names)
    except Undefined as error:
        return Pending(frozenset(), _raiser(error))
    except Unfilled:
        return _filled_in(value, names, mistakes)


def _filled_in(value: Value, names: dict[str, Any], mistakes: Mistakes) -> Value | Unseen:
    before = len(mistakes.unseen)
    filled = render(value, names, mistakes)
    return Unseen(mistakes.unseen[-1]) if len(mistakes.unseen) > before else from_node(filled, value, names)


def _raiser(error: Undefined) -> Callable[[Any], Any]:
    def raise_it(_results: Any) -> Any:
        raise error

    return raise_it


def _rendered(value: Value, names: Mapping[str, Any]) -> Value:
    """Return the value with its expressions filled in. Raises Unfilled."""
    data = value.data
    if isinstance(data, str):
        return located(fill(data, names), value) if "{" in data else value
    if isinstance(data, dict):
        return Value({key: _rendered(item, names) for key, item in data.items()}, value.mark, "", value.key_marks)
    if isinstance(data, list):
        return Value([_rendered(item, names) for item in data], value.mark)
    return value


def refuse_names(names: Mapping[str, Mark], mistakes: Mistakes) -> None:
    """Note names of variables that nothing could look up."""
    for name, mark in names.items():
        if name in FOUND_OUT:
            mistakes.add(mark, f"the variable {name!r} is what nodecheck found out: it cannot be set", "rename it")
        elif not LOOKUP.fullmatch(name) or "." in name:
            mistakes.add(mark, f"{name!r} is no name for a variable", "A to Z, digits and _, a letter first")


def static(key: str, value: Value, names: dict[str, Any], mistakes: Mistakes) -> Value:
    """Return a keyword's value with its expressions filled in; one that waits for a result is a mistake.

    Raises NotSeen for one with a fact that could not be found out.
    """
    if key in EXPRESSIONS:
        return value
    checks = waits_for(value, names)
    if checks - {ELSEWHERE}:
        message = f"{key} cannot depend on the result of {', '.join(sorted(checks - {ELSEWHERE}))}"
        hint = "which checks there are, and how they hang together, is known before the first one is judged"
        mistakes.add_and_spoil(value.mark, message, hint)
    filled = _filled_in(value, names, mistakes)
    if isinstance(filled, Unseen):
        raise NotSeen(filled.reason, "")
    return filled


def demanded(key: str, value: Value, names: dict[str, Any], mistakes: Mistakes) -> Value:
    """Do so for what says which checks there are: a fact that could not be found out is a mistake there."""
    try:
        return static(key, value, names, mistakes)
    except NotSeen as error:
        mistakes.add_and_spoil(value.mark, f"{key} depends on a fact, and {error.args[0]}", "run nodecheck as root")
        return value


def static_or_written(
    key: str, value: Value, names: dict[str, Any], mistakes: Mistakes, when: tuple[Value, ...] = ()
) -> Value:
    """Do so for what people read: with a fact that could not be found out it stays as it was written.

    So does what is undefined, where one of these conditions is false.
    """
    try:
        return value if does_not_matter(value, when, names) else static(key, value, names, mistakes)
    except NotSeen:
        return value


# ---- the keywords that inner levels inherit


def _tags(level: Level, value: Value, mistakes: Mistakes) -> Level:
    return level._replace(tags=level.tags | frozenset(read_words("tags", value, mistakes)))


def _when(level: Level, value: Value, mistakes: Mistakes) -> Level:
    return level._replace(when=level.when + read_conditions("when", value, mistakes))


def read_conditions(key: str, value: Value, mistakes: Mistakes) -> tuple[Value, ...]:
    """Return the expressions of `when` or `until`: one, or a list of which all have to be true."""
    items = value.data if isinstance(value.data, list) else [value]
    if not items:
        mistakes.add(value.mark, f"{key} is an expression, and an empty list asks nothing", "take it out")
    for item in items:
        if isinstance(item.data, str) and "{{" in item.data:
            plain = item.data.replace("{{", "").replace("}}", "").strip()
            mistakes.add_and_spoil(item.mark, f"{key} is an expression already", f"write it without braces: {plain}")
        elif not isinstance(item.data, bool | str) or item.data == "":
            kind = "an empty text" if item.data == "" else item.kind()
            mistakes.add_and_spoil(item.mark, f"{key} is an expression, not {kind}", f"{key}: facts.os.id == 'debian'")
    return tuple(items)


def _needs(level: Level, value: Value, mistakes: Mistakes) -> Level:
    needs = tuple(Need(word, item.mark) for word, item in read_items("needs", value, mistakes))
    return level._replace(needs=level.needs + needs)


def _severity(level: Level, value: Value, mistakes: Mistakes) -> Level:
    return level._replace(severity=read_choice("severity", value, SEVERITIES, mistakes))


def _warn(level: Level, value: Value, mistakes: Mistakes) -> Level:
    if not isinstance(value.data, dict) or not value.data:
        kind = "an empty one" if value.data == {} else value.kind()
        mistakes.add_and_spoil(
            value.mark, f"warn is a mapping of milder expectations, not {kind}", 'warn: {count: ">= 2"}'
        )
        return level
    return level._replace(warn=value)


def _hold(level: Level, value: Value, mistakes: Mistakes) -> Level:
    text = value.text.strip()
    runs = RUNS.fullmatch(text)
    if runs:
        return level._replace(hold=Hold(runs=int(runs[1])))
    count = re.match("[1-9][0-9]{0,3}", text)
    if text.replace(" ", "").isalnum() and count and not is_duration(text):
        unit = WORDS_OF_TIME.get(text[len(count[0]) :].strip()[:3].lower())
        meant = f"{count[0]}{unit}" if unit else f"{count[0]} runs"
        mistakes.add(value.mark, f"for is a number of runs or a time, not {text!r}", f"for: {meant}")
        return level
    seconds = read_duration("for", value, mistakes)
    return level._replace(hold=Hold(seconds=seconds) if seconds else None)


def _timeout(level: Level, value: Value, mistakes: Mistakes) -> Level:
    return level._replace(timeout=read_duration("timeout", value, mistakes) or DEFAULT_TIMEOUT_SECONDS)


def _until(level: Level, value: Value, mistakes: Mistakes) -> Level:
    return level._replace(until=read_conditions("until", value, mistakes))


def _retries(level: Level, value: Value, mistakes: Mistakes) -> Level:
    return level._replace(retries=read_count("retries", value, mistakes, least=0, most=MOST_RETRIES))


def _delay(level: Level, value: Value, mistakes: Mistakes) -> Level:
    seconds = read_duration("delay", value, mistakes, bare_seconds=True)
    return level._replace(delay=DEFAULT_DELAY_SECONDS if seconds is None else seconds)


def _waive(level: Level, value: Value, mistakes: Mistakes) -> Level:
    data = value.data if isinstance(value.data, dict) else {}
    for key in data.keys() - {"until", "reason"}:
        place = value.key_marks.get(key, value.mark)  # a mapping from a variable has no place of its own
        mistakes.add(place, f"waive has no keyword {key!r}", did_you_mean(key, ("until", "reason")))
    if not {"until", "reason"} <= data.keys():
        mistakes.add(value.mark, "waive says until when, and why", "waive: {until: 2026-12-31, reason: ticket 123}")
        return level
    reason = read_text("reason", data["reason"], mistakes)
    until = data["until"]
    if not _is_day(until.text):
        given = repr(until.text) if until.text else until.kind()
        mistakes.add(until.mark, f"until is a day such as 2026-12-31, not {given}")
        return level
    return level._replace(waiver=Waiver(until.text, reason, until.mark))


def _is_day(text: str) -> bool:
    from datetime import date  # few definitions waive anything

    try:
        return DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _remedy(level: Level, value: Value, mistakes: Mistakes) -> Level:
    return level._replace(remedy=read_text("remedy", value, mistakes))


def _docs(level: Level, value: Value, mistakes: Mistakes) -> Level:
    return level._replace(docs=read_text("docs", value, mistakes))


READERS: dict[str, Callable[[Level, Value, Mistakes], Level]] = {
    "tags": _tags, "when": _when, "needs": _needs, "severity": _severity, "warn": _warn, "for": _hold,
    "timeout": _timeout, "until": _until, "retries": _retries, "delay": _delay, "waive": _waive, "remedy": _remedy,
    "docs": _docs,
}  # fmt: skip
EXPRESSIONS = frozenset({"when", "until", "warn"})  # filled in with the arguments, or when they are decided
