"""HTTP servers: do they answer, in time, and what they should?"""

from __future__ import annotations

import re
from math import isnan
from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.definitions.expectation import Number
from nodecheck.node.unobserved import MASK
from nodecheck.node.windows._address import is_host_name, parse_url, split_address, without_secrets
from nodecheck.node.windows._jsonpath import steps
from nodecheck.node.windows.http import DONE, HttpWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.checks.base import Numbers, Texts
    from nodecheck.definitions.expectation import Duration, Text
    from nodecheck.node.node import Node, Want
    from nodecheck.node.windows._address import Url

ANSWERED = Number(200)
ANSWER = "an answer"
SHOWN = 100  # characters of a body or a value
LONGEST_SOCKET_PATH = 107  # bytes: unix(7)
LADDER = {
    "resolve": "the name of {url} cannot be resolved: {error}",
    "connect": "{url} cannot be connected to: {error}",
    "tls": "{url} can be connected to, but not with TLS: {error}",
    "verify": "the certificate of {url} does not verify: {error}",
    "request": "{url} can be connected to, but takes no request: {error}",
    "headers": "{url} can be connected to, but does not answer: {error}",
    "redirect": "{url} answers {status}, but {error}",
    "body": "{url} answers {status}, but its body does not come to an end: {error}",
}


