"""The JSON Schema of the report: types and order from report/result.py, and what each field means.

A field may come to it within a version; one that vanishes, or changes its type, makes another version (result.SCHEMA).
"""

from __future__ import annotations

import types
import typing
from typing import TYPE_CHECKING, Any

from nodecheck.report.result import CHECK, EXIT_CODES, RUN, SCHEMA, SUMMARY, Finding, Result, Status, Transition

if TYPE_CHECKING:
    Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}
TIME_PATTERN = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
TIME = {"type": "string", "format": "date-time", "pattern": TIME_PATTERN}
TEXTS = {"type": "array", "items": {"type": "string"}}
VALUE = {"$ref": "#/$defs/value"}
STATUS = {"$ref": "#/$defs/status"}

OF_FINDING = {
    "property": "What was judged, such as state, count or used.",
    "status": "How it was found.",
    "expected": "What the definition wants, as it is written there, or as it is shown in words.",
    "observed": "What was seen, in the unit of what was expected; null where it could not be seen.",
    "message": "The same in plain words.",
    "rule": "The rule that decided, where a table of rules does, or warn, where only that does; else left out.",
    "since": "Since when it is so; left out where that is not known.",
    "remedy": "Commands that a person can type; left out where there are none of this finding's own.",
}
OF_RESULT = {
    "id": "Names the check in all outputs, events and metrics; it changes only with the check's name or its `id`.",
    "name": "The check's name: what should be so.",
    "play": "The play that it stands in.",
    "type": "The check type.",
    "status": "What became of it: the worst of its findings, or blocked, or skipped.",
    "message": "Why it is so, in plain words.",
    "severity": "What it is when it is not as wanted: critical, warning or info.",
    "findings": "Each property that was judged, in the order in which the check type judges them.",
    "causes": "Why it is blocked or unknown: ids of the checks that it needs, or names of windows that stayed dark.",
    "since": "Since when it is so; null where that is not known.",
    "duration_seconds": "How long judging took.",
    "tags": "Its tags, in the order of the alphabet.",
    "source": "Where it is defined: file:line.",
    "remedy": "Commands that a person can type, one in each line.",
    "docs": "Where to read more.",
    "attempts": "How often it was looked at.",
    "waived": "Whether it is skipped since it was waived.",
    "confirmed": "Whether the status counts: false for a fault that has not held for as long as its `for` says.",
    "confirmed_status": "The status that changes are told of; null where nothing is remembered, or confirmed yet.",
    "streak": "How many runs in a row had this status.",
    "flapping": "Whether it changes so often that a single change means little.",
    "deadline": f'Which one cut the look short: "{CHECK}", its timeout; "{RUN}", the budget of the run; "" for none.',
}
OF_TRANSITION = {
    "id": "The id of the check.",
    "name": "Its name.",
    "before": "What was confirmed before.",
    "after": "What is confirmed now.",
    "at": "When the run that saw it started.",
    "since": "Since when the check is so; null where that is not known.",
    "message": "Why it is so, in plain words.",
    "flapping": "Whether the check changes so often that this means little.",
}
# What a field holds, where its type does not say it all.
REFINED: dict[str, Schema] = {
    "status": STATUS,
    "expected": VALUE,
    "observed": VALUE,
    "since": TIME,
    "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
    "severity": {"enum": ["critical", "warning", "info"]},
    "deadline": {"enum": ["", CHECK, RUN]},
    "before": STATUS,
    "after": STATUS,
    "at": TIME,
    "confirmed_status": {"enum": [*map(str, Status), None]},
    "streak": {"type": "integer", "minimum": 1},
    "attempts": {"type": "integer", "minimum": 1},
    "duration_seconds": {"type": "number", "minimum": 0},
}
ALWAYS = ("property", "status", "expected", "observed", "message")  # of a finding


