"""For a person at a terminal, and the default: plays and checks as Ansible shows them, the problems, the recap.

-q leaves out what is ok, -v tells what was seen of it. Colour only on a terminal, and not with NO_COLOR.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from nodecheck.durations import format_duration
from nodecheck.report.result import Finding, Report, Result, Status, same_cause
from nodecheck.report.style import Style, in_words, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBLEMS = (Status.INFO, Status.WARNING, Status.UNKNOWN, Status.CRITICAL)  # the worst comes last, next to the prompt
EXAMPLE = "text"
LABEL_WIDTH = 10
INDENT = "  "
SOURCES_SHOWN = 5
BLOCKED_SHOWN = 3
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
    causes = "; ".join(names.get(cause, cause) for cause in result.causes)
    by = f" (by {causes})" if result.status is Status.BLOCKED else ""
    yield label + printable(result.name + by)
    if result.status is Status.SKIPPED and (style.verbosity > 0 or result.waived):
        yield from style.wrap(result.message, " " * LABEL_WIDTH)
    elif style.verbosity > 0 and result.status is Status.OK:
        for finding in result.findings:
            yield from style.wrap(finding.message, " " * LABEL_WIDTH)


def _problems(report: Report, style: Style) -> Iterator[str]:
    told = [result for status in PROBLEMS for result in report.results if result.status is status]
    if not told and not report.problems:
        return
    yield style.banner("PROBLEMS")
    for problem in report.problems:
        first, *rest = style.wrap(f"in the run itself: {problem}", INDENT)
        yield first.removeprefix(INDENT)
        yield from rest  # indented, for it may tell what a node says
        yield ""
    for results in same_cause(told):
        yield from _problem(results, report, style)
        yield ""


def _problem(results: list[Result], report: Report, style: Style) -> Iterator[str]:
    first, several = results[0], len(results) > 1
    title = f"{len(results)} checks could not be judged" if several else printable(first.name)
    yield style.paint(f"{first.status}: {title}", first.status)
    yield from style.wrap(first.message, INDENT)
    for finding in () if several else first.findings:
        yield from _finding(finding, style)
    yield from _over_time(first, report, style)
    for line in first.remedy.splitlines():  # commands, one each: left whole, so that they can be copied
        yield f"{INDENT}{'remedy'.ljust(LABEL_WIDTH)}{printable(line)}"
    if first.docs:
        yield f"{INDENT}{'docs'.ljust(LABEL_WIDTH)}{printable(first.docs)}"
    yield from _blocked(results, report, style)
    if several:
        yield from _labelled("checks", "; ".join(result.name for result in results), style)
    yield from _sources(results, style)


def _blocked(causes: list[Result], report: Report, style: Style) -> Iterator[str]:
    """A cause that blocks half of all checks is found before what it blocks; -v names each."""
    ids = {result.id for result in causes}
    blocked = [other.name for other in report.results if other.status is Status.BLOCKED and ids & set(other.causes)]
    shown = blocked if style.verbosity > 0 else blocked[:BLOCKED_SHOWN]
    more = f"; and {len(blocked) - len(shown)} more" if len(shown) < len(blocked) else ""
    if blocked:
        yield from _labelled("blocks", f"{len(blocked)}: {'; '.join(shown)}{more}", style)


def _sources(results: list[Result], style: Style) -> Iterator[str]:
    sources = list(dict.fromkeys(result.source for result in results))
    for source in sources[:SOURCES_SHOWN]:
        yield from _labelled("at", source, style)
    if len(sources) > SOURCES_SHOWN:
        yield from _labelled("", f"and {len(sources) - SOURCES_SHOWN} more", style)


def _finding(finding: Finding, style: Style) -> Iterator[str]:
    """What was wanted, and what was seen instead; where nothing was seen, the message has said why."""
    if finding.status is Status.OK or finding.expected == UNSEEN_EXPECTED:
        return
    yield from _labelled("expected", f"{finding.property}: {in_words(finding.expected)}", style)
    yield from _labelled("observed", f"{finding.property}: {in_words(finding.observed)}", style)


def _over_time(result: Result, report: Report, style: Style) -> Iterator[str]:
    if result.attempts > 1:
        yield from _labelled("attempts", str(result.attempts), style)
    if result.since is not None:
        yield from _labelled("since", _since(result, result.since, report.seen_at), style)
    if result.flapping:
        yield from _labelled("flapping", "it changes so often that a single change means little", style)


def _labelled(label: str, text: str, style: Style) -> Iterator[str]:
    start = f"{INDENT}{label.ljust(LABEL_WIDTH)}"
    for number, line in enumerate(style.wrap(text, " " * len(start))):
        yield start + line[len(start) :] if number == 0 else line


def _since(result: Result, since: float, now: float) -> str:
    ago = max(0.0, now - since)
    streak = f", {result.streak} runs in a row" if result.streak > 1 else ""
    return f"{_local(since)} ({'just now' if ago < 1 else f'{format_duration(ago)} ago'}{streak})"


def _local(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _recap(report: Report, style: Style) -> Iterator[str]:
    yield style.banner("RECAP")
    counts = " ".join(
        style.paint(f"{status}={count}", Status(status)) if count else f"{status}={count}"
        for status, count in report.summary().items()
    )
    name = printable(str(report.node["hostname"]))
    recorded = "" if report.recorded_at is None else f", recorded {_local(report.recorded_at)}"
    partial = ", partial" if report.partial else ""
    yield f"{name}{recorded} : {counts} in {report.duration_seconds:.2f}s{partial}"
