"""Pressure on a resource of this host."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.node.windows.pressure import PressureWant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Percent
    from nodecheck.node.node import Node, Want
    from nodecheck.report.result import Finding

WORK = {"some": "some work", "full": "all work"}
# Documentation/accounting/psi.rst: before Linux 5.19 cpu has another number there, and it means nothing either.
UNMEASURED = {
    "irq": ("some_", "full_", "of interrupts the kernel measures only when all work waits"),
    "cpu": ("full_", "some_", "of a host's CPUs the kernel measures only when some work waits: the other is always 0%"),
}
MEANS = {"avg10": "10 seconds", "avg60": "minute", "avg300": "5 minutes"}


class Pressure(Check):
    """Work on this host does not wait for long (pressure stall information of the kernel)."""

    resource: str = arg(
        "What is waited for: cpu (only some), memory, io or irq (interrupts; since Linux 6.1, and only full).",
        choices=("cpu", "memory", "io", "irq"),
    )
    some_avg10: Percent = arg("Share of the last 10 seconds in which some work waited.", default=None)
    some_avg60: Percent = arg("Share of the last minute in which some work waited.", default=None)
    some_avg300: Percent = arg("Share of the last 5 minutes in which some work waited.", default=None)
    full_avg10: Percent = arg("Share of the last 10 seconds in which all work waited at once.", default=None)
    full_avg60: Percent = arg("Share of the last minute in which all work waited at once.", default=None)
    full_avg300: Percent = arg("Share of the last 5 minutes in which all work waited at once.", default=None)

    EXAMPLE: ClassVar[str] = """\
- name: Nothing waits for memory
  pressure: {resource: memory, some_avg60: "< 20%", full_avg60: "< 5%"}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """What pressure is too much, nobody can say for all hosts."""
        if all(getattr(self, name) is None for name in self.arguments() if name != "resource"):
            yield "resource", "nothing is expected of the pressure", 'some_avg60: "< 20%"'
        unmeasured, measured, why = UNMEASURED.get(self.resource, ("", "", ""))
        for name in self.arguments():
            if unmeasured and name.startswith(unmeasured) and getattr(self, name) is not None:
                yield name, why, name.replace(unmeasured, measured)

    def wants(self) -> Iterator[Want]:
        """One file a resource."""
        yield PressureWant(self.resource)

    def judge(self, node: Node) -> Iterator[Finding]:
        """Each property by itself."""
        seen = node.look(PressureWant(self.resource))
        for kind, work in WORK.items():
            for mean, words in MEANS.items():
                name = f"{kind}_{mean}"
                means = seen[kind]
                observed = None if means is None else means[mean]
                waited = f"share of the last {words} in which {work} waited for {self.resource}"
                yield from judge_expectation(name, getattr(self, name), observed, subject="this host", unit=waited)
