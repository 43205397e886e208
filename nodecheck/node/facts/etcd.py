"""How the etcd of this node is configured: by its manifest, or by the unit, environment or file of its service.

https://etcd.io/docs/latest/op-guide/configuration/
"""

from __future__ import annotations

import os
from typing import Any

from nodecheck.node.facts._components import (
    Component,
    from_manifest,
    from_unit,
    is_enabled,
    number_of,
    path_of_manifest,
)
from nodecheck.node.facts._files import mapping_of

GROUP = "etcd"
UNIT = "etcd.service"
PARTS = {
    "form": "static_pod or service",
    "manifest": "its manifest; empty: it is a service",
    "version": "its version, by the tag of its image; empty: not told",
    "name": "name of this member",
    "data_dir": "folder of its data",
    "quota": "bytes that its data may have: beyond, it takes no more writes",
    "client_port": "port for its clients",
    "client_url": "URL at which this node asks it as a client",
    "peer_port": "port for the other members",
    "peer_url": "URL at which the other members ask it",
    "plain_url": "URL at which it tells its health and metrics without a certificate; empty: nowhere",
    "ca": "file of the certificate that those of clients and members are signed with; empty: no TLS",
    "certificate": "file of the certificate that it shows its clients; empty: no TLS",
    "private_key": "file of the key of that",
    "peer_certificate": "file of the certificate that it shows the other members; empty: no TLS",
    "peer_key": "file of the key of that",
    "client_certificate": "file of a certificate for asking it; empty: none",
    "client_key": "file of the key of that",
}
QUOTA = 2 << 30  # bytes
HEALTHCHECK = "/etc/kubernetes/pki/etcd/healthcheck-client"  # kubeadm's, for asking it
LOOPBACK = ("//127.", "//localhost", "//[::1]")


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return how it is configured, and in which file. Raises OSError, Unreadable."""
    found = from_manifest(root, "etcd")
    form = "service" if not found and is_enabled(root, UNIT) else "static_pod"
    if form == "service":
        found = from_unit(root, UNIT)
    found = found or Component(path_of_manifest(root, "etcd"), {})
    flags, path = found.flags, found.path
    if "config-file" in flags:  # then it reads nothing else
        path = flags["config-file"]
        flags = _flags_of_file(mapping_of(root + path))
    parts = {"form": form, "manifest": found.path if form == "static_pod" else "", "version": found.version}
    return parts | _places(flags) | _certificates(flags, root), path


def _flags_of_file(data: dict[str, Any]) -> dict[str, str]:
    """Names in the file are those of flags, but for two groups of them."""
    client, peer = data.get("client-transport-security") or {}, data.get("peer-transport-security") or {}
    flat = data | client | {f"peer-{name}": value for name, value in peer.items()}
    return {name: str(value) for name, value in flat.items() if not isinstance(value, dict) and value is not None}


def _places(flags: dict[str, str]) -> dict[str, Any]:
    client = _urls(flags, "listen-client-urls", "http://127.0.0.1:2379")
    peer = _urls(flags, "listen-peer-urls", "http://127.0.0.1:2380")
    plain = [url for url in (*_urls(flags, "listen-metrics-urls", ""), *client) if url.startswith("http://")]
    name = flags.get("name", "default")
    quota = number_of(flags.get("quota-backend-bytes"), 0)
    return {
        "name": name,
        "data_dir": flags.get("data-dir", "/var/lib/etcd"),
        "quota": quota or QUOTA,
        "client_port": _port(client[0]),
        "client_url": client[0],
        "peer_port": _port(peer[0]),
        "peer_url": peer[0],
        "plain_url": plain[0] if plain else "",
    }


def _urls(flags: dict[str, str], name: str, default: str) -> list[str]:
    """Return the URLs at which one can ask, those of this host first."""
    urls = [url.strip().rstrip("/") for url in (flags.get(name) or default).split(",") if url.strip()]
    reachable = [url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:") for url in urls]
    return sorted(reachable, key=lambda url: not any(each in url for each in LOOPBACK))


def _port(url: str) -> int:
    return number_of(url.rpartition(":")[2], 0)


def _certificates(flags: dict[str, str], root: str) -> dict[str, str]:
    own = flags.get("cert-file", "") or flags.get("peer-cert-file", "")
    own_key = flags.get("key-file", "") or flags.get("peer-key-file", "")
    kubeadm = os.path.exists(f"{root}{HEALTHCHECK}.crt")
    return {
        "ca": flags.get("peer-trusted-ca-file") or flags.get("trusted-ca-file", ""),
        "certificate": flags.get("cert-file", ""),
        "private_key": flags.get("key-file", ""),
        "peer_certificate": flags.get("peer-cert-file", ""),
        "peer_key": flags.get("peer-key-file", ""),
        "client_certificate": f"{HEALTHCHECK}.crt" if kubeadm else own,
        "client_key": f"{HEALTHCHECK}.key" if kubeadm else own_key,
    }
