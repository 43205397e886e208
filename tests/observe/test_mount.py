"""Looks at real mounts: stacked, hidden, with odd names, and at those that do not answer."""

from __future__ import annotations

import os
import pathlib
import threading
import time
from typing import Any

import pytest
from fakes import make, status_of

from nodecheck.engine.rounds import timed
from nodecheck.node import mounts
from nodecheck.node.looks import Looks
from nodecheck.node.node import Node
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import mount as window
from nodecheck.node.windows.mount import MountWant
from nodecheck.report.result import Status

from .children import call, hang, unhang
from .mounting import MNT_DETACH, MS_BIND, MS_RDONLY, MS_REMOUNT, in_a_file, mount, mounted, shut_down


def look(path: pathlib.Path | str, **want: Any) -> Any:
    """Return what is mounted there, as a run sees it."""
    wanted = MountWant(str(path), **want)
    looks = Looks([wanted])
    try:
        seen = dict(looks.results(time.monotonic() + 10))[wanted]
    finally:
        assert looks.close() == ""
    return window.SHAPE(seen, "")["mount"]


def test_the_root_is_mounted_and_answers() -> None:
    seen = look("/")
    assert (seen["point"], seen["answer"]) == ("/", "answered")


def test_a_folder_on_which_nothing_is_mounted_is_absent(tmp_path: pathlib.Path) -> None:
    assert look(tmp_path) is None
    assert look(tmp_path / "nowhere") is None


def test_a_mount_is_told_as_it_is(tmp_path: pathlib.Path) -> None:
    with mounted("tmpfs", tmp_path / "it", flags=MS_RDONLY, options="size=1m"):
        seen = look(tmp_path / "it")
    assert (seen["type"], seen["source"], seen["read_only"], seen["answer"]) == ("tmpfs", "made-up", True, "answered")
    assert {"ro", "size=1024k"} <= set(seen["options"])
    assert "rw" not in seen["options"]


# The last ones it does not escape, and str.splitlines() takes them for the end of a line.
@pytest.mark.parametrize(
    "name", ["with a space", "back\\slash", "new\nline", "#hash", "t\tab", "\\040", "\r\v\x85\u2028"]
)
def test_mounts_with_odd_names_are_found(tmp_path: pathlib.Path, name: str) -> None:
    with mounted("tmpfs", tmp_path / name, source="a b"):
        assert look(tmp_path / name)["source"] == "a b"


def test_an_empty_source_is_no_mistake(tmp_path: pathlib.Path) -> None:
    with mounted("tmpfs", tmp_path / "it", source=""):
        seen = look(tmp_path / "it")
    assert (seen["source"], seen["type"], seen["answer"]) == ("", "tmpfs", "answered")


def test_of_several_on_one_path_the_last_one_counts(tmp_path: pathlib.Path) -> None:
    with mounted("tmpfs", tmp_path / "it", source="first"), mounted("tmpfs", tmp_path / "it", source="last"):
        seen = look(tmp_path / "it")
    assert (seen["source"], seen["answer"]) == ("last", "answered")


def test_a_link_leads_to_the_mount(tmp_path: pathlib.Path) -> None:
    (tmp_path / "link").symlink_to("it")
    with mounted("tmpfs", tmp_path / "it"):
        assert look(tmp_path / "link")["point"] == str(tmp_path / "it")


def test_a_bind_mount_is_a_mount(tmp_path: pathlib.Path) -> None:
    (tmp_path / "from").mkdir()
    with mounted("none", tmp_path / "to", source=str(tmp_path / "from"), flags=MS_BIND):
        mount("none", tmp_path / "to", flags=MS_REMOUNT | MS_BIND | MS_RDONLY)
        seen = look(tmp_path / "to")
    assert (seen["answer"], seen["read_only"]) == ("answered", True)


def test_a_mount_that_lies_below_another_one_is_hidden(tmp_path: pathlib.Path) -> None:
    with mounted("tmpfs", tmp_path / "over"), mounted("tmpfs", tmp_path / "over" / "it"):
        call("mount", b"cover", os.fsencode(tmp_path / "over"), b"tmpfs", 0, b"")
        missing = look(tmp_path / "over" / "it")
        (tmp_path / "over" / "it").mkdir()
        hidden = look(tmp_path / "over" / "it")
        call("umount2", os.fsencode(tmp_path / "over"), MNT_DETACH)
    assert (missing["answer"], missing["told"]) == ("hidden", "nothing is seen there")
    assert (hidden["answer"], hidden["told"]) == ("hidden", f"what is mounted on {tmp_path / 'over'} is seen there")


