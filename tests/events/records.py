"""Records of events, made as a run makes them."""

from __future__ import annotations

from typing import Any

from fakes import REALTIME, report, result

from nodecheck.events import log
from nodecheck.events.choice import Chosen, choose
from nodecheck.report.result import Finding, Report, Status, Transition

REPORT = report(
    result("a", Status.OK),
    result("b", Status.CRITICAL, "b has failed", findings=(Finding("state", Status.CRITICAL, "ok", "failed", "m"),)),
    result("c", Status.BLOCKED, causes=("b",)),
    result("d", Status.WARNING),
    result("e", Status.UNKNOWN),
    result("f", Status.SKIPPED),
    problems=("a helper was left behind",),
)


def records(made: Report, emit: str = "changes", **units: str) -> list[dict[str, Any]]:
    """Return the records of a report; `units` names that of a check."""
    return log.make(made, choose(made, None, emit, 3600.0)[0], units)


def check(status: Status = Status.CRITICAL, message: str = "b has failed", **fields: Any) -> dict[str, Any]:
    """Return the record of a check, about b.service."""
    made = result("b", status, message, **fields)
    return log.make(report(made), [Chosen("check", made)], {"b": "b.service"})[0]


def change(before: Status = Status.OK, after: Status = Status.CRITICAL) -> dict[str, Any]:
    """Return the record of a change."""
    made = result("b", after, "b is not as it was", confirmed_status=after)
    transition = Transition("b", "b", before, after, REALTIME, REALTIME, made.message)
    return log.make(report(made), [Chosen("change", made, transition)], {})[0]


def run() -> dict[str, Any]:
    """Return the record of a run."""
    return log.make(REPORT, [Chosen("run")], {})[0]
