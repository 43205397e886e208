"""What is no YAML, in the words of whoever wrote it rather than of the parser."""

from __future__ import annotations

import re
from typing import Any

COMPARISON_HINT = 'quote a comparison: ">= 1"'
# A part of what the parser says, in either of its dialects (with libyaml and without): what it means, what to do.
PROBLEMS = (
    (
        "mapping values are not allowed",
        "a second colon in one line, or a line that is indented too far",
        'quote a text that holds ": ", and write the keys of a mapping in one column',
    ),
    ("another document", "a second document begins here", "one file is one list of plays: take the --- away"),
    ("comment or line break", "> and | begin a text on the next lines", COMPARISON_HINT),
    ("chomping or indentation", "> and | begin a text on the next lines", COMPARISON_HINT),
    (
        "expected node content",
        "a value is missing here",
        "close the brackets that are open, and quote a text that starts with , ] or }",
    ),
    (
        "expected ',' or",
        "the brackets that open {where} are not closed here",
        "close them, or quote a text that holds , [ ] { }",
    ),
    (
        "-' indicator",
        "this is neither the next item of the list that begins {where}, nor part of the last one",
        "write the dashes of a list in one column, and the keys below the first key",
    ),
    (
        "expected <block end>",
        "this belongs to nothing that began {where}",
        "write the keys of a mapping in one column; quote a text that starts with [ or {",
    ),
    (
        "expected key",
        "this is not the next key of the mapping that begins {where}",
        "write the keys of a mapping in one column; quote a text that starts with [ or {",
    ),
)


def explain(error: Any, text: str) -> tuple[int, int, str, str]:
    """Return line and column from 1, a message and a hint."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 1, 1, str(error), ""
    problem = error.problem or "this cannot be read"
    lines = text.splitlines()
    rest = lines[mark.line][mark.column :] if mark.line < len(lines) else ""
    if "end of stream" in problem and error.context_mark:
        begin = error.context_mark
        return begin.line + 1, begin.column + 1, "what begins here is never closed", "close the quote or the bracket"
    return mark.line + 1, mark.column + 1, *(_character(problem, rest) or _known(error, problem))


def _character(problem: str, rest: str) -> tuple[str, str] | None:
    """What can be said from the character alone at which the parser stopped."""
    if rest.startswith("\t"):
        return "a tab cannot indent", "indent with blanks"
    if rest[:1].isspace() and rest[0] != " ":
        return f"U+{ord(rest[0]):04X} looks like a blank and is none", "indent with ordinary blanks"
    if "cannot start any token" in problem and rest:
        text = re.match(r"[^,\]}#]*", rest)
        return f"a text cannot start with {rest[0]}", f'quote it: "{text[0].strip() if text else rest[0]}"'
    if "undefined alias" in problem:
        name = re.match(r"\*[^\s,\]}]*", rest)
        return f"the alias {name[0] if name else '*'} stands for nothing", "quote a text that starts with *"
    return None


def _known(error: Any, problem: str) -> tuple[str, str]:
    where = f"at line {error.context_mark.line + 1}" if error.context_mark else "before it"
    for part, message, hint in PROBLEMS:
        if part in problem:
            return message.replace("{where}", where), hint
    context = f" ({error.context.strip()})" if error.context else ""
    return f"{problem.strip()}{context}", ""
