"""Names: answers, refusals, silence, and a resolver that asks itself."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import judge, make, node, status_of, statuses, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
NAME, SERVER = "db.example", "10.96.0.10"


def seen(*answers: str, server: str = SERVER, type: str = "A", **fields: Any) -> Node:
    """Return a node on which the question was answered so."""
    plain: dict[str, Any] = {
        "outcome": "answered", "rcode": "NOERROR" if server else "", "answers": list(answers), "aliases": [],
        "ignored": 0, "error": "", "seconds": 0.25, "servers": [],
    }  # fmt: skip
    made = node()
    made.observed.windows = {"dns": {f"{NAME} {type}" + (f" of {server}" if server else ""): plain | fields}}
    return made


def one(server: str, outcome: str = "silent", rcode: str = "", *, own: bool = False) -> dict[str, Any]:
    """Return what a server of resolv.conf said by itself."""
    return {"server": server, "is_this_node": own, "outcome": outcome, "rcode": rcode}


def check(**arguments: Any) -> Any:
    return make("dns", name=NAME, server=SERVER, **arguments)


@pytest.mark.parametrize(
    ("expected", "observed", "status"),
    [
        ({}, seen("10.0.0.1"), OK),
        ({}, seen(), CRITICAL),
        ({}, seen(rcode="NXDOMAIN"), CRITICAL),
        ({}, seen(rcode="SERVFAIL"), CRITICAL),
        ({"answers": "10.0.0.1"}, seen("10.0.0.1"), OK),
        ({"answers": "10.0.0.1"}, seen("10.0.0.2", "10.0.0.1"), OK),
        ({"answers": "10.0.0.1"}, seen("10.0.0.2"), CRITICAL),
        ({"answers": ["10.0.0.1", "10.0.0.2"]}, seen("10.0.0.2"), OK),
        ({"answers": {"all": ["10.0.0.1", "10.0.0.2"]}}, seen("10.0.0.2"), CRITICAL),
        ({"answers": {"all": ["10.0.0.1", "10.0.0.2"]}}, seen("10.0.0.2", "10.0.0.1"), OK),
        ({"answers": "!= 10.0.0.1"}, seen("10.0.0.2", "10.0.0.1"), CRITICAL),
        ({"answers": "!= 10.0.0.1"}, seen(), CRITICAL),
        ({"answers": "/^10[.]/"}, seen("192.0.2.1"), CRITICAL),
        ({"rcode": "NXDOMAIN"}, seen(rcode="NXDOMAIN"), OK),
        ({"rcode": "NXDOMAIN"}, seen(), CRITICAL),
        ({"rcode": "NXDOMAIN"}, seen("10.0.0.1"), CRITICAL),
        ({"rcode": "NOERROR"}, seen(), OK),
        ({"rcode": "NOERROR", "answers": "10.0.0.1"}, seen(), CRITICAL),
        ({"time": "< 1s"}, seen("10.0.0.1"), OK),
        ({"time": "< 100ms"}, seen("10.0.0.1"), CRITICAL),
        *(
            ({"rcode": "NXDOMAIN"}, seen(rcode="", outcome=outcome), CRITICAL)
            for outcome in ("silent", "refused", "unreachable", "truncated")
        ),
    ],
)
def test_what_a_server_answers_is_judged(expected: dict[str, Any], observed: Node, status: Status) -> None:
    assert status == status_of(check(**expected), observed)


@pytest.mark.parametrize(
    ("answers", "fields", "status"),
    [
        (["10.0.0.1"], {}, OK),
        ([], {"error": "Name or service not known"}, CRITICAL),
        ([], {"outcome": "silent"}, CRITICAL),
        ([], {"outcome": "failed", "error": "Temporary failure in name resolution"}, CRITICAL),
    ],
)
def test_what_the_resolver_of_the_node_answers_is_judged(
    answers: list[str], fields: dict[str, Any], status: Status
) -> None:
    assert status == status_of(make("dns", name=NAME), seen(*answers, server="", **fields))


@pytest.mark.parametrize(
    ("observed", "message"),
    [
        (seen("10.0.0.1", "10.0.0.2"), "10.96.0.10 says that db.example is 10.0.0.1, 10.0.0.2, within 0.2s"),
        (seen(), "10.96.0.10 knows no A record of db.example (NOERROR without an answer)"),
        (
            seen(aliases=["www.example"]),
            (
                "10.96.0.10 knows no A record of db.example, which is another name for www.example "
                "(NOERROR without an answer)"
            ),
        ),
        (seen(rcode="NXDOMAIN"), "10.96.0.10 says that there is no db.example (NXDOMAIN)"),
        (seen(rcode="SERVFAIL"), "10.96.0.10 answers db.example with SERVFAIL"),
        (seen(outcome="silent"), "10.96.0.10 does not answer about db.example within 0.2s"),
        (
            seen(outcome="silent", ignored=3),
            (
                "10.96.0.10 does not answer about db.example within 0.2s; what came 3 times was no answer to the "
                "question"
            ),
        ),
        (seen(outcome="refused"), "nothing listens on 10.96.0.10 for questions of DNS (UDP)"),
        (seen(outcome="unreachable", error="No route to host"), "10.96.0.10 cannot be reached: No route to host"),
        (
            seen(outcome="truncated", error="Connection refused"),
            "the answer of 10.96.0.10 is too large for UDP, and by TCP it gives none: Connection refused",
        ),
    ],
)
def test_the_message_says_what_the_server_said(observed: Node, message: str) -> None:
    assert message == told(check(), observed)


def test_the_message_says_what_was_expected() -> None:
    assert told(check(answers="10.0.0.1"), seen("10.0.0.2")) == (
        "10.96.0.10 says that db.example is 10.0.0.2, expected 10.0.0.1"
    )


RESOLVER = "the resolver of this node"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"error": "Name or service not known"},
            f"{RESOLVER} knows no A record of db.example: Name or service not known",
        ),
        ({"outcome": "silent"}, f"{RESOLVER} does not answer about db.example within 0.2s"),
        (
            {"outcome": "silent", "servers": [one("10.0.0.1"), one("10.0.0.2", "answered", "NOERROR")]},
            (
                f"{RESOLVER} does not answer about db.example within 0.2s; of /etc/resolv.conf, 10.0.0.1 does not "
                "answer, 10.0.0.2 answers"
            ),
        ),
        (
            {"outcome": "failed", "error": "No", "servers": [one("127.0.0.1", "refused", own=True)]},
            (
                f"{RESOLVER} could not find out what db.example is: No; of /etc/resolv.conf, 127.0.0.1 (or it "
                "names none: then that is asked) is not there: nothing listens"
            ),
        ),
        (
            {"outcome": "failed", "error": "No", "servers": [one("10.0.0.1", "unreachable"), one("::1", "truncated")]},
            (
                f"{RESOLVER} could not find out what db.example is: No; of /etc/resolv.conf, 10.0.0.1 "
                "cannot be reached, ::1 gives no answer (truncated)"
            ),
        ),
    ],
)
def test_the_message_says_what_the_resolver_came_to(fields: dict[str, Any], message: str) -> None:
    assert message == told(make("dns", name=NAME), seen(server="", **fields))


@pytest.mark.parametrize(
    ("server", "is_loop"),
    [
        (one("127.0.0.1", own=True), True),
        (one("127.0.0.1", "answered", "SERVFAIL", own=True), True),
        (one("127.0.0.1", "answered", "REFUSED", own=True), True),
        (one("127.0.0.1", "answered", "NOERROR", own=True), False),
        (one("127.0.0.1", "refused", own=True), False),
        (one("10.0.0.1"), False),
        (one("10.0.0.1", "answered", "SERVFAIL"), False),
    ],
)
def test_a_resolver_that_may_ask_itself_is_told_as_such(server: dict[str, Any], is_loop: bool) -> None:
    says = told(make("dns", name=NAME), seen(server="", outcome="failed", servers=[server]))
    assert is_loop == says.endswith(
        "; 127.0.0.1 is this node itself: a name server here that asks those of /etc/resolv.conf asks itself"
    )


def test_where_nobody_answers_only_that_is_told() -> None:
    findings = judge(check(answers="10.0.0.1", rcode="NOERROR", time="< 1ms"), seen(outcome="silent"))
    assert [finding.property for finding in findings] == ["answers"]


def test_a_code_and_an_answer_are_judged_each_by_itself() -> None:
    found = statuses(check(rcode="NOERROR", answers="10.0.0.1"), seen("10.0.0.2"))
    assert found == {"rcode": OK, "answers": CRITICAL}


@pytest.mark.parametrize(
    ("arguments", "mistakes"),
    [
        ({"name": NAME}, []),
        ({"name": "10.0.0.1", "type": "PTR", "server": SERVER}, []),
        ({"name": "_dns._udp.kube-dns.svc", "type": "SRV", "server": "[::1]:5353", "rcode": "NXDOMAIN"}, []),
        ({"name": "a..b"}, ["name"]),
        ({"name": "müller.example"}, ["name"]),
        ({"name": NAME, "server": "dns.example"}, ["server"]),
        ({"name": NAME, "server": "10.0.0.1:dns"}, ["server"]),
        ({"name": NAME, "type": "MX"}, ["type"]),
        ({"name": NAME, "rcode": "NXDOMAIN"}, ["rcode"]),
        ({"name": NAME, "server": SERVER, "rcode": ["NOERROR", "RCODE15", "/X/"]}, []),
        ({"name": NAME, "server": SERVER, "rcode": "!= nxdomain"}, ["rcode"]),
        ({"name": NAME, "type": "AAAA", "answers": ["2001:db8::1", "::ffff:10.0.0.1", "/^FE80/"]}, []),
        ({"name": NAME, "type": "AAAA", "answers": "!= 2001:DB8::1"}, ["answers"]),
        ({"name": NAME, "type": "AAAA", "answers": {"all": ["2001:db8::1", "2001:db8:0::2"]}}, ["answers"]),
        ({"name": NAME, "type": "SRV", "server": SERVER, "answers": ["0 0 0 .", "0 9 53 a.example"]}, []),
        ({"name": NAME, "type": "SRV", "server": SERVER, "answers": "0 9 53 a.example."}, ["answers"]),
        ({"name": NAME, "type": "NS", "server": SERVER, "answers": "."}, []),
        ({"name": NAME, "type": "TXT", "server": SERVER, "answers": "well."}, []),
    ],
)
def test_what_is_wrong_together_is_a_mistake(arguments: dict[str, Any], mistakes: list[str]) -> None:
    assert mistakes == [argument for argument, _, _ in make("dns", **arguments).mistakes()]


def test_a_slip_is_told_with_what_was_meant() -> None:
    slips = make("dns", name=NAME, type="AAAA", answers="2001:DB8::1").mistakes()
    assert [*slips] == [("answers", "'2001:DB8::1' is never answered so", "write 2001:db8::1")]
