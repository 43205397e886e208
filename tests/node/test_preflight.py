"""A bare host before kubeadm init and kubeadm join: what each of them would refuse is named, one finding for each."""

import re
from collections.abc import Callable, Iterator

import pytest

from . import units
from .node import Node

SWAP = "/var/lib/docker/swap"


def not_well(node: Node, tag: str) -> dict[str, str]:
    """Ask what kubeadm would ask; return the messages of what is not well."""
    outcome = node.nodecheck("run", "-t", tag, "-o", "json")
    assert outcome.report["results"]
    quiet = ("ok", "skipped", "blocked", "info")
    return {one["name"]: one["message"] for one in outcome.report["results"] if one["status"] not in quiet}


def listen(port: int) -> Callable[[Node], None]:
    """Take a port."""

    def take(node: Node) -> None:
        node.unit("tried.service", units.listener(port))
        node.start_unit("tried.service", wait=True)

    return take


def leave(path: str) -> Callable[[Node], None]:
    """Leave something behind, as an earlier cluster does."""
    return lambda node: node.write_file(path, "left behind\n")


def swap_on(node: Node) -> None:
    """Switch swap on."""
    node.run("sh", "-c", f"fallocate -l 32m {SWAP} && chmod 600 {SWAP} && mkswap -q {SWAP} && swapon {SWAP}")


def forward_nothing(node: Node) -> None:
    """Forward no packets."""
    node.run("sysctl", "-q", "net.ipv4.ip_forward=0")


@pytest.fixture
def bare(node: Node) -> Iterator[Node]:
    """A host that forwards packets, as kubeadm wants it; what it lacks else is known before a test breaks it."""
    node.run("sysctl", "-q", "net.ipv4.ip_forward=1")
    yield node
    node.run("sh", "-c", f"[ ! -e {SWAP} ] || {{ swapoff {SWAP}; rm {SWAP}; }}; sysctl -q net.ipv4.ip_forward=0")


@pytest.mark.parametrize(
    ("tag", "breaks", "name", "says"),
    [
        ("preflight-init", listen(6443), "Port 6443 is free for the control plane", r"listener \(pid"),
        ("preflight-init", listen(2379), "Port 2379 is free for the control plane", r"listener \(pid"),
        ("preflight-init", listen(10250), "Port 10250 is free for the kubelet", r"listener \(pid"),
        (
            "preflight-init",
            leave("/etc/kubernetes/manifests/etcd.yaml"),
            "There is no etcd.yaml of an earlier cluster",
            "etcd.yaml",
        ),
        ("preflight-init", leave("/var/lib/etcd/member/x"), "There are no data of an earlier etcd", "/var/lib/etcd"),
        ("preflight-init", swap_on, "Swap is off", SWAP),
        ("preflight-init", forward_nothing, "Packets are forwarded", "ip_forward is 0"),
        ("preflight-join", listen(10250), "Port 10250 is free for the kubelet", r"listener \(pid"),
        (
            "preflight-join",
            leave("/etc/kubernetes/kubelet.conf"),
            "There is no kubelet.conf of an earlier cluster",
            "kubelet.conf",
        ),
        (
            "preflight-join",
            leave("/etc/kubernetes/manifests/x.yaml"),
            "There are no static pods of an earlier cluster",
            "manifests",
        ),
        ("preflight-join", swap_on, "Swap is off", SWAP),
    ],
)
def test_what_kubeadm_would_refuse_is_named(
    bare: Node, tag: str, breaks: Callable[[Node], None], name: str, says: str
) -> None:
    before = not_well(bare, tag)
    breaks(bare)
    after = not_well(bare, tag)
    more = {found: message for found, message in after.items() if before.get(found) != message}
    assert [found.partition(" [")[0] for found in more] == [name], more
    assert all(re.search(says, message) for message in more.values()), more


def test_the_remedy_of_the_cgroup_driver_is_one(bare: Node) -> None:
    """Debian's configuration of containerd has no line of it that could be changed."""
    name = "containerd leaves control groups to systemd"
    report = bare.nodecheck("run", "-t", "preflight-init", "-o", "json").report
    remedy = next(one["remedy"] for one in report["results"] if one["name"] == name)
    kept = bare.run("cat", "/etc/containerd/config.toml").stdout
    assert name in not_well(bare, "preflight-init")
    try:
        bare.run("sh", "-c", remedy)
        assert name not in not_well(bare, "preflight-init")
    finally:
        bare.write_file("/etc/containerd/config.toml", kept)
        bare.run("systemctl", "restart", "containerd.service")
