"""A module of the kernel, now and after the next boot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg
from nodecheck.node.windows.kernel_module import KernelModuleWant, spelled
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.node.node import Node, Want


class KernelModule(Check):
    """A module of the kernel is loaded or built in, and will be after the next boot; looking loads none."""

    name: str = arg("Name of the module; - and _ are the same in it.")
    state: str = arg(
        "loaded (or built in), available (that, or it could be loaded), or absent (neither loaded nor built in).",
        default="loaded",
        choices=("loaded", "available", "absent"),
    )
    persistent: bool = arg(
        "Whether it is loaded at boot: by a file of modules-load.d (/etc/modules is linked there) or the kernel "
        "command line, and kept away by no blacklist; or it is built in. What programs load is not foreseen.",
        default=None,
    )
    blacklisted: bool = arg(
        "Whether modprobe.d or the kernel command line keeps it from being loaded: by blacklist, or by an install line "
        "that runs true or false.",
        default=None,
    )

    EXAMPLE: ClassVar[str] = """\
- name: Bridged packets pass iptables, also after the next boot
  kernel_module: {name: br_netfilter, persistent: true}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """A name is no path."""
        if not re.fullmatch(r"\w[\w-]*", self.name):
            yield "name", f"this is no name of a module: {self.name}", "br_netfilter"
        if self.state == "absent" and self.persistent:
            yield "persistent", "it cannot be absent and loaded at boot", "state: loaded"

    def wants(self) -> Iterator[Want]:
        """Several small files."""
        yield KernelModuleWant(spelled(self.name))

    def judge(self, node: Node) -> Iterator[Finding]:
        """First now, then at boot."""
        seen = node.look(KernelModuleWant(spelled(self.name)))
        yield self._judge_state(seen)
        if self.persistent is not None:
            yield self._judge_boot(seen)
        if self.blacklisted is not None:
            yield self._judge_blacklist(seen)

    def _judge_state(self, seen: dict[str, Any]) -> Finding:
        observed, words = _state(seen)
        if observed == "loaded" or (observed == "available" and self.state == "available"):
            good = self.state != "absent"
        elif observed == "unknown" or (self.state == "available" and seen["available"] is None):
            reason = f"{self.name} is not loaded, and whether it is built in or available cannot be told"
            why = f"there is no list of the modules of this kernel (/lib/modules/{seen['release']})"
            return Finding("state", Status.UNKNOWN, self.state, "not loaded", f"{reason}: {why}")
        else:
            good = self.state == "absent"
        wanted = "" if good else f", expected {self.state}"
        remedy = f"modprobe {self.name}" if observed == "available" and self.state == "loaded" else ""
        message = f"{self.name} {words}{wanted}"
        return Finding("state", Status.OK if good else Status.CRITICAL, self.state, observed, message, remedy=remedy)

    def _judge_boot(self, seen: dict[str, Any]) -> Finding:
        boot, blacklist = seen["boot"], seen["blacklist"]
        if seen["builtin"]:
            observed, message = True, f"{self.name} is built into the kernel"
        elif boot and blacklist:
            observed, message = False, f"{boot[0]} loads {self.name} at boot, but {blacklist[0]} forbids it"
        elif boot:
            observed, message = True, f"{boot[0]} loads {self.name} at boot"
        else:
            observed, message = False, f"no file of modules-load.d loads {self.name} at boot"
            if seen["builtin"] is None:
                built_in = f"{message}, and whether it is built in cannot be told"
                return Finding("persistent", Status.UNKNOWN, self.persistent, None, built_in)
        remedy = f"put {self.name} into a file of /etc/modules-load.d" if not boot and self.persistent else ""
        return _compared("persistent", self.persistent, observed, message, remedy)

    def _judge_blacklist(self, seen: dict[str, Any]) -> Finding:
        by = ", ".join(seen["blacklist"])
        message = f"{by} forbids {self.name}" if by else f"nothing forbids to load {self.name}"
        return _compared("blacklisted", self.blacklisted, bool(by), message, "")


def _state(seen: dict[str, Any]) -> tuple[str, str]:
    """Return (state, in words)."""
    if seen["loaded"]:
        return "loaded", "is loaded"
    if seen["builtin"]:
        return "loaded", "is built into the kernel"
    if seen["builtin"] is None:
        return "unknown", ""
    if seen["available"]:
        return "available", "is not loaded, but could be"
    return "absent", "is not loaded" if seen["available"] is None else f"is no module of Linux {seen['release']}"


def _compared(name: str, expected: bool | None, observed: bool, message: str, remedy: str) -> Finding:
    good = expected == observed
    return Finding(
        name, Status.OK if good else Status.CRITICAL, expected, observed, message, remedy="" if good else remedy
    )
