"""Whatever becomes of the state file, for real: nothing is destroyed, and it is said what is wrong."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import resource
import sqlite3
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodecheck.engine import opening, statefile
from nodecheck.engine.memory import Moment, Seen, Unusable
from nodecheck.engine.statefile import StateFile, histories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.engine.memory import Told

START = 1_763_970_000.0
ROOT = os.geteuid() == 0


def seen(status: str, check: str = "a", *, runs: int = 0, message: str = "it said so") -> Seen:
    return Seen(check, check.upper(), "digest", status, None, message, runs)


def look(directory: pathlib.Path, *results: Seen, minute: float = 0.0) -> tuple[list[Told], str]:
    """Remember one run, and return what is told and what is wrong."""
    file = StateFile(str(directory))
    try:
        now = Moment(START + minute * 60, 1000 + minute * 60, "boot")
        return file.remember("", list(results), now), file.problem
    finally:
        file.close()


def path_in(directory: pathlib.Path) -> pathlib.Path:
    return directory / opening.NAME


@pytest.fixture
def state(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory with a state file that remembers two runs, the latest of them critical."""
    directory = tmp_path / "state"
    look(directory, seen("ok"))
    look(directory, seen("critical"), minute=1)
    return directory


@contextlib.contextmanager
def mounted(directory: pathlib.Path, options: str) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", directory], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


# ---- as it should be


def test_what_a_run_remembers_the_next_one_is_told(state: pathlib.Path) -> None:
    (told,), problem = look(state, seen("critical"), minute=2)
    assert (told.since, told.streak, told.before, problem) == (START + 60, 2, "critical", "")


def test_checks_of_the_same_id_in_two_scopes_are_two(state: pathlib.Path) -> None:
    file = StateFile(str(state))
    (told,) = file.remember("/home/me/checks.yaml", [seen("ok")], Moment(START + 120, 1120, "boot"))
    file.close()
    assert told.before is None
    assert [(each.scope, each.memory.status) for each in histories(str(state))] == [
        ("", "critical"),
        ("/home/me/checks.yaml", "ok"),
    ]


def test_the_directory_and_its_file_are_for_their_owner_only(state: pathlib.Path) -> None:
    assert [file.stat().st_mode & 0o777 for file in (state, path_in(state))] == [0o700, 0o600]
    assert [file.name for file in state.iterdir()] == [opening.NAME]


def test_the_history_holds_only_what_changed(state: pathlib.Path) -> None:
    look(state, seen("critical"), minute=2)
    look(state, seen("ok"), minute=3)
    (history,) = histories(str(state))
    assert [change.status for change in history.changes] == ["ok", "critical", "ok"]
    assert [change.at - START for change in history.changes] == [0, 60, 180]


def test_the_history_says_where_nobody_looked(state: pathlib.Path) -> None:
    look(state, seen("critical"), minute=600)
    (history,) = histories(str(state))
    assert [change.status for change in history.changes] == ["ok", "critical", "", "critical"]
    assert [change.at - START for change in history.changes] == [0, 60, 60, 36000]


def test_a_pause_that_is_usual_for_a_check_is_none(tmp_path: pathlib.Path) -> None:
    for hour in range(4):
        look(tmp_path / "state", seen("ok"), minute=hour * 60)
    (history,) = histories(str(tmp_path / "state"))
    assert [change.at - START for change in history.changes] == [0, 0, 3600]


# ---- bounds


def test_a_check_keeps_its_latest_changes_only(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statefile, "MOST_CHANGES", 5)
    for minute in range(20):
        look(tmp_path / "state", seen("ok" if minute % 2 else "critical"), minute=minute)
    (history,) = histories(str(tmp_path / "state"))
    assert [(change.at - START) / 60 for change in history.changes] == [15, 16, 17, 18, 19]


def test_checks_that_are_gone_for_longest_are_forgotten(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statefile, "MOST_CHECKS", 3)
    for minute, name in enumerate("abcab"):
        look(tmp_path / "state", seen("ok", name), minute=minute)
    look(tmp_path / "state", seen("ok", "d"), minute=9)
    assert [history.id for history in histories(str(tmp_path / "state"))] == ["a", "b", "d"]


def looks(directory: pathlib.Path, *moments: Moment) -> list[tuple[float, str]]:
    """Look at a check that is ok at first, and critical from then on; return the changes that are remembered."""
    for number, moment in enumerate(moments):
        file = StateFile(str(directory))
        file.remember("", [seen("critical" if number else "ok")], moment)
        file.close()
    (history,) = histories(str(directory))
    return [(change.at - START, change.status) for change in history.changes]


