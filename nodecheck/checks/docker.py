"""Docker: does the engine answer, and are its containers well?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks._ladder import (
    Rung,
    counted,
    judge_each,
    judge_rungs,
    path_mistakes,
    seconds_taken,
    things,
    why_no_pattern,
)
from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.definitions.expectation import Number, Text
from nodecheck.node.windows.docker import DockerWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Duration
    from nodecheck.node.node import Node, Want

AT_LEAST_ONE = Number(">= 1")
RUNNING = Text("running")
NOT_UNHEALTHY = Text("!= unhealthy")
RUNGS = {
    "connect": Rung("accepts connections", "cannot be connected to"),
    "ping": Rung("answers _ping", "does not answer _ping", "dockerd hangs, or is stopped"),
    "list": Rung("lists its containers", "does not list its containers (docker ps)"),
    "info": Rung("tells of itself", "does not tell of itself (docker info)", "containerd or a plugin may hang"),
    "inspect": Rung("tells of each container", "does not tell of the container {} (docker inspect)"),
    "shim": Rung("hears from each container's shim", "hears nothing from the shim of the container {}"),
}
REMEDY = "systemctl status docker.service containerd.service"


class Docker(Check):
    """The Docker engine answers, rung by rung, and its containers are well."""

    socket: str = arg("Path of the engine's socket.", default="/run/docker.sock")
    container: str = arg(
        "Select containers by name, or /a regular expression/. Without a selector, all are meant.", default=None
    )
    label: str = arg("Select containers by label: NAME or NAME=VALUE.", default=None)
    time: Duration = arg("Time that all answers take together.", default=None)
    version: Text = arg("Version of the engine.", default=None)
    cgroup_driver: Text = arg("Cgroup driver of the engine: systemd or cgroupfs.", default=None)
    storage_driver: Text = arg("Storage driver of the engine, such as overlay2.", default=None)
    warnings: Number = arg("Warnings of the engine about this host, as docker info shows them.", default=None)
    count: Number = arg(
        "How many such containers there are, in any state; at least one, where they are selected.", default=None
    )
    state: Text = arg(
        "State of each container: created, running, paused, restarting, removing, exited or dead. Those that are "
        "selected have to be running, unless this or exit_code is given.",
        default=None,
    )
    health: Text = arg(
        "Health of each container by its own health check: healthy, starting, unhealthy, or none without one. Those "
        "that are selected may not be unhealthy.",
        default=None,
    )
    restart_count: Number = arg("How often Docker has restarted each container by itself.", default=None)
    exit_code: Number = arg("Exit code of each container, which has to have ended.", default=None)
    image: Text = arg("Image of each container, as it was named when the container was made.", default=None)
    shim: bool = arg(
        "Whether the containerd shim of each selected container that runs has to answer, too. Takes up to a second.",
        default=False,
    )

    EXAMPLE: ClassVar[str] = """\
