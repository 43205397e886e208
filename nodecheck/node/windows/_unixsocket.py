"""Unix sockets: is anybody there? A daemon that systemd would start for whoever connects is not woken by looking."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from typing import Any

from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows._rungs import ABSENT, REFUSED, Refusal

LISTENS = 0x10000  # __SO_ACCEPTCON of the kernel's include/linux/net.h, in the column Flags of /proc/net/unix
RETRY_SECONDS = 0.05
SYSTEMD = 1


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
    if _only_systemd_holds(path):
        reason = "only systemd listens on it, and would start the service for whoever connects, so that was not tried"
        raise Refusal(REFUSED, reason)


def forbidden(path: str) -> Unobserved:
    """Return why a socket could not be looked at: this user may not."""
    return Unobserved(f"socket {path}", f"this user may not connect to {path}", remedy="run nodecheck as root")


def _only_systemd_holds(path: str) -> bool:
    """Tell whether systemd listens in place of a service that does not run. Raises Unobserved."""
    links = {f"socket:[{inode}]" for inode in _listening_inodes(path)}
    if not links or _holds(SYSTEMD, links) is False:
        return False
    pids = sorted((int(name) for name in os.listdir("/proc") if name.isdecimal()), reverse=True)
    if any(_holds(pid, links) for pid in pids if pid != SYSTEMD):
        return False
    if _holds(SYSTEMD, links):
        return True
    reason = f"whether only systemd listens on {path} could not be seen, and to connect might start its service"
    raise Unobserved(f"socket {path}", reason, remedy="run nodecheck as root")


def _listening_inodes(path: str) -> set[str]:
    """The lines of /proc/net/unix are: address, references, protocol, flags (hex), type, state, inode, path."""
    real = os.path.realpath(path)
    with open("/proc/net/unix", encoding="utf-8", errors="surrogateescape") as table:
        rows = [line.rstrip("\n").split(maxsplit=7) for line in table]
    return {
        row[6]
        for row in rows[1:]
        if len(row) == 8 and int(row[3], 16) & LISTENS and row[7][0] == "/" and os.path.realpath(row[7]) == real
    }


def _holds(pid: int, links: set[str]) -> bool | None:
    """Tell whether a process has one of these open; None where that cannot be seen."""
    folder = f"/proc/{pid}/fd"
    try:
        return any(_link(f"{folder}/{name}") in links for name in os.listdir(folder))
    except PermissionError:
        return None
    except OSError:
        return False  # it ended meanwhile


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
