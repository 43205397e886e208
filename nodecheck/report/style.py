"""How a person is shown something: colour, width, and how much of it."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from nodecheck.report.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

COLOURS = {
    Status.OK: "32",
    Status.WARNING: "33",
    Status.CRITICAL: "31;1",
    Status.UNKNOWN: "35",
    Status.INFO: "34",
    Status.BLOCKED: "36",
    Status.SKIPPED: "36",
}
MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
DEFAULT_WIDTH = 80
MAXIMUM_WIDTH = 120


class Style(NamedTuple):
    """`verbosity`: -1 only problems, 0 as usual, 1 with the findings of what is ok."""

    colour: bool = False
    width: int = DEFAULT_WIDTH
    verbosity: int = 0

    @classmethod
    def of(cls, stream: TextIO, verbosity: int = 0) -> Style:
        """The style for a stream: colour only on a terminal, and not with NO_COLOR or a dumb one."""
        terminal = stream.isatty()
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        return cls(terminal and not plain, terminal_width() if terminal else DEFAULT_WIDTH, verbosity)

    def paint(self, text: str, status: Status) -> str:
        """Return the text in the colour of a status."""
        return f"\033[{COLOURS[status]}m{text}\033[0m" if self.colour else text

    def banner(self, title: str) -> str:
        """Return a heading that fills the line with stars, as Ansible's do."""
        return f"{title} ".ljust(self.width - display_width(title) + len(title), "*")

    def wrap(self, text: str, indent: str) -> Iterator[str]:
        """Break a text into lines of the width, at blanks; what has none is left whole, so that it can be copied."""
        line = ""
        for word in printable(text).split(" "):
            if line and display_width(indent) + display_width(line) + 1 + display_width(word) > self.width:
                yield indent + line
                line = word
            else:
                line = f"{line} {word}" if line else word
        yield indent + line


def terminal_width() -> int:
    """Return how many columns to use of the terminal, or of what stands in its place."""
    try:
        columns = os.get_terminal_size().columns
    except OSError:
        columns = DEFAULT_WIDTH
    return max(40, min(columns or DEFAULT_WIDTH, MAXIMUM_WIDTH))


def printable(text: str) -> str:
    """Return the text without control characters: what a node says must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else " " if character in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def printable_lines(text: str) -> str:
    """Return the same with its lines as they are."""
    return "\n".join(map(printable, text.split("\n")))


def markup(text: str) -> str:
    """Return a text for XML and HTML. Neither can write control characters; what is not for the eye is replaced."""
    return printable_lines(text).translate(MARKUP)


def in_words(value: object) -> str:
    """Return what was expected or observed as a person is told it."""
    if value is None:
        return "could not be seen"
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_json(data: Any, indent: int | None = None) -> str:
    """Return data as JSON, with escapes for all that a terminal might obey: C1 controls, what turns text around, ..."""
    import json  # not for a report as text

    text = json.dumps(data, indent=indent, ensure_ascii=False, separators=None if indent else (",", ":"))
    escapes = {ord(letter): json.dumps(letter)[1:-1] for letter in set(text) if not letter.isprintable()}
    return text.translate({**escapes, ord("\n"): "\n"})  # what JSON has escaped itself is printable


def display_width(text: str) -> int:
    """Return how many columns a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
