"""The journal: how many entries of a time match, and the latest of them.

journalctl reads it: it is there wherever there is a journal, and reads files of every version.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.durations import format_duration
from nodecheck.node import shapes
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.node.programs import Run

MOST_ENTRIES = 10_000
MOST_BYTES = 16 << 20
EXCERPT = 300  # characters of a message
BOOT_SECONDS = 120  # a journal that begins so soon after PID 1 holds the whole boot
# How journalctl says so: journal_access_check_and_warn() in systemd's src/shared/journal-util.c.
IGNORED = r"ournal file (?:or directory )?(/\S+?),? .*?\bignoring file"
FIELDS = "MESSAGE,_TRANSPORT,SYSLOG_IDENTIFIER,_SYSTEMD_UNIT"
SOURCE = "journal"
NO_SUCH_UNITS = "Failed to add filter for units: No data available"  # of a pattern that no unit in the journal fits
_FIELDS = shapes.fields(
    {"count": shapes.whole, "last": shapes.optional(shapes.number), "by": shapes.text, "message": shapes.text},
    {"times": shapes.list_of(shapes.number)},
)
RUNS_PROGRAMS = True


def FOUND(value: Any, place: str) -> Any:  # noqa: N802  # read as a shape
    """What was found of one pattern: where entries were counted, one of them is the latest."""
    found = _FIELDS(value, place)
    if found["count"] and found["last"] is None:
        raise shapes.WrongShape(f"{place}.last", "of entries that were counted one is the latest")
    return found


SHAPE = shapes.fields(
    {"read": shapes.whole, "gap": shapes.text, "found": shapes.mapping_of(FOUND)},
    {"newest": shapes.optional(shapes.number)},
)


class Pattern(NamedTuple):
    """A regular expression to look for; `source` is a field with its value, such as _TRANSPORT=kernel, "" for any."""

    name: str
    source: str
    expression: str


class JournalWant(NamedTuple):
    """Entries of this boot that are no older than `since` seconds and match one of the patterns.

    `options` are those of journalctl that choose entries. `timed`: when each of them was written is wanted, too.
    """

    options: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    since: float
    timed: bool = False
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "journal"

    @property
    def key(self) -> str:
        """What is looked for, and how far back."""
        words = [*self.options]
        for pattern in self.patterns:
            expression = f"/{pattern.expression}/" if pattern.expression else ""
            words += [pattern.name] if pattern.name else filter(None, (pattern.source, expression))
        return " ".join([*words, f"since {format_duration(self.since)}", *(["timed"] if self.timed else [])])


def look(want: JournalWant) -> dict[str, Any]:
    """Read the entries and count. Raises Unobserved where there is no journal, or it may not be read."""
    deadline = time.monotonic() + want.seconds
    _need_journald()
    begin = time.time() - want.since
    sources = sorted({pattern.source for pattern in want.patterns if pattern.source})
    matches = [word for source in sources for word in ("+", source)][1:]
    chosen = (f"--since=@{begin:.6f}", f"--lines={MOST_ENTRIES}", "--reverse", *want.options, *matches)
    run = _journalctl(chosen, deadline, MOST_BYTES, MOST_BYTES)
    entries = [*_entries(run)]
    matching = {pattern.name: _matching(pattern, entries) for pattern in want.patterns}
    found = {name: _counted(those) for name, those in matching.items()}
    seen = {"read": len(entries), "gap": _gap(run, entries, begin, deadline), "found": found}
    if not want.timed:
        return seen
    for name, those in matching.items():
        found[name]["times"] = [*map(_time, those)]
    return seen | {"newest": _time(entries[0]) if entries else None}


def _journalctl(options: tuple[str, ...], deadline: float, kept: int, flood: int) -> Run:
    from nodecheck.node import programs

    words = ("journalctl", _this_boot(), "--output=json", "--all", "--no-pager", f"--output-fields={FIELDS}", *options)
    seconds = max(deadline - time.monotonic(), 0.0)
    run = programs.run(programs.Program(words, seconds, None, kept, flood))
    said = " ".join(run.stderr.text.split())
    if run.outcome == programs.NOT_STARTED:
        raise Unobserved(SOURCE, f"journalctl could not be started: {run.error}", remedy="look on the host itself")
    if run.outcome == programs.TIMEOUT:
        reason = f"journalctl did not end within {format_duration(run.seconds)}, and was killed"
        raise Unobserved(SOURCE, reason, late=True)
    if "insufficient permissions" in said or "not seeing messages" in said:
        remedy = "run nodecheck as root, or as a user in the group systemd-journal"
        raise Unobserved(SOURCE, "this user may not read the journal of the system", remedy=remedy)
    if run.outcome == programs.ENDED and run.exit_code != 0 and NO_SUCH_UNITS not in said:
        raise Unobserved(SOURCE, f"journalctl could not read the journal: {said or run.signal}")
    return run


def _entries(run: Run) -> Iterator[dict[str, Any]]:
    """Yield the entries, the latest first; a line that was cut off is none."""
    import json

    for line in run.stdout.text.splitlines():
        with suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                yield entry


def _matching(pattern: Pattern, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    field, _, wanted = pattern.source.partition("=")
    compiled = re.compile(pattern.expression)
    return [
        entry
        for entry in entries
        if (not field or _text(entry.get(field)) == wanted) and compiled.search(_text(entry.get("MESSAGE")))
    ]


def _counted(found: list[dict[str, Any]]) -> dict[str, Any]:
    from nodecheck.node.secrets import mask

    if not found:
        return {"count": 0, "last": None, "by": "", "message": ""}
    last = found[0]
    by = _text(last.get("SYSLOG_IDENTIFIER")) or _text(last.get("_SYSTEMD_UNIT")) or _text(last.get("_TRANSPORT"))
    return {"count": len(found), "last": _time(last), "by": by, "message": mask(_text(last.get("MESSAGE")))[:EXCERPT]}


def _text(value: Any) -> str:
    """Fields are texts; lists of numbers where they hold what is no text, and lists where there are several."""
    if isinstance(value, list):
        numbers = all(isinstance(item, int) for item in value)
        return bytes(value).decode("utf-8", "replace") if numbers else "\n".join(map(_text, value))
    return value if isinstance(value, str) else ""


def _time(entry: dict[str, Any]) -> float:
    return int(entry["__REALTIME_TIMESTAMP"]) / 1e6


# ---- is that all?


def _gap(run: Run, entries: list[dict[str, Any]], begin: float, deadline: float) -> str:
    """Tell why there may have been more; "" where this is all."""
    if len(entries) >= MOST_ENTRIES or not run.stdout.whole:
        return f"only the latest {len(entries)} entries were read"
    if ignored := _ignored(run, begin):
        return f"journalctl ignored what may hold more, for it is damaged: {', '.join(ignored)}"
    # Of the system's: the file of a user grows slowly, and goes back far when all of the system's old ones are removed.
    oldest = next(_entries(_journalctl(("--system",), deadline, 1 << 16, 0)), None)
    if oldest is None:
        return "the journal holds nothing of this boot"
    since_boot = int(oldest["__MONOTONIC_TIMESTAMP"]) / 1e6 - _boot()
    if since_boot < BOOT_SECONDS or _time(oldest) <= begin:
        return ""
    return f"the journal goes back only {format_duration(time.time() - _time(oldest))}"


def _ignored(run: Run, begin: float) -> list[str]:
    """Return the files that journalctl could not read, but for those to which nothing was written since `begin`."""
    return [path for path in re.findall(IGNORED, run.stderr.text) if _is_written_since(path, begin)]


def _is_written_since(path: str, begin: float) -> bool:
    try:
        return os.stat(path).st_mtime >= begin  # journald sees to it, journal_file_post_change()
    except FileNotFoundError:
        return False  # journald has removed it meanwhile, for its age
    except OSError:
        return True


def _this_boot() -> str:
    """Return the option for the boot of PID 1: in a container, a service that has its own /proc/sys sees another."""
    own, of_systemd = (_boot_id(root) for root in ("", "/proc/1/root"))
    return f"--boot={of_systemd}" if own and of_systemd and own != of_systemd else "--boot"


def _boot_id(root: str) -> str:
    try:
        with open(f"{root}/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip().replace("-", "")
    except OSError:
        return ""


def _boot() -> float:
    """When PID 1 was started, in seconds of the clock that runs since boot: in a container not near 0."""
    with open("/proc/1/stat", encoding="utf-8", errors="replace") as stat:
        return int(stat.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


def _need_journald() -> None:
    """Without journald nothing is written to the journal, and an empty one says nothing. Raises Unobserved."""
    states = {state for name, state in _processes() if name == "systemd-journal"}
    if not states:
        raise Unobserved(SOURCE, "systemd-journald does not run, so that nothing is written to the journal")
    if states <= {"T", "t", "Z"}:
        reason = "systemd-journald is stopped or dead, so that nothing is written to the journal"
        raise Unobserved(SOURCE, reason, remedy="systemctl status systemd-journald")


def _processes() -> Iterator[tuple[str, str]]:
    """Yield (name, state) of each process."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            head, _, rest = stat.read().rpartition(")")
            yield head.partition("(")[2], rest.split()[0]
