"""Connections to an address: does anybody take them, and what is said first?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.durations import format_duration
from nodecheck.node.windows.tcp import UNIX, TcpWant, parse
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Duration, Text
    from nodecheck.node.node import Node, Want

OPEN, CLOSED, FILTERED = "open", "closed", "filtered"
MEANING = {
    "refused": "the connection is refused, nothing listens there",
    "silent": "nothing answers (the host is gone, a packet filter drops it, or the queue of the listener is full)",
    "full": "its queue is full, its process does not take connections",
    "missing": "there is no such file",
}
# What each outcome is called; what is missing here is none of the three.
STATES = {
    "open": OPEN, "full": OPEN, "refused": CLOSED, "missing": CLOSED, "no socket": CLOSED, "silent": FILTERED,
    "unreachable": FILTERED,
}  # fmt: skip


class Tcp(Check):
    """An address, of this node or of another one, takes connections by TCP or by a Unix socket; or takes none."""

    address: str = arg(
        "Where to connect to: host:port, [IPv6 address]:port or unix:///path. Of a name with several addresses, each "
        "is tried until one takes the connection. None is tried where only systemd listens: that would start a service."
    )
    state: str = arg(
        "open: a connection is made before the check's timeout; the kernel makes it for a process that listens, so it "
        "is no proof that the process is well. closed: it is refused, since nothing listens there. filtered: nothing "
        "answers, or the way there is barred.",
        default=OPEN,
        choices=(OPEN, CLOSED, FILTERED),
    )
    banner: Text = arg("The first line that the other side says by itself, such as /^SSH-2/.", default=None)
    time: Duration = arg(
        "How long it takes: to look up the name, to connect, and to say the banner where one is expected.", default=None
    )

    EXAMPLE: ClassVar[str] = """\
- name: The API server can be connected to
  tcp: {address: 192.168.1.10:6443, time: < 1s}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """An address has a host and a port, and what takes no connections says nothing."""
        try:
            parse(self.address)
        except ValueError as error:
            hint = f"write {UNIX}{self.address}" if self.address.startswith("/") else ""
            yield "address", str(error), hint
        if self.state != OPEN and (self.banner is not None or self.time is not None):
            yield "state", f"what is {self.state} has neither banner nor time", ""

    def wants(self) -> Iterator[Want]:
        """One connection."""
        yield self._want

    @property
    def _want(self) -> TcpWant:
        return TcpWant(self.address, banner=self.banner is not None)

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last: the name, the connection, the banner."""
        seen = node.look(self._want)
        yield self._judge_state(seen)
        if not any(attempt["outcome"] == "open" for attempt in seen["tries"]):
            return
        if self.banner is not None and seen["banner"] is None:
            message = f"{self.address} took the connection, then {seen['silence']}, {_within(seen)}"
            yield Finding("banner", Status.CRITICAL, str(self.banner), seen["silence"], message)
            return
        yield from judge_expectation("banner", self.banner, seen["banner"], subject=self.address)
        yield from judge_expectation("time", self.time, seen["seconds"], subject=f"connecting to {self.address}")

    def _judge_state(self, seen: dict[str, Any]) -> Finding:
        if not seen["tries"]:
            return self._judge_unresolved(seen["unresolved"])
        outcomes = [attempt["outcome"] for attempt in seen["tries"]]
        if "open" in outcomes:
            message = f"{self.address} takes connections{self._by(seen)} {_within(seen)}"
        else:
            tried = f" {_within(seen)}" if {"silent", "full"} & set(outcomes) else ""
            message = f"{self.address} cannot be connected to{tried}: {self._reasons(seen['tries'])}"
        status = self._status(outcomes)
        observed = self.state if status is Status.OK else ", ".join(dict.fromkeys(outcomes))
        wrong = "" if self.state == OPEN or status is Status.OK else f", expected {self.state}"
        return Finding("state", status, self.state, observed, message + wrong)

    def _status(self, outcomes: list[str]) -> Status:
        """Silence may be a packet filter or a full queue, so it does not prove that a port is closed."""
        if self.state == OPEN:
            return Status.OK if "open" in outcomes else Status.CRITICAL
        states = {STATES.get(outcome) for outcome in outcomes}
        if states == {self.state}:
            return Status.OK
        contrary = OPEN in states or (self.state == FILTERED and CLOSED in states)
        return Status.CRITICAL if contrary else Status.UNKNOWN

    def _judge_unresolved(self, reason: str) -> Finding:
        status = Status.CRITICAL if self.state == OPEN else Status.UNKNOWN
        message = f"{self.address} cannot be connected to: its name has no address ({reason})"
        return Finding("state", status, self.state, "no such name", message)

    def _by(self, seen: dict[str, Any]) -> str:
        peer = seen["tries"][-1]["peer"]
        return "" if peer in (self.address, self.address.removeprefix(UNIX)) else f" on {peer}"

    def _reasons(self, tries: list[dict[str, Any]]) -> str:
        reasons: list[str] = [MEANING.get(attempt["outcome"], attempt["error"]) for attempt in tries]
        if len(set(reasons)) == 1:
            return reasons[0]
        return "; ".join(f"{attempt['peer']}: {reason}" for attempt, reason in zip(tries, reasons, strict=True))


def _within(seen: dict[str, Any]) -> str:
    return f"within {format_duration(seen['seconds'])}"
