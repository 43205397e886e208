from __future__ import annotations

import re
from typing import Any

import pytest
from fakes import REALTIME, judge, make, node, told

from nodecheck.checks._journal_sets import SETS
from nodecheck.node.counters import Sample
from nodecheck.node.node import Node
from nodecheck.node.windows.journal import JournalWant
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
NOTHING: dict[str, Any] = {"count": 0, "last": None, "by": "", "message": ""}


def _found(count: int, message: str = "it broke") -> dict[str, Any]:
    return {"count": count, "last": REALTIME - 90, "by": "tried", "message": message} if count else NOTHING


def want_of(**arguments: Any) -> JournalWant:
    want, *_ = make("journal", **arguments).wants()
    assert isinstance(want, JournalWant)
    return want


def seen(arguments: dict[str, Any], found: dict[str, dict[str, Any]], gap: str = "") -> Node:
    made = node()
    made.observed.windows = {"journal": {want_of(**arguments).key: {"read": 9, "gap": gap, "found": found}}}
    return made


@pytest.mark.parametrize(
    ("count", "expected", "gap", "status"),
    [
        (0, None, "", OK),
        (1, None, "", CRITICAL),
        (3, "< 5", "", OK),
        (5, "< 5", "", CRITICAL),
        (0, ">= 1", "", CRITICAL),
        (0, None, "only the latest", UNKNOWN),
        (1, None, "only the latest", CRITICAL),
        (3, "< 5", "only the latest", UNKNOWN),
        (5, "< 5", "only the latest", CRITICAL),
        (1, ">= 1", "only the latest", OK),
        (0, ">= 1", "only the latest", UNKNOWN),
        (2, "5..10", "only the latest", UNKNOWN),
        (11, "5..10", "only the latest", CRITICAL),
    ],
)
def test_a_count_is_judged_and_where_there_may_be_more_only_what_more_cannot_change(
    count: int, expected: str | None, gap: str, status: Status
) -> None:
    arguments = {"unit": "x.service"} | ({"count": expected} if expected else {})
    (finding,) = judge(make("journal", **arguments), seen(arguments, {"": _found(count)}, gap))
    assert (status, None if status is UNKNOWN else count) == (finding.status, finding.observed)


@pytest.mark.parametrize(
    ("arguments", "found", "gap", "message"),
    [
        ({"unit": "x.service"}, _found(0), "", "no entries of x.service within 1h"),
        (
            {"unit": "x.service"},
            _found(1),
            "",
            '1 entry of x.service within 1h, the latest 1m 30s ago by tried: "it broke"',
        ),
        (
            {"identifier": "tried", "count": "< 2", "since": "10m"},
            _found(2, "two\nlines " + "x" * 200),
            "",
            f'2 entries of tried within 10m, the latest 1m 30s ago by tried: "two lines {"x" * 140}...", expected < 2',
        ),
        (
            {"kernel": True, "pattern": "/x/"},
            _found(0),
            "the journal goes back only 5m",
            "not all entries within 1h could be counted: the journal goes back only 5m",
        ),
    ],
)
def test_what_was_found_is_told(arguments: dict[str, Any], found: dict[str, Any], gap: str, message: str) -> None:
    assert message == told(make("journal", **arguments), seen(arguments, {"": found}, gap))


def test_each_set_is_judged_by_itself() -> None:
    arguments = {"set": ["oom_killing", "task_hung"]}
    found = judge(make("journal", **arguments), seen(arguments, {"oom_killing": _found(2), "task_hung": _found(0)}))
    assert [(finding.status, finding.message.partition(" within")[0]) for finding in found] == [
        (CRITICAL, "oom_killing: 2 entries"),
        (OK, "task_hung: no entries"),
    ]
    assert found[0].since == REALTIME - 90


def test_what_all_sets_could_not_be_counted_for_is_told_once() -> None:
    arguments = {"set": ["oom_killing", "task_hung", "io_error"]}
    found = {"oom_killing": _found(0), "task_hung": _found(1), "io_error": _found(0)}
    told_of = judge(make("journal", **arguments), seen(arguments, found, "the journal goes back only 5m"))
    assert [(finding.status, finding.observed) for finding in told_of] == [(CRITICAL, 1), (UNKNOWN, None)]
    assert told_of[1].message == (
        "oom_killing, io_error: not all entries within 1h could be counted: the journal goes back only 5m"
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ("count",)),
        ({"count": "< 3"}, ("count",)),
        ({"priority": "err"}, ()),
        ({"kernel": True}, ()),
        ({"unit": "x", "pattern": "/a/"}, ()),
        ({"set": "oom_killing"}, ()),
        ({"set": ["oom_killing", "oom"]}, ("set",)),
        ({"set": "oom_killing", "pattern": "/a/"}, ("set",)),
        ({"set": "oom_killing", "kernel": True}, ("set",)),
        ({"kernel": True, "unit": "x"}, ("kernel",)),
        ({"unit": "x", "since": "yesterday"}, ("since",)),
        ({"unit": "x", "since": "0s"}, ("since",)),
    ],
)
def test_what_chooses_nothing_or_twice_is_a_mistake(arguments: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert expected == tuple(argument for argument, _, _ in make("journal", **arguments).mistakes())


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"unit": "a", "priority": "err"}, "--unit=a --priority=err since 1h"),
        ({"kernel": True, "pattern": "/x y/"}, "_TRANSPORT=kernel /x y/ since 1h"),
        ({"set": ["oom_killing", "task_hung"], "since": "90m"}, "oom_killing task_hung since 1h 30m"),
    ],
)
def test_a_look_is_called_by_what_it_looks_for(arguments: dict[str, Any], key: str) -> None:
    assert key == want_of(**arguments).key


