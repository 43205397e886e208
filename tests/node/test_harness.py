"""The harness itself: the node is a real one, breaks as told, and is mended after each test."""

import os
import pathlib
import subprocess
import sys
import time

import pytest

from . import machine as machines
from . import roots, units
from .machine import Machine, MachineError
from .node import Node, Outcome


def processes(node: Node, state: str) -> list[str]:
    """The names of the processes in this state (R, S, Z, T ...)."""
    lines = node.run("ps", "-e", "-o", "state=,comm=").stdout.splitlines()
    return [line[1:].strip() for line in lines if line.startswith(state)]


def connects(node: Node, port: int, address: str = "127.0.0.1") -> bool:
    """Whether something accepts a connection there within a second."""
    code = f"import socket; socket.create_connection(({address!r}, {port}), 1)"
    return node.run("python3", "-c", code, check=False).returncode == 0


def test_pid_1_is_systemd(node: Node) -> None:
    assert node.run("ps", "-p", "1", "-o", "comm=").stdout.strip() == "systemd"


def test_systemd_is_running_and_nothing_has_failed(node: Node) -> None:
    assert node.run("systemctl", "is-system-running").stdout.strip() == "running"


def test_the_node_is_not_this_host(node: Node) -> None:
    for namespace in ("pid", "mnt", "net", "uts", "ipc", "cgroup"):
        link = f"/proc/self/ns/{namespace}"
        assert node.run("readlink", link).stdout.strip() != os.readlink(link)


def test_a_unit_has_its_control_group(node: Node) -> None:
    node.unit("daemon.service", units.running())
    node.start_unit("daemon.service", wait=True)
    groups = node.run("cat", f"/proc/{node.main_pid('daemon.service')}/cgroup").stdout
    assert ":/system.slice/daemon.service\n" in groups


def test_docker_is_not_started_by_itself_and_can_be(node: Node) -> None:
    assert node.run("systemctl", "is-active", "docker", check=False).stdout.strip() == "inactive"
    node.run("systemctl", "start", "docker")
    assert node.run("systemctl", "is-active", "docker").stdout.strip() == "active"
    assert node.run("docker", "info", "--format", "{{.Name}}").stdout.strip() == node.machine.name


def test_docker_runs_a_container(node: Node) -> None:
    node.run("systemctl", "start", "docker")
    node.container("sleeping", "/usr/bin/sleep", "infinity", options=["--publish=127.0.0.1:7000:80"])
    assert node.run("docker", "inspect", "--format", "{{.State.Running}}", "sleeping").stdout.strip() == "true"
    assert '"docker-proxy"' in node.run("ss", "-Hltnp", "sport = 7000").stdout


def test_a_test_leaves_the_node_as_it_was(machine: Machine) -> None:
    before = Node(machine)._state()
    node = Node(machine)
    node.unit("daemon.service", units.running())
    node.start_unit("daemon.service", wait=True)
    node.unit("flapping.service", units.crash_looping())
    node.start_unit("flapping.service")
    node.unit("docker.service", units.masked())
    node.write_file("/etc/hostname", "another")
    node.write_file("/etc/nodecheck/harness.yaml", "{}")
    node.run("systemctl", "enable", "docker.socket")
    node.run("systemctl", "disable", "--now", "containerd")
    dbus = node.main_pid("dbus.service")
    node.run("kill", "-KILL", str(dbus))
    node.freeze(1)
    node.restore()
    assert node._state() == before
    assert node.run("systemctl", "is-system-running").stdout.strip() == "running"
    assert node.show("daemon.service", "LoadState") == {"LoadState": "not-found"}
    assert node.show("docker.service", "LoadState") == {"LoadState": "loaded"}
    assert node.run("cat", "/etc/hostname").stdout.strip() == machine.name
    assert node.run("test", "-e", "/etc/nodecheck/harness.yaml", check=False).returncode == 1
    assert node.main_pid("dbus.service") != dbus


def test_pid_1_can_be_frozen_and_thawed(node: Node) -> None:
    node.freeze(1)
    assert processes(node, "T") == ["systemd"]
    with pytest.raises(subprocess.TimeoutExpired):
        node.run("systemctl", "show", "dbus.service", timeout=1)
    node.thaw(1)
    assert node.run("systemctl", "is-system-running").stdout.strip() == "running"


