"""What is measured: facts that are true in the node, and the definitions by which each tool checks them."""

import dataclasses
import pathlib
from collections.abc import Callable, Sequence

from node.machine import Machine
from node.units import service

FOLDER = "/usr/local/lib/nodecheck-bench"
SERVER = pathlib.Path(__file__).with_name("server.py")
WEB = pathlib.Path(__file__).with_name("web.py")
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
    urls: Sequence[str] = ()
    files: Sequence[str] = ()
    settings: Sequence[str] = ()  # of the kernel, all of them 1
    mounts: Sequence[str] = ()

    @property
    def facts(self) -> dict[str, Sequence[object]]:
        """What is judged, by the name of its kind."""
        found: dict[str, Sequence[object]] = {
            "units": self.units,
            "processes": self.processes,
            "ports": self.ports,
            "URLs": self.urls,
            "files": self.files,
            "kernel settings": self.settings,
            "mounts": self.mounts,
        }
        return {name: things for name, things in found.items() if things}

    @property
    def title(self) -> str:
        """What a reader is told."""
        return f"({self.key}) " + ", ".join(f"{len(things)} {name}" for name, things in self.facts.items())

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
            "http": [f"  {url}:\n    status: 200\n    allow-insecure: true\n" for url in self.urls],
            "file": [f"  {file}:\n    exists: true\n" for file in self.files],
            "kernel-param": [f"  {setting}:\n    value: '1'\n" for setting in self.settings],
            "mount": [f"  {mount}:\n    exists: true\n" for mount in self.mounts],
        }
        return "".join(f"{section}:\n{''.join(entries)}" for section, entries in sections.items() if entries)

    def nodecheck_text(self, wanted: str) -> str:
        """A definition file that wants this of each unit."""
        checks = [
            *(f"    - name: {unit}\n      unit: {{name: {unit}, {wanted}}}\n" for unit in self.units),
            *(f"    - name: process {name}\n      process: {{name: {name}}}\n" for name in self.processes),
            *(f"    - name: port {port}\n      port: {{port: {port}}}\n" for port in self.ports),
            *(f"    - name: {url}\n      http: {{url: '{url}'{_unverified(url)}}}\n" for url in self.urls),
            *(f"    - name: {file}\n      file: {{path: {file}}}\n" for file in self.files),
            *(f"    - name: {name}\n      sysctl: {{key: {name}, value: 1}}\n" for name in self.settings),
            *(f"    - name: mount {mount}\n      mount: {{path: {mount}}}\n" for mount in self.mounts),
        ]
        return f"- name: {self.title}\n  hosts: all\n  checks:\n{''.join(checks)}"


def _unverified(url: str) -> str:
    return ", verify: false" if url.startswith("https:") else ""


MANY_CHECKS = f"{FOLDER}/many.yaml"
KINDS = (
    'unit: {{name: unit{0}.service, enabled: true, restarts: "< 3"}}',
    'process: {{name: process{0}, unit: unit{0}.service, count: 1, state: "!= D for 1m"}}',
    "port: {{port: {1}, process: process{0}, connect: true}}",
)


def write_many(machine: Machine) -> None:
    """Write a file of 1,000 checks as people write them, in plays of 50."""
    text = ""
    for number in range(1000):
        if number % 50 == 0:
            text += f"- name: Play {number}\n  hosts: all\n  tags: [bench]\n  checks:\n"
        text += f"    - name: Check {number}\n      {KINDS[number % 3].format(number, number + 1)}\n"
        text += f"      remedy: journalctl -u unit{number}.service -n 50\n"
        text += f"      needs: Check {number - 1}\n" if number % 3 else ""
    path = machine.root / MANY_CHECKS.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


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
WEB_PORTS = range(20201, 20208)
SECURE = 4
CERTIFICATE = f"{FOLDER}/web.pem"
SELF_SIGNED = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=bench -days 2"


def _make_control_plane(machine: Machine, scene: Scene) -> None:
    """Stands for one: a real one takes minutes and answers now faster, now slower."""
    machine.put(WEB, f"{FOLDER}/web.py")
    machine.run(*SELF_SIGNED.split(), "-keyout", f"{FOLDER}/key.pem", "-out", f"{FOLDER}/crt.pem")
    folder = machine.root / FOLDER.lstrip("/")
    (folder / "web.pem").write_text((folder / "key.pem").read_text() + (folder / "crt.pem").read_text())
    ports = " ".join(map(str, WEB_PORTS))
    command = f"/usr/bin/python3 -ISE {FOLDER}/web.py {CERTIFICATE} {SECURE} {ports}"
    text = service("Answers for a control plane", Type="notify", ExecStart=command)
    (machine.root / "etc/systemd/system/web.service").write_text(text)
    for file in scene.files:
        machine.write_file(file, "x\n")
    machine.run("sysctl", "-w", *(f"{setting}=1" for setting in scene.settings))
    machine.run("systemctl", "daemon-reload")
    _start(machine, scene)


CONTROL_PLANE = Scene(
    key="c",
    units=(*SMALL.units, "web.service"),
    processes=(
        *SMALL.processes,
        "systemd-journal",
        "systemd-logind",
        *(f"worker{number:03}" for number in range(1, 4)),
    ),
    ports=(*WEB_PORTS, *range(FIRST_PORT, FIRST_PORT + 3)),
    urls=[f"http{'s' if port >= 20208 - SECURE else ''}://127.0.0.1:{port}/healthz" for port in WEB_PORTS],
    files=[f"/etc/kubernetes/bench/{number}.conf" for number in range(10)],
    settings=("net.ipv4.ip_forward",),
    mounts=("/", "/proc"),
    goal=Goal(limit=1.2, aim=1.0),
    make_true=_make_control_plane,
)
LARGE = Scene(
    key="b",
    units=[f"bench{number:03}.service" for number in range(1, 101)],
    processes=[f"worker{number:03}" for number in range(1, 101)],
    ports=range(FIRST_PORT, FIRST_PORT + 100),
    goal=Goal(limit=0.35, aim=0.25),
    make_true=_write_and_start,
)
