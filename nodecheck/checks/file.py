"""Files: are they there, or not, and are they what they should be?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks import _file_rows as rows
from nodecheck.checks._file_rows import Row, listed, one_finding
from nodecheck.checks.base import Check, arg
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows.file import (
    FULL,
    LISTENING,
    MOST_FILES,
    NO,
    NOWHERE,
    OWNERS,
    SHA256,
    TEXT,
    YES,
    PathWant,
    is_pattern,
)
from nodecheck.patterns import later
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nodecheck.definitions.expectation import Duration, Number, Size, Text
    from nodecheck.node.node import Node, Want

EXISTS, ABSENT = "exists", "absent"
OCTAL = later("[0-7]{3,4}")
CHECKSUM = later("sha256:[0-9a-f]{64}")


class File(Check):
    """A file, a directory or a socket is there and as it should be, or is not there; or those of a pattern are."""

    path: str = arg(
        "Where it lies: an absolute path, or a pattern with *, ? or [...] as a shell has them: hidden names do not fit."
    )
    state: str = arg(
        "exists, or absent: nothing is there. Of a link, what it leads to is judged; one that leads nowhere is "
        "neither.",
        default=EXISTS,
        choices=(EXISTS, ABSENT),
    )
    count: Number = arg("How many there are that fit the pattern.", default=None)
    names: Text = arg(
        "The name, without its folder, of each that fits the pattern: /\\.yaml$/ leaves no leftovers.", default=None
    )
    kind: Text = arg("file, directory, socket, fifo or device; link, whatever it leads to.", default=None)
    mode: Text = arg('Permissions, in octal digits: "0600".', default=None)
    mode_at_most: str = arg(
        'Permissions of which none may be added, in octal digits: with "0640", 0600 is well and 0604 is not.',
        default=None,
    )
    owner: Text = arg("User it belongs to: a name or a number.", default=None)
    group: Text = arg("Group it belongs to: a name or a number.", default=None)
    size: Size = arg("Its size.", default=None)
    age: Duration = arg("Time since its content was changed (mtime).", default=None)
    content: Text = arg(
        "Its content as a whole, without blanks and ends of lines at its end. At most 256 KiB of a file are read.",
        default=None,
    )
    lines: Text = arg(
        'Its lines: a text is a whole line, /.../ is found within one, "!= /.../" is in none; {all: [...]}: several.',
        default=None,
    )
    checksum: Text = arg("Its checksum, sha256:...", default=None)
    target: Text = arg(
        "Where the link leads that it has to be: as it stands there, or as an absolute path.", default=None
    )
    listening: bool = arg(
        "Whether somebody is to listen on the socket, and take a connection. That is not tried where only systemd "
        "listens: that would start a service.",
        default=None,
    )

    EXAMPLE: ClassVar[str] = """\
- name: Only root reads the key of the cluster
  file: {path: /etc/kubernetes/admin.conf, kind: file, owner: root, mode_at_most: "0600"}
