"""The window `cri`: a container runtime, asked rung by rung over its CRI socket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node import shapes
from nodecheck.node.windows._rungs import ABSENT, RUNGS_SHAPE, STOPPED_SHAPE, Ladder, Stopped

if TYPE_CHECKING:
    from nodecheck.node.windows._criapi import Api
    from nodecheck.node.windows._protobuf import Message

SHARES = {"connect": 0.15, "version": 0.4, "status": 0.65, "list": 0.9}
CONFIG_SECONDS = 0.2
# What RuntimeConfig calls them; https://kep.k8s.io/4033
CGROUP_DRIVERS = {0: "systemd", 1: "cgroupfs"}

_CONDITION = shapes.fields(
    {"type": shapes.text, "status": shapes.boolean, "reason": shapes.text, "message": shapes.text}
)
_RUNTIME = shapes.fields({"name": shapes.text, "version": shapes.text, "api": shapes.text})
_FIELDS = shapes.fields(
    {
        "socket": shapes.text,
        "rungs": RUNGS_SHAPE,
        "stopped": STOPPED_SHAPE,
        "runtime": shapes.optional(_RUNTIME),
        "conditions": shapes.list_of(_CONDITION),
        "cgroup_driver": shapes.text,
        "sandboxes": shapes.optional(shapes.whole),
    }
)


def SHAPE(value: Any, place: str) -> Any:  # noqa: N802  # what each window has
    """How far one runtime answered: one that answered to the end has told what it is."""
    seen = _FIELDS(value, place)
    if seen["stopped"] is None and seen["runtime"] is None:
        raise shapes.WrongShape(f"{place}.runtime", "a runtime that did not stop has told what it is")
    return seen


class CriWant(NamedTuple):
    """A runtime on a socket; "" is the one that the kubelet uses."""

    socket: str = ""
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "cri"

    @property
    def key(self) -> str:
        """The socket."""
        return self.socket or "of the kubelet"


def look(want: CriWant) -> dict[str, Any]:
    """Climb as far as the runtime answers. Raises Unobserved."""
    from nodecheck.node.windows import _kubelet

    socket = want.socket.removeprefix("unix://") or _kubelet.endpoint() or _kubelet.usual_socket()
    ladder = Ladder(f"{want.window} {want.key}", want.seconds)
    seen: dict[str, Any] = {"socket": socket, "stopped": None, "runtime": None, "conditions": [], "cgroup_driver": ""}
    seen["sandboxes"] = None
    try:
        _climb(socket, ladder, seen)
    except Stopped as stopped:
        seen["stopped"] = stopped.data
    return seen | {"rungs": ladder.reached}


def _climb(socket: str, ladder: Ladder, seen: dict[str, Any]) -> None:
    from nodecheck.node.windows._criapi import Api

    if not socket:
        raise Stopped("connect", ABSENT, "there is no CRI socket at any of the usual places", 0.0)
    api = Api(socket, ladder)
    try:
        _ask(api, seen)
    finally:
        api.close()


def _ask(api: Api, seen: dict[str, Any]) -> None:
    from nodecheck.node.windows._protobuf import write_true

    api.connect(SHARES["connect"])
    version = api.ask_version(SHARES["version"])
    seen["runtime"] = {"name": version.text(2), "version": version.text(3), "api": api.version}
    status = api.ask("status", SHARES["status"], "Status", write_true(1))
    seen["conditions"] = [_condition(condition) for condition in status.message(1).messages(1)]
    seen["sandboxes"] = len(api.ask("list", SHARES["list"], "ListPodSandbox").messages(1))
    seen["cgroup_driver"] = _cgroup_driver(api.ask_perhaps("RuntimeConfig", CONFIG_SECONDS), status)


def _condition(condition: Message) -> dict[str, Any]:
    return {
        "type": condition.text(1),
        "status": bool(condition.number(2)),
        "reason": condition.text(3),
        "message": condition.text(4),
    }


def _cgroup_driver(config: Message | None, status: Message) -> str:
    """Return what RuntimeConfig says (since CRI 1.28), else what containerd tells of its configuration, else ""."""
    if config is not None and config.has(1):
        return CGROUP_DRIVERS.get(config.message(1).number(1), "")
    try:
        containerd = json.loads(status.mapping(2)["config"])["containerd"]
        options = containerd["runtimes"][containerd["defaultRuntimeName"]].get("options") or {}
    except (KeyError, ValueError, TypeError, AttributeError):
        return ""
    return "systemd" if options.get("SystemdCgroup") else "cgroupfs"
