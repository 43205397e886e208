"""Mistakes in definitions: all of them at once, each with its place, the line, a caret and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_WIDTH = 120
SHOWN_NAMES = 20
LONGEST_WORD = 100  # what is longer is no slip of a finger, and comparing it takes long
MAXIMUM_MISTAKES = 200  # whoever has more wants to mend these first


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
        self.mistakes = sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.mark or Mark("", 0, 0))
        super().__init__("\n\n".join(map(str, self.mistakes)))


class Mistakes:
    """Collects mistakes while reading goes on, with the text of each file for the excerpts."""

    def __init__(self, limit: int = MAXIMUM_MISTAKES) -> None:
        self._limit = limit
        self._found: dict[Mistake, None] = {}  # a loop finds the same mistake again and again
        self._lines: dict[str, list[str]] = {}
        self._spoiled: set[Mark] = set()
        self._noted = 0
        self._is_apart = False
        self.unseen: list[str] = []  # why a value is not known: a fact about this node could not be found out

    def add(self, mark: Mark | None, message: str, hint: str = "") -> None:
        """Note a mistake. Raises DefinitionError when there are too many to go on."""
        self._noted += 1
        if mark in self._spoiled:
            return
        self._keep(self.mistake(mark, message, hint))

    def _keep(self, mistake: Mistake) -> None:
        self._found[mistake] = None
        if len(self._found) == self._limit:
            stopped = f"reading stopped here, after {self._limit} mistakes: there may be more"
            self._found[Mistake(mistake.mark, stopped)] = None
            self.raise_if_any()

    def add_and_spoil(self, mark: Mark, message: str, hint: str = "") -> None:
        """Note a mistake that leaves no value at this place: whatever comes after says nothing of it."""
        self.add(mark, message, hint)
        self.spoil(mark)

    def spoil(self, mark: Mark) -> None:
        """Leave out all that is said about the value at this place from now on."""
        self._spoiled.add(mark)

    def leave_open(self, mark: Mark) -> None:
        """Say nothing more about the value at this place: it is not known yet. Only in a part that is read apart."""
        if self._is_apart:
            self.spoil(mark)

    def leave_unseen(self, mark: Mark, why: str) -> None:
        """Do so for a value that is written with a fact that could not be found out."""
        self.unseen.append(why)
        self.leave_open(mark)

    def is_open(self, mark: Mark) -> bool:
        """Tell whether nothing more is said about the value at this place."""
        return mark in self._spoiled

    def has_open_ends(self) -> bool:
        """Tell whether anything was left out here: a value that nobody can say something about."""
        return bool(self._spoiled)

    def apart(self) -> Mistakes:
        """Return a collection for a part that may be left out: `take` takes over what was noted there."""
        other = Mistakes(limit=0)
        other._is_apart = True  # another of our own kind
        other._lines = self._lines  # another of our own kind
        return other

    def take(self, other: Mistakes) -> None:
        """Note what another collection has noted, but for what is spoiled here. Raises as `add` does."""
        self.unseen += other.unseen
        for found in other._found:  # another of our own kind
            self._noted += 1
            if found.mark not in self._spoiled:
                self._keep(found)

    def mistake(self, mark: Mark | None, message: str, hint: str = "") -> Mistake:
        """Return a mistake with the line that it stands in, without noting it."""
        lines = self._lines.get(mark.file, []) if mark else []
        line = lines[mark.line - 1] if mark and 0 < mark.line <= len(lines) else ""
        return Mistake(mark, message, hint, line)

    def know_text(self, file: str, text: str) -> None:
        """Keep the text of a file, for excerpts."""
        self._lines[file] = text.splitlines()

    def raise_if_any(self) -> None:
        """Raise DefinitionError with all that was noted."""
        if self._found:
            raise DefinitionError(self._found)

    def first(self) -> Mistake | None:
        """Return the first that was noted and counts."""
        return next(iter(self._found), None)

    def __len__(self) -> int:
        """How many were noted, those at spoiled places too."""
        return self._noted


def _excerpt(mark: Mark, line: str) -> str:
    """The line with a caret below; a very long line is shown around the caret only."""
    at = mark.column - 1
    start = max(0, at - SHOWN_WIDTH // 2) if len(line) > SHOWN_WIDTH else 0
    shown = _printable(line[start : start + SHOWN_WIDTH])
    before, after = "..." if start else "", "..." if len(line) > start + SHOWN_WIDTH else ""
    blanks = " " * (len(before) + _width(_printable(line[start:at])))
    return f"  {mark.line:>4} | {before}{shown}{after}".rstrip() + f"\n       | {blanks}^"


def _printable(text: str) -> str:
    """A tab is shown as an arrow of the same width, what would garble a terminal as a question mark."""
    return "".join("→" if letter == "\t" else letter if letter.isprintable() else "?" for letter in text)


def _width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    import unicodedata

    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text
    )


def closest(word: str, known: Iterable[str]) -> str:
    """Return the known name that was probably meant; "" when none is near."""
    if len(word) > LONGEST_WORD:
        return ""
    import difflib

    names = sorted(name for name in known if len(name) <= LONGEST_WORD)
    same = [name for name in names if name.lower() == word.lower()]
    near = same or difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return near[0] if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a suggestion, or the list of what is known when nothing is near."""
    names = sorted(known)
    near = closest(word, names)
    if near:
        return f"did you mean {near}?"
    rest = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"known here: {', '.join(names[:SHOWN_NAMES])}{rest}" if names else ""
