"""A folder in the place of this machine's /proc, /sys and /etc."""

from __future__ import annotations

import pathlib


class Root:
    """The folder; nothing is in it but what a test writes."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def __call__(self, path: str, text: str) -> None:
        """Write a file, at the path that it has on a real machine."""
        self.made(path).write_text(text)

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link."""
        self.made(path).symlink_to(target)

    def made(self, path: str) -> pathlib.Path:
        """Make the folders above a path, and return where it is."""
        file = self.folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        return file
