"""Multus, a plugin of the CNI that gives pods more than one network: the first, which all pods get, stands behind it.

https://github.com/k8snetworkplumbingwg/multus-cni/blob/master/docs/configuration.md
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPES = ("multus", "multus-shim")  # it does the work itself, or leaves it to its pod (the thick plugin)
FOLDER = "/etc/cni/multus/net.d"
ENDINGS = (".conf", ".conflist", ".json")  # what libcni reads


def of(plugins: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the plugin of these that is Multus; empty where none is."""
    return next((plugin for plugin in plugins if plugin.get("type") in TYPES), {})


def delegates(multus: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the plugins that stand in its own configuration, one by one or as lists."""
    given = multus.get("delegates")
    found = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    listed = [each["plugins"] if isinstance(each.get("plugins"), list) else [each] for each in found]
    return [plugin for some in listed for plugin in some if isinstance(plugin, dict)]


def file_behind(root: str, multus: dict[str, Any]) -> str:
    """Return the file that holds the network of all pods; "" where it is no file, such as an object of the API."""
    network = str(multus.get("clusterNetwork") or "")
    path = on_host(network) if network.startswith("/") else f"{on_host(multus.get('confDir') or FOLDER)}/{network}"
    there = _files(root, path) if network else iter(())
    return next(there, "")


def on_host(path: str) -> str:
    """Return a path as the host knows it: the pod of Multus has the host below /host."""
    return path.removeprefix("/host") if path.startswith("/host/") else path


def _files(root: str, path: str) -> Iterator[str]:
    """Yield the file of this path, without its ending perhaps; those in the folder of this path by name."""
    names = sorted(os.listdir(root + path)) if os.path.isdir(root + path) else []
    possible = [path, *(path + ending for ending in ENDINGS), *(f"{path}/{name}" for name in names)]
    return (found for found in possible if found.endswith(ENDINGS) and os.path.isfile(root + found))
