"""Groups: what this node is for, read off its files. A group found says by which file.

An engine that is only installed makes no group: it must be meant to run here (enabled, configured, or used before).
So a definition for `docker` hosts says nothing on a host that merely has the package.
"""

from __future__ import annotations

import functools
import os
import time
from contextlib import suppress

from nodecheck.node import isolated

Look = isolated.Each[str]
NOT_FOUND_OUT = "?"
SECONDS = 2  # for all of it: one of these paths may lie on a disk or a network mount that hangs
UNIT_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/lib/systemd/system")
MANIFESTS = "/etc/kubernetes/manifests"
# A node that has gone over to containerd, as Kubernetes tells one to, still has it and runs no docker:
# https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/change-runtime-containerd/
# And a host has gone over to a rootless Docker, or to a cluster with an engine of its own.
LEFT_BEHIND = "/var/lib/docker/containers"


def _enabled(*units: str) -> tuple[str, ...]:
    """An enabled unit is linked from another one's .wants or .requires folder; systemctl mask keeps that link."""
    return tuple(f"/etc/systemd/system/*.{kind}/{unit}" for unit in units for kind in ("wants", "requires"))


def _installed(*units: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{unit}" for unit in units for folder in UNIT_FOLDERS)


def _pods(*names: str) -> tuple[str, ...]:
    """The kubelet keeps a folder of logs for each pod of this node: <namespace>_<name>_<uid>."""
    return tuple(f"/var/log/pods/*_{name}_*" for name in names)


# Any file that exists is evidence enough; the first one found is named.
EVIDENCE: dict[str, tuple[str, ...]] = {
    "systemd": ("/run/systemd/system",),
    # What belongs to the machine's kernel alone, its clock and its modules, is not judged in one.
    "container": ("/run/systemd/container", "/.dockerenv", "/run/.containerenv"),
    "docker": (*_enabled("docker.service", "docker.socket"), "/run/docker.pid", LEFT_BEHIND),
    "containerd": (*_enabled("containerd.service"), "/run/containerd/containerd.sock"),
    "crio": (*_enabled("crio.service", "cri-o.service"), "/run/crio/crio.sock"),
    "cri_dockerd": (*_enabled("cri-docker.service", "cri-docker.socket"), "/run/cri-dockerd.sock"),
    "rkt": (*_enabled("rkt-api.service", "rkt-metadata.service"), "/var/lib/rkt/pods/run/*"),
    "kubelet": (
        "/var/lib/kubelet/config.yaml",
        "/etc/kubernetes/kubelet.conf",
        "/etc/kubernetes/bootstrap-kubelet.conf",
    ),
    # The manifest of the kube-apiserver may be what is missing; kubeadm reset removes all of these.
    "control_plane": (
        f"{MANIFESTS}/kube-apiserver.yaml",
        f"{MANIFESTS}/kube-controller-manager.yaml",
        "/etc/kubernetes/controller-manager.conf",
        "/etc/kubernetes/pki/apiserver.crt",
    ),
    "etcd": (f"{MANIFESTS}/etcd.yaml", "/etc/kubernetes/pki/etcd/server.crt", *_enabled("etcd.service")),
    "kube_proxy": (
        "/var/lib/kubelet/pods/*/volumes/*/kube-proxy",
        "/var/log/pods/kube-system_kube-proxy-*",
        f"{MANIFESTS}/kube-proxy.yaml",
        *_enabled("kube-proxy.service"),
    ),
    "kubeadm": ("/var/lib/kubelet/kubeadm-flags.env", "/etc/kubernetes/admin.conf"),
    # The bridges of the CNI's plugin bridge (and so of flannel), of kubenet, kube-router and Weave Net.
    "bridged_pods": tuple(f"/sys/class/net/{name}" for name in ("cni0", "cbr0", "kube-bridge", "weave")),
    "flannel": ("/run/flannel/subnet.env", "/etc/cni/net.d/*flannel*"),
    "coredns": ("/var/log/pods/kube-system_coredns-*",),  # others serve a zone, or a cluster within this one
    "ingress_nginx": _pods("*ingress*-controller-*"),
    "dashboard": _pods("kubernetes-dashboard-*", "dashboard-metrics-scraper-*"),
    "heapster": _pods("heapster-*"),
    "metrics_server": _pods("metrics-server-*"),
    "calico": ("/etc/cni/net.d/*calico*",),
    "cilium": ("/etc/cni/net.d/*cilium*",),
    "libvirt": (
        *_enabled("libvirtd.service", "libvirtd.socket", "virtqemud.service", "virtqemud.socket"),
        *_pods("libvirt-libvirt-*"),
    ),
    "openvswitch": (
        *_enabled("openvswitch-switch.service", "openvswitch.service", "ovs-vswitchd.service"),
        "/run/openvswitch/db.sock",
    ),
    "openstack": (
        *_enabled("nova-*.service", "neutron-*.service", "cinder-*.service", "glance-*.service", "openstack-*.service"),
        *_enabled("keystone.service", "placement-api.service", "kolla-*-container.service"),
        "/etc/apache2/*-enabled/openstack-dashboard*.conf",
        "/etc/apache2/sites-enabled/*keystone*.conf",
        "/etc/httpd/conf.d/*keystone*.conf",
        "/etc/nova/nova-compute.conf",
        "/var/log/pods/openstack_*",
    ),
    "rabbitmq": _enabled("rabbitmq-server.service", "kolla-rabbitmq-container.service"),
    "mariadb": _enabled("mariadb.service", "mysql.service", "mysqld.service", "kolla-mariadb-container.service"),
    "memcached": _enabled("memcached.service", "kolla-memcached-container.service"),
    "openstack_compute": (
        *_enabled("nova-compute.service", "openstack-nova-compute.service", "kolla-nova_compute-container.service"),
        *_pods("nova-compute-*"),
        "/etc/nova/nova-compute.conf",
    ),
    "openstack_network": _enabled("neutron-l3-agent.service", "neutron-openvswitch-agent.service"),
    "chrony": _enabled("chrony.service", "chronyd.service"),
}


# What makes no group, and decides about one. A control plane that kubeadm did not make, with kube-apiserver.manifest or
# kube-apiserver-pod.yaml, makes no worker.
OTHER_CONTROL_PLANE, OTHER_ENGINE, DOCKER_UNIT = "another control plane", "another engine", "a unit of Docker"
ASIDE = {
    OTHER_CONTROL_PLANE: (f"{MANIFESTS}/kube-apiserver*",),
    OTHER_ENGINE: (
        *("/run/user/*/docker.pid", "/run/user/*/docker.sock"),
        *_enabled("k3s.service", "k3s-agent.service", "rke2-server.service", "rke2-agent.service"),
    ),
    DOCKER_UNIT: _installed("docker.service", "docker.socket"),  # a package that is removed leaves the containers
}
# What else makes a group.
MORE_EVIDENCE = {"kubelet": "the kubeconfig that kubelet.service is told"}
# What is not told by a file.
DERIVED = {
    "all": "every node",
    "worker": "a kubelet, and nothing of a control plane",
    "hypervisor": "libvirt or openstack_compute",
}


def look(root: str = "") -> Look:
    """Begin to look for the groups of this host; `collect` waits for what is found."""
    return Look(lambda group: _evidence(root, group), (*EVIDENCE, *ASIDE))


def collect(begun: Look, configured: list[str], settings_file: str) -> tuple[dict[str, str], list[str]]:
    """Return {group: how it was found}, and what went wrong; `configured` are the groups that the settings add."""
    found = begun.answers(time.monotonic() + SECONDS)
    control_planes = [found.get("control_plane", NOT_FOUND_OUT), found.pop(OTHER_CONTROL_PLANE, NOT_FOUND_OUT)]
    other_engine = found.pop(OTHER_ENGINE, None) or found.get("kubelet")
    is_removed = found.pop(DOCKER_UNIT, NOT_FOUND_OUT) is None
    if (other_engine or is_removed) and found.get("docker") == LEFT_BEHIND:
        found["docker"] = None
    groups = {"all": DERIVED["all"]} | {group: f"{path} exists" for group, path in found.items() if path}
    if "kubelet" in groups and control_planes == [None, None]:
        groups["worker"] = DERIVED["worker"]
    if "libvirt" in groups or "openstack_compute" in groups:
        groups["hypervisor"] = DERIVED["hypervisor"]
    problems = [
        f"whether this node is in the group {group} was not found out: looking for its files did not end"
        for group in EVIDENCE
        if group not in found and group not in configured
    ]
    return groups | dict.fromkeys(configured, f"configured in {settings_file}"), problems


def known() -> set[str]:
    """Return the names of all groups that nodecheck can find out."""
    return {*DERIVED, *EVIDENCE}


def _evidence(root: str, group: str) -> str | None:
    found = _first_existing(root, ASIDE[group] if group in ASIDE else EVIDENCE[group])
    return found or (_kubeconfig_of_unit(root) if group == "kubelet" else None)


def _kubeconfig_of_unit(root: str) -> str | None:
    """Return a kubeconfig that kubelet.service is told, where it is there: only kubeadm's is at a place of its own."""
    if not _first_existing(root, _installed("kubelet.service")):
        return None
    from nodecheck.node.facts import kubelet  # which knows the groups

    with suppress(OSError):  # as elsewhere here, what may not be read is not there
        flags = kubelet.flags_of_service(root)
        paths = [flags[name] for name in ("kubeconfig", "bootstrap-kubeconfig") if name in flags]
        return next((path for path in paths if os.path.isfile(root + path)), None)
    return None


def _first_existing(root: str, patterns: tuple[str, ...]) -> str | None:
    for pattern in patterns:
        if found := [path for path in _fitting(root, pattern) if os.path.lexists(root + path)]:
            return min(found)
    return None


def _fitting(root: str, pattern: str) -> list[str]:
    """Return the paths that may fit a pattern; glob would list a folder for each pattern anew."""
    folder, star, _ = pattern.partition("*")
    if not star:
        return [pattern]
    folder = folder.rpartition("/")[0]
    wanted, slash, rest = pattern.removeprefix(f"{folder}/").partition("/")
    fitting = [f"{folder}/{name}{slash}{rest}" for name in _names(root + folder) if _fits(name, wanted)]
    return [path for found in fitting for path in _fitting(root, found)] if "*" in rest else fitting


def _fits(name: str, wanted: str) -> bool:
    start, *middle, end = wanted.split("*")
    has_all = all(part in name for part in middle)
    return name.startswith(start) and has_all and name.endswith(end) and not name.startswith(".")


@functools.cache
def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
