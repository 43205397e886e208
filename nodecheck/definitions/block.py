"""Lists of checks: checks, blocks of them and included files, each perhaps in a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck import checks as check_types
from nodecheck.definitions.check import (
    CHECK_SHAPE,
    CheckDefinition,
    make_identifier,
    names_of,
    parts_of_result,
    read_check,
)
from nodecheck.definitions.errors import did_you_mean
from nodecheck.definitions.keywords import FROM_OTHER_TOOLS, OF_BLOCK
from nodecheck.definitions.levels import ELSEWHERE, Level, demanded, enter, refuse_names
from nodecheck.definitions.loop import iterate, without_items
from nodecheck.definitions.scope import Pending
from nodecheck.definitions.values import read_text
from nodecheck.definitions.variables import NotSeen
from nodecheck.definitions.yamlfile import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nodecheck.definitions.errors import Mark, Mistakes
    from nodecheck.definitions.scope import Scope


class Named(NamedTuple):
    """A name or id that stands for several checks: a block, or a loop."""

    name: str
    checks: tuple[str, ...]
    mark: Mark


class Reading:
    """What goes along while plays are read, from the first check to the last.

    `read_file(path)` returns the content of another file, None when it cannot be read; `groups` are those of this
    node; `registered` are the variables of earlier checks, `elsewhere` those of checks on other nodes; `checks`,
    `named` and `unread` is what was read of the play at hand.
    """

    def __init__(
        self, mistakes: Mistakes, read_file: Callable[[Value], Value | None], groups: frozenset[str] = frozenset()
    ) -> None:
        self.mistakes = mistakes
        self.groups = groups
        self.registered: Mapping[str, Pending] = {}
        self.elsewhere: Mapping[str, Pending] = {}
        self.start_play()
        self._read_file = read_file
        self._open_files: list[str] = []

    def start_play(self) -> None:
        """Forget the checks of the play before; what they registered stays."""
        self.checks: list[CheckDefinition] = []
        self.named: list[Named] = []
        self.unread: list[str] = []

    def now_registered(self, scope: Scope) -> Scope:
        """Return a scope with what earlier checks have registered."""
        return scope._replace(registered=self.registered, elsewhere=self.elsewhere)

    def read_for_mistakes(self, read: Callable[[], None]) -> None:
        """Read something and forget it, but for its mistakes."""
        before = self.checks, self.named, self.unread, self.registered
        self.checks, self.named, self.unread = list(self.checks), list(self.named), list(self.unread)
        read()
        self.checks, self.named, self.unread, self.registered = before

    def read_within(self, found: Value, read: Callable[[Value], None]) -> None:
        """Read the content of a file, and know meanwhile that it is open."""
        self._open_files.append(found.mark.file)
        read(found)
        self._open_files.pop()

    def read_other(self, path: Value, read: Callable[[Value], None]) -> None:
        """Read another file where its name stands; one that is open already would have no end."""
        if isinstance(path.data, str) and "{{" in path.data:
            return  # it could not be filled in, and that was told; or it is another node's
        found = self._read_file(path)
        if found is None:
            return
        if len(self._open_files) > MOST_WITHIN:
            self.mistakes.add(path.mark, f"more than {MOST_WITHIN} files are read within each other", "nest fewer")
            return
        if found.mark.file in self._open_files:
            way = " -> ".join([*self._open_files[self._open_files.index(found.mark.file) :], found.mark.file])
            self.mistakes.add(path.mark, f"a file is read within itself: {way}", "take one of these lines out")
            return
        self.read_within(found, read)


def read_entries(value: Value, outer: Level, reading: Reading, *, what: str = "checks") -> None:
    """Read a list of checks and blocks."""
    if not isinstance(value.data, list) or not value.data:
        kind = "an empty list" if value.data == [] else value.kind()
        reading.mistakes.add(value.mark, f"{what} is a list with at least one check, not {kind}", CHECK_SHAPE)
        return
    for item in value.data:
        if isinstance(item.data, dict):
            read_in_loop(item, outer, reading)
        else:
            reading.mistakes.add(item.mark, f"a check is a mapping, not {item.kind()}", CHECK_SHAPE)
            reading.unread.append("")


def read_in_loop(value: Value, outer: Level, reading: Reading) -> None:
    """Read a check or a block, once for each item of its loop, and let it register what it registers."""
    outer = outer._replace(scope=reading.now_registered(outer.scope))
    first = len(reading.checks)
    unseen = ""
    try:
        levels = iterate(value, outer, reading.mistakes)
    except NotSeen as error:
        levels, unseen = [], error.args[0]
    for level in levels or ():
        _read_entry(value, level, reading)
    if not levels:
        _note_no_iteration(value, outer, reading, empty=levels == [], unseen=unseen)
    if "loop" in value.data or not _is_check(value):
        _name_several(value, outer, reading, reading.checks[first:])
    ids = [check.id for check in reading.checks[first:]]
    several = "loop" in value.data or not _is_check(value)
    name = register(value, ids, reading, several=several)
    if name and _is_check(value):
        reading.checks[first:] = [check._replace(register=name) for check in reading.checks[first:]]


def _is_check(value: Value) -> bool:
    return not value.data.keys() & {"block", "include"}


def _read_entry(value: Value, outer: Level, reading: Reading) -> None:
    level = enter(value, outer, reading.mistakes, given="include" in value.data)
    if _is_check(value):
        read = read_check(value, level, reading.mistakes)
        if isinstance(read, str):
            reading.unread.append(read)
        else:
            reading.checks.append(read)
        return
    _refuse_unknown(value, reading.mistakes)
    if "include" in value.data:
        path = demanded("include", value.data["include"], level.scope.names(), reading.mistakes)
        reading.read_other(path, lambda found: _read_included(found, level, reading))
    else:
        read_entries(value.data["block"], level, reading, what="block")


def _read_included(found: Value, level: Level, reading: Reading) -> None:
    items = found.data if isinstance(found.data, list) else []
    if any(isinstance(item.data, dict) and item.data.keys() & {"hosts", "checks"} for item in items):
        message = "a file that is included holds a list of checks, and this one holds plays"
        reading.mistakes.add(found.mark, message, "import: reads plays; it stands where a play does")
        return
    read_entries(found, level, reading, what="a file that is included")


def _refuse_unknown(value: Value, mistakes: Mistakes) -> None:
    for key in value.data:
        if key not in OF_BLOCK:
            hint = (
                "put a check of this type into the block"
                if check_types.type_named(key)
                else did_you_mean(key, OF_BLOCK)
            )
            place = value.key_marks.get(key, value.mark)
            mistakes.add(place, f"a block has no keyword {key!r}", FROM_OTHER_TOOLS.get(key) or hint)
    if {"block", "include"} <= value.data.keys():
        mistakes.add(value.key_marks["include"], "a block holds checks, or includes a file of them", "make two of it")


def _note_no_iteration(value: Value, outer: Level, reading: Reading, *, empty: bool, unseen: str) -> None:
    """A loop without items is told, as a check that is skipped; one that could not be read was told already.

    One over a fact that could not be found out is a check that says so (`unseen`).
    """
    name = value.data["name"].text if "name" in value.data else "a loop"
    if not empty:
        reading.unread.append(name)
        return
    reading.read_for_mistakes(lambda: _read_entry(value, without_items(value, outer), reading))
    level = enter(value, without_items(value, outer), reading.mistakes.apart())
    place = f"{name} {' '.join(outer.labels)} at {value.mark.line}"
    reading.checks.append(
        CheckDefinition(
            name=name, id=make_identifier(place), type="loop", mark=value.mark, check=None, tags=level.tags,
            severity=level.severity, needs=tuple(need.name for need in level.needs),
            needs_marks=tuple(need.mark for need in level.needs), timeout=level.timeout, remedy="",
            skipped="" if unseen else "its loop has no items here", unseen=unseen,
        )
    )  # fmt: skip


def _name_several(value: Value, outer: Level, reading: Reading, checks: list[CheckDefinition]) -> None:
    """Let others need a block, or a loop, by its name and by its id."""
    bare = outer._replace(labels=())
    plain_ones = {
        key: value.data[key] for key in ("name", "id") if key in value.data and "{{" not in value.data[key].text
    }
    if not plain_ones:
        return
    named = Value(plain_ones, value.mark)
    name, identifier = names_of(named, bare, bare.scope.names(), reading.mistakes)
    ids = tuple(check.id for check in checks)
    reading.named += [Named(word, ids, value.mark) for word in dict.fromkeys((name, identifier)) if word]


def register(value: Value, ids: list[str], reading: Reading, *, several: bool) -> str:
    """Let later checks use the results of these under the name that `register` gives; return that name."""
    written = value.data.get("register")
    name = read_text("register", written, reading.mistakes)
    if not written or not name:
        return ""
    refuse_names({name: written.mark}, reading.mistakes)
    checks = frozenset(ids) or frozenset({ELSEWHERE})  # it has mistakes, and what uses it has none by that
    types = {check.type for check in reading.checks if check.id in checks}
    parts = PARTS_OF_SEVERAL if several else parts_of_result(types)
    reading.registered = {**reading.registered, name: Pending(checks, _result(ids, several=several), parts)}
    return name


MOST_WITHIN = 20
PARTS_OF_SEVERAL: dict[str, tuple[str, ...]] = {"status": (), "results": ()}


def _result(ids: list[str], *, several: bool) -> Callable[[Mapping[str, Any]], Any]:
    """What a registered variable stands for: the data of a result, or of several as Ansible's `results`."""

    def now(results: Mapping[str, Any]) -> Any:
        if not several:
            return results[ids[0]]
        found = [results[identifier] for identifier in ids]
        order = ("critical", "unknown", "warning", "info", "blocked", "skipped")
        statuses = {result["status"] for result in found}
        return {"status": next((status for status in order if status in statuses), "ok"), "results": found}

    return now
