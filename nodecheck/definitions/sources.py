"""All definition files, read together: the plays of a run, or every mistake in them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.definitions.block import Reading
from nodecheck.definitions.errors import Mistakes, did_you_mean
from nodecheck.definitions.needs import ANY_NAME, resolve
from nodecheck.definitions.play import Play, read_plays
from nodecheck.definitions.scope import Scope
from nodecheck.definitions.searchpath import BY_NAME, SUFFIXES, Source, find, refusal
from nodecheck.definitions.yamlfile import Value, load, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nodecheck.definitions.check import CheckDefinition

ALL = frozenset({"all"})


class Definitions(NamedTuple):
    """All plays, the texts of the files that they come from, and where those were found."""

    plays: list[Play]
    texts: dict[str, str]
    sources: list[Source]

    @property
    def files(self) -> list[str]:
        """The paths of the files, in the order in which they were read."""
        return list(self.texts)

    def digest(self) -> str:
        """Return a hash over all files: two reports with the same one were judged by the same definitions."""
        import hashlib  # 2.5 ms, and not every output tells it

        both = "".join(f"{path}\0{text}\0" for path, text in self.texts.items())
        digest = hashlib.sha256(both.encode(errors="surrogateescape")).hexdigest()
        return f"sha256:{digest}"


def read_definitions(  # noqa: PLR0913  # one each for all that a definition may name
    paths: list[str],
    variables: Mapping[str, Any],
    overrides: Mapping[str, Any],
    groups: frozenset[str] = ALL,
    announce: Callable[[str], None] | None = None,
    *,
    by_name: str = BY_NAME,
) -> Definitions:
    """Read all definition files below `paths` (default: /etc over /usr). Raises DefinitionError with all mistakes.

    `variables` are those of the settings, the facts and the groups; `overrides` (-e) win over all others; `groups` are
    the names that `hosts:` is matched with; `announce` is told the text of each file before it is understood;
    `by_name` is how the command that was called has files named.
    """
    mistakes = Mistakes()
    files = _Files(mistakes, announce)
    scope = Scope(variables, {}, {}, overrides, {})
    reading = Reading(mistakes, files.beside, groups)
    plays: list[Play] = []
    sources = find(paths, mistakes, by_name)
    for source in sources:
        value = None if source.masked else files.read(source.path)
        if value:
            plays += read_plays(value, scope, reading)
    if any(source.masked for source in sources):
        # What a file that is masked would have defined is not missed by those that need it.
        plays = [play._replace(unread=(*play.unread, ANY_NAME)) for play in plays]
    _refuse_duplicates(plays, mistakes)
    resolve(plays, mistakes)
    mistakes.raise_if_any()
    return Definitions(plays, files.texts, sources)


def read_definition_text(
    name: str, text: str, variables: Mapping[str, Any], groups: frozenset[str] = ALL
) -> Definitions:
    """Read definitions that stand in no file. Raises DefinitionError with all mistakes."""
    mistakes = Mistakes()
    mistakes.know_text(name, text)
    value = load(name, text, mistakes)
    reading = Reading(mistakes, _Files(mistakes).beside, groups)
    plays = read_plays(value, Scope(variables, {}, {}, {}, {}), reading) if value else []
    _refuse_duplicates(plays, mistakes)
    resolve(plays, mistakes)
    mistakes.raise_if_any()
    return Definitions(plays, {name: text}, [])


class _Files:
    """The files that were read, each once: {path: text}."""

    def __init__(self, mistakes: Mistakes, announce: Callable[[str], None] | None = None) -> None:
        self.texts: dict[str, str] = {}
        self._announce = announce
        self._mistakes = mistakes
        self._values: dict[str, Value | None] = {}

    def read(self, path: str) -> Value | None:
        """Return what a file holds; None, and a mistake, when it cannot be read."""
        if path not in self._values:
            text = read_text(path, self._mistakes, refusal)
            if text is not None and self._announce:
                self._announce(text)
            self._values[path] = None if text is None else load(path, text, self._mistakes)
            self.texts[path] = text or ""
        return self._values[path]

    def beside(self, name: Value) -> Value | None:
        """Return what a file holds that another one names; its path begins where that one lies."""
        if not isinstance(name.data, str) or not name.data.strip():
            self._mistakes.add(name.mark, f"this is the path of a file, not {name.kind()}", "a path beside this file")
            return None
        folder = os.path.dirname(name.mark.file)
        path = os.path.normpath(os.path.join(folder, name.data))
        if "\0" in path or not os.path.lexists(path):
            near = did_you_mean(os.path.basename(path), _names_in(os.path.dirname(path)))
            self._mistakes.add(name.mark, f"{path} does not exist", near)
            return None
        return self.read(path)


def _names_in(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder or ".") if name.endswith(SUFFIXES)]
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return []


def _refuse_duplicates(plays: Iterable[Play], mistakes: Mistakes) -> None:
    """A check's id is what others need it by, and what a history knows it by."""
    places: dict[str, CheckDefinition] = {}
    for play in plays:
        for check in play.checks:
            if check.id in places:
                mistakes.add(check.mark, *_duplicate(check, places[check.id]))
            places.setdefault(check.id, check)


def _duplicate(check: CheckDefinition, first: CheckDefinition) -> tuple[str, str]:
    same = check.name == first.name
    message = f"a second check is named {check.name!r}"
    message += "" if same else f", nearly as {first.name!r} is: both have the id {check.id!r}"
    hint = f"the first is at {first.mark}; give one another name"
    if check.mark == first.mark:
        hint = "it is read twice: by a loop over equal items, or since its file lies here and is included too"
    if os.path.basename(check.mark.file) != os.path.basename(first.mark.file):
        hint += ", or its file the name of the other, which it then replaces"
    return message, hint