def schema() -> Schema:
    """Return the schema of a report as `-o json` prints it."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:{SCHEMA.replace('/', ':').replace('.', ':')}",
        "title": "nodecheck report",
        "description": "All results of a run. Fields may be added; none vanishes or changes its type in this version.",
        **_mapping(_header() | _rest()),
        "$defs": {
            "result": _mapping(_fields(Result, OF_RESULT)),
            "finding": _mapping(_fields(Finding, OF_FINDING), ALWAYS),
            "transition": _mapping(_fields(Transition, OF_TRANSITION)),
            "status": {"enum": [str(status) for status in Status]},
            "value": {
                "description": "A text, a number, true or false, or a list of them; null is what could not be seen.",
                "type": ["string", "number", "boolean", "null", "array"],
                "items": {"type": ["string", "number", "boolean", "null"]},
            },
        },
    }


def _header() -> dict[str, Schema]:
    described = {"type": "number", "minimum": 0}
    return {
        "schema": {"description": "The version of this contract.", "const": SCHEMA},
        "run_id": {"description": "Names the run in all that it emits.", "type": "string"},
        "status": {"description": "The worst status of all results.", **STATUS},
        "exit_code": {
            "description": "The exit code of a run that came to its end.",
            "enum": sorted(set(EXIT_CODES.values())),
        },
        "partial": {
            "description": "Whether the run ended before all had been looked at; `deadline` and `problems` say why.",
            "type": "boolean",
        },
        "started_at": {"description": "When the run started.", **TIME},
        "duration_seconds": {"description": "How long it took: what it used of its budget.", **described},
        "budget_seconds": {"description": "Within which time it had to end.", **described},
        "node": _node(),
        "agent": _mapping({"version": {"description": "The version of nodecheck.", "type": "string"}}),
        "definitions": _mapping(
            {
                "digest": {"description": "The same for the same definitions.", "type": "string"},
                "files": {"description": "The files that were read, in their order.", **TEXTS},
            }
        ),
        "summary": _mapping({str(status): {"type": "integer", "minimum": 0} for status in SUMMARY}),
    }


def _node() -> Schema:
    nullable = {"type": ["string", "null"]}
    return _mapping(
        {
            "hostname": {"description": "Its host name.", **nullable},
            "machine_id": {"description": "/etc/machine-id; the same after a boot.", **nullable},
            "boot_id": {"description": "Another one after each boot.", **nullable},
            "groups": {"description": "The groups that it is in.", **TEXTS},
            "recorded_at": {"description": "When it was recorded; only of a recorded node.", **TIME},
        },
        ("hostname", "machine_id", "boot_id", "groups"),
    )


def _rest() -> dict[str, Schema]:
    problems = "What went wrong with the run itself, in plain words."
    return {
        "results": {
            "description": "Each check judged, in the order of the definitions.",
            "type": "array",
            "items": {"$ref": "#/$defs/result"},
        },
        "transitions": {
            "description": "Each check whose confirmed status became another one in this run.",
            "type": "array",
            "items": {"$ref": "#/$defs/transition"},
        },
        "problems": {"description": problems, **TEXTS},
    }


def _mapping(properties: dict[str, Schema], required: tuple[str, ...] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties if required is None else required),
    }


def _fields(kind: type, described: dict[str, str]) -> dict[str, Schema]:
    """Return {field: schema} in the order of a NamedTuple; what is not described here is none of the contract."""
    annotations = typing.get_type_hints(kind)
    return {name: {"description": described[name], **_typed(name, annotations[name])} for name in annotations}


def _typed(name: str, annotation: Any) -> Schema:
    refined = REFINED.get(name) or _of(annotation)
    may_be_null = isinstance(annotation, types.UnionType) and isinstance(refined.get("type"), str)
    return {**refined, "type": [refined["type"], "null"]} if may_be_null else refined


def _of(annotation: Any) -> Schema:
    if typing.get_origin(annotation) is tuple:
        return {"type": "array", "items": _of(typing.get_args(annotation)[0])}
    if isinstance(annotation, types.UnionType):
        kinds = [PLAIN[kind] for kind in typing.get_args(annotation) if kind is not types.NoneType]
        return {"type": [*kinds, "null"]}
    return {"type": PLAIN[annotation]}
