"""The report for a person: plays and checks as Ansible shows them, the problems large and last, the recap."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from nodecheck.durations import format_duration
from nodecheck.report.result import Finding, Report, Result, Status
from nodecheck.report.style import Style, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBLEMS = (Status.WARNING, Status.UNKNOWN, Status.CRITICAL)  # the worst comes last, next to the prompt
LABEL_WIDTH = 10
INDENT = "  "
SOURCES_SHOWN = 5
UNSEEN_EXPECTED = "an answer"  # what the engine expects of a window that stayed dark


def render(report: Report, style: Style) -> str:
    """Return the report as text."""
    lines = [] if style.verbosity < 0 else list(_plays(report, style))
    lines += _problems(report, style)
    if style.verbosity >= 0 or report.exit_code or report.problems:
        lines += _recap(report, style)
    return "\n".join(lines) + "\n" if lines else ""


def _plays(report: Report, style: Style) -> Iterator[str]:
    names = {result.id: result.name for result in report.results}
    for play, results in itertools.groupby(report.results, lambda result: result.play):
        yield style.banner(f"PLAY [{printable(play)}]")
        for result in results:
            yield from _line(result, names, style)
        yield ""


def _line(result: Result, names: dict[str, str], style: Style) -> Iterator[str]:
    label = style.paint(f"{result.status}:".ljust(LABEL_WIDTH), result.status)
    causes = ", ".join(names.get(cause, cause) for cause in result.causes)
    by = f" (by {causes})" if result.status is Status.BLOCKED else ""
    yield label + printable(result.name + by)
    if style.verbosity > 0 and result.status is Status.OK:
        for finding in result.findings:
            yield from style.wrap(finding.message, " " * LABEL_WIDTH)


def _problems(report: Report, style: Style) -> Iterator[str]:
    told = [result for status in PROBLEMS for result in report.results if result.status is status]
    if not told and not report.problems:
        return
    yield style.banner("PROBLEMS")
    for problem in report.problems:
        yield from style.wrap(f"in the run itself: {problem}", "")
        yield ""
    for results in _same_cause(told):
        yield from _problem(results, report, style)
        yield ""


def _same_cause(results: list[Result]) -> list[list[Result]]:
    """One cause, one paragraph: results that are unknown since one window is dark stand together."""
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        together = result.status is Status.UNKNOWN and result.causes
        groups.setdefault((*result.causes, result.message) if together else (result.id,), []).append(result)
    return list(groups.values())


def _problem(results: list[Result], report: Report, style: Style) -> Iterator[str]:
    first, several = results[0], len(results) > 1
    title = f"{len(results)} checks could not be judged" if several else printable(first.name)
    yield style.paint(f"{first.status}: {title}", first.status)
    yield from style.wrap(first.message, INDENT)
    for finding in () if several else first.findings:
        yield from _finding(finding, style)
    if first.since is not None:
        yield from _labelled("since", _since(first.since, report.started_at), style)
    ids = {result.id for result in results}
    blocked = [other.name for other in report.results if other.status is Status.BLOCKED and ids & set(other.causes)]
    if blocked:
        yield from _labelled("blocks", f"{len(blocked)}: {', '.join(blocked)}", style)
    if several:
        yield from _labelled("checks", ", ".join(result.name for result in results), style)
    for line in first.remedy.splitlines():  # commands, one each: left whole, so that they can be copied
        yield f"{INDENT}{'remedy'.ljust(LABEL_WIDTH)}{printable(line)}"
    sources = list(dict.fromkeys(result.source for result in results))
    for source in sources[:SOURCES_SHOWN]:
        yield from _labelled("at", source, style)
    if len(sources) > SOURCES_SHOWN:
        yield from _labelled("", f"and {len(sources) - SOURCES_SHOWN} more", style)


def _finding(finding: Finding, style: Style) -> Iterator[str]:
    """What was wanted, and what was seen instead; where nothing was seen, the message has said why."""
    if finding.status is Status.OK or finding.expected == UNSEEN_EXPECTED:
        return
    yield from _labelled("expected", f"{finding.property}: {_value(finding.expected)}", style)
    yield from _labelled("observed", f"{finding.property}: {_value(finding.observed)}", style)


def _labelled(label: str, text: str, style: Style) -> Iterator[str]:
    start = f"{INDENT}{label.ljust(LABEL_WIDTH)}"
    for number, line in enumerate(style.wrap(text, " " * len(start))):
        yield start + line[len(start) :] if number == 0 else line


def _value(value: object) -> str:
    if value is None:
        return "could not be seen"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _since(since: float, now: float) -> str:
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(since))} ({format_duration(max(0.0, now - since))} ago)"


def _recap(report: Report, style: Style) -> Iterator[str]:
    yield style.banner("RECAP")
    counts = " ".join(
        style.paint(f"{status}={count}", Status(status)) if count else f"{status}={count}"
        for status, count in report.summary().items()
    )
    yield f"{printable(str(report.node['hostname']))} : {counts} in {report.duration_seconds:.2f}s"
