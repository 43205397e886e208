"""Findings, results and the report: the contract that every output and event keeps."""

from __future__ import annotations

import enum
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    # {id of a check: [(since when, by the wall clock in seconds; what it was from then on), ...]}, in order of time; it
    # was "" where nobody looked.
    History = Mapping[str, Sequence[tuple[float, str]]]

SCHEMA = "nodecheck.report/1"


class Status(enum.StrEnum):
    """What became of a check. The order is from best to worst."""

    OK = "ok"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    INFO = "info"
    WARNING = "warning"
    UNKNOWN = "unknown"
    CRITICAL = "critical"


WORST_FIRST = tuple(reversed(Status))
# The table of Nagios plugins, so that every scheduler understands it.
EXIT_CODES = {
    Status.CRITICAL: 2,
    Status.UNKNOWN: 3,
    Status.WARNING: 1,
    Status.INFO: 0,
    Status.BLOCKED: 0,
    Status.SKIPPED: 0,
    Status.OK: 0,
}
# In the order of a recap.
SUMMARY = (
    Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN, Status.BLOCKED, Status.SKIPPED, Status.INFO,
)  # fmt: skip
FAULTS = frozenset({Status.INFO, Status.WARNING, Status.CRITICAL})  # seen, and not as wanted: what `for` can hold
EXIT_UNUSABLE = 3
WARN = "warn"  # the rule of what holds but for what `warn` expects
CHECK, RUN = "check", "run"  # the deadlines: the timeout of a check, the budget of a run


def worst(statuses: list[Status]) -> Status:
    """Return the worst of these; ok when there are none."""
    return next((status for status in WORST_FIRST if status in statuses), Status.OK)


