"""Pods of add-ons on this node, read off the kubelet's own folders, and what they were told."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from nodecheck.node.facts import cluster_dns, coredns, dashboard, heapster, ingress_nginx, metrics_server

UID = "a2eb8b49-260d-4021-875a-5d18fdc50186"
OTHER = "ba19c708-e897-472b-9552-d58ec904a463"
COREFILE = """\
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
}
"""
IN_POD = """\
# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
{address}\t{name}

# Entries added by HostAliases.
192.0.2.7\tregistry
"""
ON_HOST = "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n10.77.0.179 cp1\n"
CGROUPFS = "sys/fs/cgroup/systemd/kubepods/burstable/pod{uid}"
SYSTEMD = "sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid}.slice"

# Of a node of kind, whose kubelet is told --cgroup-root=/kubelet.
KIND = "sys/fs/cgroup/kubelet/kubepods/burstable/pod{uid}"
KIND_SYSTEMD = (
    "sys/fs/cgroup/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice"
    "/kubelet-kubepods-burstable-pod{uid}.slice"
)


def write(root: pathlib.Path, path: str, text: str = "") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def pod(root: pathlib.Path, name: str, hosts: str = "", command: str = "", *, group: str = CGROUPFS) -> None:
    """A pod as the kubelet of 1.20 leaves it in the file system; `name` is namespace_name."""
    (root / f"var/log/pods/{name}_{UID}").mkdir(parents=True)
    if hosts:
        write(root, f"var/lib/kubelet/pods/{UID}/etc-hosts", hosts.format(address="10.244.0.5", name=name))
    folder = group.format(uid=UID.replace("-", "_") if group.endswith(".slice") else UID)
    write(root, f"{folder}/abc/cgroup.procs", "77\n" if command else "")
    if command:
        write(root, "proc/77/cmdline", "\0".join(command.split()) + "\0")


def found(subject: Any, root: pathlib.Path) -> dict[str, Any]:
    parts: dict[str, Any] = subject.find(str(root))[0]
    return parts


@pytest.mark.parametrize("group", [CGROUPFS, SYSTEMD])
def test_coredns_is_told_by_its_pods_and_their_corefile(tmp_path: pathlib.Path, group: str) -> None:
    pod(tmp_path, "kube-system_coredns-74ff55c5b-8tsq6", IN_POD, "/coredns -conf /etc/coredns/Corefile", group=group)
    write(tmp_path, f"var/lib/kubelet/pods/{UID}/volumes/kubernetes.io~configmap/config-volume/Corefile", COREFILE)
    expected = {
        "servers": ["10.244.0.5"],
        "health": ["http://10.244.0.5:8080"],
        "ready": ["http://10.244.0.5:8181"],
        "inherits_name_servers": True,
    }
    assert (expected, "/var/log/pods") == coredns.find(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".:53 {\n  health :9080\n  ready 0.0.0.0:9181\n  forward . 192.0.2.1\n}", (["9080"], ["9181"], False)),
        (".:53 {\n  # health\n  errors\n  proxy . /etc/resolv.conf\n}", ([], [], True)),
        ("", (["8080"], ["8181"], True)),
    ],
)
def test_ports_and_upstreams_are_those_of_the_corefile(
    tmp_path: pathlib.Path, text: str, expected: tuple[list[str], list[str], bool]
) -> None:
    pod(tmp_path, "kube-system_coredns-74ff55c5b-8tsq6", IN_POD)
    write(tmp_path, f"var/lib/kubelet/pods/{UID}/volumes/kubernetes.io~configmap/config-volume/Corefile", text)
    parts = found(coredns, tmp_path)
    ports = [[url.rpartition(":")[2] for url in parts[plugin]] for plugin in ("health", "ready")]
    assert expected == (*ports, parts["inherits_name_servers"])


@pytest.mark.parametrize("group", [CGROUPFS, SYSTEMD, KIND, KIND_SYSTEMD])
def test_flags_are_read_off_the_processes_in_the_control_group_of_a_pod(tmp_path: pathlib.Path, group: str) -> None:
    pod(tmp_path, "kube-system_metrics-server-h66vb", IN_POD, "/metrics-server --secure-port=10250", group=group)
    (tmp_path / f"var/log/pods/kube-system_metrics-server-984mm_{OTHER}").mkdir()  # it has ended
    write(tmp_path, f"var/lib/kubelet/pods/{OTHER}/etc-hosts", IN_POD.format(address="10.244.0.3", name="x"))

    assert found(metrics_server, tmp_path)["endpoints"] == ["https://10.244.0.5:10250"]


def test_a_pod_that_has_ended_is_none_although_its_logs_stay(tmp_path: pathlib.Path) -> None:
    pod(tmp_path, "kube-system_coredns-74ff55c5b-8tsq6", IN_POD)
    (tmp_path / f"var/log/pods/kube-system_coredns-74ff55c5b-984mm_{OTHER}").mkdir()
    write(tmp_path, f"var/lib/kubelet/pods/{OTHER}/etc-hosts", IN_POD.format(address="10.244.0.3", name="x"))

    assert found(coredns, tmp_path)["servers"] == ["10.244.0.5"]


def test_where_no_control_group_is_to_be_seen_every_pod_may_run(tmp_path: pathlib.Path) -> None:
    (tmp_path / f"var/log/pods/kube-system_coredns-74ff55c5b-984mm_{OTHER}").mkdir(parents=True)
    write(tmp_path, f"var/lib/kubelet/pods/{OTHER}/etc-hosts", IN_POD.format(address="10.244.0.3", name="x"))

    assert found(coredns, tmp_path)["servers"] == ["10.244.0.3"]


def test_a_pod_without_an_address_has_no_endpoint(tmp_path: pathlib.Path) -> None:
    pod(tmp_path, "kube-system_coredns-74ff55c5b-8tsq6")
    assert (found(coredns, tmp_path)["servers"], found(coredns, tmp_path)["health"]) == ([], [])


def test_an_address_of_ipv6_is_in_brackets(tmp_path: pathlib.Path) -> None:
    pod(tmp_path, "kube-system_metrics-server-h66vb", IN_POD.replace("{address}", "fd00:10:244::5"))
    assert found(metrics_server, tmp_path)["endpoints"] == ["https://[fd00:10:244::5]:443"]


@pytest.mark.parametrize(
    ("subject", "name", "command", "expected"),
    [
        (metrics_server, "kube-system_metrics-server-h66vb", "/metrics-server --secure-port=4443", ["https://10.244.0.5:4443"]),
        (metrics_server, "kube-system_metrics-server-h66vb", "/metrics-server --secure-port 10250", ["https://10.244.0.5:10250"]),
        (heapster, "kube-system_heapster-mrhhn", "/heapster --source=kubernetes:https://x", ["http://10.244.0.5:8082"]),
        (dashboard, "kubernetes-dashboard_kubernetes-dashboard-j6d8r", "/dashboard --auto-generate-certificates", ["https://10.244.0.5:8443"]),
        (dashboard, "kube-system_kubernetes-dashboard-j6d8r", "/dashboard --insecure-port=9091", ["http://10.244.0.5:9091"]),
        (dashboard, "kube-system_kubernetes-dashboard-j6d8r", "", ["https://10.244.0.5:8443"]),
        (dashboard, "kubernetes-dashboard_kubernetes-dashboard-web-6b-x", "/web", ["http://10.244.0.5:8000"]),
        (dashboard, "kubernetes-dashboard_dashboard-metrics-scraper-7b-x", "", ["http://10.244.0.5:8000"]),
        (dashboard, "kubernetes-dashboard_kubernetes-dashboard-kong-7b-x", "", []),
        (dashboard, "kubernetes-dashboard_kubernetes-dashboard-7b-x", "", ["https://10.244.0.5:8443"]),
        (dashboard, "kubernetes-dashboard_kubernetes-dashboard-metrics-server-7b-x", "/metrics-server", []),
        (dashboard, "kubernetes-dashboard_kubernetes-dashboard-cert-manager-webhook-7b-x", "/app/webhook", []),
        (dashboard, "shop_dashboard-7b-x", "/usr/bin/node server.js", []),
    ],
)  # fmt: skip
def test_the_endpoint_of_a_pod_has_the_port_of_its_command_line(
    tmp_path: pathlib.Path, subject: Any, name: str, command: str, expected: list[str]
) -> None:
    pod(tmp_path, name, IN_POD, command)
    assert {"endpoints": expected} == found(subject, tmp_path)


@pytest.mark.parametrize(
    ("hosts", "command", "expected"),
    [
        (IN_POD, "", {"health": ["http://10.244.0.5:10254/healthz"], "host_ports": []}),
        (ON_HOST, "", {"health": ["http://127.0.0.1:10254/healthz"], "host_ports": [80, 443]}),
        (ON_HOST, "/nginx-ingress -nginx-plus=false -nginx-status-port=8080", {"health": [], "host_ports": []}),
        (
            ON_HOST,
            "/nginx-ingress-controller --healthz-host=10.77.0.179 --health-check-path=/live",
            {"health": ["http://10.77.0.179:10254/live"], "host_ports": [80, 443]},
        ),
        (
            ON_HOST,
            "/nginx-ingress-controller --healthz-port=10354 --http-port=8080 --https-port=8443",
            {"health": ["http://127.0.0.1:10354/healthz"], "host_ports": [8080, 8443]},
        ),
    ],
)
def test_the_ingress_controller_has_ports_of_the_host_only_in_its_network(
    tmp_path: pathlib.Path, hosts: str, command: str, expected: dict[str, Any]
) -> None:
    pod(tmp_path, "ingress-nginx_ingress-nginx-controller-f8mbr", hosts, command)
    assert expected == found(ingress_nginx, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "clusterDNS: [10.96.0.10]\nclusterDomain: example.org\n",
            {
                "servers": ["10.96.0.10"],
                "ipv4": True,
                "ipv6": False,
                "name": "kubernetes.default.svc.example.org",
                "resolv_conf": ["/etc/resolv.conf"],
                "circular": r"127\.|::1$|10\.96\.0\.10$",
            },
        ),
        (
            "resolvConf: /run/systemd/resolve/resolv.conf\n",
            {
                "servers": [],
                "ipv4": True,
                "ipv6": False,
                "name": "kubernetes.default.svc.cluster.local",
                "resolv_conf": ["/run/systemd/resolve/resolv.conf"],
                "circular": r"127\.|::1$",
            },
        ),
        (
            "clusterDNS: ['fd00::a']\n",
            {
                "servers": ["fd00::a"],
                "ipv4": False,
                "ipv6": True,
                "name": "kubernetes.default.svc.cluster.local",
                "resolv_conf": ["/etc/resolv.conf"],
                "circular": r"127\.|::1$|fd00::a$",
            },
        ),
    ],
)
def test_the_dns_of_the_cluster_is_what_the_kubelet_tells_pods(
    tmp_path: pathlib.Path, text: str, expected: dict[str, Any]
) -> None:
    write(tmp_path, "var/lib/kubelet/config.yaml", text)
    assert expected == found(cluster_dns, tmp_path)
