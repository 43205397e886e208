"""The window `docker`, over real sockets: each rung at which an engine may stop."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import time
from typing import Any

import pytest

from nodecheck.node import ondemand, systemd
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows.docker import SHAPE, DockerWant, look

from .unixserver import Server, http

INFO = {"ServerVersion": "20.10", "CgroupDriver": "systemd", "Driver": "overlay2", "Warnings": None}
LISTED = [
    {"Id": "1", "Names": ["/web"], "Labels": {"tier": "front"}},
    {"Id": "2", "Names": ["/web-2"], "Labels": {"tier": "back"}},
    {"Id": "3", "Names": ["/job"], "Labels": None},
]
STATES: dict[str, dict[str, Any]] = {
    "1": {"Status": "running", "ExitCode": 0, "Health": {"Status": "unhealthy"}},
    "2": {"Status": "running", "ExitCode": 0},
    "3": {"Status": "exited", "ExitCode": 137, "OOMKilled": True, "Error": "killed"},
}


def inspected(number: str) -> dict[str, Any]:
    name = LISTED[int(number) - 1]["Names"][0]  # type: ignore[index]  # a list, in all of them
    return {
        "Name": name,
        "State": STATES[number],
        "RestartCount": 2,
        "Config": {"Image": "nginx:1", "Env": ["A=secret"]},
    }


def engine(path: str) -> bytes | None:
    """An engine that is well."""
    if path == "/_ping":
        return http("OK")
    if path == "/info":
        return http(json.dumps(INFO))
    if path.startswith("/containers/json"):
        return http(json.dumps(LISTED))
    if path.endswith("/json"):
        return http(json.dumps(inspected(path.split("/")[2])))
    return http("{}")


def without(*paths: str, answer: bytes | None = None) -> Any:
    """An engine that gives this answer there, or none."""
    return lambda path: answer if any(part in path for part in paths) else engine(path)


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "docker.sock"


def ask(path: pathlib.Path, seconds: float = 1.0, **chosen: Any) -> dict[str, Any]:
    seen = look(DockerWant(str(path), containers=bool(chosen), seconds=seconds, **chosen))
    assert SHAPE(json.loads(json.dumps(seen)), "") == seen
    return seen


def rungs(seen: dict[str, Any]) -> list[str]:
    return [entry["rung"] for entry in seen["rungs"]]


def test_an_engine_that_is_well_answers_at_each_rung(path: pathlib.Path) -> None:
    with Server(path, engine) as server:
        seen = ask(path)
    assert server.asked == ["/_ping", "/containers/json", "/info"]
    assert rungs(seen) == ["connect", "ping", "list", "info"]
    assert seen["stopped"] is None
    expected = {"version": "20.10", "cgroup_driver": "systemd", "storage_driver": "overlay2", "warnings": []}
    assert expected == seen["engine"]
    assert seen["containers"] is None


@pytest.mark.parametrize(
    ("part", "reached"),
    [
        ("/_ping", ["connect"]),
        ("/containers/json", ["connect", "ping"]),
        ("/info", ["connect", "ping", "list"]),
        ("/containers/2/", ["connect", "ping", "list", "info", "inspect"]),
    ],
)
def test_an_engine_that_is_silent_tells_at_which_rung(path: pathlib.Path, part: str, reached: list[str]) -> None:
    started = time.monotonic()
    with Server(path, without(part)):
        seen = ask(path, seconds=0.5, name="/./")
    assert (reached, "silent") == (rungs(seen), seen["stopped"]["kind"])
    assert ("web-2" if "2" in part else "") == seen["container"]
    assert time.monotonic() - started < 0.7


def test_a_shim_that_hangs_is_named(path: pathlib.Path) -> None:
    with Server(path, without("/web-2/stats")) as server:
        seen = ask(path, seconds=2.0, label="tier", shims=True)
    assert (seen["stopped"]["rung"], seen["stopped"]["kind"], seen["container"]) == ("shim", "silent", "web-2")
    assert [container["name"] for container in seen["containers"]] == ["web", "web-2"]
    assert {"/containers/web/stats?stream=false&one-shot=true"} <= set(server.asked)


def test_all_shims_are_waited_for_together_and_those_of_what_has_ended_are_not(path: pathlib.Path) -> None:
    def slowly(address: str) -> bytes | None:
        time.sleep(0.3 if "stats" in address else 0)
        return engine(address)

    started = time.monotonic()
    with Server(path, slowly) as server:
        assert ask(path, seconds=2, name="/./", shims=True)["stopped"] is None
    assert [address for address in server.asked if "job" in address] == []
    assert time.monotonic() - started < 0.55


@pytest.mark.parametrize("answer", ["404 Not Found", "500 Internal Server Error"])
def test_a_shim_of_which_nothing_is_counted_has_answered(path: pathlib.Path, answer: str) -> None:
    with Server(path, without("stats", answer=http('{"message": "no cgroup"}', answer))):
        assert ask(path, name="web", shims=True)["stopped"] is None


@pytest.mark.parametrize(
    ("answer", "kind", "detail"),
    [
        (http('{"message": "out of order"}', "500 Internal Server Error"), "failed", "500 out of order"),
        (http("busy", "503 Service Unavailable"), "failed", "503 busy"),
        (http("{"), "broken", "what it says is no JSON"),
        (b"SSH-2.0-OpenSSH\r\n", "broken", "what it says is no HTTP (BadStatusLine)"),
        (b"", "broken", "it closes the connection without an answer"),
    ],
)
def test_an_engine_that_fails_tells_how(path: pathlib.Path, answer: bytes, kind: str, detail: str) -> None:
    with Server(path, without("/containers/json", answer=answer)):
        stopped = ask(path)["stopped"]
    assert ("list", kind, detail) == (stopped["rung"], stopped["kind"], stopped["detail"])


def test_an_engine_that_drips_ends_in_time(path: pathlib.Path) -> None:
    started = time.monotonic()
    with Server(path, engine, drip=True):
        assert ask(path, seconds=0.6)["stopped"]["kind"] == "silent"
    assert time.monotonic() - started < 0.9


def test_an_engine_that_does_not_let_us_look_is_no_fault_of_it(path: pathlib.Path) -> None:
    answer = http('{"message": "authorization denied by plugin"}', "403 Forbidden")
    with Server(path, without("/_ping", answer=answer)), pytest.raises(Unobserved, match="denied by plugin"):
        ask(path)


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ({"name": "web"}, ["web"]),
        ({"name": "/web/"}, ["web", "web-2"]),
        ({"name": "/^WEB-/i"}, ["web-2"]),
        ({"name": "we"}, []),
        ({"label": "tier"}, ["web", "web-2"]),
        ({"label": "tier=back"}, ["web-2"]),
        ({"label": "tier=", "name": "web"}, []),
        ({"name": "job"}, ["job"]),
    ],
)
def test_containers_are_selected(path: pathlib.Path, chosen: dict[str, Any], names: list[str]) -> None:
    with Server(path, engine):
        assert names == [container["name"] for container in ask(path, **chosen)["containers"]]


def test_of_a_container_its_state_is_told_and_no_secrets(path: pathlib.Path) -> None:
    with Server(path, engine):
        seen = ask(path, name="/./")
    web, _, job = seen["containers"]
    assert (web["state"], web["health"], web["exit_code"], web["restart_count"]) == ("running", "unhealthy", None, 2)
    assert (job["state"], job["health"], job["exit_code"], job["out_of_memory"]) == ("exited", "none", 137, True)
    assert "secret" not in json.dumps(seen)


def test_a_container_that_was_removed_meanwhile_is_none(path: pathlib.Path) -> None:
    with Server(path, without("/containers/1/json", answer=http('{"message": "no such"}', "404 Not Found"))):
        seen = ask(path, name="/web/")
    assert ([container["name"] for container in seen["containers"]], seen["stopped"]) == (["web-2"], None)


# ---- the socket


def test_a_socket_that_is_not_there(path: pathlib.Path) -> None:
    stopped = ask(path)["stopped"]
    assert (stopped["rung"], stopped["kind"], stopped["detail"]) == ("connect", "absent", "there is no such file")


def test_a_directory_in_place_of_the_socket(path: pathlib.Path) -> None:
    path.mkdir()
    assert ask(path)["stopped"]["detail"] == "it is a directory, not a socket"


def test_a_socket_file_whose_server_is_gone(path: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    stopped = ask(path)["stopped"]
    assert (stopped["kind"], stopped["detail"]) == ("refused", "no process listens on it")


def test_a_queue_that_is_full_is_waited_for_no_longer_than_its_share(path: pathlib.Path) -> None:
    started = time.monotonic()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as first:
        server.bind(str(path))
        server.listen(0)
        first.connect(str(path))
        stopped = ask(path)["stopped"]
    assert (stopped["rung"], stopped["kind"]) == ("connect", "silent")
    assert time.monotonic() - started < 0.5


def test_a_socket_that_only_systemd_holds_is_not_connected_to(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To connect would start the service. Here this very process stands in for systemd."""
    monkeypatch.setattr(ondemand, "SYSTEMD", os.getpid())
    monkeypatch.setattr(systemd, "booted_with_systemd", lambda: True)
    with Server(path, engine) as server:
        stopped = ask(path)["stopped"]
    assert (stopped["kind"], server.asked) == ("refused", [])
    assert stopped["detail"].startswith("only systemd listens on it, and would start the service")


