"""The ingress controller ingress-nginx, where one of its pods is on this node: ports are those of its command line."""

from __future__ import annotations

from typing import Any

from nodecheck.node.facts._pods import LOGS, flag_of, pods_named, with_address

GROUP = "ingress_nginx"
PARTS = {
    "health": "URLs of its pods that say that the controller and its nginx work",
    "host_ports": "ports of this host that its nginx listens on; none unless a pod has the network of the host",
}


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    pods = with_address(pods_named(root, r"[^_]+_(ingress-nginx|nginx-ingress)(-[^_]*)?-controller-[^_]+"))
    on_host = [pod for pod in pods if pod.host_network]
    flags = (("http-port", "80"), ("https-port", "443"))
    return {
        "health": [pod.base("http", flag_of(pod, "healthz-port", "10254")) for pod in pods],
        "host_ports": sorted({int(flag_of(pod, name, default)) for pod in on_host for name, default in flags}),
    }, LOGS
