"""A survey sees all units, processes and sockets; several looks in a run add up to one picture."""

import os
import time

import pytest

from nodecheck.node import survey
from nodecheck.node.node import FileWant, ListenerWant, ManagerWant, Node, UnitWant, UserWant, Want
from nodecheck.node.observations import Observations
from nodecheck.node.processes import ProcessWant
from nodecheck.node.unobserved import Unobserved

from .bus import Bus
from .streams import bound, port_of

MANAGER = {"SystemState": "running", "NJobs": 0}


def surveyed(*more: Want) -> Node:
    node = Node(facts={}, groups={})
    node.observe([*survey.wants(), *more], time.monotonic() + 5, None)
    return node


# ---- the survey


def test_all_units_are_seen_those_that_are_loaded_and_those_that_have_a_file(bus: Bus) -> None:
    units = {"a.service": {"UnitFileState": "enabled", "MainPID": 7}, "c.service": {}}
    bus.systemd(units=units, manager=MANAGER, files={"c.service": "disabled", "d@.service": "static"})
    seen = surveyed(UnitWant("none.service"))
    assert seen.unit("a.service")["UnitFileState"] == "enabled"
    assert seen.unit("a.service")["MainPID"] == 7
    assert seen.unit("c.service")["LoadState"] == "loaded"
    assert seen.unit("none.service")["LoadState"] == "not-found"
    assert seen.manager()["SystemState"] == "running"


def test_a_unit_is_seen_once_and_found_under_its_other_names(bus: Bus) -> None:
    names = ["as", ["ssh.service", "sshd.service"]]
    bus.systemd(units={"ssh.service": {"Names": names}}, aliases={"sshd.service": "ssh.service"}, manager=MANAGER,
                files={"sshd.service": "alias"})  # fmt: skip
    seen = surveyed(UnitWant("sshd.service", judged=True))
    assert list(seen.observed.units["system"]) == ["ssh.service"]  # type: ignore[arg-type]  # it is not dark
    assert (seen.unit("sshd.service")["Id"], list(seen.judged_units())) == ("ssh.service", ["sshd.service"])


def test_never_more_replies_are_pending_than_dbus_daemon_allows(bus: Bus) -> None:
    fake = bus.systemd(units={f"u{number}.service": {} for number in range(300)}, manager=MANAGER, delay=0.005)
    assert len(surveyed().observed.units["system"]) == 300  # type: ignore[arg-type]  # it is not dark
    assert 64 < fake.most_pending() < 128


def test_a_unit_that_changes_while_it_is_read_is_read_again(bus: Bus) -> None:
    first = {"SubState": "running", "MainPID": 7, "StateChangeTimestampMonotonic": 1}
    then = {"SubState": "dead", "MainPID": 0, "StateChangeTimestampMonotonic": 2}
    bus.systemd(units={"a.service": first}, manager=MANAGER, then=[["*", "a.service", 2, then]])
    unit = surveyed().unit("a.service")
    assert (unit["SubState"], unit["MainPID"]) == ("dead", 0)


def test_a_unit_that_may_not_be_read_says_why_and_darkens_no_other(bus: Bus) -> None:
    bus.systemd(units={"a.service": {}, "b.service": {"MainPID": 8}}, manager=MANAGER, refuse=["a.service"])
    seen = surveyed()
    assert seen.unit("b.service")["MainPID"] == 8
    with pytest.raises(Unobserved, match=r"systemd refused to tell of a\.service: SELinux"):
        seen.unit("a.service")


def test_a_systemd_that_hangs_is_dark_in_time_and_the_rest_is_seen(bus: Bus) -> None:
    bus.systemd(units={"a.service": {}}, manager=MANAGER, hang=["ListUnits"])
    started = time.monotonic()
    node = Node(facts={}, groups={})
    node.observe(survey.wants(), started + 1, None)
    assert time.monotonic() - started < 1.5
    assert isinstance(node.observed.units["system"], Unobserved)
    assert node.process_table().processes


