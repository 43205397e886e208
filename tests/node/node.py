"""A node under test: a booted machine that one test may break, and that is as before when it is over."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from .machine import Machine

DEFINITION = "/run/nodecheck-test/check.yaml"  # below a directory that only root may write to
IMAGE = "nodecheck-test"
UNITS = "/etc/systemd/system"
# What a restored node has again: its unit files, what is enabled and masked, and the units that were active.
OF_DOCKER = ("/var/lib/docker/containers", "/run/docker.pid")  # what makes a node one of the group docker
FILES = f"find {UNITS} /run/systemd/system ! -type d -printf '%p\\t%l\\n' 2>/dev/null || true"
ACTIVE = "systemctl list-units --plain --no-legend --type=service,socket,timer,path --state=active,activating"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run of nodecheck in the node gave."""

    report: dict[str, Any]  # empty when nodecheck ended before it made one
    exit_code: int
    seconds: float
    stderr: str

    def result(self, name: str) -> dict[str, Any]:
        """The result of the check with this name."""
        results = self.report.get("results", [])
        for result in results:
            if result["name"] == name:
                found: dict[str, Any] = result
                return found
        names = ", ".join(repr(result["name"]) for result in results)
        raise AssertionError(f"no result of {name!r}, only of: {names or 'nothing'}\n{self.stderr}")

    def statuses(self) -> dict[str, str]:
        """The status of each check, by its name."""
        return {result["name"]: result["status"] for result in self.report.get("results", [])}


@dataclasses.dataclass(frozen=True)
class State:
    """What of a node a test must leave as it was."""

    files: frozenset[tuple[str, str]]  # unit files and links; what a link points to
    active: frozenset[str]


