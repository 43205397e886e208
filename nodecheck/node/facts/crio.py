"""How CRI-O of this node is configured: crio.conf, over it the files of crio.conf.d, and then its defaults.

https://github.com/cri-o/cri-o/blob/main/docs/crio.conf.5.md
"""

from __future__ import annotations

import glob
from typing import Any

from nodecheck.node.facts._files import as_path, merged, toml_of, value_at

GROUP = "crio"
CONFIG = "/etc/crio/crio.conf"
FOLDER = "/etc/crio/crio.conf.d"
SETTINGS = {
    "socket": ("path of its socket", ("crio", "api", "listen"), "/run/crio/crio.sock"),
    "root": ("directory of its images and containers", ("crio", "root"), "/var/lib/containers/storage"),
    "cgroup_driver": ("systemd or cgroupfs", ("crio", "runtime", "cgroup_manager"), "systemd"),
    "storage_driver": ("storage driver; empty: that of storage.conf", ("crio", "storage_driver"), ""),
}
PARTS = {name: help_text for name, (help_text, _, _) in SETTINGS.items()}


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return how it is configured, and in which file. Raises OSError, Unreadable."""
    data = _configuration(root)
    found = {name: value_at(data, *keys) or default for name, (_, keys, default) in SETTINGS.items()}
    return found | {"socket": as_path(found["socket"])}, CONFIG


def network_folders(root: str) -> tuple[str, list[str]]:
    """Return where it looks for configurations of the CNI, and for the programs that these name; "" and [] untold.

    Raises OSError, Unreadable.
    """
    told = value_at(_configuration(root), "crio", "network")
    if not isinstance(told, dict):
        return "", []
    return str(told.get("network_dir") or ""), [str(folder) for folder in told.get("plugin_dirs") or ()]


def _configuration(root: str) -> dict[str, Any]:
    data = toml_of(root + CONFIG)
    for path in sorted(glob.glob(f"{root}{FOLDER}/*")):
        data = merged(data, toml_of(path))
    return data
