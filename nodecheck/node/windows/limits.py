"""What there is a limit of, and how much of it is used: proc(5), Documentation/admin-guide/sysctl of the kernel."""

from __future__ import annotations

import os
import struct
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.durations import format_duration
from nodecheck.node import kernelfiles
from nodecheck.node.shapes import LARGEST, fields, list_of, text, whole
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONNTRACK = "/proc/sys/net/netfilter/nf_conntrack"
AT_ONCE = 64 << 10
HOST = "pid:[4026531836]"  # PROC_PID_INIT_INO: the first namespace of processes, in which all are seen
# Within a container only: the root of all control groups has no such limit.
CONTROL_GROUPS = ("/sys/fs/cgroup/pids", "/sys/fs/cgroup/pids/pids")

# linux/rtnetlink.h, linux/neighbour.h
RTM_GETNEIGH = 30
NEIGHBOUR = struct.Struct("=BxxxiHBB")  # struct ndmsg
NUD_PERMANENT, NTF_EXT_LEARNED = 0x80, 0x10
MOST_MEMORY_GROUPS = 65535  # include/linux/memcontrol.h

# Nothing in the list: there is no such thing on this host, and so none can run out.
SHAPE = list_of(fields({"name": text, "used": whole, "maximum": whole}))


class LimitWant(NamedTuple):
    """One sort of limit, a key of LIMITS."""

    limit: str
    seconds: float = 10.0

    @property
    def window(self) -> str:
        """The name of this window."""
        return "limits"

    @property
    def key(self) -> str:
        """The sort."""
        return self.limit


def look(want: LimitWant) -> list[dict[str, Any]]:
    """Return the data that SHAPE describes. Raises Unobserved, OSError."""
    try:
        found = _sound(list(LIMITS[want.limit](time.monotonic() + want.seconds)))
    except (ValueError, IndexError, KeyError) as error:
        raise Unobserved(
            f"limits {want.limit}", f"what the kernel says of {want.limit} is not as expected: {error}"
        ) from error
    return [{"name": name, "used": used, "maximum": maximum} for name, used, maximum in found]


Limit = tuple[str, int, int]  # name, used, maximum


def _sound(found: list[Limit]) -> list[Limit]:
    if any(not 0 <= number <= LARGEST for _, *numbers in found for number in numbers):
        raise ValueError(", ".join(f"{name} {used} of {maximum}" for name, used, maximum in found))
    return found


def _pids(_end: float) -> Iterator[Limit]:
    """Every thread has an id of its own, so pid_max is about threads too."""
    loadavg = kernelfiles.read("/proc/loadavg")
    threads = int(loadavg.split()[3].partition("/")[2])
    for name in ("pid_max", "threads-max"):
        yield f"kernel.{name}", threads, kernelfiles.number(f"/proc/sys/kernel/{name}")
    for path in CONTROL_GROUPS:
        maximum = kernelfiles.number_or_none(f"{path}.max")
        if maximum is not None:
            yield f"{path}.max", kernelfiles.number(f"{path}.current"), maximum


def _files(_end: float) -> Iterator[Limit]:
    """The second number is that of free ones; it is always 0 since Linux 2.6."""
    allocated, free, maximum = map(int, kernelfiles.read("/proc/sys/fs/file-nr").split())
    yield "fs.file-max", allocated - free, maximum


def _conntrack(_end: float) -> Iterator[Limit]:
    """Without the module nothing is tracked; with 0 there is no limit, as nf_conntrack_core.c has it."""
    maximum = kernelfiles.number_or_none(f"{CONNTRACK}_max")
    if maximum:
        yield "net.netfilter.nf_conntrack_max", kernelfiles.number(f"{CONNTRACK}_count"), maximum


def _neighbours(end: float) -> Iterator[Limit]:
    """The first column counts the whole table, in hexadecimal; each line is of a processor, and says the same."""
    for table, version in (("arp_cache", "ipv4"), ("ndisc_cache", "ipv6")):
        lines = (kernelfiles.read_or_none(f"/proc/net/stat/{table}") or "").splitlines()
        maximum = kernelfiles.number_or_none(f"/proc/sys/net/{version}/neigh/default/gc_thresh3")
        if len(lines) > 1 and maximum is not None:
            limited = int(lines[1].split()[0], 16) - _unlimited_neighbours(version, end)
            yield f"net.{version}.neigh.default.gc_thresh3", max(0, limited), maximum
        elif version == "ipv4":
            raise Unobserved(
                "/proc/net/stat", "the table of neighbours is seen only from the host, not from a container"
            )


def _unlimited_neighbours(version: str, end: float) -> int:
    """Return how many here the kernel keeps without a limit, since Linux 5.0: flannel, say, makes one for each node."""
    from socket import AF_INET, AF_INET6

    from nodecheck.node import rtnetlink

    head = NEIGHBOUR.pack(AF_INET if version == "ipv4" else AF_INET6, 0, 0, 0, 0)
    seen = (NEIGHBOUR.unpack_from(body) for body in rtnetlink.dump(RTM_GETNEIGH, head, end))
    return sum(bool(state & NUD_PERMANENT or flags & NTF_EXT_LEARNED) for _, _, state, flags, _ in seen)


