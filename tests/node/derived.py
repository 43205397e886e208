"""Roots that are made from another one: a copy of it, with more in it."""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator

from .roots import RootError, cache_directory, locked, remove_old_roots

# The beginning of a script that runs in a root: install packages, and start nothing.
INSTALL = """
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root
install_packages() {
  printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  apt-get -q update
  apt-get -q -y install --no-install-recommends "$@"
  rm -rf /usr/sbin/policy-rc.d /var/lib/apt/lists /var/cache/apt/archives
}
"""


def nothing(_: pathlib.Path) -> None:
    """Put nothing into the root before its script runs."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a root is made from another one."""

    name: str
    base: pathlib.Path
    script: str  # for sh, which runs it in the root
    fill: Callable[[pathlib.Path], None] = nothing  # puts into the root what the script needs
    filling: str = ""  # tells one filling from another

    @property
    def root(self) -> pathlib.Path:
        """Where the root is, or will be: its name changes with the recipe."""
        digest = hashlib.sha256(f"{self.script}\n{self.filling}\n{self.base.name}".encode()).hexdigest()[:12]
        return cache_directory() / "roots" / f"{self.name}-{digest}"


def ensure_derived_root(recipe: Recipe, say: Callable[[str], None]) -> pathlib.Path:
    """The root of this recipe, made first if it is not there yet; `say` is told of the progress."""
    lock = recipe.root.parent / f"{recipe.name}.lock"
    lock.touch()
    with locked(lock):
        if not recipe.root.exists():
            say(f"The root {recipe.name} is made, once: one to two minutes ...")
            make_derived_root(recipe)
            remove_old_roots(recipe.name, recipe.root)
    return recipe.root


def make_derived_root(recipe: Recipe) -> None:
    """Make the root in a directory beside it, and give it its name when it is complete."""
    with scratch_root(recipe.base, recipe.root.parent, recipe.name) as directory:
        recipe.fill(directory)
        (directory / "setup.sh").write_text(recipe.script)
        run_in_root(directory, "sh", "/setup.sh")
        (directory / "setup.sh").unlink()
        (directory / "etc/resolv.conf").unlink(missing_ok=True)
        directory.chmod(0o755)
        directory.rename(recipe.root)


@contextlib.contextmanager
def scratch_root(root: pathlib.Path, directory: pathlib.Path, name: str) -> Iterator[pathlib.Path]:
    """A copy of a root, to be changed; gone afterwards unless it was given another name."""
    for abandoned in directory.glob(f".{name}-*"):  # the caller holds the lock of this name
        shutil.rmtree(abandoned, ignore_errors=True)
    copy = pathlib.Path(tempfile.mkdtemp(prefix=f".{name}-", dir=directory))
    try:
        subprocess.run(["cp", "-a", "--reflink=auto", f"{root}/.", str(copy)], check=True)
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def run_in_root(root: pathlib.Path, *argv: str) -> str:
    """Run a command in a root with the network of this host, and return what it said.

    Raises RootError with the end of that when the command fails.
    """
    command = ["systemd-nspawn", f"--directory={root}", "--register=no", "--keep-unit", "--pipe", "--quiet"]
    command += ["--resolv-conf=copy-host", "--bind-ro=/etc/hosts"]
    for name, value in os.environ.items():
        if name.lower().endswith("_proxy"):
            command.append(f"--setenv={name}={value}")
    done = subprocess.run(
        [*command, "--", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise RootError(f"{' '.join(argv)} ended with {done.returncode} in {root}:\n{done.stdout[-3000:]}")
    return done.stdout
