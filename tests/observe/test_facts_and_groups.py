import os
import pathlib
import time

import pytest

from nodecheck.node import facts, groups
from nodecheck.node.facts import Fact
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
    seen, problems = groups.collect(groups.look(str(root)), [], "")
    assert problems == []
    return seen.keys() - {"all"}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], set()),
        (["run/systemd/system/x"], {"systemd"}),
        ([f"{WANTS}/docker.service"], {"docker"}),
        (["etc/systemd/system/sockets.target.wants/docker.socket"], {"docker"}),
        (["etc/systemd/system/my.service.requires/docker.service"], {"docker"}),
        (["run/docker.pid"], {"docker"}),
        (["var/lib/docker/containers/ab", "lib/systemd/system/docker.service"], {"docker"}),
        (["var/lib/docker/containers/ab"], set()),  # it was removed
        (["var/lib/docker/containers/ab", "var/lib/kubelet/config.yaml"], {"kubelet", "worker"}),
        (
            ["var/lib/docker/containers/ab", "run/docker.pid", "etc/kubernetes/kubelet.conf"],
            {"docker", "kubelet", "worker"},
        ),
        (["var/lib/docker/containers/ab", "run/user/1000/docker.sock"], set()),
        (["var/lib/docker/containers/ab", f"{WANTS}/k3s.service"], set()),
        (["var/lib/docker/containers/ab", f"{WANTS}/docker.service", "run/user/1000/docker.pid"], {"docker"}),
        (["lib/systemd/system/docker.service", "usr/bin/dockerd"], set()),
        ([f"{WANTS}/containerd.service"], {"containerd"}),
        (["run/containerd/containerd.sock"], {"containerd"}),
        (["run/crio/crio.sock"], {"crio"}),
        ([f"{WANTS}/cri-docker.service"], {"cri_dockerd"}),
        (["run/cri-dockerd.sock"], {"cri_dockerd"}),
        ([f"{WANTS}/rkt-api.service"], {"rkt"}),
        (["var/lib/rkt/pods/run/ab"], {"rkt"}),
        (["run/systemd/container"], {"container"}),
        ([".dockerenv"], {"container"}),
        (["sys/class/net/cni0/mtu"], {"bridged_pods"}),
        (["var/lib/kubelet/config.yaml"], {"kubelet", "worker"}),
        (["etc/kubernetes/bootstrap-kubelet.conf"], {"kubelet", "worker"}),
        (["etc/kubernetes/kubelet.conf", "etc/kubernetes/manifests/kube-apiserver.yaml"], {"kubelet", "control_plane"}),
        (["etc/kubernetes/manifests/kube-controller-manager.yaml"], {"control_plane"}),
        (["etc/kubernetes/kubelet.conf", "etc/kubernetes/controller-manager.conf"], {"kubelet", "control_plane"}),
        (["etc/kubernetes/pki/apiserver.crt"], {"control_plane"}),
        (["etc/kubernetes/manifests/etcd.yaml"], {"etcd"}),
        (["etc/kubernetes/pki/etcd/server.crt"], {"etcd"}),
        (["var/lib/kubelet/pods/6889/volumes/kubernetes.io~configmap/kube-proxy/config.conf"], {"kube_proxy"}),
        (["var/log/pods/kube-system_kube-proxy-nhg8d_6889/kube-proxy/0.log"], {"kube_proxy"}),
        ([f"{WANTS}/kube-proxy.service"], {"kube_proxy"}),
        ([f"{WANTS}/etcd.service"], {"etcd"}),
        (["var/lib/kubelet/kubeadm-flags.env"], {"kubeadm"}),
        (["run/flannel/subnet.env"], {"flannel"}),
        (["etc/cni/net.d/10-flannel.conflist"], {"flannel"}),
        (["var/log/pods/kube-system_coredns-74ff55c5b-8tsq6_a2eb8b49/x"], {"coredns"}),
        (["var/log/pods/ingress-nginx_ingress-nginx-controller-f8mbr_a2eb8b49/x"], {"ingress_nginx"}),
        (["var/log/pods/kubernetes-dashboard_kubernetes-dashboard-api-6b-x_a2eb8b49/x"], {"dashboard"}),
        (["var/log/pods/kube-system_heapster-mrhhn_a2eb8b49/x"], {"heapster"}),
        (["var/log/pods/kube-system_metrics-server-h66vb_a2eb8b49/x"], {"metrics_server"}),
        (["var/log/pods/default_my-coredns-exporter_a2eb8b49/x"], set()),
        (["etc/cni/net.d/10-calico.conflist"], {"calico"}),
        (["etc/cni/net.d/05-cilium.conflist"], {"cilium"}),
        (["etc/systemd/system/sockets.target.wants/virtqemud.socket"], {"libvirt", "hypervisor"}),
        ([f"{WANTS}/nova-compute.service"], {"openstack", "openstack_compute", "hypervisor"}),
        (["etc/nova/nova-compute.conf"], {"openstack", "openstack_compute", "hypervisor"}),
        (
            ["var/log/pods/openstack_nova-compute-default-x7_a2eb8b49/x"],
            {"openstack", "openstack_compute", "hypervisor"},
        ),
        (["var/log/pods/openstack_libvirt-libvirt-default-x7_a2eb8b49/x"], {"openstack", "libvirt", "hypervisor"}),
        ([f"{WANTS}/neutron-l3-agent.service"], {"openstack", "openstack_network"}),
        ([f"{WANTS}/keystone.service"], {"openstack"}),
        ([f"{WANTS}/kolla-keystone-container.service"], {"openstack"}),
        (["etc/apache2/sites-enabled/keystone.conf"], {"openstack"}),
        ([f"{WANTS}/rabbitmq-server.service"], {"rabbitmq"}),
        ([f"{WANTS}/mariadb.service"], {"mariadb"}),
        ([f"{WANTS}/memcached.service"], {"memcached"}),
        (["lib/systemd/system/ovs-vswitchd.service"], set()),
        ([f"{WANTS}/openvswitch-switch.service"], {"openvswitch"}),
        (["run/openvswitch/db.sock"], {"openvswitch"}),
        ([f"{WANTS}/chrony.service"], {"chrony"}),
    ],
)
def test_a_group_is_read_off_the_files_of_the_node(
    tmp_path: pathlib.Path, paths: list[str], expected: set[str]
) -> None:
    make(tmp_path, *paths)
    assert expected == found(tmp_path)


