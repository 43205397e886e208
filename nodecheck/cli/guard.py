"""The process that the caller of a run waits for: it does nothing that can hang, so it ends in time.

The run is its child. Reading definitions, writing a report, even loading a module can hang in the kernel, and not even
SIGKILL ends a process then: whoever waits for it waits for ever.
"""

from __future__ import annotations

import os
import select
import signal
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from nodecheck import progress
from nodecheck.node import interruption, isolated, stuck

if TYPE_CHECKING:
    from collections.abc import Iterable

BUDGET_SECONDS = 30.0  # until the run has told its own
GRACE_SECONDS = 0.6  # for what comes after the last look, on a slow host
INTERRUPTED_SECONDS = 2.0  # a run that is to end judges what it has seen, and prints it
EXIT_UNUSABLE = 3
EXIT_SIGNAL = 128  # and the number of the signal, as a shell tells of it
LARGEST = 1 << 16


def enter() -> None:
    """Fork the run, and return in it alone: the guard ends as the run does, or in time."""
    heard, telling = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    bell, ringing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    relays = _relays()
    # What nohup(1) and a shell that put us in the background have made us ignore is no reason to end.
    ending = [number for number in interruption.SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [*ending, signal.SIGCHLD])
    guard, run = os.getpid(), os.fork()
    if run:
        for relay in relays:
            relay.keep()
        os.close(telling)
        os.close(bell)
        noted = _note([*ending, signal.SIGCHLD])
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        _Guard(run, heard, ringing, noted, relays).wait()
    for relay in relays:
        relay.give()
    os.close(heard)
    os.close(ringing)  # so that it ends when the guard does
    interruption.listen(bell, ending)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    isolated.own(guard)
    progress.begin(telling, {thing: by.who for thing, by in stuck.known().items()})


def _note(numbers: Iterable[int]) -> int:
    """Return the end of a pipe to read the numbers of signals from that came."""
    noted, noting = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(noting)
    for number in numbers:
        signal.signal(number, lambda *_: None)
    return noted


class _Relay:
    """Passes on what the run writes to a pipe that is standard output or error.

    A run that hangs in the kernel would keep the pipe open, and whoever reads to its end would wait for that.
    """

    def __init__(self, streams: list[int]) -> None:
        self._streams = streams
        self._read_end, self._write_end = os.pipe2(os.O_CLOEXEC)
        self._pending = b""

    def give(self) -> None:
        """In the run: write to the guard."""
        for stream in self._streams:
            os.dup2(self._write_end, stream)
        os.close(self._write_end)
        os.close(self._read_end)

    def keep(self) -> None:
        """In the guard: read what the run writes."""
        os.close(self._write_end)

    @property
    def waits_for(self) -> tuple[int, int]:
        """What to poll for: that the run writes, or that what it wrote can be passed on."""
        return (self._streams[0], select.POLLOUT) if self._pending else (self._read_end, select.POLLIN)

    def go_on(self) -> bool:
        """Do what can be done without waiting; return whether there is more to come."""
        try:
            if self._pending:
                self._pending = self._pending[os.write(self._streams[0], self._pending[: select.PIPE_BUF]) :]
                return True
            self._pending = os.read(self._read_end, LARGEST)
        except BrokenPipeError:
            os.close(self._read_end)  # the reader has left, and the run sees so when it writes again
            return False
        return bool(self._pending)


def _relays() -> list[_Relay]:
    """Return one for each of the caller's pipes; one for both streams keeps their order."""
    pipes: dict[int, list[int]] = {}
    for stream in (1, 2):
        found = os.fstat(stream)
        if stat.S_ISFIFO(found.st_mode):
            pipes.setdefault(found.st_ino, []).append(stream)
    return [_Relay(streams) for streams in pipes.values()]


class _Guard:
    """Waits for the run, and passes signals on to it."""

    def __init__(self, run: int, heard: int, ringing: int, noted: int, relays: list[_Relay]) -> None:
        self._run = run
        self._heard = heard
        self._ringing = ringing
        self._noted = noted
        self._relays = relays
        self._started = time.monotonic()
        self._until = self._started + BUDGET_SECONDS + GRACE_SECONDS
        self._doing = "load nodecheck"
        self._signal = 0
        self._exit_code: int | None = None

    def wait(self) -> NoReturn:
        """Wait for the run, and end as it did; or say in time that it did not."""
        while (left := self._until - time.monotonic()) > 0:
            if self._exit_code is not None and not self._relays:
                _end_as(self._exit_code)
            self._wait(left)
            self._hear()
            with suppress(BlockingIOError):
                for number in os.read(self._noted, LARGEST):
                    self._take(number)
        self._give_up()

    def _wait(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._noted, select.POLLIN)
        if self._exit_code is None:
            poll.register(self._heard, select.POLLIN)
        for relay in self._relays:
            poll.register(*relay.waits_for)
        ready = dict(poll.poll(None if seconds == float("inf") else seconds * 1000))
        self._relays = [relay for relay in self._relays if relay.waits_for[0] not in ready or relay.go_on()]

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            for line in os.read(self._heard, LARGEST).decode("utf-8", "surrogateescape").splitlines():
                kind, _, told = line.partition(" ")
                if kind == "do":
                    self._doing = told
                elif not self._signal:
                    self._until = self._started + float(told) + GRACE_SECONDS

    def _take(self, number: int) -> None:
        """Pass a signal on; a second one does not wait for a report."""
        if number == signal.SIGCHLD:
            self._collect()
        elif self._exit_code is not None:  # the run has ended, and its number may be somebody else's by now
            _end_as(self._exit_code) if not self._relays else os._exit(EXIT_SIGNAL + number)
        elif self._signal:
            self._give_up()
        else:
            self._signal = number
            self._until = min(self._until, time.monotonic() + INTERRUPTED_SECONDS)
            with suppress(BrokenPipeError):  # it has ended just now
                os.write(self._ringing, bytes([number]))
            os.close(self._ringing)  # so that the other end stays readable, however often it is waited for

    def _collect(self) -> None:
        """The run has ended; whoever reads what it wrote may take any time."""
        ended, status = os.waitpid(self._run, os.WNOHANG)
        if ended:
            self._exit_code = os.waitstatus_to_exitcode(status)
            self._until = float("inf")

    def _give_up(self) -> NoReturn:
        within = f"within {time.monotonic() - self._started:.1f} s"
        left_behind = "" if isolated.kill(self._run) else f", and was left behind ({stuck.who(self._run)})"
        _say(f"the run did not end {within}: it hangs when it wants to {self._doing}{left_behind}; there is no report")
        if left_behind:
            stuck.remember(self._run, [self._doing])
        os._exit(EXIT_SIGNAL + self._signal if self._signal else EXIT_UNUSABLE)


def _end_as(exit_code: int) -> NoReturn:
    if exit_code < 0:  # by a signal: out of memory, or an error in what is written in C
        name = signal.Signals(-exit_code).name
        _say(f"the run was ended by {name}; there is no report (dmesg tells whether for memory)")
        exit_code = EXIT_UNUSABLE
    os._exit(exit_code)


def _say(text: str) -> None:
    with suppress(OSError):
        os.write(2, f"nodecheck: {text}\n".encode("utf-8", "backslashreplace"))
