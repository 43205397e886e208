"""What Nagios, Icinga and Naemon take from a plugin: one line, the worst first, and performance data behind a |.

Use it with the exit code, which is that of a plugin. The line is short enough for old transports, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.report.result import WORST_FIRST, Report, Result, Status
from nodecheck.report.style import printable

if TYPE_CHECKING:
    from nodecheck.report.style import Style

EXAMPLE = "nagios"
STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")  # by exit code
COUNTED = (Status.CRITICAL, Status.UNKNOWN, Status.WARNING)
MOST_BYTES = 1000  # NRPE 2 cuts at 1024, and would cut through the performance data


def render(report: Report, _style: Style) -> str:
    """Return one line."""
    data = " ".join(_performance(report))
    # Its own end would be taken for the beginning of performance data.
    text = printable(_text(report)).replace("|", "/")
    room = MOST_BYTES - len(data) - len(" | \n")
    return f"{_cut(text, room)} | {data}\n"


def _text(report: Report) -> str:
    told = sorted((r for r in report.results if r.status in COUNTED), key=lambda r: WORST_FIRST.index(r.status))
    state = f"NODECHECK {STATES[report.exit_code]}"
    if not told:
        counts = ", ".join(f"{count} {status}" for status, count in report.summary().items() if count)
        return f"{state} - {_checks(len(report.results))}: {counts}"
    return f"{state} - {len(told)} of {_checks(len(report.results))}: {'; '.join(map(_problem, told))}"


def _checks(count: int) -> str:
    return f"{count} check" if count == 1 else f"{count} checks"


def _problem(result: Result) -> str:
    return f"{result.status}: {result.name} ({result.message})"


def _performance(report: Report) -> list[str]:
    """Return label=value[unit];warn;crit;min;max each."""
    counts = [f"{status}={count};;;0;{len(report.results)}" for status, count in report.summary().items()]
    return [*counts, f"duration={report.duration_seconds:.3f}s;;;0;{report.budget_seconds:g}"]


def _cut(text: str, most: int) -> str:
    """Return the text in so many bytes, and say when something is missing."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= most:
        return text
    return encoded[: most - len("...")].decode("utf-8", "ignore") + "..."
