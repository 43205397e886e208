"""The report for a person: plays and checks as Ansible shows them, the problems large and last, the recap."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nodecheck.durations import format_duration
from nodecheck.report.result import Report, Result, Status
from nodecheck.report.style import Style, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBLEMS = (Status.WARNING, Status.UNKNOWN, Status.CRITICAL)  # the worst comes last, next to the prompt
LABEL_WIDTH = 10
INDENT = "  "


def render(report: Report, style: Style) -> str:
    """Return the report as text."""
    lines = [] if style.verbosity < 0 else list(_plays(report, style))
    lines += _problems(report, style)
    if style.verbosity >= 0 or report.exit_code:
        lines += _recap(report, style)
    return "\n".join(lines) + "\n" if lines else ""


def _plays(report: Report, style: Style) -> Iterator[str]:
    play = None
    for result in report.results:
        if result.play != play:
            play = result.play
            yield style.banner(f"PLAY [{printable(play)}]")
        yield from _line(result, style)
        if result is report.results[-1] or report.results[report.results.index(result) + 1].play != play:
            yield ""


def _line(result: Result, style: Style) -> Iterator[str]:
    label = style.paint(f"{result.status}:".ljust(LABEL_WIDTH), result.status)
    by = f" (by {', '.join(result.causes)})" if result.status is Status.BLOCKED else ""
    yield f"{label}{printable(result.name)}{by}"
    if style.verbosity > 0 and result.status is Status.OK:
        for finding in result.findings:
            yield from style.wrap(finding.message, " " * LABEL_WIDTH)


def _problems(report: Report, style: Style) -> Iterator[str]:
    told = [result for status in PROBLEMS for result in report.results if result.status is status]
    if not told and not report.problems:
        return
    yield style.banner("PROBLEMS")
    for results in _same_cause(told):
        yield from _problem(results, report, style)
        yield ""
    for problem in report.problems:
        yield from style.wrap(f"in the run itself: {problem}", INDENT)


def _same_cause(results: list[Result]) -> list[list[Result]]:
    """One cause, one paragraph: results that are unknown since one window is dark stand together."""
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        together = result.status is Status.UNKNOWN and result.causes
        groups.setdefault((*result.causes, result.message) if together else (result.id,), []).append(result)
    return list(groups.values())


def _problem(results: list[Result], report: Report, style: Style) -> Iterator[str]:
    first = results[0]
    names = printable(first.name) if len(results) == 1 else f"{len(results)} checks could not be judged"
    yield style.paint(f"{first.status}: {names}", first.status)
    yield from style.wrap(first.message, INDENT)
    for finding in first.findings:
        if finding.status is not Status.OK and len(results) == 1:
            yield from _labelled("expected", f"{finding.property}: {_value(finding.expected)}", style)
            yield from _labelled("observed", f"{finding.property}: {_value(finding.observed)}", style)
    if first.since is not None:
        yield from _labelled("since", _since(first.since, report.started_at), style)
    blocked = [
        result.name for result in report.results if result.status is Status.BLOCKED and first.id in result.causes
    ]
    if blocked:
        yield from _labelled("blocks", f"{len(blocked)}: {', '.join(blocked)}", style)
    if len(results) > 1:
        yield from _labelled("checks", ", ".join(result.name for result in results), style)
    if first.remedy:
        yield from _labelled("remedy", first.remedy, style)
    yield from _labelled("at", first.source, style)


def _labelled(label: str, text: str, style: Style) -> Iterator[str]:
    start = f"{INDENT}{label.ljust(LABEL_WIDTH)}"
    for number, line in enumerate(style.wrap(text, " " * len(start))):
        yield start + line[len(start) :] if number == 0 else line


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _since(since: float, now: float) -> str:
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(since))} ({format_duration(max(0.0, now - since))} ago)"


def _recap(report: Report, style: Style) -> Iterator[str]:
    yield style.banner("RECAP")
    counts = " ".join(
        style.paint(f"{status}={count}", Status(status)) if count else f"{status}={count}"
        for status, count in report.summary().items()
    )
    yield f"{report.node['hostname']} : {counts} in {report.duration_seconds:.2f}s"
