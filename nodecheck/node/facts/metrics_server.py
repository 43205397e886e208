"""metrics-server, where one of its pods is on this node: its port is that of its command line."""

from __future__ import annotations

from typing import Any

from nodecheck.node.facts._pods import LOGS, flag_of, pods_named, with_address

GROUP = "metrics_server"
PARTS = {"endpoints": "URLs of its pods"}


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    pods = with_address(pods_named(root, r"[^_]+_metrics-server-[^_]+"))
    return {"endpoints": [pod.base("https", flag_of(pod, "secure-port", "443")) for pod in pods]}, LOGS
