"""The ingress controller ingress-nginx, where one of its pods is on this node: ports are those of its command line."""

from __future__ import annotations

from typing import Any

from nodecheck.node.facts._pods import LOGS, Pod, flag_of, pods_named, with_address

GROUP = "ingress_nginx"
PARTS = {
    "health": "URLs of its pods that say that the controller and its nginx work",
    "host_ports": "ports of this host that its nginx listens on; none unless a pod has the network of the host",
}
OTHER = "nginx-ingress"  # the program of F5's, whose pods may have the same name, and which is asked otherwise


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    pods = with_address(pods_named(root, r"[^_]+_(ingress-nginx|nginx-ingress)(-[^_]*)?-controller-[^_]+"))
    pods = [pod for pod in pods if not any(words and _program(words) == OTHER for words in pod.commands)]
    on_host = [pod for pod in pods if pod.host_network]
    flags = (("http-port", "80"), ("https-port", "443"))
    return {
        "health": [_health(pod) for pod in pods],
        "host_ports": sorted({int(flag_of(pod, name, default)) for pod in on_host for name, default in flags}),
    }, LOGS


def _program(words: tuple[str, ...]) -> str:
    return words[0].rpartition("/")[2]


def _health(pod: Pod) -> str:
    """Return where it says so; in the network of the host, it may be told an address of that."""
    told = flag_of(pod, "healthz-host", "") if pod.host_network else ""
    here = pod if told in ("", "0.0.0.0", "::") else pod._replace(address=f"[{told}]" if ":" in told else told)
    return here.base("http", flag_of(pod, "healthz-port", "10254")) + flag_of(pod, "health-check-path", "/healthz")
