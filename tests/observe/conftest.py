"""Real buses, processes and sockets to look at; each test has its own."""

import contextlib
import os
import pathlib
import time
from collections.abc import Iterator

import pytest

from nodecheck.node import kernelfiles, systemd, systemdbus

from .bus import Bus, state
from .children import hang, unhang
from .netns import Network, needs_ip
from .silent import Silent
from .writing import Root


@pytest.fixture
def bus(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    """A bus of our own, which nodecheck takes for the system bus of a host with systemd."""
    monkeypatch.setattr(systemd, "booted_with_systemd", lambda: True)
    monkeypatch.setattr(systemdbus, "PRIVATE", f"{tmp_path}/private")
    with Bus(tmp_path) as started:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", started.address)
        yield started


@pytest.fixture
def write(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    """Write files that stand in the place of the kernel's and the administrator's; there are no others."""
    monkeypatch.setattr(kernelfiles, "ROOT", str(tmp_path))
    return Root(tmp_path)


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


@pytest.fixture
def silent(tmp_path: pathlib.Path) -> Iterator[Silent]:
    folder = tmp_path / "silent"
    folder.mkdir()
    try:
        made = Silent(folder)
    except OSError as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    yield made
    made.end()


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
    found: set[int] = set()
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            found |= set(map(int, pathlib.Path(f"/proc/self/task/{thread}/children").read_text().split()))
    return found


def running(pids: set[int]) -> set[int]:
    """Return those that are neither gone nor a zombie."""
    return {pid for pid in pids if state(pid) not in ("", "Z")}


@pytest.fixture
def network() -> Iterator[Network]:
    """A network namespace of the test's own."""
    needs_ip()
    with Network() as made:
        yield made
