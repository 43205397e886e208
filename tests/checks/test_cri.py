"""The CRI: how far the runtime answers, whether it is ready, and what it is."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, judge, make, node, status_of, statuses, told

from nodecheck.node.node import Node
from nodecheck.node.windows.cri import CriWant
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
RUNGS = ("connect", "version", "status", "list")
SOCKET = "/run/containerd/containerd.sock"


def condition(kind: str, status: bool = True, reason: str = "", message: str = "") -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


READY, NETWORK = condition("RuntimeReady"), condition("NetworkReady")


def well(**fields: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "socket": SOCKET, "rungs": [{"rung": rung, "seconds": 0.01} for rung in RUNGS], "stopped": None,
        "runtime": {"name": "containerd", "version": "1.6.20", "api": "v1"}, "conditions": [READY, NETWORK],
        "cgroup_driver": "systemd", "sandboxes": 3,
    }  # fmt: skip
    return plain | fields


def stopped(rung: str, kind: str = "silent", detail: str = "") -> dict[str, Any]:
    """A runtime that answered up to this rung, and there stopped after 2 s."""
    index = RUNGS.index(rung)
    return well(
        rungs=well()["rungs"][:index],
        stopped={"rung": rung, "kind": kind, "detail": detail, "seconds": 2.0},
        runtime=well()["runtime"] if index > 1 else None,
        conditions=[READY, NETWORK] if index > 2 else [],
        cgroup_driver="",
        sandboxes=None,
    )


def seen_as(seen: Any, socket: str = "") -> Node:
    made = node()
    made.observed.windows = {"cri": {CriWant(socket).key: seen}}
    return made


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (stopped("connect", "absent", "there is no such file"), "cannot be connected to: there is no such file"),
        (
            stopped("version"),
            "accepts connections, but does not tell its version within 2s: the runtime hangs, or is stopped",
        ),
        (
            stopped("version", "failed", "it speaks gRPC, but no CRI"),
            "accepts connections, but does not tell its version: it speaks gRPC, but no CRI",
        ),
        (stopped("status"), "tells its version, but does not tell its state within 2s"),
        (stopped("list"), "tells its state, but does not list its pods (crictl pods) within 2s"),
    ],
)
def test_it_is_said_at_which_rung_the_runtime_stopped(seen: dict[str, Any], message: str) -> None:
    assert f"the CRI on {SOCKET} {message}" == told(make("cri"), seen_as(seen))
    assert statuses(make("cri"), seen_as(seen))["answers"] is CRITICAL


def test_a_host_without_any_runtime_is_critical() -> None:
    seen = stopped("connect", "absent", "there is no CRI socket at any of the usual places") | {"socket": ""}
    expected = "the CRI cannot be connected to: there is no CRI socket at any of the usual places"
    assert expected == told(make("cri"), seen_as(seen))


def test_a_runtime_that_is_well_says_so() -> None:
    expected = (
        f"the CRI on {SOCKET} tells its state and lists its pods within 40ms; the container runtime is ready; "
        "the pod network is ready"
    )
    assert expected == told(make("cri"), seen_as(well()))


NO_NETWORK = condition("NetworkReady", False, "NetworkPluginNotReady", "cni plugin not initialized")


@pytest.mark.parametrize(
    ("arguments", "conditions", "status"),
    [
        ({}, [READY, NETWORK], OK),
        ({}, [READY, NO_NETWORK], CRITICAL),
        ({"network": False}, [READY, NO_NETWORK], OK),
        ({}, [condition("RuntimeReady", False), NETWORK], CRITICAL),
        ({}, [READY], UNKNOWN),
        ({}, [NETWORK], UNKNOWN),
        ({}, [READY, NETWORK, condition("Other", False)], OK),
    ],
)
def test_its_conditions_are_judged(arguments: dict[str, Any], conditions: list[dict[str, Any]], status: Status) -> None:
    assert status is status_of(make("cri", **arguments), seen_as(well(conditions=conditions)))


@pytest.mark.parametrize(
    ("conditions", "network", "found"),
    [
        ([READY, NETWORK], True, [("ready", True, True, OK), ("network", True, True, OK)]),
        ([READY, NO_NETWORK], True, [("ready", True, True, OK), ("network", True, False, CRITICAL)]),
        ([READY], True, [("ready", True, True, OK), ("network", True, None, UNKNOWN)]),
        ([condition("RuntimeReady", False)], False, [("ready", True, False, CRITICAL)]),
    ],
)
def test_each_condition_is_a_finding(
    conditions: list[dict[str, Any]], network: bool, found: list[tuple[str, bool, bool | None, Status]]
) -> None:
    _, *findings = judge(make("cri", network=network), seen_as(well(conditions=conditions)))

    assert found == [(one.property, one.expected, one.observed, one.status) for one in findings]


def test_a_reason_that_is_not_given_is_left_out() -> None:
    seen = seen_as(well(conditions=[condition("RuntimeReady", False, message="starting"), NETWORK]))
    assert told(make("cri"), seen) == "the container runtime is not ready (RuntimeReady): starting"


def test_why_it_is_not_ready_is_told() -> None:
    expected = "the pod network is not ready (NetworkReady): NetworkPluginNotReady: cni plugin not initialized"
    assert expected == told(make("cri"), seen_as(well(conditions=[READY, NO_NETWORK])))


@pytest.mark.parametrize(
    ("arguments", "seen", "status"),
    [
        ({"runtime": "containerd"}, {}, OK),
        ({"runtime": "cri-o"}, {}, CRITICAL),
        ({"version": r"/^1\.6\./"}, {}, OK),
        ({"version": r"/^1\.7\./"}, {}, CRITICAL),
        ({"cgroup_driver": "systemd"}, {}, OK),
        ({"cgroup_driver": "systemd"}, {"cgroup_driver": "cgroupfs"}, CRITICAL),
        ({"cgroup_driver": "systemd"}, {"cgroup_driver": ""}, UNKNOWN),
        ({"time": "< 1s"}, {}, OK),
        ({"time": "< 10ms"}, {}, CRITICAL),
        ({"runtime": "containerd"}, {"runtime": {"name": "", "version": "", "api": "v1"}}, UNKNOWN),
        ({"version": "!= 1"}, {"runtime": {"name": "", "version": "", "api": "v1"}}, UNKNOWN),
    ],
)
def test_what_it_is_is_judged(arguments: dict[str, Any], seen: dict[str, Any], status: Status) -> None:
    found = statuses(make("cri", **arguments), seen_as(well(**seen)))
    (name,) = arguments

    assert {"answers": OK, "ready": OK, "network": OK, name: status} == found


def test_without_a_socket_the_one_of_the_kubelet_is_asked() -> None:
    assert list(make("cri").wants()) == [CriWant("")]
    assert list(make("cri", socket="/x.sock").wants()) == [CriWant("/x.sock")]


def test_a_socket_can_be_named() -> None:
    assert status_of(make("cri", socket="/run/crio/crio.sock"), seen_as(well(), "/run/crio/crio.sock")) is OK


def test_a_socket_whose_path_is_not_whole_is_a_mistake() -> None:
    assert [argument for argument, _, _ in make("cri", socket="crio.sock").mistakes()] == ["socket"]
    assert list(make("cri", socket="unix:///run/crio/crio.sock").mistakes()) == []


@pytest.mark.parametrize("broken", [True, False])
def test_what_could_not_be_looked_at_is_unknown(broken: bool) -> None:
    seen = seen_as(dark("dark", broken=broken))
    assert [finding.status for finding in judge(make("cri"), seen)] == [UNKNOWN]
