"""Arguments that are expressions: evaluated where a definition is read, since a check type knows no variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodecheck.definitions.conditions import BadCondition, is_true, refuse_parts_in, waits_for
from nodecheck.definitions.levels import read_conditions
from nodecheck.definitions.template import chains_in, evaluate, names_in
from nodecheck.definitions.variables import NotSeen, Undefined, Unfilled, plain
from nodecheck.definitions.yamlfile import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nodecheck.checks.base import Check
    from nodecheck.definitions.errors import Mistakes

LONGEST_VALUE = 60  # characters


def awaited_by_conditions(kind: type[Check] | None, arguments: Value, names: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids of the checks whose results the expressions among the arguments look at."""
    found: set[str] = set()
    for _, value in _conditions(kind, arguments):
        for item in value.data if isinstance(value.data, list) else [value]:
            try:
                found |= waits_for(item, names)
            except BadCondition:
                continue  # evaluating it says so
    return frozenset(found)


def evaluate_conditions(
    kind: type[Check], arguments: Value, names: Mapping[str, Any], mistakes: Mistakes, *, tolerant: bool
) -> Value:
    """Return the arguments with what became of each expression in its place; it is left open where that waits."""
    data = dict(arguments.data) if isinstance(arguments.data, dict) else {}
    for argument, value in _conditions(kind, arguments):
        items = read_conditions(argument, value, mistakes)
        evaluated = [_evaluated(item, names, mistakes, tolerant=tolerant) for item in items]
        known = [item for item in evaluated if item is not None]
        data[argument] = Value(known, value.mark)
        if len(known) < len(items):
            mistakes.leave_open(value.mark)
    return Value(data, arguments.mark, key_marks=arguments.key_marks) if data else arguments


def _conditions(kind: type[Check] | None, arguments: Value) -> Iterator[tuple[str, Value]]:
    if kind is None or not isinstance(arguments.data, dict):
        return
    for name, field in kind.arguments().items():
        if field.type == "Conditions" and name in arguments.data:
            yield name, arguments.data[name]


def _evaluated(condition: Value, names: Mapping[str, Any], mistakes: Mistakes, *, tolerant: bool) -> Value | None:
    try:
        refuse_parts_in(condition, names)
        if waits_for(condition, names):
            return None
        holds = is_true(condition, names)
    except BadCondition as error:
        if isinstance(error.__cause__, NotSeen):
            mistakes.leave_unseen(condition.mark, error.message)
            return None
        undefined = isinstance(error.__cause__, Undefined) and tolerant
        if not undefined:
            mistakes.add_and_spoil(condition.mark, error.message, error.hint)
        return None
    told = {"expression": condition.text, "holds": holds, "values": _values(condition, names)}
    return Value({name: Value(item, condition.mark, str(item)) for name, item in told.items()}, condition.mark)


def _values(condition: Value, names: Mapping[str, Any]) -> str:
    """What an expression looks at, so that a person sees why it is false."""
    if not isinstance(condition.data, str):
        return ""
    text = condition.data.strip()
    chains = {".".join(chain) for chain in chains_in(text) if chain[0] in names} | (names_in(text) & names.keys())
    whole = sorted(chain for chain in chains if not any(other.startswith(f"{chain}.") for other in chains))
    return ", ".join(filter(None, (_value(chain, names) for chain in whole)))


def _value(chain: str, names: Mapping[str, Any]) -> str:
    try:
        found = plain(evaluate(chain, names))
    except Unfilled:
        return ""
    shown = "nothing" if found is None else str(found)
    return f"{chain} is {shown[:LONGEST_VALUE]}{'...' if len(shown) > LONGEST_VALUE else ''}"
