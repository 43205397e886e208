"""How containerd of this node is configured: config.toml, with the files that it imports, and then its defaults.

https://github.com/containerd/containerd/blob/main/docs/man/containerd-config.toml.5.md
"""

from __future__ import annotations

import glob
import os
from typing import Any

from nodecheck.node.facts import Unreadable
from nodecheck.node.facts._files import as_path, flags_of, merged, toml_of, value_at
from nodecheck.node.facts._service import command_line_of

GROUP = "containerd"
CONFIG = "/etc/containerd/config.toml"
# The plugin that speaks the CRI, by the version of the configuration: 3 (containerd 2), 2, and 1.
CRI_PLUGINS = ("io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri", "cri")
DISABLING = ("cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime")
PARTS = {
    "socket": "path of its socket",
    "root": "directory of its images and snapshots",
    "state": "directory of what runs",
    "disabled_plugins": "plugins that are turned off",
    "cri": "whether it speaks the CRI, which the kubelet needs",
    "cgroup_driver": "systemd or cgroupfs, for pods",
}


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return how it is configured, and in which file. Raises OSError, Unreadable."""
    flags, data, path = _configuration(root)
    disabled = data.get("disabled_plugins", [])
    if not isinstance(disabled, list):
        raise Unreadable(root + path, f"disabled_plugins is {disabled!r}")
    return {
        "socket": as_path(
            flags.get("address") or value_at(data, "grpc", "address") or "/run/containerd/containerd.sock"
        ),
        "root": flags.get("root") or data.get("root") or "/var/lib/containerd",
        "state": flags.get("state") or data.get("state") or "/run/containerd",
        "disabled_plugins": disabled,
        "cri": not any(plugin in disabled for plugin in DISABLING),
        "cgroup_driver": "systemd" if _has_systemd_cgroups(data) else "cgroupfs",
    }, path


def network_folders(root: str) -> tuple[str, list[str]]:
    """Return where it looks for configurations of the CNI, and for the programs that these name; "" and [] untold.

    Raises OSError, Unreadable.
    """
    _, data, _ = _configuration(root)
    for plugin in CRI_PLUGINS:
        told = value_at(data, "plugins", plugin, "cni")
        if isinstance(told, dict):
            programs = told.get("bin_dirs") or [told.get("bin_dir")]  # since 2.2 there may be many
            return str(told.get("conf_dir") or ""), [str(folder) for folder in programs if folder]
    return "", []


def _configuration(root: str) -> tuple[dict[str, str], dict[str, Any], str]:
    flags = flags_of(command_line_of(root, "containerd.service"))
    path = flags.get("config") or flags.get("c") or CONFIG
    return flags, _with_imports(root, path), path


def _with_imports(root: str, path: str) -> dict[str, Any]:
    """Return its own settings, and over them those of the files that it imports; they may import nothing more here."""
    data = toml_of(root + path)
    patterns = data.get("imports", [])
    for pattern in patterns if isinstance(patterns, list) else []:
        for imported in sorted(glob.glob(root + os.path.join(os.path.dirname(path), str(pattern)))):
            data = merged(data, toml_of(imported))
    return data


def _has_systemd_cgroups(data: dict[str, Any]) -> bool:
    for plugin in CRI_PLUGINS:
        runtimes = value_at(data, "plugins", plugin, "containerd")
        name = value_at(runtimes or {}, "default_runtime_name") or "runc"
        if value_at(runtimes or {}, "runtimes", name, "options", "SystemdCgroup") is True:
            return True
    return any(value_at(data, "plugins", plugin, "systemd_cgroup") is True for plugin in CRI_PLUGINS)
