"""The shipped definitions on a healthy node, and where docker is broken in each way it breaks."""

import re

from . import units
from .node import Node, Outcome

DOCKER = "docker.service is healthy"
DOCKER_SOCKET = "docker.socket is healthy"
DROP_IN = "docker.service.d/broken.conf"
EXEC = "ExecStart=\nExecStart="
SHIPPED = "/usr/share/nodecheck/checks.d"


def shipped(node: Node) -> Outcome:
    """Run nodecheck as its package installs it."""
    return node.nodecheck("run", "-o", "json")


def with_docker(node: Node) -> None:
    """Docker as its package sets it up: enabled, and started."""
    node.run("systemctl", "enable", "--now", "docker.service", "docker.socket")


def problems(outcome: Outcome) -> dict[str, str]:
    """What is not ok, and what became of it."""
    return {name: status for name, status in outcome.statuses().items() if status not in ("ok", "skipped")}


def expect_docker_only(node: Node, status: str, rule: str, says: str) -> None:
    """One finding, and it is docker's: what needs docker is blocked by it."""
    outcome = shipped(node)
    result = outcome.result(DOCKER)
    seen = problems(outcome)
    assert seen.pop(DOCKER) == status, result
    assert re.search(says, result["message"]), result
    assert result["findings"][0]["rule"] == rule
    assert seen
    assert set(seen.values()) == {"blocked"}, seen
    assert all(outcome.result(name)["causes"] == [result["id"]] for name in seen)
    assert outcome.exit_code == {"warning": 1, "critical": 2}[status]


def test_a_node_where_docker_is_not_used_hears_nothing_of_docker(node: Node) -> None:
    outcome = shipped(node)
    assert (outcome.exit_code, problems(outcome)) == (0, {})
    assert {result["play"] for result in outcome.report["results"]} == {"Host", "containerd"}
    assert "docker" not in outcome.report["node"]["groups"]


def test_a_healthy_node(node: Node) -> None:
    with_docker(node)
    outcome = shipped(node)
    assert (outcome.exit_code, problems(outcome)) == (0, {})
    assert {"Host", "containerd", "Docker"} <= {result["play"] for result in outcome.report["results"]}
    assert all(path.startswith(SHIPPED) for path in outcome.report["definitions"]["files"])


def test_a_container_that_runs_changes_nothing(node: Node) -> None:
    with_docker(node)
    node.container("sleeping", "/usr/bin/sleep", "infinity", options=["--publish=127.0.0.1:7000:80"])
    assert (shipped(node).exit_code, problems(shipped(node))) == (0, {})


def test_docker_stopped(node: Node) -> None:
    with_docker(node)
    node.run("systemctl", "stop", "docker.service")
    expect_docker_only(node, "critical", "not-running", "enabled, so it was stopped or never started")


def test_docker_and_its_socket_stopped(node: Node) -> None:
    with_docker(node)
    node.run("systemctl", "stop", "docker.service", "docker.socket")
    expect_docker_only(node, "critical", "trigger-dead", "what would start it on demand is not active: docker.socket")


def test_docker_masked(node: Node) -> None:
    with_docker(node)
    node.run("systemctl", "mask", "--now", "docker.service")
    expect_docker_only(node, "critical", "masked", "^docker.service is masked: nothing can start it$")


def test_docker_that_crashes_for_ever(node: Node) -> None:
    with_docker(node)
    node.unit(DROP_IN, f"[Unit]\nStartLimitIntervalSec=0\n[Service]\n{EXEC}/bin/sh -c 'exit 255'\n")
    node.run("systemctl", "restart", "--no-block", "docker.service")
    node.wait_for("docker.service", SubState="auto-restart")
    expect_docker_only(node, "critical", "restarting", r"is restarting every .*: exit code 255, (\d+|not) restart")


def test_docker_that_does_not_get_ready(node: Node) -> None:
    with_docker(node)
    node.unit(DROP_IN, f"[Service]\nType=notify\n{EXEC}/usr/bin/sleep infinity\n")
    node.run("systemctl", "restart", "--no-block", "docker.service")
    node.wait_for("docker.service", ActiveState="activating")
    expect_docker_only(node, "warning", "starting", "is starting for .*, at start")


def test_docker_killed_by_a_signal(node: Node) -> None:
    with_docker(node)
    node.unit(DROP_IN, "[Service]\nRestart=no\n")
    node.run("kill", "-KILL", str(node.main_pid("docker.service")))
    node.wait_for("docker.service", ActiveState="failed")
    expect_docker_only(node, "critical", "failed", "has failed: main process killed by SIGKILL$")
    since = shipped(node).result(DOCKER)["since"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", since)


def test_docker_frozen_is_seen_as_a_process_only(node: Node) -> None:
    """systemd calls it active."""
    with_docker(node)
    node.freeze(node.main_pid("docker.service"))
    outcome = shipped(node)
    [(name, status)] = [(name, status) for name, status in problems(outcome).items() if status != "blocked"]
    assert (status, outcome.exit_code, outcome.result(name)["type"]) == ("critical", 2, "process")
    assert re.search(r"dockerd \(pid \d+\) has been stopped by a signal", outcome.result(name)["message"])


def test_containerd_stopped_is_the_one_cause(node: Node) -> None:
    with_docker(node)
    node.run("systemctl", "stop", "containerd.service")
    outcome = shipped(node)
    found = {name: status for name, status in problems(outcome).items() if status != "blocked"}
    assert found == {"containerd.service is healthy": "critical"}
    assert outcome.result(DOCKER)["causes"] == [outcome.result("containerd.service is healthy")["id"]]
    assert outcome.exit_code == 2


def test_a_kubelet_that_was_never_joined_is_not_judged(node: Node) -> None:
    node.unit("kubelet.service", units.crash_looping(1))
    node.start_unit("kubelet.service")
    node.wait_for("kubelet.service", SubState="auto-restart")
    assert "Kubelet" not in {result["play"] for result in shipped(node).report["results"]}
