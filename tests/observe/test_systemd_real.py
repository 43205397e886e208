"""What nodecheck sees of a real systemd is what systemctl shows."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from nodecheck.node.systemd import Collector
from nodecheck.node.unobserved import Unobserved

from .bus import wait_until
from .manager import Manager, why_not
from .test_systemd import Answer, request

UNITS = {
    "running.service": "[Service]\nExecStart=sleep infinity\n",
    "killed.service": "[Service]\nExecStart=sh -c 'kill -KILL $$$$'\n",
    "loop.service": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=sh -c 'exit 255'\nRestart=always\n"
    "RestartSec=600\n",
    "done.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\n",
    "once.service": "[Service]\nType=oneshot\nExecStart=true\n",
    "masked.service": "-> /dev/null",
    "alias.service": "-> running.service",
    "worker@.service": "[Service]\nExecStart=sleep infinity\n",
    "idle.socket": "[Socket]\nListenStream=%t/idle.sock\n",
    "idle.service": "[Service]\nExecStart=sleep infinity\n",
    "tick.timer": "[Timer]\nOnCalendar=yearly\n",
    "tick.service": "[Service]\nType=oneshot\nExecStart=true\n",
    "condition.service": "[Unit]\nConditionPathExists=/none\n[Service]\nExecStart=true\n",
    "edited.service": "[Service]\nExecStart=sleep infinity\n",
    "broken.service": "[Service]\nExecStart=relative/path\n",
    "7up-a_b.service": "[Service]\nExecStart=sleep infinity\n",
}
INSTANCE = "worker@a\\x2db.service"
STARTED = ["running", "killed", "loop", "done", "once", "idle.socket", "tick.timer", "condition", "edited", "7up-a_b"]
NAMES = [*(name for name in UNITS if "@" not in name), INSTANCE, "none.service"]
ALWAYS = ("NRestarts", "NeedDaemonReload", "MainPID")
TROUBLED = (
    "UnitFileState", "Type", "RemainAfterExit", "TriggeredBy", "Result", "ConditionResult", "ExecMainCode",
    "ExecMainStatus", "ConditionTimestampMonotonic", "InactiveExitTimestampMonotonic",
)  # fmt: skip


@pytest.fixture(scope="module")
def manager() -> Iterator[Manager]:
    reason = why_not()
    if reason and os.environ.get("NODECHECK_REQUIRE_NODE") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with Manager(UNITS) as started:
        for name in [*STARTED, INSTANCE]:
            started.control("start", name)
        started.write("edited.service", "[Service]\nExecStart=sleep 1000\n")
        wait_until(lambda: started.show("loop.service", ["SubState"])["SubState"] == "auto-restart", "it restarts")
        wait_until(lambda: started.show("killed.service", ["SubState"])["SubState"] == "failed", "it has failed")
        yield started


@pytest.fixture(scope="module")
def answer(manager: Manager) -> Answer:
    """What one look sees of all units."""
    seen = ask(manager, request(*NAMES, always=ALWAYS, troubled=TROUBLED, manager=True))
    assert isinstance(seen, dict), seen.reason
    return seen


def ask(manager: Manager, asked: Answer) -> Answer | Unobserved:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DBUS_SESSION_BUS_ADDRESS", manager.address)
        collector = Collector()
        collector.ask({"user": asked}, time.monotonic() + 10)
        seen = collector.answers()["user"]
        collector.leave()
        return seen


def printed(value: Any) -> str:
    """Return a value as systemctl prints it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_seen_of_a_unit_is_what_systemctl_shows(manager: Manager, answer: Answer, name: str) -> None:
    left_out = ("Job", "Triggers", "StateChangeTimestamp")  # written in another way
    unit = {key: printed(value) for key, value in answer["units"][name].items() if key not in left_out}
    assert manager.show(name, list(unit)) == unit


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("running.service", {"Id": "running.service", "SubState": "running", "NRestarts": 0}),
        ("alias.service", {"Id": "running.service", "SubState": "running"}),
        ("killed.service", {"ActiveState": "failed", "Result": "signal", "ExecMainCode": 2, "ExecMainStatus": 9}),
        ("loop.service", {"ActiveState": "activating", "SubState": "auto-restart", "ExecMainStatus": 255}),
        ("done.service", {"ActiveState": "active", "SubState": "exited", "MainPID": 0}),
        ("once.service", {"ActiveState": "inactive", "Type": "oneshot", "Result": "success"}),
        ("masked.service", {"LoadState": "masked", "UnitFileState": "masked"}),
        (INSTANCE, {"ActiveState": "active", "SubState": "running"}),
        ("idle.service", {"ActiveState": "inactive", "TriggeredBy": ["idle.socket"]}),
        ("idle.socket", {"ActiveState": "active", "SubState": "listening"}),
        ("tick.timer", {"ActiveState": "active", "SubState": "waiting"}),
        ("tick.service", {"ActiveState": "inactive", "TriggeredBy": ["tick.timer"]}),
        ("condition.service", {"ActiveState": "inactive", "ConditionResult": False}),
        ("edited.service", {"ActiveState": "active", "NeedDaemonReload": True}),
        ("broken.service", {"LoadState": "bad-setting", "ActiveState": "inactive"}),
        ("none.service", {"LoadState": "not-found", "ActiveState": "inactive"}),
    ],
)
def test_each_kind_of_unit_is_what_it_is(answer: Answer, name: str, expected: Answer) -> None:
    assert {key: answer["units"][name].get(key) for key in expected} == expected


def test_an_idle_service_comes_with_the_socket_that_starts_it(manager: Manager, answer: Answer) -> None:
    socket = answer["units"]["idle.service"]["Triggers"]["idle.socket"]
    path = manager.address.removeprefix("unix:path=").replace("/bus", "/idle.sock")
    assert (socket["SubState"], socket["Listen"]) == ("listening", [["Stream", path]])


def test_the_manager_names_its_failed_units(manager: Manager, answer: Answer) -> None:
    expected = {"SystemState": "degraded", "NFailedUnits": 1, "NJobs": 0, "failed": ["killed.service"], "jobs": []}
    assert {key: answer["manager"][key] for key in expected} == expected
    assert manager.control("--version").startswith(f"systemd {answer['manager']['Version'][:3]}")


def test_names_that_are_none_do_not_darken_the_others(manager: Manager) -> None:
    seen = ask(manager, request("running", "two words.service", "", "running.service"))
    assert isinstance(seen, dict), seen.reason
    assert list(seen["units"]) == ["running.service"]


def test_a_template_without_an_instance_does_not_darken_the_others(manager: Manager) -> None:
    seen = ask(manager, request("worker@.service", "running.service"))
    assert isinstance(seen, dict), seen.reason
    assert list(seen["units"]) == ["running.service"]


def test_nothing_is_loaded_or_started_by_looking(manager: Manager, answer: Answer) -> None:
    assert answer["units"]["idle.service"]["ActiveState"] == "inactive"
    assert manager.show("idle.service", ["ActiveState"]) == {"ActiveState": "inactive"}
