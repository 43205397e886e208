"""The control groups of pods: one exists for as long as the kubelet means its pod to run on this node.

The kubelet makes them as `--cgroup-driver` says, below the group that `--cgroup-root` says, as in the nodes of kind:
https://kubernetes.io/docs/concepts/architecture/cgroups/.
"""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOUNTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/pids")  # of v2, else of v1
TOPS = ("kubepods", "kubepods.slice", "*/kubepods", "*.slice/*-kubepods.slice")
CLASSES = ("", "burstable", "besteffort")  # of service; the guaranteed ones have no folder of their own


def folders_of(root: str, uid: str) -> list[str] | None:
    """Return the folders of a pod's control group, [] where it has none; None where no pod has one that can be seen."""
    tops = [top for pattern in TOPS for mount in MOUNTS for top in glob.glob(f"{root}{mount}/{pattern}")]
    found = [folder for top in tops for folder in _possible(top, uid) if os.path.isdir(folder)]
    return found if tops else None


def _possible(top: str, uid: str) -> Iterator[str]:
    """Return where it may be: with the driver cgroupfs, and with systemd's, which puts all names above into each."""
    name, is_slice, _ = os.path.basename(top).partition(".slice")
    for each in CLASSES:
        prefix = f"{name}-{each}" if each else name
        if is_slice:
            within = f"{prefix}.slice/" if each else ""
            yield f"{top}/{within}{prefix}-pod{uid.replace('-', '_')}.slice"
        else:
            yield "/".join(filter(None, (top, each, f"pod{uid}")))
