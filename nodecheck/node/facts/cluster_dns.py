"""The DNS of the cluster, as the kubelet tells it to the pods of this node."""

from __future__ import annotations

import re
from typing import Any

from nodecheck.node.facts import kubelet

GROUP = "kubelet"
PARTS = {
    "servers": "addresses that pods ask",
    "ipv4": "whether pods have addresses of IPv4, by those of the servers",
    "ipv6": "the same of IPv6",
    "name": "a name that every cluster has: that of its API server",
    "resolv_conf": "the file whose name servers pods inherit that do not ask the cluster; a list, of one at most",
    "circular": "name servers by which CoreDNS would ask itself, as a regular expression",
}
DOMAIN = "cluster.local"
LOOPBACK = (r"127\.", r"::1$")


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError, Unreadable."""
    parts, path = kubelet.find(root)
    servers = [str(server) for server in parts["cluster_dns"]]
    return {
        "servers": servers,
        "ipv4": not servers or any(":" not in server for server in servers),
        "ipv6": any(":" in server for server in servers),
        "name": f"kubernetes.default.svc.{(parts['cluster_domain'] or DOMAIN).rstrip('.')}",
        "resolv_conf": [parts["resolv_conf"]] if parts["resolv_conf"] else [],
        "circular": "|".join([*LOOPBACK, *(f"{re.escape(server)}$" for server in servers)]),
    }, path
