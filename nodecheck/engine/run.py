"""A run: observe in bulk, judge purely, fold consequences under their cause. Owns time and status."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from nodecheck import __version__
from nodecheck.node.node import ListenerWant
from nodecheck.node.unobserved import Unobserved
from nodecheck.report.result import Finding, Report, Result, Status, worst

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodecheck.definitions.sources import Definitions
    from nodecheck.engine.plan import Plan, Planned
    from nodecheck.node.node import Node, Want
    from nodecheck.node.systemd import Collector

# Kept back from the budget for judging and printing.
RESERVE_SECONDS = 0.5


class Clock(NamedTuple):
    """When a run started, on the monotonic clock, and how long it may take; both in seconds."""

    started: float
    budget: float

    @property
    def started_at(self) -> float:
        """When it started by the wall clock."""
        return time.time() - self.elapsed()

    def elapsed(self) -> float:
        """Return for how long it runs."""
        return time.monotonic() - self.started

    def deadline(self, timeout: float) -> float:
        """Return when something that may take `timeout` seconds from now has to end, on the monotonic clock."""
        latest = self.started + max(self.budget - RESERVE_SECONDS, self.budget / 2)
        return min(time.monotonic() + timeout, latest)


def run(plan: Plan, definitions: Definitions, node: Node, clock: Clock, collector: Collector | None) -> Report:
    """Run the plan and return the report."""
    wants = [_timed(want, planned) for planned in plan.checks for want in planned.definition.check.wants()]
    longest = max(planned.definition.timeout for planned in plan.checks)
    node.observe(wants, clock.deadline(longest), collector)
    results = [_judge(planned, node) for planned in plan.checks]
    return Report(
        run_id=os.urandom(16).hex(),
        started_at=clock.started_at,
        duration_seconds=clock.elapsed(),
        budget_seconds=clock.budget,
        node=_node_data(node),
        version=__version__,
        files=tuple(definitions.files),
        digest=definitions.digest,
        results=tuple(_fold(plan, results)),
        problems=tuple(node.problems),
    )


def _timed(want: Want, planned: Planned) -> Want:
    """A connection is the check's own: its timeout holds, however long others may take."""
    return want._replace(seconds=planned.definition.timeout) if isinstance(want, ListenerWant) else want


def _node_data(node: Node) -> dict[str, object]:
    names = ("hostname", "machine_id", "boot_id")
    return {name: node.facts[name].value for name in names} | {"groups": sorted(node.groups)}


def _judge(planned: Planned, node: Node) -> Result:
    """Judge one check. What it could not see makes it unknown, whatever else it found that is well."""
    before = time.monotonic()
    findings: list[Finding] = []
    dark = ""
    try:
        findings.extend(_scaled(planned, planned.definition.check.judge(node)))
    except Unobserved as unseen:
        dark = unseen.source
        findings.append(_unseen(planned, unseen))
    return _result(planned, findings, (dark,) if dark else (), time.monotonic() - before)


def _scaled(planned: Planned, findings: Iterable[Finding]) -> Iterable[Finding]:
    """A check of severity warning finds nothing critical."""
    for finding in findings:
        milder = finding.status is Status.CRITICAL and planned.definition.severity == "warning"
        yield finding._replace(status=Status.WARNING) if milder else finding


def _unseen(planned: Planned, unseen: Unobserved) -> Finding:
    """The check that watches over a window finds it broken; for all others it is just dark."""
    watches = planned.definition.check.WATCHES
    broken = unseen.broken and watches == unseen.source
    status = Status.UNKNOWN
    if broken:
        status = Status.WARNING if planned.definition.severity == "warning" else Status.CRITICAL
    return Finding(watches or planned.definition.type, status, "an answer", "none", unseen.reason, remedy=unseen.remedy)


def _result(planned: Planned, findings: list[Finding], causes: tuple[str, ...], seconds: float) -> Result:
    definition = planned.definition
    status = worst([finding.status for finding in findings])
    telling = [finding for finding in findings if finding.status is not Status.OK] or findings[:1]
    since = [finding.since for finding in telling if finding.since is not None]
    return Result(
        id=definition.id,
        name=definition.name,
        play=planned.play.name,
        type=definition.type,
        status=status,
        message="; ".join(dict.fromkeys(finding.message for finding in telling)),
        severity=definition.severity,
        findings=tuple(findings),
        causes=causes,
        since=min(since, default=None),
        duration_seconds=seconds,
        tags=tuple(sorted(definition.tags)),
        source=f"{definition.mark.file}:{definition.mark.line}",
        remedy=next((finding.remedy for finding in telling if finding.remedy), definition.remedy),
    )


# ---- one cause, one finding


def _fold(plan: Plan, results: list[Result]) -> list[Result]:
    """Block what depends on a check that is not ok, and what looked through a window that a check found dark."""
    by_id = {result.id: result for result in results}
    watchers = {
        planned.definition.check.WATCHES: planned.definition.id
        for planned in plan.checks
        if planned.definition.check.WATCHES and by_id[planned.definition.id].status is not Status.OK
    }
    needs = {planned.definition.id: planned.needs for planned in plan.checks}
    causes: dict[str, tuple[str, ...]] = {}
    return [_folded(result, _causes(result.id, needs, by_id, watchers, causes)) for result in results]


def _causes(
    check: str,
    needs: dict[str, tuple[str, ...]],
    results: dict[str, Result],
    watchers: dict[str, str],
    known: dict[str, tuple[str, ...]],
) -> tuple[str, ...]:
    """Return the root causes why a check is not judged: ids of checks that are not ok themselves and not blocked."""
    if check not in known:
        found: list[str] = [
            watchers[source] for source in results[check].causes if source in watchers and watchers[source] != check
        ]
        for need in needs[check]:
            deeper = _causes(need, needs, results, watchers, known)
            found += deeper or ([need] if results[need].status not in (Status.OK, Status.SKIPPED) else [])
        known[check] = tuple(dict.fromkeys(found))
    return known[check]


def _folded(result: Result, causes: tuple[str, ...]) -> Result:
    if not causes:
        return result
    message = f"not judged: it needs {', '.join(causes)}"
    return result._replace(status=Status.BLOCKED, message=message, causes=causes, findings=(), since=None, remedy="")
