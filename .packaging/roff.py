"""Pages of `nodecheck explain`, which are Markdown, as what man(7) reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nodecheck.cli.markdown import CELLS, CODE, outside_code, sort_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# groff shows these as typographic signs, which nobody can copy into a shell; - is one that breaks lines, too.
SIGNS = str.maketrans({"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"})
LONGEST = 78  # mandoc wants no longer lines
INLINE = re.compile(r"`([^`]*)`")
LINK = re.compile(r"<(https?:[^>]*)>")


def text(plain: str) -> Iterator[str]:
    """Yield lines to be filled, for a text with `code` in it."""
    line = ""
    for word in _marked(LINK.sub(r"\1", plain)).split():
        if line and len(line) + 1 + len(word) > LONGEST:
            yield _guarded(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    if line:
        yield _guarded(line)


def section(title: str) -> str:
    """Return the heading of a section, which stands in capitals."""
    return f".SH {escaped(title.upper())}"


def subsection(title: str) -> str:
    """Return the heading of a part of a section."""
    return f".SS {escaped(title)}"


def paragraph(plain: str) -> Iterator[str]:
    """Yield a paragraph."""
    yield ".PP"
    yield from text(plain)


def item(name: str, *lines: str) -> Iterator[str]:
    """Yield something with a name, and what is told of it: indented, each line begun anew."""
    yield ".TP"
    yield from text(f"`{name}`" if name and "`" not in name else name or "\\&")
    for number, line in enumerate(filter(None, lines)):
        if number:
            yield ".br"
        yield from text(line)


def code(lines: Iterable[str]) -> Iterator[str]:
    """Yield an example, as it is."""
    yield ".PP"
    yield ".RS 4"
    yield ".EX"
    yield from (_guarded(escaped(line.rstrip())) for line in lines)
    yield ".EE"
    yield ".RE"


def page(lines: Iterable[str], *, within: bool = False) -> Iterator[str]:
    """Yield a page of Markdown without its title; its sections are parts of the section it stands in, or of a part."""
    waiting: list[str] = []
    for line in [*outside_code("\n".join(lines).splitlines()), ""]:  # an example may be a line of several
        if waiting and sort_of(line) != sort_of(waiting[0]):
            yield from _block(waiting, within=within)
            waiting = []
        waiting.append(line)


def without_idle_requests(lines: Iterable[str]) -> Iterator[str]:
    """Yield all lines but for a .PP behind a heading: it begins a paragraph anyway."""
    before = ""
    for line in lines:
        if line != ".PP" or not before.startswith((".SH ", ".SS ")):
            yield line
        before = line


def escaped(plain: str) -> str:
    """Return a text that shows as it is."""
    return plain.translate(SIGNS)


def _block(lines: list[str], *, within: bool) -> Iterator[str]:
    sort = sort_of(lines[0])
    if sort == "|":
        yield from _table([_cells(line) for line in lines if not line.startswith("| ---")])
    elif sort == "*":
        for line in lines:
            yield ".IP \\(bu 3"
            yield from text(line.removeprefix("* "))
    elif sort == "#":
        for line in lines:
            yield from _heading(line, within=within)
    elif sort == CODE:
        yield from code(line.removeprefix(CODE) for line in lines)
    elif sort == "text":
        yield from paragraph(" ".join(lines))


def _heading(line: str, *, within: bool) -> Iterator[str]:
    title = line.lstrip("# ")
    if line.startswith("## ") and not within:
        yield subsection(title.replace("`", ""))
    elif line.startswith("##"):
        yield from paragraph(f"{title}:")


def _table(rows: list[list[str]]) -> Iterator[str]:
    """Tell each row by its first cell: what stands in a column without a name, then what has one."""
    names, *others = rows
    for first, *cells in others:
        told = [cell for name, cell in zip(names[1:], cells, strict=True) if not name]
        named = [f"{name}: {cell}" for name, cell in zip(names[1:], cells, strict=True) if name and cell]
        lines = [*told, "; ".join(named)] if told else named
        yield from item(first, *([cells[0]] if len(cells) == 1 else lines))


def _cells(row: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in CELLS.split(row)[1:-1]]


def _marked(plain: str) -> str:
    """Escape a text, and set its code in bold, without a break in it that could be taken for one of the code."""
    parts = INLINE.split(plain)
    for number, part in enumerate(parts):
        parts[number] = f"\\fB{escaped(part)}\\fP" if number % 2 else part if part == "\\&" else escaped(part)
    return "".join(parts)


def _guarded(line: str) -> str:
    """A point at the beginning would be a request."""
    return f"\\&{line}" if line.startswith((".", "\\(aq")) else line
