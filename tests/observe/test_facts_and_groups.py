import os
import pathlib
import time

import pytest

from nodecheck.node import facts, groups
from nodecheck.node.node import Node

WANTS = "etc/systemd/system/multi-user.target.wants"


def make(root: pathlib.Path, *paths: str) -> None:
    """Make files; a path with an arrow becomes a link that leads nowhere here, as systemctl enable makes it."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if ".wants/" in path or ".requires/" in path:
            file.symlink_to("/lib/systemd/system/not-here")
        else:
            file.touch()


def found(root: pathlib.Path) -> set[str]:
    return groups.collect([], "", str(root))[0].keys() - {"all"}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], set()),
        (["run/systemd/system/x"], {"systemd"}),
        ([f"{WANTS}/docker.service"], {"docker"}),
        (["etc/systemd/system/sockets.target.wants/docker.socket"], {"docker"}),
        (["etc/systemd/system/my.service.requires/docker.service"], {"docker"}),
        (["run/docker.pid"], {"docker"}),
        (["var/lib/docker/containers/ab"], {"docker"}),
        (["lib/systemd/system/docker.service", "usr/bin/dockerd"], set()),
        ([f"{WANTS}/containerd.service"], {"containerd"}),
        (["run/containerd/containerd.sock"], {"containerd"}),
        (["run/crio/crio.sock"], {"crio"}),
        (["var/lib/kubelet/config.yaml"], {"kubelet", "worker"}),
        (["etc/kubernetes/bootstrap-kubelet.conf"], {"kubelet", "worker"}),
        (["etc/kubernetes/kubelet.conf", "etc/kubernetes/manifests/kube-apiserver.yaml"], {"kubelet", "control_plane"}),
        (["etc/kubernetes/manifests/etcd.yaml"], {"etcd"}),
        ([f"{WANTS}/etcd.service"], {"etcd"}),
        (["var/lib/kubelet/kubeadm-flags.env"], {"kubeadm"}),
        (["run/flannel/subnet.env"], {"flannel"}),
        (["etc/cni/net.d/10-flannel.conflist"], {"flannel"}),
        (["etc/cni/net.d/10-calico.conflist"], {"calico"}),
        (["etc/cni/net.d/05-cilium.conflist"], {"cilium"}),
        (["etc/systemd/system/sockets.target.wants/virtqemud.socket"], {"libvirt", "hypervisor"}),
        ([f"{WANTS}/nova-compute.service"], {"openstack_compute", "hypervisor"}),
        (["etc/nova/nova-compute.conf"], {"openstack_compute", "hypervisor"}),
        ([f"{WANTS}/neutron-l3-agent.service"], {"openstack_network"}),
        (["lib/systemd/system/ovs-vswitchd.service"], {"openvswitch"}),
        ([f"{WANTS}/chrony.service"], {"chrony"}),
    ],
)
def test_a_group_is_read_off_the_files_of_the_node(
    tmp_path: pathlib.Path, paths: list[str], expected: set[str]
) -> None:
    make(tmp_path, *paths)
    assert expected == found(tmp_path)


def test_a_group_says_how_it_was_found(tmp_path: pathlib.Path) -> None:
    make(tmp_path, f"{WANTS}/docker.service", "run/docker.pid", "etc/kubernetes/kubelet.conf")
    expected = {
        "all": "every node",
        "docker": f"/{WANTS}/docker.service exists",
        "kubelet": "/etc/kubernetes/kubelet.conf exists",
        "worker": "a kubelet, and no manifest of a kube-apiserver",
        "gpu": "configured in nodecheck.yaml",
    }
    assert (expected, []) == groups.collect(["gpu"], "nodecheck.yaml", str(tmp_path))


def test_every_group_that_can_be_found_is_known() -> None:
    assert {"all", "worker", "hypervisor", "docker", "kubelet", "control_plane", "systemd"} <= groups.known()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_disk_that_hangs_costs_its_own_group_only_and_is_told(
    dead_folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = {"docker": (f"{dead_folder}/containers",), "systemd": ("/",), "control_plane": (f"{dead_folder}/a*",)}
    monkeypatch.setattr(groups, "EVIDENCE", evidence | {"kubelet": ("/",)})
    started = time.monotonic()
    node = Node.here([], "")
    assert time.monotonic() - started < 2.5
    assert {"all", "systemd", "kubelet"} == node.groups.keys()
    assert node.problems == [
        "whether this node is in the group docker was not found out: looking at its files hangs",
        "whether this node is in the group control_plane was not found out: looking at its files hangs",
    ]


# ---- facts


def write(root: pathlib.Path, path: str, text: str) -> None:
    make(root, path)
    (root / path).write_text(text)


def test_facts_say_where_they_come_from(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/machine-id", "0123456789abcdef\n")
    write(tmp_path, "proc/sys/kernel/random/boot_id", "01234567-89ab-cdef\n")
    write(tmp_path, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian 12'\n# a comment\n")
    write(tmp_path, "proc/1/comm", "systemd\n")
    seen = facts.collect(str(tmp_path))
    assert seen["machine_id"] == ("0123456789abcdef", "/etc/machine-id")
    assert seen["boot_id"] == ("0123456789abcdef", "/proc/sys/kernel/random/boot_id")
    assert seen["os"] == ({"id": "debian", "version": "12", "name": "Debian 12"}, "/etc/os-release")
    assert seen["init"] == ("systemd", "/proc/1/comm")
    assert (os.uname().nodename, os.uname().release) == (seen["hostname"].value, seen["kernel"].value)


def test_what_could_not_be_found_out_is_none(tmp_path: pathlib.Path) -> None:
    seen = facts.values(facts.collect(str(tmp_path)))
    assert [seen[name] for name in ("machine_id", "boot_id", "virtualization", "init")] == [None] * 4
    assert seen["os"] == {"id": None, "version": None, "name": None}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("run/systemd/container", "systemd-nspawn\n", "systemd-nspawn"),
        (".dockerenv", "", "docker"),
        ("run/.containerenv", "", "podman"),
        ("sys/class/dmi/id/sys_vendor", "QEMU\n", "qemu"),
        ("sys/class/dmi/id/sys_vendor", "VMware, Inc.\n", "vmware"),
        ("sys/class/dmi/id/sys_vendor", "Amazon EC2\n", "amazon"),
        ("sys/class/dmi/id/sys_vendor", "OpenStack Foundation\n", "openstack"),
        ("sys/class/dmi/id/sys_vendor", "Dell Inc.\n", "none"),
    ],
)
def test_the_kind_of_virtualization(tmp_path: pathlib.Path, path: str, text: str, expected: str) -> None:
    write(tmp_path, path, text)
    assert (expected, f"/{path}") == facts.collect(str(tmp_path))["virtualization"]
