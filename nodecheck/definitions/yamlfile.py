"""Strict YAML: what the author wrote is what is read, and every value knows its place. The only importer of yaml.

YAML 1.2's core schema, not 1.1's: `no`, `on`, `22:22` and `0755` stay text. A duplicate key is an error, and so are
tags and files that are not files.
"""

from __future__ import annotations

import codecs
import errno
from typing import TYPE_CHECKING, Any

from nodecheck.definitions.errors import Mark
from nodecheck.definitions.yamlerrors import COMPARISON_HINT, explain
from nodecheck.files import read_regular_file
from nodecheck.patterns import all_later, later

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from nodecheck.definitions.errors import Mistakes

    Refuse = Callable[[str, os.stat_result], tuple[str, str] | None]

with all_later():  # PyYAML's patterns take longer than reading definitions, and libyaml needs none of them
    import yaml

MAXIMUM_BYTES = 1 << 20
MAXIMUM_VALUES = 50_000  # a bomb of aliases is small as text
MAXIMUM_DEPTH = 40
TOO_MANY = (
    f"more than {MAXIMUM_VALUES} values in one file",
    "write several files; an alias counts as often as it is used",
)
TOO_DEEP = (f"nested deeper than {MAXIMUM_DEPTH} levels", "an alias within what it stands for has no end; nest less")
DEPTH_OF_LIBYAML = "maximum nesting depth"  # since libyaml 0.2.6
LONGEST_NUMBER = 300  # digits; Python refuses to read more than 4300

