"""Signals that end a run before its time: nothing is waited for any more, and what was seen by then is judged.

They come by a pipe, from the process that guards the run.
"""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

_came: list[signal.Signals] = []
_bell: list[int] = []


def listen(bell: int, numbers: Iterable[signal.Signals]) -> None:
    """Listen at this end of a pipe, which tells the number of a signal, and be deaf to these signals themselves.

    A terminal and timeout(1) signal all processes of a group, helpers too.
    """
    _bell.append(bell)
    for number in numbers:
        signal.signal(number, lambda *_: None)  # and not SIG_IGN, which programs that are run would inherit


def forget() -> None:
    """In a helper: nobody but the run that asked it tells it to end."""
    _bell.clear()


def bell() -> int | None:
    """Return what to poll beside that for which one waits: it can be read from once a signal has come."""
    return _bell[0] if _bell else None


def came() -> signal.Signals | None:
    """Return the signal that has come, None where none has."""
    with suppress(BlockingIOError):
        for descriptor in () if _came else _bell:
            number = os.read(descriptor, 1)
            _came.append(signal.Signals(number[0]) if number else signal.SIGKILL)  # the guard is gone
    return _came[0] if _came else None


def reason() -> str:
    """Return why something was not seen, "" where no signal has come."""
    number = came()
    return f"the run was ended by {number.name} before this was seen" if number else ""


def wait(seconds: float, *descriptors: int) -> None:
    """Wait until one of these can be read from, or a signal comes, or this time is over."""
    poll = select.poll()
    for descriptor in (*descriptors, *_bell):
        poll.register(descriptor, select.POLLIN)
    poll.poll(seconds * 1000)
