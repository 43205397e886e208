"""What is remembered of a check from run to run, and what this tells of its latest result. Pure: no file, no clock.

The rules:

* What was not seen is no news. `unknown` and `blocked` neither set nor clear a fault, and do not begin its time anew;
  after some unknown runs in a row (UNKNOWN_RUNS) that is a finding of its own, and the confirmed status of a check that
  had no fault.
* A fault of a check with a `for` is confirmed when it held for so long, and until then counts as what was confirmed
  before. What gets better is confirmed at once. A critical run is one that is at least a warning, too.
* The first look is no change.
* Times are kept by the wall clock. When that jumps, they jump with it, as far as the clock since boot tells.
* A definition that was changed begins anew, but for what was confirmed: whoever was told of a fault is told of its end.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nodecheck.engine.flapping import RESULTS, is_flapping
from nodecheck.report.result import Status

UNKNOWN_RUNS = 4  # as many as NVSentinel's: enough for a daemon that is restarted, few enough to be told in minutes
SLACK_SECONDS = 1.0  # two clocks that are read one after the other differ by less
LEVELS = (Status.OK, Status.INFO, Status.WARNING, Status.CRITICAL)  # what was seen, from best to worst
LETTERS = {status: status[0] for status in LEVELS}
NO_FAULT = frozenset({None, Status.OK, Status.SKIPPED})


class Unusable(Exception):
    """Nothing can be remembered, or read of what was, and why."""


class Moment(NamedTuple):
    """When a run looked: by the wall clock, by the clock since boot, and which boot; seconds."""

    at: float
    boottime: float
    boot_id: str


class Seen(NamedTuple):
    """What a run saw of a check; `since` is what the node told. `runs` and `seconds` are those of its `for`.

    `digest` changes with what the definition says.
    """

    id: str
    name: str
    digest: str
    status: str
    since: float | None
    message: str
    runs: int = 0
    seconds: float = 0.0


class Memory(NamedTuple):
    """What is remembered of one check. Its fields are the columns of the state file.

    `status`, `since` and `streak` are those of the latest result. `seen_status` is the latest that was seen, neither
    unknown nor blocked; `seen_since` when it became so, `seen_at` when it was last looked at. Of each level of fault it
    is known for how many looks in a row it was at least so bad, and since when. `recent` has a letter for each of the
    latest results that count for flapping. `at`, `boottime` and `boot_id` are of the latest run, and `pause` is the
    time between it and the one before; all times in seconds.
    """

    name: str
    digest: str
    at: float
    boottime: float
    boot_id: str
    pause: float = 0.0
    status: str = ""
    since: float | None = None
    streak: int = 0
    confirmed_status: str | None = None
    seen_status: str = ""
    seen_since: float | None = None
    seen_at: float | None = None
    info_runs: int = 0
    info_since: float | None = None
    warning_runs: int = 0
    warning_since: float | None = None
    critical_runs: int = 0
    critical_since: float | None = None
    unknown_runs: int = 0
    recent: str = ""
    flapping: bool = False


TIMES = tuple(name for name in Memory._fields if name.endswith(("since", "_at")))  # by the wall clock, or none


class Told(NamedTuple):
    """What memory tells of a result: fields of Result of the same names, and what stands in its message.

    `held_runs` and `held_seconds` say for how long a fault that is not confirmed has been there. `before` is the
    confirmed status before this run. `last_seen` and `last_seen_at` are told of what was unknown too often.
    """

    since: float | None
    streak: int
    confirmed_status: str | None
    flapping: bool
    before: str | None
    held_runs: int = 0
    held_seconds: float = 0.0
    unknown_runs: int = 0
    last_seen: str = ""
    last_seen_at: float | None = None


class Change(NamedTuple):
    """From when on a check had a status, by the wall clock in seconds; "" where nobody looked."""

    at: float
    status: str
    confirmed_status: str | None
    message: str


class History(NamedTuple):
    """What is remembered of one check, and its changes, the oldest first."""

    scope: str
    id: str
    memory: Memory
    changes: tuple[Change, ...]


def age(at: float, boottime: float, boot_id: str, now: Moment) -> float:
    """Return how many seconds ago something was: within one boot, the clock since boot knows."""
    ago = now.boottime - boottime if boot_id == now.boot_id else max(now.at - at, now.boottime)
    return max(0.0, ago)


def remember(memory: Memory | None, seen: Seen, now: Moment) -> tuple[Memory, Told]:
    """Return what is remembered from now on, and what is told of this result."""
    first = memory is None
    known = Memory(seen.name, seen.digest, *now) if memory is None else _brought_to(memory, now)
    if known.digest != seen.digest:
        known = _begun_anew(known)
    known = known._replace(name=seen.name, digest=seen.digest)
    updated = _with_status(_updated(known, seen, now), known, seen, now)
    since = seen.since if first else updated.since
    return updated, _told(known, updated, seen, now, since)


def jump(memory: Memory, now: Moment) -> float:
    """Return by how many seconds the wall clock jumped since the latest run, as far as the clock since boot tells."""
    if memory.boot_id != now.boot_id or now.boottime < memory.boottime:
        return 0.0
    jumped = (now.at - memory.at) - (now.boottime - memory.boottime)
    return jumped if abs(jumped) > SLACK_SECONDS else 0.0


def _brought_to(memory: Memory, now: Moment) -> Memory:
    """Return it with its times by the clock of now: within one boot, the clock since boot knows how long ago it was."""
    shift = jump(memory, now)
    times = {name: getattr(memory, name) for name in TIMES}
    moved: dict[str, Any] = {name: min(time + shift, now.at) for name, time in times.items() if time is not None}
    if memory.boot_id != now.boot_id:  # nothing held while nothing ran
        held = {f"{status}_since" for status in LEVELS} & moved.keys()
        moved |= {name: max(moved[name], now.at - now.boottime) for name in held}
    pause = max(0.0, now.at - memory.at - shift)
    return memory._replace(**moved, at=now.at, boottime=now.boottime, boot_id=now.boot_id, pause=pause)


def _begun_anew(memory: Memory) -> Memory:
    return Memory(
        memory.name, memory.digest, memory.at, memory.boottime, memory.boot_id, memory.pause,
        confirmed_status=memory.confirmed_status,
    )  # fmt: skip


def _updated(known: Memory, seen: Seen, now: Moment) -> Memory:
    """Return it with all but the latest result itself."""
    if seen.status == Status.BLOCKED:
        return known
    if seen.status == Status.UNKNOWN:
        unknown = known._replace(unknown_runs=known.unknown_runs + 1)
        told = unknown.unknown_runs >= UNKNOWN_RUNS and known.confirmed_status in NO_FAULT
        return unknown._replace(confirmed_status=str(Status.UNKNOWN)) if told else unknown
    known = _with_levels(known, seen, now)
    confirmed = _confirmed(known, seen, now)
    updated = known._replace(unknown_runs=0, confirmed_status=confirmed, seen_at=now.at)
    if known.seen_status != seen.status:
        updated = updated._replace(seen_status=seen.status, seen_since=_since(known, seen, now))
    return _with_flapping(updated, seen)


def _since(known: Memory, seen: Seen, now: Moment) -> float:
    """The node knows it better than who looks now and then, if it became so after the latest look."""
    told = seen.since
    if told is not None and told <= now.at and (known.seen_at is None or told > known.seen_at):
        return told
    return now.at


def _with_levels(known: Memory, seen: Seen, now: Moment) -> Memory:
    level = LEVELS.index(Status(seen.status)) if seen.status in LEVELS else 0
    new_since = max(_since(known, seen, now), now.at - now.boottime)
    for number, status in enumerate(LEVELS[1:], 1):
        runs, since = getattr(known, f"{status}_runs"), getattr(known, f"{status}_since")
        new: dict[str, Any] = {f"{status}_runs": 0, f"{status}_since": None}
        if level >= number:
            new = {f"{status}_runs": runs + 1, f"{status}_since": new_since if since is None else since}
        known = known._replace(**new)
    return known


def _confirmed(known: Memory, seen: Seen, now: Moment) -> str | None:
    """Return the confirmed status: the worst that held for long enough, and nothing worse than what was seen."""
    if seen.status not in LEVELS or seen.status == Status.OK:
        return seen.status
    level = LEVELS.index(Status(seen.status))
    held = max((number for number in range(1, level + 1) if _has_held(known, number, seen, now)), default=0)
    before = LEVELS.index(Status(known.confirmed_status)) if known.confirmed_status in LEVELS else 0
    confirmed = max(held, min(before, level))
    return str(LEVELS[confirmed]) if confirmed else known.confirmed_status


def _has_held(known: Memory, level: int, seen: Seen, now: Moment) -> bool:
    runs, seconds = _held(known, LEVELS[level], now)
    return runs >= seen.runs and seconds >= seen.seconds


def _held(known: Memory, status: str, now: Moment) -> tuple[int, float]:
    since = getattr(known, f"{status}_since")
    return getattr(known, f"{status}_runs"), 0.0 if since is None else now.at - since


def _with_flapping(known: Memory, seen: Seen) -> Memory:
    """A fault that is not confirmed does not count, nor what was not judged."""
    if seen.status not in LETTERS or known.confirmed_status != seen.status:
        return known
    recent = (known.recent + LETTERS[Status(seen.status)])[-RESULTS:]
    return known._replace(recent=recent, flapping=is_flapping(recent, was_flapping=known.flapping))


def _with_status(updated: Memory, known: Memory, seen: Seen, now: Moment) -> Memory:
    """Return it with the latest result."""
    streak = known.streak + 1 if known.status == seen.status else 1
    if seen.status == updated.seen_status:
        since = updated.seen_since
    else:
        since = known.since if known.status == seen.status else now.at
    return updated._replace(status=seen.status, since=since, streak=streak)


def _told(known: Memory, updated: Memory, seen: Seen, now: Moment, since: float | None) -> Told:
    told = Told(since, updated.streak, updated.confirmed_status, updated.flapping, known.confirmed_status)
    if seen.status in LEVELS and updated.confirmed_status != seen.status:
        runs, seconds = _held(updated, seen.status, now)
        return told._replace(held_runs=runs, held_seconds=seconds)
    if seen.status == Status.UNKNOWN and updated.unknown_runs >= UNKNOWN_RUNS:
        return told._replace(
            unknown_runs=updated.unknown_runs, last_seen=updated.seen_status, last_seen_at=updated.seen_at
        )
    return told
