"""The schema of a check type's arguments: one pattern for each kind, and lists, all and not around it.

Each of these says no more than reading does: what `nodecheck lint` accepts, the schema accepts. `errorMessage` is what
yaml-language-server says in the place of "does not match the pattern".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodecheck.checks.base import REQUIRED, is_judged, kind_of
from nodecheck.definitions.comparable import VERSION
from nodecheck.definitions.expectation import (
    EXPECTATIONS,
    CountInTime,
    Duration,
    Expectation,
    HeldText,
    Number,
    Percent,
    Size,
    SizeInTime,
    Text,
    TextOrNumber,
    Version,
)
from nodecheck.definitions.quantities import BYTE_UNITS
from nodecheck.durations import UNITS

if TYPE_CHECKING:
    from nodecheck.checks.base import Argument, Check

    Schema = dict[str, Any]

TEMPLATE = r"\{\{"  # a text with an expression: what comes out of it is known later
NUMBER = r"[0-9]+(?:\.[0-9]+)?"
TIME = rf"(?:{NUMBER}\s*(?:{'|'.join(sorted(UNITS, key=len, reverse=True))})\s*)+"
# Neither more nor less than another text, and something has to stand there.
TEXT = r"^(?!\s*(?:[<>]|=[<>]))(?!\s*(?:!=|==)?\s*(?://i?)?\s*$)"
QUANTITIES: dict[type[Expectation], str] = {
    Number: rf"-?{NUMBER}",
    CountInTime: rf"-?{NUMBER}(?:\s+in\s+{TIME})?",
    Percent: rf"-?{NUMBER}\s*%",
    Size: rf"-?{NUMBER}\s*(?:{'|'.join(BYTE_UNITS)})",
    SizeInTime: rf"-?{NUMBER}\s*(?:{'|'.join(BYTE_UNITS)})(?:\s+in\s+{TIME})?",
    Duration: TIME,
    Version: f"v?{VERSION}",
}
TEXTS: dict[type[Expectation], str] = {
    Text: TEXT,
    HeldText: rf"{TEXT}(?![\s\S]*\sfor\s+(?!\s*{TIME}$))",
    TextOrNumber: rf"^\s*(?:<=?|>=?)\s*-?{NUMBER}\s*$|{TEXT}",
}
NUMBERS_TOO = frozenset(
    {Number, CountInTime, Text, HeldText, TextOrNumber, Version}
)  # 3 needs no quotes, and 1.10 may be a text


def or_template(pattern: str) -> str:
    """Return a pattern that fits any text with an expression too."""
    return f"{TEMPLATE}|{pattern}"


def one_of(choices: tuple[Any, ...]) -> list[Schema]:
    """Return the alternatives of one of a few words: these, also with blanks around them, or an expression."""
    words = "|".join(map(str, choices))
    return [{"enum": list(choices)}, {"type": "string", "pattern": or_template(rf"^\s*(?:{words})\s*$")}]


def of_type(name: str, kind: type[Check]) -> Schema:
    """Return the schema of what stands behind a check type."""
    summary = (kind.__doc__ or "").partition("\n")[0]
    arguments = kind.arguments()
    required = [argument for argument, field in arguments.items() if field.default is REQUIRED]
    example = next((line.strip() for line in kind.EXAMPLE.splitlines() if line.strip().startswith(f"{name}:")), "")
    return {
        "title": name,
        "description": summary,
        "markdownDescription": f"{summary}\n\n```yaml\n{kind.EXAMPLE.rstrip()}\n```",
        "properties": {argument: of_argument(argument, field) for argument, field in arguments.items()},
        "required": required,
        "additionalProperties": False,
        "allOf": [
            {
                "type": ["object", "string", *([] if required else ["null"])],
                "pattern": TEMPLATE,
                "errorMessage": f"the arguments of {name} are a mapping, for example {example}",
            }
        ],
    }


def of_argument(name: str, field: Argument) -> Schema:
    """Return the schema of one argument."""
    default = field.default.source if isinstance(field.default, Expectation) else field.default
    told = {} if default is REQUIRED or default is None else {"default": default}
    words = _words(field)
    words += f" Default: {str(default).lower() if isinstance(default, bool) else default}." if told else ""
    description = "\n\n".join(filter(None, (field.metadata["help"], words.strip())))
    # Beside a type, an editor would fill in the default with the key of the check type.
    return {"title": name, "description": description, **told, "anyOf": _alternatives(field)}


def _words(field: Argument) -> str:
    metadata = field.metadata
    if metadata["choices"]:
        return ""
    bounds = [metadata["minimum"], metadata["maximum"]]
    return f"Takes {kind_of(field).words}{'' if None in bounds else ' from {} to {}'.format(*bounds)}."


def judged_arguments(kind: type[Check]) -> dict[str, Schema]:
    """Return the arguments of a type that `warn` takes, with their schemas."""
    return {name: of_argument(name, field) for name, field in kind.arguments().items() if is_judged(field)}


def definitions() -> dict[str, Schema]:
    """Return what the schemas of arguments refer to."""
    found: dict[str, Schema] = {}
    for kind in EXPECTATIONS:
        found[f"kind.{kind.__name__}"] = _expectation(kind)
        found[f"kind.{kind.__name__}.item"] = _expectation(kind, lists=False)
        found[f"kind.{kind.__name__}.several"] = _several(kind.__name__)
    return found


# ---- the kinds


def _alternatives(field: Argument) -> list[Schema]:
    metadata = field.metadata
    kind = kind_of(field)
    if metadata["choices"]:
        return one_of(metadata["choices"])
    if isinstance(kind.read, type) and issubclass(kind.read, Expectation):
        return [{"$ref": f"#/definitions/kind.{kind.read.__name__}"}]
    schema = {**PLAIN[field.type.removesuffix(" | None")], "errorMessage": f"expected {kind.words}"}
    bounds = {bound: metadata[bound] for bound in ("minimum", "maximum") if metadata[bound] is not None}
    return [{**schema, **bounds}]


PLAIN: dict[str, Schema] = {
    "int": {"type": ["integer", "string"], "pattern": TEMPLATE},
    "bool": {"type": ["boolean", "string"], "pattern": TEMPLATE},
    "str": {"type": ["string", "number"], "pattern": r"[\s\S]"},
    "Regex": {"type": ["string", "number"], "pattern": r"[\s\S]"},
    "Conditions": {
        "type": ["string", "boolean", "array"], "pattern": r"[\s\S]", "minItems": 1,
        "items": {"type": ["string", "boolean"], "pattern": r"[\s\S]"},
    },
    "Words": {
        "type": ["string", "number", "array"], "pattern": r"[\s\S]", "minItems": 1,
        "items": {"type": ["string", "number"], "pattern": r"[\s\S]"},
    },
    "Numbers": {
        "type": ["object", "string"], "pattern": TEMPLATE, "minProperties": 1,
        "additionalProperties": {"$ref": "#/definitions/kind.Number"},
    },
    "Texts": {
        "type": ["object", "string"], "pattern": TEMPLATE, "minProperties": 1,
        "additionalProperties": {"$ref": "#/definitions/kind.Text"},
    },
}  # fmt: skip


def _expectation(kind: type[Expectation], *, lists: bool = True) -> Schema:
    """Lists and mappings are told apart below: an editor that fills in a key would begin with one."""
    numbers = ["number"] if kind in NUMBERS_TOO else []
    return {
        "type": ["string", *numbers, *(["array"] if lists else []), "object"],
        "pattern": or_template(TEXTS.get(kind) or _quantity(QUANTITIES[kind])),
        "errorMessage": f"expected {kind.GRAMMAR}",
        "allOf": [{"$ref": f"#/definitions/kind.{kind.__name__}.several"}],
    }


def _quantity(one: str) -> str:
    return rf"^\s*(?:(?:<=|>=|==|!=|<|>)?\s*{one}|{one}\s*\.\.\s*{one})\s*$"


def _several(name: str) -> Schema:
    """Any of a list, {all: [...]} and {not: ...}."""
    any_kind = {"$ref": f"#/definitions/kind.{name}"}
    unwanted = {"pattern": r"^(?!\s*!=)", "errorMessage": "a list means any of these, and nearly everything is this"}
    return {
        "minItems": 1,
        "items": {"$ref": f"#/definitions/kind.{name}.item"},
        "properties": {
            "all": {
                "title": "all",
                "description": "All of these have to hold.",
                "type": ["array", "string"],
                "pattern": TEMPLATE,
                "minItems": 1,
                "items": any_kind,
                "errorMessage": "all takes a list",
            },
            "not": {"title": "not", "description": "None of this may hold.", "allOf": [any_kind]},
        },
        "additionalProperties": False,
        "errorMessage": "an expectation that is a mapping is {all: [...]} or {not: ...}",
        "minProperties": 1,
        "maxProperties": 1,
        "if": {"type": "array", "minItems": 2},
        "then": {"items": unwanted},
    }