def _mounts(_end: float) -> Iterator[Limit]:
    """systemd looks at each at every change, and is slow long before there may be no more (systemd#1961)."""
    maximum = kernelfiles.number("/proc/sys/fs/mount-max")
    yield "fs.mount-max", kernelfiles.read("/proc/self/mountinfo").count("\n"), maximum


def _control_groups(_end: float) -> Iterator[Limit]:
    """Those with memory: a kernel that leaks them cannot make any more at last, and says that no space is left."""
    stat = kernelfiles.read_or_none("/sys/fs/cgroup/cgroup.stat")
    if stat is not None:
        counts = dict(line.split() for line in stat.splitlines())
        used = int(counts["nr_descendants"]) + int(counts["nr_dying_descendants"])
        yield "MEM_CGROUP_ID_MAX", used, MOST_MEMORY_GROUPS
        return
    for line in (kernelfiles.read_or_none("/proc/cgroups") or "").splitlines():
        if line.startswith("memory\t"):
            yield "MEM_CGROUP_ID_MAX", int(line.split()[2]), MOST_MEMORY_GROUPS


def _instances(end: float) -> Iterator[Limit]:
    return _of_users("max_user_instances", end, lambda _watches: 1)


def _watches(end: float) -> Iterator[Limit]:
    return _of_users("max_user_watches", end, lambda watches: watches)


LIMITS: dict[str, Callable[[float], Iterator[Limit]]] = {
    "pids": _pids,
    "files": _files,
    "conntrack": _conntrack,
    "neighbours": _neighbours,
    "mounts": _mounts,
    "control_groups": _control_groups,
    "inotify_instances": _instances,
    "inotify_watches": _watches,
}


# ---- inotify: each user has limits, and only the processes tell what they have open


class _Watcher(NamedTuple):
    """A process with inotify instances: {file descriptor: (number of watches, a checksum of them)}."""

    user: int
    parent: int
    instances: dict[str, tuple[int, int]]


def _of_users(name: str, end: float, count: Callable[[int], int]) -> Iterator[Limit]:
    maximum = kernelfiles.number(f"/proc/sys/fs/inotify/{name}")
    watchers = dict(_watchers(end))
    used: dict[int, int] = {}
    for watcher in watchers.values():
        inherited = watchers[watcher.parent].instances if watcher.parent in watchers else {}
        # A child has what its parent had open under the same number: one instance, and it counts once.
        own = {number: seen for number, seen in watcher.instances.items() if inherited.get(number) != seen}
        used[watcher.user] = used.get(watcher.user, 0) + sum(count(watches) for watches, _ in own.values())
    for user, sum_of_user in sorted(used.items()):
        yield f"fs.inotify.{name} of user {user}", sum_of_user, maximum


def _watchers(end: float) -> Iterator[tuple[int, _Watcher]]:
    """Yield (pid, what it watches). Raises Unobserved where a process does not show it, or there is no more time."""
    pids = list(filter(str.isdecimal, os.listdir(f"{kernelfiles.ROOT}/proc")))
    if os.readlink(f"{kernelfiles.ROOT}/proc/self/ns/pid") != HOST or "1" not in pids:
        reason = "the limits of inotify count all processes of this machine, and some of them are not seen from here"
        raise Unobserved("inotify", f"{reason} (a container, or hidepid)", remedy="run nodecheck as root, on the host")
    for pid in pids:
        try:
            instances = {number: _read_instance(pid, number, end) for number in _instances_of(pid)}
            if instances:
                yield int(pid), _Watcher(*_user_and_parent(pid), instances)
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        except PermissionError:
            reason = f"what process {pid} watches with inotify may not be seen by this user"
            raise Unobserved("inotify", reason, remedy="run nodecheck as root, with CAP_SYS_PTRACE") from None


def _instances_of(pid: str) -> Iterator[str]:
    folder = f"{kernelfiles.ROOT}/proc/{pid}/fd"
    for number in os.listdir(folder):
        try:
            if os.readlink(f"{folder}/{number}") == "anon_inode:inotify":
                yield number
        except FileNotFoundError:  # it was closed
            continue


def _read_instance(pid: str, number: str, end: float) -> tuple[int, int]:
    """Return (watches, checksum); there may be millions, each with a line of its own."""
    from zlib import crc32

    watches, checksum, tail = 0, 0, b"\n"
    with open(f"{kernelfiles.ROOT}/proc/{pid}/fdinfo/{number}", "rb", buffering=0) as file:
        while part := file.read(AT_ONCE):
            if time.monotonic() > end:
                raise _no_time(end)
            whole_part = tail + part
            watches += whole_part.count(b"\ninotify wd:")
            checksum, tail = crc32(part, checksum), whole_part[-len(b"inotify wd:") :]
    return watches, checksum


def _no_time(end: float) -> Unobserved:
    late = format_duration(max(0.0, time.monotonic() - end))
    return Unobserved("inotify", f"counting the inotify watches of all processes took too long, by {late}", late=True)


def _user_and_parent(pid: str) -> tuple[int, int]:
    """The effective user is charged, inotify_init(2)."""
    lines = (line.partition(":") for line in kernelfiles.read(f"/proc/{pid}/status").splitlines())
    status = {name: value.split() for name, _, value in lines}
    return int(status["Uid"][1]), int(status["PPid"][0])
