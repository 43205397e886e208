"""Sandboxes and containers of pods, as Docker tells them (with dockershim or cri-dockerd), or a runtime over the CRI.

Both give the same: (sandboxes, containers), as plain data.
"""

from __future__ import annotations

import json
import re
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

from nodecheck.node.windows._rungs import MISSING, Stopped

if TYPE_CHECKING:
    from nodecheck.node.windows._criapi import Api as Cri
    from nodecheck.node.windows._dockerapi import Api as Docker
    from nodecheck.node.windows._protobuf import Message

SHARES = {"connect": 0.15, "ping": 0.3, "version": 0.3, "pods": 0.6, "containers": 0.8, "images": 0.9, "exits": 1.0}
POD = "io.kubernetes.pod."
CONTAINER = "io.kubernetes.container.name"
SANDBOX = "POD"  # the name that dockershim and cri-dockerd give the container that holds a pod's namespaces
RESTARTS = "io.kubernetes.container.restartCount"  # an annotation; Docker's are labels with a prefix
SOURCE = "kubernetes.io/config.source"  # an annotation, too: file, http or api
# Of what ended within the last minute, Docker tells the seconds: docker/go-units, HumanDuration().
EXITED = re.compile(r"Exited \((-?\d+)\)(?: (?:(\d+) seconds?|(Less than a second)) ago)?")
STATES = {0: "created", 1: "running", 2: "exited", 3: "unknown"}  # of containers, in the CRI
NANOSECONDS = 1e9
READY = 0  # of sandboxes, in the CRI

Entries = list[dict[str, Any]]


def from_docker(api: Docker, images: bool) -> tuple[Entries, Entries]:
    """Ask Docker. Raises Stopped."""
    api.connect(SHARES["connect"])
    api.ping(SHARES["ping"])
    query = urllib.parse.urlencode({"all": 1, "filters": json.dumps({"label": [f"{POD}name"]})})
    listed = api.ask("pods", SHARES["containers"], f"/containers/json?{query}")
    tags = _docker_tags(api.ask("images", SHARES["images"], "/images/json")) if images else {}
    sandboxes = [_docker_sandbox(entry) for entry in listed if _is_sandbox(entry)]
    return sandboxes, [_docker_container(entry, tags) for entry in listed if not _is_sandbox(entry)]


def _docker_tags(images: Entries) -> dict[str, list[str]]:
    return {image["Id"]: (image.get("RepoTags") or []) + (image.get("RepoDigests") or []) for image in images}


def _is_sandbox(entry: dict[str, Any]) -> bool:
    return bool(entry["Labels"].get(CONTAINER, SANDBOX) == SANDBOX)


def _docker_sandbox(entry: dict[str, Any]) -> dict[str, Any]:
    source = {"source": entry["Labels"].get(f"annotation.{SOURCE}", "")}
    source |= {"id": entry.get("Id", "")}
    return _of_pod(entry["Labels"]) | source | {"ready": entry["State"] == "running", "created": entry["Created"]}


def _docker_container(entry: dict[str, Any], tags: dict[str, list[str]]) -> dict[str, Any]:
    labels = entry["Labels"]
    exited = EXITED.match(entry.get("Status") or "")
    return {
        "uid": labels.get(f"{POD}uid", ""),
        "sandbox": labels.get("io.kubernetes.sandbox.id", ""),
        "name": labels[CONTAINER],
        "images": list(dict.fromkeys([entry["Image"], *tags.get(entry["ImageID"], [])])),
        "state": entry["State"],
        "restarts": _whole(labels.get(f"annotation.{RESTARTS}")),
        "exit_code": int(exited[1]) if exited else None,
        "created": entry["Created"],
    } | ({"ended": time.time() - int(exited[2] or 0)} if exited and (exited[2] or exited[3]) else {})


def from_cri(api: Cri, images: bool) -> tuple[Entries, Entries]:
    """Ask a runtime over the CRI. Raises Stopped."""
    api.connect(SHARES["connect"])
    api.ask_version(SHARES["version"])
    listed = api.ask("pods", SHARES["pods"], "ListPodSandbox").messages(1)
    told = api.ask("containers", SHARES["containers"], "ListContainers").messages(1)
    tags = _cri_tags(api.ask("images", SHARES["images"], "ListImages", service="Image")) if images else {}
    containers = [_cri_container(container, tags) for container in told]
    return [_cri_sandbox(sandbox) for sandbox in listed], containers


def ask_ends(api: Cri, containers: Entries) -> None:
    """Put in when and how containers have ended, which no list tells. Raises Stopped."""
    from nodecheck.node.windows._protobuf import write_text

    for container in containers:
        if container["state"] != "exited":
            continue
        try:
            answer = api.ask("exits", SHARES["exits"], "ContainerStatus", write_text(1, container["id"]))
        except Stopped as stopped:
            if stopped.data["kind"] == MISSING:
                continue  # it was removed meanwhile
            raise
        container["exit_code"] = _signed(answer.message(1).number(7))
        container["ended"] = answer.message(1).number(6) / NANOSECONDS


def _cri_tags(images: Message) -> dict[str, list[str]]:
    return {image.text(1): image.texts(2) + image.texts(3) for image in images.messages(1)}


def _cri_sandbox(sandbox: Message) -> dict[str, Any]:
    told = sandbox.message(2)
    pod = {"name": told.text(1), "uid": told.text(2), "namespace": told.text(3)}
    source = {"source": sandbox.mapping(6).get(SOURCE, ""), "id": sandbox.text(1)}
    return pod | source | {"ready": sandbox.number(3) == READY, "created": sandbox.number(4)}


def _cri_container(container: Message, tags: dict[str, list[str]]) -> dict[str, Any]:
    named, reference = container.message(4).text(1), container.text(5)
    names = [named, reference, *tags.get(named, []), *tags.get(reference, [])]
    restarts = container.mapping(9).get(RESTARTS)
    return {
        "id": container.text(1),
        "uid": container.mapping(8).get(f"{POD}uid", ""),
        "sandbox": container.text(2),
        "name": container.message(3).text(1),
        "images": list(dict.fromkeys(name for name in names if name)),
        "state": STATES.get(container.number(6), "unknown"),
        "restarts": container.message(3).number(2) if restarts is None else _whole(restarts),
        "exit_code": None,
        "created": container.number(7) / NANOSECONDS,
    }


def _of_pod(labels: dict[str, str]) -> dict[str, Any]:
    return {key: labels.get(f"{POD}{key}", "") for key in ("name", "namespace", "uid")}


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


def _signed(number: int) -> int:
    """An int32 below zero is written as if it had 64 bits."""
    return number - 2**64 if number >= 2**63 else number
