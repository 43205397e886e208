"""What is measured: facts that are true in the node, and the definitions by which each tool checks them."""

import dataclasses
import pathlib
from collections.abc import Callable, Sequence

from node.machine import Machine
from node.units import service

FOLDER = "/usr/local/lib/nodecheck-bench"
SERVER = pathlib.Path(__file__).with_name("server.py")
FIRST_PORT = 20001


@dataclasses.dataclass(frozen=True)
class Goal:
    """How much of goss's time nodecheck may take, and how much it should."""

    limit: float
    aim: float


@dataclasses.dataclass(frozen=True)
class Scene:
    """Facts of one row of the table, and how to make them true."""

    key: str
    units: Sequence[str]
    processes: Sequence[str]
    ports: Sequence[int]
    goal: Goal
    make_true: Callable[[Machine, "Scene"], None]

    @property
    def title(self) -> str:
        """What a reader is told."""
        parts = {"units": self.units, "processes": self.processes, "ports": self.ports}
        return f"({self.key}) " + ", ".join(f"{len(things)} {name}" for name, things in parts.items() if things)

    @property
    def goss_file(self) -> str:
        """Where goss finds its definitions in the node."""
        return f"{FOLDER}/{self.key}.goss.yaml"

    def nodecheck_file(self, kind: str) -> str:
        """Where nodecheck finds its definitions in the node; for the kinds see write()."""
        return f"{FOLDER}/{self.key}.{kind}.yaml"

    def write(self, machine: Machine) -> None:
        """Write the definitions: the same facts for both, and for nodecheck also `healthy`, which looks deeper."""
        machine.write_file(self.goss_file, self.goss_text())
        machine.write_file(self.nodecheck_file("equal"), self.nodecheck_text("state: running, enabled: true"))
        machine.write_file(self.nodecheck_file("healthy"), self.nodecheck_text("state: healthy"))

    def goss_text(self) -> str:
        """A gossfile."""
        sections = {
            "service": [f"  {unit}:\n    enabled: true\n    running: true\n" for unit in self.units],
            "process": [f"  {process}:\n    running: true\n" for process in self.processes],
            "port": [f"  tcp:{port}:\n    listening: true\n" for port in self.ports],
        }
        return "".join(f"{section}:\n{''.join(entries)}" for section, entries in sections.items() if entries)

    def nodecheck_text(self, wanted: str) -> str:
        """A definition file that wants this of each unit."""
        checks = [
            *(f"    - name: {unit}\n      unit: {{name: {unit}, {wanted}}}\n" for unit in self.units),
            *(f"    - name: process {name}\n      process: {{name: {name}}}\n" for name in self.processes),
            *(f"    - name: port {port}\n      port: {{port: {port}}}\n" for port in self.ports),
        ]
        return f"- name: {self.title}\n  hosts: all\n  checks:\n{''.join(checks)}"


def _start(machine: Machine, scene: Scene) -> None:
    machine.run("systemctl", "enable", "--now", *scene.units, timeout=120)


def _write_and_start(machine: Machine, scene: Scene) -> None:
    """Each unit has one process with a name of its own that listens on a port of its own."""
    machine.put(SERVER, f"{FOLDER}/server.py")
    for unit, process, port in zip(scene.units, scene.processes, scene.ports, strict=True):
        program = f"{FOLDER}/{process}"
        (machine.root / program.lstrip("/")).symlink_to("/usr/bin/sleep")
        command = f"/usr/bin/python3 -ISE {FOLDER}/server.py {port} {program}"
        text = service(f"A daemon that listens on {port}", Type="notify", ExecStart=command)
        (machine.root / "etc/systemd/system" / unit).write_text(text)
    machine.run("systemctl", "daemon-reload")
    _start(machine, scene)


SMALL = Scene(
    key="a",
    units=(
        "docker.service",
        "containerd.service",
        "dbus.service",
        "systemd-journald.service",
        "systemd-logind.service",
    ),
    processes=("dockerd", "containerd", "dbus-daemon"),
    ports=(),
    goal=Goal(limit=3.0, aim=2.2),
    make_true=_start,
)
LARGE = Scene(
    key="b",
    units=[f"bench{number:03}.service" for number in range(1, 101)],
    processes=[f"worker{number:03}" for number in range(1, 101)],
    ports=range(FIRST_PORT, FIRST_PORT + 100),
    goal=Goal(limit=0.35, aim=0.25),
    make_true=_write_and_start,
)
