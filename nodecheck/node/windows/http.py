"""HTTP servers: one question, over TCP, TLS or a socket in the file system, and how far the answer came."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node.shapes import (
    WrongShape,
    boolean,
    fields,
    list_of,
    mapping_of,
    number,
    one_of,
    optional,
    text,
    whole,
)
from nodecheck.node.windows._address import PORTS, Url, parse_url, without_secrets

if TYPE_CHECKING:
    from nodecheck.node.windows._wire import Deadline, Stream

DONE = "done"
STAGES = ("resolve", "connect", "tls", "verify", "request", "headers", "redirect", "body", DONE)
REDIRECTS = (301, 302, 303, 307, 308)
MOST_HEADERS = 64 << 10  # bytes of all headers together
LONGEST_LINE = 16 << 10  # bytes
SHOWN = 400  # characters of a body that is not as wanted
AN_ERROR = 400  # from this status on, a server says in the body what is wrong
FAILED_LINE = re.compile(r"^\[-\].*", re.MULTILINE)  # as Kubernetes' servers tell of each of their checks
STATUS_LINE = rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: (.*))?"

_FIELDS = fields(
    {
        "stage": one_of(*STAGES),
        "error": text,
        "seconds": number,
        "url": text,
        "redirects": whole,
        "status": optional(whole),
        "reason": text,
        "location": text,
        "headers": mapping_of(list_of(text)),
        "bytes": whole,
        "cut": boolean,
        "body": optional(text),
        "values": optional(mapping_of(list_of(text))),
        "excerpt": text,
    }
)


def SHAPE(value: Any, place: str) -> Any:  # noqa: N802  # what each window has
    """What one question brought: an answer that is whole has a status."""
    seen = _FIELDS(value, place)
    if seen["stage"] == DONE and seen["status"] is None:
        raise WrongShape(f"{place}.status", "an answer that is done has a status")
    return seen


class HttpWant(NamedTuple):
    """The answer to one question.

    `host` is the server's name where it is not that of the URL; `headers`, `body`, `paths` (in JSON) and `metrics` (in
    the text format of Prometheus) say what of the answer is kept; `limit` is how many bytes of a body are read; `ca`,
    `cert` and `private_key` are files, "" for none.
    """

    url: str
    method: str = "GET"
    host: str = ""
    headers: tuple[str, ...] = ()
    body: bool = False
    paths: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    ca: str = ""
    cert: str = ""
    private_key: str = ""
    verify: bool = True
    follow: int = 0
    limit: int = 1 << 20
    seconds: float = 10.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "http"

    @property
    def key(self) -> str:
        """The question, and what differs from the plainest one."""
        told = {
            "host": self.host,
            "headers": ", ".join(self.headers),
            "body": "kept" if self.body else "",
            "json": ", ".join(self.paths),
            "metrics": ", ".join(self.metrics),
            "ca": self.ca,
            "cert": self.cert,
            "key": self.private_key,
            "verify": "" if self.verify else "no",
            "follow": str(self.follow or ""),
            "limit": "" if self.limit == self._field_defaults["limit"] else str(self.limit),
        }
        differs = "; ".join(f"{name} {value}" for name, value in told.items() if value)
        return f"{self.method} {without_secrets(self.url)}" + (f" ({differs})" if differs else "")


# ---- what follows runs in the helper


def look(want: HttpWant) -> dict[str, Any]:
    """Ask, follow redirects as far as is wanted, and return what came back; see SHAPE.

    Raises Unobserved where we could not ask: a certificate file that cannot be read, a socket that is not for us.
    """
    from nodecheck.node.windows._wire import Deadline, Stopped

    deadline = Deadline(want.seconds)
    url, answer = want.url, _nothing()
    try:
        for redirects in range(want.follow + 1):
            answer = _nothing() | {"url": without_secrets(url), "redirects": redirects}
            _ask(want, url, deadline, answer)
            if not answer["location"] or redirects == want.follow:
                break
            url = _joined(url, answer["location"])
    except Stopped as stop:
        answer |= {"stage": stop.stage, "error": stop.error}
    seconds = answer["seconds"] or deadline.passed()
    return answer | {"location": without_secrets(answer["location"]), "seconds": seconds}


def _nothing() -> dict[str, Any]:
    return {
        "stage": DONE, "error": "", "seconds": 0.0, "url": "", "redirects": 0, "status": None, "reason": "",
        "location": "", "headers": {}, "bytes": 0, "cut": False, "body": None,
        "values": None, "excerpt": "",
    }  # fmt: skip


def _joined(url: str, location: str) -> str:
    """Return where a redirect leads. Raises Stopped for where we do not go: out of TLS, or away from a socket."""
    from urllib.parse import urljoin

    from nodecheck.node.windows._wire import Stopped

    came_from = parse_url(url)
    if came_from and came_from.socket:
        if not location.startswith("/") or location.startswith("//"):
            raise Stopped("redirect", f"it redirects away from its socket, to {without_secrets(location)}")
        return f"unix://{came_from.socket}:{location}"
    try:
        joined = urljoin(url, location).partition("#")[0]
    except ValueError:  # http://[x
        joined = location
    goes_to = parse_url(joined)
    if goes_to is None or (came_from and came_from.scheme == "https" != goes_to.scheme):
        raise Stopped("redirect", f"it redirects to {without_secrets(joined)}, which is not followed")
    return joined


def _ask(want: HttpWant, url: str, deadline: Deadline, answer: dict[str, Any]) -> None:
    """Put into the answer what one URL says. Raises Stopped, Unobserved and OSError."""
    at, first = parse_url(url), parse_url(want.url)
    assert at  # noqa: S101  # it was looked at before
    assert first  # noqa: S101  # so was this
    at_home = at[:3] == first[:3] and at.socket == first.socket
    stream = _connected(want, at, deadline, at_home=at_home)
    try:
        host = want.host if want.host and at_home else _host(at)
        stream.send(_request(want.method, at.target, host))
        stream.stage = "headers"
        headers = _read_head(stream, answer)
        answer["headers"] = {name: _masked_header(name, headers[name]) for name in want.headers if name in headers}
        answer["location"] = headers.get("location", [""])[0] if answer["status"] in REDIRECTS else ""
        stream.stage = "body"
        if want.method != "HEAD" and answer["status"] not in (204, 304):
            _read_body(stream, headers, want, answer)
    finally:
        stream.close()


def _connected(want: HttpWant, at: Url, deadline: Deadline, *, at_home: bool) -> Stream:
    """Return a connection; a client certificate is shown to no other server than the first."""
    from nodecheck.node.windows import _wire

    if at.scheme != "https":
        plain = _wire.connect_unix(at.socket, deadline) if at.socket else _wire.connect(at.host, at.port, deadline)
        return _wire.Stream(plain, deadline)
    cert, private_key = (want.cert, want.private_key) if at_home else ("", "")
    context = _wire.context(want.ca, cert, private_key, want.verify)
    name = want.host.partition(":")[0] if want.host and at_home else at.host
    plain = _wire.connect(at.host, at.port, deadline)
    return _wire.Stream(_wire.secure(plain, context, name, deadline), deadline)


def _host(at: Url) -> str:
    host = f"[{at.host}]" if ":" in at.host else at.host
    return host if at.socket or at.port == PORTS[at.scheme] else f"{host}:{at.port}"


def _request(method: str, target: str, host: str) -> bytes:
    """`identity` since a small compressed body may be a large one, and nobody asked for that."""
    lines = (
        f"{method} {target} HTTP/1.1", f"Host: {host}", "User-Agent: nodecheck", "Accept: */*",
        "Accept-Encoding: identity", "Connection: close", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode("ascii")


def _read_head(stream: Stream, answer: dict[str, Any]) -> dict[str, list[str]]:
    """Put the status into the answer and return the headers, by their names in lower case. Raises Stopped."""
    from nodecheck.node.windows._wire import Stopped

    while True:
        line = stream.line(LONGEST_LINE)
        if line is None:
            raise Stopped("headers", "it closed the connection")
        found = re.fullmatch(STATUS_LINE, line)
        if not found:
            raise Stopped("headers", "what answers there does not speak HTTP/1")
        headers = _read_headers(stream)
        if int(found[1]) >= 200 or int(found[1]) == 101:  # others of the 100s announce an answer
            answer |= {"status": int(found[1]), "reason": _text(found[2] or b"")[:100]}
            return headers


def _read_headers(stream: Stream) -> dict[str, list[str]]:
    from nodecheck.node.windows._wire import Stopped

    headers: dict[str, list[str]] = {}
    size = 0
    while line := stream.line(LONGEST_LINE):
        size += len(line)
        if size > MOST_HEADERS:
            raise Stopped("headers", f"its headers are larger than {MOST_HEADERS >> 10}KiB")
        name, _, value = _text(line).partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    if line is None:
        raise Stopped("headers", "it closed the connection within its headers")
    return headers


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _read_body(stream: Stream, headers: dict[str, list[str]], want: HttpWant, answer: dict[str, Any]) -> None:
    """Read the body to its end, or to the limit, and keep it when it is wanted. Raises Stopped."""
    kept = []
    for data in _pieces(stream, headers):
        answer["bytes"] += len(data)
        if want.body or want.paths or want.metrics or answer["status"] >= AN_ERROR:
            kept.append(data)
        if answer["bytes"] > want.limit:
            answer["cut"] = True
            break
    answer["seconds"] = stream.deadline.passed()
    if kept and not answer["cut"]:
        answer |= _kept(_text(b"".join(kept)), want)


def _kept(body: str, want: HttpWant) -> dict[str, Any]:
    """Return what is wanted of a body, without its secrets: it goes into records and reports."""
    from nodecheck.node.windows._masked import mask

    found = _values(body, want)
    return {
        "body": mask(body) if want.body else None,
        "values": None if found is None else {path: [mask(text) for text in texts] for path, texts in found.items()},
        "excerpt": mask(("\n".join(FAILED_LINE.findall(body)) or body)[:SHOWN]),
    }


def _values(body: str, want: HttpWant) -> dict[str, list[str]] | None:
    """Return {path or metric: its values}; None for a body that should be JSON and is not."""
    from nodecheck.node.windows import _jsonpath, _metrics

    if want.metrics:
        return _metrics.values(body, want.metrics)
    return _jsonpath.values(body, want.paths) if want.paths else None


def _masked_header(name: str, values: list[str]) -> list[str]:
    from nodecheck.node.windows._masked import mask

    return [mask(f"{name}: {value}").partition(": ")[2] for value in values]


def _pieces(stream: Stream, headers: dict[str, list[str]]) -> Any:
    """Yield the body piece by piece, however its end is told. Raises Stopped."""
    if "chunked" in headers.get("transfer-encoding", [""])[-1].lower():
        yield from _chunks(stream)
    elif "content-length" in headers:
        yield from _exactly(stream, _length(headers["content-length"][0], 10))
    else:
        while data := stream.some(LONGEST_LINE):
            yield data


def _chunks(stream: Stream) -> Any:
    while size := _chunk_size(stream):
        yield from _exactly(stream, size)
        stream.line(LONGEST_LINE)


def _chunk_size(stream: Stream) -> int:
    from nodecheck.node.windows._wire import Stopped

    line = stream.line(LONGEST_LINE)
    if line is None:
        raise Stopped("body", "it closed the connection before the end of its body")
    return _length(_text(line).partition(";")[0], 16)


def _length(told: str, base: int) -> int:
    from nodecheck.node.windows._wire import Stopped

    if not re.fullmatch(r"[0-9A-Fa-f]{1,15}", told.strip()):
        raise Stopped("body", f"it does not tell the length of its body: {told[:20]!r}")
    try:
        return int(told, base)
    except ValueError:
        raise Stopped("body", f"it does not tell the length of its body: {told[:20]!r}") from None


def _exactly(stream: Stream, size: int) -> Any:
    from nodecheck.node.windows._wire import Stopped

    left = size
    while left:
        data = stream.some(left)
        if not data:
            raise Stopped("body", f"it closed the connection {left} bytes before the end of its body")
        left -= len(data)
        yield data
