"""The window on space and inodes: of the file system of one path, or of every local one."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from nodecheck.node import ext4, mounts
from nodecheck.node.shapes import LARGEST, boolean, fields, list_of, text, whole
from nodecheck.patterns import later

AMOUNTS = ("used", "available", "inodes", "inodes_used", "inodes_available")
SHAPE = list_of(
    fields(
        {"point": text, "type": text, "source": text, "read_only": boolean, "unseen": text}
        | dict.fromkeys(AMOUNTS, whole),
        {"doubt": text},  # why it is not known whether it is writable; records of an older nodecheck have none
    )
)

# Where the kubelet mounts the volumes of pods, which are theirs to fill: pkg/kubelet/kubelet_getters.go.
OF_A_POD = later(r"/(pods/[^/]+/volume[^/]*|plugins/kubernetes\.io)/")

# The EFI system partition: an installer filled it, and nobody else will.
OF_THE_FIRMWARE = frozenset({"/boot/efi", "/efi"})


class DiskWant(NamedTuple):
    """The file system of a path; without one, every local file system, or every one of these types."""

    path: str = ""
    types: tuple[str, ...] = ()
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """See windows."""
        return "disk"

    @property
    def key(self) -> str:
        """See windows."""
        return self.path or " ".join(("every", *self.types))


def look(want: DiskWant) -> list[dict[str, Any]]:
    """Return the file systems, none for a path that does not exist. Amounts are in bytes, or are numbers of inodes.

    `used` and `inodes_used` are what anybody uses, `available` and `inodes_available` what is left for those who are
    not root. They are 0 where `unseen` says why they could not be seen.
    """
    every = mounts.of_host()
    if not want.path:
        return _ask_each(_chosen(every, want.types), every, want.seconds)
    try:
        descriptor = mounts.open_place(want.path)
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        found = mounts.behind(descriptor, os.path.realpath(want.path), every)
        return [_seen(descriptor, found) if found else _untold(want.path, descriptor)]
    finally:
        os.close(descriptor)


def _chosen(every: list[mounts.Mount], types: tuple[str, ...]) -> list[mounts.Mount]:
    """Return one mount for each file system that is meant: the one with the shortest path."""
    meant = types or mounts.local_types()
    found: dict[str, mounts.Mount] = {}
    for mount in sorted(every, key=lambda mount: (len(mount.point), mount.point)):
        is_own = types or not (mount.point in OF_THE_FIRMWARE or OF_A_POD.search(mount.point))
        if mount.type in meant and is_own and mounts.topmost(every, mount.point) == mount:
            # The same file system may be mounted many times; of btrfs, each subvolume has a device of its own.
            name = mount.source if mount.type in ("btrfs", "zfs") else mount.device
            found.setdefault(name, mount)
    return sorted(found.values(), key=lambda mount: mount.point)


def _ask_each(chosen: list[mounts.Mount], every: list[mounts.Mount], seconds: float) -> list[dict[str, Any]]:
    """Ask one after the other: file systems on disks answer at once, and the one that does not is known by that."""
    answers: list[dict[str, Any]] = []

    def ask_all() -> bool:
        for mount in chosen:
            answers.append(_ask(mount, every))  # noqa: PERF401  # each is there as soon as it is seen
        return True

    mounts.answer_of(ask_all, seconds * 0.9)
    seen, late = list(answers), []
    for mount in chosen[len(seen) :]:
        silent = "it" if mount == chosen[len(seen)] else chosen[len(seen)].point
        late.append(_told(mount) | {"unseen": f"{silent} did not answer in time"})
    return seen + late


def _ask(mount: mounts.Mount, every: list[mounts.Mount]) -> dict[str, Any]:
    try:
        descriptor = mounts.open_place(mount.point)
        try:
            other = mounts.in_place_of(mount, descriptor, every)
            return _told(mount) | {"unseen": f"{other} is seen there"} if other else _seen(descriptor, mount)
        finally:
            os.close(descriptor)
    except OSError as error:
        return _told(mount) | {"unseen": error.strerror or str(error)}


def _seen(descriptor: int, mount: mounts.Mount) -> dict[str, Any]:
    stopped = {"read_only": True} if mounts.has_shut_down(descriptor, mount) else {}
    return _told(mount) | _amounts(os.fstatvfs(descriptor)) | stopped


def _told(mount: mounts.Mount) -> dict[str, Any]:
    return {
        "point": mount.point,
        "type": mount.type,
        "source": mount.source,
        "read_only": mount.read_only,
        "doubt": ext4.doubt(mount),
        "unseen": "",
    } | dict.fromkeys(AMOUNTS, 0)


def _untold(path: str, descriptor: int) -> dict[str, Any]:
    """What can be told of a file system that mountinfo does not show."""
    seen = os.fstatvfs(descriptor)
    read_only = bool(seen.f_flag & os.ST_RDONLY)
    return {"point": path, "type": "", "source": "", "read_only": read_only, "unseen": ""} | _amounts(seen)


def _amounts(seen: os.statvfs_result) -> dict[str, int]:
    """Some file systems that are served by a program tell amounts that cannot be."""
    amounts = {
        "used": (seen.f_blocks - seen.f_bfree) * seen.f_frsize,
        "available": seen.f_bavail * seen.f_frsize,
        "inodes": seen.f_files,
        "inodes_used": seen.f_files - seen.f_ffree,
        "inodes_available": seen.f_favail,
    }
    return {name: min(max(amount, 0), LARGEST) for name, amount in amounts.items()}
