"""Components of Kubernetes as this node starts them: by the manifest of a static pod, or by a unit of systemd."""

from __future__ import annotations

import glob
import re
from typing import Any, NamedTuple

from nodecheck.node.facts import Unreadable, kubelet
from nodecheck.node.facts._files import flags_of, mapping_of, text_if_there
from nodecheck.node.facts._service import service
from nodecheck.node.groups import MANIFESTS

LOOPBACK = "127.0.0.1"
EVERYWHERE = ("", "0.0.0.0", "::", "[::]")  # no address that one can ask
VERSION = re.compile(r":v?(\d+(?:\.\d+)+)")


class Component(NamedTuple):
    """How one is started: the flags of its command line, its version by the tag of its image ("" where none tells it).

    `probe` is the httpGet of its liveness probe, {} where it has none.
    """

    path: str
    flags: dict[str, str]
    version: str = ""
    probe: dict[str, Any] = {}  # noqa: RUF012  # nobody changes it


def path_of_manifest(root: str, name: str) -> str:
    """Return where the kubelet looks for a manifest. Raises OSError, Unreadable."""
    settings, _ = kubelet.find(root)
    return f"{settings['static_pod_path'] or MANIFESTS}/{name}.yaml"


def from_manifest(root: str, name: str) -> Component | None:
    """Return the component of the manifest of its name; None where there is none. Raises OSError, Unreadable."""
    path = path_of_manifest(root, name)
    if not text_if_there(root + path):
        return None
    container = _container(mapping_of(root + path), name, root + path)
    words = [str(word) for key in ("command", "args") for word in container.get(key) or ()]
    found = VERSION.search(str(container.get("image")).rpartition("/")[2])
    return Component(path, flags_of(words), found[1] if found else "", _probe(container))


def _container(data: dict[str, Any], name: str, path: str) -> dict[str, Any]:
    try:
        containers: list[dict[str, Any]] = data["spec"]["containers"]
        return next((each for each in containers if each["name"] == name), containers[0])
    except (KeyError, TypeError, IndexError) as error:
        raise Unreadable(path, "it holds no pod with a container") from error


def _probe(container: dict[str, Any]) -> dict[str, Any]:
    """Return what the liveness probe gets, with the number of a port that it calls by its name."""
    probe = (container.get("livenessProbe") or {}).get("httpGet") or {}
    ports = {port.get("name"): port.get("containerPort") for port in container.get("ports") or ()}
    return probe | {"port": ports.get(probe.get("port"), probe.get("port"))} if probe else {}


def is_enabled(root: str, unit: str) -> bool:
    """Tell whether another unit wants this one."""
    return bool(glob.glob(f"{root}/etc/systemd/system/*.wants/{unit}"))


def from_unit(root: str, unit: str) -> Component | None:
    """Return the component of a service, as its unit file and drop-ins start it; None without one. Raises OSError."""
    found = service(root, unit)
    if found is None:
        return None
    return Component(found.path, _of_environment(found.environment) | flags_of(found.words))


def _of_environment(environment: dict[str, str]) -> dict[str, str]:
    """etcd takes each flag as a variable, too: ETCD_DATA_DIR is --data-dir, which wins over it."""
    return {name[5:].lower().replace("_", "-"): value for name, value in environment.items() if name[:5] == "ETCD_"}


def number_of(told: Any, default: int) -> int:
    """Return the whole number that is told, or else the default."""
    return int(told) if str(told).isdecimal() else default


def reachable(address: str) -> str:
    """Return an address at which one can ask what is bound to this one, as it stands in an URL."""
    address = LOOPBACK if address in EVERYWHERE else address
    return f"[{address}]" if ":" in address and not address.startswith("[") else address
