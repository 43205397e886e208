"""Virtualisation: can this node run virtual machines, and does libvirt answer?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.durations import format_duration
from nodecheck.node.windows.virtualization import ANSWERS, IDLE, SILENT, VirtualizationWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Number
    from nodecheck.node.node import Node, Want


class Virtualization(Check):
    """The node can run virtual machines: KVM is usable, and what else is asked for."""

    kvm: bool = arg(
        "Whether /dev/kvm has to be usable, or must not be. Has to, when nothing else is asked for.", default=None
    )
    cpu: bool = arg("Whether the CPU has to have its flag for virtual machines: vmx, svm or sie.", default=None)
    nested: bool = arg("Whether virtual machines may have virtual machines (parameter nested of KVM).", default=None)
    hugepages: Number = arg("Huge pages of the default size that are set aside.", default=None)
    hugepages_free: Number = arg("Huge pages that are neither used nor promised.", default=None)
    libvirt: bool = arg(
        "Whether libvirt has to answer before the check's timeout: virtqemud, libvirtd or virtproxyd. One that is idle "
        "is as good, since systemd listens for it; it is not started by looking, so whether it "
        "could be is for its unit to say.",
        default=None,
    )

    EXAMPLE: ClassVar[str] = """\
- name: This is a hypervisor
  virtualization: {kvm: true, nested: true, libvirt: true}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """That libvirt is not there, other checks tell."""
        if self.libvirt is False:
            yield "libvirt", "that libvirt is not there is for unit or process to say", "leave it out"

    def wants(self) -> Iterator[Want]:
        """All of it; libvirt only when it is asked for."""
        yield self._want

    @property
    def _want(self) -> VirtualizationWant:
        return VirtualizationWant(bool(self.libvirt))

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last: the CPU, KVM, memory and libvirt."""
        seen = node.look(self._want)
        if self.cpu is not None:
            yield _judge_cpu(self.cpu, seen["cpu"])
        others = (self.cpu, self.nested, self.hugepages, self.hugepages_free, self.libvirt)
        if self.kvm is not None or all(other is None for other in others):
            yield _judge_kvm(self.kvm is not False, seen["kvm"])
        if self.nested is not None:
            yield _judge_nested(self.nested, seen["nested"])
        pages = seen["hugepages"]
        free = pages["free"] - min(pages["rsvd"], pages["free"]) if {"free", "rsvd"} <= pages.keys() else None
        for name, expected, count in (
            ("hugepages", self.hugepages, pages.get("total")),
            ("hugepages_free", self.hugepages_free, free),
        ):
            unit = "number of free huge pages" if name == "hugepages_free" else "number of huge pages"
            yield from judge_expectation(name, expected, count, subject="this node", unit=unit)
        if self.libvirt:
            yield from _judge_libvirt(seen["libvirt"])


def _judge_cpu(expected: bool, flags: list[str]) -> Finding:
    has = f"the flag {', '.join(flags)}" if flags else "no flag for virtual machines (vmx, svm or sie)"
    message = f"the CPU has {has}"
    if not flags and expected:
        message += ": it is turned off in the firmware, or by the hypervisor that this node runs on"
    return Finding("cpu", _status(bool(flags) == expected), expected, bool(flags), message)


def _judge_kvm(expected: bool, why_not: str) -> Finding:
    usable = not why_not
    message = "KVM is usable" if usable else f"KVM is not usable: {why_not}"
    return Finding("kvm", _status(usable == expected), expected, usable, message)


def _judge_nested(expected: bool, nested: bool | None) -> Finding:
    if nested is None:
        message = "whether virtual machines may be nested could not be seen: no module of KVM tells"
        return Finding("nested", Status.UNKNOWN, expected, None, message)
    message = f"virtual machines may {'' if nested else 'not '}be nested"
    return Finding("nested", _status(nested == expected), expected, nested, message)


def _judge_libvirt(sockets: list[dict[str, Any]]) -> Iterator[Finding]:
    if not sockets:
        message = "nobody listens on a socket of libvirt (virtqemud-sock or libvirt-sock in /run/libvirt)"
        yield Finding("libvirt", Status.CRITICAL, True, "not there", message)
    for seen in sockets:
        good = seen["state"] in (ANSWERS, IDLE)
        yield Finding("libvirt", _status(good), True, seen["state"], _told(seen))


def _told(seen: dict[str, Any]) -> str:
    within = f"within {format_duration(seen['seconds'])}"
    if seen["state"] == IDLE:
        return f"libvirt is idle: systemd listens on {seen['socket']}"
    if seen["state"] == ANSWERS:
        return f"libvirt answers on {seen['socket']} {within}"
    if seen["state"] == SILENT:
        return f"libvirt does not answer on {seen['socket']} {within}, although its daemon runs"
    return f"libvirt does not answer on {seen['socket']}: {seen['error']}"


def _status(good: bool) -> Status:
    return Status.OK if good else Status.CRITICAL
