"""Brings the events of a run to where they go, after the report is out: whatever hangs there delays no verdict.

Each sink has a helper, and the run waits for all of them together up to a deadline. What has not arrived by then is
kept on disk by another helper, the keeper, beside what is remembered of runs; a later run delivers it first, so that
the order is kept. The keeper begins with the run: what waits since earlier ones is a problem that the report tells.
"""

from __future__ import annotations

import json
import os
import sys
import time
from binascii import crc32
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.events import choice, log, spool
from nodecheck.events.sinks import Down, Sink
from nodecheck.node.isolated import Channel, Helper, HelperGone, HelperTimeout
from nodecheck.report.result import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodecheck.engine.clock import Clock
    from nodecheck.events.choice import Told
    from nodecheck.report.result import Report

PATIENCE_SECONDS = 0.5  # for the disk; the longest that one which hangs holds up a run
DELIVERY_SECONDS = 5.0  # for all sinks together, after the report is out
ENDING_SECONDS = 0.2  # kept back from the budget for the end
TOLD = "told"
LATE = "it did not answer in time"


class Telling(NamedTuple):
    """Which events are told: `changes` or `all`, and after how many seconds again."""

    emit: str
    repeat: float


class Undelivered(NamedTuple):
    """Records that have not arrived at a sink, and why."""

    sink: Sink
    records: list[dict[str, Any]]
    reason: str


class Courier:
    """The sinks of a run. Making one begins to look what waits for them; `directory` is None: nothing is kept."""

    def __init__(self, sinks: list[Sink], telling: Telling, directory: str | None, scope: str = "") -> None:
        self._sinks = sinks
        self._telling = telling
        self._directory = directory
        self._told: Told | None = None
        self._waiting: dict[str, spool.Backlog] = {}
        # What was told elsewhere, or of other definitions, is not told here.
        name = f"{TOLD}-{crc32(repr((scope, sorted(sink.key for sink in sinks))).encode()):08x}.json"
        self._keeper = Helper(lambda channel: _keep(channel, directory, sinks, name)) if directory else None

    def look(self, clock: Clock) -> list[str]:
        """Return the problems that earlier runs had with delivering: they are told in the report of this one."""
        if self._keeper is None:
            return []
        try:
            told, waiting = self._keeper.channel.receive(_until(clock, PATIENCE_SECONDS))
        except (HelperTimeout, HelperGone):
            self._leave_keeper()
            return [f"{self._directory} did not answer: events that cannot be delivered now will be lost"]
        self._told = choice.Told(*told)
        self._waiting = {key: spool.Backlog(*each) for key, each in waiting.items()}
        return [_told_of(sink, self._waiting[sink.key]) for sink in self._sinks if sink.key in self._waiting]

    def deliver(self, report: Report, units: Mapping[str, str], clock: Clock) -> None:
        """Make the events of a report and deliver them; what could not be kept either is told on standard error.

        `units` names the systemd unit that a check is about, by the check's id.
        """
        chosen, told = choice.choose(report, self._told, *self._telling)
        try:
            records = log.make(report, chosen, units)
        except log.NoStructlog as error:
            with suppress(OSError):
                sys.stderr.write(f"nodecheck: {error}\n")
            return
        until = _until(clock, DELIVERY_SECONDS)
        undelivered = [failure for failure in self._sent(records, until) if failure.records]
        lost = self._kept(told, undelivered)
        for failure in undelivered:
            if lost or not failure.sink.can_wait:
                self._say_lost(failure, lost)

    def _sent(self, records: list[dict[str, Any]], until: float) -> list[Undelivered]:
        """Send to all sinks at the same time, and return what has not arrived."""
        streams = [sink for sink in self._sinks if not sink.can_wait]
        others = [sink for sink in self._sinks if sink.can_wait]
        helpers = [Helper(partial(_deliver, sink, records, self._spool_of(sink), until)) for sink in others]
        failures = [_written(sink, records, until) for sink in streams]
        return failures + [
            _received(helper, sink, records, until) for helper, sink in zip(helpers, others, strict=True)
        ]

    def _spool_of(self, sink: Sink) -> str | None:
        return self._directory if sink.key in self._waiting else None

    def _kept(self, told: Told, undelivered: list[Undelivered]) -> str:
        """Keep what was told, and what has not arrived; return why that could not be, "" when it could."""
        if self._keeper is None:
            return f"{self._directory} did not answer" if self._directory else "nothing is kept without --state"
        kept = [(failure.sink.key, failure.records, failure.reason) for failure in undelivered]
        try:
            self._keeper.channel.send((tuple(told), kept))
            reason = str(self._keeper.channel.receive(time.monotonic() + PATIENCE_SECONDS))
        except (HelperTimeout, HelperGone, BrokenPipeError):
            self._leave_keeper()
            return f"{self._directory} did not answer"
        self._keeper.end()
        return reason

    def _leave_keeper(self) -> None:
        if self._keeper:
            self._keeper.leave()
            self._keeper = None

    def _say_lost(self, failure: Undelivered, why_not_kept: str) -> None:
        count = len(failure.records)
        kept = f"; {why_not_kept}" if failure.sink.can_wait else ""
        with suppress(OSError):
            sys.stderr.write(
                f"nodecheck: {count} events are lost, {failure.sink.name} took none: {failure.reason}{kept}\n"
            )