def test_the_bus_can_be_frozen(node: Node) -> None:
    node.freeze(node.main_pid("dbus.service"))
    assert processes(node, "T") == ["dbus-daemon"]


def test_a_command_that_hangs_is_killed(machine: Machine) -> None:
    started = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        machine.run("sh", "-c", "sleep 54321 & sleep 54321", timeout=0.5)
    assert time.monotonic() - started < 5
    deadline = time.monotonic() + 5
    while machine.run("pgrep", "-f", "sleep 54321", check=False).returncode == 0:
        assert time.monotonic() < deadline


def test_a_command_that_fails_says_what_it_said(machine: Machine) -> None:
    with pytest.raises(MachineError, match=r"(?s)ended with 7 in .*on stdout.*on stderr"):
        machine.run("sh", "-c", "echo on stdout; echo on stderr >&2; exit 7")
    assert machine.run("sh", "-c", "exit 7", check=False).returncode == 7


def test_files_are_put_into_the_node(machine: Machine, tmp_path: pathlib.Path) -> None:
    machine.write_file("/run/harness/a/b", "ä\n", 0o600)
    assert machine.run("stat", "-c", "%a %U", "/run/harness/a/b").stdout == "600 root\n"
    assert machine.run("cat", "/run/harness/a/b").stdout == "ä\n"
    (tmp_path / "program").write_text("#!/bin/sh\necho works\n")
    machine.put(tmp_path / "program", "/run/harness/program")
    assert machine.run("sh", "/run/harness/program").stdout == "works\n"
    machine.run("rm", "-r", "/run/harness")


@pytest.mark.parametrize(
    ("text", "active", "sub", "result"),
    [
        (units.running(), "active", "running", "success"),
        (units.named("kubelet"), "active", "running", "success"),
        (units.crash_looping(), "activating", "auto-restart", "exit-code"),
        (units.failing(3), "failed", "failed", "exit-code"),
        (units.stuck_activating(), "activating", "start", "success"),
        (units.killed_by("KILL"), "failed", "failed", "signal"),
        (units.finished_oneshot(), "inactive", "dead", "success"),
        (units.remaining_oneshot(), "active", "exited", "success"),
    ],
)
def test_a_unit_gets_into_its_state(node: Node, text: str, active: str, sub: str, result: str) -> None:
    node.unit("tried.service", text)
    node.start_unit("tried.service")
    node.wait_for("tried.service", ActiveState=active, SubState=sub, Result=result)


def test_a_masked_unit(node: Node) -> None:
    node.unit("tried.service", units.masked())
    assert node.show("tried.service", "LoadState", "UnitFileState") == {
        "LoadState": "masked",
        "UnitFileState": "masked",
    }


def test_a_unit_whose_condition_is_not_met(node: Node) -> None:
    node.unit("tried.service", units.condition_not_met())
    node.start_unit("tried.service", wait=True)
    node.wait_for("tried.service", ActiveState="inactive", ConditionResult="no")


def test_a_timer_waits_and_its_service_has_ended(node: Node) -> None:
    node.unit("tried.service", units.finished_oneshot())
    node.unit("tried.timer", units.timer())
    node.start_unit("tried.timer", wait=True)
    node.wait_for("tried.timer", ActiveState="active", SubState="waiting")
    node.wait_for("tried.service", ActiveState="inactive", TriggeredBy="tried.timer")


def test_a_socket_listens_and_its_service_is_idle(node: Node) -> None:
    node.unit("tried.service", units.running())
    node.unit("tried.socket", units.socket_unit("127.0.0.1:7001"))
    node.start_unit("tried.socket", wait=True)
    node.wait_for("tried.socket", ActiveState="active", SubState="listening")
    node.wait_for("tried.service", ActiveState="inactive", TriggeredBy="tried.socket")


def test_a_process_has_its_name(node: Node) -> None:
    node.unit("tried.service", units.named("kubelet"))
    node.start_unit("tried.service", wait=True)
    assert "kubelet" in processes(node, "S")


def test_a_zombie(node: Node) -> None:
    node.unit("tried.service", units.with_zombie("deadworker"))
    node.start_unit("tried.service", wait=True)
    assert [name.split()[0] for name in processes(node, "Z")] == ["deadworker"]


