import time
from typing import Any

import pytest

from nodecheck.node import systemd
from nodecheck.node.systemd import Collector
from nodecheck.node.unobserved import Unobserved

from .bus import Bus

Answer = dict[str, Any]


def request(*names: str, always: tuple[str, ...] = (), troubled: tuple[str, ...] = (), manager: bool = False) -> Answer:
    units = {name: {"always": list(always), "troubled": list(troubled)} for name in names}
    return {"manager": manager, "units": units}


def ask(asked: Answer, seconds: float = 5) -> Answer | Unobserved:
    """Ask as a run does: start the collector, ask, wait, leave."""
    collector = Collector()
    try:
        collector.ask({"system": asked}, time.monotonic() + seconds)
        return collector.answers()["system"]
    finally:
        assert collector.leave() == ""


def units(asked: Answer) -> Answer:
    answer = ask(asked)
    assert not isinstance(answer, Unobserved), answer.reason
    found: Answer = answer["units"]
    return found


# ---- what is asked


def test_all_units_cost_one_call(bus: Bus) -> None:
    names = [f"unit{number}.service" for number in range(300)]
    fake = bus.systemd(units={name: {} for name in names})
    assert set(names) == set(units(request(*names)))
    assert [[names]] == fake.calls("ListUnitsByNames")
    assert fake.calls("Get") == []


def test_never_more_replies_are_pending_than_dbus_daemon_allows(bus: Bus) -> None:
    names = [f"unit{number}.service" for number in range(300)]
    fake = bus.systemd(units={name: {"NRestarts": 1, "UnitFileState": "enabled"} for name in names}, delay=0.005)
    seen = units(request(*names, always=("NRestarts", "UnitFileState")))
    assert [(unit["NRestarts"], unit["UnitFileState"]) for unit in seen.values()] == [(1, "enabled")] * 300
    assert 64 < fake.most_pending() < 128


def test_only_properties_that_a_check_wants_are_read(bus: Bus) -> None:
    fake = bus.systemd(units={"docker.service": {"UnitFileState": "enabled"}, "ssh.service": {"NRestarts": 0}})
    asked = request("docker.service", always=("UnitFileState",))
    asked["units"] |= request("ssh.service", always=("NRestarts",))["units"]
    seen = units(asked)
    assert (seen["docker.service"]["UnitFileState"], seen["ssh.service"]["NRestarts"]) == ("enabled", 0)
    read = {(name, property_) for name, _, property_ in fake.calls("Get")}
    assert {("docker.service", "UnitFileState"), ("ssh.service", "NRestarts")} == read


def test_the_state_is_read_again_after_what_changes_with_it(bus: Bus) -> None:
    fake = bus.systemd(units={"a.service": {"MainPID": 7}})
    assert units(request("a.service", always=("MainPID",)))["a.service"]["MainPID"] == 7
    assert [property_ for _, _, property_ in fake.calls("Get")] == ["MainPID", "SubState"]


def test_a_property_is_asked_at_the_interface_that_has_it(bus: Bus) -> None:
    fake = bus.systemd(
        units={name: {"Result": "success", "UnitFileState": "static"} for name in ("a.socket", "a.timer")}
    )
    units(request("a.socket", "a.timer", always=("Result", "UnitFileState")))
    assert {
        ("a.socket", "org.freedesktop.systemd1.Socket", "Result"),
        ("a.timer", "org.freedesktop.systemd1.Timer", "Result"),
        ("a.socket", "org.freedesktop.systemd1.Unit", "UnitFileState"),
        ("a.timer", "org.freedesktop.systemd1.Unit", "UnitFileState"),
    } == {tuple(call) for call in fake.calls("Get") if call[2] != "SubState"}


def test_what_this_type_of_unit_does_not_have_is_not_asked(bus: Bus) -> None:
    fake = bus.systemd(units={"a.socket": {}, "b.target": {}})
    units(request("a.socket", "b.target", always=("MainPID", "Result")))
    read = [(name, property_) for name, _, property_ in fake.calls("Get") if property_ != "SubState"]
    assert read == [("a.socket", "Result")]