def _until(clock: Clock, seconds: float) -> float:
    """Return when something that may take so long has to end: within the budget."""
    return min(time.monotonic() + seconds, clock.started + clock.budget - ENDING_SECONDS)


def _told_of(sink: Sink, waiting: spool.Backlog) -> str:
    dropped = f"; {waiting.dropped} older events were dropped, there was no more room" if waiting.dropped else ""
    runs = "1 run" if waiting.runs == 1 else f"{waiting.runs} runs"
    return f"events of {runs} since {timestamp(waiting.since)} wait for {sink.name}: {waiting.reason or LATE}{dropped}"


def _written(sink: Sink, records: list[dict[str, Any]], until: float) -> Undelivered:
    """Write to a stream of this run, which no helper has; it is written to only where that does not wait."""
    sent = 0
    try:
        if sink.kind == "stderr" and sys.stderr.isatty():
            from nodecheck.events import _stream

            _stream.write(sys.stderr, log.for_terminal(records), until)
            return Undelivered(sink, [], "")
        for sent in sink.send(records, until):  # noqa: B007  # needed when sending ends half way
            pass
    except Down as error:
        return Undelivered(sink, records[sent:], str(error))
    return Undelivered(sink, [], "")


def _received(helper: Helper, sink: Sink, records: list[dict[str, Any]], until: float) -> Undelivered:
    """Wait for the helper of a sink; it tells each time how many records have arrived, and at last why no more."""
    sent = 0
    try:
        while sent < len(records):
            answer = helper.channel.receive(until + ENDING_SECONDS)
            if isinstance(answer, str):
                helper.end()
                return Undelivered(sink, records[sent:], answer)
            sent = answer
    except (HelperTimeout, HelperGone):
        helper.leave()
        return Undelivered(sink, records[sent:], LATE)
    helper.end()
    return Undelivered(sink, [], "")


# ---- what follows runs in helpers


def _deliver(sink: Sink, records: list[dict[str, Any]], directory: str | None, until: float, channel: Channel) -> None:
    try:
        if directory and not spool.drain(directory, sink, until):
            channel.send("another run delivers what is older")
            return
        for sent in sink.send(records, until):
            channel.send(sent)
    except Down as error:
        channel.send(str(error))
    except OSError as error:
        channel.send(error.strerror or str(error))


def _keep(channel: Channel, directory: str | None, sinks: list[Sink], name: str) -> None:
    """Tell what was told and what waits; then keep what a run has told, and what has not arrived."""
    assert directory is not None  # noqa: S101  # else there is no keeper
    os.umask(0o077)
    path = os.path.join(directory, spool.FOLDER, name)
    by_key = {sink.key: sink for sink in sinks}
    waiting = {key: spool.backlog(directory, sink) for key, sink in by_key.items()}
    before = _read_told(path)
    channel.send((tuple(before), {key: tuple(each) for key, each in waiting.items() if each}))
    told, undelivered = channel.receive()
    reason = ""
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        for key, records, why in undelivered:
            if by_key[key].can_wait:
                spool.add(directory, by_key[key], records, why)
        by_now = choice.together(before, choice.Told(*told), _read_told(path))
        spool.write(path, json.dumps(by_now._asdict()))
    except OSError as error:
        reason = f"{path}: {error.strerror}"
    channel.send(reason)


def _read_told(path: str) -> Told:
    """Return what earlier runs have told; nothing where that cannot be read: then it is told again."""
    with suppress(OSError, ValueError), open(path, encoding="utf-8") as file:
        return choice.of_file(json.load(file))
    return choice.Told({}, {})