@pytest.mark.parametrize(
    ("address", "v6_only", "by_ipv4", "by_ipv6"),
    [
        ("0.0.0.0", None, True, False),
        ("127.0.0.1", None, True, False),
        ("::", False, True, True),
        ("::", True, False, True),
        ("::1", None, False, True),
    ],
)
def test_a_listener(node: Node, address: str, v6_only: bool | None, by_ipv4: bool, by_ipv6: bool) -> None:
    node.unit("tried.service", units.listener(7002, address, v6_only=v6_only))
    node.start_unit("tried.service", wait=True)
    assert '"listener"' in node.run("ss", "-Hltnp", "sport = 7002").stdout
    assert connects(node, 7002) is by_ipv4
    assert connects(node, 7002, "::1") is by_ipv6


def test_a_listener_on_udp(node: Node) -> None:
    node.unit("tried.service", units.listener(7003, protocol="udp"))
    node.start_unit("tried.service", wait=True)
    assert '"listener"' in node.run("ss", "-Hlunp", "sport = 7003").stdout


def test_a_full_queue_lets_nobody_in(node: Node) -> None:
    node.unit("tried.service", units.full_listener(7004))
    node.start_unit("tried.service", wait=True)
    waiting, backlog = node.run("ss", "-Hltn", "sport = 7004").stdout.split()[1:3]
    assert int(waiting) > int(backlog)
    assert not connects(node, 7004)


def test_nodecheck_is_installed(node: Node) -> None:
    assert node.run("nodecheck", "--version").stdout.startswith("nodecheck ")


def test_an_outcome_finds_its_results() -> None:
    outcome = Outcome({"results": [{"name": "a", "status": "ok"}, {"name": "b", "status": "unknown"}]}, 3, 0.1, "")
    assert outcome.result("b")["status"] == "unknown"
    assert outcome.statuses() == {"a": "ok", "b": "unknown"}
    with pytest.raises(AssertionError, match="only of: 'a', 'b'"):
        outcome.result("c")


def test_a_node_is_gone_after_it_stopped(node_possible: None) -> None:
    with Machine(name="gone") as machine:
        leader, directory = machine.leader, machine.directory
    assert not pathlib.Path(f"/proc/{leader}").exists()
    assert not directory.exists()
    assert not list(pathlib.Path("/sys/fs/cgroup").glob(f"**/{machine.name}"))


def test_a_node_that_hangs_can_be_stopped(node_possible: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "POWEROFF_SECONDS", 1.0)
    with Machine(name="hung") as machine:
        leader = machine.leader
        machine.run("systemctl", "mask", "poweroff.target")
    assert not pathlib.Path(f"/proc/{leader}").exists()


def test_a_node_does_not_outlive_its_session(node_possible: None) -> None:
    code = (
        "import os; from tests.node.machine import Machine; machine = Machine(name='orphan');"
        "machine.prepare(); machine.boot(); print(machine.name, machine.leader, flush=True);"
        "os.kill(os.getpid(), 9)"
    )
    checkout = pathlib.Path(__file__).parents[2]
    command = [sys.executable, "-c", code]
    name, leader = subprocess.run(command, cwd=checkout, stdout=subprocess.PIPE, check=False).stdout.decode().split()
    gone_by(time.monotonic() + 5, pathlib.Path(f"/proc/{leader}"))
    abandoned = roots.cache_directory() / "nodes" / name
    assert abandoned.exists()
    with Machine():
        assert not abandoned.exists()
        assert not list(pathlib.Path("/sys/fs/cgroup").glob(f"**/{name}"))


def gone_by(deadline: float, path: pathlib.Path) -> None:
    """Wait until this path is gone."""
    while path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_mirror_is_the_one_of_apt() -> None:
    stanzas = (
        "# a comment\nTypes: deb deb-src\nURIs: http://one/debian\n"
        "Suites: bookworm bookworm-updates\nComponents: main\n"
        "\nTypes: deb\nEnabled: no\nURIs: http://two/\nSuites: bookworm\nComponents: main\n"
    )
    assert list(roots.stanza_sources(stanzas)) == [
        roots.Source(["http://one/debian"], ["bookworm", "bookworm-updates"], ["main"])
    ]
    lines = "deb [arch=amd64 signed-by=/k] http://three/debian bookworm main # x\ndeb-src http://four/ bookworm main\n"
    assert list(roots.line_sources(lines)) == [roots.Source(["http://three/debian"], ["bookworm"], ["main"])]
