from __future__ import annotations

import os
import pathlib
import stat
import time

import pytest
from fakes import report, result

from nodecheck.report import formats
from nodecheck.report.formats import BadOutput
from nodecheck.report.result import Status, timestamp, worst
from nodecheck.report.style import Style

NAMES = "checkmk, html, json, jsonl, junit, nagios, prometheus, tap, text, yaml"
REPORT = report(result("a", Status.OK))


def test_every_file_is_a_format_and_the_helpers_are_none() -> None:
    assert formats.names() == NAMES.split(", ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["jsno"], f"there is no output format 'jsno'; known: {NAMES}"),
        (["style"], f"there is no output format 'style'; known: {NAMES}"),
        (
            ["text", "json"],
            "two outputs go to standard output: give one a file, such as -o json=report.json",
        ),
        (["text=-", "json"], "two outputs go to standard output: give one a file, such as -o json=report.json"),
        (["text=a", "json=a"], "two outputs go to a: the second would replace the first"),
        (["text=a", "json=./a"], "two outputs go to a: the second would replace the first"),
        (["json="], "-o json= names no file: write -o json=report.json, or -o json for standard output"),
    ],
)
def test_an_output_that_cannot_be_meant_is_refused(options: list[str], message: str) -> None:
    with pytest.raises(BadOutput) as caught:
        formats.parse(options)
    assert str(caught.value) == message


def _write(file: object, kind: str = "json") -> None:
    (output,) = formats.parse([f"{kind}={file}"])
    formats.write(output, REPORT, Style())


def test_a_file_is_written_whole_or_not_at_all(tmp_path: pathlib.Path) -> None:
    _write(tmp_path / "report.json")
    _write(tmp_path / "report.json")
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]
    assert (tmp_path / "report.json").read_text() == formats.parse(["json"])[0].render(REPORT, Style())


def test_nothing_is_left_behind_where_a_file_cannot_be_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadOutput, match="cannot be written: Is a directory"):
        _write(tmp_path / "folder")
    with pytest.raises(BadOutput, match="no/such/folder cannot be written: No such file or directory"):
        _write(tmp_path / "no/such/folder")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_a_full_disk_is_said_plainly_and_what_was_there_stays(tmp_path: pathlib.Path) -> None:
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("no /dev/full here")
    with pytest.raises(BadOutput, match="/dev/full cannot be written: No space left on device"):
        _write("/dev/full")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_device_is_written_to_and_never_replaced(tmp_path: pathlib.Path) -> None:
    _write("/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert [name for name in os.listdir("/dev") if name.startswith("null.")] == []


def test_a_pipe_is_written_to_and_never_replaced(tmp_path: pathlib.Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    _write(pipe, "text")
    assert os.read(reader, 1 << 16).decode().splitlines()[-1].startswith("node01 : ok=1 ")
    os.close(reader)
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    _write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() != "old"


def test_an_odd_file_name_does_not_stop_a_report(tmp_path: pathlib.Path) -> None:
    odd = report(result("a", Status.OK, source="\udcff.yaml:1"))
    (output,) = formats.parse([f"json={tmp_path / 'r'}"])
    formats.write(output, odd, Style())
    assert "\\udcff.yaml:1" in (tmp_path / "r").read_text()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, None), (0.0, "1970-01-01T00:00:00.000Z"), (1_763_970_000.9996, "2025-11-24T07:40:01.000Z")],
)
def test_times_are_in_utc_with_milliseconds(seconds: float | None, text: str | None) -> None:
    assert timestamp(seconds) == text


def test_times_do_not_depend_on_the_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    assert timestamp(0.0) == "1970-01-01T00:00:00.000Z"
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("status", Status)
def test_critical_is_the_worst_and_ok_the_best(status: Status) -> None:
    assert worst([status, Status.CRITICAL]) is Status.CRITICAL
    assert worst([Status.OK, status]) is status
