"""How the kube-proxy of this node is configured: the config map that its pod mounts, or its flags.

https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/
"""

from __future__ import annotations

import glob
import re
from typing import Any

from nodecheck.node.facts._components import Component, from_manifest, from_unit, is_enabled, number_of, reachable
from nodecheck.node.facts._files import flags_of, mapping_of, text_if_there
from nodecheck.node.facts._pods import LOGS, Pod, configurations_of, folder_of_pods, pods_named

GROUP = "kube_proxy"
PARTS = {
    "form": "pod or service",
    "mode": "iptables, ipvs, nftables or kernelspace",
    "family": "ipv6 where the pods have no addresses of IPv4, else ipv4",
    "port": "port at which it says whether it lives; 0: none",
    "host": "address at which this node asks it",
}
MOUNTED = "*/volumes/kubernetes.io~configmap/kube-proxy/config.conf"  # by kubeadm
KIND = re.compile(r"""\bkind["']?:\s*["']?KubeProxyConfiguration\b""")
UNIT = "kube-proxy.service"
PORT = 10256


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return how it is configured, and in which file. Raises OSError, Unreadable."""
    pods = pods_named(root, r"kube-system_kube-proxy-[^_]+")
    if mounted := _mounted(root, pods):
        return _parts("pod", mapping_of(root + mounted), {}), mounted
    if told := _flags(pods):
        return _parts("pod", {}, told), LOGS
    form, found = "pod", from_manifest(root, "kube-proxy")
    if not found and is_enabled(root, UNIT):
        form, found = "service", from_unit(root, UNIT)
    found = found or Component("its defaults", {})
    path = found.flags.get("config", "")
    data = mapping_of(root + path) if path and text_if_there(root + path) else {}
    return _parts(form, data, found.flags), path if data else found.path


def _mounted(root: str, pods: list[Pod]) -> str:
    """Return the file that its pod reads; "" where there is none. That of EKS is config, in a volume of this name."""
    of_kubeadm = sorted(glob.glob(f"{root}{folder_of_pods(root)}/{MOUNTED}"))
    others = (path for pod in pods for path in configurations_of(root, pod) if KIND.search(text_if_there(root + path)))
    return of_kubeadm[0].removeprefix(root) if of_kubeadm else next(others, "")


def _flags(pods: list[Pod]) -> dict[str, str]:
    """Return the flags of the process of its pod, as on GKE and AKS: none where none can be seen."""
    words = (words for pod in pods for words in pod.commands if words and words[0].rpartition("/")[2] == "kube-proxy")
    return next((flags_of(each[1:]) for each in words), {})


def _parts(form: str, data: dict[str, Any], flags: dict[str, str]) -> dict[str, Any]:
    """With a file, kube-proxy reads no flags; without a port in its address, it is the usual one.

    "Set empty to disable" is said of the flag of that address, by older ones; in the file, that is the default.
    """
    is_disabled = not data and flags.get("healthz-bind-address") == ""
    told = str(data.get("healthzBindAddress") or "") if data else flags.get("healthz-bind-address", "")
    pods = data.get("clusterCIDR") if data else flags.get("cluster-cidr")
    bound, _, port = told.rpartition(":") if told.count(":") == 1 or "]:" in told else (told, "", "")
    return {
        "form": form,
        "mode": str((data.get("mode") if data else flags.get("proxy-mode")) or "iptables"),
        "family": "ipv6" if _is_ipv6_only(str(pods or "")) else "ipv4",
        "port": 0 if is_disabled else number_of(port or flags.get("healthz-port"), PORT),
        "host": reachable(bound),
    }


def _is_ipv6_only(networks: str) -> bool:
    return bool(networks) and all(":" in network for network in networks.split(","))
