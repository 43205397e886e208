"""Certificates: are they valid, for how long, for whom, and are they the right ones?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks._port_address import parse
from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.definitions.expectation import Duration, Percent
from nodecheck.durations import format_duration
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows._address import is_host_name, split_address
from nodecheck.node.windows.tls import DONE, TlsWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.checks.base import Words
    from nodecheck.definitions.expectation import Text
    from nodecheck.node.node import Node, Want

    Data = dict[str, Any]

NOT_EXPIRED = Duration("> 0s")
A_CERTIFICATE = "a certificate"
SHOWN = 3  # certificates that are told of in one message
LADDER = {
    "resolve": "the name of {address} cannot be resolved: {error}",
    "connect": "{address} cannot be connected to: {error}",
    "tls": "{address} can be connected to, but not with TLS: {error}",
}

NOT_LOOKED_AT = {"unseen": "it was not looked at"}  # as in a record that somebody has changed


class Tls(Check):
    """Certificates are valid, and go on to be: those in files and kubeconfigs, or as a server shows its own."""

    path: str = arg(
        "Where they are: a file in PEM (of several, all are judged by their time, and the first by the rest) or DER, a "
        "kubeconfig (the client certificates of its users, embedded or named), or a folder, with those in it (files "
        "that end with .crt, .cer, .cert or .pem).",
        default=None,
    )
    address: str = arg(
        "host:port of a server that shows its certificate; that it verifies is not asked: see http.", default=None
    )
    server_name: str = arg(
        "Name by which the server is asked for its certificate; the host of the address, when left out.", default=None
    )
    expires: Duration = arg("Time until it expires.", default=NOT_EXPIRED)
    life_left: Percent = arg(
        "Time until it expires, of all the time for which it is valid: what is renewed by itself in time, and is not, "
        "shows by this, however long it is valid.",
        default=None,
    )
    names: Words = arg(
        "Names and addresses that it has to be for, all of them: by its alternative names, as clients look at it. Its "
        "*.example.com is for a.example.com, and for no other number of labels.",
        default=None,
    )
    subject: Text = arg(
        'Whose it is: the common name, or all of it as "O=system:masters, CN=kubernetes-admin".', default=None
    )
    issuer: Text = arg("Who has signed it: the common name, or all of it.", default=None)
    key: str = arg("File, or kubeconfig, with the private key that has to belong to it.", default=None)
    same_as: str = arg(
        "File whose first certificate it has to be: a server goes on to show an old one until it is restarted.",
        default=None,
    )

    EXAMPLE: ClassVar[str] = """\
