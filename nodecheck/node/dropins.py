"""Configuration in pieces: see sysctl.d(5), modules-load.d(5), modprobe.d(5)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nodecheck.files import read_regular_file
from nodecheck.node import kernelfiles
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Iterator

# The first that has a file of a name wins; /lib is /usr/lib nearly everywhere.
PARENTS = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
AT_BOOT = tuple(parent for parent in PARENTS if parent != "/run")  # which is emptied then
COMMENTS = ("#", ";")


def lines(folder: str, parents: tuple[str, ...] = PARENTS) -> Iterator[tuple[str, str]]:
    """Yield (path, line) of all files of a folder such as sysctl.d, in their order. Raises OSError, Unobserved.

    Comments and empty lines are left out.
    """
    for path in files(folder, parents):
        for line in _read(path).splitlines():
            stripped = line.strip()
            if stripped and not stripped.startswith(COMMENTS):
                yield path, stripped


def files(folder: str, parents: tuple[str, ...]) -> list[str]:
    """Return the paths of the files that count, by their names. Raises OSError."""
    found: dict[str, str] = {}
    for parent in parents:
        for name in _names(f"{parent}/{folder}"):
            if name.endswith(".conf"):
                found.setdefault(name, f"{parent}/{folder}/{name}")
    return [found[name] for name in sorted(found)]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(kernelfiles.ROOT + folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read(path: str) -> str:
    """Return the text of a file; a link to nowhere is passed over, and one to /dev/null masks what is below it."""
    there = kernelfiles.ROOT + path
    if not os.path.exists(there) or os.path.realpath(there) == os.devnull:
        return ""
    try:
        return read_regular_file(there, kernelfiles.LARGEST).decode("utf-8", "replace")
    except OSError as error:
        remedy = "run nodecheck as root" if isinstance(error, PermissionError) else ""
        raise Unobserved(path, f"{path} cannot be read: {error.strerror}", remedy=remedy) from error
