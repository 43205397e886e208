"""What a run tells the process that guards it: its budget, and what it does next that may hang."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_guards: list[int] = []  # the end of a pipe to write to; none where nobody guards us
_hanging: dict[str, str] = {}


def begin(guard: int, hanging: Mapping[str, str]) -> None:
    """Tell the guard at this end of a pipe; `hanging` is {repr of what earlier runs still hang on: which process}."""
    _guards.append(guard)
    _hanging.update(hanging)


def forget() -> None:
    """In a helper: the guard is the run's."""
    _guards.clear()


def tell_budget(seconds: float) -> None:
    """Tell within how many seconds from its start the run wants to end."""
    _tell(f"budget {seconds}")


def about_to(do: str) -> None:
    """Tell what comes next, "read /etc/hosts", say. Raises OSError where an earlier run hangs on it still."""
    if who := _hanging.get(repr(do)):
        raise OSError(errno.EIO, f"an earlier run still hangs in the kernel on it ({who})")
    _tell(f"do {do}")


def _tell(told: str) -> None:
    line = told.replace("\n", " ")  # a file may be called so
    for guard in _guards:
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(guard, f"{line}\n".encode("utf-8", "surrogateescape"))
