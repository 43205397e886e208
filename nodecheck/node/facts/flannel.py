"""What flannel has been told and what it has come to: its subnet.env, and the configuration that its pod mounts."""

from __future__ import annotations

import glob
import json
import os
from typing import Any

from nodecheck.node.facts import Unreadable, cni
from nodecheck.node.facts._files import text_if_there
from nodecheck.node.facts._pods import configuration_of, flag_of, pods_named, with_address

GROUP = "flannel"
PARTS = {
    "used": "whether it is flannel that gives pods their network",
    "in_pod": "whether it runs as a pod",
    "in_service": "whether it runs as flanneld.service",
    "subnet_file": "the file in which it says what this node has",
    "network": "network of all pods; empty: it has not said yet",
    "subnet": "network of the pods of this node; empty: it has not said yet",
    "mtu": "largest packet in bytes; 0: it has not said yet",
    "backend": "vxlan, host-gw, udp, wireguard, ...; empty: not known here",
    "overlays": "interfaces of the overlay with what they should have; none: it has none, or has not said yet",
    "ports": "ports that the overlay uses; none: it uses none, or not known",
    "bridges": "bridges of the pods of this node with what they should have; none: there is no pod, or as above",
    "ready": "URLs that say whether it works; none unless it is told to have one",
}
SUBNET_FILE = "/run/flannel/subnet.env"
PORTS = {"vxlan": 8472, "udp": 8285, "wireguard": 51820}
INTERFACES = {"udp": "flannel0", "wireguard": "flannel-wg"}


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError, Unreadable."""
    settings = dict(line.split("=", 1) for line in text_if_there(root + SUBNET_FILE).split() if "=" in line)
    pods = pods_named(root, r"kube-(flannel|system)_kube-flannel-[^_]+")
    network, _ = cni.find(root)
    path = f"{pods[0].folder}: net-conf.json" if pods else ""
    kind, interface, port = _backend(configuration_of(root, pods[0], "net-conf.json") if pods else "", path)
    in_service = not pods and bool(glob.glob(f"{root}/etc/systemd/system/*.wants/flanneld.service"))
    whole, subnet = settings.get("FLANNEL_NETWORK", ""), _network(settings.get("FLANNEL_SUBNET", ""))
    mtu = _whole(settings.get("FLANNEL_MTU", ""))
    bridge = network["bridge"] if os.path.exists(f"{root}/sys/class/net/{network['bridge']}/bridge") else ""
    ready = [(pod, answering) for pod in with_address(pods) if (answering := flag_of(pod, "healthz-port", "0")) != "0"]
    return {
        "used": "flannel" in network["plugins"] or not network["configurations"],
        "in_pod": bool(pods) or not in_service,
        "in_service": in_service,
        "subnet_file": SUBNET_FILE,
        "network": whole,
        "subnet": subnet,
        "mtu": mtu,
        "backend": kind,
        "overlays": [{"name": interface, "network": whole, "mtu": mtu}] if interface and whole else [],
        "ports": [port] if port else [],
        "bridges": [{"name": bridge, "network": subnet}] if bridge and subnet else [],
        "ready": [pod.base("http", answering) for pod, answering in ready],
    }, SUBNET_FILE


def _network(address: str) -> str:
    """10.244.1.1/24 is the bridge's own address in 10.244.1.0/24."""
    import ipaddress

    try:
        return str(ipaddress.ip_interface(address).network)
    except ValueError:
        return ""


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0


def _backend(text: str, path: str) -> tuple[str, str, int]:
    """Return what net-conf.json says: (the backend, its interface, its port); "" and 0 for none.

    https://github.com/flannel-io/flannel/blob/master/Documentation/backends.md
    """
    try:
        told = json.loads(text or "{}").get("Backend", {})
        kind = str(told.get("Type", "udp" if text else ""))
        port = int(told.get("Port") or told.get("ListenPort") or PORTS.get(kind, 0))
        identifier = int(told.get("VNI") or 1)
    except (ValueError, TypeError, AttributeError) as error:
        raise Unreadable(path, str(error)) from error
    interface = f"flannel.{identifier}" if kind == "vxlan" else INTERFACES.get(kind, "")
    return kind, interface, port
