"""One property of one or of many files as one finding: which of them are not as wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.definitions.expectation import Text
from nodecheck.node.unobserved import MASK
from nodecheck.node.windows.file import NOWHERE, OWNERS, PATTERN, SHA256, TEXT
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodecheck.definitions.expectation import Expectation
    from nodecheck.node.node import Node

EVERYBODY_READS = 0o004
MOST_CHARACTERS = 60  # of a content that is shown
MOST_SHOWN = 5


class Row(NamedTuple):
    """What was seen of one file: whether it is as wanted (None: it could not be seen), and how that is shown."""

    path: str
    fits: bool | None
    shown: Any
    why: str = ""  # why it does not fit, or could not be seen, where that is more than what is shown


def one_finding(name: str, word: str, expected: str, rows: list[Row], pattern: str) -> Finding:
    """Return the finding; `word` is what people call the property. `pattern` is "" where one path is meant."""
    bad = [row for row in rows if row.fits is False] or [row for row in rows if row.fits is None]
    status = (Status.CRITICAL if bad[0].fits is False else Status.UNKNOWN) if bad else Status.OK
    if not pattern:
        (row,) = rows
        return Finding(name, status, expected, row.shown, _told_of_one(word, expected, row))
    if not bad:
        return Finding(name, status, expected, len(rows), f"{word} of all {len(rows)} of {pattern} as expected")
    which, names = f"{word} of {len(bad)} of {len(rows)} of {pattern}", _listed(bad, pattern)
    verb = "could not be seen" if status is Status.UNKNOWN else f"not as expected, {expected}"
    observed = f"{len(bad)} of {len(rows)}: {names}"
    return Finding(name, status, expected, observed, f"{which} {verb}: {names}")


def _told_of_one(word: str, expected: str, row: Row) -> str:
    if row.fits is None:
        return f"{word} of {row.path} could not be seen: {row.why}"
    if row.why:
        return f"{row.path} {row.why}, expected {word} {expected}"
    return f"{word} of {row.path} is {row.shown}" + ("" if row.fits else f", expected {expected}")


def _listed(rows: list[Row], pattern: str) -> str:
    """Name files by what is not the same for all that fit the pattern, and what was seen of each."""
    folder = len(PATTERN.split(pattern)[0].rpartition("/")[0]) + 1
    names = ((row.path[folder:], row.why or row.shown) for row in rows)
    return listed(name if name == shown else f"{name} ({shown})" for name, shown in names)


def listed(names: Iterable[str]) -> str:
    """Name the first few of many."""
    every = list(names)
    shown = ", ".join(every[:MOST_SHOWN])
    return shown if len(every) <= MOST_SHOWN else f"{shown} and {len(every) - MOST_SHOWN} more"


def name(file: dict[str, Any]) -> str:
    """Return the name of a file without its folder."""
    return str(file["path"].rpartition("/")[2])


def kinds(file: dict[str, Any]) -> tuple[str, ...]:
    """Return the words for its kind; a link is of two kinds."""
    return (file["kind"],) if file["link"] is None else (file["kind"], "link")


def modes(file: dict[str, Any]) -> tuple[str, ...]:
    """Return its permissions as they are written."""
    return (f"{file['mode']:04o}", f"{file['mode']:o}")


def age(file: dict[str, Any], node: Node) -> float | None:
    """Return the seconds since it was changed."""
    return node.seconds_since_realtime(max(1, file["modified"]))


# ---- rows: one property of one file


def of_link(file: dict[str, Any], name: str) -> Row | None:
    """A link that leads nowhere has a name, a kind and a target, and nothing else."""
    if file["kind"] != NOWHERE or name in ("names", "kind", "target"):
        return None
    return Row(file["path"], fits=False, shown=None, why=f"is a link to {file['link']}, which does not exist")


def of_text(file: dict[str, Any], wanted: Text, words: tuple[str, ...]) -> Row:
    """Something that a few words tell."""
    return Row(file["path"], wanted.matches(words), words[0])


def of_target(file: dict[str, Any], wanted: Text) -> Row:
    """Where a link leads: as it stands there, and as an absolute path."""
    if file["link"] is None:
        return Row(file["path"], fits=False, shown=None, why=f"is no link, but a {file['kind']}")
    folder = file["path"].rpartition("/")[0]
    absolute = file["link"] if file["link"].startswith("/") else _normal(f"{folder}/{file['link']}")
    return Row(file["path"], wanted.matches((file["link"], absolute)), file["link"])


def _normal(path: str) -> str:
    """Return a path without . and .. in it."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def of_owner(file: dict[str, Any], wanted: Text, name: str, number: str) -> Row:
    """The name of a user or group, or its number, which is known also where the name service fails."""
    words = tuple(word for word in (file.get(name), str(file[number])) if word is not None)
    unnamed = None if str(wanted.source).isdecimal() else without(file, OWNERS, name, file["kind"])
    return unnamed or of_text(file, wanted, words)


