"""The control groups of pods: one exists for as long as the kubelet means its pod to run on this node.

The kubelet makes them as `--cgroup-driver` says: https://kubernetes.io/docs/concepts/architecture/cgroups/.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOUNTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/pids")  # of v2, else of v1
TOPS = ("kubepods", "kubepods.slice")
CLASSES = ("", "burstable", "besteffort")  # of service; the guaranteed ones have no folder of their own


def folders_of(root: str, uid: str) -> list[str] | None:
    """Return the folders of a pod's control group, [] where it has none; None where no pod has one that can be seen."""
    found = [folder for folder in _possible(root, uid) if os.path.isdir(folder)]
    seen = found or any(os.path.isdir(f"{root}{mount}/{top}") for mount in MOUNTS for top in TOPS)
    return found if seen else None


def _possible(root: str, uid: str) -> Iterator[str]:
    """Return where it may be: with the driver cgroupfs, and with systemd's."""
    escaped = uid.replace("-", "_")
    for mount in MOUNTS:
        for each in CLASSES:
            yield "/".join(filter(None, (f"{root}{mount}/kubepods", each, f"pod{uid}")))
            prefix = f"kubepods-{each}" if each else "kubepods"
            within = f"{prefix}.slice/" if each else ""
            yield f"{root}{mount}/kubepods.slice/{within}{prefix}-pod{escaped}.slice"
