"""Looks at real file systems: full, without inodes, read-only, in memory, and hanging."""

from __future__ import annotations

import errno
import os
import pathlib
import subprocess
import time
from contextlib import suppress
from typing import Any

import pytest

from nodecheck.node import mounts
from nodecheck.node.looks import Looks
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import disk as window
from nodecheck.node.windows.disk import DiskWant

from .children import call
from .mounting import MNT_DETACH, MS_BIND, in_a_file, mounted, shut_down


def look(path: pathlib.Path | str = "", **want: Any) -> Any:
    """Return the file systems, as a run sees them."""
    wanted = DiskWant(str(path), **want)
    looks = Looks([wanted])
    try:
        seen = dict(looks.results(time.monotonic() + 10))[wanted]
    finally:
        assert looks.close() == ""
    return seen if isinstance(seen, Unobserved) else window.SHAPE(seen, "")


def df(path: pathlib.Path, columns: str) -> list[str]:
    """Return what df says."""
    shown = subprocess.run(["df", "-B1", f"--output={columns}", str(path)], check=True, capture_output=True, text=True)
    return shown.stdout.splitlines()[1].split()


def fill(folder: pathlib.Path) -> None:
    """Use up all space, root's reserve too."""
    with suppress(OSError), (folder / "big").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * (1 << 16))


def use_up_inodes(folder: pathlib.Path) -> None:
    """Make files until there is no inode left."""
    try:
        for number in range(10_000):
            (folder / str(number)).touch()
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017  # what ends the loop


def test_space_and_inodes_are_what_df_shows(tmp_path: pathlib.Path) -> None:
    with in_a_file(tmp_path / "it"):
        (tmp_path / "it" / "file").write_bytes(b"x" * 100_000)
        os.sync()
        (seen,) = look(tmp_path / "it" / "file")
        shown = df(tmp_path / "it", "used,avail,itotal,iused,iavail")
    names = ("used", "available", "inodes", "inodes_used", "inodes_available")
    assert [str(seen[name]) for name in names] == shown
    assert (seen["point"], seen["type"], seen["read_only"]) == (str(tmp_path / "it"), "ext4", False)


def test_what_is_kept_for_root_is_not_available(tmp_path: pathlib.Path) -> None:
    with in_a_file(tmp_path / "it"):
        fill(tmp_path / "it")
        (seen,) = look(tmp_path / "it")
    assert seen["available"] == 0
    assert seen["used"] > 6 << 20


def test_inodes_are_used_up(tmp_path: pathlib.Path) -> None:
    with in_a_file(tmp_path / "it"):
        use_up_inodes(tmp_path / "it")
        (seen,) = look(tmp_path / "it")
    assert (seen["inodes_available"], seen["inodes_used"]) == (0, seen["inodes"])
    assert seen["available"] > 1 << 20


def test_a_file_system_that_became_read_only_says_so(tmp_path: pathlib.Path) -> None:
    with in_a_file(tmp_path / "it"):
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "it")], check=True)
        (seen,) = look(tmp_path / "it")
    assert seen["read_only"]


def test_xfs_that_has_shut_down_is_written_to_by_nobody(tmp_path: pathlib.Path) -> None:
    with in_a_file(tmp_path / "it", make="mkfs.xfs -q", mebibytes=320):
        assert [system["read_only"] for system in look(tmp_path / "it")] == [False]
        shut_down(tmp_path / "it")
        assert [system["read_only"] for system in look(tmp_path / "it")] == [True]
        assert [system["read_only"] for system in look(types=("xfs",))] == [True]


@pytest.mark.parametrize(("kind", "has"), [("xfs", True), ("nfs4", False)])
def test_only_xfs_says_so_by_an_error(kind: str, has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> os.stat_result:
        raise OSError(errno.EIO, "Input/output error")

    mount = mounts.Mount(1, 0, "8:1", "/var", ("rw",), kind, "/dev/sda1")
    assert not mounts.has_shut_down(0, mount)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fstat", refuse)
        seen = mounts.has_shut_down(0, mount)
    assert has == seen


def test_btrfs_counts_no_inodes(tmp_path: pathlib.Path) -> None:
    with in_a_file(tmp_path / "it", make="mkfs.btrfs -q", mebibytes=128):
        (seen,) = look(tmp_path / "it")
    assert (seen["type"], seen["inodes"]) == ("btrfs", 0)


def test_a_link_leads_to_the_file_system_behind_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / "link").symlink_to("it")
    with mounted("tmpfs", tmp_path / "it", options="size=1m"):
        (seen,) = look(tmp_path / "link")
    assert (seen["point"], seen["type"], seen["used"] + seen["available"]) == (str(tmp_path / "it"), "tmpfs", 1 << 20)


