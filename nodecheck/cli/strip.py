"""A strip over time: one letter for each piece of it, the worst that a check was in that piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nodecheck.report.result import FAULTS, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.engine.memory import Change, History

UNWATCHED = " "
LETTERS = {
    Status.OK: ".", Status.SKIPPED: "-", Status.BLOCKED: "b", Status.INFO: "I", Status.WARNING: "W",
    Status.UNKNOWN: "?", Status.CRITICAL: "C",
}  # fmt: skip
LEGEND = (
    ". ok  - skipped  b blocked  I info  W warning  ? unknown  C critical; small: not confirmed; empty: not looked at"
)
STALE_SECONDS = 900.0  # a latest run that is older does not go on until now


class Piece(NamedTuple):
    """A status from one time to another, by the wall clock in seconds; None where nobody looked."""

    begin: float
    end: float
    status: Status | None
    confirmed: bool = True


def strip(history: History, begin: float, end: float, width: int) -> list[tuple[str, Status | None]]:
    """Return (letter, status) for each of so many pieces of a time."""
    pieces = list(pieces_of(history, end))
    step = (end - begin) / width
    return [_worst(pieces, begin + number * step, begin + (number + 1) * step) for number in range(width)]


def pieces_of(history: History, now: float) -> Iterator[Piece]:
    """Yield what a check was, and for how long."""
    changes = history.changes
    ends = [change.at for change in changes[1:]] + [_end(history, now)]
    for change, end in zip(changes, ends, strict=False):  # there may be no change at all
        status = Status(change.status) if change.status else None
        yield Piece(change.at, max(change.at, end), status, _is_confirmed(change))


def _end(history: History, now: float) -> float:
    memory = history.memory
    lasts = max(STALE_SECONDS, 3 * memory.pause)
    return now if now - memory.at <= lasts else memory.at


def _is_confirmed(change: Change) -> bool:
    return change.status not in FAULTS or change.status == change.confirmed_status


def _worst(pieces: list[Piece], begin: float, end: float) -> tuple[str, Status | None]:
    """A piece that begins and ends at once, such as one single run, is seen too."""
    within = [
        piece
        for piece in pieces
        if piece.status is not None and piece.begin < end and (piece.end > begin or piece.begin >= begin)
    ]
    if not within:
        return UNWATCHED, None
    order = list(Status)
    worst = max(within, key=lambda piece: (order.index(piece.status or Status.OK), piece.confirmed))
    assert worst.status is not None  # noqa: S101  # chosen so
    letter = LETTERS[worst.status]
    return (letter if worst.confirmed else letter.lower()), worst.status
