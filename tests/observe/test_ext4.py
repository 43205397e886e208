"""An ext4 that stopped writing after an error: a real one, and what older kernels tell of it."""

from __future__ import annotations

import errno
import os
import pathlib
import time
from typing import Any

import pytest

from nodecheck.node import ext4, mounts
from nodecheck.node.windows.disk import DiskWant, look

from .mounting import in_a_file, mounted

OLDER = "6.1.0-27-amd64"


def with_error(folder: pathlib.Path) -> mounts.Mount:
    """Let a file system have an error, as its disk would; skip the test where the kernel has no way to do so."""
    (mount,) = (mount for mount in mounts.of_host() if mount.point == str(folder))
    name = os.path.basename(os.path.realpath(f"/sys/dev/block/{mount.device}"))
    try:
        pathlib.Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("made for a test\n")
    except OSError as error:
        pytest.skip(f"no error can be made here: {error}")
    return mount


def test_one_that_stopped_writing_is_read_only_or_in_doubt(tmp_path: pathlib.Path) -> None:
    with in_a_file(tmp_path / "data", make="mkfs.ext4 -q -e remount-ro") as folder:
        assert not look(DiskWant(str(folder)))[0]["read_only"]
        before = with_error(folder)
        with pytest.raises(OSError, match="Read-only"):
            (folder / "x").touch()
        (seen,) = look(DiskWant(str(folder)))
        assert seen["read_only"] or seen["doubt"]
        assert ext4.doubt(before, OLDER).startswith(f"it had an error on {time.strftime('%Y-', time.gmtime())}")


LAZY = "mkfs.ext4 -q -e continue -E nodiscard,lazy_itable_init=1,lazy_journal_init=1"


def test_one_that_goes_on_after_errors_has_stopped_without_its_journal(tmp_path: pathlib.Path) -> None:
    with (
        mounted("tmpfs", tmp_path / "small", options="size=6m") as disk,
        in_a_file(disk / "data", make=LAZY, mebibytes=64) as folder,
    ):
        (before,) = (mount for mount in mounts.of_host() if mount.point == str(folder))
        assert not ext4.doubt(before, OLDER)
        write_until_read_only(folder)
        (seen,) = look(DiskWant(str(folder)))
        assert seen["read_only"] or seen["doubt"]
        assert ext4.doubt(before, OLDER)


def write_until_read_only(folder: pathlib.Path) -> None:
    """Write, and have it on the disk, until the file system takes nothing any more: its disk is full, or broken."""
    for number in range(1000):
        try:
            with (folder / str(number)).open("wb") as file:
                file.write(os.urandom(256 << 10))
                os.fsync(file.fileno())
        except OSError as error:
            if error.errno == errno.EROFS:
                return
    pytest.fail("it goes on for ever")


@pytest.mark.parametrize(
    ("changed", "release", "last", "doubtful"),
    [
        ({}, OLDER, time.time(), True),
        ({}, "6.15.0", time.time(), False),
        ({}, "7.0", time.time(), False),
        ({}, OLDER, 1000.0, False),  # before this boot
        ({}, OLDER, 0.0, False),
        ({"options": ("ro", "errors=remount-ro")}, OLDER, time.time(), False),
        ({"options": ("rw", "errors=continue")}, OLDER, time.time(), False),
        ({"type": "xfs"}, OLDER, time.time(), False),
    ],
)
def test_when_it_is_in_doubt(kernel: pathlib.Path, changed: Any, release: str, last: float, doubtful: bool) -> None:
    (kernel / "sys/fs/ext4/8:1/last_error_time").write_text(f"{last:.0f}\n")
    mount = mounts.Mount(1, 0, "8:1", "/", ("rw", "errors=remount-ro"), "ext4", "/dev/sda1")
    assert bool(ext4.doubt(mount._replace(**changed), release)) is doubtful


def test_an_aborted_journal_stops_it_whatever_its_options_say(kernel: pathlib.Path) -> None:
    folder = kernel / "sys/fs/ext4/8:1"
    (folder / "last_error_time").write_text(f"{time.time():.0f}\n")
    mount = mounts.Mount(1, 0, "8:1", "/var", ("rw", "errors=continue"), "ext4", "/dev/sda1")
    (folder / "last_error_func").write_text("ext4_lookup\n")
    assert not ext4.doubt(mount, OLDER)
    (folder / "last_error_func").write_text("ext4_journal_check_start\n")
    assert ext4.doubt(mount, OLDER)


def test_the_default_of_a_file_system_is_none_of_its_options(kernel: pathlib.Path) -> None:
    (kernel / "sys/fs/ext4/8:1/last_error_time").write_text(f"{time.time():.0f}\n")
    mount = mounts.Mount(1, 0, "8:1", "/", ("rw", "relatime"), "ext4", "/dev/sda1")
    assert not ext4.doubt(mount, OLDER)
    (kernel / "proc/fs/ext4/8:1/options").write_text("rw\nerrors=remount-ro\nresuid=0\n")
    assert ext4.doubt(mount, OLDER)


@pytest.fixture
def kernel(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The folder in place of / in which the kernel tells of its file systems."""
    for folder in ("sys", "proc"):
        (tmp_path / folder / "fs/ext4/8:1").mkdir(parents=True)
    monkeypatch.setattr(ext4, "ROOT", str(tmp_path))
    return tmp_path