"""

    # ---- arguments

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """What is absent has no properties, and only a pattern has a count."""
        if not self.path.startswith("/"):
            yield "path", f"{self.path!r} is no absolute path", f"/{self.path}"
        if "**" in self.path:
            yield "path", "** is not known: a * does not go into folders", "name the folders, or write /a/*/b"
        if self.state == ABSENT and any(getattr(self, name) is not None for name in self._properties()):
            yield "state", "what is absent has no properties", "judge them in a check of its own"
        if not is_pattern(self.path) and self.count is not None:
            yield "count", "there is one of each path; only a pattern has a count", "state: absent for none"
        if self.mode_at_most is not None and not OCTAL.fullmatch(self.mode_at_most):
            yield "mode_at_most", f"{self.mode_at_most!r} is no mode", 'in octal digits, quoted: "0600"'
        if self.checksum is not None and not _are_checksums(self.checksum.source):
            yield "checksum", f"{self.checksum} is no checksum", "sha256: and 64 digits, as sha256sum prints them"

    def wants(self) -> Iterator[Want]:
        """The file, or all that fit; what takes long only when it is asked for."""
        yield self._want()

    def _want(self) -> PathWant:
        asked = {
            OWNERS: self.owner is not None or self.group is not None,
            TEXT: self.content is not None or self.lines is not None,
            SHA256: self.checksum is not None,
            LISTENING: self.listening is not None,
        }
        return PathWant(self.path, tuple(detail for detail, wanted in asked.items() if wanted))

    @classmethod
    def _properties(cls) -> list[str]:
        return [name for name in cls.arguments() if name not in ("path", "state")]

    @classmethod
    def _of_each(cls) -> list[str]:
        return [name for name in cls._properties() if name != "count"]

    # ---- judging

    def judge(self, node: Node) -> Iterator[Finding]:
        """First whether it is there, then what it is, then what is in it."""
        seen = node.look(self._want())
        files: list[dict[str, Any]] = seen["files"]
        if self.count is not None:
            yield self._judge_count(self.count, seen["count"], files)
        else:
            yield self._judge_state(seen["count"], files)
        leads_nowhere = (
            not is_pattern(self.path) and files and files[0]["kind"] == NOWHERE and not self._is_link_wanted()
        )
        if self.state == ABSENT or not files or leads_nowhere:
            return
        if seen["count"] > len(files) and any(getattr(self, name) is not None for name in self._of_each()):
            reason = f"{seen['count']} fit {self.path}, and no more than {MOST_FILES} are looked at"
            raise Unobserved(f"file {self.path}", reason, remedy="a narrower pattern, or count alone")
        yield from self._judge_properties(files, node)

    def _is_link_wanted(self) -> bool:
        """A link that leads nowhere is only well where a link itself is asked for, and not by what it is not."""
        words = (NOWHERE, "link")
        asked = self.kind is not None and self.kind.matches(words) and not self.kind.matches(())
        return asked or self.target is not None

    def _judge_state(self, count: int, files: list[dict[str, Any]]) -> Finding:
        if not files:
            message = f"nothing fits {self.path}" if is_pattern(self.path) else f"{self.path} does not exist"
            return Finding("state", Status.OK if self.state == ABSENT else Status.CRITICAL, self.state, ABSENT, message)
        message = f"{count} fit {self.path}" if is_pattern(self.path) else f"{self.path} exists"
        if not is_pattern(self.path) and files[0]["kind"] == NOWHERE:
            observed = f"a link to {files[0]['link']}, which does not exist"
            status = Status.OK if self.state == EXISTS and self._is_link_wanted() else Status.CRITICAL
            return Finding("state", status, self.state, observed, f"{self.path} is {observed}")
        if self.state == EXISTS:
            return Finding("state", Status.OK, EXISTS, EXISTS, message)
        which = f": {listed(file['path'] for file in files)}" if is_pattern(self.path) else ""
        return Finding("state", Status.CRITICAL, ABSENT, EXISTS, f"{message}{which}, expected nothing")

    def _judge_count(self, wanted: Number, count: int, files: list[dict[str, Any]]) -> Finding:
        message = f"{count} fit {self.path}"
        if wanted.matches(count):
            return Finding("count", Status.OK, str(wanted), count, message)
        which = f": {listed(file['path'] for file in files)}" if files else ""
        return Finding("count", Status.CRITICAL, str(wanted), count, f"{message}, expected {wanted}{which}")

    def _judge_properties(self, files: list[dict[str, Any]], node: Node) -> Iterator[Finding]:
        """Each property of all files; where one is no link, say, that has no target, it is not as wanted."""
        at_most = None if self.mode_at_most is None else f"at most {self.mode_at_most}"
        judged: dict[str, tuple[str, object, Callable[[dict[str, Any]], Row]]] = {
            "names": ("name", self.names, lambda file: rows.of_text(file, self.names, (rows.name(file),))),
            "kind": ("kind", self.kind, lambda file: rows.of_text(file, self.kind, rows.kinds(file))),
            "target": ("target", self.target, lambda file: rows.of_target(file, self.target)),
            "mode": ("mode", self.mode, lambda file: rows.of_text(file, self.mode, rows.modes(file))),
            "mode_at_most": ("mode", at_most, self._of_mode_at_most),
            "owner": ("owner", self.owner, lambda file: rows.of_owner(file, self.owner, "owner", "uid")),
            "group": ("group", self.group, lambda file: rows.of_owner(file, self.group, "group", "gid")),
            "size": ("size", self.size, lambda file: rows.of_quantity(file, self.size, file["size"])),
            "age": ("age", self.age, lambda file: rows.of_quantity(file, self.age, rows.age(file, node))),
            "content": ("content", self.content, lambda file: rows.of_content(file, self.content)),
            "lines": ("lines", self.lines, lambda file: rows.of_lines(file, self.lines)),
            "checksum": ("checksum", self.checksum, lambda file: rows.of_checksum(file, self.checksum)),
            "listening": ("listening", self.listening, self._of_listening),
        }
        pattern = self.path if is_pattern(self.path) else ""
        for name, (word, wanted, row) in judged.items():
            if wanted is not None:
                yield one_finding(
                    name, word, str(wanted), [rows.of_link(file, name) or row(file) for file in files], pattern
                )

    def _of_mode_at_most(self, file: dict[str, Any]) -> Row:
        added = file["mode"] & ~int(self.mode_at_most, 8)
        return Row(file["path"], not added, f"{file['mode']:04o}")

    def _of_listening(self, file: dict[str, Any]) -> Row:
        row = rows.without(file, LISTENING, LISTENING, "socket")
        if row:
            return row
        answer = file[LISTENING]
        why = {
            NO: "is a socket on which nobody listens",
            FULL: "is a socket whose server takes no connections: too many wait already",
            YES: "is a socket on which somebody listens",
        }[answer]
        fits = answer == YES if self.listening else answer == NO
        return Row(file["path"], fits, answer == YES, "" if fits else why)


def _are_checksums(source: Any) -> bool:
    if isinstance(source, list | dict):
        return all(map(_are_checksums, source.values() if isinstance(source, dict) else source))
    return CHECKSUM.fullmatch(str(source).removeprefix("!=").strip()) is not None
