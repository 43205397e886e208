"""The window on files: what lies at a path, or at all paths that fit a pattern."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node import ondemand, users
from nodecheck.node.shapes import fields, list_of, mapping_of, one_of, optional, text, whole
from nodecheck.node.unobserved import Unobserved
from nodecheck.patterns import later

if TYPE_CHECKING:
    from collections.abc import Callable

NOWHERE = "nowhere"  # a link to what does not exist
KINDS: dict[str, Callable[[int], bool]] = {
    "file": stat.S_ISREG,
    "directory": stat.S_ISDIR,
    "socket": stat.S_ISSOCK,
    "fifo": stat.S_ISFIFO,
    "device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
}
YES, NO, FULL = "yes", "no", "full"
OWNERS, TEXT, SHA256, LISTENING = "owners", "text", "sha256", "listening"
PATTERN = later(r"[*?\[]")
MOST_FILES = 1000  # of which more is told than that they are there
MOST_BYTES = 256 << 10  # of the text of one file
MOST_BYTES_TOGETHER = 1 << 20
CHUNK_BYTES = 1 << 20
FULL_SECONDS = 1.0  # so long the queue of a socket may be full: a server that has much to do empties it again
POLL_SECONDS = 0.02
FILE = fields(
    {
        "path": text,
        "kind": one_of(*KINDS, NOWHERE),
        "link": optional(text),
        "mode": whole,
        "size": whole,
        "modified": whole,
        "uid": whole,
        "gid": whole,
        "unseen": mapping_of(text),
    },
    {
        "owner": optional(text),
        "group": optional(text),
        TEXT: text,
        SHA256: text,
        LISTENING: one_of(YES, NO, FULL),
    },
)
SHAPE = fields({"count": whole, "files": list_of(FILE)})


class PathWant(NamedTuple):
    """What lies at a path, or at those that fit a pattern; `details` are those of OWNERS, TEXT, SHA256, LISTENING."""

    path: str
    details: tuple[str, ...] = ()
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """See windows."""
        return "file"

    @property
    def key(self) -> str:
        """See windows."""
        return " ".join((self.path, *(f"+{detail}" for detail in self.details)))


def is_pattern(path: str) -> bool:
    """Tell whether a path is a pattern, as a shell has them: with *, ? or [...]."""
    return PATTERN.search(path) is not None


def look(want: PathWant) -> dict[str, Any]:
    """Return how many files there are, and the first of them: of links, what they lead to.

    `size` is in bytes, `modified` in microseconds since 1970, `mode` the permissions. `owner` and `group` are None for
    a number without a name. What of `details` could not be seen stands in `unseen`, and why.
    """
    patience = _Patience(want)
    paths = sorted(_fitting(want.path)) if is_pattern(want.path) else [want.path]
    found = [file for file in map(patience.look_at, paths[:MOST_FILES]) if file]
    return {"count": len(found) + len(paths[MOST_FILES:]), "files": found}


def masked(seen: dict[str, Any]) -> dict[str, Any]:
    """Return the same without the secrets in the texts of files, for a record."""
    from nodecheck.node.secrets import mask

    files = [file | ({TEXT: mask(file[TEXT])} if TEXT in file else {}) for file in seen["files"]]
    return seen | {"files": files}


def _fitting(pattern: str) -> list[str]:
    """Return the paths that fit a pattern; hidden names only fit what begins with a dot, as in a shell.

    What ends with a slash fits directories only.
    """
    paths = ["/"]
    for part in pattern.strip("/").split("/"):
        if is_pattern(part):
            paths = [os.path.join(path, name) for path in paths for name in _names(path) if _fits(name, part)]
        else:
            paths = [joined for path in paths if _is_there(joined := os.path.join(path, part))]
    return list(filter(os.path.isdir, paths)) if pattern.endswith("/") else paths


def _is_there(path: str) -> bool:
    """Tell whether anything is there, a link that leads nowhere too. Raises OSError where that cannot be seen."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _fits(name: str, part: str) -> bool:
    return fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))