@pytest.mark.parametrize("jump", [7200.0, -7200.0, -1.7e9])
def test_changes_jump_with_the_clock(tmp_path: pathlib.Path, jump: float) -> None:
    """A node whose hardware clock was wrong until it was synchronised, soon after boot."""
    wrong = [Moment(START + jump + seconds, 1000.0 + seconds, "boot") for seconds in (0, 60)]
    assert looks(tmp_path, *wrong, Moment(START + 120, 1120.0, "boot")) == [(0, "ok"), (60, "critical")]


def test_a_boot_with_a_clock_that_is_behind_leaves_no_change_in_the_future(tmp_path: pathlib.Path) -> None:
    """It would hide all until then."""
    before = [Moment(START + 7200 + seconds, 1000.0 + seconds, "boot") for seconds in (0, 60)]
    found = looks(tmp_path, *before, Moment(START + 120, 20.0, "later"))
    assert found == [(120, "ok"), (120, "critical")]


def test_what_one_run_looks_at_is_remembered_however_much_it_is(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a fault with a `for` would never be confirmed."""
    monkeypatch.setattr(statefile, "MOST_CHECKS", 3)
    look(tmp_path / "state", seen("ok", "old"))
    for minute in (1, 2):
        told, _ = look(tmp_path / "state", *(seen("critical", check, runs=2) for check in "abcde"), minute=minute)
    assert [each.confirmed_status for each in told] == ["critical"] * 5
    assert [history.id for history in histories(str(tmp_path / "state"))] == list("abcde")


def test_a_long_message_is_cut(tmp_path: pathlib.Path) -> None:
    look(tmp_path / "state", seen("ok", message="x" * 10_000))
    (history,) = histories(str(tmp_path / "state"))
    assert len(history.changes[0].message) == statefile.MOST_CHARACTERS


def test_what_a_node_says_that_is_no_text_is_remembered(tmp_path: pathlib.Path) -> None:
    """The name of a file may be any bytes; Python has surrogates for them, which SQLite does not take."""
    said = b"no file like b\xffad".decode(errors="surrogateescape")
    file = StateFile(str(tmp_path))
    odd = seen("critical", message=said)._replace(name=said)
    assert len(file.remember("", [odd], Moment(START, 1000.0, "boot"), {said: (60.0, 1.0)})) == 1
    file.close()
    (history,) = histories(str(tmp_path))
    assert {history.memory.name, history.changes[0].message} == {r"no file like b\udcffad"}
    assert look(tmp_path, seen("ok"), minute=1)[0][0].before == "critical"


@pytest.mark.skipif(not ROOT, reason="becomes somebody else")
def test_a_file_of_somebody_else_is_not_said_to_be_absent(state: pathlib.Path) -> None:
    os.seteuid(65534)
    try:
        with pytest.raises(Unusable, match=r"state\.sqlite cannot be read: Permission denied"):
            histories(str(state))
    finally:
        os.seteuid(0)


# ---- damaged


def corrupt(path: pathlib.Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 64), (0, 100), (100, 4000), (4096, 8192)], ids=["magic", "header", "schema", "tables"]
)
def test_a_damaged_file_is_moved_aside_whole_and_a_new_one_begins(
    state: pathlib.Path, offset: int, length: int
) -> None:
    corrupt(path_in(state), offset, b"\xa5" * length)
    damaged = path_in(state).read_bytes()

    try:
        told, problem = look(state, seen("critical"), minute=2)
    except Unusable as lost:  # found only when it was used
        told, problem = look(state, seen("critical"), minute=2)[0], str(lost)

    assert told[0].before is None
    assert "is damaged" in problem
    assert damaged == (state / f"{opening.NAME}.damaged-1").read_bytes()
    (again,), problem = look(state, seen("critical"), minute=3)
    assert (again.since, again.streak, problem) == (START + 120, 2, "")


@given(flips=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), min_size=1, max_size=20))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_the_file_is_used_or_is_damage(
    flips: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("flipped")
    look(directory / "state", seen("ok"))
    path = path_in(directory / "state")
    content = bytearray(path.read_bytes())
    for offset, bits in flips:
        content[offset % len(content)] ^= bits
    path.write_bytes(content)
    try:
        (told,), _ = look(directory / "state", seen("critical"), minute=1)
    except Unusable as lost:
        assert re.search("is damaged|was written by a newer|of another program", str(lost))  # noqa: PT017  # all are fine
        return
    assert told.streak >= 1


def test_rows_that_make_no_sense_are_damage(state: pathlib.Path) -> None:
    with contextlib.closing(sqlite3.connect(path_in(state))) as database:
        database.execute("UPDATE checks SET at = 'yesterday', confirmed_status = 'fine'")
        database.commit()
    with pytest.raises(Unusable, match=r"is damaged.*is kept as"):
        look(state, seen("critical"), minute=2)
    assert look(state, seen("critical"), minute=3)[1] == ""


@pytest.mark.parametrize(
    "made",
    [
        "checks SET status = 'crjtical'", "checks SET status = NULL", "checks SET seen_status = 5",
        "checks SET since = 1e300", "checks SET since = 'x'", "checks SET seen_at = -1e9", "checks SET pause = 'x'",
        "checks SET name = 5", "checks SET streak = 0.5", "checks SET boot_id = x'ff'",
    ],
)  # fmt: skip
def test_no_row_that_a_disk_has_changed_is_told(state: pathlib.Path, made: str) -> None:
    with contextlib.closing(sqlite3.connect(path_in(state))) as database:
        database.execute(f"UPDATE {made}")
        database.commit()
    with pytest.raises(Unusable, match="cannot be read: a row of it makes no sense"):
        histories(str(state))
    with pytest.raises(Unusable, match=r"is damaged.*is kept as"):
        look(state, seen("critical"), minute=2)


@pytest.mark.parametrize(
    "made", ["status = 'odd'", "at = 'x'", "at = 1e300", "message = x'ff'", "confirmed_status = 1"]
)
def test_no_change_that_a_disk_has_changed_is_told(state: pathlib.Path, made: str) -> None:
    with contextlib.closing(sqlite3.connect(path_in(state))) as database:
        database.execute(f"UPDATE changes SET {made}")
        database.commit()
    with pytest.raises(Unusable, match="cannot be read: a row of it makes no sense"):
        histories(str(state))


def test_damaged_files_are_not_piled_up(state: pathlib.Path) -> None:
    for number in range(1, opening.MOST_DAMAGED + 1):
        (state / f"{opening.NAME}.damaged-{number}").touch()
    corrupt(path_in(state), 0, b"\xa5" * 100)
    with pytest.raises(Unusable, match=r"and so were 5 before it: remove .*\.damaged-\*"):
        look(state, seen("critical"))


def test_an_empty_file_is_a_new_one(tmp_path: pathlib.Path) -> None:
    path_in(tmp_path).touch()
    assert look(tmp_path, seen("ok"))[1] == ""


# ---- not ours


def test_a_database_of_another_program_is_left_alone(tmp_path: pathlib.Path) -> None:
    with contextlib.closing(sqlite3.connect(path_in(tmp_path))) as database:
        database.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path_in(tmp_path).read_bytes()
    with pytest.raises(Unusable, match="is a database of another program; it is left alone"):
        look(tmp_path, seen("ok"))
    assert before == path_in(tmp_path).read_bytes()


def test_the_file_of_a_newer_nodecheck_is_left_alone(state: pathlib.Path) -> None:
    with contextlib.closing(sqlite3.connect(path_in(state))) as database:
        database.execute("PRAGMA user_version = 99")
    before = path_in(state).read_bytes()
    with pytest.raises(Unusable, match=r"was written by a newer nodecheck \(version 99 of it\); it is left alone"):
        look(state, seen("ok"))
    assert before == path_in(state).read_bytes()


def test_the_file_of_an_older_nodecheck_is_brought_up_and_what_it_knows_is_kept(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(opening, "STEPS", opening.STEPS[:1])
        look(tmp_path / "state", seen("critical"))
    (told,), problem = look(tmp_path / "state", seen("critical"), minute=1)
    assert (told.before, problem) == ("critical", "")
    with contextlib.closing(sqlite3.connect(path_in(tmp_path / "state"))) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (len(opening.STEPS),)
        assert database.execute("SELECT count(*) FROM counters").fetchone() == (0,)


def test_a_directory_that_others_may_write_to_is_not_used(tmp_path: pathlib.Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    with pytest.raises(Unusable, match="others may write to it: chmod go-w"):
        look(tmp_path / "state", seen("ok"))
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize("make", ["mkdir", "mkfifo"])
def test_what_is_no_file_is_said_to_be_none(tmp_path: pathlib.Path, make: str) -> None:
    {"mkdir": os.mkdir, "mkfifo": os.mkfifo}[make](path_in(tmp_path))
    with pytest.raises(Unusable, match="is no regular file; it is left alone"):
        look(tmp_path, seen("ok"))


# ---- disks


@pytest.mark.skipif(not ROOT, reason="mounts a file system")
def test_a_disk_that_is_full_from_the_start_remembers_nothing(tmp_path: pathlib.Path) -> None:
    with mounted(tmp_path, "size=64k,mode=700"):
        (tmp_path / "filler").write_bytes(b"x" * (60 << 10))
        with pytest.raises(Unusable, match="cannot be written: the disk is full"):
            look(tmp_path, seen("ok"))


@pytest.mark.skipif(not ROOT, reason="mounts a file system")
def test_a_disk_that_has_become_full_still_tells_what_was(tmp_path: pathlib.Path) -> None:
    with mounted(tmp_path, "size=256k,mode=700"):
        look(tmp_path, seen("ok"))
        look(tmp_path, seen("critical"), minute=1)
        with contextlib.suppress(OSError), (tmp_path / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)
        (told,), problem = look(tmp_path, seen("critical", runs=9), minute=2)
        assert (told.since, told.before) == (START + 60, "critical")
        assert "cannot be written: the disk is full" in problem
        (tmp_path / "filler").unlink()
        assert look(tmp_path, seen("critical"), minute=3)[1] == ""


@pytest.mark.skipif(not ROOT, reason="mounts a file system")
def test_a_disk_that_has_become_read_only_still_tells_what_was(tmp_path: pathlib.Path) -> None:
    with mounted(tmp_path, "size=1m,mode=700"):
        look(tmp_path, seen("ok"))
        look(tmp_path, seen("critical"), minute=1)
        subprocess.run(["mount", "-o", "remount,ro", tmp_path], check=True)
        (told,), problem = look(tmp_path, seen("critical"), minute=2)
        assert (told.since, told.before) == (START + 60, "critical")
        assert "is read-only" in problem


@pytest.mark.skipif(not ROOT, reason="mounts a file system")
def test_a_disk_that_is_read_only_from_the_start_remembers_nothing(tmp_path: pathlib.Path) -> None:
    with mounted(tmp_path, "size=1m,mode=700,ro"), pytest.raises(Unusable, match=r"cannot be written: Read-only"):
        look(tmp_path / "state", seen("ok"))


def test_a_limit_on_the_size_of_files_is_a_full_disk(state: pathlib.Path) -> None:
    """In a process of its own, for the limit cannot be lifted again."""
    pid = os.fork()
    if pid == 0:
        result = 1
        with contextlib.suppress(BaseException):
            import signal

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
            (told,), problem = look(state, seen("critical"), minute=2)
            result = 0 if told.since == START + 60 and "cannot be written" in problem else 2
        os._exit(result)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert look(state, seen("critical"), minute=3)[1] == ""


# ---- two at once


def test_runs_at_the_same_time_all_count(state: pathlib.Path) -> None:
    pids = []
    for _ in range(6):
        pid = os.fork()
        if pid == 0:
            result = 1
            with contextlib.suppress(BaseException):
                problems = [look(state, seen("critical"), minute=2)[1] for _ in range(10)]
                result = 0 if problems == [""] * 10 else 2
            os._exit(result)
        pids.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * 6
    (history,) = histories(str(state))
    assert history.memory.streak == 1 + 60


def test_runs_at_the_same_time_replace_a_damaged_file_once(state: pathlib.Path) -> None:
    corrupt(path_in(state), 0, b"\xa5" * 100)
    pids = []
    for _ in range(6):
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(Unusable):
                look(state, seen("critical"), minute=2)
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    assert [f"{opening.NAME}.damaged-1"] == sorted(file.name for file in state.glob("*.damaged-*"))
    assert look(state, seen("critical"), minute=3)[1] == ""


def test_a_run_that_waits_too_long_for_another_one_tells_what_was(
    state: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    with contextlib.closing(sqlite3.connect(path_in(state), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        (told,), problem = look(state, seen("critical"), minute=2)
    assert (told.since, "other runs have been writing for 0.05 s" in problem) == (START + 60, True)


def test_a_run_that_was_killed_while_it_wrote_loses_nothing_that_was_there(state: pathlib.Path) -> None:
    pid = os.fork()
    if pid == 0:
        file = StateFile(str(state))
        file._database.execute("BEGIN IMMEDIATE")
        file._database.execute("DELETE FROM checks")
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    (told,), problem = look(state, seen("critical"), minute=2)
    assert (told.since, problem) == (START + 60, "")
