"""Limits of the kernel, on this machine and on others."""

from __future__ import annotations

import ctypes
import os
import pathlib
import shutil
import time
from functools import partial
from typing import Any

import pytest

from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import limits
from nodecheck.node.windows.limits import LIMITS, LimitWant

from .netns import Network
from .writing import Root

LIBC = ctypes.CDLL(None, use_errno=True)
CREATE = 0x100  # IN_CREATE


def _look(limit: str, seconds: float = 10.0) -> list[tuple[str, int, int]]:
    seen = limits.look(LimitWant(limit, seconds))
    assert limits.SHAPE(seen, "") == seen
    return [(row["name"], row["used"], row["maximum"]) for row in seen]


@pytest.mark.parametrize("limit", ["pids", "files", "mounts"])
def test_what_this_machine_uses_is_something_and_less_than_all(limit: str) -> None:
    assert [0 < used < maximum for _, used, maximum in _look(limit)] != []
    assert all(0 < used < maximum for _, used, maximum in _look(limit))


# ---- recorded texts

PIDS = {
    "/proc/loadavg": "0.20 0.18 0.12 1/4000 11206\n",
    "/proc/sys/kernel/pid_max": "32768\n",
    "/proc/sys/kernel/threads-max": "126000\n",
}
ARP = "entries  allocs   destroys\n000003ff  0000001a 00000008\n000003ff  00000000 00000000\n"


