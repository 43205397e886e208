"""How the kube-proxy of a node is configured, as pod and as service."""

from __future__ import annotations

import pathlib

import pytest

from nodecheck.node import facts

MOUNTED = "var/lib/kubelet/pods/6889a8dc/volumes/kubernetes.io~configmap/kube-proxy/config.conf"
UNIT = "lib/systemd/system/kube-proxy.service"


UID = "2cd06b5d-00e8-4b28-aad8-8e681c833315"
POD = {f"var/log/pods/kube-system_kube-proxy-x7_{UID}/0.log": ""}
PROCESS = {
    f"sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID.replace('-', '_')}.slice"
    "/cgroup.procs": "76\n77\n",
    "proc/76/cmdline": "/pause\0",
    "proc/77/cmdline": "kube-proxy\0--v=2\0--proxy-mode=nftables\0--healthz-bind-address=0.0.0.0:10300\0",
}
EKS = f"var/lib/kubelet/pods/{UID}/volumes/kubernetes.io~configmap"
MANAGED = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: nftables\n"
ELSEWHERE = {"etc/default/kubelet": "KUBELET_EXTRA_ARGS=--root-dir=/data/kubelet/\n"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            POD | {f"{EKS}/kubeconfig/kubeconfig": "kind: Config\n", f"{EKS}/config/config": MANAGED},
            ("pod", "nftables", "ipv4", 10256, "127.0.0.1"),
        ),
        (POD | PROCESS, ("pod", "nftables", "ipv4", 10300, "127.0.0.1")),
        (
            ELSEWHERE | {MOUNTED.replace("var/lib", "data"): "mode: ipvs\n"},
            ("pod", "ipvs", "ipv4", 10256, "127.0.0.1"),
        ),
        ({}, ("pod", "iptables", "ipv4", 10256, "127.0.0.1")),
        (
            {MOUNTED: 'healthzBindAddress: ""\nmode: ""\nclusterCIDR: 10.244.0.0/16\n'},
            ("pod", "iptables", "ipv4", 10256, "127.0.0.1"),
        ),
        (
            {MOUNTED: "healthzBindAddress: 10.0.0.5:10300\nmode: ipvs\nclusterCIDR: 'fd00::/48,10.244.0.0/16'\n"},
            ("pod", "ipvs", "ipv4", 10300, "10.0.0.5"),
        ),
        (
            {MOUNTED: "healthzBindAddress: '[::]:10256'\nclusterCIDR: fd00::/48\n"},
            ("pod", "iptables", "ipv6", 10256, "127.0.0.1"),
        ),
        ({MOUNTED: "healthzBindAddress: fd00::5\n"}, ("pod", "iptables", "ipv4", 10256, "[fd00::5]")),
        (
            {UNIT: "[Service]\nExecStart=/usr/bin/kube-proxy --proxy-mode=ipvs --healthz-bind-address=0.0.0.0:10300\n"},
            ("service", "ipvs", "ipv4", 10300, "127.0.0.1"),
        ),
        (
            {UNIT: "[Service]\nExecStart=/usr/bin/kube-proxy --healthz-port=0\n"},
            ("service", "iptables", "ipv4", 0, "127.0.0.1"),
        ),
        (
            {UNIT: '[Service]\nExecStart=/usr/bin/kube-proxy --healthz-bind-address="" --v=2\n'},
            ("service", "iptables", "ipv4", 0, "127.0.0.1"),
        ),
        (
            {
                UNIT: "[Service]\nEnvironmentFile=/etc/kube-proxy\nExecStart=/usr/bin/kube-proxy \\\n  $ARGS\n",
                "etc/kube-proxy": 'ARGS="--config=/etc/kube-proxy.yaml"\n',
                "etc/kube-proxy.yaml": "mode: nftables\n",
            },
            ("service", "nftables", "ipv4", 10256, "127.0.0.1"),
        ),
    ],
)
def test_it_is_read_off_the_file_that_kube_proxy_reads(
    tmp_path: pathlib.Path, files: dict[str, str], expected: tuple[object, ...]
) -> None:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    if UNIT in files:
        (tmp_path / "etc/systemd/system/multi-user.target.wants").mkdir(parents=True, exist_ok=True)
        (tmp_path / "etc/systemd/system/multi-user.target.wants/kube-proxy.service").symlink_to(f"/{UNIT}")

    assert expected == tuple(facts.collect(str(tmp_path), {"kube_proxy"})["kube_proxy"].value.values())
