"""What Docker tells over its socket: HTTP and JSON, one connection, each request with its deadline."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import _unixsocket
from nodecheck.node.windows._rungs import BROKEN, FAILED, MISSING, Refusal

if TYPE_CHECKING:
    from nodecheck.node.windows._rungs import Ladder

SOCKET = "/run/docker.sock"
LARGEST_ANSWER = 64 << 20  # bytes; a list of a thousand containers has three million
HOST = "docker"


class Api:
    """Docker on one socket, asked rung by rung."""

    def __init__(self, path: str, ladder: Ladder) -> None:
        self._path = path
        self._ladder = ladder
        self._http = http.client.HTTPConnection(HOST)
        self._socket: _unixsocket.Socket | None = None

    def connect(self, share: float) -> None:
        """Connect. Raises Stopped."""
        self._ladder.climb("connect", share, self._connect)

    def ping(self, share: float) -> None:
        """Ask for the cheapest answer there is. Raises Stopped."""
        self._ladder.climb("ping", share, lambda end: self._get("/_ping", end))

    def ask(self, rung: str, share: float, address: str) -> Any:
        """Return what is told at an address, as plain data. Raises Stopped."""
        return self._ladder.climb(rung, share, lambda end: _from_json(self._get(address, end)))

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def send(self, address: str, deadline: float) -> None:
        """Send a request, whose answer `receive` gives. Raises Refusal and TimeoutError."""
        self._prepare(deadline)
        try:
            self._http.request("GET", address, headers={"Host": HOST})
        except (ConnectionError, http.client.HTTPException) as error:
            raise Refusal(BROKEN, _in_words(error)) from error

    def receive(self) -> bytes:
        """Return the body of the answer. Raises Refusal, TimeoutError and Unobserved."""
        try:
            response = self._http.getresponse()
            body = response.read(LARGEST_ANSWER + 1)
        except (ConnectionError, http.client.HTTPException) as error:
            raise Refusal(BROKEN, _in_words(error)) from error
        if len(body) > LARGEST_ANSWER:
            raise Unobserved(f"docker {self._path}", f"an answer is longer than {LARGEST_ANSWER} bytes")
        if response.status != http.client.OK:
            self._raise_refused(response.status, body)
        return body

    def _get(self, address: str, deadline: float) -> bytes:
        self.send(address, deadline)
        return self.receive()

    def _prepare(self, deadline: float) -> None:
        """A server may close the connection after an answer: then there is a new one."""
        if self._http.sock is None:
            self._connect(deadline)
        assert self._socket is not None  # noqa: S101  # it is connected
        self._socket.deadline = deadline

    def _connect(self, deadline: float) -> None:
        self._socket = self._http.sock = _unixsocket.connect(self._path, deadline)

    def _raise_refused(self, status: int, body: bytes) -> None:
        said = _message(body)
        if status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
            reason = f"Docker does not let this user look: {status} {said}"
            raise Unobserved(f"docker {self._path}", reason, remedy="let nodecheck's user ask Docker")
        raise Refusal(MISSING if status == http.client.NOT_FOUND else FAILED, f"{status} {said}".strip())


def _from_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise Refusal(BROKEN, "what it says is no JSON") from error


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, TypeError, KeyError):
        return body[:200].decode("utf-8", "replace").strip()


def _in_words(error: Exception) -> str:
    if isinstance(error, http.client.RemoteDisconnected | ConnectionError):
        return "it closes the connection without an answer"
    return f"what it says is no HTTP ({type(error).__name__})"
