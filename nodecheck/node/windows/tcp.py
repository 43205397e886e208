"""A connection to an address, by TCP or to a Unix socket: how far it gets, and what the other side says first."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from typing import Any, NamedTuple

from nodecheck.node import nameservice, ondemand
from nodecheck.node.reach import NO_ROUTE, UNREACHABLE, why
from nodecheck.node.shapes import fields, list_of, number, one_of, optional, text
from nodecheck.node.unobserved import Unobserved

UNIX = "unix://"
POLL_SECONDS = 0.02
LINE_SECONDS = 0.3  # for the rest of a line whose beginning is here
BANNER_BYTES = 512
KINDS = {stat.S_IFDIR: "directory", stat.S_IFREG: "regular file", stat.S_IFIFO: "FIFO"}
# Errors of connect(2) that tell of the other side, or of the way there; all others are our own.
OUTCOMES = {
    errno.ECONNREFUSED: "refused",
    errno.ETIMEDOUT: "silent",
    errno.EAGAIN: "full",
    **dict.fromkeys(UNREACHABLE, "unreachable"),
    **dict.fromkeys(NO_ROUTE, "no route"),
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.EPROTOTYPE: "no socket",
}
TRY = fields({"peer": text, "outcome": one_of("open", "untried", *sorted(set(OUTCOMES.values()))), "error": text})
# `tries` has one for each address of the name, up to the one that took the connection; it is empty, and `unresolved`
# says why, where the name has none. `banner` is null when none was asked for; `silence` says why there is none.
SHAPE = fields(
    {"tries": list_of(TRY), "unresolved": text, "seconds": number, "banner": optional(text), "silence": text}
)


class TcpWant(NamedTuple):
    """A connection to host:port, [address]:port or unix:///path; `banner`: wait for what is said there first."""

    address: str
    banner: bool = False
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "tcp"

    @property
    def key(self) -> str:
        """Name this want."""
        return f"{self.address} banner" if self.banner else self.address


def parse(address: str) -> tuple[str, int]:
    """Return host and port, or the path of a Unix socket and 0. Raises ValueError."""
    if address.startswith(UNIX):
        path = address.removeprefix(UNIX)
        if not path.startswith("/") or "\0" in path or len(os.fsencode(path)) > 107:
            raise ValueError(f"{address!r} is no unix:///path of a socket")
        return path, 0
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host.strip("[]") or (":" in host and not bracketed) or not port.isascii():
        raise ValueError(f"{address!r} is no host:port, [IPv6 address]:port or unix:///path")
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError(f"{port!r} is no port from 1 to 65535")
    return host[1:-1] if bracketed else host, int(port)


def look(want: TcpWant) -> dict[str, Any]:
    """Connect, and wait for the banner when it is wanted. Raises Unobserved where this node could not try."""
    started = time.monotonic()
    deadline = started + want.seconds
    seen: dict[str, Any] = {"tries": [], "unresolved": "", "banner": None, "silence": ""}
    host, port = parse(want.address)
    try:
        targets = _targets(host, port, deadline)
    except socket.gaierror as error:
        return seen | {"unresolved": _unresolved(want, error), "seconds": time.monotonic() - started}
    for place, (family, address) in enumerate(targets):
        until = time.monotonic() + max(0.0, deadline - time.monotonic()) / (len(targets) - place)
        tried, (seen["banner"], seen["silence"]) = _try(want, family, address, until, deadline)
        seen["tries"].append(tried)
        if tried["outcome"] == "open":
            break
    if all(tried["outcome"] == "untried" for tried in seen["tries"]):
        raise _untried(want, seen["tries"][0])
    return seen | {"seconds": time.monotonic() - started}


def _targets(host: str, port: int, deadline: float) -> list[tuple[int, Any]]:
    """Return (family, address) of each address to try."""
    if not port:
        return [(socket.AF_UNIX, host)]
    try:
        return list(nameservice.Question(host, port).answer(deadline))
    except TimeoutError as error:
        raise nameservice.failed(host, error) from None


def _unresolved(want: TcpWant, error: socket.gaierror) -> str:
    """Return why a name has no address; where the name service could not tell, nothing was seen."""
    if error.errno in nameservice.NO_SUCH_NAME:
        return str(error.strerror)
    raise nameservice.failed(parse(want.address)[0], error)