def test_a_mount_that_never_answers_is_silent_in_time(dead_folder: pathlib.Path) -> None:
    started = time.monotonic()
    seen = look(dead_folder, seconds=1.0)
    assert (seen["answer"], seen["type"], seen["source"]) == ("silent", "fuse", "dead")
    assert 0.9 <= time.monotonic() - started < 1.6


def test_a_mount_that_had_hardly_any_time_to_answer_is_not_called_silent(dead_folder: pathlib.Path) -> None:
    seen = look(dead_folder, seconds=0.2)
    assert (seen["answer"], seen["told"]) == ("unseen", "there was no time to wait for it")


def test_what_need_not_answer_is_not_asked(dead_folder: pathlib.Path) -> None:
    started = time.monotonic()
    assert look(dead_folder, ask=False)["answer"] == "not asked"
    assert time.monotonic() - started < 0.5


def test_a_mount_whose_server_is_gone_answers_with_an_error(tmp_path: pathlib.Path) -> None:
    try:
        server = hang(tmp_path)
    except OSError as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    kept = os.open("/dev/null", os.O_RDONLY)
    try:
        os.dup2(kept, server)  # the connection ends, and the mount stays
        seen = look(tmp_path)
    finally:
        os.close(kept)
        unhang(tmp_path, server)
    assert (seen["answer"], seen["told"]) == ("failed", "Transport endpoint is not connected")


def test_xfs_that_has_shut_down_answers_with_an_error(tmp_path: pathlib.Path) -> None:
    with in_a_file(tmp_path / "it", make="mkfs.xfs -q", mebibytes=320):
        assert look(tmp_path / "it")["answer"] == "answered"
        shut_down(tmp_path / "it")
        seen = look(tmp_path / "it")
    assert (seen["answer"], seen["told"]) == ("failed", "Input/output error")


def test_what_autofs_waits_to_mount_is_not_mounted_by_looking(tmp_path: pathlib.Path) -> None:
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    options = f"fd={writer},pgrp=1,minproto=5,maxproto=5,direct"  # whoever is not of this group waits for a mount
    try:
        with mounted("autofs", tmp_path / "it", options=options):
            seen = look(tmp_path / "it", seconds=0.5)
            with pytest.raises(BlockingIOError):  # nobody asked for a mount
                os.read(reader, 1)
    finally:
        os.close(reader)
        os.close(writer)
    assert (seen["type"], seen["answer"]) == ("autofs", "not asked")


def test_where_no_thread_may_be_started_nothing_is_said_of_the_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(Unobserved, match="not one more thread"):
        window.look(MountWant("/"))


@pytest.mark.parametrize("flag", ["emergency_ro", "shutdown", "ro"])
def test_a_file_system_that_stopped_writing_after_an_error_is_read_only(flag: str) -> None:
    line = f"36 25 259:2 / /var rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,{flag},errors=remount-ro"
    (found,) = mounts.parse(line)
    assert found.read_only


def test_options_of_the_mount_and_of_its_file_system_are_one_list() -> None:
    line = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root ro,errors=continue\n"
    (found,) = mounts.parse(line)
    assert found.options == ("noatime", "ro", "errors=continue")
    assert (found.read_only, found.type, found.source, found.device) == (True, "ext3", "/dev/root", "98:0")


def test_one_dead_mount_is_one_finding(dead_folder: pathlib.Path) -> None:
    node = Node.here([], "")
    path = str(dead_folder)
    all_checks = [
        make("mount", path=path),
        make("disk", path=path),
        make("file", path=f"{path}/x"),
        make("mount", path="/"),
    ]
    wants = [timed(want, 1.1) for check in all_checks for want in check.wants()]
    started = time.monotonic()
    node.observe(wants, started + 5, None)
    assert time.monotonic() - started < 2
    expected = [Status.CRITICAL, Status.UNKNOWN, Status.UNKNOWN, Status.OK]
    assert expected == [status_of(check, node) for check in all_checks]
