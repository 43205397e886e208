"""Limits of the kernel, and how much is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg
from nodecheck.definitions.expectation import Percent
from nodecheck.node.windows.limits import LimitWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.node.node import Node, Want

ROOM = Percent("< 90%")
CHEAP = ("pids", "files", "conntrack")
NONE = {
    "conntrack": "nothing limits tracked connections: nf_conntrack is not loaded, or nf_conntrack_max is 0",
    "control_groups": "there are no control groups with memory",
    "inotify_instances": "no process uses inotify",
    "inotify_watches": "no process uses inotify",
}


class Limits(Check):
    """Nothing that the kernel limits is about to run out: processes, open files, connections, mounts, inotify."""

    pids: Percent = arg(
        "Threads of all processes, of kernel.pid_max or kernel.threads-max: whichever is used most. When nothing at "
        "all is expected, this, files and conntrack: < 90% each.",
        default=None,
    )
    files: Percent = arg("Open files of all processes, of fs.file-max.", default=None)
    conntrack: Percent = arg(
        "Tracked connections, of net.netfilter.nf_conntrack_max; ok where nf_conntrack is not loaded, and where it is "
        "0: no limit.",
        default=None,
    )
    neighbours: Percent = arg(
        "Neighbours on the network, of net.ipv4.neigh.default.gc_thresh3 or the same of IPv6: whichever is used most. "
        "Those of this network that are permanent or learned from outside have no limit, and do not count.",
        default=None,
    )
    mounts: Percent = arg("Mounts that nodecheck sees, of fs.mount-max.", default=None)
    control_groups: Percent = arg(
        "Control groups with memory, of the 65,535 that there may be: those that are gone and still held, too.",
        default=None,
    )
    inotify_instances: Percent = arg(
        "inotify instances, of fs.inotify.max_user_instances: of the user with the most. Looks at all open files of "
        "all processes, as root.",
        default=None,
    )
    inotify_watches: Percent = arg(
        "inotify watches, of fs.inotify.max_user_watches: of the user with the most. Looks as the above.", default=None
    )

    EXAMPLE: ClassVar[str] = """\
- name: Nothing is about to run out
  limits: {pids: "< 80%", files: "< 80%", conntrack: "< 75%"}
"""

    def wants(self) -> Iterator[Want]:
        """Each limit by itself: some are dear."""
        return (LimitWant(name) for name in self._expected())

    def judge(self, node: Node) -> Iterator[Finding]:
        """Each limit by itself, by the fullest of its sort."""
        for name, expectation in self._expected().items():
            found = node.look(LimitWant(name))
            fullest = max(found, key=_share, default=None)
            if fullest is None:
                yield Finding(name, Status.OK, str(expectation), "none", NONE.get(name, f"there are no {name}"))
            else:
                yield _judge(name, expectation, fullest)

    def _expected(self) -> dict[str, Percent]:
        given = {name: getattr(self, name) for name in self.arguments() if getattr(self, name) is not None}
        return given or dict.fromkeys(CHEAP, ROOM)


def _judge(name: str, expectation: Percent, seen: dict[str, Any]) -> Finding:
    share = _share(seen)
    shown, good = expectation.show(share), expectation.matches(share)
    wanted = "" if good else f", expected {expectation}"
    message = (
        f"{seen['used']} of {seen['maximum']} {name.replace('_', ' ')} are in use ({seen['name']}): {shown}{wanted}"
    )
    return Finding(name, Status.OK if good else Status.CRITICAL, str(expectation), shown, message)


def _share(seen: dict[str, Any]) -> float:
    """In percent; where none at all is allowed, all is used."""
    return 100 * float(seen["used"]) / seen["maximum"] if seen["maximum"] else 100.0
