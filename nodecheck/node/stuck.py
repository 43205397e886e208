"""Helpers that hang in the kernel, remembered from run to run: what one hangs on is not tried again while it hangs.

Not even SIGKILL ends them, so each run would leave another one behind. They are written down where nothing can hang and
a boot forgets them: a file each below /run, named for the process, with the repr of each thing it hangs on as a line.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

FOR_ROOT = "/run/nodecheck"
LARGEST = 1 << 16


class Stuck(NamedTuple):
    """The process that hangs, and since when by the wall clock in seconds."""

    pid: int
    since: float

    @property
    def who(self) -> str:
        """The process, and where in the kernel it waits."""
        return who(self.pid)


def who(pid: int) -> str:
    """Return "pid 12, in fuse_simple_request": a process, and the function of the kernel that it waits in, if told.

    Only root is told (proc_pid_wchan(5)).
    """
    try:
        with open(f"/proc/{pid}/wchan", encoding="ascii") as file:
            function = file.read()
    except OSError:
        function = ""
    return f"pid {pid}, in {function}" if function.strip("0") else f"pid {pid}"


def directory() -> str | None:
    """Return where they are written down; None for a user without a session."""
    if os.geteuid() == 0:
        return FOR_ROOT
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return os.path.join(runtime, "nodecheck") if os.path.isabs(runtime) else None


def remember(pid: int, things: Iterable[str]) -> None:
    """Write down that a helper hangs, and on what. Where that cannot be done, the next run finds out anew."""
    folder, started = directory(), _started(pid)
    if folder is None or started is None:
        return
    with suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(os.path.join(folder, f"{pid}-{started}"), "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{thing!r}\n" for thing in things)


def known() -> dict[str, Stuck]:
    """Return {repr of a thing: who hangs on it}, and forget those that hang no more."""
    folder = directory()
    found: dict[str, Stuck] = {}
    if folder is None:
        return {}
    with suppress(OSError):
        for name in os.listdir(folder):
            pid, _, started = name.partition("-")
            path = os.path.join(folder, name)
            if not pid.isdecimal() or _started(int(pid)) != started:
                os.unlink(path)
                continue
            stuck = Stuck(int(pid), os.stat(path).st_mtime)
            found |= dict.fromkeys(_things(path), stuck)
    return found


def _things(path: str) -> list[str]:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read(LARGEST).splitlines()


def _started(pid: int) -> str | None:
    """Return when a process was started, in ticks since boot; None when it has ended, though nobody may know yet."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        # Of one that was killed, the first thread has ended although another one hangs.
        has_ended = fields[0] in "ZX" and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except OSError:
        return None
    return None if has_ended else fields[19]
