"""What the Makefile makes for others, made in a copy of the checkout: its own build/ and dist/ stay as they are."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

CHECKOUT = pathlib.Path(__file__).parents[1]
SOURCES = re.findall("^SOURCES := (.*)$", (CHECKOUT / ".packaging/packages.mk").read_text(), re.MULTILINE)[0].split()
EPOCH = "1700000000"  # 2023-11-14


def copy_to(folder: pathlib.Path) -> pathlib.Path:
    """Copy what packages are made from."""
    for name in SOURCES:
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(CHECKOUT / name, folder)
    return folder


def make(folder: pathlib.Path, *arguments: str) -> pathlib.Path:
    """Run make there, with the tools of these tests; return the folder with what it made."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-C", str(folder), f"VENV={sys.prefix}", f"SOURCE_DATE_EPOCH={EPOCH}", *arguments]
    ended = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, f"{ended.stdout[-3000:]}{ended.stderr[-3000:]}"
    return folder / "dist"


def make_script(name: str, folder: pathlib.Path) -> pathlib.Path:
    """Run one of .packaging/*.py as the Makefile does; return the folder that it has written to."""
    environment = os.environ | {"PYTHONPATH": ".", "SOURCE_DATE_EPOCH": EPOCH}
    command = ["/usr/bin/python3", "-B", f".packaging/{name}.py", str(folder)]
    subprocess.run(command, cwd=CHECKOUT, env=environment, timeout=60, check=True)
    return folder