class Finding(NamedTuple):
    """One property judged.

    `message` says it in plain words; `rule` is the rule that fired, where a table of them decides, or "warn" where that
    alone is not met; `since` is the wall clock time in seconds when it became so, if that is known.
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
    """One check judged.

    `status` is what this run saw. `confirmed_status` is the one that a change is told of: a fault is confirmed when it
    held for as long as the check's `for` says, an unknown after a few runs in a row, anything else at once. It is None
    where nothing was confirmed yet, or nothing is remembered. `confirmed` says whether `status` is what counts: false
    for a fault that has not held for long enough, which is reported and not alerted; see `counts_as`.

    `since` is when the check became what its status says, by the wall clock in seconds: told by the node, or when a run
    first saw it so. It is None where neither is known, as at the first look. An unknown or a blocked run in between
    does not begin it anew. `streak` counts the runs in a row with this status. `flapping` is true while it changes so
    often that a single change means little.

    `deadline` says which one cut the look short: "check" is the timeout of the check, "run" the budget of the run; ""
    where none did.
    """

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
    docs: str = ""
    attempts: int = 1
    waived: bool = False
    confirmed: bool = True
    confirmed_status: Status | None = None
    streak: int = 1
    flapping: bool = False
    deadline: str = ""

    @property
    def counts_as(self) -> Status:
        """The status that counts for that of the run, and so for its exit code.

        A fault that is not confirmed counts as what was confirmed before, and at least as info: it is there to be seen.
        """
        if self.confirmed or self.status not in FAULTS:
            return self.status
        return worst([Status.INFO, self.confirmed_status or Status.INFO])

    @property
    def only_warns(self) -> bool:
        """Whether it works: nothing but what `warn` expects does not hold."""
        told = [finding for finding in self.findings if finding.status is not Status.OK]
        return self.status is Status.WARNING and all(finding.rule == WARN for finding in told)

    def to_data(self) -> dict[str, Any]:
        """Plain data with the names of the contract; times in UTC."""
        data = self._asdict()
        data["findings"] = [_finding_data(finding) for finding in self.findings]
        data["since"] = timestamp(self.since)
        data["duration_seconds"] = round(self.duration_seconds, 6)
        return data


class Transition(NamedTuple):
    """The confirmed status of a check became another one in this run.

    `id` and `name` are the check's; the first status ever is no transition. `at` is the time of the run and `since`
    that of the result, both by the wall clock in seconds. `flapping` is that of the result: then it means little.
    """

    id: str
    name: str
    before: Status
    after: Status
    at: float
    since: float | None
    message: str
    flapping: bool = False

    def to_data(self) -> dict[str, Any]:
        """Plain data with the names of the contract; times in UTC."""
        return self._asdict() | {"at": timestamp(self.at), "since": timestamp(self.since)}


class Report(NamedTuple):
    """All results of a run. `problems` are those of the run itself, not of the node.

    `transitions` are in the order of the results. Each is told once; again only where it could not be remembered.

    `digest` is a function, since it is told by few outputs and costs more than judging. `recorded_at` is the wall clock
    time in seconds of a node that was recorded and judged later. `history` is there for outputs that draw it.
    `interrupted` says that a signal ended the run before its time.
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
    recorded_at: float | None = None
    transitions: tuple[Transition, ...] = ()
    history: History | None = None
    interrupted: bool = False

    @property
    def seen_at(self) -> float:
        """When the node was looked at, by the wall clock in seconds."""
        return self.started_at if self.recorded_at is None else self.recorded_at

    @property
    def status(self) -> Status:
        """The worst status of all results, as far as they are confirmed; skipped only where all of them were."""
        counted = [result.counts_as for result in self.results]
        return worst([status for status in counted if status is not Status.SKIPPED] or counted)

    @property
    def partial(self) -> bool:
        """Whether the run ended before all had been looked at: its budget was over, or a signal came."""
        return self.interrupted or any(result.deadline == RUN for result in self.results)

    @property
    def exit_code(self) -> int:
        """The exit code of a run that came to its end."""
        return EXIT_CODES[self.status]

    def summary(self) -> dict[str, int]:
        """Return how many results have each status."""
        statuses = [result.status for result in self.results]
        return {str(status): statuses.count(status) for status in SUMMARY}

    def to_data(self) -> dict[str, Any]:
        """Plain data with the names of the contract."""
        return self.header() | {
            "results": [result.to_data() for result in self.results],
            "transitions": [transition.to_data() for transition in self.transitions],
            "problems": list(self.problems),
        }

    def header(self) -> dict[str, Any]:
        """Return all but the results: what an event about the run tells."""
        return {
            "schema": SCHEMA,
            "run_id": self.run_id,
            "status": str(self.status),
            "exit_code": self.exit_code,
            "partial": self.partial,
            "started_at": timestamp(self.started_at),
            "duration_seconds": round(self.duration_seconds, 6),
            "budget_seconds": self.budget_seconds,
            "node": self.node,
            "agent": {"version": self.version},
            "definitions": {"digest": self.digest(), "files": list(self.files)},
            "summary": self.summary(),
        }


def same_cause(results: list[Result]) -> list[list[Result]]:
    """One cause, one paragraph: put together what is unknown since one window is dark."""
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        together = result.status is Status.UNKNOWN and result.causes
        groups.setdefault((*result.causes, result.message) if together else (result.id,), []).append(result)
    return list(groups.values())


def timestamp(seconds: float | None) -> str | None:
    """Return a wall clock time as ISO 8601 in UTC with milliseconds."""
    if seconds is None:
        return None
    milliseconds = round(seconds * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + f".{milliseconds % 1000:03d}Z"


def _finding_data(finding: Finding) -> dict[str, Any]:
    """What is not known of a finding is left out: most are ok, and there are many."""
    data = {
        "property": finding.property,
        "status": str(finding.status),
        "expected": finding.expected,
        "observed": finding.observed,
    }
    data["message"] = finding.message
    if finding.rule:
        data["rule"] = finding.rule
    if finding.since is not None:
        data["since"] = timestamp(finding.since)
    if finding.remedy:
        data["remedy"] = finding.remedy
    return data