# What kernels, Docker and the kubelet really write; from kernel sources and node-problem-detector's own tests.
LINES = {
    "oom_killing": [
        "Out of memory: Killed process 4242 (python3) total-vm:1024kB, anon-rss:512kB, file-rss:0kB, shmem-rss:0kB",
        "Memory cgroup out of memory: Killed process 1012 (my app) total-vm:27508kB, anon-rss:10384kB, file-rss:4kB",
    ],
    "task_hung": [
        "INFO: task kworker/u8:1:1234 blocked for more than 120 seconds.",
        "INFO: task dd:456 blocked in I/O wait for more than 122 seconds.",
    ],
    "docker_hung": [
        "task docker:20744 blocked for more than 120 seconds.",
        "INFO: task dockerd:20744 blocked in I/O wait for more than 122 seconds.",
    ],
    "unregister_net_device": ["unregister_netdevice: waiting for eth0 to become free. Usage count = 3"],
    "kernel_oops": [
        "BUG: unable to handle kernel NULL pointer dereference at 0000000000000008",
        "BUG: kernel NULL pointer dereference, address: 0000000000000000",
        "BUG: unable to handle page fault for address: ffff8881",
        "divide error: 0000 [#1] SMP",
        "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008",
    ],
    "soft_lockup": ["watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [stress:1234]"],
    "ext4_error": ["EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0"],
    "ext4_warning": ["EXT4-fs warning (device sda1): ext4_end_bio:332: I/O error"],
    "xfs_shutdown": ["XFS (sda1): Corruption of in-memory data detected.  Shutting down filesystem"],
    "io_error": ["Buffer I/O error on dev sda1, logical block 0, async page read"],
    "memory_read_error": ["EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#0_DIMM#0"],
    "hardware_error": ["{1}[Hardware Error]: event severity: fatal"],
    "readonly_filesystem": ["EXT4-fs (sda1): Remounting filesystem read-only"],
    "conntrack_full": [
        "nf_conntrack: nf_conntrack: table full, dropping packet",
        "nf_conntrack: nf_conntrack: table full in netns 4026532281, dropping packet",
    ],
    "corrupt_docker_image": [
        "Error trying v2 registry: failed to register layer: rename /var/lib/docker/image/a /b/2: directory not empty"
    ],
    "corrupt_docker_overlay2": ["x returned error: readlink /var/lib/docker/overlay2/l/ABC: invalid argument"],
    "docker_container_startup_failure": ["OCI runtime start failed: container process is already dead: unknown"],
    "pleg_unhealthy": ['"Skipping pod synchronization" err="PLEG is not healthy: pleg was last seen active 3m0s ago"'],
}  # fmt: skip


def test_each_set_has_lines_that_it_has_to_find() -> None:
    assert LINES.keys() == SETS.keys()


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in LINES.items() for line in lines])
def test_a_set_finds_what_is_really_written(name: str, line: str) -> None:
    assert re.search(SETS[name].expression, line)


@pytest.mark.parametrize("name", SETS)
def test_a_set_does_not_find_what_is_none(name: str) -> None:
    assert not re.search(SETS[name].expression, "EXT4-fs (loop0): mounted filesystem with ordered data mode")


# ---- none counts twice


def timed(*ago: float) -> Node:
    """A node whose journal has matching entries so many seconds ago, the latest first."""
    made = node()
    times = [REALTIME - each for each in ago]
    found = _found(len(times)) | {"times": times}
    data = {"read": 9, "gap": "", "found": {"": found}, "newest": times[0] if times else None}
    made.observed.windows = {"journal": {want_of(unit="x.service", new=True).key: data}}
    return made


@pytest.mark.parametrize(
    ("last_run", "status", "message"),
    [
        (None, CRITICAL, "3 entries of x.service since the last run, within 1h, the latest 1m 30s ago"),
        (30.0, CRITICAL, "1 entry of x.service since the last run, within 1h, the latest 1m 30s ago"),
        (10.0, OK, "no entries of x.service since the last run, within 1h"),
    ],
)
def test_an_entry_counts_in_one_run_only(last_run: float | None, status: Status, message: str) -> None:
    check, made = make("journal", unit="x.service", new=True), timed(10, 30, 1000)
    [(place, newest)] = check.counters(made)
    if last_run is not None:
        made.observed.counters = {place.name: [Sample(60.0, REALTIME - last_run)]}
    assert (status, REALTIME - 10) == (judge(check, made)[0].status, newest)
    assert message in told(check, made)


def test_where_the_clock_was_set_back_all_entries_count_once_more() -> None:
    check, made = make("journal", unit="x.service", new=True), timed(10, 30, -3600)
    [(place, _)] = check.counters(made)
    made.observed.counters = {place.name: [Sample(60.0, REALTIME + 3600)]}
    assert judge(check, made)[0].observed == 3


def test_an_entry_of_before_the_clock_was_set_back_counts_in_one_run_only() -> None:
    check, made = make("journal", unit="x.service", new=True), timed(-3600)
    [(place, newest)] = check.counters(made)
    made.observed.counters = {place.name: [Sample(60.0, REALTIME - 60)]}
    assert (judge(check, made)[0].observed, newest) == (0, REALTIME)


def test_a_journal_without_entries_leaves_the_place_as_it_was() -> None:
    assert [*make("journal", unit="x.service", new=True).counters(timed())] == []
