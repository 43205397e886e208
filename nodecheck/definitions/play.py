"""Plays: for which hosts, and what. A file is a list of them, and of other files to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nodecheck import checks as check_types
from nodecheck.definitions import hosts
from nodecheck.definitions.block import Named, Reading, read_entries, register
from nodecheck.definitions.check import CheckDefinition
from nodecheck.definitions.errors import Mark, closest, did_you_mean
from nodecheck.definitions.keywords import FROM_OTHER_TOOLS, MEANT, OF_IMPORT, OF_PLAY
from nodecheck.definitions.levels import ELSEWHERE, Level, demanded, enter, static_or_written, with_variables
from nodecheck.definitions.loop import iterate
from nodecheck.definitions.scope import FOUND_OUT, Pending
from nodecheck.definitions.values import read_name, read_words

if TYPE_CHECKING:
    from nodecheck.definitions.errors import Mistakes
    from nodecheck.definitions.scope import Scope
    from nodecheck.definitions.yamlfile import Value

RECORD = "nodecheck.record/"  # how the schema of a record begins
MASK_HINT = "to mask a shipped file, link its name to /dev/null"
ANY_NODE = Pending(frozenset({ELSEWHERE}), lambda _results: None)


class Play(NamedTuple):
    """For which hosts, and what. `named` are blocks and loops, `unread` the names of checks that have mistakes."""

    name: str
    hosts: str
    tags: frozenset[str]
    checks: tuple[CheckDefinition, ...]
    mark: Mark
    unread: tuple[str, ...] = ()
    named: tuple[Named, ...] = ()
    hosts_mark: Mark | None = None


def read_plays(value: Value, scope: Scope, reading: Reading) -> list[Play]:
    """Return the plays of a file, and of those that it imports."""
    plays: list[Play] = []
    reading.read_within(value, lambda found: _read_file(found, Level(scope), reading, plays))
    return plays


def _no_list(value: Value) -> tuple[str, str]:
    """Return what is wrong with a file that is no list of plays, and what to do."""
    schema = value.data.get("schema") if isinstance(value.data, dict) else None
    if schema and str(schema.data).startswith(RECORD):
        return (
            "this is the record of a node, not a definition file",
            f"nodecheck run --replay {value.mark.file} judges that node",
        )
    return f"a definition file is a list of plays, not {value.kind()}", "start the play with a dash: - name: ..."


def _read_file(value: Value, outer: Level, reading: Reading, plays: list[Play]) -> None:
    mistakes = reading.mistakes
    if value.data is None:
        hint = f"a definition file is a list of plays; {MASK_HINT}"
        mistakes.add(value.mark, "there is no play in this file", hint)
    elif not isinstance(value.data, list):
        mistakes.add(value.mark, *_no_list(value))
    elif not value.data:
        mistakes.add(value.mark, "an empty list checks nothing", MASK_HINT)
    else:
        told: set[tuple[str, str]] = set()
        for item in value.data:
            stray = _stray(item) if isinstance(item.data, dict) else None
            if stray is None:
                _read_in_loop(item, outer, reading, plays)
            elif stray not in told:  # a whole file of checks without a play is one slip
                told.add(stray)
                reading.mistakes.add(item.mark, *stray)


def _read_in_loop(value: Value, outer: Level, reading: Reading, plays: list[Play]) -> None:
    if not isinstance(value.data, dict):
        shape = "- name: ...\n    hosts: all\n    checks: [...]"
        reading.mistakes.add(value.mark, f"a play is a mapping, not {value.kind()}", shape)
        return
    first = len(plays)
    outer = outer._replace(scope=reading.now_registered(outer.scope))
    for level in iterate(value, outer, reading.mistakes) or ():
        if "import" in value.data:
            _import(value, level, reading, plays)
        else:
            plays.append(_read_play(value, level, reading))
    here = [play for play in plays[first:] if hosts.matches(play.hosts, set(reading.groups))]
    if here or not plays[first:]:
        register(value, [check.id for play in here for check in play.checks], reading, several=True)


def _stray(value: Value) -> tuple[str, str] | None:
    """Say of something that is no play what it is, where that is plain: else all would be told that it lacks."""
    keys = value.data.keys()
    if keys & {"hosts", "checks", "import"}:
        return None
    if {"node", "expect"} <= keys:
        return "this is a case, not a play", "nodecheck test FILE judges cases"
    if keys & {"block", "include"} or any(map(check_types.type_named, keys)):
        return "this is a check, not a play", "checks stand below checks: of a play: - hosts: all"
    return None


def _import(value: Value, outer: Level, reading: Reading, plays: list[Play]) -> None:
    _refuse_unknown(value, ("import", *OF_IMPORT), "an import", reading.mistakes)
    level = enter(value, outer, reading.mistakes, given=True)
    path = demanded("import", value.data["import"], level.scope.names(), reading.mistakes)
    reading.read_other(path, lambda found: _read_file(found, level, reading, plays))


def _read_play(value: Value, outer: Level, reading: Reading) -> Play:
    mistakes = reading.mistakes
    meant = _refuse_unknown(value, OF_PLAY, "a play", mistakes)
    pattern = _hosts(value, outer, mistakes)
    is_here = hosts.matches(pattern, set(reading.groups))
    if not is_here:
        outer = _on_another_node(outer)
    before = reading.registered
    level = enter(value, outer, mistakes)
    for keyword, hint in (("hosts", "hosts: all"), ("checks", "checks: [...]")):
        if keyword not in meant and keyword not in value.data:
            mistakes.add(value.mark, f"a play needs the keyword {keyword!r}", hint)
    reading.start_play()
    if value.data.get("checks") is not None:
        read_entries(value.data["checks"], level, reading)
    name = _name(value, level, mistakes) or f"hosts {pattern}"
    if not is_here:  # what it registers is registered on other nodes; here those names are just not unknown
        new = reading.registered.keys() - before.keys()
        reading.registered, reading.elsewhere = before, {**reading.elsewhere, **dict.fromkeys(new, ANY_NODE)}
    where = value.data["hosts"].mark if "hosts" in value.data else None
    checks, unread, named = tuple(reading.checks), tuple(reading.unread), tuple(reading.named)
    return Play(name, pattern, level.tags, checks, value.mark, unread, named, where)


def _on_another_node(outer: Level) -> Level:
    """What this node is says nothing of the nodes that a play is for: it is checked as far as that goes."""
    unknown = {name: ANY_NODE for name in FOUND_OUT if name in outer.scope.variables}
    return outer._replace(scope=outer.scope._replace(variables={**outer.scope.variables, **unknown}))


def _hosts(value: Value, outer: Level, mistakes: Mistakes) -> str:
    written = value.data.get("hosts")
    if written is None:
        return ""
    scope = outer.scope
    if "vars" in value.data and "{{" in f"{written.text}{written.data}":
        scope = with_variables(value.data["vars"], scope, mistakes.apart(), lazy=True)
    read = demanded("hosts", written, scope.names(), mistakes)
    pattern = ":".join(read_words("hosts", read, mistakes))
    message, hint = hosts.mistake(pattern)
    if message and isinstance(read.data, str | list):
        mistakes.add(read.mark, message, hint)
    return pattern


def _name(value: Value, level: Level, mistakes: Mistakes) -> str:
    written = value.data.get("name")
    filled = static_or_written("name", written, level.scope.names(), mistakes, level.when) if written else None
    name = read_name(filled, mistakes)
    label = ", ".join(level.labels)
    return f"{name} ({label})" if name and label and written and "{{" not in written.text else name


def _refuse_unknown(value: Value, keywords: tuple[str, ...], what: str, mistakes: Mistakes) -> set[str]:
    """Note unknown keywords; return those that were probably meant."""
    meant: set[str] = set()
    for key in value.data:
        if key not in keywords:
            hint = FROM_OTHER_TOOLS.get(key) or did_you_mean(key, keywords)
            mistakes.add(value.key_marks.get(key, value.mark), f"{what} has no keyword {key!r}", hint)
            meant |= MEANT.get(key) or {closest(key, keywords)}
    return meant
