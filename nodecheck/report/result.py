"""Findings, results and the report: the contract that every output and event keeps."""

from __future__ import annotations

import enum
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = "nodecheck.report/1"


class Status(enum.StrEnum):
    """What became of a check. The order is from best to worst."""

    OK = "ok"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    WARNING = "warning"
    UNKNOWN = "unknown"
    CRITICAL = "critical"


WORST_FIRST = tuple(reversed(Status))
# The table of Nagios plugins, so that every scheduler understands it.
EXIT_CODES = {
    Status.CRITICAL: 2,
    Status.UNKNOWN: 3,
    Status.WARNING: 1,
    Status.BLOCKED: 0,
    Status.SKIPPED: 0,
    Status.OK: 0,
}
EXIT_UNUSABLE = 3
EXIT_INTERRUPTED = 130


def worst(statuses: list[Status]) -> Status:
    """Return the worst of these; ok when there are none."""
    return next((status for status in WORST_FIRST if status in statuses), Status.OK)


class Finding(NamedTuple):
    """One property judged.

    `message` says it in plain words; `rule` is the rule that fired, where a table of rules decides; `since` is the wall
    clock time in seconds when it became so, if that is known.
    """

    property: str
    status: Status
    expected: Any
    observed: Any
    message: str
    rule: str = ""
    since: float | None = None
    remedy: str = ""


class Result(NamedTuple):
    """One check judged."""

    id: str
    name: str
    play: str
    type: str
    status: Status
    message: str
    severity: str
    findings: tuple[Finding, ...]
    causes: tuple[str, ...]
    since: float | None
    duration_seconds: float
    tags: tuple[str, ...]
    source: str
    remedy: str
    attempts: int = 1

    def to_data(self) -> dict[str, Any]:
        """Plain data with the names of the contract; times in UTC."""
        data = self._asdict()
        data["findings"] = [_finding_data(finding) for finding in self.findings]
        data["since"] = timestamp(self.since)
        data["duration_seconds"] = round(self.duration_seconds, 6)
        return data


class Report(NamedTuple):
    """All results of a run. `problems` are those of the run itself, not of the node.

    `digest` is a function, since it is told by few outputs and costs more than judging.
    """

    run_id: str
    started_at: float
    duration_seconds: float
    budget_seconds: float
    node: dict[str, Any]
    version: str
    files: tuple[str, ...]
    digest: Callable[[], str]
    results: tuple[Result, ...]
    problems: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """The worst status of all results."""
        return worst([result.status for result in self.results])

    @property
    def exit_code(self) -> int:
        """The exit code of the run."""
        return EXIT_CODES[self.status]

    def summary(self) -> dict[str, int]:
        """Return how many results have each status."""
        statuses = [result.status for result in self.results]
        order = (Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN, Status.BLOCKED, Status.SKIPPED)
        return {str(status): statuses.count(status) for status in order}

    def to_data(self) -> dict[str, Any]:
        """Plain data with the names of the contract."""
        return self.header() | {
            "results": [result.to_data() for result in self.results],
            "problems": list(self.problems),
        }

    def header(self) -> dict[str, Any]:
        """Return all but the results: what an event about the run tells."""
        return {
            "schema": SCHEMA,
            "run_id": self.run_id,
            "status": str(self.status),
            "exit_code": self.exit_code,
            "started_at": timestamp(self.started_at),
            "duration_seconds": round(self.duration_seconds, 6),
            "budget_seconds": self.budget_seconds,
            "node": self.node,
            "agent": {"version": self.version},
            "definitions": {"digest": self.digest(), "files": list(self.files)},
            "summary": self.summary(),
        }


def timestamp(seconds: float | None) -> str | None:
    """Return a wall clock time as ISO 8601 in UTC with milliseconds."""
    if seconds is None:
        return None
    milliseconds = round(seconds * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + f".{milliseconds % 1000:03d}Z"


def _finding_data(finding: Finding) -> dict[str, Any]:
    data = {
        "property": finding.property,
        "status": str(finding.status),
        "expected": finding.expected,
        "observed": finding.observed,
    }
    data["message"] = finding.message
    if finding.rule:
        data["rule"] = finding.rule
    return data
