"""nodecheck history: what was remembered of earlier runs, drawn over time."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from nodecheck.cli.strip import LEGEND, Piece, pieces_of, strip
from nodecheck.definitions.errors import DefinitionError, Mistake, did_you_mean
from nodecheck.durations import format_duration, parse_duration
from nodecheck.engine.memory import Unusable
from nodecheck.engine.state import read_histories
from nodecheck.engine.statedirectory import NONE, directory_of
from nodecheck.report.result import Status
from nodecheck.report.style import Style, display_width, printable

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from nodecheck.engine.memory import History

MOST_NAME = 40  # columns
LEAST_STRIP = 12
LEAST_SECONDS = 60.0
INDENT = "  "
HOW = "nodecheck run remembers what it sees; the timer runs it each minute"


def command(arguments: Namespace) -> int:
    """Print a strip for each check, or one check with all that changed. Raises DefinitionError."""
    seconds = _seconds(arguments.last)
    directory = directory_of(arguments.state)
    if directory is None:
        raise DefinitionError([Mistake(None, f"--state {NONE}: there is nothing to show", "name a directory")])
    try:
        histories = read_histories(directory)
    except Unusable as error:
        raise DefinitionError([Mistake(None, str(error), HOW)]) from error
    style = Style.of(sys.stdout)
    now = time.time()
    chosen = histories if arguments.check is None else _named(arguments.check, histories)
    begin = first_time(chosen, now - seconds, now)
    if arguments.check is None:
        print("\n".join(overview(histories, begin, now, style)))
    else:
        print("\n".join(line for each in chosen for line in detail(each, begin, now, style)))
    return 0


def first_time(histories: list[History], begin: float, now: float) -> float:
    """Return when the strips begin: not long before anything was remembered, or a young memory would be one column."""
    first = min((each.changes[0].at for each in histories if each.changes), default=begin)
    return min(max(begin, first), now - LEAST_SECONDS)


def _seconds(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise DefinitionError([Mistake(None, f"--last: {error}")]) from error
    if seconds < 1:
        raise DefinitionError([Mistake(None, f"--last: {text} is too short to show anything", "at least 1s")])
    return seconds


def _named(check: str, histories: list[History]) -> list[History]:
    """Raises DefinitionError for a check of which nothing is remembered."""
    found = [each for each in histories if check in (each.id, each.memory.name)]
    if not found:
        names = {each.memory.name for each in histories}
        raise DefinitionError([Mistake(None, f"nothing is remembered of {check!r}", did_you_mean(check, names))])
    return found


def overview(histories: list[History], begin: float, end: float, style: Style) -> Iterator[str]:
    """Yield the lines of all strips: those of the installed definitions, then those of others."""
    names = [printable(each.memory.name) for each in histories]
    column = min(max(map(display_width, names), default=0), MOST_NAME, style.width - LEAST_STRIP - 2)
    width = style.width - column - 2
    for scope in sorted({each.scope for each in histories}):
        yield style.banner(f"HISTORY [{printable(scope) or 'installed definitions'}]")
        yield " " * (column + 2) + _axis(begin, end, width)
        for history in histories:
            if history.scope == scope:
                yield f"{_fitted(printable(history.memory.name), column)}  {_strip(history, begin, end, width, style)}"
        yield ""
    yield from style.wrap(LEGEND, "")


def detail(history: History, begin: float, end: float, style: Style) -> Iterator[str]:
    """Yield the strip of one check, how it is, and what it was before, the latest first."""
    memory = history.memory
    yield style.banner(f"HISTORY [{printable(memory.name)}]")
    width = style.width - len(INDENT)
    yield INDENT + _axis(begin, end, width)
    yield INDENT + _strip(history, begin, end, width, style)
    yield ""
    yield from _now(history, end, style)
    yield ""
    pieces = list(zip(pieces_of(history, end), history.changes, strict=True))
    for piece, change in reversed([each for each in pieces if each[0].end >= begin]):
        yield _line(piece, style)
        if change.message and piece.status is not Status.OK:
            yield from style.wrap(change.message, " " * 21)


def _now(history: History, end: float, style: Style) -> Iterator[str]:
    memory = history.memory
    status = style.paint(memory.status, Status(memory.status))
    since = "" if memory.since is None else f" since {_local(memory.since)}"
    runs = "1 run" if memory.streak == 1 else f"{memory.streak} runs"
    flapping = ", and flapping" if memory.flapping else ""
    yield f"{INDENT}{status}{since}, in {runs}{flapping}"
    ago = format_duration(max(0.0, end - memory.at))
    confirmed = memory.confirmed_status or "nothing yet"
    yield f"{INDENT}confirmed: {confirmed}; last looked at {_local(memory.at)} ({ago} ago)"


def _line(piece: Piece, style: Style) -> str:
    what = "not looked at" if piece.status is None else str(piece.status)
    painted = what.ljust(13) if piece.status is None else style.paint(what.ljust(13), piece.status)
    lasted = format_duration(piece.end - piece.begin)
    return f"{_local(piece.begin)}  {painted} {lasted}" + ("" if piece.confirmed else ", not confirmed")


def _strip(history: History, begin: float, end: float, width: int, style: Style) -> str:
    cells = strip(history, begin, end, width)
    return "".join(style.paint(letter, status) if status else letter for letter, status in cells).rstrip()


def _axis(begin: float, end: float, width: int) -> str:
    """The times of both ends, as far as there is room."""
    long = end - begin > 86400
    first = time.strftime("%Y-%m-%d %H:%M" if long else "%H:%M", time.localtime(begin))
    last = time.strftime("%H:%M", time.localtime(end))
    return first + last.rjust(width - len(first))


def _fitted(name: str, column: int) -> str:
    """Cut a name that is too wide for its column, and fill up one that is not."""
    if display_width(name) > column:
        while display_width(name) > column - 3:
            name = name[:-1]
        name += "..."
    return name + " " * (column - display_width(name))


def _local(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
