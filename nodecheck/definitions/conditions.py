"""Conditions: `when` and `until`.

Each has to be true or false: what merely exists is neither, as in Ansible since 2.19.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.definitions.scope import Pending
from nodecheck.definitions.template import evaluate, names_in, refuse_parts
from nodecheck.definitions.variables import Unfilled, pending_checks, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodecheck.definitions.yamlfile import Value


class Decided(NamedTuple):
    """What became of conditions: the first false one, and those that wait for results, with the ids of their checks."""

    false: Value | None = None
    undecided: tuple[Value, ...] = ()
    checks: frozenset[str] = frozenset()


class BadCondition(Exception):
    """A condition that is neither true nor false: (the condition, message, hint)."""

    def __init__(self, condition: Value, message: str, hint: str = "") -> None:
        super().__init__(condition, message, hint)
        self.condition, self.message, self.hint = condition, message, hint


def decide(conditions: tuple[Value, ...], names: Mapping[str, Any]) -> Decided:
    """Look at one after the other, up to the first that is false or waits for a result. Raises BadCondition.

    What comes after that is not looked at: `facts.x is defined` may stand before a question about facts.x.
    """
    for position, condition in enumerate(conditions):
        checks = waits_for(condition, names)
        if checks:
            rest = conditions[position:]
            for item in rest:
                refuse_parts_in(item, names)
            return Decided(None, rest, frozenset().union(*(waits_for(item, names) for item in rest)))
        if not is_true(condition, names):
            return Decided(false=condition)
    return Decided()


def waits_for(condition: Value, names: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids of the checks whose results a condition looks at."""
    pending = pending_checks(names)
    if not pending or not isinstance(condition.data, str):
        return frozenset()
    try:
        free_names = names_in(condition.data.strip())
    except Unfilled as error:
        raise BadCondition(condition, *error.args) from error
    return frozenset().union(*(pending[name] for name in free_names & pending.keys()))


def refuse_parts_in(condition: Value, names: Mapping[str, Any]) -> None:
    """Find out now what is wrong with a condition over results in every run. Raises BadCondition."""
    if not isinstance(condition.data, str):
        return
    expression = condition.data.strip()
    named = names.get(expression)
    if isinstance(named, Pending) and named.parts:
        raise BadCondition(
            condition, f"a condition is true or false, and {expression} is a result", f"{expression} is ok"
        )
    try:
        names_in(expression)
        refuse_parts(expression, names)
    except Unfilled as error:
        raise BadCondition(condition, *error.args) from error


def is_true(condition: Value, names: Mapping[str, Any]) -> bool:
    """Evaluate one condition. Raises BadCondition."""
    if isinstance(condition.data, bool):
        return condition.data
    try:
        found = plain(evaluate(condition.text.strip(), names))
    except Unfilled as error:
        raise BadCondition(condition, *error.args) from error
    if isinstance(found, bool):
        return found
    raise BadCondition(condition, f"a condition is true or false, and this is {_shown(found)}", _hint(condition, found))


def _shown(found: Any) -> str:
    if isinstance(found, dict | list):
        return "a mapping" if isinstance(found, dict) else "a list"
    return "nothing" if found is None else f"the text {found!r}" if isinstance(found, str) else f"the number {found}"


def _hint(condition: Value, found: Any) -> str:
    expression = condition.text.strip()
    if found is None:
        return f"{expression} is not none"
    if isinstance(found, dict | list):
        return f"{expression} | length > 0"
    return f"{expression} == {found!r}"
