"""Writes a definition file, as a person would have written it: the small part of YAML that plays need."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What needs no quotes, within { } and outside; the reader of numbers and booleans decides on the rest.
PLAIN = re.compile(
    r"[A-Za-z0-9_./][A-Za-z0-9_./@\\+=-]*(?:(?: |:(?! |$))[A-Za-z0-9_./@\\+=(-][A-Za-z0-9_./@\\+=()-]*)*"
)
ESCAPES = {"\n": "\\n", "\t": "\\t"}


class Draft(NamedTuple):
    """A check to be written: its name is a sentence, `needs` are names of others."""

    name: str
    type: str
    arguments: dict[str, Any]
    needs: tuple[str, ...] = ()
    remedy: str = ""


class DraftPlay(NamedTuple):
    """A play to be written."""

    name: str
    hosts: str
    tags: tuple[str, ...]
    checks: tuple[Draft, ...]


def write(plays: Iterable[DraftPlay], header: Iterable[str]) -> str:
    """Return the text of a definition file; the lines of `header` become its first comment."""
    lines = [f"# {line}".rstrip() for line in header]
    for number, play in enumerate(plays):
        lines += ([""] if number or lines else []) + list(_play(play))
    return "\n".join(lines) + "\n"


def _play(play: DraftPlay) -> Iterator[str]:
    yield f"- name: {scalar(play.name)}"
    yield f"  hosts: {scalar(play.hosts)}"
    if play.tags:
        yield f"  tags: {flow(list(play.tags))}"
    yield "  checks:"
    for number, check in enumerate(play.checks):
        if number:
            yield ""
        yield from _check(check)


def _check(check: Draft) -> Iterator[str]:
    yield f"    - name: {scalar(check.name)}"
    if check.needs:
        needs = scalar(check.needs[0]) if len(check.needs) == 1 else flow(list(check.needs))
        yield f"      needs: {needs}"
    yield f"      {check.type}: {flow(check.arguments)}"
    if check.remedy:
        yield f"      remedy: {scalar(check.remedy)}"


def flow(value: Any) -> str:
    """Return plain data as YAML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return scalar(value) if isinstance(value, str) else str(value)


def scalar(text: str) -> str:
    """Return a text as YAML, quoted only where it has to be."""
    from nodecheck.definitions import yamlfile

    if PLAIN.fullmatch(text) and yamlfile.scalar(text) == text:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    if letter.isprintable():
        return letter
    return ESCAPES.get(letter) or (f"\\u{ord(letter):04x}" if ord(letter) < 1 << 16 else f"\\U{ord(letter):08x}")
