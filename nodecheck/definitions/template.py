"""Expressions in definitions: {{ name.part }} is looked up, all else is Jinja2's.

What was read from the node is looked up, never rendered: a host name with braces stays text (CVE-2023-5764).
{{ '{{' }} is how to write the braces themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodecheck.definitions.errors import did_you_mean
from nodecheck.definitions.scope import FOUND_OUT, Pending
from nodecheck.definitions.variables import (
    LITERAL_HINT,
    MAXIMUM_TEXT,
    FromNode,
    NotSeen,
    Undefined,
    Unfilled,
    look_up,
    pending_checks,
)
from nodecheck.definitions.yamlfile import Value
from nodecheck.patterns import later

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nodecheck.definitions.errors import Mistakes

    Names = Mapping[str, Any]

# A part of what stands between {{ and }}: a quoted text may hold braces.
PART = later(r"""[^'"}]+|'[^']*'|"[^"]*"|\}(?!\})""")
STATEMENT = later(r"\{[%#]")
LOOKUP = later(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")
QUOTED = later(r"""'[^']*'|"[^"]*\"""")
MAXIMUM_VALUES = 1_000  # variables in variables multiply


def render(value: Value, names: Names, mistakes: Mistakes, *, tolerant: bool = False) -> Value:
    """Return the value with its expressions filled in; notes a mistake for each that has no value.

    What waits for a result is left as it is, and nothing is said of it from then on: see `waits_for`. `tolerant`: the
    same goes for what is undefined.
    """
    data = value.data
    if isinstance(data, str):
        return _render_text(value, names, mistakes, tolerant=tolerant) if "{" in data else value
    if isinstance(data, dict):
        rendered = {key: render(item, names, mistakes, tolerant=tolerant) for key, item in data.items()}
        return Value(rendered, value.mark, key_marks=value.key_marks)
    if isinstance(data, list):
        return Value([render(item, names, mistakes, tolerant=tolerant) for item in data], value.mark)
    return value


def waits_for(value: Value, names: Names) -> frozenset[str]:
    """Return the ids of the checks whose results are needed before this value is known."""
    pending = pending_checks(names)
    if not pending:
        return frozenset()
    return frozenset().union(*(pending[name] for name in names_used(value) & pending.keys()))


def names_used(value: Value) -> set[str]:
    """Return the variables that the expressions of a value name."""
    return set().union(*map(_free_names, _texts(value)))


def from_node(filled: Value, value: Value, names: Names) -> Value:
    """Return what became of a value, told apart where that is made of what was found out about this node."""
    is_found_out = any(name in FOUND_OUT or isinstance(names.get(name), FromNode) for name in names_used(value))
    return FromNode(filled.data, filled.mark, filled.text, filled.key_marks) if is_found_out else filled


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value.data, str) and "{{" in value.data:
        yield value.data
    elif isinstance(value.data, dict | list):
        for item in value.data.values() if isinstance(value.data, dict) else value.data:
            yield from _texts(item)


def _free_names(text: str) -> set[str]:
    """The variables that the expressions of a text name; none of a text that is wrong: rendering it says so."""
    try:
        return set().union(*(names_in(expression) for expression, _, _ in _expressions(text)))
    except Unfilled:
        return set()


def names_in(expression: str) -> set[str]:
    """Return the variables that an expression names. Raises Unfilled for what is no expression."""
    if QUOTED.fullmatch(expression):
        return set()
    if LOOKUP.fullmatch(expression):
        return {expression.partition(".")[0]}
    from nodecheck.definitions import jinja

    return jinja.names_in(expression)


def refuse_parts(expression: str, names: Names) -> None:
    """Raise Undefined when an expression asks a result for a part that no such result has: a slip in every run."""
    for chain in chains_in(expression):
        item = names.get(chain[0])
        parts: Any = item.parts if isinstance(item, Pending) else {}
        for depth, part in enumerate(chain[1:3], 1):
            if not parts:
                break
            if part not in parts:
                of = ".".join(chain[:depth])
                raise Undefined(f"{of} has no {part!r}: it is a result", did_you_mean(part, parts))
            parts = parts[part] if depth == 1 else ()


def refuse_parts_of(value: Value, names: Names) -> None:
    """Do so for all expressions in a value. Raises Undefined."""
    for text in _texts(value):
        for expression, _, _ in _expressions(text):
            refuse_parts(expression, names)


