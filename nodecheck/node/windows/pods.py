"""The window `pods`: the pods of this node and the manifests of static ones, without the API server."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node import podgroups, shapes
from nodecheck.node.windows._rungs import ABSENT, RUNGS_SHAPE, STOPPED_SHAPE, Ladder, Stopped

if TYPE_CHECKING:
    from collections.abc import Collection

    from nodecheck.node.windows._podsources import Entries

DOCKERSHIM = "/run/dockershim.sock"  # the kubelet's own, until Kubernetes 1.23
# The kubelet makes the uid of a pod that it reads from a file, unless that says one: a checksum, without dashes.
STATIC_UID = re.compile(r"[0-9a-f]{32}")

_CONTAINER = shapes.fields(
    {
        "name": shapes.text,
        "images": shapes.list_of(shapes.text),
        "state": shapes.text,
        "restarts": shapes.whole,
        "exit_code": shapes.anything,
    },
    # By the wall clock, in seconds; records of an older nodecheck have none, nor have old ends. And whether it is of an
    # earlier sandbox.
    {"created": shapes.number, "ended": shapes.number, "earlier": shapes.boolean},
)
_POD = shapes.fields(
    {
        "name": shapes.text,
        "namespace": shapes.text,
        "static": shapes.boolean,
        "sandbox_ready": shapes.boolean,
        "containers": shapes.list_of(_CONTAINER),
    },
    {"to_run": shapes.optional(shapes.boolean)},  # of one whose sandbox is down: whether it has a control group
)
_MANIFEST = shapes.fields(
    {
        "file": shapes.text,
        "name": shapes.text,
        "namespace": shapes.text,
        "containers": shapes.list_of(shapes.text),
        "problem": shapes.text,
    }
)
SHAPE = shapes.fields(
    {
        "socket": shapes.text,
        "rungs": RUNGS_SHAPE,
        "stopped": STOPPED_SHAPE,
        "pods": shapes.optional(shapes.list_of(_POD)),
        "manifests": shapes.optional(shapes.list_of(_MANIFEST)),
    }
)


class PodsWant(NamedTuple):
    """The pods that the runtime on a socket knows; "" is the one that the kubelet uses.

    `manifests` is the folder of the static ones, or "". With `images`, all names of their images are told.
    """

    socket: str = ""
    manifests: str = ""
    images: bool = False
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "pods"

    @property
    def key(self) -> str:
        """The socket, the folder, and whether all names of the images are wanted."""
        more = [self.manifests] if self.manifests else []
        return " ".join([self.socket or "of the kubelet", *more, *(["with images"] if self.images else [])])


def look(want: PodsWant) -> dict[str, Any]:
    """List the pods, and read the manifests. Raises Unobserved and OSError."""
    from nodecheck.node.windows import _manifests

    socket = want.socket.removeprefix("unix://") or _find_socket()
    ladder = Ladder(f"{want.window} {want.key}", want.seconds)
    seen: dict[str, Any] = {"socket": socket, "stopped": None, "pods": None}
    seen["manifests"] = _manifests.read(want.manifests) if want.manifests else None
    try:
        seen["pods"] = _ask(socket, ladder, want.images)
    except Stopped as stopped:
        seen["stopped"] = stopped.data
    return seen | {"rungs": ladder.reached}


def _find_socket() -> str:
    """A kubelet that is told no CRI socket, and has one of its own, speaks to Docker by itself."""
    from nodecheck.node.windows import _dockerapi, _kubelet

    docker = _dockerapi.SOCKET if os.path.exists(_dockerapi.SOCKET) else ""
    dockershim = docker if os.path.exists(DOCKERSHIM) else ""
    return _kubelet.endpoint() or dockershim or _kubelet.usual_socket() or docker


def _ask(socket: str, ladder: Ladder, images: bool) -> Entries:
    if not socket:
        raise Stopped("connect", ABSENT, "there is no socket of Docker or a CRI at any of the usual places", 0.0)
    return _ask_docker(socket, ladder, images) if "docker.sock" in socket else _ask_cri(socket, ladder, images)


def _ask_docker(socket: str, ladder: Ladder, images: bool) -> Entries:
    from nodecheck.node.windows import _podsources
    from nodecheck.node.windows._dockerapi import Api

    api = Api(socket, ladder)
    try:
        return _plain(_group(*_podsources.from_docker(api, images)))
    finally:
        api.close()


def _ask_cri(socket: str, ladder: Ladder, images: bool) -> Entries:
    from nodecheck.node.windows import _podsources
    from nodecheck.node.windows._criapi import Api

    api = Api(socket, ladder)
    try:
        pods = _group(*_podsources.from_cri(api, images))
        _podsources.ask_ends(api, [each for pod in pods if pod["sandbox_ready"] for each in pod["containers"]])
        return _plain(pods)
    finally:
        api.close()


def _group(sandboxes: Entries, containers: Entries) -> Entries:
    """Return each pod with its newest sandbox, and the newest container of each name."""
    pods: dict[str, dict[str, Any]] = {}
    for sandbox in sorted(sandboxes, key=lambda found: (found["created"], found["ready"])):
        pods[sandbox["uid"]] = {
            "name": sandbox["name"],
            "namespace": sandbox["namespace"],
            "static": _is_static(sandbox),
            "id": sandbox["id"],
            "sandbox_ready": sandbox["ready"],
        } | ({} if sandbox["ready"] else {"to_run": _is_to_run(sandbox["uid"])})
    newest = {
        (container["uid"], container["name"]): container
        for container in sorted(containers, key=lambda found: (found["restarts"], found["created"]))
    }
    for uid, pod in pods.items():
        own = [container for (owner, _), container in sorted(newest.items()) if owner == uid]
        pod["containers"] = [each | _earlier(each["sandbox"], pod["id"]) for each in own]
    return sorted(pods.values(), key=lambda pod: (pod["namespace"], pod["name"]))


def _is_static(sandbox: dict[str, Any]) -> bool:
    source = sandbox["source"]
    return source != "api" if source else STATIC_UID.fullmatch(sandbox["uid"]) is not None


def _is_to_run(uid: str) -> bool | None:
    groups = podgroups.folders_of("", uid)
    return None if groups is None else bool(groups)


def _earlier(sandbox: str, newest: str) -> dict[str, bool]:
    """What is not of the newest sandbox, such as that of before a reboot, was not started again since."""
    return {"earlier": True} if sandbox and newest and sandbox != newest else {}


def _plain(pods: Entries) -> Entries:
    """Leave out what only grouping needs."""
    dropped = ("id", "uid", "sandbox")
    for pod in pods:
        pod["containers"] = [_without(container, dropped) for container in pod["containers"]]
    return [_without(pod, dropped) for pod in pods]


def _without(entry: dict[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in keys}
