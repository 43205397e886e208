"""Heapster, which metrics-server replaced, where one of its pods is still on this node."""

from __future__ import annotations

from typing import Any

from nodecheck.node.facts._pods import LOGS, flag_of, pods_named, with_address

GROUP = "heapster"
PARTS = {"endpoints": "URLs of its pods"}


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    pods = with_address(pods_named(root, r"[^_]+_heapster-[^_]+"))
    return {"endpoints": [pod.base("http", flag_of(pod, "heapster-port", "8082")) for pod in pods]}, LOGS
