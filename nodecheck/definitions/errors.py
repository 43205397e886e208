"""Mistakes in definitions: all of them at once, each with its place, the line, a caret and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_WIDTH = 120


class Mark(NamedTuple):
    """A place in a definition file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Mistake(NamedTuple):
    """One thing wrong in a definition; `mark` is None where it is about no place in a file."""

    mark: Mark | None
    message: str
    hint: str = ""
    line: str = ""

    def __str__(self) -> str:
        text = f"{self.mark}: {self.message}" if self.mark else self.message
        if self.mark and self.line:
            text += "\n" + _excerpt(self.mark, self.line)
        return f"{text}\n  {self.hint}" if self.hint else text


class DefinitionError(Exception):
    """The definitions cannot be used; holds every mistake that was found."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(set(mistakes), key=lambda mistake: mistake.mark or Mark("", 0, 0))
        super().__init__("\n\n".join(map(str, self.mistakes)))


class Mistakes:
    """Collects mistakes while reading goes on, with the text of each file for the excerpts."""

    def __init__(self) -> None:
        self._found: list[Mistake] = []
        self._lines: dict[str, list[str]] = {}

    def add(self, mark: Mark | None, message: str, hint: str = "") -> None:
        """Note a mistake."""
        lines = self._lines.get(mark.file, []) if mark else []
        line = lines[mark.line - 1] if mark and 0 < mark.line <= len(lines) else ""
        self._found.append(Mistake(mark, message, hint, line))

    def know_text(self, file: str, text: str) -> None:
        """Keep the text of a file, for excerpts."""
        self._lines[file] = text.splitlines()

    def raise_if_any(self) -> None:
        """Raise DefinitionError with all that was noted."""
        if self._found:
            raise DefinitionError(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _excerpt(mark: Mark, line: str) -> str:
    """The line with a caret below; a very long line is shown around the caret only."""
    start = max(0, mark.column - 1 - SHOWN_WIDTH // 2)
    shown = line[start : start + SHOWN_WIDTH].replace("\t", " ")
    printable = "".join(character if character.isprintable() else "?" for character in shown)
    return f"  {mark.line:>4} | {printable}\n       | {' ' * (mark.column - 1 - start)}^"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a suggestion, or the list of what is known when nothing is near."""
    import difflib

    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known here: {', '.join(names)}" if names else ""
