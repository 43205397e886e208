"""Where the events of a run go: to the sinks that are set, else to what fits how the run was started."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from nodecheck.events.sinks import Sink
from nodecheck.node import isolated

if TYPE_CHECKING:
    from nodecheck.definitions.event_settings import SinkSetting

NATIVE = {"dialect": "native"}


def of(when: str, settings: tuple[SinkSetting, ...]) -> list[Sink]:
    """Return the sinks of a run. `when` is `auto`, `always` or `never`.

    auto: not on a terminal, where the report stands already; and without sinks that are set, none where standard error
    goes to /dev/null. Set or not, systemd's own journal is found by $JOURNAL_STREAM, as systemd.exec(5) has it.
    """
    if when == "never":
        return []
    found = _standard_error()
    if when == "auto" and found and stat.S_ISCHR(found.st_mode) and sys.stderr.isatty():
        return []
    if settings:
        return [Sink(each.kind, dict(each.options)) for each in settings]
    if _is_journal(found):
        return [Sink("journal", {})]
    if when == "auto" and (found is None or _is_null(found)):
        return [Sink("journal", {})] if _is_started_by_systemd() else []
    return [Sink("stderr", NATIVE)]


def _standard_error() -> os.stat_result | None:
    with suppress(OSError, ValueError):
        return os.fstat(sys.stderr.fileno())
    return None


def _is_journal(found: os.stat_result | None) -> bool:
    """Tell whether standard error goes to the journal: not only that of whoever started us."""
    return found is not None and os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _is_started_by_systemd() -> bool:
    """Tell whether systemd itself started this run; what it started is the guard, which has forked us."""
    started = os.environ.get("SYSTEMD_EXEC_PID", "")
    return started.isdecimal() and isolated.is_ours(int(started), 0)


def _is_null(found: os.stat_result) -> bool:
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == os.stat(os.devnull).st_rdev