@pytest.mark.parametrize(
    ("state", "changes", "read"),
    [
        ("active", {}, False),
        ("active", {"JobType": "restart"}, True),
        ("active", {"LoadState": "masked"}, True),
        ("active", {"NRestarts": 2}, True),
        ("failed", {}, True),
        ("activating", {}, True),
        ("refreshing", {}, True),
        ("some-state-of-systemd-300", {}, True),
    ],
)
def test_details_are_read_for_units_in_trouble_only(bus: Bus, state: str, changes: Answer, read: bool) -> None:
    bus.systemd(units={"a.service": {"ActiveState": state, "Result": "timeout", "NRestarts": 0} | changes})
    unit = units(request("a.service", always=("NRestarts",), troubled=("Result",)))["a.service"]
    assert ("timeout" if read else None, state) == (unit.get("Result"), unit["ActiveState"])


# ---- what is answered


def test_an_alias_is_answered_with_the_unit_that_it_stands_for(bus: Bus) -> None:
    bus.systemd(units={"ssh.service": {"MainPID": 7}}, aliases={"sshd.service": "ssh.service"})
    seen = units(request("sshd.service", "ssh.service", always=("MainPID",)))
    assert {name: (unit["Id"], unit["MainPID"]) for name, unit in seen.items()} == {
        "sshd.service": ("ssh.service", 7),
        "ssh.service": ("ssh.service", 7),
    }


def test_an_unknown_unit_is_not_found(bus: Bus) -> None:
    bus.systemd(units={})
    unit = units(request("none.service"))["none.service"]
    assert (unit["LoadState"], unit["ActiveState"], unit["SubState"]) == ("not-found", "inactive", "dead")


def test_a_name_that_systemd_leaves_out_does_not_darken_the_others(bus: Bus) -> None:
    bus.systemd(units={"a.service": {}}, unknown=["docker"])
    assert list(units(request("docker", "a.service"))) == ["a.service"]


def test_names_are_escaped_in_object_paths(bus: Bus) -> None:
    names = ["my-app_v1.2.service", "7up.service", "getty@tty1.service", "dev-disk-by\\x2dlabel-a.mount"]
    bus.systemd(units={name: {"UnitFileState": "enabled"} for name in names})
    seen = units(request(*names, always=("UnitFileState",)))
    assert [seen[name]["UnitFileState"] for name in names] == ["enabled"] * 4


def test_a_property_that_an_old_systemd_lacks_is_left_out(bus: Bus) -> None:
    bus.systemd(units={"a.service": {"NRestarts": 3, "MainPID": 7}}, missing=["NRestarts"])
    unit = units(request("a.service", always=("NRestarts", "MainPID")))["a.service"]
    assert ("NRestarts" in unit, unit["MainPID"]) == (False, 7)


def test_the_triggers_of_an_idle_unit_come_with_it(bus: Bus) -> None:
    listen = ["a(ss)", [["Stream", "/run/docker.sock"]]]
    idle = {"ActiveState": "inactive", "SubState": "dead", "TriggeredBy": ["as", ["docker.socket", "docker.timer"]]}
    listening = {"SubState": "listening", "Listen": listen}
    bus.systemd(units={"docker.service": idle, "docker.socket": listening, "docker.timer": {"SubState": "waiting"}})
    triggers = units(request("docker.service", troubled=("TriggeredBy",)))["docker.service"]["Triggers"]
    assert (
        triggers["docker.socket"]["SubState"],
        triggers["docker.socket"]["Listen"],
    ) == ("listening", [["Stream", "/run/docker.sock"]])
    assert (triggers["docker.timer"]["SubState"], triggers["docker.timer"].get("Listen")) == ("waiting", None)


