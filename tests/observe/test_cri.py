"""The window `cri`, over real gRPC: each rung at which a runtime may stop."""

from __future__ import annotations

import json
import pathlib
import signal
import socket
import sys
import time
from typing import Any

import pytest

from nodecheck.node.looks import Looks
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import cri
from nodecheck.node.windows._protobuf import Message, write_text, write_true

from .criruntime import field, needs_grpc, serving


def condition(kind: str, *, status: bool) -> bytes:
    return field(1, write_text(1, kind), write_true(2) if status else b"", write_text(3, "Reason"))


CONTAINERD = {"containerd": {"defaultRuntimeName": "runc", "runtimes": {"runc": {"options": {"SystemdCgroup": True}}}}}
VERSION = write_text(1, "0.1.0") + write_text(2, "containerd") + write_text(3, "1.6.20")
STATUS = field(1, condition("RuntimeReady", status=True), condition("NetworkReady", status=False))
WELL = {
    "Version": VERSION.hex(),
    "Status": STATUS.hex(),
    "ListPodSandbox": (field(1, write_text(1, "a")) + field(1, write_text(1, "b"))).hex(),
}


def of_version(version: str, **changed: str) -> dict[str, str]:
    return {f"{version}/{method}": answer for method, answer in (WELL | changed).items()}


def ask(path: pathlib.Path, seconds: float = 3.0) -> Any:
    """Look as a run does: in a helper, which has grpc to itself."""
    want = cri.CriWant(str(path), seconds)
    looks = Looks([want])
    seen = dict(looks.results(time.monotonic() + 10))[want]
    assert looks.close() == ""
    if isinstance(seen, Unobserved):
        raise seen
    assert cri.SHAPE(json.loads(json.dumps(seen)), "") == seen
    return seen


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "cri.sock"


@needs_grpc
def test_a_runtime_that_is_well_answers_at_each_rung(path: pathlib.Path) -> None:
    with serving(path, of_version("v1")):
        seen = ask(path)
    assert [entry["rung"] for entry in seen["rungs"]] == ["connect", "version", "status", "list"]
    assert seen["runtime"] == {"name": "containerd", "version": "1.6.20", "api": "v1"}
    conditions = [(found["type"], found["status"], found["reason"]) for found in seen["conditions"]]
    assert conditions == [("RuntimeReady", True, "Reason"), ("NetworkReady", False, "Reason")]
    assert (seen["sandboxes"], seen["cgroup_driver"], seen["stopped"]) == (2, "", None)


@needs_grpc
@pytest.mark.parametrize(
    ("answers", "driver"),
    [
        ({"RuntimeConfig": field(1, bytes([8, 0])).hex()}, "systemd"),
        ({"RuntimeConfig": field(1).hex()}, "systemd"),
        ({"RuntimeConfig": field(1, bytes([8, 1])).hex()}, "cgroupfs"),
        ({"RuntimeConfig": ""}, ""),
        ({"RuntimeConfig": "hang"}, ""),
    ],
)
def test_the_cgroup_driver_is_what_runtimeconfig_says(path: pathlib.Path, answers: dict[str, str], driver: str) -> None:
    with serving(path, of_version("v1", **answers)):
        seen = ask(path)
    assert (seen["cgroup_driver"], seen["stopped"]) == (driver, None)


@pytest.mark.parametrize(("config", "driver"), [(json.dumps(CONTAINERD), "systemd"), ("{}", ""), ("[]", ""), ("x", "")])
def test_an_older_containerd_tells_the_cgroup_driver_with_its_state(config: str, driver: str) -> None:
    status = Message(field(2, write_text(1, "config"), write_text(2, config)))
    assert cri._cgroup_driver(None, status) == driver


@needs_grpc
def test_a_runtime_of_the_older_cri_answers_too(path: pathlib.Path) -> None:
    with serving(path, of_version("v1alpha2")):
        seen = ask(path)
    assert (seen["runtime"]["api"], seen["stopped"]) == ("v1alpha2", None)


@needs_grpc
def test_a_server_without_the_cri_is_told_apart_from_a_dead_one(path: pathlib.Path) -> None:
    with serving(path, {}):
        stopped = ask(path)["stopped"]
    assert (stopped["rung"], stopped["kind"]) == ("version", "failed")
    assert stopped["detail"].startswith("it speaks gRPC, but no CRI: the cri plugin is disabled")


@needs_grpc
@pytest.mark.parametrize(
    ("answers", "rung", "kind", "detail"),
    [
        ({"Version": "hang"}, "version", "silent", ""),
        ({"Status": "hang"}, "status", "silent", ""),
        ({"ListPodSandbox": "hang"}, "list", "silent", ""),
        ({"Status": "INTERNAL"}, "status", "failed", "so it was told"),
        ({"Status": "UNIMPLEMENTED"}, "status", "failed", "it does not know the call Status"),
        ({"ListPodSandbox": "UNAVAILABLE"}, "list", "broken", "so it was told"),
        (
            {"ListPodSandbox": "ff"},
            "list",
            "broken",
            "what it says is no answer to ListPodSandbox: it ends within a number",
        ),
    ],
)
def test_a_runtime_that_fails_tells_at_which_rung(
    path: pathlib.Path, answers: dict[str, str], rung: str, kind: str, detail: str
) -> None:
    with serving(path, of_version("v1", **answers)):
        stopped = ask(path, seconds=1.5)["stopped"]
    assert (stopped["rung"], stopped["kind"], stopped["detail"]) == (rung, kind, detail)


@needs_grpc
def test_a_runtime_that_is_stopped_by_a_signal_ends_in_time(path: pathlib.Path) -> None:
    with serving(path, of_version("v1")) as server:
        server.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        stopped = ask(path, seconds=1.0)["stopped"]
    assert (stopped["rung"], stopped["kind"]) == ("version", "silent")
    assert time.monotonic() - started < 1.2


@needs_grpc
def test_a_runtime_that_does_not_let_us_look_is_no_fault_of_it(path: pathlib.Path) -> None:
    with serving(path, of_version("v1", Status="PERMISSION_DENIED")), pytest.raises(Unobserved, match="so it was told"):
        ask(path)


@needs_grpc
def test_a_socket_that_is_not_there(path: pathlib.Path) -> None:
    stopped = ask(path)["stopped"]
    assert (stopped["rung"], stopped["kind"], stopped["detail"]) == ("connect", "absent", "there is no such file")


@needs_grpc
def test_what_speaks_no_grpc_is_no_runtime(path: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert ask(path, seconds=1.0)["stopped"]["rung"] == "version"


def test_without_grpc_nothing_was_seen_and_it_is_said_what_to_install(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(Unobserved) as dark:
        ask(path)
    assert dark.value.remedy == "apt install python3-grpcio"