EKS = "[Service]\nEnvironmentFile=/etc/eks/kubelet/environment\nExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS\n"
GKE = "[Service]\nEnvironmentFile=/etc/default/kubelet\nExecStart=/home/kubernetes/bin/kubelet $KUBELET_OPTS\n"
JOINED = "/var/lib/kubelet/kubeconfig"


@pytest.mark.parametrize(
    ("unit", "environment", "kubeconfig"),
    [
        (EKS, ("etc/eks/kubelet/environment", f'NODEADM_KUBELET_ARGS="--v=2 --kubeconfig={JOINED}"\n'), JOINED),
        (GKE, ("etc/default/kubelet", f'KUBELET_OPTS="--v=2 --kubeconfig={JOINED} --max-pods=110"\n'), JOINED),
        (
            EKS,
            ("etc/eks/kubelet/environment", "NODEADM_KUBELET_ARGS=--kubeconfig=/no --bootstrap-kubeconfig=/b.conf\n"),
            "/b.conf",
        ),
        ("[Service]\nExecStart=kubelet \\\n  --kubeconfig /opt/k.conf \\\n  --v=2\n", ("etc/none", ""), "/opt/k.conf"),
    ],
)
def test_a_kubelet_that_kubeadm_did_not_set_up_is_known_by_its_kubeconfig(
    tmp_path: pathlib.Path, unit: str, environment: tuple[str, str], kubeconfig: str
) -> None:
    write(tmp_path, "etc/systemd/system/kubelet.service", unit)
    write(tmp_path, *environment)
    assert found(tmp_path) == set()  # it has not joined

    write(tmp_path, kubeconfig.lstrip("/"), "users: []\n")
    seen, problems = groups.collect(groups.look(str(tmp_path)), [], "")
    assert (seen["kubelet"], "worker" in seen, problems) == (f"{kubeconfig} exists", True, [])


@pytest.mark.parametrize("manifest", ["kube-apiserver.manifest", "kube-apiserver-pod.yaml"])
def test_a_control_plane_that_kubeadm_did_not_make_is_no_worker(tmp_path: pathlib.Path, manifest: str) -> None:
    make(tmp_path, "var/lib/kubelet/config.yaml", f"etc/kubernetes/manifests/{manifest}")
    assert {"kubelet"} == found(tmp_path)


def test_a_group_says_how_it_was_found(tmp_path: pathlib.Path) -> None:
    make(tmp_path, f"{WANTS}/docker.service", "run/docker.pid", "etc/kubernetes/kubelet.conf")
    expected = {
        "all": "every node",
        "docker": f"/{WANTS}/docker.service exists",
        "kubelet": "/etc/kubernetes/kubelet.conf exists",
        "worker": "a kubelet, and nothing of a control plane",
        "gpu": "configured in nodecheck.yaml",
    }
    assert (expected, []) == groups.collect(groups.look(str(tmp_path)), ["gpu"], "nodecheck.yaml")


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
        "whether this node is in the group docker was not found out: looking for its files did not end",
        "whether this node is in the group control_plane was not found out: looking for its files did not end",
    ]


