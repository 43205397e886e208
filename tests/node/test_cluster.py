"""A cluster that is well, and one that heals itself."""

import time

import pytest

from .scenarios import Proving, nodecheck, problems, shell

# What this cluster truly lacks, by the check that says so.
LACKS: dict[str, str] = {}


@pytest.mark.parametrize("name", ["control_plane", "worker"])
def test_a_node_that_is_well_is_silent(proving: Proving, name: str) -> None:
    outcome = nodecheck(proving.nodes[name])
    said = {check: one["message"] for check, one in problems(outcome).items() if check not in LACKS}
    assert (said, outcome.report["problems"], bool(outcome.report["results"])) == ({}, [], True)


def test_both_nodes_are_told_apart(proving: Proving) -> None:
    groups = [set(nodecheck(node).report["node"]["groups"]) for node in proving.nodes.values()]
    assert {"control_plane", "etcd"} <= groups[0]
    assert "worker" in groups[1]
    assert not {"control_plane", "etcd"} & groups[1]
    assert all({"docker", "kubelet", "kubeadm"} <= found for found in groups)


@pytest.mark.parametrize("name", ["kube-scheduler", "kube-controller-manager"])
def test_the_kubelet_mends_a_static_pod_and_nodecheck_says_no_more_of_it(proving: Proving, name: str) -> None:
    node = proving.nodes["control_plane"]
    before = set(problems(nodecheck(node)))
    first = shell(node, f"container {name}")
    shell(node, f"restart_kubelet; docker kill $(container {name})")
    shell(node, f'wait_for \'[ "$(container {name})" != "" ] && [ "$(container {name})" != "{first.strip()}" ]\'')
    deadline = time.monotonic() + 60
    while more := set(problems(nodecheck(node))) - before:
        assert time.monotonic() < deadline, more
        time.sleep(0.5)
