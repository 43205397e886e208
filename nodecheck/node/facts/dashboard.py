"""The Kubernetes Dashboard, where some of its pods are on this node.

Until version 2 it is one pod with its own TLS, and a scraper; since 7 a pod for each of its parts, behind a proxy.
"""

from __future__ import annotations

import re
from typing import Any

from nodecheck.node.facts._pods import LOGS, Pod, flag_of, pods_named, with_address

GROUP = "dashboard"
PARTS = {"endpoints": "URLs of its pods"}
PART = re.compile(r"(kubernetes-)?dashboard-(api|auth|web|metrics-scraper)-.*")  # of version 7, and the scraper of 2
# Of older ones. Other pods of the chart are its proxy, a metrics-server and the like, which serve elsewhere.
WHOLE = re.compile(r"kubernetes-dashboard-[^-]+(-[^-]+)?")


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    pods = with_address(pods_named(root, r"[^_]+_(kubernetes-)?dashboard-[^_]+"))
    asked = [pod for pod in pods if PART.fullmatch(pod.name) or WHOLE.fullmatch(pod.name)]
    return {"endpoints": [_endpoint(pod) for pod in asked]}, LOGS


def _endpoint(pod: Pod) -> str:
    """Return where it serves; version 2 does so without TLS where it has been given no certificate."""
    if PART.fullmatch(pod.name):
        return pod.base("http", 8000)
    with_tls = not pod.commands or flag_of(pod, "auto-generate-certificates", "") or flag_of(pod, "tls-cert-file", "")
    if with_tls:
        return pod.base("https", flag_of(pod, "port", "8443"))
    return pod.base("http", flag_of(pod, "insecure-port", "9090"))
