"""All windows together: each one in time, and one that hangs does not darken the others."""

import os
import pathlib
import time
from typing import Any

import pytest

from nodecheck.node import systemd, users
from nodecheck.node.node import FileWant, ListenerWant, ManagerWant, Node, UnitWant, UserWant, Want
from nodecheck.node.processes import ProcessWant
from nodecheck.node.sockets import Connection
from nodecheck.node.unobserved import Unobserved

from .bus import Bus
from .streams import bound, port_of
from .test_connections import accept_for_ever

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
SECONDS = 1.0


def observe(*wants: Want, seconds: float = SECONDS) -> Node:
    """Observe, which has to keep its deadline."""
    node = Node(facts={}, groups={})
    started = time.monotonic()
    node.observe(wants, started + seconds, None)
    assert time.monotonic() - started < seconds + 0.5
    return node


def all_wants(port: int, file: pathlib.Path) -> list[Want]:
    cmdline = ProcessWant(frozenset({"cmdline"}), frozenset(), lambda _: False)
    return [
        ManagerWant(), UnitWant("a.service", always=("MainPID",)), ListenerWant("tcp", port, connect=True),
        UserWant("root"), FileWant(str(file)), cmdline,
    ]  # fmt: skip


def hang(*_: Any) -> None:
    time.sleep(60)


def seen(node: Node, port: int, file: pathlib.Path) -> dict[str, str]:
    """Return for each window what was seen, or why not."""

    def told(look: Any) -> str:
        try:
            return str(look())
        except Unobserved as dark:
            return f"dark: {dark.reason}"

    def connection() -> str:
        (listener,) = node.listeners("tcp", port)
        made = node.connection(listener)
        assert isinstance(made, Connection)
        return made.error or str(made.accepted)

    return {
        "unit": told(lambda: node.unit("a.service")["MainPID"]),
        "manager": told(lambda: node.manager()["SystemState"]),
        "port": told(connection),
        "user": told(lambda: node.user_id("root")),
        "file": told(lambda: node.file_text(str(file))),
        "process": told(lambda: (node.process(os.getppid()) or node).cmdline is not None),  # type: ignore[union-attr]  # it is there
    }


ALL_SEEN = {"unit": "7", "manager": "running", "port": "True", "user": "0", "file": "42", "process": "True"}
MANAGER = {"SystemState": "running", "NJobs": 0}


@pytest.fixture
def pid_file(tmp_path: pathlib.Path) -> pathlib.Path:
    file = tmp_path / "pid"
    file.write_text("42")
    return file


def test_all_windows_are_looked_through(bus: Bus, pid_file: pathlib.Path) -> None:
    bus.systemd(units={"a.service": {"MainPID": 7}}, manager=MANAGER)
    with bound("127.0.0.1") as server:
        accept_for_ever(server)
        port = port_of(server)
        assert seen(observe(*all_wants(port, pid_file)), port, pid_file) == ALL_SEEN


def test_a_bus_that_hangs_does_not_darken_the_rest(bus: Bus, pid_file: pathlib.Path) -> None:
    bus.systemd(units={"a.service": {"MainPID": 7}}, manager=MANAGER)
    bus.stop()
    with bound("127.0.0.1") as server:
        accept_for_ever(server)
        port = port_of(server)
        looked = seen(observe(*all_wants(port, pid_file)), port, pid_file)
    dark = {looked.pop(name).rpartition(" within ")[0] for name in ("unit", "manager")}
    assert dark == {"dark: dbus-daemon accepts connections to the system bus, but does not answer"}
    assert {name: value for name, value in ALL_SEEN.items() if name not in ("unit", "manager")} == looked


def test_a_process_that_never_accepts_does_not_darken_the_rest(bus: Bus, pid_file: pathlib.Path) -> None:
    bus.systemd(units={"a.service": {"MainPID": 7}}, manager=MANAGER)
    with bound("127.0.0.1") as server:
        port = port_of(server)
        looked = seen(observe(*all_wants(port, pid_file)), port, pid_file)
    assert looked == ALL_SEEN | {"port": "False"}


