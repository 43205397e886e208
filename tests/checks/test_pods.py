"""The pods of a node: how far the runtime answers, manifests and their pods, and what runs."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import REALTIME, dark, judge, make, seen_by, status_of, statuses, told

from nodecheck.report.result import Status

OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN
SOCKET = "/run/docker.sock"


def container(name: str = "main", **fields: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": name, "images": ["sha256:1"], "state": "running", "restarts": 0, "exit_code": None}
    return plain | fields


def exited(code: int, restarts: int = 0, **fields: Any) -> dict[str, Any]:
    return container(state="exited", exit_code=code, restarts=restarts, **fields)


def pod(name: str, *containers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    plain = {"name": name, "namespace": "kube-system", "static": False, "sandbox_ready": True}
    return plain | {"containers": list(containers)} | fields


def static(name: str, *containers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return pod(name, *(containers or (container(),)), static=True, **fields)


def manifest(
    name: str, file: str = "", *, containers: tuple[str, ...] = ("main",), problem: str = ""
) -> dict[str, Any]:
    said = {"file": file or f"{name}.yaml", "namespace": "kube-system", "problem": problem}
    return said | {"name": name, "containers": list(containers)}


def well(*pods: dict[str, Any], manifests: Any = None, **fields: Any) -> dict[str, Any]:
    rungs = [{"rung": rung, "seconds": 0.01} for rung in ("connect", "ping", "pods")]
    plain: dict[str, Any] = {"socket": SOCKET, "rungs": rungs, "stopped": None, "pods": list(pods)}
    return plain | {"manifests": manifests} | fields


def says(seen: Any, **arguments: Any) -> str:
    check = make("pods", **arguments)
    return told(check, seen_by(check, seen))


# ---- does the runtime answer?


@pytest.mark.parametrize(
    ("reached", "rung", "kind", "message"),
    [
        (0, "connect", "absent", "cannot be connected to: said so"),
        (1, "ping", "silent", "accepts connections, but does not answer _ping within 2s: dockerd hangs, or is stopped"),
        (2, "pods", "silent", "answers _ping, but does not list its pods within 2s"),
        (2, "pods", "failed", "answers _ping, but does not list its pods: said so"),
    ],
)
def test_it_is_said_at_which_rung_the_runtime_stopped(reached: int, rung: str, kind: str, message: str) -> None:
    stopped = {"rung": rung, "kind": kind, "detail": "said so", "seconds": 2.0}
    seen = well(pods=None, stopped=stopped, rungs=well()["rungs"][:reached])
    assert f"the container runtime on {SOCKET} {message}" == says(seen)
    assert statuses(make("pods"), seen_by(make("pods"), seen)) == {"answers": CRITICAL}


def test_a_node_without_any_runtime_is_critical() -> None:
    stopped = {"rung": "connect", "kind": "absent", "detail": "there is none", "seconds": 0.0}
    seen = well(pods=None, stopped=stopped, rungs=[], socket="")
    assert says(seen) == "the container runtime cannot be connected to: there is none"


# ---- pods


@pytest.mark.parametrize(
    ("containers", "ready", "status"),
    [
        ([container()], True, OK),
        ([container(), exited(0)], True, OK),
        ([exited(0)], True, CRITICAL),
        ([container(created=20), exited(0, restarts=1, created=10)], True, OK),
        ([container(created=20), exited(0, restarts=1, created=30)], True, CRITICAL),
        ([container(created=20), exited(1, restarts=1, created=10)], True, CRITICAL),
        ([container(), exited(0, restarts=1)], True, CRITICAL),
        ([container(), exited(1)], True, CRITICAL),
        ([container(), exited(255, earlier=True)], True, WARNING),  # after a reboot, an init container runs
        ([container(), exited(0, earlier=True)], True, OK),
        ([exited(255, earlier=True)], True, CRITICAL),
        ([container(), exited(1), exited(255, earlier=True)], True, CRITICAL),
        ([container(), container(state="created")], True, CRITICAL),
        ([container(state="exited")], True, CRITICAL),
        ([], True, CRITICAL),
        ([], False, CRITICAL),
    ],
)
def test_a_pod_is_ready_when_its_containers_run_or_have_done_their_work(
    containers: list[dict[str, Any]], ready: bool, status: Status
) -> None:
    check = make("pods")
    seen = seen_by(check, well(pod("web", *containers, sandbox_ready=ready)))
    assert statuses(check, seen)["ready"] is status


@pytest.mark.parametrize(("to_run", "count", "ready"), [(True, 1, WARNING), (False, 0, None), (None, 0, None)])
def test_a_pod_that_does_not_come_up_again_is_told_from_one_that_has_ended(
    to_run: bool | None, count: int, ready: Status | None
) -> None:
    check = make("pods", count=count)
    found = statuses(check, seen_by(check, well(pod("web", exited(255), sandbox_ready=False, to_run=to_run))))
    assert (found["count"], found.get("ready")) == (OK, ready)


@pytest.mark.parametrize(("to_run", "count", "ready"), [(True, 1, CRITICAL), (False, 0, None), (None, 1, CRITICAL)])
def test_a_pod_that_never_began_is_told_from_one_whose_containers_were_taken_away(
    to_run: bool | None, count: int, ready: Status | None
) -> None:
    check = make("pods", count=count)
    found = statuses(check, seen_by(check, well(pod("web", sandbox_ready=False, to_run=to_run))))
    assert (found["count"], found.get("ready")) == (OK, ready)


def test_what_waits_after_a_reboot_is_named() -> None:
    message = "kube-system/web has a new sandbox, and there has not been started again: container app"
    assert says(well(pod("web", container("init"), exited(255, earlier=True) | {"name": "app"}))) == message


def test_a_pod_whose_image_cannot_be_had_is_named() -> None:
    message = "kube-system/web is not ready: none of its containers runs"
    assert says(well(pod("web", exited(0)))) == message


@pytest.mark.parametrize(
    ("restarts", "age", "status"),
    [
        (57, 3.0, WARNING),
        (1, 9.9, WARNING),
        (1, 10.0, OK),
        (0, 3.0, OK),  # a new pod
        (1, -3600.0, OK),  # the clock was set back
    ],
)
def test_a_container_that_runs_between_two_crashes_is_not_well(restarts: int, age: float, status: Status) -> None:
    check = make("pods")
    seen = seen_by(check, well(pod("web", container(restarts=restarts, created=REALTIME - age))))
    assert statuses(check, seen)["ready"] is status


def test_a_container_that_was_just_restarted_is_named() -> None:
    restarted = container(restarts=57, created=REALTIME - 3)
    message = "kube-system/web: container main was restarted 3s ago (restarts: 57)"
    assert says(well(pod("web", container("other"), restarted))) == message


@pytest.mark.parametrize(
    ("containers", "status"),
    [
        ([exited(137, ended=REALTIME - 3)], WARNING),
        (
            [exited(0, ended=REALTIME - 3)],
            WARNING,
        ),  # what a pod that is deleted ends with, or the end of an init container
        ([container("other"), exited(1, ended=REALTIME - 29)], WARNING),
        ([container("other"), exited(1, ended=REALTIME - 30)], CRITICAL),
        ([exited(0, ended=REALTIME - 30)], CRITICAL),
        ([container("other"), exited(1, restarts=1, ended=REALTIME - 3)], CRITICAL),  # it ends again and again
        ([exited(1, ended=REALTIME - 3), exited(1, name="other")], CRITICAL),
        ([container("other"), exited(0, ended=REALTIME - 3)], OK),  # an init container
        ([exited(1, ended=REALTIME + 3600)], CRITICAL),  # the clock was set back
    ],
)
def test_a_container_that_ended_just_now_may_be_one_of_a_pod_that_is_deleted(
    containers: list[dict[str, Any]], status: Status
) -> None:
    check = make("pods")
    assert statuses(check, seen_by(check, well(pod("web", *containers))))["ready"] is status


def test_when_it_ended_is_said() -> None:
    message = (
        "kube-system/web: container main ended 3s ago (exit code 137): it is about to be started again, or its pod is"
    )
    assert says(well(pod("web", container("other"), exited(137, ended=REALTIME - 3)))) == f"{message} being deleted"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({}, OK),
        ({"count": 2}, OK),
        ({"count": 3}, CRITICAL),
        ({"name": "web"}, OK),
        ({"name": "we"}, CRITICAL),
        ({"name": "/^w/", "namespace": "kube-system"}, OK),
        ({"namespace": "default"}, CRITICAL),
        ({"namespace": "/^kube-/", "count": 2}, OK),
        ({"name": "old"}, CRITICAL),
        ({"name": "old", "count": 0}, OK),
        ({"restarts": "< 3"}, CRITICAL),
        ({"restarts": "< 3", "name": "web"}, OK),
        ({"image": "/^nginx:/", "name": "web"}, OK),
        ({"image": "/^nginx:/"}, CRITICAL),
    ],
)
def test_pods_are_selected_and_judged(arguments: dict[str, Any], status: Status) -> None:
    check = make("pods", **arguments)
    web = pod("web", container(images=["sha256:1", "nginx:1"]))
    proxy = pod("proxy", container(restarts=3))
    old = pod("old", exited(255), sandbox_ready=False)
    assert status is status_of(check, seen_by(check, well(web, proxy, old)))


@pytest.mark.parametrize(
    ("arguments", "pods", "message"),
    [
        ({}, [], "there is no pod on this node; expected >= 1"),
        (
            {"name": "/^a/", "namespace": "x"},
            [pod("a", exited(1), sandbox_ready=False, namespace="x")],
            "there is no pod /^a/ in the namespace x on this node (1 ended); expected >= 1",
        ),
        (
            {},
            [pod("a", exited(1, restarts=4))],
            "kube-system/a is not ready: container main is exited (exit code 1, restarts: 4)",
        ),
        ({}, [pod("a", sandbox_ready=False)], "kube-system/a is not ready: its sandbox does not come up"),
        ({}, [pod("a")], "kube-system/a is not ready: it has no container yet"),
        ({"restarts": "< 3"}, [pod("a", container(restarts=3))], "restarts of kube-system/a main is 3, expected < 3"),
        (
            {"image": "nginx:1"},
            [pod("a", container(images=["b", "c"]))],
            "image of kube-system/a main is b, c, expected nginx:1",
        ),
        ({"count": 2}, [pod("a", container())], "there is 1 pod on this node: kube-system/a; expected 2"),
    ],
)
def test_what_is_not_as_wanted_is_named(arguments: dict[str, Any], pods: list[dict[str, Any]], message: str) -> None:
    assert message == says(well(*pods), **arguments)


# ---- static pods


ETCD, SCHEDULER = static("etcd-cp1"), static("kube-scheduler-cp1")


@pytest.mark.parametrize(
    ("manifests", "pods", "message"),
    [
        (None, [], "there is no folder /etc/kubernetes/manifests"),
        ([], [ETCD], "there is no manifest in /etc/kubernetes/manifests"),
        ([manifest("etcd")], [], "etcd.yaml has no pod that runs on this node"),
        (
            [manifest("etcd"), manifest("kube-scheduler")],
            [ETCD],
            "kube-scheduler.yaml has no pod that runs on this node",
        ),
        ([manifest("etcd")], [static("etcd-cp1", exited(1), sandbox_ready=False)], "etcd.yaml has no pod that runs"),
        ([manifest("etcd")], [pod("etcd-cp1", container())], "etcd.yaml has no pod that runs on this node"),
        ([manifest("etcd")], [static("etcd-cp1", namespace="other")], "etcd.yaml has no pod that runs on this node"),
        (
            [manifest("etcd")],
            [static("etcd-cp1", exited(0))],
            "etcd.yaml has a pod whose container main does not run",
        ),
        (
            [manifest("etcd", containers=("main", "side"))],
            [ETCD],
            "etcd.yaml has a pod whose container side does not run",
        ),
        (
            [manifest("etcd"), manifest("etcd", "etcd.yaml.backup")],
            [ETCD],
            "etcd.yaml and etcd.yaml.backup hold the same pod kube-system/etcd: the kubelet reads them all",
        ),
        (
            [manifest("etcd"), manifest("", "README", problem="it holds no pod")],
            [ETCD],
            "the kubelet cannot use README: it holds no pod",
        ),
        ([manifest("etcd"), manifest("etcd-events")], [static("etcd-events-cp1")], "etcd.yaml has no pod that runs"),
    ],
)
def test_a_manifest_without_its_pod_and_a_leftover_are_told(
    manifests: Any, pods: list[dict[str, Any]], message: str
) -> None:
    check = make("pods", static=True)
    findings = judge(check, seen_by(check, well(*pods, manifests=manifests)))
    (found,) = [finding for finding in findings if finding.property == "static"]
    assert found.status is CRITICAL
    assert message in found.message


def test_each_manifest_with_its_pod_is_well() -> None:
    manifests = [manifest("etcd"), manifest("kube-scheduler")]
    check = make("pods", static=True, count=2)
    assert status_of(check, seen_by(check, well(ETCD, SCHEDULER, pod("web", exited(1)), manifests=manifests))) is OK
    expected = "each of the 2 manifests in /etc/kubernetes/manifests has its pod: kube-system/etcd, "
    assert expected in told(check, seen_by(check, well(ETCD, SCHEDULER, manifests=manifests)))


def test_all_pods_are_looked_at_once_whatever_is_selected() -> None:
    wants: list[Any] = [
        want
        for arguments in ({}, {"name": "a"}, {"restarts": 0}, {"static": True}, {"image": "a", "socket": "/x"})
        for want in make("pods", **arguments).wants()
    ]
    expected = {"of the kubelet", "of the kubelet /etc/kubernetes/manifests", "/x with images"}
    assert expected == {want.key for want in wants}


@pytest.mark.parametrize("argument", ["socket", "manifests"])
def test_a_path_that_is_not_whole_is_a_mistake(argument: str) -> None:
    check = make("pods", **{argument: "manifests"})
    assert [argument] == [mistaken for mistaken, _, _ in check.mistakes()]


@pytest.mark.parametrize("argument", ["name", "namespace"])
def test_a_selector_that_is_no_regular_expression_is_a_mistake(argument: str) -> None:
    check = make("pods", **{argument: "/(/"})
    assert [argument] == [mistaken for mistaken, _, _ in check.mistakes()]
    assert list(make("pods", **{argument: "/a/"}).mistakes()) == []


@pytest.mark.parametrize("broken", [True, False])
def test_what_could_not_be_looked_at_is_unknown(broken: bool) -> None:
    check = make("pods")
    assert [finding.status for finding in judge(check, seen_by(check, dark("dark", broken=broken)))] == [UNKNOWN]