# ---- facts


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("", []),
        ("# nameserver 192.0.2.1\nsearch example.org\n", []),
        (
            "nameserver 192.0.2.1\nnameserver\t2001:db8::1 \nnameserver fe80::1%eth0\nnameserver 192.0.2.4\n",
            ["192.0.2.1", "2001:db8::1"],
        ),
        ("".join(f"nameserver 192.0.2.{number}\n" for number in range(5)), ["192.0.2.0", "192.0.2.1", "192.0.2.2"]),
    ],
)
def test_the_name_servers_are_those_that_programs_ask(tmp_path: pathlib.Path, text: str, servers: list[str]) -> None:
    write(tmp_path, "etc/resolv.conf", text)
    assert {"addresses": servers} == facts.collect(str(tmp_path), {"all"})["name_servers"].value


def test_a_node_without_resolv_conf_names_no_server(tmp_path: pathlib.Path) -> None:
    assert facts.collect(str(tmp_path), {"all"})["name_servers"].value == {"addresses": []}


def write(root: pathlib.Path, path: str, text: str) -> None:
    make(root, path)
    (root / path).write_text(text)


def test_facts_say_where_they_come_from(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "etc/machine-id", "0123456789abcdef\n")
    write(tmp_path, "proc/sys/kernel/random/boot_id", "01234567-89ab-cdef\n")
    write(tmp_path, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian 12'\n# a comment\n")
    write(tmp_path, "proc/1/comm", "systemd\n")
    seen = facts.collect(str(tmp_path))
    assert seen["machine_id"] == Fact("0123456789abcdef", "/etc/machine-id")
    assert seen["boot_id"] == Fact("0123456789abcdef", "/proc/sys/kernel/random/boot_id")
    assert seen["os"] == Fact({"id": "debian", "version": "12", "name": "Debian 12"}, "/etc/os-release")
    assert seen["init"] == Fact("systemd", "/proc/1/comm")
    assert (os.uname().nodename, os.uname().release) == (seen["hostname"].value, seen["kernel"].value)


def test_what_could_not_be_found_out_is_none(tmp_path: pathlib.Path) -> None:
    seen = {name: fact.value for name, fact in facts.collect(str(tmp_path)).items()}
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
    assert Fact(expected, f"/{path}") == facts.collect(str(tmp_path))["virtualization"]


# ---- subjects


def test_a_subject_that_the_node_does_not_have_is_none(tmp_path: pathlib.Path) -> None:
    assert Fact(None, "not in the group kubelet") == facts.collect(str(tmp_path), ())["kubelet"]


def test_a_subject_has_the_parts_that_it_documents(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "var/lib/kubelet/config.yaml", "port: 10350\ncgroupDriver: systemd\n")
    seen = facts.collect(str(tmp_path), {"kubelet"})["kubelet"]

    assert seen.value.keys() == facts.subject_named("kubelet").PARTS.keys()
    assert tuple(seen.value[part] for part in ("port", "cgroup_driver", "healthz_port")) == (10350, "systemd", 10248)
    assert seen.source == "/var/lib/kubelet/config.yaml"


def test_a_flag_wins_over_the_file_as_the_last_one_does_over_the_first(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "var/lib/kubelet/config.yaml", "port: 10350\nfailSwapOn: true\n")
    flags = "--port=1 --port 10450 --fail-swap-on=false --cluster-dns=10.0.0.1"
    write(tmp_path, "etc/default/kubelet", f'# KUBELET_EXTRA_ARGS="--port=2"\nKUBELET_EXTRA_ARGS="{flags}"\n')
    seen = facts.collect(str(tmp_path), {"kubelet"})["kubelet"].value

    assert (seen["port"], seen["fail_swap_on"], seen["cluster_dns"]) == (10450, False, ["10.0.0.1"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "/var/lib/kubelet/config.yaml: it is no YAML: while parsing a flow node"),
        ("- a", "/var/lib/kubelet/config.yaml: it holds no mapping"),
        ("port: [1]", "/var/lib/kubelet/config.yaml: port is [1]"),
        ("port: 65536", "/var/lib/kubelet/config.yaml: port is 65536"),
    ],
)
def test_a_file_that_holds_something_else_leaves_the_subject_unknown(
    tmp_path: pathlib.Path, text: str, problem: str
) -> None:
    write(tmp_path, "var/lib/kubelet/config.yaml", text)
    seen = facts.collect(str(tmp_path), {"kubelet"})["kubelet"]

    assert Fact(None, "/var/lib/kubelet/config.yaml", problem, malformed=True) == seen


def test_a_file_that_hangs_leaves_the_subject_unknown(tmp_path: pathlib.Path) -> None:
    make(tmp_path, "var/lib/kubelet/config.yaml")
    (tmp_path / "var/lib/kubelet/config.yaml").unlink()
    os.mkfifo(tmp_path / "var/lib/kubelet/config.yaml")

    assert facts.collect(str(tmp_path), {"kubelet"})["kubelet"].problem == facts.HANGS
