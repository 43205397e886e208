"""A setting of the kernel, now and after the next boot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.definitions.expectation import TextOrNumber
from nodecheck.node.windows.sysctl import SysctlWant, path_of
from nodecheck.patterns import later
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.node.node import Node, Want

KEY = later(r"[^\s=*?\[\]/.]+([./][^\s=*?\[\]/.]+)*")
MODULES = {"net/bridge/": "br_netfilter", "net/netfilter/nf_conntrack": "nf_conntrack"}  # what comes with them


class Sysctl(Check):
    """A setting of the kernel has a value, and has it after the next boot too."""

    key: str = arg('Name of the setting, with points or slashes: "net.ipv4.ip_forward".')
    value: TextOrNumber = arg(
        "Value it has now. Several numbers in it are divided by one blank. Without it: the setting exists.",
        default=None,
    )
    persistent: bool = arg(
        "Whether the files of sysctl.d (or the kernel command line) set it at boot: to a value as expected, or to that "
        "of now where none is. systemd reads /etc/sysctl.conf only through a link in /etc/sysctl.d.",
        default=None,
    )

    EXAMPLE: ClassVar[str] = """\
- name: The node forwards packets, and will after the next boot
  sysctl: {key: net.ipv4.ip_forward, value: 1, persistent: true}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """A key is a path, and must not lead elsewhere."""
        if not KEY.fullmatch(self.key):
            yield "key", f"this is no name of a setting: {self.key}", "net.ipv4.ip_forward"

    def wants(self) -> Iterator[Want]:
        """The files are read only where they are judged."""
        yield self._want()

    def judge(self, node: Node) -> Iterator[Finding]:
        """First now, then at boot."""
        seen = node.look(self._want())
        if seen["value"] is None:
            message = f"{self.key} does not exist{_module(path_of(self.key))}"
            yield Finding("key", Status.CRITICAL, "exists", "missing", message)
        elif self.value is None and self.persistent is None:
            yield Finding("key", Status.OK, "exists", seen["value"], f"{self.key} is {seen['value']}")
        else:
            yield from judge_expectation("value", self.value, seen["value"], subject=self.key)
        if self.persistent is not None:
            yield self._judge_boot(seen)

    def _want(self) -> SysctlWant:
        return SysctlWant(path_of(self.key), self.persistent is not None)

    def _judge_boot(self, seen: dict[str, Any]) -> Finding:
        boot = seen["boot"]
        if boot is None:
            message = f"no file of sysctl.d sets {self.key} at boot"
            status = Status.CRITICAL if self.persistent else Status.OK
            remedy = f"set {self.key} in a file of /etc/sysctl.d" if self.persistent else ""
            return Finding("persistent", status, self.persistent, False, message, remedy=remedy)
        message = f"{boot['source']} sets {self.key} to {boot['value']} at boot"
        if not self.persistent:
            return Finding(
                "persistent", Status.CRITICAL, False, boot["value"], f"{message}, expected that nothing does"
            )
        wanted = self.value or _same_as(seen["value"])
        if wanted is None or wanted.matches(boot["value"]):
            return Finding("persistent", Status.OK, True, boot["value"], message)
        return Finding("persistent", Status.CRITICAL, True, boot["value"], f"{message}, expected {wanted}")


def _same_as(value: str | None) -> TextOrNumber | None:
    """A value that looks like an operator or a pattern is none here."""
    if not value:
        return None
    return TextOrNumber(value if re.fullmatch(r"-?[0-9]+", value) else f"/^{re.escape(value)}$/")


def _module(path: str) -> str:
    module = next((module for start, module in MODULES.items() if path.startswith(start)), "")
    return f": the module {module} is not loaded" if module else ""
