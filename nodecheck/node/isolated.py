"""Helper processes, for what may never answer: a bus, a process in D state, a name service.

A helper is forked, does its work and sends plain data back. Whoever asked waits up to a deadline and then leaves it
behind: a thread could not be left, and a process that hangs in the kernel cannot even be killed.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER_BYTES = 4
GONE_WITHIN_MILLISECONDS = 50
LIFETIME_SECONDS = 600  # a helper whose parent was killed ends by itself


class HelperTimeout(Exception):
    """The helper did not answer before the deadline."""


class HelperGone(Exception):
    """The helper ended without an answer."""


class Channel:
    """Plain data both ways between two processes of one interpreter.

    marshal rather than JSON or pickle: both ends are the same Python, and it is there without an import.
    """

    def __init__(self, read_end: int, write_end: int) -> None:
        self._read_end = read_end
        self._write_end = write_end
        self._buffer = b""

    def send(self, data: Any) -> None:
        """Send plain data; raises BrokenPipeError when the other end is gone."""
        body = marshal.dumps(data)
        message = len(body).to_bytes(HEADER_BYTES, "little") + body
        while message:
            message = message[os.write(self._write_end, message) :]

    def receive(self, deadline: float | None = None) -> Any:
        """Return the next data; `deadline` is a time of the monotonic clock in seconds.

        Raises HelperTimeout when it passes first, HelperGone when the other end closed.
        """
        size = int.from_bytes(self._take(HEADER_BYTES, deadline), "little")
        return marshal.loads(self._take(size, deadline))  # noqa: S302  # from our own fork, never from outside

    def close(self) -> None:
        """Close both directions."""
        os.close(self._read_end)
        os.close(self._write_end)

    def _take(self, size: int, deadline: float | None) -> bytes:
        while len(self._buffer) < size:
            self._wait(deadline)
            chunk = os.read(self._read_end, 1 << 16)
            if not chunk:
                raise HelperGone
            self._buffer += chunk
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _wait(self, deadline: float | None) -> None:
        if deadline is None:
            return
        poll = select.poll()
        poll.register(self._read_end, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise HelperTimeout


class Helper:
    """A forked process that runs `serve(channel)`; the parent talks to it over `channel`."""

    def __init__(self, serve: Callable[[Channel], None]) -> None:
        to_child, from_parent = os.pipe()
        to_parent, from_child = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(from_parent)
            os.close(to_parent)
            _serve_and_exit(serve, Channel(to_child, from_child))
        os.close(to_child)
        os.close(from_child)
        self.channel = Channel(to_parent, from_parent)

    def end(self) -> None:
        """Let go of a helper that has answered: it ends by itself, and nobody has to wait for that."""
        self.channel.close()

    def leave(self) -> bool:
        """Kill the helper; return whether it is gone. One that hangs in the kernel stays, and nobody waits for it."""
        self.channel.close()
        os.kill(self.pid, signal.SIGKILL)
        for _ in range(GONE_WITHIN_MILLISECONDS):  # a killed process is gone at once, or not at all
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return True
            time.sleep(0.001)
        return False


def _serve_and_exit(serve: Callable[[Channel], None], channel: Channel) -> None:
    """Never return: what the parent would do at its end must not be done twice."""
    try:
        _detach_from_terminal()
        signal.alarm(LIFETIME_SECONDS)
        serve(channel)
    except BaseException:  # noqa: BLE001  # whatever it was, the parent sees the closed channel as HelperGone
        os._exit(1)
    os._exit(0)


def _detach_from_terminal() -> None:
    """Give up the three standard streams: a helper left behind must not keep a caller's pipe open."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
