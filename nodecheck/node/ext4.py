"""Of an ext4 that had an error: does it still write? Between two kernels nothing says so but the time of that error.

Since "ext4: don't set SB_RDONLY after filesystem errors" (Linux 6.12, and 6.1 and 6.6 of autumn 2024) one that stops
writing, as errors=remount-ro has it, stays rw in mountinfo; 6.15 shows it as emergency_ro there. What /proc/fs/ext4 and
/sys/fs/ext4 tell: https://docs.kernel.org/admin-guide/ext4.html.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodecheck.node.mounts import Mount

ROOT = ""  # of the files of the kernel
SAYS_SO_SINCE = (6, 15)
STOPS = "errors=remount-ro"
ABORTED = "ext4_journal_check_start"  # who sees that the journal is aborted; then it stops in spite of errors=continue


def doubt(mount: Mount, release: str = "") -> str:
    """Return why it is not known whether somebody can write to it, "" where that is known.

    `release` is that of the kernel, as uname -r prints it.
    """
    says_so = _numbers(release or os.uname().release) >= SAYS_SO_SINCE
    if mount.type != "ext4" or mount.read_only or says_so:
        return ""
    name = os.path.basename(os.path.realpath(f"{ROOT}/sys/dev/block/{mount.device}"))
    # mountinfo does not show what is the default of this file system.
    stops = STOPS in mount.options or STOPS in _text(f"/proc/fs/ext4/{name}/options").split()
    stops = stops or _text(f"/sys/fs/ext4/{name}/last_error_func").strip() == ABORTED
    last = int(_text(f"/sys/fs/ext4/{name}/last_error_time") or 0)
    if not stops or last < time.time() - time.clock_gettime(time.CLOCK_BOOTTIME):
        return ""
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(last))
    return f"it had an error on {when}, and this kernel does not say whether it writes since"


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"[0-9]+", release)[:2]))


def _text(path: str) -> str:
    """Return a file of the kernel's; "" where it is not there, as in a container."""
    with suppress(OSError), open(ROOT + path, encoding="ascii") as file:
        return file.read()
    return ""
