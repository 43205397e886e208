"""The state file: what is remembered from run to run, in SQLite. It is used in a helper, for a disk may hang: state.py.

    checks      a row for each check: Memory, by the check's id within a scope (the installed definitions, or others)
    changes     from when on a check had which status; the status "" from when on nobody looked
    counters    samples of counters, to tell what they grew by

It is bounded by numbers and not by ages, so that a clock that jumps deletes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nodecheck.engine import memory, opening
from nodecheck.engine.memory import Change, History, Memory, Moment, Seen, Told, Unusable
from nodecheck.report.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CHECKS = 2000
MOST_CHANGES = 200  # of one check
MOST_CHARACTERS = 300  # of a message in the history
UNWATCHED_SECONDS = 900.0  # after a pause of so long, and of three usual ones, the history says that nobody looked
SAMPLES = 48  # of a counter in the time of interest
MOST_SAMPLES = 200  # of one counter, such as one that begins anew all the time
MOST_COUNTED = 20_000  # samples of all counters
NO_COUNTERS: Mapping[str, tuple[float, float]] = MappingProxyType({})
COLUMNS = ", ".join(Memory._fields)
LATEST = 253_402_300_800.0  # the year 10000, which no timestamp can be written of
STATUSES = frozenset(map(str, Status))


class StateFile:
    """An open state file. `problem` says what is wrong with it, "" when nothing is; `writable` whether it remembers."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._database, self._inode, self.writable, self.problem = opening.open_to_write(directory)

    def close(self) -> None:
        """Close it; what is in its log goes to the file itself then."""
        with suppress(sqlite3.Error):
            self._database.close()

    def samples(self) -> dict[str, list[tuple[float, float, str, float]]]:
        """Return {name: [(at, boottime, boot id, value), ...]} of all counters, the oldest first. Raises Unusable."""
        found: dict[str, list[tuple[float, float, str, float]]] = {}
        select = "SELECT name, at, boottime, boot_id, value FROM counters ORDER BY number"
        try:
            for name, *sample in self._database.execute(select):
                found.setdefault(str(name), []).append(_sample(*sample))
        except (sqlite3.Error, TypeError, ValueError) as error:
            raise self._damaged(error) from error
        return found

    def remember(
        self, scope: str, results: list[Seen], now: Moment, counters: Mapping[str, tuple[float, float]] = NO_COUNTERS
    ) -> list[Told]:
        """Remember the results of a run and {name: (within, value)}; return what is told of each. Raises Unusable.

        Where it cannot be written, that is the `problem`, and what was remembered before is told nevertheless.
        """
        results = [seen._replace(name=_text(seen.name), message=_text(seen.message)) for seen in results]
        try:
            if self.writable:
                return self._write(scope, results, now, counters)
            return [memory.remember(self._known(scope, seen.id)[1], seen, now)[1] for seen in results]
        except (sqlite3.Error, TypeError, ValueError) as error:  # the last two: of rows that make no sense
            if isinstance(error, sqlite3.Error) and not opening.is_damage(error) and self.writable:
                return self._only_told(scope, results, now, error)
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> Unusable:
        """Move the file aside, and return what is to be said. Raises Unusable where it cannot be moved."""
        self.close()
        reason = opening.reason_of(error, self._directory) if isinstance(error, sqlite3.Error) else str(error)
        return Unusable(opening.move_aside(f"{self._directory}/{opening.NAME}", self._inode, reason))

    def _only_told(self, scope: str, results: list[Seen], now: Moment, error: sqlite3.Error) -> list[Told]:
        self.writable = False
        self.problem = (
            f"{self._directory}/{opening.NAME} cannot be written: {opening.reason_of(error, self._directory)}"
        )
        return self.remember(scope, results, now)

    def _write(
        self, scope: str, results: list[Seen], now: Moment, counters: Mapping[str, tuple[float, float]]
    ) -> list[Told]:
        with self._transaction():
            for name, (within, value) in counters.items():
                self._count(_text(name), within, value, now)
            run = self._database.execute("SELECT coalesce(max(run), 0) + 1 FROM checks").fetchone()[0]
            told = [self._remember(scope, seen, now, run) for seen in results]
            self._forget(max(MOST_CHECKS, len(results)))
            return told

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite has done so itself after some errors
                self._database.execute("ROLLBACK")
            raise

    def _known(self, scope: str, check: str) -> tuple[int | None, Memory | None]:
        """Return the number of a check, and what is remembered of it."""
        select = f"SELECT number, {COLUMNS} FROM checks WHERE scope = ? AND id = ?"
        row = self._database.execute(select, (scope, check)).fetchone()
        return (row[0], _memory(row[1:])) if row else (None, None)

    def _remember(self, scope: str, seen: Seen, now: Moment, run: int) -> Told:
        number, known = self._known(scope, seen.id)
        updated, told = memory.remember(known, seen, now)
        if number is None:
            number = self._insert(scope, seen.id, updated, run)
        else:
            columns = ", ".join(f"{name} = ?" for name in Memory._fields)
            self._database.execute(f"UPDATE checks SET run = ?, {columns} WHERE number = ?", (run, *updated, number))
        if known:
            self._follow_clock(number, known, now)
        changes = list(_changes(known, updated, seen))
        if changes:
            self._add(number, changes)
        return told

    def _follow_clock(self, number: int, known: Memory, now: Moment) -> None:
        """Where the clock jumped, so do the changes that it told of since boot; and none stays in the future."""
        jump = memory.jump(known, now)
        if jump:
            move = "UPDATE changes SET at = at + ? WHERE check_number = ? AND at > ?"
            self._database.execute(move, (jump, number, known.at - known.boottime))
        if known.at > now.at:
            put_back = "UPDATE changes SET at = ? WHERE check_number = ? AND at > ?"
            self._database.execute(put_back, (now.at, number, now.at))

    def _insert(self, scope: str, check: str, updated: Memory, run: int) -> int:
        values = ", ".join("?" * (3 + len(updated)))
        insert = f"INSERT INTO checks (scope, id, run, {COLUMNS}) VALUES ({values})"
        number = self._database.execute(insert, (scope, check, run, *updated)).lastrowid
        assert number is not None  # noqa: S101  # an INSERT has one
        return number

    def _forget(self, most: int) -> None:
        """Keep so many checks: those that were looked at latest, so all of this run."""
        surplus = "SELECT number FROM checks ORDER BY run DESC, number DESC LIMIT -1 OFFSET ?"
        forgotten = self._database.execute(surplus, (most,)).fetchall()
        self._database.executemany("DELETE FROM changes WHERE check_number = ?", forgotten)
        self._database.executemany("DELETE FROM checks WHERE number = ?", forgotten)

    def _add(self, number: int, changes: list[Change]) -> None:
        insert = "INSERT INTO changes (check_number, at, status, confirmed_status, message) VALUES (?, ?, ?, ?, ?)"
        self._database.executemany(insert, [(number, *change) for change in changes])
        surplus = "SELECT number FROM changes WHERE check_number = ? ORDER BY number DESC LIMIT -1 OFFSET ?"
        self._database.execute(f"DELETE FROM changes WHERE number IN ({surplus})", (number, MOST_CHANGES))

    def _count(self, name: str, within: float, value: float, now: Moment) -> None:
        """Keep a sample where it tells something new, and forget what is older than anybody asks for."""
        select = "SELECT number, at, boottime, boot_id, value FROM counters WHERE name = ? ORDER BY number"
        rows = self._database.execute(select, (name,)).fetchall()
        ages = [(number, memory.age(at, boottime, boot_id, now)) for number, at, boottime, boot_id, _ in rows]
        if not rows or ages[-1][1] >= within / SAMPLES or value < rows[-1][4] or rows[-1][3] != now.boot_id:
            insert = "INSERT INTO counters (name, at, boottime, boot_id, value) VALUES (?, ?, ?, ?, ?)"
            self._database.execute(insert, (name, now.at, now.boottime, now.boot_id, value))
        older = [(number,) for number, age in ages if age > within][:-1]  # the latest of them is where the time begins
        many = [(number,) for number, _ in ages[:-MOST_SAMPLES]]
        self._database.executemany("DELETE FROM counters WHERE number = ?", older + many)
        surplus = "SELECT number FROM counters ORDER BY number DESC LIMIT -1 OFFSET ?"
        self._database.execute(f"DELETE FROM counters WHERE number IN ({surplus})", (MOST_COUNTED,))


