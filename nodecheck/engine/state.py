"""The memory of runs, as a run uses it: a helper reads and writes the state file, and is left when its disk hangs.

It begins while definitions are read and the node is looked at. Nothing that becomes of it changes what was seen: the
run is judged as if it were the first, and the loss is one of its problems.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.engine.memory import Change, History, Memory, Moment, Seen, Told, Unusable
from nodecheck.node import interruption, stuck
from nodecheck.node.isolated import Channel, Helper, HelperGone, HelperTimeout, Interrupted

if TYPE_CHECKING:
    from nodecheck.engine.clock import Clock

PATIENCE_SECONDS = 2.0  # for a disk that is busy; the longest that a hanging one holds up a run
LOST = "so what this run saw is not remembered, and faults count at once"


class Remembered(NamedTuple):
    """What memory tells of each result, None when it tells nothing; and what went wrong, "" when nothing did.

    Where nothing was written, what is told is what was known before this run.
    """

    told: list[Told] | None
    written: bool
    problem: str


class State:
    """The state file in a directory, in use by one run. Making one begins to read it.

    `scope` says which definitions the run is of: checks of the same id in two scopes are two.
    """

    def __init__(self, directory: str, scope: str = "") -> None:
        self._directory = directory
        self._scope = scope
        self._hangs = stuck.known().get(repr(_thing(directory)))
        self._helper = None if self._hangs else Helper(lambda channel: _serve(channel, directory))
        self._recalled: dict[str, list[Any]] | None = None

    def recall(self, clock: Clock) -> dict[str, list[Any]]:
        """Return {name: [(at, boottime, boot id, value), ...]} of all counters, the oldest sample first.

        Nothing is known where the state file cannot be read; `remember` says why.
        """
        if self._helper is None:
            return {}
        with suppress(HelperTimeout, HelperGone):
            self._recalled = self._helper.channel.receive(self._patience(clock))
        return self._recalled or {}

    def remember(
        self, results: list[Seen], now: Moment, clock: Clock, counters: dict[str, tuple[float, float]]
    ) -> Remembered:
        """Remember the results of a run and {name: (within, value)} of counters; return what is told of each result."""
        if self._helper is None:
            by = self._hangs.who if self._hangs else ""
            return Remembered(None, False, f"{self._directory} hangs in the kernel since an earlier run ({by}), {LOST}")
        try:
            self._helper.channel.send((self._scope, [tuple(seen) for seen in results], tuple(now), counters))
            if self._recalled is None:
                self._helper.channel.receive(self._patience(clock))
            told, written, problem = self._helper.channel.receive(self._patience(clock))
        except Interrupted:
            self._helper.leave()
            return Remembered(None, False, f"{interruption.reason()}, {LOST}")
        except HelperTimeout:
            return Remembered(None, False, f"{self._leave(self._helper)}, {LOST}")
        except (HelperGone, BrokenPipeError):
            self._helper.leave()
            return Remembered(None, False, f"{self._directory}: the process that remembers ended, {LOST}")
        self._helper.end()
        problem = problem if written or not problem else f"{problem}, {LOST}"
        return Remembered(None if told is None else [Told(*each) for each in told], written, problem)

    def _leave(self, helper: Helper) -> str:
        hangs = f"{self._directory} did not answer within {PATIENCE_SECONDS:g}s"
        if helper.leave():
            return hangs
        stuck.remember(helper.pid, [_thing(self._directory)])
        return f"{hangs} (a helper, {stuck.who(helper.pid)}, hangs in the kernel and was left behind)"

    def history(self, clock: Clock) -> dict[str, list[tuple[float, str]]]:
        """Return {id: [(since when, by the wall clock in seconds, what it was), ...]} of each check, the oldest first.

        Nothing is known where the state file cannot be read; `remember` says why.
        """
        with suppress(Unusable):
            found = read_histories(self._directory, self._patience(clock) - time.monotonic())
            own = [each for each in found if each.scope == self._scope]
            return {each.id: [(change.at, change.status) for change in each.changes] for each in own}
        return {}

    def _patience(self, clock: Clock) -> float:
        """Until when to wait: what is left of the budget, but for what printing takes."""
        return min(time.monotonic() + PATIENCE_SECONDS, clock.started + clock.budget - 0.1)


def _thing(directory: str) -> str:
    return f"state {directory}"


def scope_of(paths: list[str]) -> str:
    """Return the scope of a run of the definitions in these files and directories; "" for the installed ones."""
    scope = " ".join(sorted({os.path.abspath(path) for path in paths}))
    return scope.encode(errors="backslashreplace").decode()  # a name that is no text


def read_histories(directory: str, seconds: float = PATIENCE_SECONDS) -> list[History]:
    """Return what is remembered of every check. Raises Unusable, also where the directory does not answer in time."""
    helper = Helper(lambda channel: _serve_histories(channel, directory))
    try:
        found, problem = helper.channel.receive(time.monotonic() + seconds)
    except HelperTimeout as error:
        helper.leave()
        raise Unusable(f"{directory} did not answer within {seconds:g}s") from error
    except HelperGone as error:
        helper.leave()
        raise Unusable(f"{directory}: the process that reads it ended") from error
    helper.end()
    if problem:
        raise Unusable(problem)
    return [
        History(scope, check, Memory(*memory), tuple(Change(*change) for change in changes))
        for scope, check, memory, changes in found
    ]


# ---- what follows runs in the helper


def _serve_histories(channel: Channel, directory: str) -> None:
    from nodecheck.engine.statefile import histories

    try:
        found = histories(directory)
    except Unusable as error:
        channel.send(([], str(error)))
        return
    channel.send(([(each.scope, each.id, tuple(each.memory), [*map(tuple, each.changes)]) for each in found], ""))


def _serve(channel: Channel, directory: str) -> None:
    from nodecheck.engine.statefile import StateFile

    try:
        file = StateFile(directory)
        channel.send(file.samples())
    except Unusable as error:
        channel.send({})
        channel.receive()
        channel.send((None, False, str(error)))
        return
    scope, results, now, counters = channel.receive()
    try:
        told = file.remember(scope, [Seen(*seen) for seen in results], Moment(*now), counters)
        answer: tuple[Any, ...] = ([tuple(each) for each in told], file.writable, file.problem)
    except Unusable as error:
        answer = (None, False, str(error))
    channel.send(answer)
    file.close()  # nobody waits for this: what is new goes from the log to the file
