"""How the Docker engine of this node is configured: its flags and daemon.json, and then its defaults.

https://docs.docker.com/reference/cli/dockerd/; dockerd refuses to start where a flag and the file say the same.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from nodecheck.node.facts._files import (
    as_path,
    flags_of,
    json_of,
)
from nodecheck.node.facts._service import command_line_of

GROUP = "docker"
CONFIG = "/etc/docker/daemon.json"
ENVIRONMENT_FILES = ("/etc/default/docker", "/etc/sysconfig/docker")
SOCKET, DATA_ROOT = "/run/docker.sock", "/var/lib/docker"
CGROUP_DRIVER = "native.cgroupdriver="
PARTS = {
    "socket": "path of the socket of its API; empty: it is told to serve TCP alone",
    "data_root": "directory of its images, containers and volumes",
    "cgroup_driver": "systemd or cgroupfs; empty: the engine chooses",
    "storage_driver": "storage driver; empty: the engine chooses",
    "live_restore": "whether containers go on to run while the engine is down",
}


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return how it is configured, and in which file. Raises OSError, Unreadable."""
    words = command_line_of(root, "docker.service", ENVIRONMENT_FILES)
    flags = flags_of(words)
    path = flags.get("config-file", CONFIG)
    data = json_of(root + path)
    return {
        "socket": _socket([*_values(words, "-H", "--host"), *_list(data.get("hosts"))]),
        "data_root": _first(flags, data, "data-root", "graph", "g") or DATA_ROOT,
        "cgroup_driver": _cgroup_driver([*_values(words, "--exec-opt"), *_list(data.get("exec-opts"))]),
        "storage_driver": _first(flags, data, "storage-driver", "s"),
        "live_restore": _first(flags, data, "live-restore") in ("true", "True"),
    }, path if data else "docker.service"


def _first(flags: dict[str, str], data: dict[str, Any], *names: str) -> str:
    """Return the first of these settings that is there, as text; graph and g are data-root of before 17.05."""
    found = (flags.get(name) or data.get(name) for name in names)
    return str(next((value for value in found if value), ""))


def _list(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _values(words: list[str], *names: str) -> list[str]:
    """Return the values of a flag that may stand there many times: -H fd://, --host=fd://."""
    following = [word for before, word in pairwise(words) if before in names]
    return following + [value for name, _, value in (word.partition("=") for word in words) if value and name in names]


def _socket(hosts: list[str]) -> str:
    """Return the first socket that is told; unix:// alone is the usual one, and fd:// is systemd's docker.socket."""
    paths = [as_path(host) or SOCKET for host in hosts if host.startswith("unix://")]
    only_tcp = bool(hosts) and all(host.startswith("tcp://") for host in hosts)
    return "" if only_tcp else next(iter(paths), SOCKET)


def _cgroup_driver(options: list[str]) -> str:
    chosen = [option.removeprefix(CGROUP_DRIVER) for option in options if option.startswith(CGROUP_DRIVER)]
    return chosen[-1] if chosen else ""
