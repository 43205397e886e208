"""The components of which one leads and the others wait: both are well, and both say so at the same place."""

from __future__ import annotations

from typing import Any, NamedTuple

from nodecheck.node.facts._components import Component, from_manifest, number_of, path_of_manifest, reachable

PARTS = {
    "manifest": "its manifest, or where that should be",
    "version": "its version, by the tag of its image; empty: not told",
    "port": "port at which it says whether it lives",
    "url": "where it says so",
    "secure": "whether that is over TLS, with a certificate of its own that nobody has signed",
    "kubeconfig": "its kubeconfig; empty: none",
}


class Leader(NamedTuple):
    """What is so where its manifest says nothing."""

    name: str
    port: int
    kubeconfig: str


def find(root: str, leader: Leader) -> tuple[dict[str, Any], str]:
    """Return how it is configured, and its manifest. Raises OSError, Unreadable."""
    found = from_manifest(root, leader.name) or Component(path_of_manifest(root, leader.name), {})
    flags, probe = found.flags, found.probe
    port = number_of(probe.get("port") or flags.get("secure-port"), leader.port)
    scheme = str(probe.get("scheme") or ("HTTP" if probe else "HTTPS"))  # a probe is plain where it does not say
    host = reachable(str(probe.get("host") or flags.get("bind-address", "")))
    return {
        "manifest": found.path,
        "version": found.version,
        "port": port,
        "url": f"{scheme.lower()}://{host}:{port}{probe.get('path') or '/healthz'}",
        "secure": scheme.upper() == "HTTPS",
        "kubeconfig": flags.get("kubeconfig", leader.kubeconfig),
    }, found.path
