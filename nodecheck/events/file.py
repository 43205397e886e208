"""Lines of JSON at the end of a file; what rotates it needs no signal, since it is opened anew for each run."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from typing import TYPE_CHECKING, Any

from nodecheck.events.dialects import render
from nodecheck.events.sinks import Down, left

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK_SECONDS = 0.02  # between two tries


def send(records: list[dict[str, Any]], options: dict[str, Any], deadline: float) -> Iterator[int]:
    """Append records, all or none. Raises Down."""
    lines = "".join(f"{render(record, options['dialect'])}\n" for record in records)
    try:
        _append(options["path"], lines.encode(errors="replace"), deadline)
    except TimeoutError as error:
        raise Down("another process holds its lock") from error
    except OSError as error:
        raise Down(error.strerror or str(error)) from error
    yield len(records)


def _append(path: str, data: bytes, deadline: float) -> None:
    """Raises OSError."""
    # O_NONBLOCK: opening a FIFO would wait for a reader for ever
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o640)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        _lock(descriptor, deadline)
        _write_whole(descriptor, data)
    finally:
        os.close(descriptor)


def _write_whole(descriptor: int, data: bytes) -> None:
    """Raises OSError; half a line would spoil the one that comes next."""
    before = os.fstat(descriptor).st_size
    written = 0
    try:
        written = os.write(descriptor, data)
    finally:
        if written < len(data):
            os.ftruncate(descriptor, before)
    if written < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _lock(descriptor: int, deadline: float) -> None:
    """Raises TimeoutError."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(min(LOCK_SECONDS, left(deadline)))
        else:
            return
