"""Texts in expectations that look like what they are not. For lint: all of them are legal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nodecheck.patterns import compile_regular_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 200  # characters; what is longer is no slip of a finger, and would take long to look at
GLOB = re.compile(r"[*?]|\[[^\]]+\]")
# What no literal has, and most regular expressions do.
LIKE_PATTERN = re.compile(r"^\^|\$$|\.[*+?]|\\[.dwsbDWSB]|\w\|\w|^\(.*\)$|\[[^\]]+\][*+]|\[(?:\^.*|\w-\w.*)\]")
# A star behind a letter, and nothing that only regular expressions have.
LIKE_GLOB = re.compile(r"\^?(?:[\w@:./ -]*[A-Za-z_-]\*)+[\w@:./ -]*\$?")
# A path ends with no slash, or it is read as a regular expression.
LIKE_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+")
WORDS_BETWEEN = re.compile(r"\w (?:or|and) \w|\w, ?\w", re.IGNORECASE)


def of_text(text: str) -> Iterator[str]:
    """Yield what is suspicious about a literal, and what to write instead."""
    if len(text) > LONGEST:
        return
    if LIKE_PATTERN.search(text) and _is_pattern(text):
        yield f"{text} is compared letter by letter; as a regular expression it is /{text}/"
    elif GLOB.search(text):
        yield f"{text} is compared letter by letter, and * stands for nothing else; write {_as_pattern(text)}"
    if text.startswith(("!", "not ")):
        rest = text.removeprefix("!").removeprefix("not ").strip()
        yield f'{text} is compared letter by letter; for anything else than it write "!= {rest}"'
    if text.startswith("="):
        yield f"{text} is compared letter by letter, its = too; write the text alone, or /a regular expression/"
    if WORDS_BETWEEN.search(text):
        yield f"{text} is one text; several are written as a list: [one, other]"


def of_pattern(pattern: str) -> Iterator[str]:
    """Yield what is suspicious about a regular expression, and what to write instead."""
    if len(pattern) > LONGEST:
        return
    if LIKE_PATH.fullmatch(pattern):
        yield f"/{pattern}/ is the regular expression {pattern}; if it is a path, write /{pattern}"
    elif LIKE_GLOB.fullmatch(pattern) and ".*" not in pattern:
        meant = _as_pattern(pattern.removeprefix("^").removesuffix("$"))
        yield f"* repeats the letter before it in {pattern}; any text is .*: write {meant}"


def _is_pattern(text: str) -> bool:
    try:
        compile_regular_expression(text)
    except ValueError:
        return False
    return True


def _as_pattern(glob: str) -> str:
    """Write a glob as a regular expression."""
    start = "" if glob.startswith("*") else "^"
    end = "" if glob.endswith("*") else "$"
    inner = re.escape(glob.strip("*")).replace(r"\*", ".*").replace(r"\?", ".").replace(r"\-", "-")
    inner = re.sub(r"\\\[(.*?)\\\]", r"[\1]", inner)
    return f"/{start}{inner}{end}/"