def test_a_name_service_that_hangs_does_not_darken_the_rest(
    bus: Bus, pid_file: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.systemd(units={"a.service": {"MainPID": 7}}, manager=MANAGER)
    monkeypatch.setattr(users, "_ask", hang)
    with bound("127.0.0.1") as server:
        accept_for_ever(server)
        port = port_of(server)
        looked = seen(observe(*all_wants(port, pid_file)), port, pid_file)
    dark = "dark: the name service did not say who root is within 1.0 s"
    assert ALL_SEEN | {"user": dark} == looked


@root
def test_a_pid_file_on_a_mount_that_hangs_does_not_darken_the_rest(bus: Bus, dead_folder: pathlib.Path) -> None:
    bus.systemd(units={"a.service": {"MainPID": 7}}, manager=MANAGER)
    file = dead_folder / "pid"
    with bound("127.0.0.1") as server:
        accept_for_ever(server)
        port = port_of(server)
        looked = seen(observe(*all_wants(port, file), seconds=2), port, file)
    assert ALL_SEEN | {"file": f"dark: {file} cannot be read: reading it hangs"} == looked


def test_an_answer_of_many_units_is_heard_although_another_window_took_all_the_time(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"a-service-with-a-rather-long-name-{number}.service" for number in range(2000)]
    bus.systemd(units={name: {} for name in names})
    monkeypatch.setattr(
        "nodecheck.node.processes.collect", lambda wants, deadline: time.sleep(deadline - time.monotonic())
    )
    wants: list[Want] = [UnitWant(name, judged=True) for name in names]
    wants.append(ProcessWant(frozenset(), frozenset(), lambda _: False))
    node = observe(*wants, seconds=2)
    assert len(node.judged_units()) == 2000


def test_a_unit_that_is_merely_looked_at_is_judged_by_nobody(bus: Bus) -> None:
    bus.systemd(units={"a.service": {"MainPID": 7}, "b.service": {"MainPID": 8}})
    node = observe(UnitWant("a.service", ("MainPID",)), UnitWant("b.service", judged=True))
    assert (node.unit("a.service")["MainPID"], list(node.judged_units())) == (7, ["b.service"])


def test_a_unit_that_may_not_be_read_says_why(bus: Bus) -> None:
    bus.systemd(units={"a.service": {"MainPID": 7}, "b.service": {"MainPID": 8}}, refuse=["a.service"])
    node = observe(UnitWant("a.service", always=("MainPID",)), UnitWant("b.service", always=("MainPID",)))
    assert node.unit("b.service")["MainPID"] == 8
    with pytest.raises(Unobserved) as caught:
        node.unit("a.service")
    expected = "systemd refused to tell of a.service: SELinux policy denies access to a.service"
    assert ("unit a.service", expected, False) == (caught.value.source, caught.value.reason, caught.value.broken)


def test_a_unit_that_systemd_leaves_out_is_not_guessed(bus: Bus) -> None:
    bus.systemd(units={}, unknown=["docker"])
    with pytest.raises(Unobserved, match="systemd said nothing about docker"):
        observe(UnitWant("docker")).unit("docker")


def test_wants_for_the_same_unit_are_asked_once(bus: Bus) -> None:
    fake = bus.systemd(units={"a.service": {"UnitFileState": "enabled", "NRestarts": 0}})
    observe(
        UnitWant("a.service", always=("NRestarts",)),
        UnitWant("a.service", always=("NRestarts", "UnitFileState")),
        UnitWant("a.service", troubled=("Result",)),
    )
    assert fake.calls("ListUnitsByNames")[0] == [["a.service"]]
    assert {"NRestarts", "UnitFileState"} == {property_ for _, _, property_ in fake.calls("Get")}
    assert len(fake.calls("Get")) == 2


def test_without_systemd_units_are_dark_for_one_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "booted_with_systemd", lambda: False)
    node = observe(UnitWant("a.service"), ManagerWant())
    for look in (lambda: node.unit("a.service"), node.judged_units, node.manager):
        with pytest.raises(Unobserved, match="systemd is not running here") as caught:
            look()
        assert (caught.value.source, caught.value.broken) == ("systemd", False)


def test_a_user_that_does_not_exist_has_no_id() -> None:
    node = observe(UserWant("root"), UserWant("nobody-of-this-name"))
    assert (node.user_id("root"), node.user_id("nobody-of-this-name")) == (0, None)


def test_a_small_file_is_read_or_absent_or_dark(tmp_path: pathlib.Path, pid_file: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    paths = [str(tmp_path / name) for name in ("pid", "none", "pid/none", "fifo", ".")]
    node = observe(*(FileWant(path) for path in paths))
    assert [node.file_text(path) for path in paths[:4]] == ["42", None, None, ""]
    with pytest.raises(Unobserved, match="cannot be read: Is a directory"):
        node.file_text(paths[4])


def test_what_nobody_wanted_was_not_collected() -> None:
    node = observe()
    for look in (node.process_table, node.manager, lambda: node.listeners("tcp", 1)):
        with pytest.raises(Unobserved, match="this was not collected"):
            look()


def test_the_clocks_turn_timestamps_into_ages() -> None:
    node = observe()
    minute_ago = int((time.monotonic() - 60) * 1e6)
    assert pytest.approx(node.seconds_since(minute_ago), abs=0.5) == 60
    assert pytest.approx(node.seconds_since_realtime(int((time.time() - 60) * 1e6)), abs=0.5) == 60
    assert (node.seconds_since(0), node.seconds_since_realtime(0)) == (None, None)
    assert time.clock_gettime(time.CLOCK_BOOTTIME) == pytest.approx(node.uptime(), abs=0.5)
