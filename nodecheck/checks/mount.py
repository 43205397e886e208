"""Mounts: is it mounted as it should be, and does it answer?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks._read_only import judge_read_only
from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.durations import format_duration
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows.mount import ANSWERED, FAILED, HIDDEN, NOT_ASKED, SILENT, UNSEEN, MountWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.checks.base import Words
    from nodecheck.definitions.expectation import Text
    from nodecheck.node.node import Node, Want

MOUNTED, ABSENT = "mounted", "absent"
# Words of fstab for what is so anyway, or that only mount and systemd heed: no mount is ever seen to have them.
NEVER_SEEN = (
    "defaults async atime auto dev diratime exec group loud noauto nofail nouser owner strictatime suid user users "
    "_netdev"
).split()
WAITS = "is mounted when it is used (autofs), and nobody uses it now"


class Mount(Check):
    """Something is mounted on a path, the right thing in the right way, and it answers in time; or nothing is."""

    path: str = arg("Where it has to be mounted: an absolute path.")
    state: str = arg("mounted, or absent: nothing is mounted there.", default=MOUNTED, choices=(MOUNTED, ABSENT))
    type: Text = arg("Type of the file system, such as ext4 or nfs4.", default=None)
    source: Text = arg("What is mounted: a device, or server:/path.", default=None)
    options: Words = arg(
        "Options that all have to be set, of the mount or of its file system: noexec, [nosuid, nodev].", default=None
    )
    read_only: bool = arg("Whether it is to be read-only; after an error many file systems are.", default=None)
    answers: bool = arg(
        "Whether its file system has to answer (statvfs) before the check's timeout, of a second or more. It is "
        "critical when it does not. What autofs has not mounted yet is not asked.",
        default=True,
    )

    EXAMPLE: ClassVar[str] = """\
- name: The shared images are mounted and answer
  mount: {path: /srv/images, type: /^nfs/, options: [nosuid], read_only: false}
  timeout: 3s
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """A path leads from the root, and what is absent has no properties."""
        if not self.path.startswith("/"):
            yield "path", f"{self.path!r} is no absolute path", f"/{self.path}"
        properties = (self.type, self.source, self.options, self.read_only)
        if self.state == ABSENT and any(wanted is not None for wanted in properties):
            yield "state", "what is not mounted has no type, source, options, and is not read-only", ""
        for option in self.options or ():
            if option in NEVER_SEEN or option.startswith("x-"):
                yield "options", f"{option} is for fstab, and the kernel shows it of no mount", "see findmnt -o OPTIONS"

    def wants(self) -> Iterator[Want]:
        """What is mounted there; it is asked only when it is to answer."""
        yield self._want()

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last: mounted, the right thing, in the right way, and answering."""
        seen = node.look(self._want())["mount"]
        if self.state == ABSENT or seen is None:
            yield self._judge_state(seen)
            return
        waits = seen["type"] == "autofs"
        told = f"{self.path} {WAITS}" if waits else f"{_shown(seen)} is mounted on {self.path}"
        yield Finding("state", Status.OK, MOUNTED, MOUNTED, told)
        if waits and any(wanted is not None for wanted in (self.source, self.options, self.read_only)):
            raise Unobserved(f"mount {self.path}", f"how it will be mounted cannot be seen: {told}")
        yield from self._judge_properties(seen, waits=waits)
        if self.answers and seen["answer"] != NOT_ASKED:
            yield self._judge_answer(seen)

    def _want(self) -> MountWant:
        path = self.path.rstrip("/") or "/"
        return MountWant(path, ask=self.answers and self.state == MOUNTED)

    def _judge_state(self, seen: dict[str, Any] | None) -> Finding:
        if seen is None:
            status = Status.OK if self.state == ABSENT else Status.CRITICAL
            return Finding("state", status, self.state, ABSENT, f"nothing is mounted on {self.path}")
        message = f"{_shown(seen)} is mounted on {self.path}, expected nothing"
        return Finding("state", Status.CRITICAL, ABSENT, MOUNTED, message)

    def _judge_properties(self, seen: dict[str, Any], *, waits: bool) -> Iterator[Finding]:
        """`waits`: it is not mounted yet, so its type is known only where autofs itself is wanted."""
        told = None if waits and self.type is not None and not self.type.matches(seen["type"]) else seen["type"]
        yield from judge_expectation("type", self.type, told, subject=self.path)
        yield from judge_expectation("source", self.source, seen["source"], subject=self.path)
        if self.options is not None:
            yield self._judge_options(seen["options"])
        if self.read_only is not None:
            yield judge_read_only(self.read_only, seen, self.path)

    def _judge_options(self, options: list[str]) -> Finding:
        missing = [option for option in self.options if option not in options]
        status = Status.CRITICAL if missing else Status.OK
        message = f"{self.path} is mounted " + (f"without {', '.join(missing)}" if missing else f"with {self.options}")
        return Finding("options", status, str(self.options), ",".join(options), message)

    def _judge_answer(self, seen: dict[str, Any]) -> Finding:
        shown, answer, told = _shown(seen), seen["answer"], seen["told"]
        took = format_duration(seen["seconds"])
        status, message = {
            ANSWERED: (Status.OK, f"{shown} on {self.path} answers"),
            SILENT: (Status.CRITICAL, f"{shown} on {self.path} is mounted, and did not answer within {took}"),
            FAILED: (Status.CRITICAL, f"{shown} on {self.path} is mounted, and answers with an error: {told}"),
            HIDDEN: (Status.CRITICAL, f"{shown} on {self.path} is mounted, and hidden: {told}"),
            UNSEEN: (Status.UNKNOWN, f"whether {shown} on {self.path} answers could not be seen: {told}"),
        }[answer]
        return Finding("answers", status, True, answer, message)


def _shown(seen: dict[str, Any]) -> str:
    return f"{seen['source']} ({seen['type']})" if seen["source"] not in ("none", "", seen["type"]) else seen["type"]
