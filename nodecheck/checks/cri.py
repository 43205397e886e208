"""The container runtime, as the kubelet sees it: does it answer over the CRI, and is it ready?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks._ladder import Rung, judge_rungs, path_mistakes, seconds_taken
from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.node.windows.cri import CriWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Duration, Text
    from nodecheck.node.node import Node, Want

HANGS = "the runtime hangs, or is stopped"
RUNGS = {
    "connect": Rung("accepts connections", "cannot be connected to"),
    "version": Rung("tells its version", "does not tell its version", HANGS),
    "status": Rung("tells its state", "does not tell its state"),
    "list": Rung("lists its pods", "does not list its pods (crictl pods)"),
}
READY, NETWORK_READY = "RuntimeReady", "NetworkReady"


class Cri(Check):
    """The container runtime answers over its CRI socket, rung by rung, and is ready for pods."""

    socket: str = arg(
        "Path of the CRI socket. Without it, the one that the kubelet is told to use, else the first of the usual "
        "ones: containerd, CRI-O, cri-dockerd.",
        default=None,
    )
    network: bool = arg("Whether the pod network has to be ready (NetworkReady), too.", default=True)
    time: Duration = arg("Time that all answers take together.", default=None)
    runtime: Text = arg("Name of the runtime, such as containerd or cri-o.", default=None)
    version: Text = arg("Version of the runtime.", default=None)
    cgroup_driver: Text = arg("Cgroup driver of the runtime: systemd or cgroupfs.", default=None)

    EXAMPLE: ClassVar[str] = """\
- name: The container runtime is ready
  cri: {cgroup_driver: systemd}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """A path is whole."""
        yield from path_mistakes("socket", self.socket)

    def wants(self) -> Iterator[Want]:
        """All of it in one look."""
        yield CriWant(self.socket or "")

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last, then whether it is ready, then what it is."""
        seen = node.look(CriWant(self.socket or ""))
        called = f"the CRI on {seen['socket']}" if seen["socket"] else "the CRI"
        yield judge_rungs(called, RUNGS, seen, remedy="systemctl status containerd.service crio.service")
        if seen["conditions"]:
            yield _judge_condition("ready", READY, "the container runtime", seen["conditions"])
            if self.network:
                yield _judge_condition("network", NETWORK_READY, "the pod network", seen["conditions"])
        if not seen["stopped"]:
            yield from judge_expectation("time", self.time, seconds_taken(seen), subject="the answers")
            yield from self._judge_what_it_is(seen)

    def _judge_what_it_is(self, seen: dict[str, Any]) -> Iterator[Finding]:
        runtime, subject = seen["runtime"], "the container runtime"
        yield from judge_expectation("runtime", self.runtime, runtime["name"] or None, subject=subject, unit="name")
        yield from judge_expectation("version", self.version, runtime["version"] or None, subject=subject)
        driver = seen["cgroup_driver"] or None
        yield from judge_expectation("cgroup_driver", self.cgroup_driver, driver, subject=subject, unit="cgroup driver")


def _judge_condition(name: str, kind: str, called: str, conditions: list[dict[str, Any]]) -> Finding:
    condition = next((found for found in conditions if found["type"] == kind), None)
    if condition is None:
        message = f"whether {called} is ready ({kind}) is not told"
        return Finding(name, Status.UNKNOWN, True, None, message)
    if condition["status"]:
        return Finding(name, Status.OK, True, True, f"{called} is ready")
    why = ": ".join(said for said in (condition["reason"], condition["message"]) if said)
    message = f"{called} is not ready ({kind})" + (f": {why}" if why else "")
    return Finding(name, Status.CRITICAL, True, False, message)
