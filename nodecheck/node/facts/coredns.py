"""The CoreDNS of the cluster, where one of its pods is on this node: read off the Corefile that the pod mounts."""

from __future__ import annotations

import re
from typing import Any

from nodecheck.node.facts._pods import LOGS, configuration_of, pods_named, with_address

GROUP = "coredns"
PARTS = {
    "servers": "addresses of its pods on this node",
    "health": "URLs of its pods that say that the process lives (the plugin health)",
    "ready": "URLs of its pods that say that it serves (the plugin ready)",
    "inherits_name_servers": "whether it asks the name servers of the node for all other names",
}
COMMENT = re.compile(r"#.*")
NO_CONFIGURATION = ".:53 {\nhealth\nready\nforward . /etc/resolv.conf\n}"  # what kubeadm gives it


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    pods = with_address(pods_named(root, r"kube-system_coredns-[^_]+"))
    words = {pod: COMMENT.sub("", configuration_of(root, pod, "Corefile") or NO_CONFIGURATION) for pod in pods}
    return {
        "servers": [pod.address for pod in pods],
        "health": [pod.base("http", port) for pod in pods if (port := _port(words[pod], "health", "8080"))],
        "ready": [pod.base("http", port) for pod in pods if (port := _port(words[pod], "ready", "8181"))],
        "inherits_name_servers": any(_inherits(text) for text in words.values()),
    }, LOGS


def _port(text: str, plugin: str, default: str) -> str:
    """Return the port of a plugin; "" where it is not used."""
    found = re.search(rf"^\s*{plugin}(?:[ \t]+\S*?:(\d+))?[ \t]*(?:\{{.*)?$", text, re.MULTILINE)
    return (found[1] or default) if found else ""


def _inherits(text: str) -> bool:
    return re.search(r"^\s*(forward|proxy)\s+\.\s.*/etc/resolv\.conf", text, re.MULTILINE) is not None
