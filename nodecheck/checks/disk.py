"""Disks: is there space, are there inodes, and can they be written to?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks._read_only import judge_read_only
from nodecheck.checks.base import Check, arg, judge_expectation, judge_growth
from nodecheck.definitions.expectation import Percent
from nodecheck.node.counters import rise
from nodecheck.node.node import CounterWant
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows.disk import DiskWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.checks.base import Words
    from nodecheck.definitions.expectation import Number, Size, SizeInTime
    from nodecheck.node.node import Node, Want

NOT_FULL = Percent("< 90%")  # of space the kubelet evicts pods from 90% on, see its default imageGC and evictionHard


class Disk(Check):
    """The file system of a path, or every local one, has space and inodes left for those who are not root."""

    path: str = arg("A path on the file system that is meant; it has to exist.", default=None)
    every: bool = arg(
        "Whether every local file system is meant, each once: those on disks, not tmpfs, overlay, network file systems "
        "and images that are full by nature such as squashfs, nor volumes of pods and the EFI system partition.",
        default=False,
    )
    types: Words = arg("With every: file systems of these types instead, [ext4, tmpfs].", default=None)
    besides: Words = arg(
        "With every: paths whose file systems are not meant, such as [/var/lib/docker]: what is mounted there, or else "
        "what the path lies on, and be it /. They need not exist.",
        default=None,
    )
    used: Percent = arg(
        "Space used, as df shows it: of what is not kept for root. Where nothing else is asked either, < 90%; and of "
        "the inodes, where they are counted.",
        default=None,
    )
    free: Size = arg("Space left for those who are not root.", default=None)
    growth: SizeInTime = arg(
        "How much more space is used now than when least was, within a time, < 10GiB in 1h; with path. Earlier runs "
        "have to be remembered (--state), and until they reach back so far it may be unknown.",
        default=None,
    )
    inodes_used: Percent = arg("Inodes used. btrfs and others count none: unknown.", default=None)
    inodes_free: Number = arg("Inodes left.", default=None)
    read_only: bool = arg(
        "Whether it is to be read-only; after an error many file systems are. XFS that has shut down counts as such.",
        default=None,
    )

    EXAMPLE: ClassVar[str] = """\
- name: The images have room
  disk: {path: /var/lib/docker, used: "< 90%", inodes_used: "< 90%"}
  warn: {used: "< 80%"}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """Either one is meant, or all."""
        if (self.path is not None) == self.every:
            yield "path", "one of path and every is needed", "path: /var/lib, or every: true"
        elif self.path is not None and not self.path.startswith("/"):
            yield "path", f"{self.path!r} is no absolute path", f"/{self.path}"
        for name in ("types", "besides"):
            if getattr(self, name) is not None and not self.every:
                yield name, f"{name} goes with every", "every: true"
        if self.growth is not None and self.every:
            yield "growth", "growth goes with path", "path: /var/lib"

    def wants(self) -> Iterator[Want]:
        """One file system, or all in one look, and those that are not meant."""
        yield self._want()
        yield from map(DiskWant, self.besides or ())
        if self.growth is not None:
            yield self._counter(self.growth)

    def counters(self, node: Node) -> Iterator[tuple[CounterWant, float]]:
        """The space that is used, where its growth is wanted."""
        if self.growth is not None:
            for system in node.look(self._want()):
                if not system["unseen"]:
                    yield self._counter(self.growth), system["used"]

    def _counter(self, wanted: SizeInTime) -> CounterWant:
        return CounterWant(f"space used on {self.path}", wanted.within)

    def judge(self, node: Node) -> Iterator[Finding]:
        """Each file system that is meant."""
        seen = node.look(self._want())
        left_out = {_key(system) for path in self.besides or () for system in node.look(DiskWant(path))}
        meant = [system for system in seen if _key(system) not in left_out]
        if self.path is not None and not seen:
            yield Finding("path", Status.CRITICAL, self.path, "absent", f"{self.path} does not exist")
        elif seen and not meant:
            yield Finding("used", Status.OK, "of others", "none", "there are no other file systems here")
        elif not meant:
            raise Unobserved("disks", "there is no file system here that is meant: df -T shows their types")
        for system in meant:
            yield from self._judge_system(system, node)

    def _want(self) -> DiskWant:
        return DiskWant(self.path or "", tuple(self.types or ()))

    def _judge_system(self, system: dict[str, Any], node: Node) -> Iterator[Finding]:
        subject = self._called(system)
        if system["unseen"]:
            message = f"{subject} could not be looked at: {system['unseen']}"
            yield Finding("space", Status.UNKNOWN, "an answer", None, message)
            return
        yield from self._judge_space(system, subject)
        if self.growth is not None:
            counter = self._counter(self.growth)
            grown = rise(node.samples(counter.name), system["used"], counter.within)
            yield from judge_growth("growth", self.growth, grown, subject=subject, unit="growth of used space")
        yield from self._judge_inodes(system, subject)
        if self.read_only is not None:
            yield judge_read_only(self.read_only, system, subject)

    def _called(self, system: dict[str, Any]) -> str:
        kind, point = system["type"], system["point"]
        if self.path in (None, point):
            return f"{point} ({kind})" if kind else point
        return f"{self.path} ({kind} on {point})" if kind else str(self.path)

    def _judge_space(self, system: dict[str, Any], subject: str) -> Iterator[Finding]:
        users = system["used"] + system["available"]
        used = 100.0 * system["used"] / users if users else None  # /proc has no space, used or free
        free = system["available"] if users else None
        space = judge_expectation("used", self._or_default(self.used), used, subject=subject, unit="used space")
        yield from _with_remedy(space, f"du -xh --max-depth=2 {system['point']} | sort -h | tail")
        yield from judge_expectation("free", self.free, free, subject=subject, unit="space left")

    def _judge_inodes(self, system: dict[str, Any], subject: str) -> Iterator[Finding]:
        """Where inodes are made as they are needed, as in btrfs, they cannot run out."""
        if not system["inodes"]:
            yield from () if self.every else self._judge_uncounted(subject)
            return
        share, wanted = 100.0 * system["inodes_used"] / system["inodes"], self._or_default(self.inodes_used)
        inodes = judge_expectation("inodes_used", wanted, share, subject=subject, unit="used inodes")
        yield from _with_remedy(inodes, f"du -x --inodes --max-depth=2 {system['point']} | sort -n | tail")
        left = system["inodes_available"]
        yield from judge_expectation("inodes_free", self.inodes_free, left, subject=subject, unit="inodes left")

    def _judge_uncounted(self, subject: str) -> Iterator[Finding]:
        for name in ("inodes_used", "inodes_free"):
            wanted = getattr(self, name)
            if wanted is not None:
                message = f"{subject} makes inodes as they are needed: there is always one more"
                yield Finding(name, Status.OK, str(wanted), None, message)

    def _or_default(self, wanted: Percent | None) -> Percent | None:
        expectations = (self.used, self.free, self.growth, self.inodes_used, self.inodes_free, self.read_only)
        return NOT_FULL if all(expectation is None for expectation in expectations) else wanted


def _key(system: dict[str, Any]) -> str:
    """Of what is mounted at many places, each look may find another."""
    return str(system["source"] if system["source"].startswith("/") else system["point"])


def _with_remedy(findings: Iterator[Finding], remedy: str) -> Iterator[Finding]:
    """Say what helps where something is full."""
    for finding in findings:
        yield finding._replace(remedy=remedy) if finding.status is Status.CRITICAL else finding
