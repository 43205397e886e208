"""Three real nodes that Ansible reaches over ssh, as it reaches those of a site: not as root, and by sudo."""

import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .derived import INSTALL, Recipe, ensure_derived_root
from .machine import Machine
from .roots import cache_directory, ensure_root, locked

SUITE = "bookworm"
USER = "fleet"
SETUP = f"""
{INSTALL}
install_packages openssh-server sudo python3-apt
useradd --create-home --shell /bin/bash {USER}
echo '{USER} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{USER}
"""
NAMES = ("node1", "node2", "node3")
# The oldest ansible-core that PyPI has and that runs on each Python: 2.11 lacks its filters with today's Jinja2.
OLDEST = {(3, 11): "2.12.0", (3, 12): "2.16.0", (3, 13): "2.18.0"}
RECAP = re.compile(r"^(\w+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)
CONTROL = """
Package: nodecheck
Version: {version}
Architecture: all
Maintainer: nobody <nobody@example.com>
Depends: python3 (>= 3.11), python3-gi, python3-pydbus, python3-psutil, python3-yaml, python3-structlog, python3-jinja2
Description: stands in for the package of nodecheck
"""


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a program of Ansible ended."""

    code: int
    output: str

    def recap(self, column: str) -> dict[str, int]:
        """What the last lines of a play say of each host: changed, unreachable or failed."""
        place = ("changed", "unreachable", "failed").index(column) + 2
        return {found[1]: int(found[place]) for found in RECAP.finditer(self.output)}


class Fleet:
    """The nodes, and a controller: this host, with a folder of playbooks. A context manager."""

    def __init__(self, folder: pathlib.Path, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.newest = pathlib.Path(sys.executable).parent
        self._say = say
        self._undo = contextlib.ExitStack()
        self.nodes: dict[str, Machine] = {}

    def __enter__(self) -> Self:
        root = ensure_derived_root(Recipe("fleet", ensure_root(SUITE), SETUP), self._say)
        try:
            self._make_key()
            for number, name in enumerate(NAMES):
                self.nodes[name] = self._undo.enter_context(Machine(name=name, hostname=name, base=root))
                self._connect(self.nodes[name], number)
            self._write_inventory()
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._undo.close()

    def _make_key(self) -> None:
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", self.folder / "key"], check=True)

    def _connect(self, node: Machine, number: int) -> None:
        """Lay a cable from this host to the node, and let our user in."""
        here, there = f"h{node.name[-6:]}", f"n{node.name[-6:]}"
        subprocess.run(["ip", "link", "add", here, "type", "veth", "peer", "name", there], check=True)
        subprocess.run(["ip", "link", "set", there, "netns", str(node.leader)], check=True)
        subprocess.run(["ip", "address", "add", f"{address(number, 1)}/30", "dev", here], check=True)
        subprocess.run(["ip", "link", "set", here, "up"], check=True)
        node.run("ip", "address", "add", f"{address(number, 2)}/30", "dev", there)
        node.run("ip", "link", "set", there, "up")
        node.write_file(f"/home/{USER}/.ssh/authorized_keys", (self.folder / "key.pub").read_text())

    def _write_inventory(self) -> None:
        """All nodes are web servers, and the last one is storage, too."""
        hosts = [f"{name} ansible_host={address(number, 2)}" for number, name in enumerate(NAMES)]
        variables = [
            f"ansible_user={USER}",
            f"ansible_ssh_private_key_file={self.folder}/key",
            "ansible_python_interpreter=/usr/bin/python3",
        ]
        lines = ["[web]", *hosts, "[storage]", NAMES[-1], "[all:vars]", *variables]
        (self.folder / "hosts").write_text("\n".join(lines) + "\n")

    def oldest(self) -> pathlib.Path | None:
        """The programs of the oldest ansible-core, installed first if they are not there; None where none is known."""
        version = OLDEST.get(sys.version_info[:2])
        if version is None:
            return None
        place = cache_directory() / f"ansible-core-{version}"
        lock = place.with_name(f"{place.name}.lock")
        lock.touch()
        with locked(lock):
            if not (place / "complete").exists():
                self._say(f"ansible-core {version} is installed, once ...")
                subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
                pip = [str(place / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
                subprocess.run([*pip, f"ansible-core=={version}"], check=True)
                (place / "complete").touch()
        return place / "bin"

    def run(self, program: str, *arguments: str, of: pathlib.Path | None = None) -> Ended:
        """Run a program of Ansible, the newest or those of another one."""
        ended = subprocess.run(
            [(of or self.newest) / program, *arguments],
            cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", timeout=300, check=False,
        )  # fmt: skip
        return Ended(ended.returncode, ended.stdout)

    def play(self, play: str, *arguments: str, of: pathlib.Path | None = None) -> Ended:
        """Run a playbook of one play, the lines of which are given."""
        (self.folder / "play.yaml").write_text(textwrap.dedent(play))
        return self.run("ansible-playbook", "play.yaml", *arguments, of=of)

    def _environment(self) -> dict[str, str]:
        """What a user has who keeps to himself: settings of others have no part in it."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        return others | {
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(self.folder / ".ansible"),
            "ANSIBLE_INVENTORY": str(self.folder / "hosts"),
            "ANSIBLE_HOST_KEY_CHECKING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=20s -o UserKnownHostsFile=/dev/null",
        }


def address(number: int, end: int) -> str:
    """The address of an end of the cable to a node: 1 is here, 2 is there."""
    return f"10.98.{number}.{end}"


def make_package(checkout: pathlib.Path, package: pathlib.Path, version: str) -> None:
    """Make the Debian package: by `make deb`, or one that stands in where the Makefile has no such target."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    make = ["make", "--no-print-directory", "-C", str(checkout)]
    if subprocess.run([*make, "--dry-run", "deb"], env=environment, capture_output=True, check=False).returncode == 0:
        subprocess.run([*make, "deb"], env=environment, check=True)
        [made] = (checkout / "dist").glob(f"nodecheck_{version}*_all.deb")
        shutil.copy(made, package)
        return
    tree = package.with_suffix("")
    subprocess.run([*make, "install", "PREFIX=/usr", f"DESTDIR={tree}"], env=environment, check=True)
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(CONTROL.lstrip().format(version=version))
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, package], check=True)