@pytest.mark.parametrize(
    ("limit", "files", "expected"),
    [
        ("pids", PIDS, [("kernel.pid_max", 4000, 32768), ("kernel.threads-max", 4000, 126000)]),
        (
            "pids",
            {**PIDS, "/sys/fs/cgroup/pids.max": "500\n", "/sys/fs/cgroup/pids.current": "32\n"},
            [
                ("kernel.pid_max", 4000, 32768),
                ("kernel.threads-max", 4000, 126000),
                ("/sys/fs/cgroup/pids.max", 32, 500),
            ],
        ),
        (
            "pids",
            {**PIDS, "/sys/fs/cgroup/pids.max": "max\n", "/sys/fs/cgroup/pids.current": "32\n"},
            [("kernel.pid_max", 4000, 32768), ("kernel.threads-max", 4000, 126000)],
        ),
        ("files", {"/proc/sys/fs/file-nr": "11136\t0\t9223372036854775807\n"}, [("fs.file-max", 11136, 2**63 - 1)]),
        ("files", {"/proc/sys/fs/file-nr": "500\t100\t1000\n"}, [("fs.file-max", 400, 1000)]),
        ("conntrack", {}, []),
        (
            "conntrack",
            {
                "/proc/sys/net/netfilter/nf_conntrack_count": "262000\n",
                "/proc/sys/net/netfilter/nf_conntrack_max": "0\n",
            },
            [],
        ),
        (
            "conntrack",
            {
                "/proc/sys/net/netfilter/nf_conntrack_count": "262000\n",
                "/proc/sys/net/netfilter/nf_conntrack_max": "262144\n",
            },
            [("net.netfilter.nf_conntrack_max", 262000, 262144)],
        ),
        (
            "neighbours",
            {"/proc/net/stat/arp_cache": ARP, "/proc/sys/net/ipv4/neigh/default/gc_thresh3": "1024\n"},
            [("net.ipv4.neigh.default.gc_thresh3", 1023, 1024)],
        ),
        (
            "mounts",
            {"/proc/sys/fs/mount-max": "100000\n", "/proc/self/mountinfo": "22 1 8:1 / / rw - ext4 a rw\n" * 3},
            [("fs.mount-max", 3, 100000)],
        ),
        (
            "control_groups",
            {"/sys/fs/cgroup/cgroup.stat": "nr_descendants 60\nnr_subsys_memory 9\nnr_dying_descendants 5\n"},
            [("MEM_CGROUP_ID_MAX", 65, 65535)],
        ),
        (
            "control_groups",
            {"/proc/cgroups": "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t3\t7\t1\nmemory\t8\t61000\t1\n"},
            [("MEM_CGROUP_ID_MAX", 61000, 65535)],
        ),
        ("control_groups", {}, []),
    ],
)
def test_what_the_kernel_says_is_read(
    write: Root,
    limit: str,
    files: dict[str, str],
    expected: list[tuple[str, int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "_unlimited_neighbours", lambda *_: 0)  # those of the machine that this runs on
    for path, text in files.items():
        write(path, text)

    assert expected == _look(limit)


def test_neighbours_that_the_kernel_does_not_limit_do_not_count(write: Root) -> None:
    write("/proc/net/stat/arp_cache", ARP)
    write("/proc/sys/net/ipv4/neigh/default/gc_thresh3", "1024\n")
    with Network() as network:
        network.ip("link add made type bridge", "link set made up", "address add 10.77.0.1/24 dev made")
        network.ip("neighbour add 10.77.0.2 lladdr 2:0:0:0:0:2 dev made nud reachable")
        before = network.do(partial(_look, "neighbours"))
        network.ip("neighbour add 10.77.0.3 lladdr 2:0:0:0:0:3 dev made nud permanent")
        network.ip("neighbour add 10.77.0.4 lladdr 2:0:0:0:0:4 dev made extern_learn")
        after = network.do(partial(_look, "neighbours"))
    assert [[("net.ipv4.neigh.default.gc_thresh3", used, 1024)] for used in (1023, 1021)] == [before, after]


def test_the_neighbours_of_the_host_are_not_seen_from_a_container(write: Root) -> None:
    with pytest.raises(Unobserved, match="only from the host"):
        _look("neighbours")


# ---- inotify


def _process(write: Root, pid: int, parent: int, user: int, instances: dict[int, int]) -> None:
    """Write a process with inotify instances: {file descriptor: number of watches}."""
    if not os.path.lexists(write.made("/proc/self/ns/pid")):
        _host(write)
    write(f"/proc/{pid}/status", f"Name:\tx\nPPid:\t{parent}\nUid:\t1000\t{user}\t{user}\t{user}\n")
    write.link(f"/proc/{pid}/fd/1", "/dev/null")
    for number, watches in instances.items():
        write.link(f"/proc/{pid}/fd/{number}", "anon_inode:inotify")
        lines = [f"inotify wd:{watch} ino:{pid}{watch} sdev:800001 mask:100\n" for watch in range(watches)]
        write(f"/proc/{pid}/fdinfo/{number}", f"pos:\t0\nflags:\t02000000\nmnt_id:\t16\n{''.join(lines)}")


def _host(write: Root, namespace: str = limits.HOST) -> None:
    """Write what tells that all processes of the machine are seen, or that they are not."""
    write.link("/proc/self/ns/pid", namespace)
    write.made("/proc/1/fd/0")
    write.made("/proc/1/fd/0").parent.mkdir(exist_ok=True)


@pytest.mark.parametrize(("namespace", "first"), [("pid:[4026532000]", True), (limits.HOST, False)])
def test_where_not_all_processes_are_seen_no_number_is_told(write: Root, namespace: str, first: bool) -> None:
    write("/proc/sys/fs/inotify/max_user_watches", "8192\n")
    _host(write, namespace)
    if not first:
        shutil.rmtree(write.folder / "proc/1")

    with pytest.raises(Unobserved, match="some of them are not seen from here"):
        _look("inotify_watches")


def test_inotify_is_counted_for_each_effective_user(write: Root) -> None:
    write("/proc/sys/fs/inotify/max_user_instances", "128\n")
    write("/proc/sys/fs/inotify/max_user_watches", "8192\n")
    _process(write, 10, 1, 0, {5: 3, 6: 0})
    _process(write, 11, 1, 33, {4: 5000})
    _process(write, 12, 1, 33, {4: 1})

    instances, watches = "fs.inotify.max_user_instances of user", "fs.inotify.max_user_watches of user"
    assert _look("inotify_instances") == [(f"{instances} 0", 2, 128), (f"{instances} 33", 2, 128)]
    assert _look("inotify_watches") == [(f"{watches} 0", 3, 8192), (f"{watches} 33", 5001, 8192)]


def test_what_a_child_inherited_counts_once(write: Root) -> None:
    write("/proc/sys/fs/inotify/max_user_watches", "8192\n")
    _process(write, 10, 1, 0, {5: 3})
    _process(write, 11, 10, 0, {7: 4})
    write.link("/proc/11/fd/5", "anon_inode:inotify")
    write("/proc/11/fdinfo/5", (write.folder / "proc/10/fdinfo/5").read_text())

    assert [used for _, used, _ in _look("inotify_watches")] == [7]


def test_nobody_uses_inotify(write: Root) -> None:
    _host(write)
    write("/proc/sys/fs/inotify/max_user_watches", "8192\n")

    assert _look("inotify_watches") == []


def test_counting_that_takes_too_long_is_given_up(write: Root) -> None:
    write("/proc/sys/fs/inotify/max_user_watches", "8192\n")
    _process(write, 10, 1, 0, {5: 3})

    with pytest.raises(Unobserved, match="took too long"):
        _look("inotify_watches", seconds=0.0)


@pytest.mark.parametrize("limit", ["inotify_instances", "inotify_watches"])
def test_our_own_watches_are_among_those_of_this_machine(limit: str, tmp_path: pathlib.Path, only_us: None) -> None:
    before = sum(used for _, used, _ in _look(limit))
    instance = LIBC.inotify_init1(os.O_CLOEXEC)
    try:
        assert LIBC.inotify_add_watch(instance, os.fsencode(tmp_path), CREATE) > 0
        after = sum(used for _, used, _ in _look(limit))
    finally:
        os.close(instance)

    assert after == before + 1


@pytest.fixture
def only_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at this process alone: others come and go, and some may not be looked at."""
    real, read = os.listdir, os.readlink

    def listdir(path: Any) -> list[str]:
        return [] if path == "/proc/1/fd" else ["1", str(os.getpid())] if path == "/proc" else real(path)

    def readlink(path: Any) -> str:
        return limits.HOST if path == "/proc/self/ns/pid" else read(path)

    monkeypatch.setattr(os, "listdir", listdir)
    monkeypatch.setattr(os, "readlink", readlink)


def test_a_process_that_may_not_be_looked_at_makes_it_unknown(write: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    write("/proc/sys/fs/inotify/max_user_watches", "8192\n")
    _process(write, 10, 1, 0, {5: 3})

    def refuse(path: str) -> str:
        if path.endswith("/ns/pid"):
            return limits.HOST
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "readlink", refuse)
    with pytest.raises(Unobserved, match=r"process 10 .* may not be seen") as dark:
        _look("inotify_watches")
    assert "root" in dark.value.remedy


def test_processes_that_end_meanwhile_are_passed_over(write: Root) -> None:
    write("/proc/sys/fs/inotify/max_user_watches", "8192\n")
    _process(write, 10, 1, 0, {5: 3})
    write.made("/proc/11/status")  # its folder is there, and no more
    write.link("/proc/12/fd/4", "anon_inode:inotify")  # it ended after its open files were listed

    assert [used for _, used, _ in _look("inotify_watches")] == [3]


def test_counting_ends_in_time_on_this_machine() -> None:
    started = time.monotonic()
    for limit in LIMITS:
        try:
            _look(limit, seconds=2.0)
        except Unobserved as dark:
            assert dark.reason  # noqa: PT017  # what may be seen depends on the machine
    assert time.monotonic() - started < 8
