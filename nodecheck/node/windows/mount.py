"""The window on one mount: what is mounted on a path, and whether that answers in time."""

from __future__ import annotations

import errno
import os
import time
from typing import Any, NamedTuple

from nodecheck.node import ext4, mounts
from nodecheck.node.shapes import boolean, fields, list_of, number, one_of, optional, text

ANSWERED, SILENT, FAILED, HIDDEN, UNSEEN = "answered", "silent", "failed", "hidden", "unseen"
NOT_ASKED = "not asked"
LEAST_SECONDS = 0.9  # who was given less time than this to answer is not called silent
SHAPE = fields(
    {
        "mount": optional(
            fields(
                {
                    "point": text,
                    "type": text,
                    "source": text,
                    "options": list_of(text),
                    "read_only": boolean,
                    "answer": one_of(ANSWERED, SILENT, FAILED, HIDDEN, UNSEEN, NOT_ASKED),
                    "told": text,
                    "seconds": number,
                },
                {"doubt": text},  # as in disk.py
            )
        )
    }
)


class MountWant(NamedTuple):
    """What is mounted on a path, and, if that is to be asked, whether it answers."""

    path: str
    ask: bool = True
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """See windows."""
        return "mount"

    @property
    def key(self) -> str:
        """See windows."""
        return self.path if self.ask else f"{self.path} (not asked)"


def look(want: MountWant) -> dict[str, Any]:
    """Return the mount, None where nothing is mounted, and what asking it came to in so many `seconds`."""
    started = time.monotonic()
    every = mounts.of_host()
    found = mounts.topmost(every, want.path) or mounts.topmost(every, os.path.realpath(want.path))
    if found is None:
        return {"mount": None}
    # What autofs waits for is mounted by whoever asks for it: that is not for us to do.
    left = want.seconds - (time.monotonic() - started)
    asked = want.ask and found.type != "autofs"
    answer, told = _ask(found, every, left) if asked else (NOT_ASKED, "")
    mount = {
        "point": found.point,
        "type": found.type,
        "source": found.source,
        "options": list(found.options),
        "read_only": found.read_only,
        "doubt": ext4.doubt(found),
        "answer": answer,
        "told": told,
        "seconds": time.monotonic() - started,
    }
    return {"mount": mount}


def _ask(mount: mounts.Mount, every: list[mounts.Mount], seconds: float) -> tuple[str, str]:
    """Return what came of it, and what there is to tell about that."""
    try:
        reached = mounts.answer_of(lambda: _reach(mount, every), max(seconds, 0.0))
    except PermissionError as error:
        return UNSEEN, error.strerror or str(error)
    except (FileNotFoundError, NotADirectoryError):
        reached = "nothing"
    except OSError as error:
        return FAILED, error.strerror or str(error)
    if reached is None and seconds < LEAST_SECONDS:
        return UNSEEN, "there was no time to wait for it"
    if reached is None:
        return SILENT, ""
    if reached == mount.point:
        return ANSWERED, ""
    # Where mounts are hidden from nodecheck alone, the host may see this one.
    return (HIDDEN if mounts.are_ours(every) else UNSEEN), f"{reached} is seen there"


def _reach(mount: mounts.Mount, every: list[mounts.Mount]) -> str:
    """Ask the file system that is seen at the path of a mount; return that path, or what is seen in its place."""
    descriptor = mounts.open_place(mount.point)
    try:
        os.fstatvfs(descriptor)
        if mounts.has_shut_down(descriptor, mount):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return mounts.in_place_of(mount, descriptor, every) or mount.point
    finally:
        os.close(descriptor)
