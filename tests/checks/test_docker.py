"""Docker: how far the engine answers, what it says of itself, and its containers."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, judge, make, seen_by, status_of, statuses, told

from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
HINT = "containerd or a plugin may hang"
RUNGS = ("connect", "ping", "list", "info", "inspect", "shim")
ENGINE = {
    "version": "20.10.24",
    "cgroup_driver": "systemd",
    "storage_driver": "overlay2",
    "warnings": ["No swap limit"],
}


def container(name: str = "web", **fields: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "name": name, "image": "nginx:1", "state": "running", "health": "none", "exit_code": None, "restart_count": 0,
        "out_of_memory": False, "error": "",
    }  # fmt: skip
    return plain | fields


def stopped(rung: str, kind: str = "silent", detail: str = "", about: str = "") -> dict[str, Any]:
    """An engine that answered up to this rung, and there stopped after 3.5 s."""
    index = RUNGS.index(rung)
    return {
        "rungs": [{"rung": name, "seconds": 0.01} for name in RUNGS[:index]],
        "stopped": {"rung": rung, "kind": kind, "detail": detail, "seconds": 3.5},
        "container": about,
        "engine": ENGINE if index > 3 else None,
        "containers": [container()] if index > 4 else None,
    }


def well(*containers: dict[str, Any], **engine: Any) -> dict[str, Any]:
    rungs = [{"rung": name, "seconds": 0.01} for name in RUNGS[:4]]
    return {"rungs": rungs, "stopped": None, "container": "", "engine": ENGINE | engine, "containers": list(containers)}


def says(seen: Any, **arguments: Any) -> str:
    check = make("docker", **arguments)
    return told(check, seen_by(check, seen))


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (stopped("connect", "absent", "there is no such file"), "cannot be connected to: there is no such file"),
        (stopped("connect", "refused", "no process listens on it"), "cannot be connected to: no process listens on it"),
        (stopped("connect"), "cannot be connected to within 3.5s"),
        (
            stopped("ping"),
            "accepts connections, but does not answer _ping within 3.5s: dockerd hangs, or is stopped",
        ),
        (stopped("list"), "answers _ping, but does not list its containers (docker ps) within 3.5s"),
        (
            stopped("list", "failed", "500 out of order"),
            "answers _ping, but does not list its containers (docker ps): 500 out of order",
        ),
        (stopped("info"), f"lists its containers, but does not tell of itself (docker info) within 3.5s: {HINT}"),
        (well(), "lists its containers and tells of itself within 40ms"),
    ],
)
def test_it_is_said_at_which_rung_the_engine_stopped(seen: dict[str, Any], message: str) -> None:
    assert f"Docker on /run/docker.sock {message}" == says(seen)


@pytest.mark.parametrize("rung", RUNGS)
def test_an_engine_that_stops_at_any_rung_is_critical(rung: str) -> None:
    check = make("docker", container="web", shim=True)
    assert statuses(check, seen_by(check, stopped(rung, about="web")))["answers"] is CRITICAL


def test_what_hangs_of_a_container_is_said() -> None:
    message = "Docker on /run/docker.sock tells of itself, but does not tell of the container web (docker inspect)"
    assert f"{message} within 3.5s" == says(stopped("inspect", about="web"), container="web")
    message = "tells of each container, but hears nothing from the shim of the container web within 3.5s"
    assert says(stopped("shim", about="web"), container="web", shim=True).endswith(message)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({"cgroup_driver": "systemd"}, OK),
        ({"cgroup_driver": "cgroupfs"}, CRITICAL),
        ({"storage_driver": "overlay2"}, OK),
        ({"storage_driver": ["btrfs", "zfs"]}, CRITICAL),
        ({"version": r"/^20\./"}, OK),
        ({"version": r"/^19\./"}, CRITICAL),
        ({"warnings": 0}, CRITICAL),
        ({"warnings": "<= 1"}, OK),
        ({"time": "< 1s"}, OK),
        ({"time": "< 20ms"}, CRITICAL),
    ],
)
def test_what_the_engine_says_of_itself_is_judged(arguments: dict[str, Any], status: Status) -> None:
    check = make("docker", **arguments)
    assert status is status_of(check, seen_by(check, well()))


def test_what_the_engine_does_not_say_is_unknown() -> None:
    check = make("docker", cgroup_driver="systemd")
    assert status_of(check, seen_by(check, well(cgroup_driver=""))) is UNKNOWN


def test_warnings_are_told() -> None:
    expected = "there is 1 warning of Docker about this host: No swap limit; expected 0"
    assert expected == says(well(), warnings=0)


@pytest.mark.parametrize(
    ("arguments", "containers", "status"),
    [
        ({"container": "web"}, [], CRITICAL),
        ({"container": "web"}, [container()], OK),
        ({"container": "web"}, [container(health="starting")], OK),
        ({"container": "web"}, [container(health="unhealthy")], CRITICAL),
        ({"container": "web"}, [container(state="restarting")], CRITICAL),
        ({"container": "web"}, [container(state="paused")], CRITICAL),
        ({"container": "web"}, [container(), container(state="exited", exit_code=0)], CRITICAL),
        ({"container": "web", "state": ["running", "paused"]}, [container(state="paused")], OK),
        ({"container": "web", "health": "healthy"}, [container()], CRITICAL),
        ({"container": "web", "health": "healthy"}, [container(health="healthy")], OK),
        ({"container": "web", "restart_count": "< 3"}, [container(restart_count=3)], CRITICAL),
        ({"container": "web", "restart_count": "< 3"}, [container(restart_count=2)], OK),
        ({"container": "job", "exit_code": 0}, [container(state="exited", exit_code=0)], OK),
        ({"container": "job", "exit_code": 0}, [container(state="exited", exit_code=1)], CRITICAL),
        ({"container": "job", "exit_code": 0}, [container()], CRITICAL),
        ({"container": "web", "count": 0}, [], OK),
        ({"container": "web", "count": 0}, [container()], CRITICAL),
        ({"container": "web", "count": 2}, [container()], CRITICAL),
        ({"container": "web", "image": "nginx:1"}, [container()], OK),
        ({"container": "web", "image": "/^nginx:2/"}, [container()], CRITICAL),
        ({"label": "tier"}, [container(state="dead")], CRITICAL),
        ({"health": "!= unhealthy"}, [container(), container(health="unhealthy")], CRITICAL),
        ({"health": "!= unhealthy"}, [container(state="exited")], OK),
        ({"count": "< 2"}, [container(), container()], CRITICAL),
    ],
)
def test_containers_are_judged(arguments: dict[str, Any], containers: list[dict[str, Any]], status: Status) -> None:
    check = make("docker", **arguments)
    assert status is status_of(check, seen_by(check, well(*containers)))


@pytest.mark.parametrize(
    ("arguments", "containers", "message"),
    [
        ({"container": "web"}, [], "there is no container web; expected >= 1"),
        (
            {"container": "/web/", "count": 1},
            [container(), container("web-2")],
            "there are 2 containers /web/: web, web-2; expected 1",
        ),
        (
            {"label": "a=b"},
            [container(state="restarting", exit_code=1, restart_count=7, error="no such file")],
            "state of web is restarting (exit code 1, restarts: 7, no such file), expected running",
        ),
        (
            {"container": "web"},
            [container(state="exited", exit_code=137, out_of_memory=True)],
            "state of web is exited (exit code 137, out of memory), expected running",
        ),
        ({"container": "web", "exit_code": 0}, [container()], "exit code of web is none (it runs), expected 0"),
        (
            {"container": "/x/"},
            [container(f"x{number}", state="dead") for number in range(7)],
            "state of x0 is dead; x1 is dead; x2 is dead; x3 is dead; x4 is dead; and 2 more, expected running",
        ),
    ],
)
def test_containers_that_are_not_as_wanted_are_named(
    arguments: dict[str, Any], containers: list[dict[str, Any]], message: str
) -> None:
    assert message == says(well(*containers), **arguments)


def test_containers_are_asked_for_only_where_they_are_judged() -> None:
    keys: dict[str, dict[str, Any]] = {
        "/run/docker.sock": {},
        "/x.sock": {"socket": "/x.sock", "version": "/./"},
        "/run/docker.sock all containers": {"count": "< 9"},
        "/run/docker.sock container web": {"container": "web"},
        "/run/docker.sock container /a/ label b=c with shims": {"container": "/a/", "label": "b=c", "shim": True},
        "/run/docker.sock container web with info and shims": {"container": "web", "shim": True, "version": "/./"},
    }
    wants: list[Any] = [want for arguments in keys.values() for want in make("docker", **arguments).wants()]
    assert list(keys) == [want.key for want in wants]


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"container": "/(/"}, "container"),
        ({"shim": True}, "shim"),
        ({"socket": "docker.sock"}, "socket"),
        ({"socket": "unix:///run/docker.sock"}, None),
        ({"exit_code": 0, "state": "running"}, "exit_code"),
        ({"container": "web", "exit_code": 0, "state": "exited"}, None),
    ],
)
def test_what_is_wrong_together_is_a_mistake(arguments: dict[str, Any], wrong: str | None) -> None:
    mistakes = [argument for argument, _, _ in make("docker", **arguments).mistakes()]
    assert mistakes == ([wrong] if wrong else [])


@pytest.mark.parametrize("broken", [True, False])
def test_what_could_not_be_looked_at_is_unknown(broken: bool) -> None:
    check = make("docker")
    assert [finding.status for finding in judge(check, seen_by(check, dark("dark", broken=broken)))] == [UNKNOWN]