def of_quantity(file: dict[str, Any], wanted: Expectation, observed: Any) -> Row:
    """A number with its unit."""
    return Row(file["path"], wanted.matches(observed), wanted.show(observed))


def of_checksum(file: dict[str, Any], wanted: Text) -> Row:
    """The checksum of a file."""
    return without(file, SHA256, SHA256, "file") or of_text(file, wanted, (f"sha256:{file[SHA256]}",))


def of_content(file: dict[str, Any], wanted: Text) -> Row:
    """The content of a file as a whole."""
    return _without_text(file) or Row(file["path"], wanted.matches((file[TEXT].rstrip(),)), _excerpt(file))


def of_lines(file: dict[str, Any], wanted: Text) -> Row:
    """The lines of a file, without the blanks at their ends."""
    row = _without_text(file)
    if row:
        return row
    text = file[TEXT].removesuffix("\n")
    lines = tuple(line.rstrip() for line in text.split("\n")) if file[TEXT] else ()
    fits = wanted.matches(lines)
    return Row(file["path"], fits, _excerpt(file), "" if fits else _what_is_wrong(lines, wanted))


def _what_is_wrong(lines: tuple[str, ...], wanted: Text) -> str:
    """Say which lines are not wanted, or what of several is missing; never what stands there."""
    if wanted.matches(()):
        numbers = [str(number) for number, line in enumerate(lines, 1) if not wanted.matches((line,))]
        return f"has lines that are not wanted: {listed(numbers)}"
    several = wanted.source.get("all", ()) if isinstance(wanted.source, dict) else ()
    missing = [str(Text(item)) for item in several if not Text(item).matches(lines)]
    told = f"{len(lines)} {'line' if len(lines) == 1 else 'lines'}"
    return f"has {told}, and not {' and not '.join(missing)}" if missing else f"has {told}, and not those wanted"


def _without_text(file: dict[str, Any]) -> Row | None:
    """Where there is no text to judge, the row that says so."""
    row = without(file, TEXT, TEXT, "file")
    if row is None and MASK in file[TEXT]:
        return Row(file["path"], None, None, "the record does not tell its secrets")
    return row


def without(file: dict[str, Any], detail: str, key: str, kind: str) -> Row | None:
    """Where a detail is not there, the row that says so: it could not be seen, or only files of this kind have it."""
    if key in file:
        return None
    if file["kind"] != kind:
        return Row(file["path"], fits=False, shown=None, why=f"is no {kind}, but a {file['kind']}")
    return Row(file["path"], None, None, file["unseen"].get(detail, "nobody looked at it"))


def _excerpt(file: dict[str, Any]) -> str:
    """Show a short text that everybody on the host may read; of all others, how long they are."""
    text = file[TEXT].rstrip()
    if len(text) <= MOST_CHARACTERS and "\n" not in text and file["mode"] & EVERYBODY_READS:
        from nodecheck.node.secrets import mask

        return f'"{mask(text)}"'
    count = len(text.split("\n")) if text else 0
    return f"{count} {'line' if count == 1 else 'lines'}"
