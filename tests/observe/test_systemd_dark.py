"""When systemd or its bus does not answer: the reason in plain words, in time, and nothing left running."""

import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from nodecheck.node import systemd, systemdbus
from nodecheck.node.systemd import Collector
from nodecheck.node.unobserved import Unobserved

from .bus import Bus, stop, wait_until
from .conftest import children
from .test_systemd import ask, request

DEADLINE_SECONDS = 1.0
TOLERANCE_SECONDS = 0.5


def dark(seconds: float = DEADLINE_SECONDS) -> Unobserved:
    """Ask for a unit, which has to fail in time."""
    started = time.monotonic()
    answer = ask(request("a.service", manager=True), seconds)
    assert time.monotonic() - started < seconds + TOLERANCE_SECONDS
    assert isinstance(answer, Unobserved), answer
    assert answer.source == "systemd"
    return answer


def wait_until_connected(bus: Bus) -> None:
    """Wait until the helper has authenticated: dbus-daemon then serves one connection more."""
    folder = pathlib.Path(f"/proc/{bus.daemon.pid}/fd")
    idle = len(list(folder.iterdir()))
    wait_until(lambda: len(list(folder.iterdir())) > idle, "the helper connects")
    time.sleep(0.2)


def test_no_socket(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={bus.folder}/none")
    seen = dark()
    assert (seen.reason, seen.broken) == ("the system bus has no socket: dbus is not running", True)


def test_a_stale_socket(bus: Bus) -> None:
    bus.kill()
    seen = dark()
    assert (seen.reason, seen.broken) == ("nobody listens on the socket of the system bus: dbus-daemon is dead", True)


def test_a_socket_that_cannot_be_reached(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/proc/self/stat/bus")
    seen = dark()
    assert (seen.reason.startswith("cannot connect to the system bus: "), seen.broken) == (True, False)


def test_dbus_daemon_stopped_before_connecting(bus: Bus) -> None:
    bus.systemd()
    bus.stop()
    seen = dark()
    assert re.fullmatch(
        r"dbus-daemon accepts connections to the system bus, but does not answer within 0\.\d s", seen.reason
    )
    assert seen.broken


def test_dbus_daemon_stopped_after_connecting_is_blamed_and_not_systemd(bus: Bus) -> None:
    bus.systemd()
    collector = Collector()
    wait_until_connected(bus)
    bus.stop()
    started = time.monotonic()
    collector.ask({"system": request("a.service")}, started + DEADLINE_SECONDS)
    seen = collector.answers()["system"]
    collector.leave()
    assert time.monotonic() - started < DEADLINE_SECONDS + TOLERANCE_SECONDS
    assert isinstance(seen, Unobserved)
    assert (seen.reason.startswith("dbus-daemon accepts connections"), seen.broken) == (True, True)


def test_systemd_stopped(bus: Bus) -> None:
    fake = bus.systemd()
    stop(fake.process.pid)
    seen = dark()
    assert (seen.reason.startswith("systemd (PID 1) does not answer on the bus within 0."), seen.broken) == (True, True)


@pytest.mark.parametrize("what", ["ListUnitsByNames", "ListUnitsFiltered", "SystemState", "MainPID"])
def test_systemd_hangs_in_one_call(bus: Bus, what: str) -> None:
    bus.systemd(units={"a.service": {"MainPID": 1}}, manager={"SystemState": "running"}, hang=[what])
    started = time.monotonic()
    answer = ask(request("a.service", always=("MainPID",), manager=True), DEADLINE_SECONDS)
    assert time.monotonic() - started < DEADLINE_SECONDS + TOLERANCE_SECONDS
    assert isinstance(answer, Unobserved)
    assert (answer.reason.startswith("systemd (PID 1) does not answer"), answer.broken) == (True, True)


def test_systemd_is_not_on_the_bus(bus: Bus) -> None:
    seen = dark()
    assert (seen.reason, seen.broken) == ("the bus answers, but systemd is not on it", True)


def test_systemd_leaves_the_bus_before_it_answers(bus: Bus) -> None:
    fake = bus.systemd(hang=["SystemState"])
    threading.Timer(0.3, fake.process.kill).start()
    seen = dark(5)
    assert (seen.reason, seen.broken) == ("systemd left the bus before it answered", True)


def test_dbus_daemon_dies_during_the_call(bus: Bus) -> None:
    asked = bus.systemd(hang=["SystemState"])

    def kill_once_asked() -> None:
        wait_until(lambda: asked.calls("Get") != [], "systemd is asked")
        bus.kill()

    threading.Thread(target=kill_once_asked).start()
    seen = dark(5)
    assert (seen.reason, seen.broken) == ("the system bus closed the connection", True)


def _close_first_connection(server: socket.socket) -> None:
    server.accept()[0].close()


def test_a_bus_that_closes_the_connection_at_once(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{bus.folder}/rude")
        server.listen()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={bus.folder}/rude")
        threading.Thread(target=_close_first_connection, args=(server,)).start()
        seen = dark(5)
    assert (seen.reason.startswith("cannot connect to the system bus: "), seen.broken) == (True, True)


@pytest.mark.parametrize("what", ["ListUnitsByNames", "SystemState"])
def test_systemd_refuses(bus: Bus, what: str) -> None:
    bus.systemd(units={"a.service": {}}, manager={"SystemState": "running"}, refuse=[what])
    seen = dark(5)
    assert (seen.reason.startswith("systemd refused to answer: "), seen.broken) == (True, False)
    assert "GDBus" not in seen.reason


@pytest.mark.parametrize(
    ("code", "said"), [("raise ImportError('not here')", "not here"), ("raise ValueError('old')", "old")]
)
def test_pydbus_is_missing(bus: Bus, monkeypatch: pytest.MonkeyPatch, code: str, said: str) -> None:
    (bus.folder / "pydbus.py").write_text(code)
    monkeypatch.syspath_prepend(str(bus.folder))
    seen = dark(5)
    assert (f"pydbus cannot be loaded: {said}", False) == (seen.reason, seen.broken)
    assert seen.remedy == "apt-get install python3-pydbus python3-gi"


def test_a_disk_from_which_pydbus_cannot_be_loaded_is_not_the_fault_of_the_bus(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bus.folder / "pydbus.py").write_text("import time; time.sleep(60)")
    monkeypatch.syspath_prepend(str(bus.folder))
    seen = dark()
    expected = "pydbus was not loaded within 1.0 s: this host is too slow or its disk does not answer"
    assert (expected, False) == (seen.reason, seen.broken)


def test_a_helper_that_is_killed(bus: Bus) -> None:
    bus.systemd(hang=["SystemState"])
    before = children()
    collector = Collector()
    (helper,) = children() - before
    collector.ask({"system": request("a.service", manager=True)}, time.monotonic() + 5)
    os.kill(helper, 9)
    seen = collector.answers()["system"]
    collector.leave()
    assert isinstance(seen, Unobserved)
    assert (seen.reason, seen.broken) == ("the process that asks systemd ended without an answer", False)


def test_the_helper_is_killed_when_it_did_not_answer(bus: Bus) -> None:
    bus.systemd()
    bus.stop()
    before = children()
    dark()
    assert set() == children() - before


def test_asking_for_more_than_a_pipe_holds_does_not_wait_for_a_bus_that_hangs(bus: Bus) -> None:
    bus.systemd()
    bus.stop()
    names = [f"a-service-with-a-rather-long-name-{number}.service" for number in range(5000)]
    collector = Collector()
    started = time.monotonic()
    collector.ask({"system": request(*names)}, started + DEADLINE_SECONDS)
    assert time.monotonic() - started < TOLERANCE_SECONDS
    assert isinstance(collector.answers()["system"], Unobserved)
    assert time.monotonic() - started < DEADLINE_SECONDS + TOLERANCE_SECONDS
    collector.leave()


def test_a_request_larger_than_a_pipe_is_answered(bus: Bus) -> None:
    names = [f"a-service-with-a-rather-long-name-{number}.service" for number in range(3000)]
    bus.systemd()
    answer = ask(request(*names), 20)
    assert isinstance(answer, dict)
    assert set(names) == set(answer["units"])


def test_a_user_without_a_bus(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={bus.folder}/none")
    bus.systemd(units={"a.service": {}})
    collector = Collector()
    collector.ask({"system": request("a.service"), "user": request("b.service")}, time.monotonic() + 5)
    answers = collector.answers()
    collector.leave()
    seen = answers["user"]
    assert isinstance(seen, Unobserved)
    assert (seen.reason.startswith("cannot connect to the session bus of this user"), seen.broken) == (True, False)
    assert isinstance(answers["system"], dict)


@pytest.mark.parametrize(("hanging", "answering"), [("system", "user"), ("user", "system")])
def test_a_bus_that_hangs_does_not_darken_the_other_one(
    bus: Bus, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, hanging: str, answering: str
) -> None:
    (tmp_path / "other").mkdir()
    bus.systemd(units={"a.service": {}})
    with Bus(tmp_path / "other") as other:
        other.stop()
        monkeypatch.setenv(f"DBUS_{answering.upper()}_BUS_ADDRESS".replace("USER", "SESSION"), bus.address)
        monkeypatch.setenv(f"DBUS_{hanging.upper()}_BUS_ADDRESS".replace("USER", "SESSION"), other.address)
        collector = Collector()
        collector.ask({scope: request("a.service") for scope in ("system", "user")}, time.monotonic() + 1)
        answers = collector.answers()
        collector.leave()
    seen = answers[hanging]
    assert isinstance(seen, Unobserved)
    bus_name = "system bus" if hanging == "system" else "session bus of this user"
    assert seen.reason.startswith(f"dbus-daemon accepts connections to the {bus_name}, but does not answer within 0.")
    assert isinstance(answers[answering], dict)


def test_a_host_without_systemd_has_no_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "booted_with_systemd", lambda: False)
    before = children()
    collector = Collector()
    assert (set(), "") == (children() - before, collector.leave())


def test_the_parent_never_imports_gi() -> None:
    assert set() == {"gi", "pydbus"} & set(sys.modules)


# ---- a bus that does not speak as it should


LIAR = pathlib.Path(__file__).with_name("liar.py")
SILENT = "dbus-daemon accepts connections to the system bus, but does not answer within"
CLOSED = "the system bus closed the connection"
ELSE = "systemd answered something else: Method"


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ("noise", CLOSED),
        ("half a message", f"({CLOSED}|{SILENT})"),
        ("nothing", SILENT),
        ("another type", ELSE),
        ("100 MiB of another type", f"({ELSE}|{SILENT})"),
        ("100 MiB of units", f"({ELSE}|{SILENT}|the process that asks systemd ended)"),
        ("a refusal", "systemd refused to answer: \x1b\\[31mred"),
    ],
)
def test_a_bus_that_says_anything(lie: str, reason: str, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bus.folder / "liar"
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={path}")
    with subprocess.Popen([sys.executable, LIAR, path, lie]) as liar:
        try:
            wait_until(path.exists, "the liar serves")
            assert re.match(reason, dark(5).reason)
        finally:
            liar.kill()


@pytest.mark.parametrize("silent", [systemdbus._silent_bus, systemdbus._silent_manager])
def test_what_hangs_is_shown_by_a_command_that_can_be_typed(silent: Callable[[str, str], dict[str, Any]]) -> None:
    """The bus of Debian and RHEL 8 is dbus-daemon, that of RHEL 9 is dbus-broker."""
    remedy = silent("system", "within 1 s")["remedy"]
    ended = subprocess.run(remedy, shell=True, capture_output=True, text=True, check=False)
    assert (ended.stdout.split()[:2], ended.stderr) == (["PID", "STAT"], "")
