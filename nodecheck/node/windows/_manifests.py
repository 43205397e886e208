"""The manifests of static pods, as the kubelet reads them: every file whose name does not begin with a dot."""

from __future__ import annotations

import os
from typing import Any

from nodecheck.node.foreignyaml import first_document

LARGEST = 4 << 20  # bytes


def read(folder: str) -> list[dict[str, Any]] | None:
    """Return what each file holds, in the order of their names; None when there is no such folder. Raises OSError.

    `problem` says why the kubelet cannot use a file; then the rest of it is empty.
    """
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return None
    paths = {name: os.path.join(folder, name) for name in names}
    return [{"file": name} | _manifest(path) for name, path in paths.items() if os.path.isfile(path)]


def _manifest(path: str) -> dict[str, Any]:
    nothing = {"name": "", "namespace": "", "containers": []}
    try:
        with open(path, "rb") as file:
            data = first_document(file.read(LARGEST))
    except FileNotFoundError:
        return nothing | {"problem": "it was removed a moment ago"}
    except ValueError as error:
        return nothing | {"problem": str(error)}
    if not isinstance(data, dict) or data.get("kind") != "Pod":
        return nothing | {"problem": "it holds no pod"}
    return _pod(data) or nothing | {"problem": "it holds a pod without a name or without containers"}


def _pod(data: dict[str, Any]) -> dict[str, Any] | None:
    try:
        name = data["metadata"]["name"]
        namespace = data["metadata"].get("namespace") or "default"
        containers = [str(container["name"]) for container in data["spec"]["containers"]]
    except (KeyError, TypeError, AttributeError):
        return None
    return {"name": str(name), "namespace": str(namespace), "containers": containers, "problem": ""}
