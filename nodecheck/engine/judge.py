"""One check judged: its findings, their status by severity and by `warn`, and the result."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from nodecheck.durations import format_duration
from nodecheck.node.unobserved import Unobserved
from nodecheck.report.result import CHECK, RUN, WARN, Finding, Result, Status, worst

if TYPE_CHECKING:
    from nodecheck.checks.base import Check
    from nodecheck.definitions.check import Built
    from nodecheck.engine.plan import Planned
    from nodecheck.node.node import Node

BROKEN = {"critical": Status.CRITICAL, "warning": Status.WARNING, "info": Status.INFO}
NO_TIME = "the run has no time for another attempt"
MILDER = {"critical": Status.WARNING, "warning": Status.WARNING, "info": Status.INFO}


class Seen(NamedTuple):
    """What a check found, and why it could not see the rest."""

    findings: list[Finding]
    dark: Unobserved | None


def judge(planned: Planned, built: Built, node: Node) -> Result:
    """Judge one check. What it could not see makes it unknown, whatever else it found that is well."""
    before = time.monotonic()
    severity = planned.definition.severity
    seen = _look(built.check, node)
    findings = [_scaled(finding, BROKEN[severity]) for finding in seen.findings]
    dark = seen.dark
    if built.milder:
        milder = _look(built.milder, node)
        findings = _with_milder(findings, milder.findings, planned)
        dark = dark or milder.dark
    if dark:
        findings.append(_unseen(planned, built.check, dark))
    causes = (dark.source,) if dark else ()
    made = result(planned, findings, causes, time.monotonic() - before)
    return made._replace(deadline=CHECK) if dark and dark.late else made


def _look(check: Check, node: Node) -> Seen:
    findings: list[Finding] = []
    try:
        findings.extend(check.judge(node))
    except Unobserved as dark:
        return Seen(findings, dark)
    except Exception as error:  # noqa: BLE001  # that one check cannot be judged must not take the verdicts of the others
        return Seen(findings, _own_error(error))
    return Seen(findings, None)


def _own_error(error: Exception) -> Unobserved:
    at = error.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    where = f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at else ""
    reason = f"an error in nodecheck itself, please report it: {type(error).__name__}: {error} ({where})"
    return Unobserved("nodecheck", reason)


def _scaled(finding: Finding, broken: Status) -> Finding:
    """A check types finds a thing critical, or well; how bad that is its definition says."""
    milder = finding.status is Status.CRITICAL or (finding.status is Status.WARNING and broken is Status.INFO)
    return finding._replace(status=broken) if milder else finding


def _with_milder(findings: list[Finding], milder: list[Finding], planned: Planned) -> list[Finding]:
    """Add what only the expectations of `warn` found broken, in the place of what was found well.

    A check type may judge a property many times, once for each process, say; what it observed tells which is which.
    """
    broken = MILDER[planned.definition.severity]
    properties = planned.definition.milder_properties
    told = [
        _scaled(found, broken)._replace(rule=found.rule or WARN)
        for found in milder
        if found.property in properties and found.status is not Status.OK
    ]
    bad = {(finding.property, str(finding.observed)) for finding in findings if finding.status is not Status.OK}
    waiting: dict[tuple[str, str], list[Finding]] = {}
    for found in told:
        waiting.setdefault((found.property, str(found.observed)), []).append(found)
    merged = []
    for finding in findings:
        others = waiting.get((finding.property, str(finding.observed)), [])
        merged.append(others.pop(0) if others and finding.status is Status.OK else finding)
    return merged + [found for key, rest in waiting.items() for found in rest if key not in bad]


def _unseen(planned: Planned, check: Check, dark: Unobserved) -> Finding:
    """The check that watches over a window finds it broken; for all others it is just dark."""
    broken = dark.broken and dark.source == check.WATCHES
    status = BROKEN[planned.definition.severity] if broken else Status.UNKNOWN
    return unseen(check.WATCHES or planned.definition.type, dark.reason, dark.remedy, status)


class Missed(NamedTuple):
    """A condition that has not come true, and why that cannot be told, if it cannot."""

    condition: str
    untold: str = ""


def not_reached(planned: Planned, result: Result, missed: Missed, attempts: int) -> Result:
    """Return a result that is ok, of a check whose `until` has not come true however often it was looked at."""
    status = Status.UNKNOWN if missed.untold else BROKEN[planned.definition.severity]
    looked = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    message = f"after {looked} there is still not {missed.condition}"
    if missed.untold:
        message = f"whether {missed.condition} could not be told: {missed.untold}"
    finding = Finding("until", status, missed.condition, None if missed.untold else False, message)
    return result._replace(status=status, message=message, findings=(*result.findings, finding))


def cut_short(result: Result, attempts: int) -> Result:
    """Return a result that would have been looked at again, had there been time."""
    looked = "once" if attempts == 1 else f"{attempts} times"
    message = f"{result.message}; looked at {looked} only: {NO_TIME}"
    return result._replace(message=message, deadline=RUN)


def out_of_budget(result: Result, budget: float) -> Result:
    """Return a result whose look did not end, for the run had to: how long the check may take is not to blame."""
    return result._replace(message=f"{result.message}: the run's budget of {format_duration(budget)} was used up")


def unseen(what: str, reason: str, remedy: str = "", status: Status = Status.UNKNOWN) -> Finding:
    """Return the finding of a check that got no answer."""
    return Finding(what, status, "an answer", "none", reason, remedy=remedy)


def result(planned: Planned, findings: list[Finding], causes: tuple[str, ...] = (), seconds: float = 0.0) -> Result:
    """Return the result of these findings."""
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
        source=definition.source,
        remedy=_remedy(definition.remedy, status, telling),
        docs=definition.docs,
    )


def _remedy(authors: str, status: Status, telling: list[Finding]) -> str:
    """What the first finding knows of this very case, then what the author of the check wrote, each line once.

    The author's mends what is broken, and may break what was only not seen.
    """
    own = next((finding.remedy for finding in telling if finding.remedy), "")
    texts = (own,) if status is Status.UNKNOWN else (own, authors)
    return "\n".join(dict.fromkeys(line for text in texts for line in text.splitlines()))


def skipped(planned: Planned, reason: str) -> Result:
    """Return the result of a check that is not for this node or this call."""
    return result(planned, [])._replace(status=Status.SKIPPED, message=reason, remedy="")
