"""The journal as journalctl tells it: what it says is given by a script of that name, first in the path."""

from __future__ import annotations

import json
import os
import pathlib
import time
from typing import Any

import pytest

from nodecheck.node import programs
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import journal
from nodecheck.node.windows.journal import SHAPE, JournalWant, Pattern, look

ANY = Pattern("", "", "broken")


def entry(seconds_ago: float = 10.0, message: Any = "it is broken", **fields: Any) -> dict[str, Any]:
    """Return an entry as journalctl writes it."""
    times = {"__REALTIME_TIMESTAMP": str(int((time.time() - seconds_ago) * 1e6)), "__MONOTONIC_TIMESTAMP": "1000000"}
    return times | {"MESSAGE": message, "SYSLOG_IDENTIFIER": "tried", "_TRANSPORT": "journal"} | fields


@pytest.fixture
def journalctl(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A directory whose journalctl prints `entries`, or of the whole boot `oldest`, with those of users `user`."""
    script = tmp_path / "journalctl"
    script.write_text(
        f"#!/bin/sh\ncd {tmp_path}\n"
        'case "$*" in *--since*) cat entries;; *--system*) cat oldest;; *) cat user;; esac\n'
        "cat says >&2; exit $(cat code)\n"
    )
    script.chmod(0o755)
    files = {"entries": "", "oldest": json.dumps(entry()), "user": json.dumps(entry(7200)), "says": "", "code": "0"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(programs, "PATH", f"{tmp_path}:{programs.PATH}")
    monkeypatch.setattr(journal, "_processes", lambda: iter([("systemd-journal", "S")]))
    monkeypatch.setattr(journal, "_boot", lambda: 0.0)
    return tmp_path


def seen(folder: pathlib.Path, *entries: dict[str, Any], pattern: Pattern = ANY) -> dict[str, Any]:
    """Return what is seen of these entries, the latest first."""
    (folder / "entries").write_text("\n".join(map(json.dumps, entries)))
    data = look(JournalWant((), (pattern,), 3600.0))
    assert SHAPE(data, "") == data
    return data


def test_entries_that_match_are_counted_and_the_latest_is_told(journalctl: pathlib.Path) -> None:
    data = seen(journalctl, entry(10, "broken --password=x"), entry(20, "well"), entry(30, "broken"))
    assert (data["read"], data["gap"]) == (3, "")
    assert data["found"][""] | {"last": None} == {
        "count": 2,
        "last": None,
        "by": "tried",
        "message": "broken --password=<masked>",
    }
    assert abs(data["found"][""]["last"] - (time.time() - 10)) < 60


@pytest.mark.parametrize(
    ("message", "count"),
    [
        ("broken", 1),
        (list(b"\xffbroken\xfe"), 1),
        (["one", "broken"], 1),
        (None, 0),
        ("", 0),
        (["well", list(b"broken")], 1),
    ],
)
def test_a_message_may_be_no_text(journalctl: pathlib.Path, message: Any, count: int) -> None:
    assert seen(journalctl, entry(message=message))["found"][""]["count"] == count


def test_a_pattern_counts_only_what_comes_from_its_source(journalctl: pathlib.Path) -> None:
    kernel = Pattern("oops", "_TRANSPORT=kernel", "broken")
    data = seen(journalctl, entry(_TRANSPORT="kernel"), entry(), pattern=kernel)
    assert data["found"]["oops"]["count"] == 1


def test_a_line_that_was_cut_off_is_left_out(journalctl: pathlib.Path) -> None:
    (journalctl / "entries").write_text(json.dumps(entry()) + '\n{"MESSAGE": "brok')
    assert look(JournalWant((), (ANY,), 3600.0))["read"] == 1


def test_where_there_are_too_many_entries_only_the_latest_were_read(
    journalctl: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MOST_ENTRIES", 3)
    assert seen(journalctl, *[entry()] * 3)["gap"] == "only the latest 3 entries were read"


def test_a_journal_that_does_not_go_back_far_enough_has_a_gap(journalctl: pathlib.Path) -> None:
    for monotonic, seconds_ago, gap in (
        ("500000000", 600, "the journal goes back only 10m"),
        ("500000000", 7200, ""),
        ("100000", 600, ""),
    ):
        oldest = entry(seconds_ago, __MONOTONIC_TIMESTAMP=monotonic)
        (journalctl / "oldest").write_text(json.dumps(oldest))
        assert seen(journalctl)["gap"].startswith(gap)
        assert bool(gap) == bool(seen(journalctl)["gap"])


def test_an_empty_journal_says_nothing(journalctl: pathlib.Path) -> None:
    (journalctl / "oldest").write_text("")
    assert seen(journalctl)["gap"] == "the journal holds nothing of this boot"


@pytest.mark.parametrize(
    ("says", "code", "reason"),
    [
        ("No journal files were opened due to insufficient permissions.", "1", "this user may not read the journal"),
        ("Hint: You are currently not seeing messages from other users and the system.", "0", "may not read"),
        ("No journal files were found.", "1", "journalctl could not read the journal: No journal files were found."),
    ],
)
def test_a_journal_that_cannot_be_read_is_unobserved(
    journalctl: pathlib.Path, says: str, code: str, reason: str
) -> None:
    (journalctl / "says").write_text(says)
    (journalctl / "code").write_text(code)
    with pytest.raises(Unobserved, match=reason):
        seen(journalctl)


@pytest.mark.parametrize(
    "says",
    [
        "Journal file {} corrupted, ignoring file.",
        "Journal file {} is truncated, ignoring file.",
        "Journal file {} uses an unsupported feature, ignoring file.\nUse SYSTEMD_LOG_LEVEL=debug",
        "An error was encountered while opening journal file or directory {}, ignoring file: Input/output error",
    ],
)
def test_a_damaged_file_that_journalctl_ignores_is_a_gap_if_it_may_be_of_that_time(
    journalctl: pathlib.Path, says: str
) -> None:
    file = journalctl / "system@1.journal"
    (journalctl / "says").write_text(f"{says.format(file)}\n")
    assert seen(journalctl)["gap"] == ""  # it is gone
    file.touch()
    assert seen(journalctl)["gap"] == f"journalctl ignored what may hold more, for it is damaged: {file}"
    os.utime(file, (0, time.time() - 7200))
    assert seen(journalctl)["gap"] == ""


def test_a_pattern_of_units_that_fits_none_of_the_journal_has_no_entries(journalctl: pathlib.Path) -> None:
    (journalctl / "says").write_text("Failed to add filter for units: No data available")
    (journalctl / "code").write_text("1")
    data = seen(journalctl)
    assert (data["gap"], data["found"][""]["count"]) == ("", 0)


def test_a_journalctl_that_hangs_is_ended(journalctl: pathlib.Path) -> None:
    (journalctl / "journalctl").write_text("#!/bin/sh\nsleep 60\n")
    started = time.monotonic()
    with pytest.raises(Unobserved, match=r"journalctl did not end within 0\.\ds, and was killed"):
        look(JournalWant((), (ANY,), 3600.0, seconds=0.3))
    assert time.monotonic() - started < 1.5


def test_where_there_is_no_journalctl_there_is_no_verdict(
    journalctl: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "PATH", "/nowhere")
    with pytest.raises(Unobserved, match="journalctl could not be started: No such file or directory"):
        look(JournalWant((), (ANY,), 3600.0))


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ([("sshd", "S")], "systemd-journald does not run"),
        ([("systemd-journal", "T")], "systemd-journald is stopped or dead"),
    ],
)
def test_without_journald_an_empty_journal_says_nothing(
    journalctl: pathlib.Path, monkeypatch: pytest.MonkeyPatch, states: list[tuple[str, str]], reason: str
) -> None:
    monkeypatch.setattr(journal, "_processes", lambda: iter(states))
    with pytest.raises(Unobserved, match=reason):
        seen(journalctl)


def test_the_processes_of_this_machine_have_names_and_states() -> None:
    own = pathlib.Path("/proc/self/stat").read_text().partition("(")[2].rpartition(")")[0]
    assert own in dict(journal._processes())
    assert 0 <= journal._boot() <= time.clock_gettime(time.CLOCK_BOOTTIME)
