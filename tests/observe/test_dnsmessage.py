"""What name servers send, as it is and as nobody should send it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.node import dnsmessage
from nodecheck.node.dnsmessage import Answer, NotTheAnswer

from .nameserver import AT_QUESTION, a, record, reply

NAME = "kubernetes.default.svc.cluster.local"


def ask(type: str = "A", name: str = NAME) -> bytes:
    return dnsmessage.question(7, name, type)


def answered(*records: bytes, type: str = "A") -> Answer:
    return dnsmessage.answer(ask(type), reply(ask(type), *records))


def test_a_question_is_what_the_standard_says() -> None:
    assert dnsmessage.question(258, "a.bc", "AAAA") == (
        b"\x01\x02\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02bc\x00\x00\x1c\x00\x01"
    )
    assert dnsmessage.question(1, "a.bc.", "A") == dnsmessage.question(1, "a.bc", "A")


@pytest.mark.parametrize("name", ["", ".", "a..b", ".a", "x" * 64, ".".join(["x" * 60] * 5), "müller.example"])
def test_what_can_be_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"can be no name|is not ASCII"):
        dnsmessage.encoded(name)


KUBE_DNS = b"\x08kube-dns" + AT_QUESTION


@pytest.mark.parametrize(
    ("type", "content", "shown"),
    [
        ("A", bytes([10, 96, 0, 1]), "10.96.0.1"),
        ("AAAA", bytes([0xFD, *[0] * 14, 1]), "fd00::1"),
        ("CNAME", KUBE_DNS, f"kube-dns.{NAME}"),
        ("NS", b"\x02ns\x00", "ns"),
        ("PTR", KUBE_DNS, f"kube-dns.{NAME}"),
        ("MX", b"\x00\x0a\x04mail\x00", "10 mail"),
        ("SRV", b"\x00\x00\x00\x64\x00\x35" + KUBE_DNS, f"0 100 53 kube-dns.{NAME}"),
        ("TXT", b"\x05hello\x06 world", "hello world"),
        ("MX", b"\x00\x00\x00", "0 ."),
    ],
)
def test_a_record_is_shown_as_in_a_zone_file(type: str, content: bytes, shown: str) -> None:
    assert answered(record(type, content), type=type).records == (shown,)


def test_aliases_on_the_way_are_no_answers() -> None:
    alias = record("CNAME", b"\x03www\x00")
    assert answered(alias, a("10.0.0.1"), a("10.0.0.2")) == Answer("NOERROR", False, ("10.0.0.1", "10.0.0.2"), ("www",))
    assert answered(alias) == Answer("NOERROR", False, (), ("www",))


def test_records_of_other_types_and_networks_are_left_out() -> None:
    signature = AT_QUESTION + dnsmessage.RECORD.pack(46, 1, 60, 3) + b"abc"
    chaos = record("A", b"\x0a\x00\x00\x01", network=3)
    assert answered(signature, chaos, a("10.0.0.1")).records == ("10.0.0.1",)


@pytest.mark.parametrize(
    ("code", "name"), [(1, "FORMERR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (15, "RCODE15")]
)
def test_a_refusal_has_its_name(code: int, name: str) -> None:
    assert dnsmessage.answer(ask(), reply(ask(), rcode=code)).rcode == name


def test_a_server_that_understands_nothing_need_not_repeat_the_question() -> None:
    assert dnsmessage.answer(ask(), dnsmessage.HEADER.pack(7, 0x8001, 0, 0, 0, 0)).rcode == "FORMERR"


def test_of_a_truncated_answer_the_records_are_not_read() -> None:
    cut = reply(ask(), a("10.0.0.1"), flags=0x0200)[:-3]
    assert dnsmessage.answer(ask(), cut) == Answer("NOERROR", True, (), ())


def test_the_case_of_a_name_does_not_matter() -> None:
    assert dnsmessage.answer(ask(), reply(ask(name=NAME.upper()), a("10.0.0.1"))).records == ("10.0.0.1",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        b"\0" * 600,
        ask(),  # the question itself
        reply(ask(), number=8),
        reply(ask(name="other.example"), a("10.0.0.1")),
        reply(ask("AAAA")),
        reply(ask(), flags=0x2800),  # another operation
        dnsmessage.HEADER.pack(7, 0x8000, 0, 1, 0, 0) + a("10.0.0.1"),
        reply(ask(), a("10.0.0.1"))[:-1],
        reply(ask(), record("A", b"\x0a\x00\x00")),
        reply(ask(), record("A", b"", name=b"\xc0\xff")),
        reply(ask(), record("A", b"", name=b"\x80")),
    ],
)
def test_what_is_no_answer_to_the_question(data: bytes) -> None:
    with pytest.raises(NotTheAnswer):
        dnsmessage.answer(ask(), data)


def test_a_name_that_leads_to_itself_has_an_end() -> None:
    head = dnsmessage.HEADER.pack(7, 0x8180, 1, 1, 0, 0) + ask()[12:]
    for pointer in (len(head), len(head) + 2, 0x3FFF):
        data = head + bytes([0xC0 | pointer >> 8, pointer & 0xFF]) * 2 + b"\0" * 20
        with pytest.raises(NotTheAnswer):
            dnsmessage.answer(ask(), data)


@given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 200))
def test_whatever_comes_is_an_answer_or_none(junk: bytes, start: int, end: int) -> None:
    right = reply(ask("SRV"), record("SRV", b"\x00\x00\x00\x64\x00\x35" + KUBE_DNS), record("TXT", b"\x05hello"))
    for data in (junk, right[:start] + junk + right[end:], right[:start]):
        with contextlib.suppress(NotTheAnswer):
            assert isinstance(dnsmessage.answer(ask("SRV"), data), Answer)
