"""Events through structlog: one `run`, and one `check` for each result that is not ok. The only importer of structlog.

Names are the report's. On a terminal they are made for reading, elsewhere each is one line of JSON.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nodecheck.report.result import Status

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from nodecheck.report.result import Report

LEVELS = {
    Status.CRITICAL: "error",
    Status.UNKNOWN: "warning",
    Status.WARNING: "warning",
    Status.BLOCKED: "info",
    Status.SKIPPED: "info",
    Status.OK: "info",
}
ON_TERMINAL = (
    "timestamp", "level", "event", "name", "status", "message", "causes", "since", "source", "exit_code", "summary",
    "duration_seconds", "problems", "run_id",
)  # fmt: skip


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
    """Write the events of a report to standard error; what cannot be written must not change the verdict."""
    try:
        log = _logger()
    except ImportError as error:
        sys.stderr.write(f"nodecheck: no events, {error.name} is missing: apt-get install python3-structlog\n")
        return
    with suppress(OSError):  # nobody reads, or the disk is full
        for result in report.results:
            if result.status is not Status.OK:
                data = result.to_data()
                _write(log, "check", result.status, run_id=report.run_id, hostname=report.node["hostname"], **data)
        _write(log, "run", report.status, **report.header(), problems=list(report.problems))


def _write(log: Any, event: str, level_of: Status, **fields: Any) -> None:
    getattr(log, LEVELS[level_of])(event, **fields)


def _logger() -> Any:
    import structlog

    on_terminal = sys.stderr.isatty()
    processors: list[Any] = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    if on_terminal:
        processors += [_shorten, structlog.dev.ConsoleRenderer(colors=not os.environ.get("NO_COLOR"), sort_keys=False)]
    else:
        processors += [structlog.processors.JSONRenderer()]
    structlog.configure(processors=processors, logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    return structlog.get_logger()


def _shorten(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """For a person: a few fields, and no control characters, which the renderer would hand to the terminal."""
    return {name: _printable(event[name]) for name in ON_TERMINAL if event.get(name) not in (None, "", (), [])}


def _printable(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={_printable(item)}" for key, item in value.items())
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
