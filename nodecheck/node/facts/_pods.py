"""Pods on this node, as the kubelet's own folders tell of them: no API server and no container engine is asked.

/var/log/pods/<namespace>_<name>_<uid> names them (since Kubernetes 1.14), pods/<uid> in the directory of the kubelet
(--root-dir) holds their volumes and the /etc/hosts of their containers, with the address of the pod; their control
group exists as long as they are to run, and holds their processes.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from nodecheck.node import podgroups
from nodecheck.node.facts import kubelet
from nodecheck.node.facts._files import text_if_there

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGS = "/var/log/pods"
HOST_NETWORK = "(host network)"  # stands in the first line of the /etc/hosts that the kubelet writes
ALIASES = "# Entries added by HostAliases."
NO_POD = ("127.", "::1", "fe00:", "ff00:", "ff02:")  # addresses that stand in every /etc/hosts


class Pod(NamedTuple):
    """A pod that is to run here; `address` is "" while it has none, `commands` are the words of each of its processes.

    With the network of the host its address is 127.0.0.1; one of IPv6 is in brackets, as it stands in an URL.
    """

    namespace: str
    name: str
    folder: str
    host_network: bool
    address: str
    commands: tuple[tuple[str, ...], ...]

    def base(self, scheme: str, port: int | str) -> str:
        """Return the URL of one of its ports."""
        return f"{scheme}://{self.address}:{port}"


def pods_named(root: str, namespace_and_name: str) -> list[Pod]:
    """Return the pods whose `namespace_name` this regular expression fits as a whole. Raises OSError."""
    wanted = re.compile(rf"(?P<pod>{namespace_and_name})_(?P<uid>[0-9a-f-]+)")
    found = [match for entry in sorted(_entries(root + LOGS)) if (match := wanted.fullmatch(entry))]
    folder = folder_of_pods(root) if found else ""
    return [pod for match in found if (pod := _pod(root, match["pod"], match["uid"], f"{folder}/{match['uid']}"))]


def folder_of_pods(root: str) -> str:
    """Return where the kubelet keeps what belongs to pods. Raises OSError."""
    directory = kubelet.flags_of_service(root).get("root-dir", kubelet.SETTINGS["root"].default)
    return f"{directory.rstrip('/')}/pods"


def with_address(pods: list[Pod]) -> list[Pod]:
    """Return those that have one."""
    return [pod for pod in pods if pod.address]


def flag_of(pod: Pod, name: str, default: str) -> str:
    """Return the value of a flag of any of its processes."""
    from nodecheck.node.facts._files import flags_of

    values = (flags_of(words[1:]).get(name) for words in pod.commands)
    return next((value for value in values if value), default)


def configuration_of(root: str, pod: Pod, file: str) -> str:
    """Return the text of a file of a config map that the pod mounts; "" where it has none. Raises OSError."""
    import glob

    paths = glob.glob(f"{root}{pod.folder}/volumes/kubernetes.io~configmap/*/{file}")
    return text_if_there(min(paths)) if paths else ""


def configurations_of(root: str, pod: Pod) -> list[str]:
    """Return the paths of all files of config maps that the pod mounts."""
    import glob

    paths = sorted(glob.glob(f"{root}{pod.folder}/volumes/kubernetes.io~configmap/*/*"))
    return [path.removeprefix(root) for path in paths]


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _pod(root: str, pod: str, uid: str, folder: str) -> Pod | None:
    """Return a pod; None for one that has ended: its logs stay for a while."""
    groups = podgroups.folders_of(root, uid)
    if groups == []:
        return None
    namespace, _, name = pod.partition("_")
    hosts = text_if_there(f"{root}{folder}/etc-hosts")
    host_network = HOST_NETWORK in hosts.partition("\n")[0]
    address = "127.0.0.1" if host_network else _address(hosts)
    commands = tuple(_commands(root, groups[0])) if groups else ()
    return Pod(namespace, name, folder, host_network, address, commands)


def _address(hosts: str) -> str:
    lines = (line.split() for line in hosts.partition(ALIASES)[0].splitlines() if not line.startswith("#"))
    found = (words[0] for words in lines if words and not words[0].startswith(NO_POD))
    address = next(found, "")
    return f"[{address}]" if ":" in address else address


def _commands(root: str, group: str) -> Iterator[tuple[str, ...]]:
    for folder, _, files in os.walk(group):
        for pid in text_if_there(f"{folder}/cgroup.procs").split() if "cgroup.procs" in files else ():
            yield tuple(filter(None, text_if_there(f"{root}/proc/{pid}/cmdline").split("\0")))
