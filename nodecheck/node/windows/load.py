"""How much is to be done: /proc/loadavg, see proc(5)."""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from nodecheck.node import kernelfiles
from nodecheck.node.shapes import fields, number, whole

LOADAVG = "/proc/loadavg"
LINE = re.compile(r"([0-9.]+) ([0-9.]+) ([0-9.]+) ([0-9]+)/([0-9]+) ")

# `running` and `tasks` count threads; `processors` are those online.
SHAPE = fields(
    {"load1": number, "load5": number, "load15": number, "running": whole, "tasks": whole, "processors": whole}
)


class LoadWant(NamedTuple):
    """All of it: it is one file."""

    seconds: float = 10.0

    @property
    def window(self) -> str:
        """The name of this window."""
        return "load"

    @property
    def key(self) -> str:
        """There is only one."""
        return LOADAVG


def look(_want: LoadWant) -> dict[str, Any]:
    """Return the data that SHAPE describes. Raises Unobserved, OSError."""
    text = kernelfiles.read(LOADAVG)
    found = LINE.match(text)
    if not found:
        raise kernelfiles.unreadable(LOADAVG, text)
    loads = dict(zip(("load1", "load5", "load15"), map(float, found.groups()[:3]), strict=True))
    return {**loads, "running": int(found[4]), "tasks": int(found[5]), "processors": os.cpu_count() or 1}
