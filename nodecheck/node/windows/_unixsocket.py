"""Unix sockets: is anybody there? A daemon that systemd would start for whoever connects is not woken by looking."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from typing import Any

from nodecheck.node import ondemand
from nodecheck.node.unobserved import NO_PERMISSION, Unobserved
from nodecheck.node.windows._rungs import ABSENT, REFUSED, Refusal

RETRY_SECONDS = 0.05


class Socket(socket.socket):
    """A socket all of whose calls end at one deadline, however slowly the other side drips."""

    deadline = 0.0

    def recv_into(self, *args: Any, **options: Any) -> int:
        """As ever. Raises TimeoutError."""
        self._wait()
        return super().recv_into(*args, **options)

    def sendall(self, *args: Any, **options: Any) -> None:
        """As ever. Raises TimeoutError."""
        self._wait()
        super().sendall(*args, **options)

    def _wait(self) -> None:
        self.settimeout(max(0.001, self.deadline - time.monotonic()))


def connect(path: str, deadline: float) -> Socket:
    """Return a connection; `deadline` is on the monotonic clock. Raises Refusal, TimeoutError, Unobserved."""
    ask_who_is_there(path)
    connection = Socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.deadline = deadline
    try:
        _connect(connection, path, deadline)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(connection: Socket, path: str, deadline: float) -> None:
    """A full queue is said at once (EAGAIN), so it is tried again until the deadline."""
    while True:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            connection.connect(path)
        except BlockingIOError as error:
            if time.monotonic() + RETRY_SECONDS >= deadline:
                raise TimeoutError from error
            time.sleep(RETRY_SECONDS)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise Refusal(REFUSED, "no process listens on it") from error
        except PermissionError as error:
            raise forbidden(path) from error
        else:
            return


def ask_who_is_there(path: str) -> None:
    """Return where somebody may answer. Raises Refusal where nobody can, and Unobserved."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise Refusal(ABSENT, "there is no such file") from error
        raise forbidden(path) if isinstance(error, PermissionError) else error from error
    if not stat.S_ISSOCK(mode):
        raise Refusal(ABSENT, "it is a directory, not a socket" if stat.S_ISDIR(mode) else "it is not a socket")
    if ondemand.would_wake(socket.AF_UNIX, path):
        raise Refusal(REFUSED, ondemand.NOT_TRIED)


def forbidden(path: str) -> Unobserved:
    """Return why a socket could not be looked at: this user may not."""
    return Unobserved(NO_PERMISSION, f"this user may not connect to {path}", remedy="run nodecheck as root")
