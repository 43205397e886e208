"""Whether a file system takes writes, for the check types `disk` and `mount`."""

from __future__ import annotations

from typing import Any

from nodecheck.report.result import Finding, Status


def judge_read_only(wanted: bool, seen: dict[str, Any], subject: str) -> Finding:
    """Judge `read_only` of what a window saw; `doubt` says why it is not known, "" where it is."""
    observed: bool = seen["read_only"]
    if seen.get("doubt"):
        message = f"{subject} is said to be writable, but {seen['doubt']}"
        remedy = "journalctl -k --grep 'EXT4-fs error'"
        return Finding("read_only", Status.UNKNOWN, wanted, None, message, remedy=remedy)
    is_so = f"{subject} is {_word(observed)}"
    if observed == wanted:
        return Finding("read_only", Status.OK, wanted, observed, is_so)
    remedy = "journalctl -k --grep 'remount|I/O error'" if observed else ""
    message = f"{is_so}, expected {_word(wanted)}"
    return Finding("read_only", Status.CRITICAL, wanted, observed, message, remedy=remedy)


def _word(read_only: bool) -> str:
    return "read-only" if read_only else "writable"