class Http(Check):
    """An HTTP server answers, in time, and what it should: over TCP, TLS or a socket in the file system."""

    url: str = arg(
        "What to ask for: http://, https:// or unix:// with the path of a socket and then what to ask for, such as "
        "unix:///run/docker.sock/_ping. The path of the socket ends with .sock, or with a colon: unix:///run/web:/ping."
        " Nothing is asked where only systemd listens: that would start a service."
    )
    method: str = arg("GET, or HEAD for an answer without a body.", default="GET", choices=("GET", "HEAD"))
    host: str = arg(
        "Name of the server, where it is not that of the URL: it is asked for this host, and its certificate has to be "
        "for it.",
        default=None,
    )
    status: Number = arg(
        "Status of the answer. A server that answers 401 or 403 is alive: [200, 401, 403].", default=ANSWERED
    )
    body: Text = arg("The text of the answer, without blanks at its ends.", default=None)
    json: Texts = arg(
        'Values in an answer that is JSON, by their paths: {status: ok, "nodes[0].name": /^w/, ready: "true"}. A name '
        'with a dot in it is written ["a.b"].',
        default=None,
    )
    metrics: Numbers = arg(
        "Values in an answer in the text format of Prometheus, by the names of metrics: {etcd_server_has_leader: 1}. "
        "Each series of a name has to be so, or the one with the labels that are written: 'x{code=\"200\"}'. Of a "
        "histogram, it is the mean since the start of the server. What is NaN is unknown.",
        default=None,
    )
    headers: Texts = arg("Headers of the answer, by their names.", default=None)
    time: Duration = arg("Time from the start to the end of the answer.", default=None)
    verify: bool = arg("Whether the certificate of the server has to verify.", default=True)
    ca: str = arg(
        "File, or folder with the names of openssl rehash, of the certificates with which that of the server has to "
        "verify; those of the system, when left out.",
        default=None,
    )
    cert: str = arg("File of the client certificate to show.", default=None)
    key: str = arg("File of its private key; it is in the same file, when left out.", default=None)
    follow: int = arg(
        "How many redirects to follow. None leads from https to http, and no other server than the first is shown the "
        "client certificate.",
        default=0,
        minimum=0,
        maximum=10,
    )
    limit: int = arg(
        "How many bytes of a body are read; a larger one is not as wanted.",
        default=1 << 20,
        minimum=1,
        maximum=64 << 20,
    )

    EXAMPLE: ClassVar[str] = """\
- name: Docker answers
  http: {url: "unix:///run/docker.sock/_ping", body: OK, time: "< 1s"}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """What can be asked, and goes together."""
        url = parse_url(self.url)
        if url is None:
            yield from self._mistakes_of_url()
        elif useless := self._tls_arguments(url):
            yield useless[0], "this is for https:// only", ""
        if len(url.socket if url else "") > LONGEST_SOCKET_PATH:
            yield "url", f"the path of a socket has at most {LONGEST_SOCKET_PATH} bytes", ""
        if self.host is not None and not (is_host_name(self.host) or _is_host_and_port(self.host)):
            yield "host", f"{self.host!r} is no name of a host", "host: www.example.com"
        if self.ca is not None and not self.verify:
            yield "ca", "there is nothing to verify with it where verify is false", ""
        if self.key is not None and self.cert is None:
            yield "key", "a private key is of no use without its certificate", "name it with cert"
        yield from self._mistakes_of_body()

    def _mistakes_of_body(self) -> Iterator[tuple[str, str, str]]:
        if self.method == "HEAD" and any(wanted is not None for wanted in (self.body, self.json, self.metrics)):
            yield "method", "an answer to HEAD has no body", ""
        if self.json is not None and self.metrics is not None:
            yield "metrics", "an answer is JSON or has metrics, not both", ""
        for path in self.json or ():
            if steps(path) is None:
                yield "json", f"{path!r} is no path in JSON", 'a.b[0].c or a["b.c"]'

    def _mistakes_of_url(self) -> Iterator[tuple[str, str, str]]:
        if re.match(r"\w+://[^/]*@", self.url):
            yield "url", "a user or password in an URL would be in every report", "leave it out; 401 tells of life too"
        else:
            yield "url", f"{self.url!r} cannot be asked", "http://, https:// or unix:///run/x.sock/path, without blanks"

    def _tls_arguments(self, url: Url) -> list[str]:
        """Return the arguments that are of no use without TLS; a redirect may lead from http to it."""
        given: dict[str, str | None] = {"cert": self.cert, "key": self.key}
        if url.scheme != "http" or not self.follow:
            given |= {"ca": self.ca, "verify": None if self.verify else "false"}
        return [name for name, value in given.items() if value is not None and url.scheme != "https"]

    def wants(self) -> Iterator[Want]:
        """The answer, with those parts of it that are judged."""
        yield self._want

    @property
    def _want(self) -> HttpWant:
        return HttpWant(
            self.url,
            self.method,
            host=self.host or "",
            headers=tuple(sorted({name.lower() for name in self.headers or ()})),
            body=self.body is not None,
            paths=tuple(sorted(self.json or ())),
            metrics=tuple(sorted(self.metrics or ())),
            ca=self.ca or "",
            cert=self.cert or "",
            private_key=self.key or "",
            verify=self.verify,
            follow=self.follow,
            limit=self.limit,
        )

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last: connected, answered, with the right status, whole, and as wanted."""
        seen = node.look(self._want)
        if seen["status"] is None or seen["stage"] == "redirect":
            yield self._stopped(seen)
            return
        status = self._judge_status(seen)
        yield status
        if status.status is not Status.OK:
            return
        if seen["stage"] != DONE:
            yield self._stopped(seen)
            return
        yield from self._judge_answer(seen)

    def _stopped(self, seen: dict[str, Any]) -> Finding:
        told = LADDER[seen["stage"]].format(
            url=self._called(seen), error=seen["error"], status=_status(seen) if seen["status"] else ""
        )
        rung = "verify" if seen["stage"] == "verify" else "url"
        return Finding(rung, Status.CRITICAL, ANSWER, seen["error"], told, rule=seen["stage"])

    def _called(self, seen: dict[str, Any]) -> str:
        asked = without_secrets(self.url)
        if not seen["redirects"]:
            return asked
        times = f"{seen['redirects']} redirects" if seen["redirects"] > 1 else "a redirect"
        return f"{seen['url']} (after {times} from {asked})"

    def _judge_status(self, seen: dict[str, Any]) -> Finding:
        matched = self.status.matches(seen["status"])
        told = f"{self._called(seen)} answers {_status(seen)}"
        if seen["location"]:
            told += f", which redirects to {seen['location']}"
        if not matched:
            told += f", expected {self.status}"
            told += f": {_excerpt(seen['excerpt'])}" if _is_for_people(seen["excerpt"]) else ""
        return Finding(
            "status",
            Status.OK if matched else Status.CRITICAL,
            str(self.status),
            self.status.show(seen["status"]),
            told,
        )

    def _judge_answer(self, seen: dict[str, Any]) -> Iterator[Finding]:
        called = self._called(seen)
        yield from judge_expectation("time", self.time, seen["seconds"], subject=called, unit="time to answer")
        for name, wanted in (self.headers or {}).items():
            yield _judge_values("headers", f"header {name} of {called}", wanted, seen["headers"].get(name.lower(), []))
        if seen["cut"]:
            told = f"the body of {called} is larger than {self.limit} bytes: the rest was not read"
            yield Finding("limit", Status.CRITICAL, f"at most {self.limit} bytes", "more", told)
            return
        if self.body is not None:
            yield _judge_values("body", f"body of {called}", self.body, [(seen["body"] or "").strip()])
        if self.json is not None:
            yield from self._judge_json(seen, self.json, called)
        for name, number in (self.metrics or {}).items():
            yield _judge_metric(f"metric {name} of {called}", number, (seen["values"] or {}).get(name, []))

    def _judge_json(self, seen: dict[str, Any], wanted: Texts, called: str) -> Iterator[Finding]:
        if seen["values"] is None:
            shown = _excerpt(seen["excerpt"])
            yield Finding("json", Status.CRITICAL, "JSON", shown, f"the body of {called} is no JSON: {shown}")
            return
        for path, expectation in wanted.items():
            yield _judge_values("json", f"{path} in the body of {called}", expectation, seen["values"].get(path, []))


