"""Opens the state file, whatever has become of it: what is not ours is left alone, what is damaged is moved aside."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
from contextlib import suppress
from typing import NamedTuple

from nodecheck.engine.memory import Memory, Unusable

NAME = "state.sqlite"
APPLICATION_ID = 0x6E6F6463  # "nodc", for file(1)
# Each step is applied once, and is never changed: a file of an older nodecheck has seen only the first of them
# (PRAGMA user_version).
STEPS = (
    f"""
    CREATE TABLE checks (
        number INTEGER PRIMARY KEY, scope TEXT NOT NULL, id TEXT NOT NULL, run INTEGER NOT NULL,
        {", ".join(Memory._fields)}, UNIQUE (scope, id)
    );
    CREATE INDEX checks_by_run ON checks (run);
    CREATE TABLE changes (
        number INTEGER PRIMARY KEY, check_number INTEGER NOT NULL, at REAL NOT NULL, status TEXT NOT NULL,
        confirmed_status TEXT, message TEXT NOT NULL
    );
    CREATE INDEX changes_by_check ON changes (check_number, number);
    """,
    """
    CREATE TABLE counters (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, at REAL NOT NULL, boottime REAL NOT NULL, boot_id TEXT NOT NULL,
        value REAL NOT NULL
    );
    CREATE INDEX counters_by_name ON counters (name, number);
    """,
)
BUSY_SECONDS = 1.5
MOST_DAMAGED = 5  # files that were moved aside
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
# sqlite3 puts more into the high bits of a code: which call it was that failed.
PRIMARY = 0xFF


class NotWhatItSays(sqlite3.DatabaseError):
    """A file whose header is well, and not what is behind it."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


class Opened(NamedTuple):
    """A state file that is open, which one it is, whether it can be written, and what is wrong with it, if anything."""

    database: sqlite3.Connection
    inode: int
    writable: bool = True
    problem: str = ""


def open_to_write(directory: str) -> Opened:
    """Open the state file in a directory, and make both where there is none. Raises Unusable."""
    path = os.path.join(directory, NAME)
    inode = 0
    try:
        _prepare(directory)
        inode = _inode(path)
        return Opened(_open(path), _inode(path))
    except sqlite3.Error as error:
        if not is_damage(error):
            return _as_it_was(path, reason_of(error, directory))
        problem = move_aside(path, inode, reason_of(error, directory))
    except OSError as error:
        return _as_it_was(path, error.strerror or str(error))
    try:
        return Opened(_open(path), _inode(path), problem=problem)
    except sqlite3.Error as error:
        raise Unusable(f"{problem}; a new one cannot be made: {reason_of(error, directory)}") from error


def open_to_read(directory: str) -> sqlite3.Connection:
    """Open the state file in a directory, to read it only. Raises Unusable."""
    path = os.path.join(directory, NAME)
    for how in ("mode=ro", "mode=ro&immutable=1"):  # its log can be read only where it could be written, too
        try:
            database = _connect(f"file:{_quoted(path)}?{how}")
            _refuse_other(path, database)
        except sqlite3.Error as error:
            reason = reason_of(error, directory)
        else:
            return database
    raise Unusable(f"{path} cannot be read: {_why_not_found(path) or reason}")


def _why_not_found(path: str) -> str:
    """Return why there is no file to open, "" where there is one; SQLite says the same of all that it cannot open."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return "there is no such file"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether an error says that the file itself is damaged."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & PRIMARY in DAMAGE


def reason_of(error: sqlite3.Error, directory: str) -> str:
    """Return what an error says, for people. Where SQLite does not know why it could not write, the disk tells."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & PRIMARY
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
        code = _code_of_disk(directory) or code
    known = {
        sqlite3.SQLITE_FULL: "the disk is full",
        sqlite3.SQLITE_READONLY: "it, or its disk, is read-only",
        sqlite3.SQLITE_BUSY: f"other runs have been writing for {BUSY_SECONDS:g} s",
    }
    return known.get(code, str(error))


def _code_of_disk(directory: str) -> int:
    with suppress(OSError):
        found = os.statvfs(directory)
        if found.f_flag & os.ST_RDONLY:
            return sqlite3.SQLITE_READONLY
        if not found.f_bavail or (found.f_files and not found.f_favail):  # btrfs counts no files
            return sqlite3.SQLITE_FULL
    return 0


