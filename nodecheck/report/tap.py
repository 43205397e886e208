"""TAP 14, the Test Anything Protocol: a line for each check, and YAML below what is not ok.

critical, unknown and warning are `not ok`; blocked and skipped are skipped; info is TODO: told, and never counted.
A fault that is not confirmed counts as what was confirmed before, and is TODO where that was none.
prove of Perl 5.36 reads it all, and still complains of the version: it knows 13.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nodecheck.report.result import Report, Result, Status, timestamp
from nodecheck.report.style import as_json, printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.report.style import Style

EXAMPLE = "tap"
PLAIN = re.compile("[A-Za-z_][A-Za-z0-9_]*")
NOT_OK = (Status.CRITICAL, Status.UNKNOWN, Status.WARNING, Status.INFO)
DIRECTIVES = {Status.BLOCKED: "SKIP", Status.SKIPPED: "SKIP", Status.INFO: "TODO"}


def render(report: Report, _style: Style) -> str:
    """Return a TAP stream."""
    return "\n".join(_stream(report)) + "\n"


def _stream(report: Report) -> Iterator[str]:
    yield "TAP version 14"
    yield f"1..{len(report.results)}"
    for number, result in enumerate(report.results, 1):
        yield from _point(number, result)
    for problem in report.problems:
        yield f"# in the run itself: {printable(problem)}"


def _point(number: int, result: Result) -> Iterator[str]:
    failed = result.status in NOT_OK
    directive = DIRECTIVES.get(result.counts_as)
    because = f" # {directive} {_escaped(result.message)}" if directive else ""
    yield f"{'not ok' if failed else 'ok'} {number} - {_escaped(result.name)}{because}"
    if failed:
        yield "  ---"
        for name, value in _told(result).items():
            yield from _yaml(name, value)
        yield "  ..."


def _told(result: Result) -> dict[str, object]:
    wrong = [finding for finding in result.findings if finding.status is not Status.OK]
    told = {
        "message": result.message,
        "status": str(result.status),
        "expected": {finding.property: finding.expected for finding in wrong},
        "observed": {finding.property: finding.observed for finding in wrong},
        "since": timestamp(result.since),
        "causes": list(result.causes),
        "remedy": result.remedy,
        "source": result.source,
    }
    return {name: value for name, value in told.items() if value}


def _yaml(name: str, value: object) -> Iterator[str]:
    """In blocks where it can be, which small readers of YAML know best."""
    if isinstance(value, dict):
        yield f"  {name}:"
        yield from (f"    {_key(key)}: {_value(item)}" for key, item in value.items())
    else:
        yield f"  {name}: {_value(value)}"


def _key(name: str) -> str:
    return name if PLAIN.fullmatch(name) else _value(name)


def _value(value: object) -> str:
    """JSON without escapes for characters: small readers of YAML know none of them."""
    return as_json(printable_lines(value) if isinstance(value, str) else value)


def _escaped(text: str) -> str:
    """A # would begin a directive."""
    return printable(text).replace("\\", "\\\\").replace("#", "\\#")
