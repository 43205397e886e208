"""Events through structlog: one `run`, and one `check` for each result that is not ok. The only importer of structlog.

Names are the report's. On a terminal they are made for reading, elsewhere each is one line of JSON.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, Any

from nodecheck.report.result import Status

if TYPE_CHECKING:
    from nodecheck.report.result import Report

LEVELS = {
    Status.CRITICAL: "error",
    Status.UNKNOWN: "warning",
    Status.WARNING: "warning",
    Status.BLOCKED: "info",
    Status.SKIPPED: "info",
    Status.OK: "info",
}
WHEN = ("auto", "always", "never")


def wanted(when: str) -> bool:
    """Tell whether events go to standard error.

    auto: not on a terminal, where the report stands already, and not into /dev/null: structlog takes longer to import
    than a run to make.
    """
    if when != "auto":
        return when == "always"
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return not sys.stderr.isatty() and not (
        stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev
    )


def emit(report: Report) -> None:
    """Write the events of a report to standard error."""
    log = _logger()
    for result in report.results:
        if result.status is not Status.OK:
            data = result.to_data()
            getattr(log, LEVELS[result.status])("check", run_id=report.run_id, hostname=report.node["hostname"], **data)
    header = report.header()
    header["problems"] = list(report.problems)
    getattr(log, LEVELS[report.status])("run", **header)


def _logger() -> Any:
    import structlog

    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors="NO_COLOR" not in os.environ)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return structlog.get_logger()
