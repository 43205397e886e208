"""How a person is shown something: colour, width, and how much of it."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING, NamedTuple, TextIO

from nodecheck.report.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

COLOURS = {
    Status.OK: "32",
    Status.WARNING: "33",
    Status.CRITICAL: "31;1",
    Status.UNKNOWN: "35",
    Status.BLOCKED: "36",
    Status.SKIPPED: "36",
}
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
        return cls(terminal and not plain, _width() if terminal else DEFAULT_WIDTH, verbosity)

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


def _width() -> int:
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


def display_width(text: str) -> int:
    """Return how many columns a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