def test_a_unit_that_changes_while_it_is_read_is_read_again(bus: Bus) -> None:
    failed = {"ActiveState": "failed", "SubState": "failed", "Result": "signal", "StateChangeTimestampMonotonic": 1}
    recovered = {"ActiveState": "active", "SubState": "running", "Result": "success"}
    later = ["Result", "a.service", 1, recovered | {"StateChangeTimestampMonotonic": 2}]
    bus.systemd(units={"a.service": failed}, then=[later])
    unit = units(request("a.service", troubled=("Result",)))["a.service"]
    assert (unit["ActiveState"], unit["Result"], unit["StateChangeTimestampMonotonic"]) == ("active", "success", 2)


def test_what_is_always_read_belongs_to_the_same_picture(bus: Bus) -> None:
    failed = {"ActiveState": "failed", "SubState": "failed", "MainPID": 0, "StateChangeTimestampMonotonic": 1}
    recovered = {"ActiveState": "active", "SubState": "running", "MainPID": 7, "StateChangeTimestampMonotonic": 2}
    bus.systemd(units={"a.service": failed}, then=[["MainPID", "a.service", 1, recovered]])
    unit = units(request("a.service", always=("MainPID",), troubled=("UnitFileState",)))["a.service"]
    assert (unit["ActiveState"], unit["MainPID"]) == ("active", 7)


def test_a_unit_that_fails_while_it_is_read_is_read_again(bus: Bus) -> None:
    running = {"MainPID": 7, "NRestarts": 0, "StateChangeTimestampMonotonic": 1}
    failed = {"ActiveState": "failed", "SubState": "failed", "MainPID": 0, "Result": "signal"}
    later = ["NRestarts", "a.service", 1, failed | {"StateChangeTimestampMonotonic": 2}]
    bus.systemd(units={"a.service": running}, then=[later])
    unit = units(request("a.service", always=("NRestarts", "MainPID"), troubled=("Result",)))["a.service"]
    assert (unit["ActiveState"], unit["MainPID"], unit["Result"]) == ("failed", 0, "signal")


def test_a_unit_that_refuses_to_be_read_does_not_darken_the_others(bus: Bus) -> None:
    bus.systemd(units={"a.service": {"MainPID": 7}, "b.service": {"MainPID": 8}}, refuse=["a.service"])
    answer = ask(request("a.service", "b.service", always=("MainPID",)))
    assert isinstance(answer, dict)
    assert (list(answer["units"]), answer["units"]["b.service"]["MainPID"]) == (["b.service"], 8)
    assert answer["refused"] == {"a.service": "SELinux policy denies access to a.service"}


def test_the_manager_tells_its_state_with_failed_units_and_jobs(bus: Bus) -> None:
    bus.systemd(
        units={"good.service": {}, "bad.service": {"ActiveState": "failed"}},
        manager={"SystemState": "degraded", "NFailedUnits": 1, "NJobs": 1, "Version": "252.39-1~deb12u2"},
        jobs=["slow.service"],
    )
    answer = ask(request(manager=True))
    assert isinstance(answer, dict)
    expected = {
        "SystemState": "degraded", "NFailedUnits": 1, "NJobs": 1, "Version": "252.39-1~deb12u2",
        "failed": ["bad.service"], "jobs": [["slow.service", "start", "waiting"]],
    }  # fmt: skip
    assert expected == answer["manager"]


def test_jobs_are_not_listed_when_there_are_none(bus: Bus) -> None:
    fake = bus.systemd(manager={"SystemState": "running", "NJobs": 0})
    answer = ask(request(manager=True))
    assert isinstance(answer, dict)
    assert (answer["manager"]["jobs"], fake.calls("ListJobs")) == ([], [])


def test_a_collector_that_is_never_asked_is_gone_afterwards(bus: Bus) -> None:
    collector = Collector()
    assert (collector.leave(), collector.leave()) == ("", "")


def test_booted_with_systemd_looks_where_sd_booted_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.isdir", lambda path: path == "/run/systemd/system")
    assert systemd.booted_with_systemd()
    monkeypatch.setattr("os.path.isdir", lambda path: path != "/run/systemd/system")
    assert not systemd.booted_with_systemd()