@pytest.mark.skipif(os.getuid() != 0, reason="needs to become another user")
def test_a_user_who_may_not_connect_did_not_look(path: pathlib.Path) -> None:
    path.parent.chmod(0o755)
    with Server(path, engine):
        path.chmod(0o600)
        os.seteuid(65534)
        try:
            with pytest.raises(Unobserved) as dark:
                ask(path)
        finally:
            os.seteuid(0)
    assert "run nodecheck as root" in dark.value.remedy


# ---- fairness


def test_a_shim_that_had_too_little_time_is_not_called_silent(path: pathlib.Path) -> None:
    with Server(path, without("/stats")), pytest.raises(Unobserved) as dark:
        ask(path, seconds=1.0, name="web", shims=True)
    assert dark.value.remedy == "give this check a longer timeout"


def test_containers_that_are_too_many_for_the_time_are_not_called_silent(path: pathlib.Path) -> None:
    listed = [{"Id": "1", "Names": [f"/web-{number}"], "Labels": {}} for number in range(100)]

    def slowly(address: str) -> bytes | None:
        time.sleep(0.02 if address.endswith("/json") else 0)
        return http(json.dumps(listed)) if address.startswith("/containers/json") else engine(address)

    with Server(path, slowly), pytest.raises(Unobserved, match="was over before all could be asked"):
        ask(path, seconds=1.0, name="/./")
