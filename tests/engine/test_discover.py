"""Checks derived from a node: what lasts is in them, what does not is left out, and one cause gives one finding."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, node, process, service

from nodecheck.definitions.writer import Draft, DraftPlay
from nodecheck.engine.discover import Found, discover, only
from nodecheck.node.sockets import Listener
from nodecheck.node.survey import PORT_RANGE

MANAGER = {"SystemState": "running", "Version": "252", "NJobs": 0, "failed": [], "jobs": []}
FAILED = {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainStatus": 1}
SOCKET = {"SubState": "listening", "MainPID": 0, "Type": ""}
CONTAINER = {"unit": "", "parent": 90}


def tcp(port: int, *owners: int, address: str = "0.0.0.0", protocol: str = "tcp") -> Listener:
    return Listener(protocol, 6 if ":" in address else 4, address, port, port, owners=owners)


def found(*units: dict[str, Any], groups: tuple[str, ...] = (), **windows: Any) -> Found:
    made = node(**({"units": units, "manager": MANAGER, "processes": []} | windows))
    made.groups |= dict.fromkeys(groups, "made up")
    return discover(made)


def checks(seen: Found) -> dict[str, Draft]:
    return {check.name: check for play in seen.plays for check in play.checks}


def plays(seen: Found) -> dict[str, DraftPlay]:
    return {play.name: play for play in seen.plays}


def needs(seen: Found) -> dict[str, tuple[str, ...]]:
    return {name: check.needs for name, check in checks(seen).items()}


DOCKER = (
    service("containerd.service", MainPID=90),
    service("docker.service", MainPID=91, TriggeredBy=["docker.socket"]),
    service("docker.socket", **SOCKET, Listen=[["Stream", "/run/docker.sock"]]),
)
RUNTIME = [process(90, "containerd-shim", unit="containerd.service"), process(91, "dockerd", unit="docker.service")]


# ---- subjects


def test_docker_is_found_with_its_socket_its_process_and_its_ports_on_top_of_each_other() -> None:
    seen = found(*DOCKER, processes=RUNTIME, listeners=[tcp(2375, 91, address="127.0.0.1")], groups=("docker",))
    assert (plays(seen)["Docker"].hosts, plays(seen)["containerd"].hosts) == ("docker", "all")
    assert [(check.name, check.arguments, check.needs) for check in plays(seen)["Docker"].checks] == [
        ("docker.service is well", {"name": "docker.service", "enabled": True}, ("containerd.service is well",)),
        ("docker.socket is well", {"name": "docker.socket", "enabled": True}, ("docker.service is well",)),
        (
            "dockerd is alive",
            {"name": "dockerd", "unit": "docker.service", "state": "!= D for 1m"},
            ("docker.service is well",),
        ),
        (
            "dockerd listens on port 2375",
            {"port": 2375, "address": "loopback", "process": "dockerd"},
            ("dockerd is alive",),
        ),
    ]
    assert checks(seen)["docker.service is well"].remedy == "journalctl -u docker.service -n 50"


def test_a_port_that_docker_publishes_for_a_container_is_docker_s() -> None:
    proxy = process(92, "docker-proxy", unit="docker.service")
    seen = found(*DOCKER, processes=[*RUNTIME, proxy], listeners=[tcp(7000, 92)])
    assert checks(seen)["docker-proxy listens on port 7000"].needs == ("dockerd is alive",)


def test_the_kubelet_is_found_with_its_ports() -> None:
    units = [service("kubelet.service", MainPID=93)]
    listeners = [tcp(10250, 93, address="::"), tcp(10248, 93, address="127.0.0.1")]
    seen = found(
        *units, processes=[process(93, "kubelet", unit="kubelet.service")], listeners=listeners, groups=("kubelet",)
    )
    assert list(needs(seen)) == [
        "systemd is well and no unit has failed", "kubelet.service is well", "kubelet is alive",
        "kubelet listens on port 10248", "kubelet listens on port 10250",
    ]  # fmt: skip
    assert plays(seen)["Kubelet"].hosts == "kubelet"


def test_static_pods_are_found_by_name_and_port_and_need_the_runtime() -> None:
    pods = [process(94, "kube-apiserver", **CONTAINER), process(95, "etcd", **CONTAINER),
            process(96, "kube-controller", exe="/usr/bin/kube-controller-manager", **CONTAINER)]  # fmt: skip
    listeners = [tcp(6443, 94), tcp(2379, 95), tcp(10257, 96, address="127.0.0.1")]
    seen = found(*DOCKER, processes=[*RUNTIME, *pods], listeners=listeners, groups=("control_plane",))
    assert (plays(seen)["Control plane"].hosts, plays(seen)["etcd"].hosts) == ("control_plane", "control_plane")
    assert needs(seen)["kube-controller-manager is alive"] == ("containerd.service is well",)
    assert needs(seen)["kube-controller-manager listens on port 10257"] == ("kube-controller-manager is alive",)
    assert checks(seen)["etcd is alive"].arguments == {"name": "etcd", "state": "!= D for 1m"}


def test_an_etcd_that_is_a_service_is_no_pod() -> None:
    units = [service("etcd.service", MainPID=95)]
    seen = found(*units, processes=[process(95, "etcd")], listeners=[tcp(2379, 95)], groups=("etcd",))
    assert needs(seen)["etcd listens on port 2379"] == ("etcd is alive",)
    assert checks(seen)["etcd is alive"].arguments["unit"] == "etcd.service"
    assert len(plays(seen)) == 2


def test_a_service_with_ports_has_a_play_and_the_others_stand_together() -> None:
    units = [service("ssh.service", MainPID=97), service("cron.service"), service("rsyslog.service")]
    listeners = [tcp(22, 97), tcp(22, 97, address="::"), tcp(123, 97, protocol="udp")]
    seen = found(*units, processes=[process(97, "sshd", unit="ssh.service")], listeners=listeners)
    assert list(plays(seen)) == ["Host", "ssh", "Services"]
    assert [check.name for check in plays(seen)["Services"].checks] == [
        "cron.service is well",
        "rsyslog.service is well",
    ]
    assert checks(seen)["sshd listens on UDP port 123"].arguments == {"port": 123, "protocol": "udp", "process": "sshd"}
    assert len([name for name in checks(seen) if name.endswith("port 22")]) == 1


def test_a_port_that_systemd_holds_for_a_socket_is_of_that_socket() -> None:
    units = [
        service("ssh.service", TriggeredBy=["ssh.socket"]),
        service("ssh.socket", **SOCKET, Listen=[["Stream", "[::]:22"]]),
    ]
    seen = found(*units, processes=[process(1, "systemd")], listeners=[tcp(22, 1, address="::")])
    assert checks(seen)["ssh.socket listens on port 22"].arguments == {"port": 22, "unit": "ssh.socket"}
    assert needs(seen)["ssh.socket listens on port 22"] == ("ssh.socket is well",)


def test_systemd_s_own_services_are_the_host_s() -> None:
    units = [
        service("systemd-journald.service", UnitFileState="static"),
        service("dbus.service", UnitFileState="static"),
    ]
    host = plays(found(*units))["Host"]
    assert [(check.name, check.arguments) for check in host.checks] == [
        ("systemd is well and no unit has failed", {}),
        ("dbus.service is well", {"name": "dbus.service"}),
        ("systemd-journald.service is well", {"name": "systemd-journald.service"}),
    ]


# ---- what does not last, or is not well


@pytest.mark.parametrize(
    "unit",
    [
        service("getty@tty1.service"), service("console-getty.service"), service("serial-getty@ttyS0.service"),
        service("user@1000.service", UnitFileState="static"), service("run-u7.service", UnitFileState="transient"),
        service("clean.service", Type="oneshot"), service("done.service", Type="oneshot", SubState="exited"),
        service("static.service", UnitFileState="static"), service("x.mount"), service("x.scope"),
        service("off.service", UnitFileState="disabled", ActiveState="inactive", SubState="dead"),
    ],
)  # fmt: skip
def test_what_may_not_last_is_left_out(unit: dict[str, Any]) -> None:
    seen = found(unit)
    assert (list(checks(seen)), seen.not_well) == (["systemd is well and no unit has failed"], [])


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (service("a.service", **FAILED), "a.service has failed: exit code 1"),
        (service("b.service", UnitFileState="static", **FAILED), "b.service has failed: exit code 1"),
        (
            service("c.service", ActiveState="inactive", SubState="dead"),
            "c.service is not running (enabled, so it was stopped or never started)",
        ),
        (
            service("d.service", ActiveState="activating", SubState="auto-restart", NRestarts=7),
            "d.service is restarting every 0.1 s: it ended, 7 restarts",
        ),
    ],
)
def test_a_service_that_is_not_well_is_named_with_why_and_not_checked(unit: dict[str, Any], said: str) -> None:
    seen = found(unit)
    assert (seen.not_well, unit["Id"] in str(checks(seen))) == ([said], False)


@pytest.mark.parametrize(
    ("text", "port", "lasts"),
    [
        ("32768\t60999\n", 32768, False),
        ("40000\t50000\n", 32768, True),
        ("32768\t60999\n", 61000, True),
        ("nonsense", 60999, False),
    ],
)
def test_a_port_that_the_kernel_hands_out_is_left_out(text: str, port: int, lasts: bool) -> None:
    units, processes = [service("ssh.service")], [process(97, "sshd", unit="ssh.service")]
    seen = found(*units, processes=processes, listeners=[tcp(port, 97)], files={PORT_RANGE: text})
    assert (f"sshd listens on port {port}" in checks(seen), not seen.left_out) == (lasts, lasts)


def test_the_port_of_a_user_s_session_is_left_out_and_said_to_be() -> None:
    seen = found(processes=[process(98, "python3", unit="session-3.scope")], listeners=[tcp(8000, 98)])
    assert seen.left_out == ["port 8000 of python3: session-3.scope is no service that lasts"]


def test_a_port_whose_owner_could_not_be_seen_is_said_to_be() -> None:
    seen = found(listeners=[tcp(8000)._replace(owners=None)])
    assert (seen.unseen, list(checks(seen))) == (
        ["who holds port 8000; root may see it"],
        ["systemd is well and no unit has failed"],
    )


def test_dark_windows_are_told_and_leave_the_rest() -> None:
    seen = found(units=dark("no bus"), manager=dark("no bus"), listeners=dark("no sockets"), processes=dark("no /proc"))
    assert (seen.plays, seen.unseen) == ([], ["no bus", "no /proc", "no sockets"])


def test_a_process_whose_name_would_be_an_expectation_is_not_named() -> None:
    units = [service("odd.service", MainPID=97)]
    seen = found(*units, processes=[process(97, "/x/", exe="", unit="odd.service")], listeners=[tcp(80, 97)])
    assert [check.arguments for check in plays(seen)["odd"].checks] == [
        {"name": "odd.service", "enabled": True},
        {"port": 80, "unit": "odd.service"},
    ]


# ---- only some types


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ({"unit"}, {"docker.service is well": ("containerd.service is well",)}),
        ({"unit", "port"}, {"dockerd listens on port 2375": ("docker.service is well",)}),
        ({"port"}, {"dockerd listens on port 2375": ()}),
        ({"process", "port"}, {"dockerd is alive": (), "dockerd listens on port 2375": ("dockerd is alive",)}),
    ],
)
def test_what_needed_a_type_that_is_not_wanted_needs_what_that_needed(
    types: set[str], expected: dict[str, tuple[str, ...]]
) -> None:
    seen = found(*DOCKER, processes=RUNTIME, listeners=[tcp(2375, 91)])
    kept = {check.name: check for play in only(seen.plays, frozenset(types)) for check in play.checks}
    assert {check.type for check in kept.values()} == types
    assert {name: kept[name].needs for name in expected} == expected