# What YAML 1.2 does not call printable, 5.1; the parser says no more than that it stumbled.
NOT_YAML_IN_ASCII = later("[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
NOT_YAML = later("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

INTEGER = later(r"[-+]?[0-9]+")
DECIMAL = later(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
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

    _depth = 0
    _nodes = 0

    def resolve(self, _kind: Any, _value: Any, implicit: Any) -> str:
        return "plain" if implicit is True or (implicit and implicit[0]) else "quoted"

    def descend_resolver(self, node: Any, _index: Any) -> None:
        """No path resolvers; but it is called for each node, and the parser's own stack has no other guard."""
        self._depth += 1
        self._nodes += 1
        if self._depth > MAXIMUM_DEPTH:
            raise _TooMuch(node.start_mark, *TOO_DEEP)
        if self._nodes > MAXIMUM_VALUES:
            raise _TooMuch(node.start_mark, *TOO_MANY)

    def ascend_resolver(self) -> None:
        """As above."""
        self._depth -= 1


def read_text(path: str, mistakes: Mistakes, refuse: Refuse) -> str | None:
    """Return the text of a file, or note why it cannot be read and return None.

    `refuse` says of an opened file why it is not trusted: (message, hint), or None.
    """
    try:
        raw = read_regular_file(path, MAXIMUM_BYTES, _refuse_by(path, refuse)).removeprefix(codecs.BOM_UTF8)
    except _Refused as error:
        mistakes.add(None, *error.args)
        return None
    except OSError as error:
        why = "it is not a regular file" if error.errno == errno.ENXIO else error.strerror or error  # a socket
        mistakes.add(None, f"{path} cannot be read: {why}", _reading_hint(error))
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        _note_encoding(path, raw, error, mistakes)
        return None
    mistakes.know_text(path, text)
    return text


def _note_encoding(path: str, raw: bytes, error: UnicodeDecodeError, mistakes: Mistakes) -> None:
    mistakes.know_text(path, raw.decode("utf-8", errors="replace"))
    before = raw[: error.start].decode("utf-8", errors="replace")
    place = Mark(path, before.count("\n") + 1, len(before) - before.rfind("\n"))
    mistakes.add(place, f"the byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8")


def _reading_hint(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "run nodecheck as a user who may read it"
    return "write several smaller files" if error.errno == errno.EFBIG else ""


def _refuse_by(path: str, refuse: Refuse) -> Callable[[os.stat_result], None]:
    def examine(found: os.stat_result) -> None:
        refusal = refuse(path, found)
        if refusal:
            raise _Refused(*refusal)

    return examine


def load(path: str, text: str, mistakes: Mistakes) -> Value | None:
    """Parse YAML; note what is wrong and return None when nothing could be read."""
    strange = (NOT_YAML_IN_ASCII if text.isascii() else NOT_YAML).search(text)  # the other takes 4 ms to compile
    if strange:
        before = f"{text[: strange.start()]}?".splitlines()
        place = Mark(path, len(before), len(before[-1]))
        mistakes.add(place, f"the character U+{ord(strange[0]):04X} cannot stand in a text file", "take it out")
        return None
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Value(None, Mark(path, 1, 1))
        return _Builder(path, mistakes).value(node, 0)
    except yaml.MarkedYAMLError as error:
        line, column, message, hint = explain(error, text)
        is_too_deep = DEPTH_OF_LIBYAML in str(error.problem)  # it looks ahead, so that it may be the first to see that
        said = TOO_DEEP if is_too_deep else (f"not YAML: {message}", hint)
        mistakes.add(Mark(path, line, column), *said)
    except _TooMuch as error:
        mistakes.add(Mark(path, error.mark.line + 1, error.mark.column + 1), *error.args)
    finally:
        loader.dispose()
    return None


class _Builder:
    """Turns yaml nodes into Values, noting duplicate keys, tags and bombs."""

    def __init__(self, path: str, mistakes: Mistakes) -> None:
        self._path = path
        self._mistakes = mistakes
        self._values = 0

    def value(self, node: Any, depth: int) -> Value:
        self._values += 1
        if self._values > MAXIMUM_VALUES:
            raise _TooMuch(node.start_mark, *TOO_MANY)
        if depth > MAXIMUM_DEPTH:
            raise _TooMuch(node.start_mark, *TOO_DEEP)
        mark = self._mark(node)
        tag = node.tag
        if tag not in ("plain", "quoted"):
            self._refuse_tag(tag, mark)
        if isinstance(node, yaml.ScalarNode):
            if node.style == ">" and not node.value:
                self._mistakes.add_and_spoil(mark, "> begins a folded text here, and it is empty", COMPARISON_HINT)
            return Value(scalar(node.value) if tag == "plain" else node.value, mark, node.value)
        if isinstance(node, yaml.SequenceNode):
            return Value([self.value(item, depth + 1) for item in node.value], mark)
        return self._mapping(node, mark, depth)

    def _mapping(self, node: Any, mark: Mark, depth: int) -> Value:
        data: dict[str, Value] = {}
        key_marks: dict[str, Mark] = {}
        for key_node, value_node in node.value:
            key_mark = self._mark(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse_key(key_node, mark, key_mark)
                continue
            key = key_node.value
            if key in data:
                first = f"it stands first at line {key_marks[key].line}"
                self._mistakes.add(key_mark, f"the key {key!r} stands here a second time", first)
                continue
            key_marks[key] = key_mark
            data[key] = self.value(value_node, depth + 1)
        return Value(data, mark, key_marks=key_marks)

    def _refuse_tag(self, tag: str, mark: Mark) -> None:
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        hint = "leave it out: definitions are plain data"
        if not shown.startswith("!!"):
            hint = f'YAML reads it as a tag; if it is text, quote it: "{shown} ..."'
        self._mistakes.add_and_spoil(mark, f"the tag {shown} is not allowed here", hint)

    def _refuse_key(self, key_node: Any, mark: Mark, key_mark: Mark) -> None:
        braces = isinstance(key_node, yaml.MappingNode)
        message = "{{ }} without quotes is a mapping to YAML" if braces else "a key is text, not a list"
        self._mistakes.add_and_spoil(
            mark if braces else key_mark, message, 'quote it: "{{ name }}"' if braces else "write one key for each"
        )
        self._mistakes.spoil(mark)

    def _mark(self, node: Any) -> Mark:
        start = node.start_mark
        return Mark(self._path, start.line + 1, start.column + 1)


class _Refused(Exception):
    """A file that is not trusted: (message, hint)."""


class _TooMuch(Exception):
    def __init__(self, mark: Any, message: str, hint: str) -> None:
        super().__init__(message, hint)
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
    if len(text) > LONGEST_NUMBER:
        return text
    if INTEGER.fullmatch(text):
        leading_zero = len(text.lstrip("+-")) > 1 and text.lstrip("+-").startswith("0")
        return text if leading_zero else int(text)
    return float(text) if DECIMAL.fullmatch(text) else text
