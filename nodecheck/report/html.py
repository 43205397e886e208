"""One page for a browser, self-contained: the state of the node at a glance, causes first, then each check.

It loads nothing, runs no scripts, is light or dark as the reader's system is, and prints.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from nodecheck.durations import format_duration
from nodecheck.report import htmlstyle
from nodecheck.report.result import WORST_FIRST, Finding, Report, Result, Status, same_cause, timestamp
from nodecheck.report.style import in_words, markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nodecheck.report.result import History
    from nodecheck.report.style import Style


EXAMPLE = "html=/var/lib/nodecheck/report.html"
SHOWS_HISTORY = True
TOLD = (Status.CRITICAL, Status.UNKNOWN, Status.WARNING, Status.INFO)
CELLS = 120  # of a strip; the worst of a cell's time is what it shows, so that nothing short gets lost
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
ROW = 10  # the height of a strip in units of its drawing


def render(report: Report, _style: Style) -> str:
    """Return the page. Where the report has a history, strips are drawn from it."""
    return "\n".join(_page(report, _Strips(report.history or {}, report.seen_at))) + "\n"


def _page(report: Report, strips: _Strips) -> Iterator[str]:
    title = f"{markup(str(report.node['hostname']))}: {report.status}"
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f'<link rel="icon" href="{htmlstyle.icon(report.status)}">'
    yield f"<title>{title}</title>"
    yield f"<style>\n{htmlstyle.SHEET}</style>"
    yield "</head>"
    yield "<body>"
    yield from _head(report)
    yield "<main>"
    yield from _problems(report, strips)
    yield from _checks(report, strips)
    yield "</main>"
    yield from _foot(report)
    yield "</body>"
    yield "</html>"


# ---- at a glance


def _head(report: Report) -> Iterator[str]:
    yield f'<header class="{report.status}">'
    yield f"<h1>{_mark(report.status)}{markup(str(report.node['hostname']))}</h1>"
    recorded = "" if report.recorded_at is None else "recorded and judged later, "
    ran = f"looked at for {report.duration_seconds:.2f} of {report.budget_seconds:g} s"
    yield f'<p class="quiet">{recorded}{_time(report.seen_at)}, {ran}</p>'
    counts = [(status, report.summary()[status]) for status in WORST_FIRST if report.summary()[status]]
    yield '<div class="bar" aria-hidden="true">'
    yield from (f'<i class="{status}" style="flex-grow:{count}"></i>' for status, count in counts)
    yield "</div>"
    yield '<ul class="counts">'
    yield from (f'<li class="{status}"><b>{count}</b> {status}</li>' for status, count in counts)
    yield "</ul>"
    if report.partial:
        yield '<p class="note">The run ended before all had been looked at.</p>'
    yield from (f'<p class="note">In the run itself: {markup(problem)}</p>' for problem in report.problems)
    yield "</header>"


def _mark(status: str) -> str:
    """A status in its colour, and as a word: not everybody tells colours apart, and paper has none."""
    return f'<span class="mark {status}">{status}</span>'


def _time(seconds: float) -> str:
    stamp = timestamp(seconds) or ""
    return f'<time datetime="{stamp}">{stamp[:10]} {stamp[11:19]} UTC</time>'


def _since(since: float, now: float) -> str:
    return f"{_time(since)} ({format_duration(max(0.0, now - since))} before)"


# ---- causes first


def _problems(report: Report, strips: _Strips) -> Iterator[str]:
    told = same_cause([result for status in TOLD for result in report.results if result.status is status])
    if not told:
        yield '<p class="note">Nothing was found that is not as wanted.</p>'
        return
    yield "<section>"
    yield "<h2>What is not as wanted</h2>"
    for results in told:
        yield from _problem(results, report, strips)
    yield "</section>"


def _problem(results: list[Result], report: Report, strips: _Strips) -> Iterator[str]:
    first, several = results[0], len(results) > 1
    title = f"{len(results)} checks could not be judged" if several else markup(first.name)
    yield f'<article class="{first.status}">'
    yield f"<h3>{_mark(first.status)}{title}</h3>"
    yield f"<p>{markup(first.message)}</p>"
    if not several:
        yield from _findings([finding for finding in first.findings if finding.status is not Status.OK])
        yield strips.drawn(first.id, first.name)
    yield "<dl>"
    for name, told in _facts(results, report):
        yield f"<dt>{name}</dt><dd>{told}</dd>"
    yield "</dl>"
    yield "</article>"


def _facts(results: list[Result], report: Report) -> Iterator[tuple[str, str]]:
    first = results[0]
    if first.since is not None:
        yield "since", _since(first.since, report.seen_at)
    if first.attempts > 1:
        yield "attempts", str(first.attempts)
    if len(results) > 1:
        yield "checks", ", ".join(markup(result.name) for result in results)
    ids = {result.id for result in results}
    blocked = [other.name for other in report.results if other.status is Status.BLOCKED and ids & set(other.causes)]
    if blocked:
        yield f"blocks {len(blocked)}", ", ".join(map(markup, blocked))
    if first.remedy:
        yield "remedy", f"<pre>{markup(first.remedy)}</pre>"
    if first.docs:
        yield "docs", markup(first.docs)
    yield "at", ", ".join(markup(source) for source in dict.fromkeys(result.source for result in results))


def _findings(findings: Iterable[Finding]) -> Iterator[str]:
    rows = [
        f'<tr><th scope="row">{markup(finding.property)}</th><td>{markup(in_words(finding.expected))}</td>'
        f'<td class="{finding.status}">{markup(in_words(finding.observed))}</td></tr>'
        for finding in findings
    ]
    if rows:
        yield "<table>"
        yield '<tr><td></td><th scope="col">expected</th><th scope="col">observed</th></tr>'
        yield from rows
        yield "</table>"


# ---- each check


def _checks(report: Report, strips: _Strips) -> Iterator[str]:
    names = {result.id: result.name for result in report.results}
    for play, results in itertools.groupby(report.results, lambda result: result.play):
        yield "<section>"
        yield f"<h2>{markup(play)}{strips.axis()}</h2>"
        for result in results:
            yield from _check(result, names, strips)
        yield "</section>"


def _check(result: Result, names: dict[str, str], strips: _Strips) -> Iterator[str]:
    causes = ", ".join(names.get(cause, cause) for cause in result.causes)
    by = f" <small>by {markup(causes)}</small>" if result.status is Status.BLOCKED else ""
    yield f'<details class="{result.status}">'
    drawn = strips.drawn(result.id, result.name)
    yield f"<summary>{_mark(result.status)}<span>{markup(result.name)}{by}</span>{drawn}</summary>"
    yield f"<p>{markup(result.message)}</p>"
    yield from _findings(result.findings)
    tags = "".join(f" · {markup(tag)}" for tag in result.tags)
    yield f'<p class="quiet">{markup(result.type)}{tags} · {markup(result.source)}</p>'
    yield "</details>"


def _foot(report: Report) -> Iterator[str]:
    groups = ", ".join(map(markup, report.node.get("groups", ())))
    files = len(report.files)
    yield "<footer>"
    yield f"<p>groups {groups}</p>"
    yield f"<p>{files} definition {'file' if files == 1 else 'files'}, {markup(report.digest())}</p>"
    yield f"<p>nodecheck {markup(report.version)}, run {markup(report.run_id)}</p>"
    yield "</footer>"


# ---- history


class _Strips:
    """What each check was over time, all on one axis that ends when the node was looked at."""

    def __init__(self, history: History, now: float) -> None:
        self._history = {check: changes for check, changes in history.items() if changes}
        self._start = min((changes[0][0] for changes in self._history.values()), default=now)
        self._now = now

    def axis(self) -> str:
        """Return the legend of the strips."""
        if self._now <= self._start:
            return ""
        ago = format_duration(self._now - self._start)
        return f'<span class="axis"><span>{ago} before</span><span>this run</span></span>'

    def drawn(self, check: str, name: str) -> str:
        """Return the strip of a check; "" where nothing is known of it."""
        if check not in self._history or self._now <= self._start:
            return ""
        told = f"{markup(name)} over {format_duration(self._now - self._start)}"
        bars = "".join(_bars(self._cells(check)))
        size = f'viewBox="0 0 {CELLS} {ROW}" preserveAspectRatio="none"'
        return f'<svg class="strip" {size} role="img" aria-label="{told}">{bars}</svg>'

    def _cells(self, check: str) -> list[Status | None]:
        """Return the worst status in each of the CELLS parts of the time; None where it is not known."""
        cells: list[Status | None] = [None] * CELLS
        changes = self._history[check]
        ends = [since for since, _ in changes[1:]] + [self._now]
        for (since, status), end in zip(changes, ends, strict=True):
            if not status:  # nobody looked
                continue
            first, last = self._cell(since), self._cell(end)
            for number in range(first, max(first, last - (end < self._now)) + 1):
                cells[number] = _worse(cells[number], Status(status))
        return cells

    def _cell(self, seconds: float) -> int:
        share = (seconds - self._start) / (self._now - self._start)
        return min(max(int(share * CELLS), 0), CELLS - 1)


def _worse(one: Status | None, other: Status) -> Status:
    return other if one is None or WORST_FIRST.index(other) < WORST_FIRST.index(one) else one


def _bars(cells: list[Status | None]) -> Iterator[str]:
    """One rectangle for neighbours of one status."""
    at = 0
    for status, same in itertools.groupby(cells):
        width = len(list(same))
        if status is not None:
            yield f'<rect class="{status}" x="{at}" width="{width}" height="{ROW}"/>'
        at += width