def _try(
    want: TcpWant, family: int, address: Any, until: float, deadline: float
) -> tuple[dict[str, str], tuple[str | None, str]]:
    """Return what a try to connect came to, and (banner, silence). Raises Unobserved."""
    ondemand.refuse_to_wake(family, address)
    try:
        attempt = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    except OSError as error:  # this kernel has no IPv6, or no more files may be open
        return _tried(family, address, error.errno or errno.EIO), (None, "")
    with attempt:
        tried = _tried(family, address, _connect(attempt, address, until))
        said = _banner(attempt, deadline) if want.banner and tried["outcome"] == "open" else (None, "")
    return tried, said


def _tried(family: int, address: Any, code: int) -> dict[str, str]:
    peer = _shown(address)
    if not code:
        return {"peer": peer, "outcome": "open", "error": ""}
    kind = _kind_of_file(address) if family == socket.AF_UNIX and code == errno.ECONNREFUSED else ""
    if kind:
        return {"peer": peer, "outcome": "no socket", "error": f"it is a {kind}"}
    known = code in OUTCOMES and (code != errno.EAGAIN or family == socket.AF_UNIX)
    return {"peer": peer, "outcome": OUTCOMES[code] if known else "untried", "error": why(code)}


def _untried(want: TcpWant, tried: dict[str, str]) -> Unobserved:
    """Return why no address could be tried: that tells of this node, and not of the other side."""
    forbidden = tried["peer"].startswith("/") and tried["error"] == os.strerror(errno.EACCES)
    reason = f"no connection to {tried['peer']} could be tried: {tried['error']}"
    return Unobserved(f"tcp {want.key}", reason, remedy="run nodecheck as root" if forbidden else "")


def _connect(attempt: socket.socket, address: Any, until: float) -> int:
    """Return the error number of connect(2), 0 for a connection; a full queue of a Unix socket is tried again."""
    while True:
        attempt.settimeout(max(0.001, until - time.monotonic()))
        try:
            attempt.connect(address)
        except TimeoutError:
            return errno.ETIMEDOUT
        except ConnectionResetError:
            return 0  # it was made, and ended by the other side at once; a port that is closed refuses
        except OSError as error:
            code = error.errno or errno.EIO
            if code != errno.EAGAIN or time.monotonic() + POLL_SECONDS >= until:
                return code
            time.sleep(POLL_SECONDS)
            continue
        # Where nothing listens on a port that connections go out from, one may by chance be made to itself (RFC 9293).
        return errno.ECONNREFUSED if attempt.family != socket.AF_UNIX and _is_to_itself(attempt) else 0


def _is_to_itself(connected: socket.socket) -> bool:
    try:
        return bool(connected.getsockname() == connected.getpeername())
    except OSError:  # the other side has ended it already
        return False


def _kind_of_file(path: str) -> str:
    """Return what a file is that is no socket; connect(2) calls it refused, as it does a socket nobody listens on."""
    mode = os.stat(path).st_mode
    return "" if stat.S_ISSOCK(mode) else KINDS.get(stat.S_IFMT(mode), "file of another kind")


def _banner(connected: socket.socket, deadline: float) -> tuple[str | None, str]:
    """Return the first line that the other side sends; or None, and why there is none."""
    said = b""
    until = deadline
    while b"\n" not in said and len(said) < BANNER_BYTES:
        try:
            connected.settimeout(max(0.001, until - time.monotonic()))
            chunk = connected.recv(BANNER_BYTES)
        except TimeoutError:
            silence = "said nothing"
            break
        except OSError as error:
            silence = f"ended the connection: {error.strerror}"
            break
        if not chunk:
            silence = "ended the connection without a word"
            break
        said += chunk
        until = min(deadline, time.monotonic() + LINE_SECONDS)
    line = said[:BANNER_BYTES].partition(b"\n")[0].decode("utf-8", "backslashreplace").strip()
    return (line, "") if said else (None, silence)


def _shown(address: Any) -> str:
    """Return an address as people write it."""
    if isinstance(address, str):
        return address
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
