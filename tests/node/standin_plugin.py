#!/usr/bin/python3
"""A stand-in for flannel's plugin for the network of pods: it hands on to the plugin `bridge`, as that does."""

import json
import os
import pathlib
import subprocess
import sys

SUBNET_FILE = pathlib.Path("/run/flannel/subnet.env")


def delegated(configuration: dict[str, object]) -> dict[str, object]:
    """What the plugin `bridge` is told: our own configuration, and what flanneld has come to."""
    settings = dict(line.split("=", 1) for line in SUBNET_FILE.read_text().split())
    routes = [{"dst": settings["FLANNEL_NETWORK"]}]
    addresses = {"type": "host-local", "ranges": [[{"subnet": subnet(settings["FLANNEL_SUBNET"])}]], "routes": routes}
    told = {
        "type": "bridge",
        "mtu": int(settings["FLANNEL_MTU"]),
        "isGateway": True,
        "ipMasq": False,
        "ipam": addresses,
    }
    common = {name: configuration[name] for name in ("name", "cniVersion")}
    own = configuration.get("delegate")
    return {**common, **told, **(own if isinstance(own, dict) else {})}


def subnet(address: str) -> str:
    """10.244.1.1/24 is an address in 10.244.1.0/24."""
    head, _, _ = address.rpartition(".")
    return f"{head}.0/24"


def main() -> int:
    """Answer the engine as the plugin does."""
    plugin = pathlib.Path(__file__).with_name("bridge")  # CNI_PATH is not always given
    told = json.load(sys.stdin)
    if os.environ["CNI_COMMAND"] != "VERSION":  # its versions are those of the other
        told = delegated(told)
    text = json.dumps(told)
    return subprocess.run([plugin], input=text, text=True, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
