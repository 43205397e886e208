"""Variables in definitions: {{ name }} and {{ name.part }}; {{ '{{' }} is how to write the braces themselves.

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

# A part of what stands between {{ and }}: a quoted text may hold braces.
PART = re.compile(r"""[^'"}]+|'[^']*'|"[^"]*"|\}(?!\})""")
STATEMENT = re.compile(r"\{[%#]")
LOOKUP = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")
QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
MAXIMUM_TEXT = 10_000  # characters
MAXIMUM_VALUES = 1_000  # variables in variables multiply
LITERAL_HINT = "braces that are text are written {{ '{{' }}"


class Unfilled(Exception):
    """A text whose variables cannot be filled in: (message, hint)."""


def render(value: Value, variables: Mapping[str, Any], mistakes: Mistakes) -> Value:
    """Return the value with its variables filled in; notes a mistake for each that cannot be."""
    data = value.data
    if isinstance(data, str):
        return _render_text(value, variables, mistakes) if "{" in data else value
    if isinstance(data, dict):
        rendered = {key: render(item, variables, mistakes) for key, item in data.items()}
        return Value(rendered, value.mark, key_marks=value.key_marks)
    if isinstance(data, list):
        return Value([render(item, variables, mistakes) for item in data], value.mark)
    return value


def render_variables(
    own: Value, variables: Mapping[str, Any], overrides: Mapping[str, Any], mistakes: Mistakes
) -> dict[str, Any]:
    """Return all variables: `own` may use those above, and win over `variables`; `overrides` over both."""
    known = {**variables, **overrides}
    for name, value in own.data.items():
        rendered = render(value, known, mistakes)
        if name not in overrides:
            known[name] = rendered
    return known


def _render_text(value: Value, variables: Mapping[str, Any], mistakes: Mistakes) -> Value:
    try:
        filled = _fill(value.data, variables)
    except Unfilled as error:
        mistakes.add_and_spoil(value.mark, *error.args)
        return value
    return _located(filled, value)


def _fill(text: str, variables: Mapping[str, Any]) -> Any:
    """A text that is one expression keeps the type of the variable; else all is joined to text."""
    if text.startswith("{{") and _end(text, 0) == len(text):
        found = _evaluate(text[2:-2].strip(), variables)
        if _count(found) > MAXIMUM_VALUES:
            raise Unfilled(f"{text} holds more than {MAXIMUM_VALUES} values", "write fewer")
        return found
    if STATEMENT.search(text):
        raise Unfilled("{% ... %} and {# ... #} are not known here", "only {{ name }} and {{ name.part }} are")
    filled = "".join(_pieces(text, variables))
    if len(filled) > MAXIMUM_TEXT:
        raise Unfilled(f"with its variables this is longer than {MAXIMUM_TEXT} characters", "write less")
    return filled


def _pieces(text: str, variables: Mapping[str, Any]) -> list[str]:
    pieces = []
    end = 0
    while (start := text.find("{{", end)) >= 0:
        pieces.append(text[end:start])
        end = _end(text, start)
        pieces.append(_as_text(text[start + 2 : end - 2].strip(), variables))
    return [*pieces, text[end:]]


def _end(text: str, start: int) -> int:
    """Return where the expression ends that begins here. Raises Unfilled."""
    position = start + 2
    while part := PART.match(text, position):
        position = part.end()
    if not text.startswith("}}", position):
        raise Unfilled("{{ is never closed", f"write {{{{ name }}}}; {LITERAL_HINT}")
    return position + 2


def _as_text(expression: str, variables: Mapping[str, Any]) -> str:
    found = _evaluate(expression, variables)
    data, text = (found.data, found.text) if isinstance(found, Value) else (found, str(found))
    if data is None or isinstance(data, dict | list | tuple):
        kind = "nothing" if data is None else "a mapping" if isinstance(data, dict) else "a list"
        raise Unfilled(f"{{{{ {expression} }}}} is {kind}, and cannot be a part of a text", "name one of its parts")
    return str(data).lower() if isinstance(data, bool) else text


def _evaluate(expression: str, variables: Mapping[str, Any]) -> Any:
    if QUOTED.fullmatch(expression):
        return expression[1:-1]
    if not LOOKUP.fullmatch(expression):
        shown = f"{{{{ {expression} }}}}" if expression else "{{ }}"
        raise Unfilled(f"{shown} is not a variable", f"write {{{{ name }}}} or {{{{ name.part }}}}; {LITERAL_HINT}")
    known: Any = variables
    path: list[str] = []
    for part in expression.split("."):
        known = known.data if isinstance(known, Value) else known
        if not isinstance(known, dict) or part not in known:
            where = f" in {'.'.join(path)}" if path else ""
            hint = did_you_mean(part, known) if isinstance(known, dict) else f"{'.'.join(path)} has no parts"
            raise Unfilled(f"the variable {part!r} is not defined{where}", hint)
        known = known[part]
        path.append(part)
    return known


def _located(data: Any, at: Value) -> Value:
    """Give data from a variable the place where it is used."""
    if isinstance(data, Value):
        return Value(data.data, at.mark, data.text, data.key_marks)
    if isinstance(data, dict):
        return Value({str(key): _located(item, at) for key, item in data.items()}, at.mark)
    if isinstance(data, list | tuple):
        return Value([_located(item, at) for item in data], at.mark)
    return Value(data, at.mark, "" if data is None else str(data))


def _count(data: Any) -> int:
    """How many values there are, no further than it matters."""
    waiting = [data]
    count = 0
    while waiting and count <= MAXIMUM_VALUES:
        item = waiting.pop()
        item = item.data if isinstance(item, Value) else item
        waiting += item.values() if isinstance(item, dict) else item if isinstance(item, list | tuple) else ()
        count += 1
    return count


def plain(value: Value) -> Any:
    """Return the bare data of a value, as variables hold it."""
    if isinstance(value.data, dict):
        return {key: plain(item) for key, item in value.data.items()}
    if isinstance(value.data, list):
        return [plain(item) for item in value.data]
    return value.data


def written(value: Value) -> Any:
    """Return the same, with numbers as their author wrote them."""
    if isinstance(value.data, list):
        return [written(item) for item in value.data]
    return value.text if isinstance(value.data, int | float) and not isinstance(value.data, bool) else plain(value)
