"""The programs that read what is printed: where they are, or why a test cannot run."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

GOLDEN = pathlib.Path(__file__).parent / "report/golden"
# The Makefile unpacks packages here that would start a server if they were installed.
UNPACKED = pathlib.Path(sys.prefix, "unpacked/usr/bin")
PLUGINS = "/usr/lib/nagios/plugins"


def find(program: str) -> str:
    """Return the path of a program; skip the test without it, or fail where NODECHECK_REQUIRE_NODE=1 wants all."""
    found = shutil.which(program, path=os.pathsep.join((os.environ["PATH"], str(UNPACKED), PLUGINS)))
    if found:
        return found
    reason = f"{program} is not here; `make test` as root installs it"
    if os.environ.get("NODECHECK_REQUIRE_NODE") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def run(program: str, *arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program with this on its standard input."""
    return subprocess.run(
        [find(program), *map(str, arguments)], input=given, capture_output=True, encoding="utf-8", timeout=180,
        check=False,
    )  # fmt: skip


def golden(kind: str) -> list[pathlib.Path]:
    """Return the golden files of a format."""
    return sorted(GOLDEN.glob(f"*.{kind}"))


def exit_code(file: pathlib.Path) -> int:
    """Return the exit code that a golden file's name tells."""
    return int(file.name.split(".")[-2])
