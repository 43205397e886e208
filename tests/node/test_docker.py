"""A real Docker that hangs at each rung, and its containers."""

import re

import pytest

from .node import Node
from .verdicts import finding, judge, judged

MANIFEST = """\
kind: Pod
metadata: {name: tried, namespace: kube-system}
spec: {containers: [{name: main}]}
"""
UID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def docker(node: Node) -> Node:
    """The node, with Docker and a container `tried` that runs."""
    node.run("systemctl", "start", "docker")
    node.container("tried", "/usr/bin/sleep", "infinity")
    return node


def pid_of(node: Node, *pattern: str) -> int:
    return int(node.run("pgrep", "--oldest", *pattern).stdout)


def test_docker_and_a_container_that_are_well(docker: Node) -> None:
    result = judged(docker, "docker: {container: tried, shim: true, storage_driver: /./, restart_count: 0}", "ok")
    assert finding(result, "answers")["observed"] == "connect, ping, list, info, inspect, shim"
    judged(docker, "docker: {container: nowhere}", "critical", "^there is no container nowhere; expected >= 1$")


def test_a_container_that_ended_is_told_with_its_exit_code(docker: Node) -> None:
    docker.container("ended", "/usr/bin/sh", "-c", "exit 3")
    docker.run("docker", "wait", "ended")
    judged(
        docker, "docker: {container: ended}", "critical", r"^state of ended is exited \(exit code 3\), expected running"
    )
    judged(docker, "docker: {container: ended, exit_code: 3}", "ok")


def test_a_container_that_docker_restarts_over_and_over(docker: Node) -> None:
    docker.container("loops", "/usr/bin/false", options=["--restart=always"])
    docker.run("sh", "-c", "until [ $(docker inspect -f '{{.RestartCount}}' loops) -ge 2 ]; do sleep 0.2; done")
    judged(docker, "docker: {container: loops, restart_count: '< 2'}", "critical", "restart count of loops is ")


@pytest.mark.parametrize(
    ("process", "check", "says"),
    [
        ("dockerd", "docker: {}", "accepts connections, but does not answer _ping within .*: dockerd hangs"),
        ("containerd", "docker: {}", "lists its containers, but does not tell of itself .* containerd or a plugin may"),
        ("containerd-shim", "docker: {container: tried, shim: true}", "hears nothing from the shim of .* tried within"),
    ],
)
def test_what_hangs_below_docker_is_told_in_time(docker: Node, process: str, check: str, says: str) -> None:
    options = ["--full", "^/usr/bin/containerd-shim"] if process == "containerd-shim" else ["--exact", process]
    pid = pid_of(docker, *options)
    docker.freeze(pid)
    outcome = judge(docker, f"{check}, timeout: 3s")
    docker.thaw(pid)
    result = outcome.result("the check")
    assert result["status"] == "critical"
    assert [found["property"] for found in result["findings"] if found["status"] != "ok"] == ["answers"]
    message = finding(result, "answers")["message"]
    assert re.search(says, message), message
    assert outcome.seconds < 4.5


def test_looking_does_not_start_a_docker_that_systemd_would_start(node: Node) -> None:
    node.run("systemctl", "stop", "docker.service")
    node.start_unit("docker.socket", wait=True)
    judged(node, "docker: {}", "critical", "cannot be connected to: only systemd listens on it")
    assert node.show("docker.service", "ActiveState") == {"ActiveState": "inactive"}
    node.run("systemctl", "stop", "docker.socket")
    judged(node, "docker: {}", "critical", "cannot be connected to: no process listens on it")


def test_a_static_pod_as_dockershim_names_it_and_its_manifest(docker: Node) -> None:
    pod = {"io.kubernetes.pod.name": "tried-node", "io.kubernetes.pod.namespace": "kube-system"}
    labels = [f"--label={key}={value}" for key, value in (pod | {"io.kubernetes.pod.uid": UID}).items()]
    for name in ("POD", "main"):
        options = [*labels, f"--label=io.kubernetes.container.name={name}"]
        docker.container(f"k8s_{name}_tried-node_kube-system_{UID}_0", "/usr/bin/sleep", "infinity", options=options)
    docker.run("mkdir", "-p", "/run/manifests")
    docker.write_file("/run/manifests/tried.yaml", MANIFEST)
    check = "pods: {static: true, manifests: /run/manifests, socket: /run/docker.sock, count: 1}"
    said = finding(judged(docker, check, "ok"), "static")["message"]
    assert said == "each of the 1 manifests in /run/manifests has its pod: kube-system/tried"
    docker.write_file("/run/manifests/tried.yaml.backup", MANIFEST)
    judged(docker, check, "critical", "tried.yaml and tried.yaml.backup hold the same pod kube-system/tried")
    docker.run("rm", "/run/manifests/tried.yaml.backup")
    docker.run("docker", "kill", f"k8s_main_tried-node_kube-system_{UID}_0")
    judged(docker, check, "critical", "container main does not run")
    says = r"kube-system/tried-node: container main ended .* ago \(exit code 137\): it is about to be started again"
    judged(docker, "pods: {name: tried-node, socket: /run/docker.sock}", "warning", says)
