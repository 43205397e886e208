"""The command line, as a user calls it: a process of the system's Python."""

from __future__ import annotations

import os
import pathlib
import subprocess
from typing import NamedTuple

CHECKOUT = pathlib.Path(__file__).parents[1]
PYTHON = "/usr/bin/python3"

# What is true of every host: no process has this name, and a folder is no pid file.
WELL = "process: {name: no-such-name, count: 0}"
CRITICAL = "process: {name: no-such-name}"
UNSEEN = "process: {pidfile: /tmp}"


class Cli(NamedTuple):
    """A folder with definitions, and nodecheck called in it."""

    folder: pathlib.Path

    def write(self, *checks: str, name: str = "checks.yaml", play: str = "hosts: all") -> pathlib.Path:
        """Write a play with these checks, each "NAME | TYPE: {...} [| KEYWORD: ...]"."""
        lines = [f"- name: Play\n  {play}\n  checks:\n"]
        for check in checks:
            title, *keys = check.split(" | ")
            lines.append(f"    - name: {title}\n" + "".join(f"      {key}\n" for key in keys))
        file = self.folder / name
        file.write_text("".join(lines))
        return file

    def __call__(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run nodecheck and return how it ended."""
        return subprocess.run(
            [PYTHON, "-m", "nodecheck", *map(str, arguments)],
            cwd=self.folder, env=self.environment(**environment), stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", timeout=60, check=False,
        )  # fmt: skip

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a user who has set nothing that matters here."""
        clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "PYTHONHOME")}
        return clean | {"PYTHONPATH": str(CHECKOUT), "STATE_DIRECTORY": f"{self.folder}-state"} | more
