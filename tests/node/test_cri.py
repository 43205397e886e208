"""The CRI of a real containerd. Looked at from outside through the node's root, so that the node needs no gRPC."""

import importlib.util
import time
from typing import Any

import pytest

from nodecheck.node.looks import Looks
from nodecheck.node.windows.cri import CriWant

from .node import Node
from .verdicts import judged

pytestmark = pytest.mark.skipif(importlib.util.find_spec("grpc") is None, reason="Python's grpc is not installed")
CONFIG = "/etc/containerd/config.toml"


def look(node: Node) -> Any:
    want = CriWant(f"/proc/{node.machine.leader}/root/run/containerd/containerd.sock", seconds=3.0)
    looks = Looks([want])
    seen = dict(looks.results(time.monotonic() + 10))[want]
    looks.close()
    return seen


def test_containerd_tells_that_it_is_ready_and_the_network_is_not(node: Node) -> None:
    node.run("systemctl", "start", "containerd")
    seen = look(node)
    assert (seen["stopped"], seen["runtime"]["name"]) == (None, "containerd")
    conditions = {found["type"]: found["status"] for found in seen["conditions"]}
    assert (conditions["RuntimeReady"], conditions["NetworkReady"]) == (True, False)
    assert seen["cgroup_driver"] == "cgroupfs"


def test_a_containerd_that_hangs_is_told_apart_from_one_without_the_plugin(node: Node) -> None:
    node.run("systemctl", "start", "containerd")
    pid = node.main_pid("containerd.service")
    node.freeze(pid)
    assert (look(node)["stopped"]["rung"], look(node)["stopped"]["kind"]) == ("version", "silent")
    node.thaw(pid)
    node.write_file(CONFIG, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
    node.run("systemctl", "restart", "containerd")
    assert look(node)["stopped"]["detail"].startswith("it speaks gRPC, but no CRI: the cri plugin is disabled")
    node.run("systemctl", "stop", "containerd")


def test_without_grpc_it_is_unknown_and_said_what_to_install(node: Node) -> None:
    assert judged(node, "cri: {}", "unknown", "Python's grpc is missing")["remedy"] == "apt install python3-grpcio"
