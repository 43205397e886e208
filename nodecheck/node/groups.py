"""Groups: what this node is for, read off its files. A group found says by which file.

An engine that is only installed makes no group: it must be meant to run here (enabled, configured, or used before).
So a definition for `docker` hosts says nothing on a host that merely has the package.
"""

from __future__ import annotations

import glob
import os
import time

from nodecheck.node import isolated

SECONDS = 2  # for all of it: one of these paths may lie on a disk or a network mount that hangs
UNIT_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/lib/systemd/system")
MANIFESTS = "/etc/kubernetes/manifests"


def _enabled(*units: str) -> tuple[str, ...]:
    """An enabled unit is linked from another one's .wants or .requires folder; systemctl mask keeps that link."""
    return tuple(f"/etc/systemd/system/*.{kind}/{unit}" for unit in units for kind in ("wants", "requires"))


def _installed(*units: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{unit}" for unit in units for folder in UNIT_FOLDERS)


# Any file that exists is evidence enough; the first one found is named.
EVIDENCE: dict[str, tuple[str, ...]] = {
    "systemd": ("/run/systemd/system",),
    "docker": (*_enabled("docker.service", "docker.socket"), "/var/lib/docker/containers", "/run/docker.pid"),
    "containerd": (*_enabled("containerd.service"), "/run/containerd/containerd.sock"),
    "crio": (*_enabled("crio.service", "cri-o.service"), "/run/crio/crio.sock"),
    "kubelet": (
        "/var/lib/kubelet/config.yaml",
        "/etc/kubernetes/kubelet.conf",
        "/etc/kubernetes/bootstrap-kubelet.conf",
    ),
    "control_plane": (f"{MANIFESTS}/kube-apiserver.yaml",),
    "etcd": (f"{MANIFESTS}/etcd.yaml", *_enabled("etcd.service")),
    "kubeadm": ("/var/lib/kubelet/kubeadm-flags.env", "/etc/kubernetes/admin.conf"),
    "flannel": ("/run/flannel/subnet.env", "/etc/cni/net.d/*flannel*"),
    "calico": ("/etc/cni/net.d/*calico*",),
    "cilium": ("/etc/cni/net.d/*cilium*",),
    "libvirt": (*_enabled("libvirtd.service", "libvirtd.socket", "virtqemud.service", "virtqemud.socket"),),
    "openvswitch": _installed("ovs-vswitchd.service"),
    "openstack_compute": (
        *_enabled("nova-compute.service", "openstack-nova-compute.service", "kolla-nova_compute-container.service"),
        "/etc/nova/nova-compute.conf",
    ),
    "openstack_network": _enabled("neutron-l3-agent.service", "neutron-openvswitch-agent.service"),
    "chrony": _enabled("chrony.service", "chronyd.service"),
}


def collect(configured: list[str], settings_file: str, root: str = "") -> tuple[dict[str, str], list[str]]:
    """Return {group: how it was found}, and what went wrong; `configured` are the groups that the settings add."""
    found = isolated.each(lambda group: _first_existing(root, EVIDENCE[group]), EVIDENCE, time.monotonic() + SECONDS)
    groups = {"all": "every node"} | {group: f"{path} exists" for group, path in found.items() if path}
    if "kubelet" in groups and "control_plane" not in groups and "control_plane" in found:
        groups["worker"] = "a kubelet, and no manifest of a kube-apiserver"
    if "libvirt" in groups or "openstack_compute" in groups:
        groups["hypervisor"] = "libvirt or openstack_compute"
    problems = [
        f"whether this node is in the group {group} was not found out: looking at its files hangs"
        for group in EVIDENCE
        if group not in found and group not in configured
    ]
    return groups | dict.fromkeys(configured, f"configured in {settings_file}"), problems


def known() -> set[str]:
    """Return the names of all groups that nodecheck can find out."""
    return {"all", "worker", "hypervisor", *EVIDENCE}


def _first_existing(root: str, patterns: tuple[str, ...]) -> str | None:
    for pattern in patterns:
        if "*" not in pattern:
            if os.path.lexists(root + pattern):
                return pattern
        elif found := glob.glob(root + pattern):
            return min(found).removeprefix(root)
    return None
