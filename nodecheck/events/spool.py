"""Events that could not be sent, on disk until they can be: bounded, in order, beside the state.

Each sink has a folder with a file for each run, named so that they sort by age. What is too much drops the oldest, and
is counted.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.events.sinks import Down

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.events.sinks import Sink

FOLDER = "events"
MOST_BYTES = 16 << 20  # of one sink: about a week of runs each minute
AT_ONCE = 200  # records, about
ENDING = ".jsonl"
STATUS = "status.json"
PARTIAL = ".partial"
LEFT_SECONDS = 900.0  # no run takes as long


class Backlog(NamedTuple):
    """What waits for a sink: how many runs, since when (wall clock, seconds), why; and how many events were dropped."""

    runs: int
    since: float
    reason: str
    dropped: int


def backlog(directory: str, sink: Sink) -> Backlog | None:
    """Return what waits for a sink; None when nothing does."""
    folder = _folder(directory, sink)
    names = _names(folder)
    if not names:
        return None
    status = _status(folder)
    return Backlog(len(names), int(names[0].partition("-")[0]) / 1e9, status["reason"], status["dropped"])


def add(directory: str, sink: Sink, records: list[dict[str, Any]], reason: str) -> None:
    """Keep records for later, and why they could not be sent. Raises OSError."""
    folder = _folder(directory, sink)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    names = _names(folder)
    # Not before the latest: a clock that was put back must not change the order.
    number = max(time.time_ns(), int(names[-1].partition("-")[0]) + 1 if names else 0)
    write(os.path.join(folder, f"{number:020d}-{os.getpid()}{ENDING}"), _lines(records))
    dropped = _drop_surplus(folder)
    status = _status(folder)
    write(os.path.join(folder, STATUS), json.dumps({"reason": reason, "dropped": status["dropped"] + dropped}))


def drain(directory: str, sink: Sink, deadline: float) -> bool:
    """Send what waits for a sink, the oldest first; return whether all of it is sent.

    False, too, where another run is doing it. Raises Down, OSError.
    """
    folder = _folder(directory, sink)
    if not _names(folder):
        return True
    with _only_one(folder) as alone:
        if not alone:
            return False
        while names := _names(folder):
            _send_files(folder, names, sink, deadline)
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, STATUS))
    return True


def _send_files(folder: str, names: list[str], sink: Sink, deadline: float) -> None:
    """Send the first few files together; afterwards there is what is left of them. Raises Down, OSError."""
    files: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        path = os.path.join(folder, name)
        files[path] = _read(path)
        if sum(map(len, files.values())) >= AT_ONCE:
            break
    records = [record for each in files.values() for record in each]
    sent = 0
    try:
        for sent in sink.send(records, deadline):  # noqa: B007  # needed when sending ends half way
            pass
        if sent < len(records):
            raise Down("it took only a part")
    finally:
        _forget(files, sent)


def _forget(files: dict[str, list[dict[str, Any]]], sent: int) -> None:
    """Remove what was sent from files, in their order. Raises OSError."""
    for path, records in files.items():
        if sent >= len(records):
            os.unlink(path)
        elif sent > 0:
            write(path, _lines(records[sent:]))
        sent -= len(records)


def _read(path: str) -> list[dict[str, Any]]:
    """Return the records of a file, but for what is none."""
    records = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError):
                record = json.loads(line)
                if isinstance(record, dict) and {"event", "event_id", "status", "level", "timestamp"} <= set(record):
                    records.append(record)
    return records


def _lines(records: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(record, default=str)}\n" for record in records)


def write(path: str, text: str) -> None:
    """Write a file, whole or not at all. Raises OSError."""
    partial = f"{path}.{os.getpid()}{PARTIAL}"
    try:
        _sweep(os.path.dirname(path))
        with open(partial, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(partial, path)
    except OSError:
        with suppress(OSError):
            os.unlink(partial)
        raise


def _sweep(folder: str) -> None:
    """Remove what runs have left that were killed while they wrote: a disk that is slow for a day would gather many."""
    for name in os.listdir(folder):
        left = os.path.join(folder, name)
        with suppress(FileNotFoundError):  # another run sweeps, too
            if name.endswith(PARTIAL) and time.time() - os.stat(left).st_mtime > LEFT_SECONDS:
                os.unlink(left)


def _drop_surplus(folder: str) -> int:
    """Remove the oldest files while there is too much; return how many records they held."""
    sizes = [(name, os.stat(os.path.join(folder, name)).st_size) for name in _names(folder)]
    total = sum(size for _, size in sizes)
    dropped = 0
    for name, size in sizes[:-1]:
        if total <= MOST_BYTES:
            break
        path = os.path.join(folder, name)
        dropped += len(_read(path))
        os.unlink(path)
        total -= size
    return dropped


def _folder(directory: str, sink: Sink) -> str:
    return os.path.join(directory, FOLDER, sink.key)


def _names(folder: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:  # there is none; or it cannot be read, and then it cannot be written either, which is told
        return []
    return sorted(name for name in names if name.endswith(ENDING) and name.partition("-")[0].isdigit())


def _status(folder: str) -> dict[str, Any]:
    with suppress(OSError, ValueError), open(os.path.join(folder, STATUS), encoding="utf-8") as file:
        data = json.load(file)
        if isinstance(data, dict) and isinstance(data.get("dropped"), int):
            return {"reason": str(data.get("reason", "")), "dropped": data["dropped"]}
    return {"reason": "", "dropped": 0}


@contextmanager
def _only_one(folder: str) -> Iterator[bool]:
    """Yield whether no other run is at it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)