def _judge_values(name: str, what: str, wanted: Text, values: list[str]) -> Finding:
    """Judge a text that may be missing, or be there more than once."""
    matched = wanted.matches(tuple(values))
    shown = ", ".join(map(_excerpt, values))
    if any(MASK in value for value in values) and not (matched and _looks_for_text(wanted)):
        told = f"the {what} was masked, since it may be secret: whether it is {wanted} cannot be told"
        return Finding(name, Status.UNKNOWN, str(wanted), None, told)
    told = f"the {what} is {shown}" if values else f"there is no {what}"
    told += "" if matched else f", expected {wanted}"
    return Finding(name, Status.OK if matched else Status.CRITICAL, str(wanted), shown or "missing", told)


def _judge_metric(what: str, wanted: Number, values: list[str]) -> Finding:
    if not values:
        return Finding("metrics", Status.CRITICAL, str(wanted), "missing", f"there is no {what}, expected {wanted}")
    numbers = [_number(value) for value in values]
    known = [number for number in numbers if not isnan(number)]
    wrong = [number for number in known if not wanted.matches(number)]
    if not wrong and len(known) < len(numbers):
        told = f"the {what} is NaN: its server has counted nothing yet, or cannot tell it"
        return Finding("metrics", Status.UNKNOWN, str(wanted), None, told)
    shown = wanted.show((wrong or numbers)[0])
    told = f"the {what} is {shown}" + (f", expected {wanted}" if wrong else "")
    return Finding("metrics", Status.CRITICAL if wrong else Status.OK, str(wanted), shown, told)


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _is_for_people(text: str) -> bool:
    """Tell whether a body of an error says something: a page in HTML shows its markup."""
    return bool(text.strip()) and not text.lstrip().startswith("<")


def _looks_for_text(wanted: Text) -> bool:
    """Tell whether an expectation only says what is to be there; what is not to be there may be behind a mask."""
    items = wanted.source if isinstance(wanted.source, list) else [wanted.source]
    return not any(isinstance(item, dict) or str(item).lstrip().startswith("!=") for item in items)


def _is_host_and_port(text: str) -> bool:
    parts = split_address(text)
    return parts is not None and is_host_name(parts[0])


def _status(seen: dict[str, Any]) -> str:
    return f"{seen['status']} {seen['reason']}".strip()


def _excerpt(text: str) -> str:
    """Return a short piece of a text, on one line."""
    line = " ".join(text[: 4 * SHOWN].split())
    return (f"{line[:SHOWN]}..." if len(line) > SHOWN else line) or '""'
