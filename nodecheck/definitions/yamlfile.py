"""Strict YAML: what the author wrote is what is read, and every value knows its place. The only importer of yaml.

YAML 1.2's core schema, not 1.1's: `no`, `on`, `22:22` and `0755` stay text. A duplicate key is an error, and so are
tags and files that are not files.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import TYPE_CHECKING, Any

import yaml

from nodecheck.definitions.errors import Mark

if TYPE_CHECKING:
    from nodecheck.definitions.errors import Mistakes

MAXIMUM_BYTES = 1 << 20
MAXIMUM_VALUES = 100_000  # a bomb of aliases is small as text
MAXIMUM_DEPTH = 40

INTEGER = re.compile(r"[-+]?[0-9]+")
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class Value:
    """A YAML value with its place: `data` is a dict of str to Value, a list of Value, or a scalar.

    `text` is a scalar as the author wrote it, so that 1.10 and 0755 are not lost.
    """

    __slots__ = ("data", "key_marks", "mark", "text")

    def __init__(self, data: Any, mark: Mark, text: str = "", key_marks: dict[str, Mark] | None = None) -> None:
        self.data = data
        self.mark = mark
        self.text = text
        self.key_marks = key_marks or {}

    def kind(self) -> str:
        """Name the kind of value in the words of a user."""
        if isinstance(self.data, dict):
            return "a mapping"
        if isinstance(self.data, list):
            return "a list"
        if isinstance(self.data, bool):
            return "a boolean"
        if self.data is None:
            return "nothing"
        return "text" if isinstance(self.data, str) else "a number"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C one is 5 times as fast
    """Builds the nodes only; "plain" and "quoted" in the place of tags is all that we need of the resolver."""

    def resolve(self, _kind: Any, _value: Any, implicit: Any) -> str:
        return "plain" if implicit is True or (implicit and implicit[0]) else "quoted"

    def descend_resolver(self, _node: Any, _index: Any) -> None:
        """No path resolvers: nothing to do, and it is called for each node."""

    def ascend_resolver(self) -> None:
        """As above."""


def read_text(path: str, mistakes: Mistakes) -> str | None:
    """Return the text of a definition file, or note why it cannot be read and return None."""
    place = Mark(path, 1, 1)
    try:
        raw = _read_regular_file(path)
    except OSError as error:
        mistakes.add(None, f"{path} cannot be read: {error.strerror or error}")
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        mistakes.add(Mark(path, line, column), f"not UTF-8: byte 0x{raw[error.start]:02x}", "save the file as UTF-8")
        return None
    if not text.strip():
        mistakes.add(
            place, "the file is empty", "a definition file is a list of plays; mask a file with a link to /dev/null"
        )
        return None
    mistakes.know_text(path, text)
    return text


def _read_regular_file(path: str) -> bytes:
    # O_NONBLOCK: opening a FIFO would wait for a writer for ever
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a directory")
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if found.st_size > MAXIMUM_BYTES:
            raise OSError(errno.EFBIG, f"it is larger than {MAXIMUM_BYTES >> 20} MiB")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read(MAXIMUM_BYTES + 1)
    finally:
        os.close(descriptor)


def load(path: str, text: str, mistakes: Mistakes) -> Value | None:
    """Parse YAML; note what is wrong and return None when nothing could be read."""
    if "\0" in text:
        mistakes.add(
            Mark(path, text.count("\n", 0, text.index("\0")) + 1, 1), "a NUL character", "is this a text file?"
        )
        return None
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mistakes.add(*_syntax_mistake(path, error))
        return None
    except yaml.YAMLError as error:
        mistakes.add(Mark(path, 1, 1), f"not YAML: {error}")
        return None
    finally:
        loader.dispose()
    return _Builder(path, mistakes).build(node)


def _syntax_mistake(path: str, error: yaml.MarkedYAMLError) -> tuple[Mark, str, str]:
    mark = error.problem_mark or error.context_mark
    place = Mark(path, mark.line + 1, mark.column + 1) if mark else Mark(path, 1, 1)
    problem = (error.problem or "not YAML").strip()
    context = f" ({error.context.strip()})" if error.context else ""
    hint = ""
    if "cannot start any token" in problem:
        hint = "indent with blanks, not tabs; quote a text that starts with % @ or `"
    elif "mapping values are not allowed" in problem:
        hint = 'quote a text that holds ": ", and align the keys of a mapping'
    elif "expected <document start>" in problem or "single document" in (error.context or ""):
        hint = "one file is one list of plays"
    return place, f"not YAML: {problem}{context}", hint


class _Builder:
    """Turns yaml nodes into Values, noting duplicate keys, tags and bombs."""

    def __init__(self, path: str, mistakes: Mistakes) -> None:
        self._path = path
        self._mistakes = mistakes
        self._values = 0

    def build(self, node: Any) -> Value | None:
        try:
            return self._value(node, 0)
        except _TooMuch as error:
            self._mistakes.add(error.mark, error.args[0], "aliases are expanded; write less nested definitions")
            return None

    def _value(self, node: Any, depth: int) -> Value:
        mark = self._mark(node)
        self._values += 1
        if self._values > MAXIMUM_VALUES or depth > MAXIMUM_DEPTH:
            raise _TooMuch(mark)
        tag = node.tag
        if tag not in ("plain", "quoted"):
            self._mistakes.add(mark, f"the tag {tag} is not allowed here", "leave it out: definitions are plain data")
        if isinstance(node, yaml.ScalarNode):
            return Value(scalar(node.value) if tag == "plain" else node.value, mark, node.value)
        if isinstance(node, yaml.SequenceNode):
            return Value([self._value(item, depth + 1) for item in node.value], mark)
        return self._mapping(node, mark, depth)

    def _mapping(self, node: Any, mark: Mark, depth: int) -> Value:
        data: dict[str, Value] = {}
        key_marks: dict[str, Mark] = {}
        for key_node, value_node in node.value:
            key_mark = self._mark(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                hint = 'quote it: "{{ name }}"' if isinstance(key_node, yaml.MappingNode) else ""
                self._mistakes.add(key_mark, "a key must be text", hint)
                continue
            key = key_node.value
            if key in data:
                self._mistakes.add(
                    key_mark,
                    f"the key {key!r} stands here a second time",
                    f"it stands first at line {key_marks[key].line}",
                )
                continue
            key_marks[key] = key_mark
            data[key] = self._value(value_node, depth + 1)
        return Value(data, mark, key_marks=key_marks)

    def _mark(self, node: Any) -> Mark:
        start = node.start_mark
        return Mark(self._path, start.line + 1, start.column + 1)


class _TooMuch(Exception):
    def __init__(self, mark: Mark) -> None:
        super().__init__(f"too many values (over {MAXIMUM_VALUES}) or too deep (over {MAXIMUM_DEPTH})")
        self.mark = mark


def scalar(text: str) -> Any:
    """The core schema of YAML 1.2, less what would surprise: 0755, 0x1F and 1_000 stay text."""
    if text in WORDS:
        return WORDS[text]
    if text in NULLS:
        return None
    first = text[0]
    if not (first.isdigit() or first in "-+."):
        return text
    if INTEGER.fullmatch(text):
        leading_zero = len(text.lstrip("+-")) > 1 and text.lstrip("+-").startswith("0")
        return text if leading_zero else int(text)
    return float(text) if DECIMAL.fullmatch(text) else text