def move_aside(path: str, inode: int, reason: str) -> str:
    """Move a damaged file aside, and return what has been done. Raises Unusable where that cannot be.

    `inode` is that of the damaged one: another run may have been quicker, and then the file is a new one.
    """
    damaged = f"{path} is damaged ({reason})"
    try:
        with open(f"{path}.lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _inode(path) != inode:
                return f"{damaged}, and has been replaced"
            return f"{damaged}: what was remembered is lost; it is kept as {_moved(path)}, and a new one begins"
    except BlockingIOError as error:
        raise Unusable(f"{damaged}, and another run is replacing it") from error
    except OSError as error:
        raise Unusable(f"{damaged}, and cannot be moved aside: {error.strerror or error}") from error


def _moved(path: str) -> str:
    taken = {f"{path}.damaged-{number}": number for number in range(1, MOST_DAMAGED + 1)}
    free = next((name for name in taken if not os.path.lexists(name)), None)
    if free is None:
        raise Unusable(f"{path} is damaged, and so were {MOST_DAMAGED} before it: remove {path}.damaged-*")
    for ending in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.rename(path + ending, free + ending)
    return free


def _inode(path: str) -> int:
    """Return that of the state file, 0 where there is none. Raises Unusable for what is no file, and may hang."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return 0
    if not stat.S_ISREG(found.st_mode):
        raise Unusable(f"{path} is no regular file; it is left alone")
    return found.st_ino


def _prepare(directory: str) -> None:
    """Make the directory, or see that nobody else may write to it. Raises Unusable, OSError."""
    os.umask(0o077)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    found = os.stat(directory)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022:
        raise Unusable(f"{directory} belongs to somebody else, or others may write to it: chmod go-w {directory}")


def _open(path: str) -> sqlite3.Connection:
    """Raises Unusable, sqlite3.Error."""
    database = _connect(f"file:{_quoted(path)}?mode=rwc")
    try:
        _refuse_other(path, database)
        # With a log of its own, no run waits for the disk: it is written out when nobody waits any more.
        database.execute("PRAGMA journal_mode = wal")
        database.execute("PRAGMA synchronous = normal")
        _step_up(database)
    except UnicodeDecodeError as error:  # of the message of an error
        database.close()
        raise NotWhatItSays("what it says of itself is no text") from error
    except BaseException:
        database.close()
        raise
    return database


def _connect(address: str) -> sqlite3.Connection:
    # autocommit: a transaction begins where we say so
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _refuse_other(path: str, database: sqlite3.Connection) -> None:
    """Raises Unusable for a database of somebody else's, and for that of a newer nodecheck."""
    application, version = _number(database, "application_id"), _number(database, "user_version")
    is_new = not application and not version and not _number(database, "schema_version")
    if application != APPLICATION_ID and not is_new:
        raise Unusable(f"{path} is a database of another program; it is left alone")
    if version > len(STEPS):
        raise Unusable(f"{path} was written by a newer nodecheck (version {version} of it); it is left alone")


def _step_up(database: sqlite3.Connection) -> None:
    """Bring a new file, or that of an older nodecheck, to what this one knows."""
    if _number(database, "user_version") == len(STEPS):
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        done = _number(database, "user_version")  # another run may have been quicker
        for statement in (part for step in STEPS[done:] for part in step.split(";") if part.strip()):
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {len(STEPS)}")
        database.execute("COMMIT")
    except BaseException as error:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:  # a table that is there already, say
            raise NotWhatItSays(str(error)) from error
        raise


def _as_it_was(path: str, reason: str) -> Opened:
    """A disk that is full or read-only can still tell what was. Raises Unusable."""
    problem = f"{path} cannot be written: {reason}"
    try:
        database = open_to_read(os.path.dirname(path))
        if _number(database, "user_version") == len(STEPS):
            return Opened(database, 0, writable=False, problem=problem)
    except (Unusable, sqlite3.Error):
        pass
    raise Unusable(problem)


def _number(database: sqlite3.Connection, pragma: str) -> int:
    return int(database.execute(f"PRAGMA {pragma}").fetchone()[0])


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path)
