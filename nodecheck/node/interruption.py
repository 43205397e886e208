"""Signals that end a run before its time: nothing is waited for any more, and what was seen by then is judged."""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

_came: list[signal.Signals] = []
_bell: list[int] = []  # the end of a pipe to read from, while somebody listens: whoever waits, waits for it, too


def listen() -> None:
    """Note such a signal from now on; a second one ends the program at once."""
    read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def note(number: int, _frame: FrameType | None) -> None:
        _handle(signal.SIG_DFL)
        _came.append(signal.Signals(number))
        os.write(write_end, b"\0")

    _handle(note)
    _bell.append(read_end)


def _handle(handler: object) -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup(1), or a shell that put us in the background
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal() takes has no name there


def be_deaf() -> None:
    """In a helper: a terminal and timeout(1) signal the whole process group, but who has asked ends the helper.

    A handler, and not SIG_IGN: programs that are run would inherit that.
    """
    _came.clear()
    _bell.clear()
    _handle(lambda *_: None)


def bell() -> int | None:
    """Return what to poll beside that for which one waits: it can be read from once a signal has come."""
    return _bell[0] if _bell else None


def came() -> signal.Signals | None:
    """Return the signal that has come, None where none has."""
    return _came[0] if _came else None


def reason() -> str:
    """Return why something was not seen, "" where no signal has come."""
    return f"the run was ended by {_came[0].name} before this was seen" if _came else ""


def wait(seconds: float, *descriptors: int) -> None:
    """Wait until one of these can be read from, or a signal comes, or this time is over."""
    poll = select.poll()
    for descriptor in (*descriptors, *_bell):
        poll.register(descriptor, select.POLLIN)
    poll.poll(seconds * 1000)