- name: The API server shows the certificate that kubeadm renewed
  tls: {address: "127.0.0.1:6443", same_as: /etc/kubernetes/pki/apiserver.crt, expires: "> 14d"}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """One place to look at."""
        if (self.path is None) == (self.address is None):
            yield "path", "either path or address says where the certificate is", "path: /etc/kubernetes/pki"
        if self.address is not None and split_address(self.address) is None:
            yield "address", f"{self.address!r} is not host:port", "127.0.0.1:6443 or [::1]:6443"
        if self.server_name is not None and self.address is None:
            yield "server_name", "only a server is asked for a name", ""
        if self.server_name is not None and not is_host_name(self.server_name):
            yield "server_name", f"{self.server_name!r} is no name of a host", "www.example.com"

    def wants(self) -> Iterator[Want]:
        """The certificates, and what they are compared with."""
        yield self._want

    @property
    def _want(self) -> TlsWant:
        return TlsWant(self.path or "", self.address or "", self.server_name or "", self.key or "", self.same_as or "")

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last: there, readable, valid, and the right one. Raises Unobserved."""
        seen = node.look(self._want)
        if seen["stage"] != DONE:
            told = LADDER[seen["stage"]].format(address=self.address, error=seen["error"])
            yield Finding("address", Status.CRITICAL, A_CERTIFICATE, seen["error"], told, rule=seen["stage"])
            return
        for source in seen["sources"]:
            if source["error"]:
                yield self._broken(source)
        good = [source for source in seen["sources"] if source["certificates"]]
        if good:
            yield self._judge_expiry(good, node)
            yield from self._judge_life_left(good, node)
        for source in good:
            yield from self._judge_first(source)
        yield from self._judge_companions(seen, good)
        _raise_unseen([source["unseen"] for source in seen["sources"]])

    def _broken(self, source: Data) -> Finding:
        where = "address" if self.address else "path"
        return Finding(where, Status.CRITICAL, A_CERTIFICATE, source["error"], f"{source['place']}: {source['error']}")

    # ---- how long

    def _judge_expiry(self, sources: list[Data], node: Node) -> Finding:
        """Tell of those that are not as wanted, or of the first that will not be."""
        now = node.observed.clocks["realtime"]
        pairs = [(found, source["place"]) for source in sources for found in source["certificates"]]
        pairs.sort(key=lambda pair: pair[0]["not_after"])
        early = [(found, place) for found, place in pairs if found["not_before"] > now]
        bad = [(found, place) for found, place in pairs if not self._lasts(found["not_after"] - now)]
        told = [_not_yet(found, place, now) for found, place in early]
        told += [self._told_expiry(found, place, now) for found, place in bad]
        wrong = bool(told)
        shown = told or [self._told_expiry(*pairs[0], now)]
        more = f"; and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
        message = "; ".join(shown[:SHOWN]) + more
        first = (bad or pairs)[0][0]["not_after"] - now
        rule = "not_yet_valid" if early else "expires" if bad else ""
        status = Status.CRITICAL if wrong else Status.OK
        return Finding("expires", status, str(self.expires), self.expires.show(first), message, rule=rule)

    def _lasts(self, left: float) -> bool:
        """Whatever is expected, one that has expired is not as wanted."""
        return left > 0 and self.expires.matches(left)

    def _told_expiry(self, found: Data, place: str, now: float) -> str:
        left = found["not_after"] - now
        if left <= 0:
            return f"{_called(found, place)} expired {format_duration(abs(left))} ago, on {_date(found['not_after'])}"
        expected = "" if self.expires.matches(left) else f", expected {self.expires}"
        return f"{_called(found, place)} expires in {format_duration(left)}, on {_date(found['not_after'])}{expected}"

    def _judge_life_left(self, sources: list[Data], node: Node) -> Iterator[Finding]:
        """Tell of the one that has the least; what has expired is told already."""
        now = node.observed.clocks["realtime"]
        pairs = [(found, source["place"]) for source in sources for found in source["certificates"]]
        valid = [(_life_left(found, now), _called(found, place)) for found, place in pairs if found["not_after"] > now]
        if valid:
            share, called = min(valid)
            yield from judge_expectation("life_left", self.life_left, share, subject=called, unit="life left")

    # ---- for whom, and by whom

    def _judge_first(self, source: Data) -> Iterator[Finding]:
        first, place = source["certificates"][0], source["place"]
        if self.names is not None:
            yield _judge_names(first, place, self.names)
        for name, wanted in (("subject", self.subject), ("issuer", self.issuer)):
            if wanted is not None:
                common = first["common_name" if name == "subject" else "issuer_common_name"]
                yield _judge_name(name, wanted, (first[name], common), _called(first, place))

    # ---- is it the right one?

    def _judge_companions(self, seen: Data, good: list[Data]) -> Iterator[Finding]:
        if not good:
            return
        first, place = good[0]["certificates"][0], good[0]["place"]
        if self.key is not None:
            yield self._judge_key(seen["key"] or NOT_LOOKED_AT, _called(first, place))
        if self.same_as is not None:
            yield self._judge_same(seen["same_as"] or NOT_LOOKED_AT, first, place)

    def _judge_key(self, seen: Data, called: str) -> Finding:
        if seen["unseen"]:
            told = f"whether the private key belongs to {called} could not be seen: {seen['unseen']}"
            return Finding("key", Status.UNKNOWN, self.key, None, told)
        if seen["error"]:
            return Finding("key", Status.CRITICAL, self.key, seen["error"], f"{self.key}: {seen['error']}")
        if not seen["matches"]:
            told = f"the private key in {self.key} does not belong to {called}"
            return Finding("key", Status.CRITICAL, self.key, "another key", told)
        return Finding("key", Status.OK, self.key, self.key, f"the private key in {self.key} belongs to {called}")

    def _judge_same(self, other: Data, first: Data, place: str) -> Finding:
        if other["unseen"]:
            return Finding("same_as", Status.UNKNOWN, self.same_as, None, other["unseen"])
        if not other["certificates"]:
            return Finding(
                "same_as", Status.CRITICAL, self.same_as, other["error"], f"{self.same_as}: {other['error']}"
            )
        wanted = other["certificates"][0]
        if first["fingerprint"] == wanted["fingerprint"]:
            return Finding("same_as", Status.OK, self.same_as, self.same_as, f"{place} is that of {self.same_as}")
        verb = "shows" if self.address else "holds"
        told = (
            f"{place} {verb} another certificate, which expires on {_date(first['not_after'])}, than {self.same_as}, "
            f"which expires on {_date(wanted['not_after'])}"
        )
        return Finding("same_as", Status.CRITICAL, self.same_as, f"{first['fingerprint'][:16]}...", told)


def _raise_unseen(reasons: list[str]) -> None:
    """One that could not be seen may be one that is not as wanted."""
    unseen = [reason for reason in reasons if reason]
    if unseen:
        more = f" (and {len(unseen) - 1} more)" if len(unseen) > 1 else ""
        raise Unobserved("certificates", f"{unseen[0]}{more}", remedy="run nodecheck as root")


def _judge_names(first: Data, place: str, wanted: Words) -> Finding:
    missing = [name for name in wanted if not any(_covers(pattern, name) for pattern in first["names"])]
    names = ", ".join(first["names"]) or "no names"
    told = f"{_called(first, place)} is for {names}"
    if missing:
        told += f", and not for {', '.join(missing)}"
    return Finding("names", Status.CRITICAL if missing else Status.OK, str(wanted), names, told)


def _covers(pattern: str, name: str) -> bool:
    """RFC 6125: an address is one, and the asterisk is for one whole label, the first."""
    address = parse(name)
    if address is not None:
        return address == parse(pattern)
    pattern, name = pattern.lower().rstrip("."), name.lower().rstrip(".")
    if pattern == name:
        return True
    label, _, domain = name.partition(".")
    return bool(label) and "." in domain and pattern == f"*.{domain}"


def _judge_name(name: str, wanted: Text, observed: tuple[str, str], called: str) -> Finding:
    matched = wanted.matches(observed)
    told = f"the {name} of {called} is {observed[0] or 'empty'}" + ("" if matched else f", expected {wanted}")
    return Finding(name, Status.OK if matched else Status.CRITICAL, str(wanted), observed[0], told)


def _not_yet(found: Data, place: str, now: float) -> str:
    begins = found["not_before"]
    return (
        f"{_called(found, place)} is not valid before {_date(begins)}, in {format_duration(begins - now)}: "
        "is the clock right?"
    )


def _life_left(found: Data, now: float) -> float:
    """In percent; one that is not valid yet has all of it."""
    whole = max(found["not_after"] - found["not_before"], 1)
    return float(min(100 * (found["not_after"] - now) / whole, 100))


def _called(found: Data, place: str) -> str:
    whose = found["common_name"] or found["subject"]
    return f"the certificate of {whose} ({place})" if whose else f"the certificate of {place}"


def _date(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
