"""A helper that hangs in the kernel for real: on a file system whose server has taken the question and is silent."""

from __future__ import annotations

import os
import pathlib
import time

import pytest

from nodecheck.engine import state as engine_state
from nodecheck.engine.clock import Clock
from nodecheck.engine.memory import Moment
from nodecheck.engine.state import State
from nodecheck.node import stuck
from nodecheck.node.looks import Looks
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows.disk import DiskWant

from .bus import wait_until
from .silent import Silent


@pytest.fixture(autouse=True)
def written_down(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(stuck, "FOR_ROOT", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return pathlib.Path(str(stuck.directory()))


def clock() -> Clock:
    return Clock(time.monotonic(), 30.0)


def test_what_a_look_hangs_on_is_not_looked_at_again_while_it_hangs(silent: Silent) -> None:
    want = DiskWant(str(silent.folder), (), 0.3)
    looks = Looks([want])
    silent.take()
    (_, first), told = looks.results(time.monotonic() + 5)[0], looks.close()
    pid = looks._helper.pid
    assert f"({stuck.who(pid)}) hangs in the kernel" in told
    assert isinstance(first, Unobserved)

    before = time.monotonic()
    again = Looks([want, DiskWant("/", ())])
    (_, hung), (_, well) = again.results(time.monotonic() + 5)
    assert again.close() == told
    assert time.monotonic() - before < 2
    assert isinstance(hung, Unobserved)
    assert (hung.broken, hung.source) == (True, f"disk {silent.folder}")
    assert f"(pid {pid}), and was not tried again" in hung.reason
    assert not isinstance(well, Unobserved)

    silent.end()
    wait_until(lambda: not stuck.known(), "the helper ended")
    looks = Looks([want])
    assert not isinstance(looks.results(time.monotonic() + 5)[0][1], Unobserved)
    assert looks.close() == ""


def test_a_state_directory_that_hangs_is_left_alone_while_it_hangs(
    silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_state, "PATIENCE_SECONDS", 0.3)
    directory = str(silent.folder / "state")
    state = State(directory)
    silent.take()
    problem = state.remember([], Moment(0.0, 0.0, "boot"), clock(), {}).problem
    assert "hangs in the kernel and was left behind" in problem

    before = time.monotonic()
    again = State(directory)
    assert again.recall(clock()) == {}
    problem = again.remember([], Moment(0.0, 0.0, "boot"), clock(), {}).problem
    assert time.monotonic() - before < 0.2
    assert f"{directory} hangs in the kernel since an earlier run (pid " in problem


def test_a_process_with_the_number_of_one_that_hung_is_another_one(written_down: pathlib.Path) -> None:
    written_down.mkdir(parents=True)
    (written_down / f"{os.getpid()}-1").write_text("'disk /'\n")
    (written_down / "not a process").write_text("'disk /'\n")
    assert stuck.known() == {}
    assert list(written_down.iterdir()) == []


def test_what_hangs_is_known_by_its_process_and_its_start(written_down: pathlib.Path) -> None:
    stuck.remember(os.getpid(), ["disk /", "disk /a\nb"])
    assert {"'disk /'", repr("disk /a\nb")} == set(stuck.known())
    assert {os.getpid()} == {each.pid for each in stuck.known().values()}
