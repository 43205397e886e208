"""Where the bus is broken, root asks systemd by its private socket: units are judged, and the bus is the one fault."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from nodecheck.node import systemdbus
from nodecheck.node.unobserved import Unobserved

from .bus import Bus, stop
from .manager import Manager, why_not
from .test_systemd import ask, request
from .test_systemd_dark import TOLERANCE_SECONDS


@pytest.fixture(scope="module")
def real_systemd() -> Iterator[Manager]:
    reason = why_not()
    if reason and os.environ.get("NODECHECK_REQUIRE_NODE") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with Manager({"a.service": "[Service]\nExecStart=sleep infinity\n"}) as manager:
        manager.control("start", "a.service")
        yield manager


@pytest.fixture
def private(bus: Bus, real_systemd: Manager, monkeypatch: pytest.MonkeyPatch) -> Manager:
    """The private socket of a real systemd, which stands in for that of PID 1."""
    monkeypatch.setattr(systemdbus, "PRIVATE", real_systemd.private)
    return real_systemd


def asked(seconds: float = 5.0) -> dict[str, Any]:
    answer = ask(request("a.service", always=("MainPID",), manager=True), seconds)
    assert isinstance(answer, dict), answer
    return answer


def test_without_a_fault_the_bus_is_asked(bus: Bus, private: Manager) -> None:
    bus.systemd(units={"a.service": {"MainPID": 7}}, manager={"SystemState": "running"})
    answer = asked()
    assert (answer["units"]["a.service"]["MainPID"], "bus" in answer["manager"]) == (7, False)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("dead", "nobody listens on the socket of the system bus: dbus-daemon is dead"),
        ("hung", "dbus-daemon accepts connections to the system bus, but does not answer within"),
        ("empty", "the bus answers, but systemd is not on it"),
    ],
)
def test_units_are_seen_although_the_bus_is_broken(bus: Bus, private: Manager, fault: str, says: str) -> None:
    if fault != "empty":
        (bus.kill if fault == "dead" else bus.stop)()
    started = time.monotonic()
    answer = asked(2.0)
    assert time.monotonic() - started < 2.0 + TOLERANCE_SECONDS
    assert answer["units"]["a.service"]["MainPID"] == int(private.show("a.service", ["MainPID"])["MainPID"])
    assert answer["manager"]["bus"]["reason"].startswith(says)


def test_a_bus_that_is_only_slow_is_no_fault(bus: Bus, private: Manager) -> None:
    bus.stop()
    threading.Timer(1.8, os.kill, (bus.daemon.pid, signal.SIGCONT)).start()
    answer = asked()
    assert answer["units"]["a.service"]["ActiveState"] == "active"
    assert "bus" not in answer["manager"]


def test_a_systemd_that_hangs_behind_a_dead_bus_is_not_waited_for(bus: Bus, private: Manager) -> None:
    bus.kill()
    stop(private.pid)
    started = time.monotonic()
    try:
        seen = ask(request("a.service"), 2.0)
    finally:
        os.kill(private.pid, signal.SIGCONT)
    assert time.monotonic() - started < 2.0 + TOLERANCE_SECONDS
    assert isinstance(seen, Unobserved)
    assert (seen.reason, seen.broken) == ("nobody listens on the socket of the system bus: dbus-daemon is dead", True)


def test_a_user_is_not_let_in_there(bus: Bus, private: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    bus.kill()
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    assert isinstance(ask(request("a.service"), 2.0), Unobserved)