def test_a_path_that_does_not_exist_has_no_file_system(tmp_path: pathlib.Path) -> None:
    assert look(tmp_path / "nowhere") == []
    (tmp_path / "file").touch()
    assert look(tmp_path / "file" / "below") == []


def test_a_path_that_hangs_was_not_seen_in_time(dead_folder: pathlib.Path) -> None:
    started = time.monotonic()
    assert look(dead_folder / "file", seconds=0.3).broken
    assert time.monotonic() - started < 1


def test_every_local_file_system_is_seen_once(tmp_path: pathlib.Path) -> None:
    with (
        in_a_file(tmp_path / "it"),
        mounted("tmpfs", tmp_path / "memory"),
        mounted("none", tmp_path / "it again", source=str(tmp_path / "it"), flags=MS_BIND),
    ):
        seen = look()
    points = [system["point"] for system in seen]
    assert str(tmp_path / "it") in points
    assert not {str(tmp_path / "memory"), str(tmp_path / "it again"), "/proc"} & set(points)
    assert not {"tmpfs", "overlay", "proc", "squashfs"} & {system["type"] for system in seen}
    assert {system["unseen"] for system in seen} == {""}


def test_of_a_file_system_that_another_one_hides_no_amounts_are_told(tmp_path: pathlib.Path) -> None:
    over, it = tmp_path / "over", str(tmp_path / "over" / "it")
    with mounted("tmpfs", over), in_a_file(over / "it"):
        call("mount", b"cover", os.fsencode(over), b"tmpfs", 0, b"")
        missing = {system["point"]: system for system in look()}[it]
        (over / "it").mkdir()
        hidden = {system["point"]: system for system in look()}[it]
        call("umount2", os.fsencode(over), MNT_DETACH)
    assert missing["unseen"] == "No such file or directory"
    assert (hidden["unseen"], hidden["available"]) == (f"what is mounted on {over} is seen there", 0)


def test_types_that_are_asked_for_are_seen_instead(tmp_path: pathlib.Path) -> None:
    with mounted("tmpfs", tmp_path / "memory"):
        seen = look(types=("tmpfs",))
    assert {system["type"] for system in seen} == {"tmpfs"}
    assert str(tmp_path / "memory") in [system["point"] for system in seen]


def test_of_every_file_system_the_one_that_hangs_is_named(dead_folder: pathlib.Path) -> None:
    seen = {system["point"]: system for system in look(types=("fuse", "proc"), seconds=0.5)}
    assert seen["/proc"]["unseen"] == ""
    assert seen[str(dead_folder)]["unseen"] == "it did not answer in time"


def test_amounts_that_cannot_be_are_cut() -> None:
    values = (4096, 1 << 40, 1 << 62, 0, 0, 5, 9, 0, 0, 255)
    amounts = window._amounts(os.statvfs_result(values))
    assert amounts["used"] == (1 << 64) - 1
    assert (amounts["inodes"], amounts["inodes_used"]) == (5, 0)


@pytest.mark.parametrize(("kind", "local"), [("ext4", True), ("zfs", True), ("tmpfs", False), ("squashfs", False)])
def test_local_file_systems_lie_on_disks(kind: str, local: bool) -> None:
    assert (kind in mounts.local_types()) == local


@pytest.mark.parametrize(
    ("point", "listed"),
    [
        ("/var/lib/kubelet", True),
        ("/var/lib/kubelet/pods/6b3c/volumes/kubernetes.io~csi/pvc-1/mount", False),
        ("/var/lib/kubelet/pods/6b3c/volume-subpaths/pvc-1/db/0", False),
        ("/var/lib/kubelet/plugins/kubernetes.io/csi/ebs.csi.aws.com/3f2a/globalmount", False),
        ("/srv/pods/data", True),
        ("/boot/efi", False),
        ("/efi", False),
        ("/boot", True),
    ],
)
def test_volumes_of_pods_and_the_efi_partition_are_none_of_the_disks_of_the_node(point: str, listed: bool) -> None:
    mount = mounts.Mount(1, 0, "8:1", point, ("rw",), "ext4", "/dev/sdb1")
    assert ([mount] if listed else []) == window._chosen([mount], ())
    assert window._chosen([mount], ("ext4",)) == [mount]
