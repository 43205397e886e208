"""How the kube-proxy of this node is configured: the config map that its pod mounts, or the file of its service.

https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/
"""

from __future__ import annotations

import glob
from typing import Any

from nodecheck.node.facts._components import Component, from_manifest, from_unit, is_enabled, number_of, reachable
from nodecheck.node.facts._files import mapping_of, text_if_there

GROUP = "kube_proxy"
PARTS = {
    "form": "pod or service",
    "mode": "iptables, ipvs, nftables or kernelspace",
    "family": "ipv6 where the pods have no addresses of IPv4, else ipv4",
    "port": "port at which it says whether it lives",
    "host": "address at which this node asks it",
}
MOUNTED = "/var/lib/kubelet/pods/*/volumes/kubernetes.io~configmap/kube-proxy/config.conf"
UNIT = "kube-proxy.service"
PORT = 10256


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return how it is configured, and in which file. Raises OSError, Unreadable."""
    mounted = [path.removeprefix(root) for path in sorted(glob.glob(root + MOUNTED))]
    if mounted:
        return _parts("pod", mapping_of(root + mounted[0]), {}), mounted[0]
    form, found = "pod", from_manifest(root, "kube-proxy")
    if not found and is_enabled(root, UNIT):
        form, found = "service", from_unit(root, UNIT)
    found = found or Component("its defaults", {})
    path = found.flags.get("config", "")
    data = mapping_of(root + path) if path and text_if_there(root + path) else {}
    return _parts(form, data, found.flags), path if data else found.path


def _parts(form: str, data: dict[str, Any], flags: dict[str, str]) -> dict[str, Any]:
    """With a file, kube-proxy reads no flags; without a port in its address, it is the usual one."""
    told = str(data.get("healthzBindAddress") or "") if data else flags.get("healthz-bind-address", "")
    pods = data.get("clusterCIDR") if data else flags.get("cluster-cidr")
    bound, _, port = told.rpartition(":") if told.count(":") == 1 or "]:" in told else (told, "", "")
    return {
        "form": form,
        "mode": str((data.get("mode") if data else flags.get("proxy-mode")) or "iptables"),
        "family": "ipv6" if _is_ipv6_only(str(pods or "")) else "ipv4",
        "port": number_of(port or flags.get("healthz-port"), PORT),
        "host": reachable(bound),
    }


def _is_ipv6_only(networks: str) -> bool:
    return bool(networks) and all(":" in network for network in networks.split(","))
