"""How the kube-controller-manager of this node is configured, by its manifest; its defaults where that says nothing.

https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
"""

from __future__ import annotations

from typing import Any

from nodecheck.node.facts import _leaders

GROUP = "control_plane"
PARTS = _leaders.PARTS
LEADER = _leaders.Leader("kube-controller-manager", 10257, "/etc/kubernetes/controller-manager.conf")


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return how it is configured, and its manifest. Raises OSError, Unreadable."""
    return _leaders.find(root, LEADER)
