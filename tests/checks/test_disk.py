"""Disks: what is seen of file systems, what is wanted, and the verdict."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, judge, make, node, status_of, statuses, told

from nodecheck.node.counters import Sample
from nodecheck.node.node import Node
from nodecheck.node.windows.disk import DiskWant
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
GIB = 1 << 30
FULL: dict[str, Any] = {"used": 95 * GIB, "available": 5 * GIB}
NO_INODES: dict[str, Any] = {"inodes_used": 99, "inodes_available": 1}
BTRFS: dict[str, Any] = {"type": "btrfs", "inodes": 0, "inodes_used": 0, "inodes_available": 0}


def ext4(point: str = "/data", **changed: Any) -> dict[str, Any]:
    """Return a file system that is half full, with some of it changed."""
    plain = {"point": point, "type": "ext4", "source": "/dev/sdb1", "read_only": False, "unseen": ""}
    space = {"used": 50 * GIB, "available": 50 * GIB}
    return plain | space | {"inodes": 100, "inodes_used": 50, "inodes_available": 50} | changed


def seen(*systems: dict[str, Any], key: str = "/data") -> Node:
    """Return a node on which these file systems were seen."""
    return looked({key: list(systems)})


def looked(looks: dict[str, Any]) -> Node:
    """Return a node on which these looks at disks were taken."""
    made = node()
    made.observed.windows = {"disk": looks}
    return made


@pytest.mark.parametrize(
    ("arguments", "system", "status", "message"),
    [
        ({}, ext4(), OK, "used space of /data (ext4) is 50.0%"),
        ({}, ext4(**FULL), CRITICAL, "used space of /data (ext4) is 95.0%, expected < 90%"),
        ({}, ext4(**NO_INODES), CRITICAL, "used inodes of /data (ext4) is 99.0%, expected < 90%"),
        ({"used": "< 96%"}, ext4(**FULL), OK, "used space of /data (ext4) is 95.0%"),
        ({"free": "> 10GiB"}, ext4(**FULL), CRITICAL, "space left of /data (ext4) is 5.0GiB, expected > 10GiB"),
        ({"free": "> 1GiB"}, ext4(**FULL), OK, "space left of /data (ext4) is 5.0GiB"),
        ({"inodes_used": "< 50%"}, ext4(), CRITICAL, "used inodes of /data (ext4) is 50.0%, expected < 50%"),
        ({"inodes_free": "> 50"}, ext4(), CRITICAL, "inodes left of /data (ext4) is 50, expected > 50"),
        ({"read_only": False}, ext4(read_only=True), CRITICAL, "/data (ext4) is read-only, expected writable"),
        ({"read_only": False}, ext4(), OK, "/data (ext4) is writable"),
        (
            {"read_only": False}, ext4(doubt="it had an error"), UNKNOWN,
            "/data (ext4) is said to be writable, but it had an error",
        ),
        ({"read_only": True}, ext4(), CRITICAL, "/data (ext4) is writable, expected read-only"),
        ({}, ext4("/"), OK, "used space of /data (ext4 on /) is 50.0%"),
        ({"used": "< 100%"}, ext4(used=100, available=0), CRITICAL, "used space of /data (ext4) is 100.0%, expected"),
        ({}, ext4(**BTRFS), OK, "used space of /data (btrfs) is 50.0%"),
        (
            {"inodes_used": "< 90%"}, ext4(**BTRFS), OK,
            "/data (btrfs) makes inodes as they are needed: there is always one more",
        ),
        ({"inodes_free": "> 9"}, ext4(**BTRFS), OK, "always one more"),
        ({}, ext4(type="proc", used=0, available=0, inodes=0), UNKNOWN, "used space of /data (proc) could not be seen"),
        ({"free": "> 0B"}, ext4(used=0, available=0), UNKNOWN, "the space left of /data (ext4) could not be seen"),
        ({}, ext4(type=""), OK, "used space of /data is 50.0%"),
    ],
)  # fmt: skip
def test_verdicts(arguments: dict[str, Any], system: dict[str, Any], status: Status, message: str) -> None:
    check = make("disk", path="/data", **arguments)
    assert status == status_of(check, seen(system))
    assert message in told(check, seen(system))


@pytest.mark.parametrize(
    ("before", "status", "message"),
    [
        ([(3600, 49), (1800, 50)], OK, "growth of used space of /data (ext4) in 1h is 1.0GiB"),
        ([(3600, 30), (1800, 50)], CRITICAL, "growth of used space of /data (ext4) in 1h is 20.0GiB, expected < 10"),
        ([(600, 30)], CRITICAL, "is 20.0GiB to 50.0GiB, expected < 10GiB in 1h"),
        ([(600, 49)], UNKNOWN, "could be 1.0GiB to 50.0GiB: it has been looked at for 10m, and 1.0GiB came since"),
        ([], UNKNOWN, "could be 0.0GiB to 50.0GiB: it was not looked at before"),
    ],
)  # fmt: skip
def test_growth_is_judged_by_what_is_remembered(before: list[tuple[float, int]], status: Status, message: str) -> None:
    check = make("disk", path="/data", growth="< 10GiB in 1h")
    made = seen(ext4())
    made.observed.counters = {"space used on /data": [Sample(ago, gib * GIB) for ago, gib in before]}
    assert (status, [50 * GIB]) == (status_of(check, made), [value for _, value in check.counters(made)])
    assert message in told(check, made)


def test_only_what_is_asked_for_is_judged() -> None:
    assert statuses(make("disk", path="/data", free="> 1GiB"), seen(ext4(**FULL, **NO_INODES))) == {"free": OK}


def test_a_path_that_does_not_exist_is_critical() -> None:
    check = make("disk", path="/data")
    assert status_of(check, seen()) is CRITICAL
    assert told(check, seen()) == "/data does not exist"


def test_a_path_that_hangs_is_unknown() -> None:
    made = node()
    made.observed.windows = {"disk": {"/data": dark("it hangs", "disk /data", broken=True)}}
    assert status_of(make("disk", path="/data"), made) is UNKNOWN


class TestEvery:
    def test_each_file_system_is_judged_and_those_that_are_full_are_named(self) -> None:
        made = seen(ext4("/"), ext4("/a", **FULL), ext4("/b", **NO_INODES), ext4("/c", **BTRFS), key="every")
        expected = "used space of /a (ext4) is 95.0%, expected < 90%; used inodes of /b (ext4) is 99.0%, expected < 90%"
        assert expected == told(make("disk", every=True), made)

    def test_one_that_does_not_answer_is_unknown_and_the_others_are_judged(self) -> None:
        made = seen(ext4("/"), ext4("/a", unseen="it did not answer in time"), key="every")
        assert status_of(make("disk", every=True), made) is UNKNOWN
        assert told(make("disk", every=True), made) == "/a (ext4) could not be looked at: it did not answer in time"

    def test_where_there_is_none_that_is_unknown(self) -> None:
        assert status_of(make("disk", every=True), seen(key="every")) is UNKNOWN

    def test_the_file_systems_of_some_paths_may_be_left_out(self) -> None:
        check = make("disk", every=True, besides=["/data/images", "/boot"])
        data = ext4("/data", source="/dev/sdc1", **FULL)
        made = looked({"every": [ext4("/", source="/dev/sda1"), data], "/data/images": [data], "/boot": []})

        assert status_of(check, made) is OK
        assert told(check, made) == "used space of / (ext4) is 50.0%; used inodes of / (ext4) is 50.0%"

    def test_one_that_is_mounted_elsewhere_too_is_left_out(self) -> None:
        check = make("disk", every=True, besides="/data")
        made = looked({"every": [ext4("/", **FULL)], "/data": [ext4("/data", **FULL)]})

        assert (status_of(check, made), told(check, made)) == (OK, "there are no other file systems here")

    def test_inodes_are_judged_where_they_are_counted(self) -> None:
        made = seen(ext4("/"), ext4("/c", **BTRFS), key="every")
        assert status_of(make("disk", every=True, inodes_used="< 90%", inodes_free="> 1"), made) is OK

    def test_types_are_asked_for(self) -> None:
        assert [DiskWant("", ("tmpfs", "ext4"))] == [*make("disk", every=True, types=["tmpfs", "ext4"]).wants()]
        assert DiskWant("", ("tmpfs", "ext4")).key == "every tmpfs ext4"


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({}, "path"),
        ({"path": "/", "every": True}, "path"),
        ({"path": "var"}, "path"),
        ({"path": "/", "types": "ext4"}, "types"),
        ({"path": "/", "besides": "/boot"}, "besides"),
        ({"every": True, "growth": "< 1GiB in 1h"}, "growth"),
    ],
)
def test_mistakes_are_told(arguments: dict[str, Any], argument: str) -> None:
    assert [argument] == [mistake[0] for mistake in make("disk", **arguments).mistakes()]


@pytest.mark.parametrize(
    "arguments",
    [{"path": "/", "growth": "< 1GiB in 1h"}, {"every": True, "types": "ext4"}, {"every": True, "besides": "/boot"}],
)
def test_what_goes_together_is_no_mistake(arguments: dict[str, Any]) -> None:
    assert list(make("disk", **arguments).mistakes()) == []


def test_what_is_not_there_is_absent() -> None:
    (finding,) = judge(make("disk", path="/data"), seen())

    assert (finding.property, finding.observed) == ("path", "absent")


def test_of_what_could_not_be_looked_at_nothing_else_is_judged() -> None:
    check = make("disk", path="/data", used="< 90%", read_only=False)
    made = seen(ext4(unseen="it did not answer in time"))

    assert statuses(check, made) == {"space": UNKNOWN}


@pytest.mark.parametrize(
    ("wanted", "observed", "remedy"),
    [(False, True, "journalctl -k --grep 'remount|I/O error'"), (True, False, ""), (True, True, "")],
)
def test_one_that_became_read_only_comes_with_where_the_reason_stands(
    wanted: bool, observed: bool, remedy: str
) -> None:
    (finding,) = judge(make("disk", path="/data", read_only=wanted), seen(ext4(read_only=observed)))

    assert remedy == finding.remedy


def test_file_systems_without_a_device_are_told_apart_by_where_they_are() -> None:
    check = make("disk", every=True, types="tmpfs", besides="/run")
    run, shm = (ext4(point, type="tmpfs", source="tmpfs", **FULL) for point in ("/run", "/dev/shm"))
    made = looked({"every tmpfs": [run, shm], "/run": [run]})

    assert told(check, made).startswith("used space of /dev/shm (tmpfs) is 95.0%, expected < 90%")


def test_a_full_disk_comes_with_what_finds_out_by_what() -> None:
    (finding,) = make("disk", path="/data/x", used="< 90%").judge(seen(ext4(**FULL), key="/data/x"))
    assert finding.remedy == "du -xh --max-depth=2 /data | sort -h | tail"
