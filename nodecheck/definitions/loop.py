"""`loop` and `loop_control`: a check, a block or a play once for each item of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.definitions.errors import Mistakes, did_you_mean
from nodecheck.definitions.levels import (
    ELSEWHERE,
    does_not_matter,
    read_conditions,
    refuse_names,
    static,
    static_or_written,
)
from nodecheck.definitions.scope import Pending
from nodecheck.definitions.template import from_node, waits_for
from nodecheck.definitions.values import read_text
from nodecheck.definitions.yamlfile import Value

if TYPE_CHECKING:
    from nodecheck.definitions.levels import Level

LOOP_CONTROL = ("label", "loop_var")
ITEM = "item"
MOST_ITEMS = 1000
LABEL_KEYS = ("name", "key", "id")


class Control(NamedTuple):
    """What `loop_control` says: the variable of the loop, and what an item is called (None: by itself)."""

    variable: str = ITEM
    label: Value | None = None


def iterate(value: Value, outer: Level, mistakes: Mistakes) -> list[Level] | None:
    """Return the level around each iteration: one and the same without a loop.

    An empty list when the loop has no items; None when it cannot be read, or not here. Raises NotSeen.
    """
    if "loop" not in value.data:
        if "loop_control" in value.data:
            mistakes.add(value.key_marks["loop_control"], "loop_control without a loop controls nothing", "loop: [...]")
        # Who writes a loop as it was written once will be told of that, and not that there is no item.
        return [without_items(value, outer) if any(key.startswith("with_") for key in value.data) else outer]
    control = _control(value.data.get("loop_control"), mistakes)
    names = outer.scope.names()
    if does_not_matter(value.data["loop"], _conditions(value, outer, mistakes), names):
        return []
    items = _items(value.data["loop"], names, mistakes)
    if items is None:
        return None
    return [_around(item, position, control, outer, mistakes) for position, item in enumerate(items)]


def _conditions(value: Value, outer: Level, mistakes: Mistakes) -> tuple[Value, ...]:
    """Return those around a loop, and its own: their mistakes are told where its checks are read."""
    own = value.data.get("when")
    return outer.when + read_conditions("when", own, mistakes.apart()) if own else outer.when


def without_items(value: Value, outer: Level) -> Level:
    """Return a level on which the variable of the loop is there, and nothing is known of it."""
    variable = _control(value.data.get("loop_control"), Mistakes()).variable
    unknown = Pending(frozenset({ELSEWHERE}), lambda _results: None)
    return outer._replace(scope=outer.scope._replace(loops={**outer.scope.loops, variable: unknown}))


def _items(loop: Value, names: dict[str, Any], mistakes: Mistakes) -> list[Value] | None:
    if ELSEWHERE in waits_for(loop, names):
        return None
    before = len(mistakes)
    read = static("loop", loop, names, mistakes)
    if len(mistakes) > before:
        return None
    if not isinstance(read.data, list):
        hint = (
            f"{loop.text[:-2].rstrip()} | dict2items }}}}"
            if isinstance(read.data, dict) and loop.text
            else "loop: [...]"
        )
        mistakes.add(loop.mark, f"loop is a list, not {read.kind()}", hint)
        return None
    if loop.data == []:
        mistakes.add(loop.mark, "an empty list loops over nothing", "name its items, or take it out")
    if len(read.data) > MOST_ITEMS:
        mistakes.add(loop.mark, f"this loop has more than {MOST_ITEMS} items", "write fewer")
        return None
    written = loop.data if isinstance(loop.data, list) else [loop] * len(read.data)
    return [from_node(item, own, names) for item, own in zip(read.data, written, strict=True)]


def _control(value: Value | None, mistakes: Mistakes) -> Control:
    if value is None:
        return Control()
    if not isinstance(value.data, dict):
        mistakes.add(
            value.mark, f"loop_control is a mapping, not {value.kind()}", "loop_control: {label: ..., loop_var: ...}"
        )
        return Control()
    for key in value.data.keys() - set(LOOP_CONTROL):
        mistakes.add(value.key_marks[key], f"loop_control has no keyword {key!r}", did_you_mean(key, LOOP_CONTROL))
    variable = read_text("loop_var", value.data.get("loop_var"), mistakes) or ITEM
    if "loop_var" in value.data:
        refuse_names({variable: value.data["loop_var"].mark}, mistakes)
    label = value.data.get("label")
    return Control(variable, label if read_text("label", label, mistakes) else None)


def _around(item: Value, position: int, control: Control, outer: Level, mistakes: Mistakes) -> Level:
    scope = outer.scope._replace(loops={**outer.scope.loops, control.variable: item})
    label = _label(item, position)
    if control.label is not None:
        filled = static_or_written("loop_control", control.label, scope.names(), mistakes).text
        label = label if "{{" in filled else filled  # that one is known on another node
    return outer._replace(scope=scope, labels=(*outer.labels, label))


def _label(item: Value, position: int) -> str:
    """What an item is called: itself, or what tells a mapping from others; else its number, from 1."""
    if isinstance(item.data, dict):
        told = next((item.data[key].text for key in LABEL_KEYS if key in item.data), "")
        return told or str(position + 1)
    return str(position + 1) if isinstance(item.data, list) else item.text
