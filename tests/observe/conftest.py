"""Real buses, processes and sockets to look at; each test has its own."""

import os
import pathlib
import time
from collections.abc import Iterator

import pytest

from nodecheck.node import systemd

from .bus import Bus, state
from .children import hang, unhang


@pytest.fixture
def bus(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    """A bus of our own, which nodecheck takes for the system bus of a host with systemd."""
    monkeypatch.setattr(systemd, "booted_with_systemd", lambda: True)
    with Bus(tmp_path) as started:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", started.address)
        yield started


@pytest.fixture
def dead_folder(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder on which everything hangs, like a network mount whose server is gone."""
    folder = tmp_path / "dead"
    folder.mkdir()
    try:
        server = hang(folder)
    except OSError as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    yield folder
    unhang(folder, server)


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Fail a test that leaves a helper behind. Those that have ended and wait to be collected do no harm."""
    before = children()
    yield
    end = time.monotonic() + 2
    while (left := running(children() - before)) and time.monotonic() < end:
        time.sleep(0.01)
    assert set() == left


def children() -> set[int]:
    """Return the pids of our own children."""
    return {
        int(pid)
        for thread in os.listdir("/proc/self/task")
        for pid in pathlib.Path(f"/proc/self/task/{thread}/children").read_text().split()
    }


def running(pids: set[int]) -> set[int]:
    """Return those that are neither gone nor a zombie."""
    return {pid for pid in pids if state(pid) not in ("", "Z")}
