"""Questions to HTTP servers, as the window http asks them."""

from __future__ import annotations

import json
import time
from typing import Any

from nodecheck.node.windows import http
from nodecheck.node.windows.http import HttpWant

from .servers import Handle, says

SECONDS = 0.4
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LATE = "it took longer than 0.4s"
CLOSED = "it closed the connection"


def look(url: str, **parameters: Any) -> dict[str, Any]:
    """Return what was seen; it is what a record holds, and it was in time."""
    want = HttpWant(url, **({"seconds": SECONDS} | parameters))
    started = time.monotonic()
    seen = http.look(want)
    assert time.monotonic() - started < want.seconds + 0.5
    assert http.SHAPE(json.loads(json.dumps(seen)), "") == seen
    return seen


def outcome(seen: dict[str, Any]) -> tuple[str, str]:
    return seen["stage"], seen["error"]


def redirecting(location: str, status: int = 302) -> Handle:
    return says(f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