def histories(directory: str) -> list[History]:
    """Return what is remembered of every check, in the order in which they were first seen. Raises Unusable."""
    database = opening.open_to_read(directory)
    try:
        rows = database.execute(f"SELECT number, scope, id, {COLUMNS} FROM checks ORDER BY number").fetchall()
        changes: dict[int, list[Change]] = {}
        select = "SELECT check_number, at, status, confirmed_status, message FROM changes ORDER BY number"
        for number, *change in database.execute(select):
            changes.setdefault(number, []).append(_change(change))
        return [History(row[1], row[2], _memory(row[3:]), tuple(changes.get(row[0], ()))) for row in rows]
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise Unusable(f"{directory}/{opening.NAME} cannot be read: {error}") from error
    finally:
        database.close()


def _text(said: str) -> str:
    """What a node says may be no text, such as the name of a file; what Python has for that, SQLite does not take."""
    return said.encode(errors="backslashreplace").decode()


def _sample(at: float, boottime: float, boot_id: str, value: float) -> tuple[float, float, str, float]:
    """Raises TypeError, ValueError for a row that makes no sense."""
    return float(at), float(boottime), str(boot_id), float(value)


def _memory(row: tuple[Any, ...]) -> Memory:
    """Raises TypeError, ValueError for a row that makes no sense."""
    made = Memory(*row)
    texts = (made.name, made.digest, made.boot_id, made.recent)
    numbers = (made.boottime, made.pause)
    counts = (made.streak, made.info_runs, made.warning_runs, made.critical_runs, made.unknown_runs)
    times = [getattr(made, name) for name in memory.TIMES]
    _refuse_unless(
        all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int | float) for number in numbers)
        and all(isinstance(count, int) for count in counts)
        and all(time is None or _is_time(time) for time in times)
        and _is_time(made.at)
        and made.status in STATUSES
        and made.seen_status in (*STATUSES, "")
        and made.confirmed_status in (*STATUSES, None)
    )
    return made._replace(flapping=bool(made.flapping))


def _change(row: list[Any]) -> Change:
    """Raises TypeError for a row that makes no sense."""
    made = Change(*row)
    _refuse_unless(
        _is_time(made.at)
        and made.status in (*STATUSES, "")
        and made.confirmed_status in (*STATUSES, None)
        and isinstance(made.message, str)
    )
    return made


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < LATEST


def _refuse_unless(sense: bool) -> None:
    if not sense:
        raise TypeError("a row of it makes no sense")


def _changes(known: Memory | None, updated: Memory, seen: Seen) -> Iterator[Change]:
    """Yield what is new: the status, the confirmed one, or that nobody looked for a while."""
    unwatched = known is not None and updated.pause > max(UNWATCHED_SECONDS, 3 * known.pause)
    if known is not None and unwatched:
        yield Change(updated.at - updated.pause, "", known.confirmed_status, "")
    before = known and (known.status, known.confirmed_status)
    if unwatched or before != (updated.status, updated.confirmed_status):
        yield Change(updated.at, updated.status, updated.confirmed_status, seen.message[:MOST_CHARACTERS])
