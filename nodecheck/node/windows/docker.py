"""The window `docker`: the engine, asked rung by rung, and the containers that are meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node import shapes
from nodecheck.node.windows._rungs import FAILED, MISSING, RUNGS_SHAPE, STOPPED_SHAPE, Ladder, Refusal, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.node.windows._dockerapi import Api

SHARES = {"connect": 0.15, "ping": 0.3, "list": 0.7, "info": 0.85, "inspect": 1.0}
SHIM_SECONDS = 1.5  # Docker counts once a second, so an answer may take as long
LONGEST_ERROR = 200  # characters

_CONTAINER = shapes.fields(
    {
        "name": shapes.text,
        "image": shapes.text,
        "state": shapes.text,
        "health": shapes.text,
        "exit_code": shapes.anything,
        "restart_count": shapes.whole,
        "out_of_memory": shapes.boolean,
        "error": shapes.text,
    }
)
_ENGINE = shapes.fields(
    {
        "version": shapes.text,
        "cgroup_driver": shapes.text,
        "storage_driver": shapes.text,
        "warnings": shapes.list_of(shapes.text),
    }
)
SHAPE = shapes.fields(
    {
        "rungs": RUNGS_SHAPE,
        "stopped": STOPPED_SHAPE,
        "container": shapes.text,  # which one was asked for when it stopped
        "engine": shapes.optional(_ENGINE),
        "containers": shapes.optional(shapes.list_of(_CONTAINER)),
    }
)


class DockerWant(NamedTuple):
    """The engine on a socket, with `info` what it tells of itself; with `containers` those whose name and label fit.

    `name` is a name or /a regular expression/, `label` is NAME or NAME=VALUE; "" fits all.
    `shims`: whether the shims of those that run are asked, too.
    """

    socket: str
    info: bool = True
    containers: bool = False
    name: str = ""
    label: str = ""
    shims: bool = False
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "docker"

    @property
    def path(self) -> str:
        """The socket's path; some know it as unix:///run/docker.sock."""
        return self.socket.removeprefix("unix://")

    @property
    def key(self) -> str:
        """The socket, and which containers."""
        chosen = [f"container {self.name}"] if self.name else []
        chosen += [f"label {self.label}"] if self.label else []
        which = (chosen or ["all containers"]) if self.containers else []
        more = [word for word, wanted in (("info", self.info and self.containers), ("shims", self.shims)) if wanted]
        return " ".join([self.socket, *which, *([f"with {' and '.join(more)}"] if more else [])])


def look(want: DockerWant) -> dict[str, Any]:
    """Climb as far as the engine answers."""
    from nodecheck.node.windows._dockerapi import Api

    ladder = Ladder(f"{want.window} {want.key}", want.seconds)
    api = Api(want.path, ladder)
    seen: dict[str, Any] = {"stopped": None, "container": "", "engine": None, "containers": None}
    try:
        _climb(api, ladder, want, seen)
    except Stopped as stopped:
        seen["stopped"] = stopped.data
    finally:
        api.close()
    return seen | {"rungs": ladder.reached}


def _climb(api: Api, ladder: Ladder, want: DockerWant, seen: dict[str, Any]) -> None:
    api.connect(SHARES["connect"])
    api.ping(SHARES["ping"])
    # What `docker ps` asks for: of everything, that hangs first.
    listed = api.ask("list", SHARES["list"], "/containers/json" + ("?all=1" if want.containers else ""))
    if want.info:
        seen["engine"] = _engine(api.ask("info", SHARES["info" if want.containers else "inspect"], "/info"))
    if want.containers:
        chosen = [entry for entry in listed if _is_meant(entry, want)]
        seen["containers"] = list(_inspect(api, chosen, seen))
    if want.shims:
        _ask_shims(want, ladder, seen)


def _fits(text: str, wanted: str) -> bool:
    """Tell whether a text is the one wanted, or /a regular expression/ is found in it; "" fits all."""
    expression = re.fullmatch(r"/(.+)/(i?)", wanted, re.DOTALL)
    if expression:
        return bool(re.search(expression[1], text, re.IGNORECASE if expression[2] else 0))
    return not wanted or wanted == text


def _engine(info: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": info.get("ServerVersion") or "",
        "cgroup_driver": info.get("CgroupDriver") or "",
        "storage_driver": info.get("Driver") or "",
        "warnings": [str(line).strip() for line in info.get("Warnings") or []],
    }


def _is_meant(entry: dict[str, Any], want: DockerWant) -> bool:
    return _is_named(entry, want.name) and _is_labelled(entry, want.label)


def _is_named(entry: dict[str, Any], wanted: str) -> bool:
    names = [name.removeprefix("/") for name in entry.get("Names") or []]
    return any(_fits(name, wanted) for name in names)


def _is_labelled(entry: dict[str, Any], wanted: str) -> bool:
    name, given, value = wanted.partition("=")
    labels = entry.get("Labels") or {}
    return not wanted or (name in labels and (not given or labels[name] == value))


def _inspect(api: Api, listed: list[dict[str, Any]], seen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in listed:
        seen["container"] = _name(entry)
        try:
            told = api.ask("inspect", SHARES["inspect"], f"/containers/{entry['Id']}/json")
        except Stopped as stopped:
            if stopped.data["kind"] == MISSING:
                continue  # it was removed meanwhile
            raise
        yield _container(told)
    seen["container"] = ""


def _name(entry: dict[str, Any]) -> str:
    return str((entry.get("Names") or [entry["Id"]])[0]).removeprefix("/")


def _container(told: dict[str, Any]) -> dict[str, Any]:
    state = told["State"]
    return {
        "name": told["Name"].removeprefix("/"),
        "image": told["Config"]["Image"],
        "state": state["Status"],
        "health": (state.get("Health") or {}).get("Status") or "none",
        "exit_code": state["ExitCode"] if state["Status"] in ("exited", "dead", "restarting") else None,
        "restart_count": told["RestartCount"],
        "out_of_memory": bool(state.get("OOMKilled")),
        "error": (state.get("Error") or "")[:LONGEST_ERROR],
    }


def _ask_shims(want: DockerWant, ladder: Ladder, seen: dict[str, Any]) -> None:
    """What a container uses, its shim has to tell: a shim that hangs is seen in nothing else that Docker tells.

    All are asked before the first answer is waited for.
    """
    from nodecheck.node.windows._dockerapi import Api

    names = [container["name"] for container in seen["containers"] if container["state"] == "running"]
    asked = [(name, Api(want.path, ladder)) for name in names]
    try:
        ladder.climb("shim", 1.0, lambda deadline: _wait_for_shims(asked, deadline, seen), SHIM_SECONDS)
    finally:
        for _, api in asked:
            api.close()


def _wait_for_shims(asked: list[tuple[str, Api]], deadline: float, seen: dict[str, Any]) -> None:
    for name, api in asked:
        seen["container"] = name
        api.send(f"/containers/{name}/stats?stream=false&one-shot=true", deadline)
    for name, api in asked:
        seen["container"] = name
        try:
            api.receive()
        except Refusal as refusal:
            if refusal.args[0] not in (MISSING, FAILED):
                raise  # where nothing can be counted, it says so, and that is an answer
    seen["container"] = ""
