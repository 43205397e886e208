"""How pods get their network: the configurations of the CNI, and what flannel was told and has come to."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from nodecheck.node.facts import Unreadable, cni, flannel

DOCKERSHIM = 'KUBELET_KUBEADM_ARGS="--network-plugin=cni --pod-infra-container-image=k8s.gcr.io/pause:3.2"\n'
CONTAINERD = 'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock"\n'
FLANNEL = """{"name": "cbr0", "cniVersion": "0.3.1", "plugins": [
  {"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}"""
BRIDGE = '{"cniVersion": "0.3.1", "name": "lab", "type": "bridge", "bridge": "br0", "ipam": {"type": "host-local"}}'
SUBNET = "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n"
UID = "2cd06b5d-00e8-4b28-aad8-8e681c833315"


def write(root: pathlib.Path, path: str, text: str = "") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def found(subject: Any, root: pathlib.Path, *names: str) -> Any:
    parts = subject.find(str(root))[0]
    return tuple(parts[name] for name in names) if len(names) > 1 else parts[names[0]]


# ---- cni


def test_the_first_configuration_by_name_counts(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/cni/net.d/10-flannel.conflist", FLANNEL)
    write(tmp_path, "etc/cni/net.d/20-lab.conf", BRIDGE)
    write(tmp_path, "etc/cni/net.d/05-old.conflist.bak", BRIDGE)
    write(tmp_path, "opt/cni/bin/portmap")
    expected = {
        "used": False,
        "folder": "/etc/cni/net.d",
        "configurations": ["10-flannel.conflist", "20-lab.conf"],
        "first": "10-flannel.conflist",
        "configured": True,
        "unambiguous": False,
        "plugins": ["flannel", "portmap"],
        "programs": ["/opt/cni/bin/flannel", "/opt/cni/bin/portmap"],
        "bridge": "cni0",
    }
    assert (expected, "/etc/cni/net.d") == cni.find(str(tmp_path))


def test_a_configuration_may_be_one_plugin(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/cni/net.d/10-lab.conf", BRIDGE)
    write(tmp_path, "usr/lib/cni/bridge")
    assert found(cni, tmp_path, "bridge", "programs", "unambiguous") == ("br0", ["/usr/lib/cni/bridge"], True)


def test_where_there_is_none_nothing_is_known_of_it(tmp_path: pathlib.Path) -> None:
    assert found(cni, tmp_path, "configured", "programs", "unambiguous", "bridge") == (False, [], True, "")


def test_what_packages_of_engines_bring_is_no_second_network(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/cni/net.d/10-flannel.conflist", FLANNEL)
    write(tmp_path, "etc/cni/net.d/87-podman-bridge.conflist", BRIDGE)
    write(tmp_path, "etc/cni/net.d/100-crio-bridge.conflist", BRIDGE)
    write(tmp_path, "etc/cni/net.d/11-crio-ipv4-bridge.conflist", BRIDGE)
    write(tmp_path, "etc/cni/net.d/99-loopback.conf", '{"type": "loopback"}')
    assert found(cni, tmp_path, "unambiguous")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (DOCKERSHIM, True),
        (CONTAINERD, True),
        ('KUBELET_KUBEADM_ARGS="--container-runtime=remote --container-runtime-endpoint=/run/crio/crio.sock"\n', True),
        ('KUBELET_KUBEADM_ARGS="--network-plugin=kubenet"\n', False),
        ("", False),
    ],
)
def test_all_runtimes_but_the_dockershim_use_the_cni(tmp_path: pathlib.Path, environment: str, expected: bool) -> None:
    write(tmp_path, "var/lib/kubelet/kubeadm-flags.env", environment)
    assert expected == found(cni, tmp_path, "used")


def test_a_kubelet_of_1_27_and_later_names_its_runtime_in_its_file(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "var/lib/kubelet/config.yaml", "containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n")
    assert found(cni, tmp_path, "used")


def test_the_folders_are_those_of_the_kubelets_flags(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/default/kubelet", "KUBELET_EXTRA_ARGS=--cni-conf-dir=/srv/net.d --cni-bin-dir=/srv/bin\n")
    write(tmp_path, "srv/net.d/10-lab.conf", BRIDGE)
    assert found(cni, tmp_path, "folder", "programs") == ("/srv/net.d", ["/srv/bin/bridge"])


THICK = '{"type": "multus-shim", "name": "multus-cni-network", "clusterNetwork": "%s"}'
THIN = f'{{"type": "multus", "kubeconfig": "/etc/k", "binDir": "/host/srv/bin", "delegates": [{FLANNEL}]}}'
PLAIN = '{"type": "multus", "delegates": [{"type": "flannel"}, {"type": "portmap"}]}'


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (THICK % "/host/etc/cni/net.d/10-flannel.conflist", ["multus-shim", "flannel", "portmap"]),
        (THICK % "cluster", ["multus-shim", "flannel", "portmap"]),
        (THICK % "/etc/cni/multus/net.d", ["multus-shim", "flannel", "portmap"]),
        (THIN, ["multus", "flannel", "portmap"]),
        (PLAIN, ["multus", "flannel", "portmap"]),
    ],
)
def test_behind_multus_stands_the_network_of_all_pods(tmp_path: pathlib.Path, text: str, names: list[str]) -> None:
    write(tmp_path, "etc/cni/net.d/00-multus.conf", text)
    write(tmp_path, "etc/cni/net.d/10-flannel.conflist", FLANNEL)
    write(tmp_path, "etc/cni/multus/net.d/cluster.conflist", FLANNEL)
    assert (names, True) == found(cni, tmp_path, "plugins", "configured")
    assert found(cni, tmp_path, "bridge", "first") == ("cni0", "00-multus.conf")
    assert found(flannel, tmp_path, "used")


def test_the_network_behind_multus_is_no_second_one_and_another_is(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/cni/net.d/00-multus.conf", THICK % "/host/etc/cni/net.d/10-flannel.conflist")
    write(tmp_path, "etc/cni/net.d/10-flannel.conflist", FLANNEL)
    assert found(cni, tmp_path, "unambiguous")

    write(tmp_path, "etc/cni/net.d/05-lab.conf", BRIDGE)
    assert not found(cni, tmp_path, "unambiguous")


def test_programs_are_also_where_multus_is_told_to_look(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/cni/net.d/00-multus.conf", THIN)
    write(tmp_path, "srv/bin/flannel")
    assert found(cni, tmp_path, "programs") == ["/opt/cni/bin/multus", "/srv/bin/flannel", "/opt/cni/bin/portmap"]


@pytest.mark.parametrize("network", ["", "macvlan-of-the-api", "/host/etc/cni/net.d/gone.conf"])
def test_what_multus_does_not_tell_is_not_known(tmp_path: pathlib.Path, network: str) -> None:
    write(tmp_path, "etc/cni/net.d/00-multus.conf", THICK % network)
    write(tmp_path, "etc/cni/net.d/10-flannel.conflist", FLANNEL)
    assert found(cni, tmp_path, "plugins", "bridge") == (["multus-shim"], "")


DEBIAN = '[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/usr/lib/cni"\nconf_dir = "/etc/cni/net.d"\n'
GKE = '[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/home/k8s/bin"\n'
MANY = "[plugins.'io.containerd.cri.v1.runtime'.cni]\nbin_dirs = ['/srv/a', '/srv/b']\nconf_dir = '/srv/net.d'\n"
CRIO = '[crio.network]\nnetwork_dir = "/srv/net.d"\nplugin_dirs = ["/srv/a", "/srv/b"]\n'


@pytest.mark.parametrize(
    ("path", "text", "socket", "expected"),
    [
        ("containerd/config.toml", DEBIAN, "containerd/containerd.sock", ("/etc/cni/net.d", ["/usr/lib/cni/bridge"])),
        (
            "containerd/config.toml",
            GKE,
            "containerd/containerd.sock",
            ("/etc/cni/net.d", ["/home/k8s/bin/bridge"]),
        ),
        ("containerd/config.toml", MANY, "containerd/containerd.sock", ("/srv/net.d", ["/srv/b/bridge"])),
        ("containerd/config.toml", MANY, "k3s/containerd/containerd.sock", ("/etc/cni/net.d", ["/opt/cni/bin/bridge"])),
        ("containerd/config.toml", "", "containerd/containerd.sock", ("/etc/cni/net.d", ["/opt/cni/bin/bridge"])),
        ("crio/crio.conf.d/10-crio.conf", CRIO, "crio/crio.sock", ("/srv/net.d", ["/srv/b/bridge"])),
        ("containerd/config.toml", "not used [", "crio/crio.sock", ("/etc/cni/net.d", ["/opt/cni/bin/bridge"])),
        ("crio/crio.conf", "", "crio/crio.sock", ("/etc/cni/net.d", ["/opt/cni/bin/bridge"])),
    ],
)
def test_the_folders_are_those_of_the_runtime(
    tmp_path: pathlib.Path, path: str, text: str, socket: str, expected: tuple[str, list[str]]
) -> None:
    write(tmp_path, "var/lib/kubelet/config.yaml", f"containerRuntimeEndpoint: unix:///var/run/{socket}\n")
    write(tmp_path, f"etc/{path}", text)
    for there in ("etc/cni/net.d/10-lab.conf", "srv/net.d/10-lab.conf"):
        write(tmp_path, there, BRIDGE)
    for there in ("opt/cni/bin/bridge", "srv/b/bridge"):
        write(tmp_path, there)
    assert expected == found(cni, tmp_path, "folder", "programs")


def test_the_folders_are_those_that_the_unit_of_the_kubelet_or_of_cri_dockerd_tells(tmp_path: pathlib.Path) -> None:
    start = "[Service]\nExecStart={} --network-plugin cni --cni-conf-dir=/srv/net.d --cni-bin-dir=/srv/bin\n"
    write(tmp_path, "srv/net.d/10-lab.conf", BRIDGE)
    write(tmp_path, "etc/systemd/system/kubelet.service", start.format("/usr/bin/kubelet"))
    assert found(cni, tmp_path, "used", "folder", "programs") == (True, "/srv/net.d", ["/srv/bin/bridge"])

    start = start.replace("/srv/bin", "/srv/sbin")
    write(tmp_path, "etc/systemd/system/cri-docker.service", start.format("/usr/bin/cri-dockerd"))
    write(tmp_path, "var/lib/kubelet/config.yaml", "containerRuntimeEndpoint: unix:///run/cri-dockerd.sock\n")
    assert found(cni, tmp_path, "used", "folder", "programs") == (True, "/srv/net.d", ["/srv/sbin/bridge"])


@pytest.mark.parametrize("text", ["{", '{"plugins": "bridge"}', "[]"])
def test_a_configuration_that_cannot_be_read_is_told(tmp_path: pathlib.Path, text: str) -> None:
    write(tmp_path, "etc/cni/net.d/10-lab.conf", text)
    with pytest.raises(Unreadable):
        cni.find(str(tmp_path))


# ---- flannel


def in_pod(root: pathlib.Path, backend: str, command: str = "/opt/bin/flanneld --ip-masq --kube-subnet-mgr") -> None:
    write(root, "etc/cni/net.d/10-flannel.conflist", FLANNEL)
    write(root, "run/flannel/subnet.env", SUBNET)
    (root / f"var/log/pods/kube-flannel_kube-flannel-ds-nl827_{UID}").mkdir(parents=True)
    write(root, f"var/lib/kubelet/pods/{UID}/etc-hosts", "# Kubernetes-managed hosts file (host network).\n")
    folder = f"var/lib/kubelet/pods/{UID}/volumes/kubernetes.io~configmap/flannel-cfg"
    write(root, f"{folder}/net-conf.json", f'{{"Network": "10.244.0.0/16", "Backend": {backend}}}')
    write(root, f"sys/fs/cgroup/kubepods/burstable/pod{UID}/abc/cgroup.procs", "77\n")
    write(root, "proc/77/cmdline", "\0".join(command.split()))


def test_flannel_in_a_pod_is_told_by_its_subnet_file_and_what_the_pod_mounts(tmp_path: pathlib.Path) -> None:
    in_pod(tmp_path, '{"Type": "vxlan"}', "/opt/bin/flanneld --kube-subnet-mgr --healthz-port=8081")
    (tmp_path / "sys/class/net/cni0/bridge").mkdir(parents=True)
    expected = {
        "used": True,
        "in_pod": True,
        "in_service": False,
        "subnet_file": "/run/flannel/subnet.env",
        "network": "10.244.0.0/16",
        "subnet": "10.244.1.0/24",
        "mtu": 1450,
        "backend": "vxlan",
        "overlays": [{"name": "flannel.1", "network": "10.244.0.0/16", "mtu": 1450}],
        "ports": [8472],
        "bridges": [{"name": "cni0", "network": "10.244.1.0/24"}],
        "ready": ["http://127.0.0.1:8081"],
    }
    assert (expected, "/run/flannel/subnet.env") == flannel.find(str(tmp_path))


def test_a_directory_of_the_kubelet_that_is_elsewhere_holds_what_the_pod_mounts(tmp_path: pathlib.Path) -> None:
    in_pod(tmp_path, '{"Type": "wireguard"}', "/opt/bin/flanneld --healthz-port=8081")
    (tmp_path / "data").mkdir()
    (tmp_path / "var/lib/kubelet").rename(tmp_path / "data/kubelet")
    assert found(flannel, tmp_path, "backend", "ready") == ("", [])  # it has no address that is known

    write(tmp_path, "etc/default/kubelet", "KUBELET_EXTRA_ARGS=--root-dir=/data/kubelet\n")
    assert found(flannel, tmp_path, "backend", "ready") == ("wireguard", ["http://127.0.0.1:8081"])


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ('{"Type": "vxlan", "VNI": 4096, "Port": 4789}', ("vxlan", ["flannel.4096"], [4789])),
        ('{"Type": "host-gw"}', ("host-gw", [], [])),
        ('{"Type": "wireguard"}', ("wireguard", ["flannel-wg"], [51820])),
        ('{"Type": "udp"}', ("udp", ["flannel0"], [8285])),
        ("{}", ("udp", ["flannel0"], [8285])),
    ],
)
def test_the_overlay_is_that_of_its_configuration(
    tmp_path: pathlib.Path, backend: str, expected: tuple[str, list[str], list[int]]
) -> None:
    in_pod(tmp_path, backend)
    backend, overlays, ports = found(flannel, tmp_path, "backend", "overlays", "ports")
    assert expected == (backend, [overlay["name"] for overlay in overlays], ports)


def test_before_flannel_has_told_anything_it_has_nothing(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/cni/net.d/10-flannel.conflist", FLANNEL)
    names = ("used", "in_pod", "network", "subnet", "mtu", "overlays", "ports", "bridges", "ready")
    assert found(flannel, tmp_path, *names) == (True, True, "", "", 0, [], [], [], [])


def test_flannel_may_be_a_service(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/systemd/system/multi-user.target.wants/flanneld.service")
    write(tmp_path, "run/flannel/subnet.env", SUBNET)
    assert found(flannel, tmp_path, "used", "in_pod", "in_service") == (True, False, True)


def test_a_configuration_left_behind_by_flannel_is_not_flannel_in_use(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/cni/net.d/05-calico.conflist", '{"plugins": [{"type": "calico"}]}')
    write(tmp_path, "etc/cni/net.d/10-flannel.conflist", FLANNEL)
    assert not found(flannel, tmp_path, "used")


def test_a_configuration_of_flannel_that_is_no_json_is_told(tmp_path: pathlib.Path) -> None:
    in_pod(tmp_path, "{")
    with pytest.raises(Unreadable):
        flannel.find(str(tmp_path))
