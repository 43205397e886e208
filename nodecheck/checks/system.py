"""systemd itself: reachable, and what it says of the host as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.durations import format_duration
from nodecheck.node.node import ManagerWant
from nodecheck.node.systemd import SOURCE
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Duration, Number, Text
    from nodecheck.node.node import Node, Want

# systemctl(1), is-system-running
STATES = frozenset("initializing starting running degraded maintenance stopping offline unknown".split())
BOOT_SECONDS = 600  # a boot that takes longer is stuck
NAMES_SHOWN = 5


class System(Check):
    """systemd answers on the bus, the boot has ended, and no unit has failed."""

    state: Text = arg(
        "State of the system (running, degraded, starting, maintenance, stopping). Without it: running, or degraded by "
        "units that have a check of their own in this run.",
        default=None,
    )
    failed: Number = arg("Failed units.", default=None)
    jobs: Number = arg("Jobs that wait or run.", default=None)
    uptime: Duration = arg("Time since boot.", default=None)

    EXAMPLE: ClassVar[str] = """\
- name: systemd answers and is well
  system: {}
"""
    WATCHES: ClassVar[str] = SOURCE

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """A state is one of systemd's."""
        if self.state is not None:
            yield from (("state", *said) for said in self.state.unknown_words(STATES, "state of a system"))

    def wants(self) -> Iterator[Want]:
        """The manager's own properties."""
        yield ManagerWant()

    def judge(self, node: Node) -> Iterator[Finding]:
        """When systemd does not answer, that is the finding, and all that needs systemd is blocked by it.

        When only its bus does not, that is the finding, and all else is judged.
        """
        manager = node.manager()
        if "bus" in manager:
            yield _judge_bus(manager["bus"])
        if self.state is None:
            yield _judge_state(manager, node)
        yield from judge_expectation("state", self.state, manager.get("SystemState"), subject="systemd")
        yield from judge_expectation(
            "failed", self.failed, len(manager["failed"]), subject="systemd", unit="number of failed units"
        )
        yield from judge_expectation("jobs", self.jobs, manager.get("NJobs"), subject="systemd", unit="number of jobs")
        yield from judge_expectation("uptime", self.uptime, node.uptime(), subject="this host")


def _judge_bus(bus: dict[str, Any]) -> Finding:
    """The bus is dead or hangs, and systemd could be asked without it."""
    message = f"{bus['reason']}; systemd answers by its private socket"
    return Finding("bus", Status.CRITICAL, "an answer", None, message, remedy=bus["remedy"])


def _judge_state(manager: dict[str, Any], node: Node) -> Finding:
    state, up = manager.get("SystemState", ""), node.uptime()
    said = f"systemd {manager.get('Version', '')} says {state}, {format_duration(up)} after boot"
    if state == "running":
        return Finding("state", Status.OK, "running", state, said)
    if state == "degraded":
        return _judge_degraded(manager, node, said)
    waiting = f"; waiting: {_shown([job[0] for job in manager['jobs']])}" if manager["jobs"] else ""
    if state in ("initializing", "starting") and up < BOOT_SECONDS:
        return Finding("state", Status.WARNING, "running", state, f"{said}: the boot has not ended yet{waiting}")
    if state in ("initializing", "starting"):
        return Finding(
            "state",
            Status.CRITICAL,
            "running",
            state,
            f"{said}: the boot does not end{waiting}",
            remedy="systemctl list-jobs",
        )
    if state in ("maintenance", "stopping"):
        return Finding("state", Status.CRITICAL, "running", state, said)
    return Finding("state", Status.UNKNOWN, "running", state, f"{said}, a state that this nodecheck does not know")


def _judge_degraded(manager: dict[str, Any], node: Node, said: str) -> Finding:
    """A failed unit that a check of this run judges is that check's finding, not one more here.

    So is a socket that gave up starting such a unit: it fails with it.
    """
    units = node.judged_units().values()
    judged = {unit["Id"] for unit in units}
    judged |= {name for unit in units if unit["ActiveState"] != "active" for name in unit.get("TriggeredBy") or ()}
    others = [name for name in manager["failed"] if name not in judged]
    if not others:
        return Finding("state", Status.OK, "running", "degraded", f"{said}, by units that have a check of their own")
    message = f"{said}: {len(others)} failed {'unit' if len(others) == 1 else 'units'}: {_shown(others)}"
    return Finding("state", Status.WARNING, "running", "degraded", message, remedy="systemctl --failed")


def _shown(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:NAMES_SHOWN])
    return shown if len(names) <= NAMES_SHOWN else f"{shown} and {len(names) - NAMES_SHOWN} more"
