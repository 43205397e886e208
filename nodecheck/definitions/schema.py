"""The JSON Schema of definition files and of the settings, for editors: made from keywords.py and the check types.

Draft-07, which yaml-language-server knows best. It says where a key may stand and how a value is written; what depends
on other places or on the node (needs, names, variables, files) only `nodecheck lint` can tell. A file that is included
is a list of checks, and is checked by the same schema: what has hosts or checks is a play.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodecheck import checks as check_types
from nodecheck.definitions import schemakinds
from nodecheck.definitions.event_settings import ADDRESS, DIALECTS, EMIT, SINKS, Option
from nodecheck.definitions.keywords import (
    DEFAULTS,
    FROM_OTHER_TOOLS,
    KEYWORDS,
    MOST_RETRIES,
    OF_BLOCK,
    OF_CHECK,
    OF_IMPORT,
    OF_PLAY,
    SEVERITIES,
    Keyword,
)
from nodecheck.definitions.levels import DAY, RUNS
from nodecheck.definitions.loop import MOST_ITEMS
from nodecheck.definitions.schemakinds import TEMPLATE, TIME, one_of, or_template

if TYPE_CHECKING:
    from nodecheck.checks.base import Check

    Schema = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"
FOUND_OUT = "facts|groups"
VARIABLE = rf"(?!(?:{FOUND_OUT})\s*$)[A-Za-z_][A-Za-z0-9_]*"
NO_NAME = "no name for a variable: letters, digits and _, a letter first; facts and groups are taken"
# Letters of all languages: what is not ASCII may be one.
WORD = r"[^\s!-,/:-@\[-^`{-~.-][^\s!-,/:-@\[-^`{-~]*"
NO_PATTERN = r"^(?![\s\S]*\[)(?!\s*~)(?![\s\S]*[:,]\s*~)"  # neither an index nor a regular expression
HOSTS = rf"{NO_PATTERN}(?=[\s\S]*[^\s:,&!])"
SINKS_ALONE = [name for name, options in SINKS.items() if not any(option.required for option in options.values())]
VALUES_AS_DEFAULTS = ("severity", "timeout", "delay")  # what DEFAULTS says of them is what one would write
HOSTS_WORDS = "groups: a:b either, a:&b both, a:!b not b; * and ? match"
TIME_WORDS = "a time with its unit such as 30s, 5m or 1h30m"


def definitions() -> Schema:
    """Return the schema of definition files."""
    kinds = {name: kind for name in check_types.names() if (kind := check_types.type_named(name))}
    return {
        "$schema": DIALECT,
        "$id": "urn:nodecheck:definitions",
        "title": "nodecheck definitions",
        "description": "A list of plays; a file that is included is a list of checks.",
        "type": "array",
        "errorMessage": "a list of plays: each begins with a dash",
        "minItems": 1,
        "items": _at_top(tuple(kinds)),
        "definitions": {
            "play": _level("play", "For which hosts, and what.", OF_PLAY, ("hosts", "checks")),
            "import": _level("import", "The plays of another file.", ("import", *OF_IMPORT), ("import",)),
            "check": _check(kinds),
            **{f"keyword.{keyword.name}": _keyword(keyword) for keyword in KEYWORDS},
            "warn": _warn(_judged_by_any(kinds)),
            **{f"type.{name}": schemakinds.of_type(name, kind) for name, kind in kinds.items()},
            **{f"warn.{name}": _warn(schemakinds.judged_arguments(kind)) for name, kind in kinds.items()},
            **schemakinds.definitions(),
        },
    }


def settings() -> Schema:
    """Return the schema of /etc/nodecheck/nodecheck.yaml."""
    time = {"type": ["string", "null"], "pattern": rf"^\s*{TIME}$", "errorMessage": TIME_WORDS, "default": "30s"}
    return {
        "$schema": DIALECT,
        "$id": "urn:nodecheck:settings",
        "title": "nodecheck settings",
        "description": "What holds for all definitions on this node.",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "groups": {
                "title": "groups",
                "description": "Groups that this node is in, beside those that are found out.",
                "type": ["array", "null"],
                "items": {"type": "string", "pattern": rf"^{WORD}$", "errorMessage": "letters, digits, _ - and ."},
            },
            "vars": {"title": "vars", "description": "Variables for all definitions.", **TAKES["variables"]},
            "budget": {"title": "budget", "description": "A run ends within this time, whatever hangs.", **time},
            "events": _events(time),
        },
    }


def _events(time: Schema) -> Schema:
    sinks = [*SINKS_ALONE, *SINKS]
    every: Schema = {"default": "1h", "description": "After which time a check that stays not ok is told again."}
    return {
        "title": "events",
        "description": "Which events a run tells, and where they go: nodecheck explain events.",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "emit": {
                "title": "emit",
                "description": "changes, and now and then what is not ok; or all results of each run.",
                "default": EMIT[0],
                "anyOf": [{"type": "null"}, *one_of(EMIT)],
            },
            "repeat": {**time, "title": "repeat", **every},
            "to": {
                "title": "to",
                "description": "Where events go.",
                "type": ["array", "null"],
                "minItems": 1,
                "items": {
                    "anyOf": [
                        {"type": "string", "pattern": rf"^\s*(?:{'|'.join(SINKS_ALONE)})\s*$"},
                        {
                            "type": "object",
                            "properties": {name: _sink(options) for name, options in SINKS.items()},
                            "additionalProperties": False,
                            "minProperties": 1,
                            "maxProperties": 1,
                        },
                    ],
                    "errorMessage": f"one of {', '.join(sinks)}, with its options",
                },
            },
        },
    }


def _sink(options: dict[str, Option]) -> Schema:
    required = [name for name, option in options.items() if option.required]
    text = {"type": "string", "pattern": r"\S"}
    path = {"type": "string", "pattern": r"^\s*/"}
    address = {"type": "string", "pattern": r"^\s*(?:unix:/|(?:udp|tcp|tls)://)\S", "errorMessage": ADDRESS}
    kinds: dict[str, Schema] = {"dialect": {"anyOf": one_of(DIALECTS)}, "path": path, "address": address, "text": text}
    return {
        "type": "object" if required else ["object", "null"],
        "properties": {
            name: {"title": name, "description": option.help, **kinds[option.kind]} for name, option in options.items()
        },
        "additionalProperties": False,
        "required": required,
    }


# ---- plays, blocks and checks


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _has(*names: str) -> Schema:
    return {"type": "object", "anyOf": [{"required": [name]} for name in names]}


def _properties(names: tuple[str, ...]) -> dict[str, Schema]:
    return {name: _ref(f"keyword.{name}") for name in names}


def _with_hints(schema: Schema) -> Schema:
    """Say of keys of other tools what to write instead: they are known, and then refused with that message."""
    hints: dict[str, dict[str, bool]] = {}
    for key, hint in FROM_OTHER_TOOLS.items():
        if key not in schema["properties"]:
            hints.setdefault(hint, {})[key] = False
    refusals = [{"properties": keys, "errorMessage": hint} for hint, keys in hints.items()]
    known = {key: True for keys in hints.values() for key in keys}
    return {**schema, "properties": {**schema["properties"], **known}, "allOf": [*schema.get("allOf", ()), *refusals]}


def _level(title: str, description: str, names: tuple[str, ...], required: tuple[str, ...]) -> Schema:
    level = {
        "title": title,
        "description": description,
        "type": "object",
        "properties": {**_properties(names), "warn": _ref("warn")},
        "required": list(required),
        "additionalProperties": False,
        "dependencies": {"loop_control": ["loop"]},
    }
    return _with_hints(level)


def _at_top(types: tuple[str, ...]) -> Schema:
    """One condition after the other, and not oneOf: so an editor tells what is wrong with what was meant."""
    within = (*types, "block", "include")
    check = {"if": _has(*within), "then": _ref("check"), "else": _beginning(types)}
    play = {"if": _has("hosts", "checks"), "then": _ref("play"), "else": check}
    return {
        "title": "play",
        "type": "object",
        "errorMessage": "a play is a mapping: name, hosts and checks",
        "if": _has("import"),
        "then": _ref("import"),
        "else": play,
    }


def _beginning(types: tuple[str, ...]) -> Schema:
    """What has nothing that tells what it is: any key may come next."""
    keywords = ("import", *OF_PLAY, *OF_BLOCK)
    missing = {"required": ["hosts"], "errorMessage": "a play needs hosts and checks, a check needs a type"}
    beginning = {
        "properties": {**_properties(keywords), **{name: _ref(f"type.{name}") for name in types}},
        "additionalProperties": False,
        **_where_all_are_known((*types, *keywords), missing),
    }
    return _with_hints(beginning)


def _where_all_are_known(names: tuple[str, ...], then: Schema) -> Schema:
    """What is missing is not told where it is probably there, and misspelt."""
    return {"if": {"propertyNames": {"enum": sorted(set(names))}}, "then": then}


def _check(kinds: dict[str, type[Check]]) -> Schema:
    """A check or a block: what stands in `checks`."""
    types = tuple(kinds)
    own = tuple(name for name in OF_CHECK if name != "name")
    named = {"if": {"not": _has("block", "include")}, "then": {"required": ["name"]}}
    check = {
        "title": "check",
        "description": "One desired state of one thing: a name, keywords, and one check type. Or a block of checks.",
        "properties": {
            **_properties(("name",)),
            **{name: _ref(f"type.{name}") for name in types},
            **_properties(("block", "include", *own)),
        },
        "additionalProperties": False,
        "dependencies": {"loop_control": ["loop"]},
        "allOf": [
            {"type": "object", "errorMessage": "a check is a mapping: a name, and a type with its arguments"},
            _where_all_are_known((*types, *OF_BLOCK), {**_one_of_these((*types, "block", "include")), **named}),
            {"if": _has("block", "include"), "then": _block(types)},
            *(_of_one_type(name, types[position + 1 :]) for position, name in enumerate(types)),
        ],
    }
    return _with_hints(check)


def _one_of_these(names: tuple[str, ...]) -> Schema:
    message = f"this check has no type: {', '.join(names[:-2])}; or it is a block, or an include"
    return {"anyOf": [{"required": [name], "errorMessage": message} for name in names]}


def _block(types: tuple[str, ...]) -> Schema:
    return {
        "properties": dict.fromkeys(types, False),
        "errorMessage": "a block has no check type: its checks have",
        "allOf": [
            {"properties": {"warn": _ref("warn")}},
            {
                "if": _has("block"),
                "then": {"properties": {"include": False}, "errorMessage": "a block, or an include of one: not both"},
            },
        ],
    }


def _of_one_type(name: str, others: tuple[str, ...]) -> Schema:
    then = {
        "properties": dict.fromkeys(others, False),
        "errorMessage": f"a check has one type, and this one is a {name}",
        "allOf": [{"properties": {"warn": _ref(f"warn.{name}")}}],
    }
    return {"if": _has(name), "then": then}


def _warn(arguments: dict[str, Schema]) -> Schema:
    keyword = next(keyword for keyword in KEYWORDS if keyword.name == "warn")
    return {**_keyword(keyword), "properties": arguments, "additionalProperties": False}


def _judged_by_any(kinds: dict[str, type[Check]]) -> dict[str, Schema]:
    """The arguments of all types: which ones the checks of a block have is not known here."""
    found: dict[str, Schema] = {}
    for kind in kinds.values():
        for name, schema in schemakinds.judged_arguments(kind).items():
            known = found.setdefault(name, {"title": name, "description": schema["description"], "anyOf": []})
            known["anyOf"] += [alternative for alternative in schema["anyOf"] if alternative not in known["anyOf"]]
    return found


def _keyword(keyword: Keyword) -> Schema:
    default = DEFAULTS.get(keyword.name, "")
    told = f" Default: {default}." if default else ""
    schema = {"title": keyword.name, "description": keyword.help + told, **TAKES[keyword.takes]}
    if keyword.name in VALUES_AS_DEFAULTS:
        schema["default"] = default
    return schema


# ---- what keywords take


def _text(pattern: str, words: str) -> Schema:
    return {"type": "string", "pattern": or_template(pattern), "errorMessage": words}


def _or_list(one: Schema, least: int = 1) -> Schema:
    """One, or a list; an editor that fills in the key begins with one."""
    several = {"items": {**one, "type": one["type"]}, "minItems": least}
    types = [one["type"]] if isinstance(one["type"], str) else one["type"]
    return {**one, "type": [*types, "array"], "allOf": [several]}


EXPRESSION = {
    "type": ["string", "boolean"],
    "pattern": r"^(?![\s\S]*\{\{)[\s\S]",
    "errorMessage": "an expression, without braces: facts.os.id == 'debian'",
}
TAKES: dict[str, Schema] = {
    "text": _text(r"\S", "a text; quote what is not one"),
    "identifier": _text(rf"^\s*{WORD}\s*$", "letters, digits, - _ and ."),
    "path": _text(r"\S", "the path of a file beside this one"),
    "words": _or_list(_text(r"\S", "a text, or a list of texts"), 0),
    "hosts": {**_or_list(_text(rf"{NO_PATTERN}[\s\S]*\S", HOSTS_WORDS)), "pattern": or_template(HOSTS)},
    "checks": {
        "type": "array",
        "errorMessage": "a list of checks: each begins with a dash",
        "minItems": 1,
        "items": _ref("check"),
    },
    "variables": {
        "type": ["object", "null"],
        "propertyNames": {"pattern": rf"^{VARIABLE}$", "errorMessage": NO_NAME},
    },
    "variable": {"type": "string", "pattern": rf"^\s*{VARIABLE}\s*$", "errorMessage": NO_NAME},
    "expectations": {"type": ["object"], "minProperties": 1},  # a list, or an editor calls it by its title
    "conditions": _or_list(EXPRESSION),
    "loop": {
        "type": ["array", "string"],
        "minItems": 1,
        "maxItems": MOST_ITEMS,
        "pattern": TEMPLATE,
        "errorMessage": "a list, or an expression that is one",
    },
    "loop_control": {
        "type": ["object"],
        "additionalProperties": False,
        "properties": {
            "label": {
                "title": "label",
                "description": "What an item is called in names and ids.",
                "type": "string",
                "pattern": r"\S",
                "errorMessage": "a text",
            },
            "loop_var": {
                "title": "loop_var",
                "description": "The variable instead of item.",
                "type": "string",
                "pattern": rf"^\s*{VARIABLE}\s*$",
                "errorMessage": NO_NAME,
            },
        },
    },
    "severity": {"anyOf": one_of(SEVERITIES)},
    "hold": _text(rf"^\s*(?:{RUNS.pattern}|{TIME})\s*$", "a number of runs or a time: 3 runs, 2m"),
    "duration": _text(rf"^\s*{TIME}$", TIME_WORDS),
    "delay": {
        "type": ["string", "number"],
        "pattern": or_template(rf"^\s*{TIME}$"),
        "minimum": 0,
        "errorMessage": f"a number of seconds, or {TIME_WORDS}",
    },
    "retries": {
        "type": ["integer", "string"],
        "pattern": TEMPLATE,
        "minimum": 0,
        "maximum": MOST_RETRIES,
        "errorMessage": f"a whole number from 0 to {MOST_RETRIES}",
    },
    "waive": {
        "type": ["object", "string"],
        "pattern": TEMPLATE,
        "patternErrorMessage": "waive says until when, and why: {until: 2026-12-31, reason: ticket 123}",
        "required": ["until", "reason"],
        "additionalProperties": False,
        "properties": {
            "until": {
                "title": "until",
                "description": "The last day, YYYY-MM-DD.",
                **_text(rf"^{DAY.pattern}$", "a day such as 2026-12-31"),
            },
            "reason": {"title": "reason", "description": "Why, for whoever reads it.", **_text(r"\S", "a text")},
        },
    },
}
