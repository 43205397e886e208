"""The memory of this host: /proc/meminfo and /proc/vmstat, see proc(5)."""

from __future__ import annotations

from typing import Any, NamedTuple

from nodecheck.node import kernelfiles
from nodecheck.node.shapes import fields, optional, whole

MOST_KIBIBYTES = 1 << 53
MEMINFO = "/proc/meminfo"
# Below the root of what is mounted there: only within a container is this not the root of all control groups, which
# has no such file in version 2 and no limit in version 1.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

# In bytes; the huge pages are counted, of the default size, and oom_kills is how many were killed since boot.
# `hugetlb` is what is set apart as huge pages of all sizes, used or not; records of an older nodecheck have none.
SHAPE = fields(
    {
        "total": whole,
        "available": optional(whole),
        "swap_total": whole,
        "swap_free": whole,
        "hugepages": optional(whole),
        "hugepages_free": optional(whole),
        "oom_kills": optional(whole),
        "limit": optional(whole),
    },
    {"hugetlb": whole},
)


class MemoryWant(NamedTuple):
    """All of it: it is one file."""

    seconds: float = 10.0

    @property
    def window(self) -> str:
        """The name of this window."""
        return "memory"

    @property
    def key(self) -> str:
        """There is only one."""
        return MEMINFO


def look(_want: MemoryWant) -> dict[str, Any]:
    """Return the data that SHAPE describes. Raises Unobserved, OSError."""
    text = kernelfiles.read(MEMINFO)
    sizes = _fields(text)
    if "MemTotal" not in sizes:
        raise kernelfiles.unreadable(MEMINFO, text)
    total = sizes["MemTotal"] << 10
    return {
        "total": total,
        "available": _bytes(sizes, "MemAvailable"),  # since Linux 3.14
        "swap_total": sizes.get("SwapTotal", 0) << 10,
        "swap_free": sizes.get("SwapFree", 0) << 10,
        "hugetlb": sizes.get("Hugetlb", 0) << 10,  # since Linux 4.16
        "hugepages": sizes.get("HugePages_Total"),
        "hugepages_free": sizes.get("HugePages_Free"),
        "oom_kills": _fields(kernelfiles.read_or_none("/proc/vmstat") or "").get("oom_kill"),  # since Linux 4.13
        "limit": _limit(total),
    }


def _fields(text: str) -> dict[str, int]:
    """Return {name: number} of lines such as `MemTotal:  16384 kB` or `oom_kill 0`."""
    lines = (line.replace(":", " ").split() for line in text.splitlines())
    numbers = ((words[0], kernelfiles.whole(words[1])) for words in lines if len(words) > 1)
    return {name: number for name, number in numbers if number is not None and number <= MOST_KIBIBYTES}


def _bytes(sizes: dict[str, int], name: str) -> int | None:
    return sizes[name] << 10 if name in sizes else None


def _limit(total: int) -> int | None:
    """Return how much of it we and our neighbours may use, where that is less than all."""
    limits = [kernelfiles.number_or_none(path) for path in LIMITS]
    return min((limit for limit in limits if limit is not None and limit < total), default=None)
