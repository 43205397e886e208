"""Lines of JSON on a standard stream, without waiting for ever for a reader that does not read."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING, Any, TextIO

from nodecheck.events.dialects import render
from nodecheck.events.sinks import Down, left

if TYPE_CHECKING:
    from collections.abc import Iterator

# A pipe that is ready takes so much at once, and the write does not wait (pipe(7)).
CHUNK_BYTES = select.PIPE_BUF


def send(stream: TextIO, records: list[dict[str, Any]], options: dict[str, Any], deadline: float) -> Iterator[int]:
    """Write records, and yield after each how many are written. Raises Down."""
    try:
        for number, record in enumerate(records, 1):
            _write(stream, f"{render(record, options['dialect'])}\n", deadline)
            yield number
    except TimeoutError as error:
        raise Down("nobody reads it") from error
    except OSError as error:
        raise Down(error.strerror or str(error)) from error


def write(stream: TextIO, text: str, deadline: float) -> None:
    """Write a text. Raises Down."""
    try:
        _write(stream, text, deadline)
    except TimeoutError as error:
        raise Down("nobody reads it") from error
    except OSError as error:
        raise Down(error.strerror or str(error)) from error


def _write(stream: TextIO, text: str, deadline: float) -> None:
    """Raises OSError."""
    stream.flush()
    data = text.encode(errors="backslashreplace")
    poll = select.poll()
    poll.register(stream.fileno(), select.POLLOUT)
    while data:
        if not poll.poll(left(deadline) * 1000):
            raise TimeoutError
        data = data[os.write(stream.fileno(), data[:CHUNK_BYTES]) :]