class Node:
    """The machine, with what a test needs to break it; restore() mends it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._before = self._state()
        self._units: list[str] = []
        self._containers: list[str] = []
        self._frozen: list[int] = []
        self._replaced: dict[str, tuple[str, int] | None] = {}

    def run(self, *argv: str, timeout: float = 60, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the node."""
        return self.machine.run(*argv, timeout=timeout, check=check)

    def write_file(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a text file in the node; after the test it is as it was, or gone."""
        if path not in self._replaced:
            old = self.run("cat", path, check=False)
            bits = self.run("stat", "-c", "%a", path, check=False).stdout
            self._replaced[path] = (old.stdout, int(bits, 8)) if old.returncode == 0 else None
        self.machine.write_file(path, text, mode)

    def unit(self, name: str, text: str) -> None:
        """Write a unit file, or a drop-in (NAME.d/FILE.conf), and have it read; an empty text masks the unit."""
        path = f"{UNITS}/{name}"
        if text:
            self.write_file(path, text)
        else:
            self.run("ln", "-sfn", "/dev/null", path)
        self._units.append(name.partition("/")[0].removesuffix(".d"))
        self.run("systemctl", "daemon-reload")

    def start_unit(self, name: str, *, wait: bool = False) -> None:
        """Start a unit; whether it starts well is for the test to see. Without `wait`, systemd only has the job."""
        self.run("systemctl", "start", *([] if wait else ["--no-block"]), name, check=False)

    def show(self, name: str, *properties: str) -> dict[str, str]:
        """Properties of a unit, as systemctl shows them."""
        shown = self.run("systemctl", "show", name, f"--property={','.join(properties)}").stdout
        pairs = (line.partition("=") for line in shown.splitlines())
        return {key: value for key, _, value in pairs}

    def wait_for(self, name: str, *, timeout: float = 15, **wanted: str) -> None:
        """Wait until the unit has these properties, ActiveState="failed" for example."""
        deadline = time.monotonic() + timeout
        while (seen := self.show(name, *wanted)) != wanted:
            if time.monotonic() > deadline:
                log = self.run("journalctl", "--unit", name, "--lines=20", "--no-pager", check=False).stdout
                raise AssertionError(f"{name} is {seen}, not {wanted}, after {timeout:g} s:\n{log}")
            time.sleep(0.05)

    def expect_nothing_left(self) -> None:
        """No process of a run is there, or will be in a moment: a helper that has answered ends by itself."""
        deadline = time.monotonic() + 2
        while left := self.run("pgrep", "--full", "--list-full", "nodecheck run", check=False).stdout:
            assert time.monotonic() < deadline, left
            time.sleep(0.05)

    def main_pid(self, name: str) -> int:
        """The main process of a unit."""
        pid = int(self.show(name, "MainPID")["MainPID"])
        if not pid:
            raise AssertionError(f"{name} has no main process")
        return pid

    def container(self, name: str, *argv: str, options: Sequence[str] = ()) -> None:
        """Run a command in a docker container, made of the node's own /usr; docker has to run."""
        if not self.run("docker", "image", "ls", "--quiet", IMAGE).stdout:
            self.run("sh", "-c", f"tar -c --no-recursion -C / bin lib lib64 | docker import - {IMAGE}")
        self._containers.append(name)
        command = ["docker", "run", "--detach", f"--name={name}", "--volume=/usr:/usr:ro", *options, IMAGE, *argv]
        self.run(*command)

    def freeze(self, pid: int) -> None:
        """Stop a process as SIGSTOP does, PID 1 too; it goes on after the test at the latest."""
        process = self.machine.host_pid(pid)
        self._frozen.append(process)
        os.kill(process, signal.SIGSTOP)

    def thaw(self, pid: int) -> None:
        """Let a frozen process go on."""
        self.machine.send_signal(pid, signal.SIGCONT)

    def nodecheck(self, *args: str, timeout: float = 60) -> Outcome:
        """Run nodecheck with these arguments; the report is what it wrote in JSON."""
        return self.outcome("nodecheck", *args, timeout=timeout)

    def outcome(self, *argv: str, timeout: float = 60) -> Outcome:
        """Run a command that runs nodecheck somehow."""
        started = time.monotonic()
        done = self.run(*argv, timeout=timeout, check=False)
        seconds = time.monotonic() - started
        try:
            report = json.loads(done.stdout) if done.stdout.strip() else {}
        except ValueError as error:
            raise AssertionError(f"no JSON: {error}\n{done.stdout}{done.stderr}") from error
        return Outcome(report, done.returncode, seconds, done.stderr)

    def check(self, definition: str, *args: str, timeout: float = 60) -> Outcome:
        """Run nodecheck with this definition file."""
        self.machine.write_file(DEFINITION, definition)
        return self.nodecheck("run", DEFINITION, "-o", "json", *args, timeout=timeout)

    def _state(self) -> State:
        """What the test must leave as it was."""
        lines = self.run("sh", "-c", FILES).stdout.splitlines()
        files = ((path, target) for path, _, target in (line.partition("\t") for line in lines))
        units = (line.split() for line in self.run(*ACTIVE.split()).stdout.splitlines())
        return State(frozenset(files), frozenset(unit[0] for unit in units))

    def restore(self) -> None:
        """Undo what the test did with the methods above, and to units by other ways."""
        for process in self._frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
        if self._containers:
            self.run("docker", "rm", "--force", *self._containers, check=False)
        self._stop_units(self._units)
        self._restore_files()
        self.run("systemctl", "daemon-reload")
        self._stop_units(sorted(self._state().active - self._before.active))
        docker = () if "docker.service" in self._before.active else OF_DOCKER
        self.run("rm", "-rf", "/var/lib/nodecheck", *docker, check=False)
        self.run("systemctl", "reset-failed")
        if ended := sorted(self._before.active - self._state().active):
            self.run("systemctl", "start", *ended, check=False)

    def _restore_files(self) -> None:
        """Put back files that the test has written, and what it did to unit files by other ways."""
        for path, old in self._replaced.items():
            if old is None:
                self.run("rm", "-f", path)
            else:
                self.machine.write_file(path, *old)
        now = self._state().files
        if added := now - self._before.files:
            self.run("rm", "-f", *sorted(path for path, _ in added))
        for path, target in self._before.files - now:
            if target:
                self.run("ln", "-sfn", target, path)

    def _stop_units(self, names: list[str]) -> None:
        """Stop units, without waiting for processes that do not want to end."""
        if names:
            names = [name.replace("@.", "@*.") for name in names]
            self.run("systemctl", "stop", "--no-block", *names, check=False)
            services = [name for name in names if name.endswith(".service")]
            if services:
                self.run("systemctl", "kill", "--signal=KILL", *services, check=False)
            self.run("systemctl", "stop", *names, check=False)