def chains_in(expression: str) -> set[tuple[str, ...]]:
    """Return what an expression looks up, each by its parts: (r, observed, count). Raises Unfilled."""
    if QUOTED.fullmatch(expression):
        return set()
    if LOOKUP.fullmatch(expression):
        return {tuple(expression.split("."))}
    from nodecheck.definitions import jinja

    return jinja.chains_in(expression)


def _render_text(value: Value, names: Names, mistakes: Mistakes, *, tolerant: bool) -> Value:
    try:
        if waits_for(value, names):
            refuse_parts_of(value, names)
            mistakes.leave_open(value.mark)
            return value
        filled = fill(value.data, names)
    except NotSeen as error:
        mistakes.leave_unseen(value.mark, error.args[0])
        return value
    except Unfilled as error:
        if tolerant and isinstance(error, Undefined):
            mistakes.leave_open(value.mark)
        else:
            mistakes.add_and_spoil(value.mark, *error.args)
        return value
    return located(filled, value)


def fill(text: str, names: Names) -> Any:
    """Return a text with its expressions filled in: one that is nothing else keeps its type. Raises Unfilled."""
    expressions = list(_expressions(text))
    if len(expressions) == 1 and expressions[0][1:] == (0, len(text)):
        found = evaluate(expressions[0][0], names)
        if _count(found) > MAXIMUM_VALUES:
            raise Unfilled(f"{text} holds more than {MAXIMUM_VALUES} values", "write fewer")
        return found
    if STATEMENT.search(text):
        raise Unfilled("{% ... %} and {# ... #} are not known here", "choose with {{ this if condition else that }}")
    return _joined(text, expressions, names)


def _joined(text: str, expressions: list[tuple[str, int, int]], names: Names) -> str:
    pieces, position, length = [], 0, 0
    for expression, start, end in expressions:
        pieces += [text[position:start], _as_text(expression, names)]
        position = end
        length += len(pieces[-1]) + len(pieces[-2])
        if length > MAXIMUM_TEXT:
            break
    filled = "".join([*pieces, text[position:]])
    if len(filled) > MAXIMUM_TEXT:
        raise Unfilled(f"with its variables this is longer than {MAXIMUM_TEXT} characters", "write less")
    return filled


def _expressions(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (expression, where its braces start, where they end). Raises Unfilled."""
    end = 0
    while (start := text.find("{{", end)) >= 0:
        end = _end(text, start)
        yield text[start + 2 : end - 2].strip(), start, end


def _end(text: str, start: int) -> int:
    """Return where the expression ends that begins here. Raises Unfilled."""
    position = start + 2
    while part := PART.match(text, position):
        position = part.end()
    if not text.startswith("}}", position):
        raise Unfilled("{{ is never closed", f"write {{{{ name }}}}; {LITERAL_HINT}")
    return position + 2


def _as_text(expression: str, names: Names) -> str:
    found = evaluate(expression, names)
    data, text = (found.data, found.text) if isinstance(found, Value) else (found, str(found))
    if data is None or isinstance(data, dict | list | tuple):
        kind = "nothing" if data is None else "a mapping" if isinstance(data, dict) else "a list"
        raise Unfilled(f"{{{{ {expression} }}}} is {kind}, and cannot be a part of a text", "name one of its parts")
    return str(data).lower() if isinstance(data, bool) else text


def evaluate(expression: str, names: Names) -> Any:
    """Return what an expression stands for: plain data, or a Value where a variable holds one. Raises Unfilled."""
    if QUOTED.fullmatch(expression):
        return expression[1:-1]
    if LOOKUP.fullmatch(expression):
        return look_up(expression, names)
    if not expression:
        raise Unfilled("{{ }} is not a variable", f"write {{{{ name }}}}; {LITERAL_HINT}")
    from nodecheck.definitions import jinja  # 50 ms, and most definitions only look up

    return jinja.evaluate(expression, names)


def located(data: Any, at: Value) -> Value:
    """Give data from a variable the place where it is used."""
    if isinstance(data, Value):
        return Value(data.data, at.mark, data.text, data.key_marks)
    if isinstance(data, dict):
        return Value({str(key): located(item, at) for key, item in data.items()}, at.mark)
    if isinstance(data, list | tuple):
        return Value([located(item, at) for item in data], at.mark)
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