- name: The registry's container is healthy
  docker: {container: registry, health: healthy, restart_count: "< 5"}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """A name is a name or a regular expression, a path is whole; shims are asked of few."""
        if wrong := why_no_pattern(self.container):
            yield "container", wrong, "a name, or /a regular expression/"
        yield from path_mistakes("socket", self.socket)
        if self.shim and not self._selects:
            yield "shim", "the shims of all containers are too many to ask", "select some with container or label"
        if self.exit_code is not None and self.state is not None and self.state.matches("running"):
            yield "exit_code", "a container that runs has no exit code", "state: exited"

    def concerns(self) -> str:
        """Return the unit of the engine."""
        return "docker.service"

    def wants(self) -> Iterator[Want]:
        """The engine; containers only when they are asked for."""
        yield self._want

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last, then what the engine told."""
        seen = node.look(self._want)
        yield self._judge_answers(seen)
        yield from judge_expectation("time", self._if_done(self.time, seen), seconds_taken(seen), subject="the answers")
        if seen["engine"] is not None:
            yield from self._judge_engine(seen["engine"])
        if seen["containers"] is not None:
            yield from self._judge_containers(seen["containers"])

    @property
    def _selects(self) -> bool:
        return self.container is not None or self.label is not None

    @property
    def _want(self) -> DockerWant:
        asked = (self.count, self.state, self.health, self.restart_count, self.exit_code, self.image)
        containers = self._selects or any(wanted is not None for wanted in asked)
        told = (self.version, self.cgroup_driver, self.storage_driver, self.warnings)
        info = not containers or any(wanted is not None for wanted in told)
        return DockerWant(self.socket, info, containers, self.container or "", self.label or "", self.shim)

    def _judge_answers(self, seen: dict[str, Any]) -> Finding:
        return judge_rungs(f"Docker on {self.socket}", RUNGS, seen, remedy=REMEDY, about=seen["container"])

    def _if_done(self, wanted: Duration | None, seen: dict[str, Any]) -> Duration | None:
        return None if seen["stopped"] else wanted

    # ---- the engine

    def _judge_engine(self, engine: dict[str, Any]) -> Iterator[Finding]:
        for name in ("version", "cgroup_driver", "storage_driver"):
            observed = engine[name] or None
            yield from judge_expectation(name, getattr(self, name), observed, subject="Docker", unit=_in_words(name))
        if self.warnings is not None:
            yield self._judge_warnings(engine["warnings"], self.warnings)

    def _judge_warnings(self, warnings: list[str], wanted: Number) -> Finding:
        matched = wanted.matches(len(warnings))
        told = f": {'; '.join(warnings)}" if warnings else ""
        message = f"there {counted(len(warnings), 'warning')} of Docker about this host{told}"
        message += "" if matched else f"; expected {wanted}"
        return Finding("warnings", Status.OK if matched else Status.CRITICAL, str(wanted), len(warnings), message)

    # ---- containers

    def _judge_containers(self, containers: list[dict[str, Any]]) -> Iterator[Finding]:
        wanted = self.count if self.count is not None or not self._selects else AT_LEAST_ONE
        if wanted is not None:
            yield self._judge_count(containers, wanted)
        expectations = {
            "state": self.state or (RUNNING if self._selects and self.exit_code is None else None),
            "health": self.health or (NOT_UNHEALTHY if self._selects else None),
            "restart_count": self.restart_count,
            "exit_code": self.exit_code,
            "image": self.image,
        }
        for name, expectation in expectations.items():
            if expectation is not None:
                seen = [(each["name"], each[name], _note(name, each)) for each in containers]
                yield from judge_each(name, expectation, seen, unit=_in_words(name))

    def _judge_count(self, containers: list[dict[str, Any]], wanted: Number) -> Finding:
        found = len(containers)
        names = things([each["name"] for each in containers])
        message = f"there {counted(found, 'container')}{self._chosen}{f': {names}' if found else ''}"
        matched = wanted.matches(found)
        message += "" if matched else f"; expected {wanted}"
        return Finding("count", Status.OK if matched else Status.CRITICAL, str(wanted), found, message)

    @property
    def _chosen(self) -> str:
        named = f" {self.container}" if self.container is not None else ""
        return named + (f" with the label {self.label}" if self.label is not None else "")


def _in_words(name: str) -> str:
    return name.replace("_", " ")


def _note(name: str, container: dict[str, Any]) -> str:
    """What else is known of a container that is not as wanted."""
    notes = [f"exit code {container['exit_code']}"] if name == "state" and container["exit_code"] is not None else []
    notes += ["out of memory"] if container["out_of_memory"] else []
    notes += [f"restarts: {container['restart_count']}"] if name == "state" and container["restart_count"] else []
    notes += [container["error"]] if container["error"] else []
    notes += ["it runs"] if name == "exit_code" and container["exit_code"] is None else []
    return ", ".join(notes)
