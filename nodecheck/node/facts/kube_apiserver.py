"""How the kube-apiserver of this node is configured, by its manifest; its defaults where that says nothing.

https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
"""

from __future__ import annotations

from typing import Any

from nodecheck.node.facts._components import Component, from_manifest, number_of, path_of_manifest, reachable

GROUP = "control_plane"
NAME = "kube-apiserver"
PARTS = {
    "manifest": "its manifest, or where that should be",
    "version": "its version, by the tag of its image; empty: not told",
    "port": "port of its API",
    "host": "address at which this node asks it",
    "advertise_address": "address at which others ask it; empty: not told",
    "live_path": "where it says whether it lives: /livez; /healthz before 1.16",
    "ready_path": "where it says whether it is ready: /readyz; /healthz before 1.16",
    "anonymous": "whether it answers there without a certificate",
    "certificate": "file of the certificate that it serves",
    "private_key": "file of the key of that",
    "client_certificate": "file of the certificate that it shows the kubelets",
    "client_key": "file of the key of that",
    "etcd_servers": "URLs of its etcd",
}
PKI = "/etc/kubernetes/pki"


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return how it is configured, and its manifest. Raises OSError, Unreadable."""
    found = from_manifest(root, NAME) or Component(path_of_manifest(root, NAME), {})
    flags = found.flags
    old = found.version and [*map(int, found.version.split("."))] < [1, 16]
    parts = {
        "manifest": found.path,
        "version": found.version,
        "port": number_of(flags.get("secure-port"), 6443),
        "host": _host(found),
        "advertise_address": flags.get("advertise-address", ""),
        "live_path": "/healthz" if old else "/livez",
        "ready_path": "/healthz" if old else "/readyz",
        "anonymous": flags.get("anonymous-auth", "true") != "false",
        "certificate": flags.get("tls-cert-file", f"{PKI}/apiserver.crt"),
        "private_key": flags.get("tls-private-key-file", f"{PKI}/apiserver.key"),
        "client_certificate": flags.get("kubelet-client-certificate", f"{PKI}/apiserver-kubelet-client.crt"),
        "client_key": flags.get("kubelet-client-key", f"{PKI}/apiserver-kubelet-client.key"),
        "etcd_servers": list(filter(None, flags.get("etcd-servers", "").split(","))),
    }
    return parts, found.path


def _host(found: Component) -> str:
    """The kubelet asks the address that kubeadm advertises; one that it is bound to, and no other, wins."""
    bound = reachable(found.flags.get("bind-address", ""))
    return bound if bound != reachable("") else reachable(str(found.probe.get("host") or ""))
