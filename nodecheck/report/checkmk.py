"""Services of Checkmk, as a local check prints them: one for each check, and `nodecheck` for the run.

A file below the agent's directory `local` that runs `nodecheck run --events never -o checkmk` is all it takes. A
service is named by the id of its check. blocked and skipped are OK there, and say why they were not judged. A fault
that is not confirmed has the state that was confirmed before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.report.result import EXIT_CODES, Report, Result, Status
from nodecheck.report.style import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.report.style import Style

EXAMPLE = "checkmk"
NAME = "nodecheck"
LINE = "\\n"  # two characters, of which Checkmk makes a new line: the details of a service
MARKED = (Status.BLOCKED, Status.SKIPPED, Status.INFO)  # OK to Checkmk, so the text has to say it


def render(report: Report, _style: Style) -> str:
    """Return a line for the run and one for each result: state "service" metrics text."""
    return "\n".join([_of_run(report), *(_of_check(result) for result in report.results)]) + "\n"


def _of_run(report: Report) -> str:
    counts = {status: count for status, count in report.summary().items() if count}
    told = ", ".join(f"{count} {status}" for status, count in counts.items()) or "nothing was judged"
    metrics = [f"{status}={count}" for status, count in report.summary().items()]
    metrics.append(f"duration={report.duration_seconds:.3f};;;0;{report.budget_seconds:g}")
    problems = "".join(f"{LINE}in the run itself: {_text(problem)}" for problem in report.problems)
    return f'{report.exit_code} "{NAME}" {"|".join(metrics)} {told}{problems}'


def _of_check(result: Result) -> str:
    service = f"{NAME} {printable(result.id).replace(chr(34), '_').replace(chr(39), '_')}"
    return f'{EXIT_CODES[result.counts_as]} "{service}" - {LINE.join(map(_text, _told(result)))}'


def _told(result: Result) -> Iterator[str]:
    marked = f"{result.status}: " if result.status in MARKED or not result.confirmed else ""
    yield result.name if result.status is Status.OK else f"{result.name}: {marked}{result.message}"
    if result.status is not Status.OK:
        yield from (f"remedy: {line}" for line in result.remedy.splitlines())
        yield f"at {result.source}"


def _text(text: str) -> str:
    """One line; a backslash before an n would be taken for the end of it."""
    return printable(text).replace(LINE, "\\ n")
