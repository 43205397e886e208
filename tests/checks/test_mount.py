"""Mounts: what is seen of one, what is wanted, and the verdict."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, judge, make, node, status_of, statuses, told

from nodecheck.node.windows.mount import MountWant
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
AUTOFS = {"type": "autofs", "source": "systemd-1", "answer": "not asked"}


def verdict(mount: dict[str, Any] | None, **arguments: Any) -> tuple[Status, str]:
    """Return the status and what is told of a mount on /data, None: nothing is mounted there."""
    check = make("mount", path="/data", **arguments)
    seen = node()
    seen.observed.windows = {"mount": {want.key: {"mount": mount} for want in check.wants()}}  # type: ignore[union-attr]  # all its wants look through a window
    return status_of(check, seen), told(check, seen)


def nfs(**changed: Any) -> dict[str, Any]:
    """Return a mount that is well, with some of it changed."""
    options = ["rw", "nosuid", "hard"]
    plain = {"point": "/data", "type": "nfs4", "source": "s:/x", "options": options, "read_only": False}
    return plain | {"answer": "answered", "told": "", "seconds": 0.01} | changed


@pytest.mark.parametrize(
    ("arguments", "mount", "status", "message"),
    [
        ({}, nfs(), OK, "s:/x (nfs4) is mounted on /data; s:/x (nfs4) on /data answers"),
        ({}, None, CRITICAL, "nothing is mounted on /data"),
        ({"state": "absent"}, None, OK, "nothing is mounted on /data"),
        ({"state": "absent"}, nfs(), CRITICAL, "s:/x (nfs4) is mounted on /data, expected nothing"),
        ({"type": "ext4"}, nfs(), CRITICAL, "type of /data is nfs4, expected ext4"),
        ({"type": "/^nfs/", "source": "s:/x"}, nfs(), OK, "s:/x (nfs4) is mounted on /data"),
        ({"source": "s:/y"}, nfs(), CRITICAL, "source of /data is s:/x, expected s:/y"),
        ({"options": ["nosuid", "rw"]}, nfs(), OK, "/data is mounted with nosuid, rw"),
        ({"options": ["nosuid", "noexec", "soft"]}, nfs(), CRITICAL, "/data is mounted without noexec, soft"),
        ({"read_only": False}, nfs(read_only=True), CRITICAL, "/data is read-only, expected writable"),
        ({"read_only": True}, nfs(), CRITICAL, "/data is writable, expected read-only"),
        ({"read_only": False}, nfs(doubt="it broke"), UNKNOWN, "/data is said to be writable, but it broke"),
        ({"read_only": True}, nfs(read_only=True), OK, "/data is read-only"),
        (
            {}, nfs(answer="silent", seconds=5.0), CRITICAL,
            "s:/x (nfs4) on /data is mounted, and did not answer within 5s",
        ),
        (
            {}, nfs(answer="failed", told="Stale file handle"), CRITICAL,
            "s:/x (nfs4) on /data is mounted, and answers with an error: Stale file handle",
        ),
        (
            {}, nfs(answer="hidden", told="what is mounted on / is seen there"), CRITICAL,
            "s:/x (nfs4) on /data is mounted, and hidden: what is mounted on / is seen there",
        ),
        (
            {}, nfs(answer="unseen", told="Permission denied"), UNKNOWN,
            "whether s:/x (nfs4) on /data answers could not be seen: Permission denied",
        ),
        ({"answers": False}, nfs(answer="not asked"), OK, "s:/x (nfs4) is mounted on /data"),
        ({}, nfs(type="tmpfs", source="tmpfs"), OK, "tmpfs is mounted on /data"),
    ],
)  # fmt: skip
def test_verdicts(arguments: dict[str, Any], mount: dict[str, Any] | None, status: Status, message: str) -> None:
    seen = verdict(mount, **arguments)
    assert status == seen[0]
    assert message in seen[1]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({}, OK), ({"type": "autofs"}, OK), ({"type": "nfs4"}, UNKNOWN), ({"source": "s:/x"}, UNKNOWN),
        ({"read_only": False}, UNKNOWN), ({"options": ["rw"]}, UNKNOWN), ({"state": "absent"}, CRITICAL),
    ],
)  # fmt: skip
def test_what_autofs_mounts_when_it_is_used_is_well_and_more_cannot_be_seen(
    arguments: dict[str, Any], status: Status
) -> None:
    assert status == verdict(nfs(**AUTOFS), **arguments)[0]


def test_a_look_that_never_began_says_nothing_of_the_mount() -> None:
    seen = node()
    seen.observed.windows = {"mount": {"/data": dark("too late", "mount /data", broken=True)}}
    assert status_of(make("mount", path="/data"), seen) is UNKNOWN


def test_a_silent_mount_is_still_the_right_one() -> None:
    seen = node()
    seen.observed.windows = {"mount": {"/data": {"mount": nfs(answer="silent")}}}
    check = make("mount", path="/data/", type="nfs4")
    assert statuses(check, seen) == {"state": OK, "type": OK, "answers": CRITICAL}


def test_only_what_is_to_answer_is_asked() -> None:
    wants = [*make("mount", path="/a").wants(), *make("mount", path="/a", answers=False).wants()]
    assert [MountWant("/a"), MountWant("/a", ask=False)] == [*wants]
    assert [MountWant("/", ask=False)] == [*make("mount", path="/", state="absent").wants()]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"path": "data"}, "path"),
        ({"path": "/data", "state": "absent", "type": "nfs"}, "state"),
        ({"path": "/data", "state": "absent", "read_only": False}, "state"),
        ({"path": "/data", "options": ["defaults", "noatime"]}, "options"),
        ({"path": "/data", "options": "x-systemd.automount"}, "options"),
    ],
)
def test_mistakes_are_told(arguments: dict[str, Any], argument: str) -> None:
    assert [argument] == [mistake[0] for mistake in make("mount", **arguments).mistakes()]


def test_findings_are_named_for_arguments() -> None:
    seen = node()
    seen.observed.windows = {"mount": {"/data": {"mount": nfs()}}}
    check = make("mount", path="/data", type="nfs4", source="s:/x", options="rw", read_only=False)
    assert {finding.property for finding in judge(check, seen)} <= set(check.arguments())