class _Patience:
    """Looks at files until the time is up, and at so much of their texts."""

    def __init__(self, want: PathWant) -> None:
        self._details = want.details
        self._deadline = time.monotonic() + want.seconds * 0.9
        self._bytes_left = MOST_BYTES_TOGETHER

    def look_at(self, path: str) -> dict[str, Any] | None:
        """Return what is told of one file, None where there is none. Raises OSError where that cannot be seen."""
        try:
            status = os.lstat(path)
            link = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        behind = _status_behind(path) if link is not None else status
        told = _told(path, behind or status) | {"link": link}
        if behind is None:
            told["kind"] = NOWHERE
            return told
        for detail in self._details:
            self._add(detail, told)
        return told

    def _add(self, detail: str, told: dict[str, Any]) -> None:
        """Add a detail where a file of its kind has it, or why it could not be seen."""
        try:
            if detail == OWNERS:
                told |= _owners(told["uid"], told["gid"])
            elif detail == LISTENING and told["kind"] == "socket":
                told[LISTENING] = _listening(told["path"], min(self._deadline, time.monotonic() + FULL_SECONDS))
            elif detail == TEXT and told["kind"] == "file":
                told[TEXT] = self._read_text(told["path"])
            elif detail == SHA256 and told["kind"] == "file":
                told[SHA256] = self._hash(told["path"])
        except (_TooMuch, Unobserved) as why:
            told["unseen"][detail] = str(why)
        except OSError as error:
            told["unseen"][detail] = error.strerror or str(error)

    def _read_text(self, path: str) -> str:
        read = b""
        most = min(MOST_BYTES, self._bytes_left)
        with open(path, "rb", buffering=0, opener=_open_quietly) as file:
            while len(read) <= most and (chunk := file.read(most + 1 - len(read))):
                read += chunk
        if len(read) > most:
            raise _TooMuch(f"no more than {MOST_BYTES >> 10} KiB of a file are read, and 1 MiB of all together")
        self._bytes_left -= len(read)
        return read.decode("utf-8", "replace")

    def _hash(self, path: str) -> str:
        import hashlib

        digest = hashlib.sha256()
        with open(path, "rb", buffering=0, opener=_open_quietly) as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                if time.monotonic() > self._deadline:
                    raise _TooMuch("reading all of it takes longer than the timeout of the check")
        return digest.hexdigest()


class _TooMuch(Exception):
    """Why something is not read to its end."""


def _open_quietly(path: str, flags: int) -> int:
    """Open without waiting for anybody, and without a trace in the access time where we may."""
    flags |= os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    with suppress(PermissionError):
        return os.open(path, flags | os.O_NOATIME)
    return os.open(path, flags)


def _status_behind(path: str) -> os.stat_result | None:
    """Return the status of what a link leads to, None where it leads nowhere, or in a circle."""
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise


def _told(path: str, status: os.stat_result) -> dict[str, Any]:
    return {
        "path": path,
        "kind": next((name for name, fits in KINDS.items() if fits(status.st_mode)), NOWHERE),
        "mode": stat.S_IMODE(status.st_mode),
        "size": status.st_size,
        "modified": max(0, status.st_mtime_ns // 1000),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "unseen": {},
    }


def _owners(uid: int, gid: int) -> dict[str, str | None]:
    """Return the names of a user and of a group; the name service may wait for somebody, and so do we.

    Raises OSError where it fails.
    """
    import grp
    import pwd

    return {
        "owner": users.name_of(uid, pwd.getpwuid, "getpwuid_r"),
        "group": users.name_of(gid, grp.getgrgid, "getgrgid_r"),
    }


def _listening(path: str, until: float) -> str:
    """Tell whether somebody listens on a socket, of whichever type it is. Raises OSError where that cannot be tried.

    Where only systemd does, it would start a service for whoever connects, so that is seen without. Raises Unobserved
    where that cannot be told.
    """
    if ondemand.would_wake(socket.AF_UNIX, path):
        return YES
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
            with suppress(_OfAnotherType):
                # An address has 107 bytes, and a path may have more.
                return _connect(f"/proc/self/fd/{place}", kind, until)
    finally:
        os.close(place)
    raise OSError(errno.EPROTOTYPE, os.strerror(errno.EPROTOTYPE))


class _OfAnotherType(Exception):
    """A socket is not of the type that was tried."""


def _connect(address: str, kind: socket.SocketKind, until: float) -> str:
    with socket.socket(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK) as client:
        while True:
            try:
                client.connect(address)
            except ConnectionRefusedError:
                return NO
            except BlockingIOError:  # those who wait to be accepted are as many as may wait
                if time.monotonic() >= until:
                    return FULL
                time.sleep(POLL_SECONDS)
            except OSError as error:
                if error.errno == errno.EPROTOTYPE:
                    raise _OfAnotherType from error
                raise
            else:
                return YES
