"""Reads files that may be none: a FIFO, a device or a huge file must neither hold up nor fill up whoever reads."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from nodecheck.progress import about_to

if TYPE_CHECKING:
    from collections.abc import Callable


def read_regular_file(
    path: str, maximum_bytes: int, examine: Callable[[os.stat_result], None] = lambda _found: None
) -> bytes:
    """Return what is in a file. `examine` may raise when it has seen the opened file. Raises OSError."""
    about_to(f"read {path}")
    # O_NONBLOCK: opening a FIFO would wait for a writer for ever
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a directory")
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if found.st_size > maximum_bytes:
            raise OSError(errno.EFBIG, f"it is larger than {maximum_bytes >> 20} MiB")
        examine(found)
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read(maximum_bytes + 1)
    finally:
        os.close(descriptor)
