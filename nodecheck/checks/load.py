"""The load of this host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.node.windows.load import LoadWant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Number
    from nodecheck.node.node import Node, Want
    from nodecheck.report.result import Finding


class Load(Check):
    """The host keeps up: few threads run, wait to run or wait in the kernel, where a dead NFS server counts too."""

    load1: Number = arg("Load, as the mean of the last minute.", default=None)
    load5: Number = arg("Load, as the mean of the last 5 minutes.", default=None)
    load15: Number = arg("Load, as the mean of the last 15 minutes.", default=None)
    per_core: Number = arg(
        "Load of the last 5 minutes for each processor that is online: at 1 all of them have work.", default=None
    )
    running: Number = arg("Threads that run or wait to run, at this moment.", default=None)
    tasks: Number = arg("Threads of this host.", default=None)

    EXAMPLE: ClassVar[str] = """\
- name: The load is bearable
  load: {per_core: "< 4"}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """What load is too much, nobody can say for all hosts."""
        if all(getattr(self, name) is None for name in self.arguments()):
            yield "per_core", "nothing is expected of the load", 'per_core: "< 4"'

    def wants(self) -> Iterator[Want]:
        """One file."""
        yield LoadWant()

    def judge(self, node: Node) -> Iterator[Finding]:
        """Each property by itself."""
        seen = node.look(LoadWant())
        processors = max(1, seen["processors"])
        properties: dict[str, tuple[Any, str]] = {
            "load1": (seen["load1"], "load of the last minute"),
            "load5": (seen["load5"], "load of the last 5 minutes"),
            "load15": (seen["load15"], "load of the last 15 minutes"),
            "per_core": (seen["load5"] / processors, f"load of the last 5 minutes for each of {processors} processors"),
            "running": (seen["running"], "number of running threads"),
            "tasks": (seen["tasks"], "number of threads"),
        }
        for name, (observed, words) in properties.items():
            yield from judge_expectation(name, getattr(self, name), observed, subject="this host", unit=words)
