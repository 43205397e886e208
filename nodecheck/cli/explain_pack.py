"""nodecheck explain --pack: what a definition file looks at and why, made from the file itself.

Nothing is asked of this node: what is written with facts stands there as it was written.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck import checks
from nodecheck.cli.markdown import table
from nodecheck.definitions.errors import DefinitionError, Mistake, Mistakes, did_you_mean
from nodecheck.definitions.searchpath import find, refusal
from nodecheck.definitions.variables import plain
from nodecheck.definitions.writer import flow
from nodecheck.definitions.yamlfile import Value, load, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a check has of the play and the blocks around it; the innermost counts, but these two add up.
INHERITED = ("hosts", "tags", "when", "needs", "severity", "loop", "for", "docs", "remedy")
ADDED_UP = ("when", "needs")
WORDS = {
    "loop": "for each of", "when": "only when", "needs": "needs", "severity": "severity", "warn": "a warning unless",
    "for": "confirmed after",
}  # fmt: skip


class Pack(NamedTuple):
    """A definition file, as a text and as the plays in it; 20-kubelet.yaml is called kubelet."""

    name: str
    path: str
    lines: list[str]
    plays: list[Value]


def pages(name: str, folders: list[str]) -> Iterator[str]:
    """Yield the page about a pack as Markdown; for "" a table of all. Raises DefinitionError."""
    packs = _read(folders)
    if not name:
        return _overview(packs)
    for pack in packs:
        if name in (pack.name, os.path.basename(pack.path)):
            return _page(pack)
    names = [pack.name for pack in packs]
    raise DefinitionError([Mistake(None, f"there is no pack {name!r}", did_you_mean(name, names))])


def _read(folders: list[str]) -> list[Pack]:
    mistakes = Mistakes()
    sources = find(folders, mistakes, "nodecheck explain --pack --checks DIR")
    packs = [_read_pack(source.path, mistakes) for source in sources if not source.masked]
    mistakes.raise_if_any()
    return packs


def _read_pack(path: str, mistakes: Mistakes) -> Pack:
    text = read_text(path, mistakes, refusal) or ""
    value = load(path, text, mistakes) if text else None
    plays = value.data if value and isinstance(value.data, list) else []
    name = re.sub(r"^\d+-", "", os.path.splitext(os.path.basename(path))[0])
    return Pack(name, path, text.splitlines(), [play for play in plays if isinstance(play.data, dict)])


# ---- pages


def _overview(packs: list[Pack]) -> Iterator[str]:
    yield "# Packs"
    yield ""
    yield from table(("pack", ""), ((pack.name, _first_sentence(_header(pack))) for pack in packs))
    yield ""
    yield "`nodecheck explain --pack NAME` tells more."


def _page(pack: Pack) -> Iterator[str]:
    yield f"# {pack.name}"
    yield ""
    yield f"This is what `{pack.path}` looks at."
    yield from _paragraph(_header(pack))
    for play in pack.plays:
        yield from _play(play, pack)


def _play(play: Value, pack: Pack) -> Iterator[str]:
    yield ""
    yield f"## {_text(play, 'name') or _text(play, 'import')}"
    comment = _comment_above(play.mark.line, pack)
    yield from _paragraph("" if comment == _header(pack) else comment)
    hosts, tags = _text(play, "hosts"), _text(play, "tags")
    yield ""
    yield from (f"* {words}: {told}" for words, told in (("for hosts", hosts), ("tags", tags)) if told)
    around = _keywords(play, {}) | {"hosts": "", "tags": ""}
    yield from _checks(play.data.get("checks"), around, pack)


def _checks(found: Value | None, around: dict[str, str], pack: Pack) -> Iterator[str]:
    for value in found.data if found and isinstance(found.data, list) else ():
        if not isinstance(value.data, dict):
            continue
        keywords = _keywords(value, around)
        if "block" in value.data:
            yield from _paragraph(_comment_above(value.mark.line, pack))
            yield from _checks(value.data["block"], keywords, pack)
        else:
            yield from _check(value, keywords, pack)


def _check(value: Value, keywords: dict[str, str], pack: Pack) -> Iterator[str]:
    yield ""
    yield f"### {_text(value, 'name')}"
    yield from _paragraph(_comment_above(value.mark.line, pack))
    yield ""
    for key in value.data:
        if checks.type_named(key):
            yield f"* {key}: {_text(value, key)}"
    for key, words in WORDS.items():
        if told := keywords.get(key) or _text(value, key):
            yield f"* {words}: {told}"
    if tags := _text(value, "tags"):
        yield f"* tags: {tags}"
    if docs := keywords.get("docs"):
        yield f"* docs: {f'<{docs}>' if docs.startswith('http') else docs}"
    if remedy := keywords.get("remedy"):
        yield "* remedy:"
        yield ""
        yield from ("```sh", *remedy.rstrip().splitlines(), "```")


def _keywords(value: Value, around: dict[str, str]) -> dict[str, str]:
    """Return the keywords that hold at a play, a block or a check, within those around it."""
    own = {key: _text(value, key) for key in INHERITED if key in value.data}
    added = {key: f"{around[key]}, {own[key]}" for key in ADDED_UP if around.get(key) and key in own}
    return around | own | added


def _text(value: Value, key: str) -> str:
    """Return what a key holds as one would write it in a line."""
    found: Any = plain(value.data[key]) if key in value.data else ""
    if isinstance(found, list) and all(isinstance(item, str) for item in found):
        return ", ".join(found)
    return found if isinstance(found, str) else flow(found)


# ---- comments


def _header(pack: Pack) -> str:
    """Return the comment that a file begins with."""
    lines = [line for line in pack.lines if not line.startswith("# yaml-language-server:")]
    end = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return _without_marks(lines[:end])


def _comment_above(line: int, pack: Pack) -> str:
    """Return the comment directly above a line; lines count from 1."""
    start = line - 1
    while start > 0 and pack.lines[start - 1].lstrip().startswith("#"):
        start -= 1
    found = [text for text in pack.lines[start : line - 1] if "yaml-language-server:" not in text]
    return _without_marks(found)


def _without_marks(lines: list[str]) -> str:
    return " ".join(line.strip().lstrip("#").strip() for line in lines)


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.) ", text)[0].rstrip(".")


def _paragraph(text: str) -> Iterator[str]:
    if text:
        yield ""
        yield text