def test_all_sockets_are_seen_with_their_owners_and_all_processes_with_all_but_their_processor_time(bus: Bus) -> None:
    bus.systemd(units={}, manager=MANAGER)
    with bound("127.0.0.1") as server:
        seen = surveyed()
        (listener,) = seen.listeners("tcp", port_of(server))
    assert os.getpid() in (listener.owners or ())  # a helper that was just forked may hold it for a moment too
    process = seen.process(os.getppid())
    assert process is not None
    assert None not in (process.exe, process.cmdline, process.uid, process.unit, process.resident, process.open_files)
    assert process.cpu is None
    assert (seen.file_text(survey.PORT_RANGE) or "").split()[0].isdecimal()


# ---- several looks


def look(node: Node, *wants: Want) -> Node:
    node.observe(wants, time.monotonic() + 5, None)
    return node


def test_a_second_look_adds_to_the_first(bus: Bus) -> None:
    bus.systemd(units={"a.service": {"MainPID": 7}, "b.service": {"MainPID": 8}}, manager=MANAGER)
    node = Node(facts={}, groups={})
    first, second = (UnitWant(f"{name}.service", ("MainPID",), judged=True) for name in "ab")
    look(node, first, UserWant("root"), FileWant("/none"), ListenerWant("udp", 1))
    look(node, second, UserWant("no-such-user"), FileWant("/nothing"))
    found = {name: unit["MainPID"] for name, unit in node.judged_units().items()}
    assert found == {"a.service": 7, "b.service": 8}
    assert (node.user_id("root"), node.user_id("no-such-user")) == (0, None)
    assert (node.file_text("/none"), node.file_text("/nothing"), node.listeners("udp", 1)) == (None, None, [])


def test_the_latest_look_at_a_unit_counts_alone(bus: Bus) -> None:
    changed = {"MainPID": 8}
    bus.systemd(units={"a.service": {"MainPID": 7}}, then=[["MainPID", "a.service", 1, changed]])
    node = look(Node(facts={}, groups={}), UnitWant("a.service", ("MainPID",)))
    assert node.unit("a.service")["MainPID"] == 7
    assert look(node, UnitWant("a.service", ("MainPID",))).unit("a.service")["MainPID"] == 8
    assert "MainPID" not in look(node, UnitWant("a.service")).unit("a.service")


def test_what_an_earlier_look_saw_of_the_manager_stays_when_a_later_one_does_not_ask(bus: Bus) -> None:
    bus.systemd(units={"a.service": {}}, manager=MANAGER)
    node = look(Node(facts={}, groups={}), ManagerWant())
    assert look(node, UnitWant("a.service")).manager()["SystemState"] == "running"


def test_the_clocks_and_the_processes_are_those_of_the_latest_look() -> None:
    node = look(Node(facts={}, groups={}), ProcessWant(frozenset(), frozenset(), lambda _: False))
    first = (node.uptime(), node.process_table().boottime)
    time.sleep(0.05)
    look(node, ProcessWant(frozenset(), frozenset(), lambda _: False))
    assert all(
        later > earlier for later, earlier in zip((node.uptime(), node.process_table().boottime), first, strict=True)
    )


def test_a_manager_that_went_dark_darkens_what_it_had_told_and_may_come_back() -> None:
    def answer(**units: int) -> dict[str, object]:
        return {"units": {f"{name}.service": {"MainPID": pid} for name, pid in units.items()}, "refused": {}}

    observed = Observations()
    observed.keep_units("system", {"a.service"}, answer(a=7))
    observed.keep_units("system", {"b.service"}, Unobserved("systemd", "it hangs"))
    assert observed.units["system"] == Unobserved("systemd", "it hangs")
    observed.keep_units("system", {"b.service"}, answer(b=8))
    assert observed.units["system"] == {"b.service": {"MainPID": 8}}


def test_a_unit_that_systemd_leaves_out_of_a_later_answer_is_not_known_from_an_earlier_one() -> None:
    observed = Observations()
    observed.keep_units("system", {"a.service"}, {"units": {"a.service": {}}, "refused": {}})
    observed.keep_units("system", {"a.service"}, {"units": {}, "refused": {"a.service": "no"}})
    assert (observed.units["system"], observed.refused["system"]) == ({}, {"a.service": "no"})
    observed.keep_units("system", {"a.service"}, {"units": {"a.service": {}}, "refused": {}})
    assert (observed.units["system"], observed.refused["system"]) == ({"a.service": {}}, {})
