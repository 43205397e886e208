"""How pods get their network: of the configurations of the CNI, the first by name counts, and the rest is ignored.

https://github.com/containernetworking/cni/blob/main/SPEC.md; the container runtime says where they lie, and of Docker
the kubelet with its own dockershim, or cri-dockerd.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from nodecheck.node.facts import Unreadable, _multus, containerd, crio, kubelet
from nodecheck.node.facts._files import as_path, flags_of, mapping_of
from nodecheck.node.facts._service import command_line_of
from nodecheck.patterns import later

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUP = "kubelet"
PARTS = {
    "used": "whether pods get their network from the CNI",
    "folder": "where its configurations lie",
    "configurations": "names of all of them, in the order in which they count",
    "first": "the one that counts; empty: there is none",
    "configured": "whether there is any",
    "unambiguous": "whether nothing is left of another network: those that packages of engines bring do not count",
    "plugins": "types of the plugins that the first one names, and of those behind it where it is that of Multus",
    "programs": "where the programs of these plugins are, or should be",
    "bridge": "name of the bridge that it connects pods to; empty: none, or not known",
}
FOLDER = "/etc/cni/net.d"
BINARIES = ("/opt/cni/bin", "/usr/libexec/cni", "/usr/lib/cni")
RUNTIMES: dict[str, Any] = {"containerd": containerd, "crio": crio}
CRI_DOCKERD = "/run/cri-dockerd.sock"
# Come with podman, CRI-O and nerdctl, and say nothing of the cluster; nor does a loopback device.
PACKAGED = later(r"(87-podman|\d+-crio|\d+-loopback|nerdctl-).*")
BRIDGE = "cni0"  # what the plugin bridge, and flannel by it, makes where nothing else is said


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and the folder of the configurations. Raises OSError, Unreadable."""
    flags = kubelet.flags_of_service(root)
    settings, _ = kubelet.as_told(root, flags)
    endpoint = str(settings["container_runtime_endpoint"])
    folder, binaries = _folders(root, flags, str(settings["runtime"]), as_path(endpoint))
    names = sorted(name for name in _entries(root + folder) if name.endswith(_multus.ENDINGS))
    plugins = _plugins(f"{root}{folder}/{names[0]}") if names else []
    behind = _multus.file_behind(root, multus := _multus.of(plugins))
    plugins += _plugins(root + behind) if behind else _multus.delegates(multus)
    types = [str(plugin.get("type", "")) for plugin in plugins]
    places = [*binaries, *([_multus.on_host(str(multus["binDir"]))] if multus.get("binDir") else [])]
    return {
        "used": _is_used(flags, endpoint),
        "folder": folder,
        "configurations": names,
        "first": names[0] if names else "",
        "configured": bool(names),
        "unambiguous": all(PACKAGED.fullmatch(name) for name in _left_over(names, multus, behind)),
        "plugins": types,
        "programs": [_program(root, places, kind) for kind in types],
        "bridge": _bridge(plugins),
    }, folder


def _is_used(flags: dict[str, str], endpoint: str) -> bool:
    """A kubelet that speaks to Docker by itself has other networks, too; CRI runtimes have no other."""
    return flags.get("network-plugin", "cni" if endpoint else "") == "cni"


def _folders(root: str, flags: dict[str, str], name: str, socket: str) -> tuple[str, Sequence[str]]:
    """Return where configurations are, and where the programs that they name are looked for."""
    runtime = RUNTIMES.get(name)
    if runtime and socket == runtime.find(root)[0]["socket"]:  # that of k3s has another configuration
        folder, programs = runtime.network_folders(root)
        return folder or FOLDER, programs or BINARIES
    told = flags_of(command_line_of(root, "cri-docker.service")) if socket == CRI_DOCKERD else flags
    programs = told["cni-bin-dir"].split(",") if "cni-bin-dir" in told else []
    return told.get("cni-conf-dir", FOLDER), programs or BINARIES


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _plugins(path: str) -> list[dict[str, Any]]:
    """A list of plugins, or a single one."""
    data = mapping_of(path)
    plugins = data.get("plugins", [data])
    if not isinstance(plugins, list) or not all(isinstance(plugin, dict) for plugin in plugins):
        raise Unreadable(path, "its plugins are no list of mappings")
    return plugins


def _left_over(names: list[str], multus: dict[str, Any], behind: str) -> list[str]:
    """Return the configurations that do not count. What Multus is told within its own it copied from the next one."""
    used = [os.path.basename(behind)] if behind else names[1:2]
    return [name for name in names[1:] if not (multus and name in used)]


def _program(root: str, folders: Sequence[str], kind: str) -> str:
    paths = [f"{folder}/{kind}" for folder in folders]
    return next((path for path in paths if os.path.exists(root + path)), paths[0])


def _bridge(plugins: list[dict[str, Any]]) -> str:
    for plugin in plugins:
        if plugin.get("type") == "bridge":
            return str(plugin.get("bridge", BRIDGE))
        if plugin.get("type") == "flannel":
            delegate = plugin.get("delegate", {})
            return str(delegate.get("bridge", BRIDGE)) if isinstance(delegate, dict) else BRIDGE
    return ""
