"""Swap: is it off, and does it stay off?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.node.windows.swap import SwapWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Percent, Size
    from nodecheck.node.node import Node, Want


class Swap(Check):
    """Swap is off now, and nothing turns it on at the next boot; or it is on, and there is enough of it."""

    now: bool = arg(
        "Whether swap is to be on now. Where nothing is asked, it has to be off and to stay off, as the kubelet wants "
        "it.",
        default=None,
    )
    at_boot: bool = arg(
        "Whether swap is to be turned on at the next boot: by /etc/fstab, a swap unit that is enabled, a partition "
        "that systemd finds by its type, zram-generator, or a service that is there for it (zramswap, dphys-swapfile). "
        "What is masked is not turned on.",
        default=None,
    )
    total: Size = arg("Size of all swap that is on.", default=None)
    used: Percent = arg("How much of it is used; 0% where there is none.", default=None)

    EXAMPLE: ClassVar[str] = """\
- name: Swap is off and stays off
  swap: {now: false, at_boot: false}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """What is off has no size."""
        if self.now is False and (self.total is not None or self.used is not None):
            yield "now", "swap that is off has no size, and nothing is used of it", ""

    def wants(self) -> Iterator[Want]:
        """Swap as a whole."""
        yield SwapWant()

    def judge(self, node: Node) -> Iterator[Finding]:
        """Now, at boot, and how much."""
        seen = node.look(SwapWant())
        now, at_boot = self.now, self.at_boot
        if all(wanted is None for wanted in (now, at_boot, self.total, self.used)):
            now = at_boot = False
        if now is not None:
            yield _judge_now(now, seen["now"])
        if at_boot is not None:
            yield _judge_at_boot(at_boot, seen["at_boot"])
        total, used = (sum(swap[name] for swap in seen["now"]) for name in ("size", "used"))
        share = 100.0 * used / total if total else 0.0
        yield from judge_expectation("total", self.total, total, subject="swap", unit="size")
        yield from judge_expectation("used", self.used, share, subject="swap", unit="used part")


def _judge_now(wanted: bool, swaps: list[dict[str, Any]]) -> Finding:
    names = ", ".join(f"{swap['name']} ({swap['size'] / (1 << 20):.0f}MiB)" for swap in swaps)
    message = f"swap is on: {names}" if swaps else "swap is off"
    if wanted == bool(swaps):
        return Finding("now", Status.OK, wanted, wanted, message)
    remedy = "" if wanted else "swapoff -a"
    return Finding("now", Status.CRITICAL, wanted, not wanted, message, remedy=remedy)


def _judge_at_boot(wanted: bool, entries: list[dict[str, Any]]) -> Finding:
    named = [f"{entry['name']} by {entry['by']}" for entry in entries]
    message = f"at the next boot swap is turned on: {', '.join(named)}" if entries else "nothing turns swap on at boot"
    if wanted == bool(entries):
        return Finding("at_boot", Status.OK, wanted, wanted, message)
    remedy = "" if wanted else _off(entries[0]["by"])
    return Finding("at_boot", Status.CRITICAL, wanted, not wanted, message, remedy=remedy)


def _off(by: str) -> str:
    """Return what keeps this from turning swap on at the next boot; a service does it without systemd's swap.target."""
    if by.endswith((".service", ".swap")):
        return f"systemctl disable {by}"
    file = by.partition(" line ")[0]
    is_edited = file.startswith("/etc/") or file.endswith(".conf")
    return f"take it out of {file}, or systemctl mask swap.target" if is_edited else "systemctl mask swap.target"
