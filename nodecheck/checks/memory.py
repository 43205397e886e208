"""The memory of this host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation, judge_growth
from nodecheck.definitions.expectation import Size
from nodecheck.node.counters import growth
from nodecheck.node.node import CounterWant
from nodecheck.node.windows.memory import MemoryWant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import CountInTime, Number, Percent
    from nodecheck.node.node import Node, Want
    from nodecheck.report.result import Finding

# memory.available of the kubelet's evictionHard: below that it throws pods out.
LEAST_AVAILABLE = Size(">= 100MiB")
OOM_KILLS = "OOM kills"  # the counter


class Memory(Check):
    """The host has memory left, as the kernel counts it for the whole machine."""

    available: Size = arg(
        "Memory that can be had without swapping (MemAvailable). When nothing at all is expected: >= 100MiB, below "
        "which the kubelet evicts pods.",
        default=None,
    )
    available_share: Percent = arg(
        "The same, as a share of all memory but that which is set apart as huge pages.", default=None
    )
    total: Size = arg("All memory, without what the kernel keeps for itself at boot.", default=None)
    swap_used: Size = arg("Swap in use; 0B where there is no swap.", default=None)
    hugepages: Number = arg("Huge pages of the default size that are set apart.", default=None)
    hugepages_free: Number = arg("Those of them that nobody uses.", default=None)
    oom_kills: CountInTime = arg(
        "Processes that were killed for want of memory since boot, of the host or within the limit of a control group "
        '(a pod), for the kernel counts both. With a time, such as "0 in 1d", those within it: by what earlier '
        "runs saw, since the kernel keeps the number only.",
        default=None,
    )

    EXAMPLE: ClassVar[str] = """\
- name: There is memory left
  memory: {available: "> 500MiB", available_share: "> 5%"}
"""

    def wants(self) -> Iterator[Want]:
        """One file."""
        yield MemoryWant()
        if self.oom_kills is not None and self.oom_kills.within:
            yield CounterWant(OOM_KILLS, self.oom_kills.within)

    def counters(self, node: Node) -> Iterator[tuple[CounterWant, float]]:
        """The OOM kills, where those within a time are wanted."""
        killed = node.look(MemoryWant())["oom_kills"]
        if self.oom_kills is not None and self.oom_kills.within and killed is not None:
            yield CounterWant(OOM_KILLS, self.oom_kills.within), killed

    def judge(self, node: Node) -> Iterator[Finding]:
        """Each property by itself."""
        seen = node.look(MemoryWant())
        available, total = seen["available"], seen["total"]
        common = total - seen.get("hugetlb", 0)  # MemAvailable has nothing of huge pages, also where nobody uses them
        nothing_expected = all(getattr(self, name) is None for name in self.arguments())
        properties: dict[str, tuple[Any, Any, str]] = {
            "available": (LEAST_AVAILABLE if nothing_expected else self.available, available, "available memory"),
            "available_share": (self.available_share, _share(available, common), "share of memory that is available"),
            "total": (self.total, total, "memory"),
            "swap_used": (self.swap_used, seen["swap_total"] - seen["swap_free"], "swap in use"),
            "hugepages": (self.hugepages, seen["hugepages"], "number of huge pages"),
            "hugepages_free": (self.hugepages_free, seen["hugepages_free"], "number of free huge pages"),
            "oom_kills": (self.oom_kills, seen["oom_kills"], "number of OOM kills since boot"),
        }
        wanted, killed = self.oom_kills, seen["oom_kills"]
        if wanted is not None and wanted.within and killed is not None:
            del properties["oom_kills"]
            grown = growth(node.samples(OOM_KILLS), killed, wanted.within, node.uptime())
            yield from judge_growth("oom_kills", wanted, grown, subject=_host(seen), unit="number of OOM kills")
        for name, (expectation, observed, words) in properties.items():
            yield from judge_expectation(name, expectation, observed, subject=_host(seen), unit=words)


def _share(available: int | None, total: int) -> float | None:
    return None if available is None else 100 * available / total if total else 0.0


def _host(seen: dict[str, Any]) -> str:
    """Within a container the numbers are still those of the whole machine, and that has to be said."""
    limit = seen["limit"]
    return "this host" if limit is None else f"this host, of which the container here may use {limit >> 20}MiB,"
