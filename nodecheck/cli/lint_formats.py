"""How lint tells what it found: for a person, for a program, for code scanning (SARIF), for GitHub's annotations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck import __version__
from nodecheck.definitions.errors import Mark, Mistake

if TYPE_CHECKING:
    from collections.abc import Callable

ERROR, WARNING = "error", "warning"
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# Workflow commands end at these; a property ends at , and : too.
GITHUB_ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
GITHUB_PROPERTY_ESCAPES = GITHUB_ESCAPES | {":": "%3A", ",": "%2C"}


class Remark(NamedTuple):
    """One thing that lint has to say; `mark` is None where it is about no place in a file."""

    level: str
    rule: str
    mark: Mark | None
    message: str
    hint: str = ""
    line: str = ""


class Remarks(NamedTuple):
    """All that was found, and in how much: nothing is counted of definitions that cannot be used."""

    found: list[Remark]
    files: int = 0
    plays: int = 0
    checks: int = 0

    def count(self, level: str) -> int:
        """Return how many remarks are errors, or warnings."""
        return sum(remark.level == level for remark in self.found)


def text(remarks: Remarks) -> str:
    """For a person: each with its line and a caret, the sum last."""
    told = [
        str(Mistake(remark.mark, f"{remark.level}: {remark.message} [{remark.rule}]", remark.hint, remark.line))
        for remark in remarks.found
    ]
    warnings = remarks.count(WARNING)
    read = ", ".join(_counted(getattr(remarks, f"{what}s"), what) for what in ("file", "play", "check"))
    told.append(f"{read}: {_counted(warnings, 'warning') if warnings else 'no mistakes'}")
    return "\n\n".join(told)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def as_json(remarks: Remarks) -> str:
    """For a program."""
    sums = {"files": remarks.files, "plays": remarks.plays, "checks": remarks.checks}
    levels = {"errors": remarks.count(ERROR), "warnings": remarks.count(WARNING)}
    return json.dumps(sums | levels | {"remarks": [_data(remark) for remark in remarks.found]}, indent=1)


def _data(remark: Remark) -> dict[str, Any]:
    place = remark.mark or Mark("", 0, 0)
    where = {"file": place.file or None, "line": place.line or None, "column": place.column or None}
    return {"level": remark.level, "rule": remark.rule} | where | {"message": remark.message, "hint": remark.hint}


def sarif(remarks: Remarks) -> str:
    """For code scanning: SARIF 2.1.0, one run."""
    rules = [{"id": rule} for rule in sorted({remark.rule for remark in remarks.found})]
    driver = {"name": "nodecheck", "version": __version__, "rules": rules}
    results = [_sarif_result(remark) for remark in remarks.found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def _sarif_result(remark: Remark) -> dict[str, Any]:
    told = f"{remark.message}\n{remark.hint}" if remark.hint else remark.message
    result: dict[str, Any] = {"ruleId": remark.rule, "level": remark.level, "message": {"text": told}}
    if remark.mark:
        region = {"startLine": remark.mark.line, "startColumn": remark.mark.column}
        location = {"artifactLocation": {"uri": _uri(remark.mark.file)}, "region": region}
        result["locations"] = [{"physicalLocation": location}]
    return result


def _uri(path: str) -> str:
    from urllib.parse import quote

    return f"file://{quote(path)}" if path.startswith("/") else quote(path)


def github(remarks: Remarks) -> str:
    """For a workflow of GitHub: one command a line, which becomes an annotation."""
    return "\n".join(_github_command(remark) for remark in remarks.found)


def _github_command(remark: Remark) -> str:
    properties = {"title": f"nodecheck {remark.rule}"}
    if remark.mark:
        properties |= {"file": remark.mark.file, "line": str(remark.mark.line), "col": str(remark.mark.column)}
    shown = ",".join(f"{name}={_escaped(value, GITHUB_PROPERTY_ESCAPES)}" for name, value in properties.items())
    told = f"{remark.message}\n{remark.hint}" if remark.hint else remark.message
    return f"::{remark.level} {shown}::{_escaped(told, GITHUB_ESCAPES)}"


def _escaped(told: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in told)


FORMATS: dict[str, Callable[[Remarks], str]] = {"text": text, "json": as_json, "sarif": sarif, "github": github}
