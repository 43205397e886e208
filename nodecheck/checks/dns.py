"""Names: what a name server, or this node's own resolver, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.durations import format_duration
from nodecheck.node import dnsmessage
from nodecheck.node.nameservice import RESOLV_CONF
from nodecheck.node.windows.dns import FAMILIES, DnsWant, asked_name, parse_server
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Duration, Text
    from nodecheck.node.node import Node, Want

ANSWERS = "an answer"
RESOLVER = "the resolver of this node"
# What a name server says, or does not, when the one that it asks is itself.
LIKE_A_LOOP = ("SERVFAIL", "REFUSED")
LOOP = f"a name server here that asks those of {RESOLV_CONF} asks itself"
BY_DEFAULT = {"127.0.0.1": " (or it names none: then that is asked)"}  # resolv.conf(5)
SAID = {"silent": "does not answer", "refused": "is not there: nothing listens", "unreachable": "cannot be reached"}


class Dns(Check):
    """A name has the right addresses, by a certain name server or by this node's own resolver."""

    name: str = arg(
        "Name to ask for. A server is asked for it as it stands; the resolver of this node also tries its search "
        "domains. With the type PTR, an address."
    )
    server: str = arg(
        "Name server to ask: an address, or address:port. The resolver of this node, when left out: what /etc/hosts, "
        "/etc/resolv.conf and /etc/nsswitch.conf say, as programs on it see it.",
        default=None,
    )
    type: str = arg(
        "Type of the records to ask for; other types than A and AAAA only of a server.",
        default="A",
        choices=tuple(sorted(dnsmessage.TYPES)),
    )
    answers: Text = arg(
        "What it has to answer: an address, or a record as zone files have it, with no dot at the end of names. Of "
        "several answers, any; {all: [...]} for all of these.",
        default=None,
    )
    rcode: Text = arg(
        "How the server has to answer, such as NXDOMAIN; when left out, NOERROR with at least one answer.", default=None
    )
    time: Duration = arg("How long it takes until the answer is there.", default=None)

    EXAMPLE: ClassVar[str] = """\
- name: CoreDNS knows the API server
  dns: {name: kubernetes.default.svc.cluster.local, server: 10.96.0.10, answers: 10.96.0.1, time: < 1s}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """Name and server are such; the resolver of the node tells addresses only, and no response codes."""
        try:
            dnsmessage.encoded(asked_name(self.name, self.type))
        except ValueError as error:
            yield "name", str(error), ""
        yield from self._slips()
        if self.server is not None:
            try:
                parse_server(self.server)
            except ValueError as error:
                yield "server", f"{self.server!r} is no address of a name server: {error}", "such as 10.96.0.10"
            return
        if self.type not in FAMILIES:
            yield "type", "the resolver of this node tells addresses only (A, AAAA)", "name a server to ask"
        if self.rcode is not None:
            yield "rcode", "the resolver of this node does not tell it", "name a server to ask"

    def _slips(self) -> Iterator[tuple[str, str, str]]:
        """Yield what no server ever answers: that would fail for ever, or never where it is not wanted."""
        for literal in self.answers.literals() if self.answers else ():
            written = dnsmessage.as_answered(literal, self.type)
            if written != literal:
                yield "answers", f"{literal!r} is never answered so", f"write {written}"
        for message, hint in self.rcode.unknown_words(dnsmessage.every_rcode(), "response code") if self.rcode else ():
            yield "rcode", message, hint

    def wants(self) -> Iterator[Want]:
        """One question."""
        yield self._want

    @property
    def _want(self) -> DnsWant:
        return DnsWant(self.name, self.type, self.server or "")

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last: an answer, its code, its records, in time."""
        seen = node.look(self._want)
        if seen["outcome"] != "answered":
            message = self._silence(seen) + self._servers(seen)
            yield Finding("answers", Status.CRITICAL, self._expected, seen["outcome"], message)
            return
        yield from judge_expectation("rcode", self.rcode, seen["rcode"], subject=f"{self._who} about {self.name}")
        if self.rcode is None or self.answers is not None:
            yield self._judge_answers(seen)
        yield from judge_expectation("time", self.time, seen["seconds"], subject=f"the answer of {self._who}")

    @property
    def _who(self) -> str:
        return self.server or RESOLVER

    @property
    def _expected(self) -> str:
        return ANSWERS if self.answers is None else str(self.answers)

    def _judge_answers(self, seen: dict[str, Any]) -> Finding:
        found = seen["answers"]
        if not found:
            return Finding("answers", Status.CRITICAL, self._expected, seen["rcode"] or "none", self._without(seen))
        shown = ", ".join(found)
        within = f"within {format_duration(seen['seconds'])}"
        message = f"{self._who} says that {self.name} is {shown}"
        if self.answers is None or self.answers.matches(frozenset(found)):
            return Finding("answers", Status.OK, self._expected, shown, f"{message}, {within}")
        return Finding("answers", Status.CRITICAL, self._expected, shown, f"{message}, expected {self.answers}")

    def _without(self, seen: dict[str, Any]) -> str:
        """Say why there are no answers."""
        alias = f", which is another name for {seen['aliases'][-1]}" if seen["aliases"] else ""
        if not seen["rcode"]:
            return f"{self._who} knows no {self.type} record of {self.name}: {seen['error']}"
        if seen["rcode"] == "NOERROR":
            return f"{self._who} knows no {self.type} record of {self.name}{alias} (NOERROR without an answer)"
        if seen["rcode"] == "NXDOMAIN":
            return f"{self._who} says that there is no {self.name}{alias} (NXDOMAIN)"
        return f"{self._who} answers {self.name} with {seen['rcode']}"

    def _silence(self, seen: dict[str, Any]) -> str:
        """Say how far the question got."""
        within = f"within {format_duration(seen['seconds'])}"
        if seen["outcome"] == "refused":
            return f"nothing listens on {self._who} for questions of DNS (UDP)"
        if seen["outcome"] == "unreachable":
            return f"{self._who} cannot be reached: {seen['error']}"
        if seen["outcome"] == "truncated":
            return f"the answer of {self._who} is too large for UDP, and by TCP it gives none: {seen['error']}"
        if seen["outcome"] == "failed":
            return f"{self._who} could not find out what {self.name} is: {seen['error']}"
        strange = f"; what came {seen['ignored']} times was no answer to the question" if seen["ignored"] else ""
        return f"{self._who} does not answer about {self.name} {within}{strange}"

    def _servers(self, seen: dict[str, Any]) -> str:
        """Say what each server of the resolver says by itself, and whether it may be asking itself."""
        if not seen["servers"]:
            return ""
        told = [f"{one['server']}{BY_DEFAULT.get(one['server'], '')} {_said(one)}" for one in seen["servers"]]
        loops = [one["server"] for one in seen["servers"] if one["is_this_node"] and _is_like_a_loop(one)]
        loop = f"; {', '.join(loops)} is this node itself: {LOOP}" if loops else ""
        return f"; of {RESOLV_CONF}, {', '.join(told)}{loop}"


def _said(server: dict[str, Any]) -> str:
    if server["outcome"] == "answered":
        return "answers" if server["rcode"] in ("NOERROR", "NXDOMAIN") else f"answers {server['rcode']}"
    return SAID.get(server["outcome"], f"gives no answer ({server['outcome']})")


def _is_like_a_loop(server: dict[str, Any]) -> bool:
    return server["outcome"] == "silent" or server["rcode"] in LIKE_A_LOOP
