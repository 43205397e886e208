"""Pages of `nodecheck explain`: lines of Markdown, for a file or, rendered, for a terminal."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from nodecheck.report.style import display_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CELLS = re.compile(r"(?<!\\)\|")
CODE = "\0"
MOST_OF_LINE = 0.5  # no column but the last takes more of it


def section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield a section of a page."""
    yield ""
    yield f"## {title}"
    yield ""
    yield from lines


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table."""
    yield "|" + "|".join(f" {name} " if name else " " for name in names) + "|"
    yield "| " + " | ".join("---" for _ in names) + " |"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def items(texts: Iterable[str]) -> Iterator[str]:
    """Yield a list."""
    return (f"* {text}" for text in texts)


def as_text(lines: Iterable[str], width: int) -> Iterator[str]:
    """Render a page for a terminal: headings in capitals, tables in columns, code as it is, the rest wrapped."""
    waiting: list[str] = []
    for line in outside_code(lines):
        if waiting and sort_of(line) != sort_of(waiting[0]):
            yield from _block(waiting, width)
            waiting = []
        waiting.append(line)
    if waiting:
        yield from _block(waiting, width)


def outside_code(lines: Iterable[str]) -> Iterator[str]:
    """Put CODE before the lines between two fences, and leave the fences out."""
    within = False
    for line in lines:
        if line.startswith("```"):
            within = not within
        else:
            yield CODE + line if within else line


def sort_of(line: str) -> str:
    """A block is made of lines of one sort."""
    return line[:1] if line[:1] in ("|", "*", "#", CODE) else "text" if line else ""


def _block(lines: list[str], width: int) -> Iterator[str]:
    sort = sort_of(lines[0])
    if sort == "|":
        yield from _columns([_cells(line) for line in lines if not line.startswith("| ---")], width)
    elif sort == "*":
        for line in lines:
            yield from _wrapped(line, width, "  * ", "    ")
    elif sort == "#":
        yield from map(_heading, lines)
    elif sort == CODE:
        yield from (f"  {line.removeprefix(CODE)}".rstrip() for line in lines)
    elif sort == "text":
        yield from _wrapped(" ".join(lines), width, "  ", "  ")
    else:
        yield ""


def _heading(line: str) -> str:
    """In capitals, but for that of a paragraph: that is a sentence."""
    text = _plain(line.lstrip("# "))
    return text if line.startswith("###") else text.upper()


def _wrapped(text: str, width: int, first: str, rest: str) -> Iterator[str]:
    plain = _plain(text).removeprefix("* ")
    yield from textwrap.wrap(
        plain, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _cells(row: str) -> list[str]:
    return [_plain(cell.strip().replace("\\|", "|")) for cell in CELLS.split(row)[1:-1]]


def _plain(text: str) -> str:
    """Without the marks that only a file needs."""
    return re.sub(r"<(https?:[^>]*)>", r"\1", text.replace("`", ""))


def _columns(rows: list[list[str]], width: int) -> Iterator[str]:
    """Show a table of two columns side by side, one of more as a paragraph for each row."""
    if len(rows[0]) != 2:
        yield from _paragraphs(rows, width)
        return
    widest = max(display_width(row[0]) for row in rows)
    left = min(widest, int(width * MOST_OF_LINE)) + 2
    for first, second in rows[1:]:
        lines = textwrap.wrap(second, width - left - 2, break_long_words=False, break_on_hyphens=False) or [""]
        if max(map(display_width, lines)) > width - left - 2:  # a path that the column has no room for
            yield f"  {first}"
            lines = []
            yield from _wrapped(second, width, "    ", "    ")
        elif display_width(first) + 2 > left:
            yield f"  {first}"
        else:
            yield f"  {first}{' ' * (left - display_width(first))}{lines.pop(0)}"
        yield from (f"  {' ' * left}{line}" for line in lines)


def _paragraphs(rows: list[list[str]], width: int) -> Iterator[str]:
    names, *others = rows
    for row in others:
        yield f"  {row[0]}"
        for name, cell in zip(names[1:], row[1:], strict=True):
            yield from _wrapped(f"{name}: {cell}" if name else cell, width, "      ", "        ")
