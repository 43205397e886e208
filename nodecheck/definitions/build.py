"""Turns the arguments of a check into an instance of its type, noting every mistake with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodecheck.checks.base import REQUIRED, is_judged, kind_of
from nodecheck.definitions.errors import closest, did_you_mean
from nodecheck.definitions.variables import plain, written
from nodecheck.definitions.yamlfile import Value

AS_WRITTEN = frozenset(
    {"str", "Text", "HeldText", "TextOrNumber", "Version", "Regex", "Words", "Texts"}
)  # 1.10 and 0755 are texts where a text is wanted
ONE_VALUE = frozenset({"str", "int", "bool", "Regex"})
BOOLEANS = dict.fromkeys(("yes", "on", "y", "true", "1"), "true") | dict.fromkeys(
    ("no", "off", "n", "false", "0"), "false"
)
NUMBER_WIDTH = 20

if TYPE_CHECKING:
    from nodecheck.checks.base import Argument, Check
    from nodecheck.definitions.errors import Mistakes


def build(kind: type[Check], type_name: str, value: Value, mistakes: Mistakes) -> Check | None:
    """Return the check, or None when its arguments are wrong."""
    data = {} if value.data is None else value.data
    if not isinstance(data, dict):
        hint = _mapping_hint(kind, type_name, value)
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


def build_milder(kind: type[Check], type_name: str, value: Value, warn: Value, mistakes: Mistakes) -> Check | None:
    """Return the same check with the expectations of `warn` in the place of its own."""
    known = kind.arguments()
    judged = [name for name, field in known.items() if is_judged(field)]
    for name in warn.data:
        if name not in judged:
            place = warn.key_marks.get(name, warn.mark)
            message = f"{name} of {type_name} says what is looked at, and warn takes expectations only"
            if name not in known:
                message = f"{type_name} has no argument {name!r}"
            mistakes.add(place, message, did_you_mean(name, judged))
    own = value.data if isinstance(value.data, dict) else {}
    arguments = {name: item for name, item in warn.data.items() if name in judged}
    marks = {**value.key_marks, **warn.key_marks}
    return build(kind, type_name, Value({**own, **arguments}, value.mark, key_marks=marks), mistakes)


def _mapping_hint(kind: type[Check], type_name: str, value: Value) -> str:
    """Put what was written where it was probably meant; else show an example."""
    required = [name for name, field in kind.arguments().items() if field.default is REQUIRED]
    if value.text.count("=") and all("=" in word for word in value.text.split()[1 if required else 0 :]):
        words = [word.partition("=") for word in value.text.split()]
        named = [(name, text) if equals else (required[0], name) for name, equals, text in words]
        return f"write {type_name}: {{{', '.join(f'{name}: {text}' for name, text in named)}}}"
    if required and value.text:
        return f"write {type_name}: {{{required[0]}: {value.text}}}"
    lines = [line.strip() for line in kind.EXAMPLE.splitlines()]
    return next((f"for example {line}" for line in lines if line.startswith(f"{type_name}:")), "")


def _arguments(
    kind: type[Check], type_name: str, data: dict[str, Value], value: Value, mistakes: Mistakes
) -> dict[str, Any]:
    known = kind.arguments()
    misspelt = []
    for name in [name for name in data if name not in known]:
        place = value.key_marks.get(name, value.mark)
        mistakes.add(place, f"{type_name} has no argument {name!r}", did_you_mean(name, known))
        misspelt.append(closest(name, known))
    arguments = {}
    for name, field in known.items():
        if name in data:
            arguments[name] = _argument(name, field, data[name], mistakes)
        elif field.default is REQUIRED and name not in misspelt:
            mistakes.add(value.mark, f"{type_name} needs the argument {name!r}", field.metadata["help"])
    return arguments


def _argument(name: str, field: Argument, value: Value, mistakes: Mistakes) -> Any:
    kind = kind_of(field)
    word = field.type.removesuffix(" | None")
    try:
        _check_kind(value, word, kind.words)
        read = kind.read(written(value) if word in AS_WRITTEN else plain(value))
        _check_bounds(read, field.metadata)
    except ValueError as error:
        if _has_open_end(value, mistakes):
            mistakes.leave_open(value.mark)
        mistakes.add(value.mark, f"{name}: {error}", _hint(word, value, field.metadata["choices"]))
        return None
    return read


def _has_open_end(value: Value, mistakes: Mistakes) -> bool:
    """Tell whether something within is not known yet: then it is no wonder that the whole cannot be read."""
    items = value.data.values() if isinstance(value.data, dict) else value.data if isinstance(value.data, list) else ()
    return any(mistakes.is_open(item.mark) or _has_open_end(item, mistakes) for item in items)


def _check_kind(value: Value, word: str, words: str) -> None:
    """Refuse what no argument, or none of this kind, can be."""
    if value.data is None:
        raise ValueError(f"expected {words}, and nothing stands here")
    if word in ONE_VALUE and isinstance(value.data, dict | list):
        raise ValueError(f"expected {words}, not {value.kind()}")
    if word in AS_WRITTEN and isinstance(value.data, bool):
        raise ValueError(f"expected {words}, not {value.text}")


def _hint(word: str, value: Value, choices: tuple[Any, ...]) -> str:
    """What to write instead, where that can be told."""
    near = closest(value.text, map(str, choices))
    if near:
        return f"did you mean {near}?"
    if word == "bool":
        meant = BOOLEANS.get(value.text.lower())
        unquoted = ", without quotes" if value.text in ("true", "false") else ""
        return f"write {meant}{unquoted}: only true and false are booleans" if meant else ""
    if word == "int" and not isinstance(value.data, int):
        for base in (10, 0):
            try:
                return f"write {int(value.text[:NUMBER_WIDTH], base)}: digits only, no quotes, and no zero before them"
            except ValueError:
                continue
    return f'quote it if it is a text: "{value.text}"' if word in AS_WRITTEN and isinstance(value.data, bool) else ""


def _check_bounds(data: Any, metadata: Any) -> None:
    if metadata["choices"] and data not in metadata["choices"]:
        raise ValueError(f"{data!r} is not one of {', '.join(map(str, metadata['choices']))}")
    if metadata["minimum"] is not None and data < metadata["minimum"]:
        raise ValueError(f"{data} is below {metadata['minimum']}")
    if metadata["maximum"] is not None and data > metadata["maximum"]:
        raise ValueError(f"{data} is above {metadata['maximum']}")
