"""Turns the arguments of a check into an instance of its type, noting every mistake with its place."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from nodecheck.checks.base import kind_of
from nodecheck.definitions.errors import did_you_mean
from nodecheck.definitions.template import plain

if TYPE_CHECKING:
    from nodecheck.checks.base import Check
    from nodecheck.definitions.errors import Mistakes
    from nodecheck.definitions.yamlfile import Value


def build(kind: type[Check], type_name: str, value: Value, mistakes: Mistakes) -> Check | None:
    """Return the check, or None when its arguments are wrong."""
    data = {} if value.data is None else value.data
    if not isinstance(data, dict):
        required = [name for name, field in kind.arguments().items() if field.default is dataclasses.MISSING]
        hint = f"write {type_name}: {{{required[0]}: ...}}" if required else f"write {type_name}: {{}}"
        mistakes.add(value.mark, f"the arguments of {type_name} are a mapping, not {value.kind()}", hint)
        return None
    before = len(mistakes)
    arguments = _arguments(kind, type_name, data, value, mistakes)
    if len(mistakes) > before:
        return None
    check = kind(**arguments)
    for argument, message, hint in check.mistakes():
        place = value.key_marks.get(argument, value.mark) if argument not in data else data[argument].mark
        mistakes.add(place, f"{argument}: {message}", hint)
    return check if len(mistakes) == before else None


def _arguments(
    kind: type[Check], type_name: str, data: dict[str, Value], value: Value, mistakes: Mistakes
) -> dict[str, Any]:
    known = kind.arguments()
    for name in data.keys() - known.keys():
        place = value.key_marks.get(name, value.mark)
        mistakes.add(place, f"{type_name} has no argument {name!r}", did_you_mean(name, known))
    arguments = {}
    for name, field in known.items():
        if name in data:
            arguments[name] = _argument(name, field, data[name], mistakes)
        elif field.default is dataclasses.MISSING:
            mistakes.add(value.mark, f"{type_name} needs the argument {name!r}", field.metadata["help"])
    return arguments


def _argument(name: str, field: dataclasses.Field[Any], value: Value, mistakes: Mistakes) -> Any:
    kind = kind_of(field)
    data = value.text if field.type == "str" and isinstance(value.data, float) else plain(value)
    try:
        read = kind.read(data)
        _check_bounds(read, field.metadata)
    except ValueError as error:
        hint = did_you_mean(str(data), map(str, field.metadata["choices"])) if field.metadata["choices"] else ""
        mistakes.add(value.mark, f"{name}: {error}", hint)
        return None
    return read


def _check_bounds(data: Any, metadata: Any) -> None:
    if metadata["choices"] and data not in metadata["choices"]:
        raise ValueError(f"{data!r} is not one of {', '.join(map(str, metadata['choices']))}")
    if metadata["minimum"] is not None and data < metadata["minimum"]:
        raise ValueError(f"{data} is below {metadata['minimum']}")
    if metadata["maximum"] is not None and data > metadata["maximum"]:
        raise ValueError(f"{data} is above {metadata['maximum']}")
