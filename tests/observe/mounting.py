"""Real file systems to look at: in memory, in a file, below one another."""

import contextlib
import fcntl
import os
import pathlib
import struct
import subprocess
from collections.abc import Iterator

import pytest

from .children import call

MS_RDONLY, MS_REMOUNT, MS_BIND = 0x1, 0x20, 0x1000
MNT_DETACH = 2
XFS_IOC_GOINGDOWN, XFS_FSOP_GOING_FLAGS_NOLOGFLUSH = 0x8004587D, 2


@contextlib.contextmanager
def mounted(
    kind: str, folder: pathlib.Path, *, source: str = "made-up", flags: int = 0, options: str = ""
) -> Iterator[pathlib.Path]:
    """Mount something on a folder, which is made; skip the test where nobody may."""
    folder.mkdir(exist_ok=True)
    mount(kind, folder, source=source, flags=flags, options=options)
    try:
        yield folder
    finally:
        call("umount2", os.fsencode(folder), MNT_DETACH)


def mount(kind: str, folder: pathlib.Path, *, source: str = "made-up", flags: int = 0, options: str = "") -> None:
    """Mount something, or mount it again in another way; skip the test where nobody may."""
    try:
        call("mount", os.fsencode(source), os.fsencode(folder), kind.encode(), flags, options.encode())
    except OSError as error:
        pytest.skip(f"no file system can be mounted here: {error}")


@contextlib.contextmanager
def in_a_file(
    folder: pathlib.Path, *, make: str = "mkfs.ext4 -q -N 64 -m 10", mebibytes: int = 8
) -> Iterator[pathlib.Path]:
    """Make a file system in a file, and mount it on a folder; skip the test where the tools or rights are missing."""
    image = folder.with_suffix(".image")
    with image.open("wb") as file:
        file.truncate(mebibytes << 20)
    folder.mkdir()
    try:
        subprocess.run([*make.split(), str(image)], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be made here: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)


def shut_down(folder: pathlib.Path) -> None:
    """Have XFS do what it does after an error that it cannot get over."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, XFS_IOC_GOINGDOWN, struct.pack("=I", XFS_FSOP_GOING_FLAGS_NOLOGFLUSH))
    finally:
        os.close(descriptor)
