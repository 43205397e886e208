"""The clock of this host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.durations import format_duration
from nodecheck.node.node import UnitWant
from nodecheck.node.windows.clock import ClockWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Duration, Text
    from nodecheck.node.node import Node, Want

# The services of Debian, Ubuntu and Red Hat; ntp.service is an alias of ntpsec.service where that is installed.
SOURCES = {
    "chrony.service": "chrony",
    "chronyd.service": "chrony",
    "systemd-timesyncd.service": "timesyncd",
    "ntp.service": "ntp",
    "ntpd.service": "ntp",
    "ntpsec.service": "ntpsec",
    "openntpd.service": "openntpd",
}
LIMIT_SECONDS = 16.0  # NTP_PHASE_LIMIT: a clock of which nothing is known has this error


class Clock(Check):
    """The clock of this host is kept right, by what the kernel says; that a time service runs does not prove it."""

    synchronised: bool = arg(
        "Whether the kernel takes the clock for synchronised (no STA_UNSYNC). When nothing at all is expected: true. "
        "chrony says so to the kernel only with rtcsync in its configuration; where a hypervisor keeps it, none does.",
        default=None,
    )
    maximum_error: Duration = arg(
        "How wrong it may be at most; it grows by 0.5ms a second, up to 16s, while nobody corrects it.", default=None
    )
    estimated_error: Duration = arg("How wrong it probably is.", default=None)
    offset: Duration = arg(
        "What the kernel has still to correct; chrony corrects by itself, and leaves 0.", default=None
    )
    source: Text = arg(
        "The one service that keeps it: chrony, timesyncd, ntp, ntpsec, openntpd, or none. More than one that is "
        "active is critical.",
        default=None,
    )

    EXAMPLE: ClassVar[str] = """\
- name: The clock is right
  clock: {synchronised: true, maximum_error: "< 1s"}
"""

    def wants(self) -> Iterator[Want]:
        """One call; systemd is asked only for the source."""
        yield ClockWant()
        if self.source is not None:
            yield from (UnitWant(name, ("ActiveState",)) for name in SOURCES)

    def judge(self, node: Node) -> Iterator[Finding]:
        """First what the kernel says, then who told it."""
        seen = node.look(ClockWant())
        nothing_expected = all(getattr(self, name) is None for name in self.arguments())
        wanted = True if nothing_expected else self.synchronised
        if wanted is not None:
            yield _judge_synchronised(seen, wanted)
        for name in ("maximum_error", "estimated_error", "offset"):
            words = name.replace("_", " ")
            yield from judge_expectation(name, getattr(self, name), seen[name], subject="the clock", unit=words)
        if self.source is not None:
            yield self._judge_source(sorted(_active(node)))

    def _judge_source(self, active: list[str]) -> Finding:
        observed = ", ".join(active) or "none"
        if len(active) > 1:
            message = f"{len(active)} services set the clock at once: {observed}"
            return Finding("source", Status.CRITICAL, str(self.source), observed, message)
        good = self.source is not None and self.source.matches(observed)
        message = f"{observed} keeps the clock" if active else "no service that keeps the clock is active"
        status = Status.OK if good else Status.CRITICAL
        return Finding(
            "source", status, str(self.source), observed, message + ("" if good else f", expected {self.source}")
        )


def _judge_synchronised(seen: dict[str, Any], wanted: bool) -> Finding:
    observed, error = seen["synchronised"], seen["maximum_error"]
    at_most = f"its error is {format_duration(error)} at most"
    if observed:
        message = f"the clock is synchronised, {at_most}"
    elif error < LIMIT_SECONDS:
        message = (
            f"the kernel takes the clock for unsynchronised (STA_UNSYNC), although {at_most}: "
            "chrony without rtcsync leaves it so"
        )
    else:
        message = "the clock is not synchronised: nobody has corrected it for hours, or since boot"
    good = observed == wanted
    remedy = "" if good or observed else "chronyc tracking, or timedatectl timesync-status"
    status = Status.OK if good else Status.CRITICAL
    return Finding("synchronised", status, wanted, observed, message, remedy=remedy)


def _active(node: Node) -> set[str]:
    units = [node.unit(name) for name in SOURCES]
    running = [unit for unit in units if unit["ActiveState"] in ("active", "reloading")]
    return {SOURCES[unit["Id"]] for unit in running if unit["Id"] in SOURCES}
