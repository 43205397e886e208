"""One check as its author wrote it: built at once, or when the results are there that it is written with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck import checks as check_types
from nodecheck.definitions.arguments import awaited_by_conditions, evaluate_conditions
from nodecheck.definitions.build import build, build_milder
from nodecheck.definitions.conditions import BadCondition, Decided, decide, refuse_parts_in
from nodecheck.definitions.conditions import waits_for as waits_for_condition
from nodecheck.definitions.errors import Mark, Mistakes, closest
from nodecheck.definitions.keywords import DEFAULT_RETRIES, FROM_OTHER_TOOLS, OF_CHECK
from nodecheck.definitions.levels import Level, static_or_written
from nodecheck.definitions.scope import FOUND_OUT, Pending, resolve
from nodecheck.definitions.template import names_in, render, waits_for
from nodecheck.definitions.values import read_name, read_text
from nodecheck.definitions.variables import CONSTANTS, FromNode, NotSeen, Unfilled, Unseen, missing
from nodecheck.definitions.yamlfile import Value
from nodecheck.patterns import later
from nodecheck.report.result import Result

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from nodecheck.checks.base import Check
    from nodecheck.definitions.levels import Hold, Waiver

WHERE_TYPES = "nodecheck explain lists the check types"
RESULT = "result"  # what `until` calls the result so far
CHECK_SHAPE = "- name: ...\n    unit: {name: docker.service}"


class Written(NamedTuple):
    """What a check is built from: its type, with arguments as they were written, and the variables there.

    `conditions` are those of its `when` that wait for a result.
    """

    type: str
    arguments: Value
    warn: Value | None
    names: Mapping[str, Any]
    conditions: tuple[Value, ...] = ()


class CheckDefinition(NamedTuple):
    """A check as its author wrote it, with the type's arguments read.

    A check that is `late` is made anew from `written` once the checks `waits_for` are judged, those of `uses` with an
    ok; `check` is None where its arguments wait too, and may be None for one that is skipped (`skipped` says why), or
    written with a fact that could not be found out (`unseen` says which). `milder` is the same check with the
    expectations of `warn`, which are those of `milder_properties`.
    """

    name: str
    id: str
    type: str
    mark: Mark
    check: Check | None
    tags: frozenset[str]
    severity: str
    needs: tuple[str, ...]
    needs_marks: tuple[Mark, ...]
    timeout: float
    remedy: str
    docs: str = ""
    milder: Check | None = None
    milder_properties: frozenset[str] = frozenset()
    skipped: str = ""
    unseen: str = ""
    late: bool = False
    written: Written | None = None
    waits_for: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    retries: int = 0
    delay: float = 0.0
    until: tuple[Value, ...] = ()
    register: str = ""
    hold: Hold | None = None
    waiver: Waiver | None = None

    @property
    def source(self) -> str:
        """Where it stands: file:line."""
        return f"{self.mark.file}:{self.mark.line}"


class Built(NamedTuple):
    """A check, and the same with milder expectations, if it has any."""

    check: Check
    milder: Check | None


def read_check(value: Value, level: Level, mistakes: Mistakes) -> CheckDefinition | str:
    """Return the check; of one with mistakes the name."""
    names = level.scope.names()
    type_name = _type_of(value, mistakes)
    name, identifier = names_of(value, level, names, mistakes)
    if not value.data.keys() & {"Name", "name", "include_tasks", "import_tasks"}:
        mistakes.add(value.mark, "a check needs the keyword 'name'", "name: what should be so")
    unseen = len(mistakes.unseen)
    decided = _decide(level, names, mistakes)
    until = _read_until(value, type_name, level, mistakes)
    if not type_name:
        return name
    arguments = value.data[type_name]
    waits = waits_for(arguments, names) | (waits_for(level.warn, names) if level.warn else frozenset())
    waits |= awaited_by_conditions(check_types.type_named(type_name), arguments, names)
    written = Written(type_name, arguments, level.warn, names, decided.undecided)
    late = bool(waits or decided.undecided)
    skipped = decided.false is not None
    tolerant = late or skipped
    built = _build(_without_findings(written) if skipped else written, mistakes, tolerant=tolerant)
    why_unseen = level.unseen or next(iter(mistakes.unseen[unseen:]), "")
    if not name or not (built or tolerant or why_unseen):
        return name
    definition = _definition(name, identifier, value, level, written)
    if built:
        definition = definition._replace(check=built.check, milder=built.milder)
    if decided.false:
        return definition._replace(skipped=f"not for this node: {decided.false.text or 'false'} is false")
    if why_unseen:
        return definition._replace(unseen=why_unseen)
    waits_for_all = tuple(sorted(waits | decided.checks | until))
    definition = definition._replace(waits_for=waits_for_all)
    return definition._replace(late=True, uses=tuple(sorted(waits - decided.checks))) if late else definition


def _without_findings(written: Written) -> Written:
    """Return what a check that is not for this node is built from: what was found out here may be no good argument."""
    known = {name: value for name, value in written.names.items() if not _is_found_out(name, value)}
    return written._replace(names=known)


def _is_found_out(name: str, value: Any) -> bool:
    return name in FOUND_OUT or isinstance(value, FromNode)


def _definition(name: str, identifier: str, value: Value, level: Level, written: Written) -> CheckDefinition:
    """All but what is built."""
    default = DEFAULT_RETRIES if level.until else 0
    return CheckDefinition(
        name=name, id=identifier, type=written.type, mark=value.mark, check=None, written=written, tags=level.tags,
        severity=level.severity, needs=tuple(need.name for need in level.needs),
        needs_marks=tuple(need.mark for need in level.needs), timeout=level.timeout, remedy=level.remedy,
        docs=level.docs, milder_properties=frozenset(level.warn.data) if level.warn else frozenset(),
        retries=default if level.retries is None else level.retries, delay=level.delay, until=level.until,
        hold=level.hold, waiver=level.waiver,
    )  # fmt: skip


def names_of(value: Value, level: Level, names: dict[str, Any], mistakes: Mistakes) -> tuple[str, str]:
    """Return name and id of a check or a block: those of a loop are told apart by what their items are called."""
    written = {key: value.data[key] for key in ("name", "id") if key in value.data}
    read = {key: static_or_written(key, item, names, mistakes, level.when) for key, item in written.items()}
    label = ", ".join(level.labels)
    name = read_name(read.get("name"), mistakes)
    if name and label and ("{{" not in written["name"].text or "{{" in name):  # the latter is known on another node
        name = f"{name} ({label})"
    identifier = read_text("id", read.get("id"), mistakes)
    if "{{" in identifier:
        identifier = f"{make_identifier(identifier)}-{make_identifier(label)}"
    if identifier and not _IDENTIFIER.fullmatch(identifier):
        meant = make_identifier(identifier)
        mistakes.add(written["id"].mark, f"{identifier!r} is no id", f"letters, digits, - _ and . : {meant}")
    if identifier and label and "{{" not in written["id"].text:
        identifier = f"{identifier}-{make_identifier(label)}"
    return name, identifier or make_identifier(name)


_IDENTIFIER = later(r"\w[\w.-]*")


def make_identifier(name: str) -> str:
    """The id of a check: its name in lower case, with dashes for all that is neither letter nor digit."""
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-") or "check"


def _decide(level: Level, names: dict[str, Any], mistakes: Mistakes) -> Decided:
    """A condition that is wrong counts as false, so that the rest of the check is read all the same."""
    try:
        return decide(level.when, names)
    except BadCondition as error:
        if isinstance(error.__cause__, NotSeen):
            mistakes.leave_unseen(error.condition.mark, error.message)
            return Decided()
        mistakes.add(error.condition.mark, error.message, error.hint)
        return Decided(false=error.condition)


def parts_of_result(types: Iterable[str]) -> dict[str, Collection[str]]:
    """Return the parts that the result of a check of these types has, with what may be in `observed`."""
    kinds = [check_types.type_named(name) for name in types]
    observed = {argument for kind in kinds if kind for argument in kind.arguments()}
    return {**dict.fromkeys(Result._fields, ()), "observed": observed}


def _read_until(value: Value, type_name: str, level: Level, mistakes: Mistakes) -> frozenset[str]:
    """Return the ids of the checks whose results `until` looks at; find its mistakes now, since it is asked later."""
    register = value.data["register"].text if "register" in value.data else RESULT
    own = Pending(frozenset(), lambda _results: None, parts_of_result([type_name] if type_name else []))
    known = {**level.scope.names(), RESULT: own, register: own}
    checks: frozenset[str] = frozenset()
    for condition in level.until:
        try:
            checks |= _checks_of(condition, known, mistakes)
        except BadCondition as error:
            mistakes.add(condition.mark, error.message, error.hint)
    return checks


def _checks_of(condition: Value, known: dict[str, Any], mistakes: Mistakes) -> frozenset[str]:
    """Return what a condition of `until` waits for, apart from its own check. Raises BadCondition."""
    refuse_parts_in(condition, known)
    if isinstance(condition.data, str):
        for name in sorted(names_in(condition.data.strip()) - known.keys() - CONSTANTS.keys()):
            mistakes.add(condition.mark, *missing(name, known, ""))
    return waits_for_condition(condition, known)


def _build(written: Written, mistakes: Mistakes, *, tolerant: bool) -> Built | None:
    """Build it; `tolerant`: what cannot be filled in yet, or need not be, is left out, and all else is checked."""
    own = mistakes.apart()
    built = _built(written, own, tolerant=tolerant)
    wrong = own.first()
    if wrong and _is_of_this_node(written, mistakes.apart()):
        if not tolerant:  # else it is built once more, when what it waits for is there
            mistakes.unseen.append(f"what was found out about this node cannot be used here: {wrong.message}")
        return None
    mistakes.take(own)
    return built


def _built(written: Written, own: Mistakes, *, tolerant: bool) -> Built | None:
    kind = check_types.type_named(written.type)
    assert kind is not None  # noqa: S101  # _type_of has looked
    arguments = render(written.arguments, written.names, own, tolerant=tolerant)
    # After that: what an expression looked at is data, and never rendered.
    arguments = evaluate_conditions(kind, arguments, written.names, own, tolerant=tolerant)
    warn = render(written.warn, written.names, own, tolerant=tolerant) if written.warn else None
    before = len(own)
    check = build(kind, written.type, arguments, own)
    milder = build_milder(kind, written.type, arguments, warn, own) if warn and (check or tolerant) else None
    return Built(check, milder) if check and len(own) == before and not own.has_open_ends() else None


def _is_of_this_node(written: Written, tried: Mistakes) -> bool:
    """Tell whether only what was found out here is wrong: a port of 99999 in a file is no mistake of the author."""
    unseen = {name: _unseen(found) for name, found in written.names.items() if _is_found_out(name, found)}
    for tolerant in (False, True):  # what hides behind something unseen is only read by the tolerant
        _built(written._replace(names={**written.names, **unseen}), tried, tolerant=tolerant)
    return bool(tried.unseen) and not tried.first()


def _unseen(found: Any) -> Any:
    """Return the same with nothing known of it but the names of its parts: a slip in one of those stays a mistake."""
    found = found.now({}) if isinstance(found, Pending) else found
    return {name: _unseen(part) for name, part in found.items()} if isinstance(found, dict) else Unseen("")


def make_late(late: Written, results: Mapping[str, Any]) -> Built | str:
    """Return the check now that results are there, {id: data}, or why its `when` forbids it.

    Raises Unfilled, BadCondition, or DefinitionError when what the results say is no good argument.
    """
    names = resolve(late.names, results)
    decided = decide(late.conditions, names)
    if decided.false:
        return f"not for this node: {decided.false.text} is false"
    if decided.undecided or waits_for(late.arguments, names):
        raise Unfilled("it waits for a result that this run does not have")
    mistakes = Mistakes()
    built = _build(late._replace(names=names), mistakes, tolerant=False)
    mistakes.raise_if_any()
    if mistakes.unseen:
        raise NotSeen(mistakes.unseen[0], "")
    assert built is not None  # noqa: S101  # a check that cannot be built has a mistake
    return built


# ---- the type


def _type_of(value: Value, mistakes: Mistakes) -> str:
    """The one key that is no keyword; "" when there is none or it is not known."""
    others = [key for key in value.data if key not in OF_CHECK]
    types = [key for key in others if check_types.type_named(key)]
    for key in others:
        if key not in types:
            place = value.key_marks.get(key, value.mark)
            mistakes.add(place, f"{key!r} is neither a keyword nor a check type", _key_hint(key, value.data[key]))
    if len(types) > 1:
        marks = sorted(value.key_marks[key] for key in types)
        mistakes.add(marks[1], f"a check has one type, this one has {' and '.join(types)}", "make two checks of it")
    elif not types and not others:
        mistakes.add(value.mark, "this check has no type", f"such as unit: {{name: docker.service}}; {WHERE_TYPES}")
    return types[0] if len(types) == 1 else ""


def _key_hint(key: str, value: Value) -> str:
    """What to write in a check instead of this key: a type, where it holds what a type takes."""
    known = FROM_OTHER_TOOLS.get(key.rpartition(".")[2])
    if known:
        return known
    types = check_types.names()
    first, then = (types, OF_CHECK) if isinstance(value.data, dict) else (OF_CHECK, types)
    near = closest(key, first) or closest(key, then)
    if near:
        return f"did you mean {near}?"
    return WHERE_TYPES if first is types else "nodecheck explain keywords lists the keywords"
