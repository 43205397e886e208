"""Variables in definitions: {{ name }} and {{ name.part }}.

What was read from the node is looked up, never rendered: a host name with braces stays text (CVE-2023-5764).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nodecheck.definitions.errors import did_you_mean
from nodecheck.definitions.yamlfile import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodecheck.definitions.errors import Mistakes

EXPRESSION = re.compile(r"{{\s*(.*?)\s*}}", re.DOTALL)
LOOKUP = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")


class Undefined(Exception):
    """A variable that nobody defined."""


def render(value: Value, variables: Mapping[str, Any], mistakes: Mistakes) -> Value:
    """Return the value with its variables filled in; notes a mistake for each that is not defined."""
    if isinstance(value.data, dict):
        return Value(
            {key: render(item, variables, mistakes) for key, item in value.data.items()},
            value.mark,
            key_marks=value.key_marks,
        )
    if isinstance(value.data, list):
        return Value([render(item, variables, mistakes) for item in value.data], value.mark)
    if not isinstance(value.data, str) or "{{" not in value.data:
        return value
    try:
        filled = _fill(value.data, variables)
    except Undefined as error:
        mistakes.add(value.mark, *error.args)
        return value
    return _located(filled, value)


def _fill(text: str, variables: Mapping[str, Any]) -> Any:
    """A text that is one expression keeps the type of the variable; else all is joined to text."""
    whole = EXPRESSION.fullmatch(text)
    if whole:
        return _look_up(whole[1], variables)
    return EXPRESSION.sub(lambda match: str(_look_up(match[1], variables)), text)


def _look_up(expression: str, variables: Mapping[str, Any]) -> Any:
    if not LOOKUP.fullmatch(expression):
        raise Undefined(f"{{{{ {expression} }}}} is not a variable", "write {{ name }} or {{ name.part }}")
    known: Any = variables
    path = ""
    for part in expression.split("."):
        if not isinstance(known, dict) or part not in known:
            where = f" in {path}" if path else ""
            raise Undefined(
                f"the variable {part!r} is not defined{where}",
                did_you_mean(part, known if isinstance(known, dict) else ()),
            )
        known = known[part]
        path = f"{path}.{part}" if path else part
    return known


def _located(data: Any, at: Value) -> Value:
    """Give data from a variable the place where it is used."""
    if isinstance(data, Value):
        data = data.data
    if isinstance(data, dict):
        return Value({str(key): _located(item, at) for key, item in data.items()}, at.mark)
    if isinstance(data, list | tuple):
        return Value([_located(item, at) for item in data], at.mark)
    return Value(data, at.mark, "" if data is None else str(data))


def plain(value: Value) -> Any:
    """Return the bare data of a value, as variables hold it."""
    if isinstance(value.data, dict):
        return {key: plain(item) for key, item in value.data.items()}
    if isinstance(value.data, list):
        return [plain(item) for item in value.data]
    return value.data
