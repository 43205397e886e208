"""What an answer of an HTTP server means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes import dark, judge, make, node, status_of, statuses, told

from nodecheck.node.windows.http import HttpWant
from nodecheck.report.result import Status

if TYPE_CHECKING:
    from nodecheck.node.node import Node

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
URL = "https://127.0.0.1:6443/livez"
NAN = "its server has counted nothing yet, or cannot tell it"


def answer(**changed: Any) -> dict[str, Any]:
    """Return what the window shows of a server that is well, with some of it changed."""
    plain: dict[str, Any] = {
        "stage": "done", "error": "", "seconds": 0.012, "url": URL, "redirects": 0, "status": 200, "reason": "OK",
        "location": "", "headers": {}, "bytes": 2, "cut": False, "body": None, "values": None, "excerpt": "",
    }  # fmt: skip
    return plain | changed


def stopped(stage: str, error: str = "it took longer than 5s", **changed: Any) -> dict[str, Any]:
    return answer(**({"stage": stage, "error": error, "status": None, "reason": ""} | changed))


def shows(check: Any, seen: Any) -> Node:
    """Return a node on which this was seen by what the check wants."""
    made = node()
    (want,) = check.wants()
    made.observed.windows = {"http": {want.key: seen}}
    return made


def said(arguments: dict[str, Any], seen: Any) -> tuple[Status, str]:
    check = make("http", **({"url": URL} | arguments))
    return status_of(check, shows(check, seen)), told(check, shows(check, seen))


# ---- how far it came


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (stopped("resolve", "no such name"), f"the name of {URL} cannot be resolved: no such name"),
        (stopped("connect", "connection refused"), f"{URL} cannot be connected to: connection refused"),
        (stopped("tls"), f"{URL} can be connected to, but not with TLS: it took longer than 5s"),
        (stopped("verify", "it has expired"), f"the certificate of {URL} does not verify: it has expired"),
        (stopped("request"), f"{URL} can be connected to, but takes no request: it took longer than 5s"),
        (stopped("headers"), f"{URL} can be connected to, but does not answer: it took longer than 5s"),
        (
            stopped("redirect", "it redirects to ftp://x/, which is not followed", status=302, reason="Found"),
            f"{URL} answers 302 Found, but it redirects to ftp://x/, which is not followed",
        ),
        (
            stopped("body", status=200, reason="OK"),
            f"{URL} answers 200 OK, but its body does not come to an end: it took longer than 5s",
        ),
        (
            stopped("connect", "connection refused", url="http://other/", redirects=2),
            f"http://other/ (after 2 redirects from {URL}) cannot be connected to: connection refused",
        ),
        (
            stopped("connect", "connection refused", url="http://other/", redirects=1),
            f"http://other/ (after a redirect from {URL}) cannot be connected to: connection refused",
        ),
    ],
)  # fmt: skip
def test_the_rung_at_which_it_stopped_is_told(seen: dict[str, Any], message: str) -> None:
    assert said({"body": "ok", "headers": {"a": "b"}, "json": {"a": "b"}, "time": "< 1s"}, seen) == (CRITICAL, message)


def test_nothing_beyond_the_first_rung_that_failed_is_judged() -> None:
    check = make("http", url=URL, time="< 1ms", json={"a": "b"})
    assert statuses(check, shows(check, stopped("verify"))) == {"verify": CRITICAL}
    assert statuses(check, shows(check, answer(status=500))) == {"status": CRITICAL}
    assert statuses(check, shows(check, stopped("body", status=200))) == {"status": OK, "url": CRITICAL}
    assert statuses(check, shows(check, stopped("body", status=500))) == {"status": CRITICAL}


def test_what_could_not_be_asked_is_unknown() -> None:
    assert said({}, dark("/ca.crt cannot be read: permission denied")) == (
        UNKNOWN, "/ca.crt cannot be read: permission denied",
    )  # fmt: skip
    assert said({}, dark(broken=True))[0] is UNKNOWN


# ---- what it said


@pytest.mark.parametrize(
    ("status", "seen", "verdict"),
    [
        (200, 200, OK), (200, 204, CRITICAL), (200, 302, CRITICAL), ("200..399", 302, OK), ([200, 401, 403], 401, OK),
        ([200, 401, 403], 500, CRITICAL), ("< 500", 404, OK),
    ],
)  # fmt: skip
def test_the_status_has_to_be_as_wanted(status: Any, seen: int, verdict: Status) -> None:
    assert said({"status": status}, answer(status=seen))[0] is verdict


def test_without_any_expectation_the_answer_has_to_be_200() -> None:
    assert said({}, answer()) == (OK, f"{URL} answers 200 OK")
    told_500 = f"{URL} answers 500 Internal Server Error, expected 200"
    assert said({}, answer(status=500, reason="Internal Server Error")) == (CRITICAL, told_500)
    told_302 = f"{URL} answers 302 Found, which redirects to /login, expected 200"
    assert said({}, answer(status=302, reason="Found", location="/login")) == (CRITICAL, told_302)


@pytest.mark.parametrize(
    ("wanted", "body", "verdict", "message"),
    [
        ("ok", "ok\n", OK, f"the body of {URL} is ok"),
        ("/etcd ok/", "[+]ping ok\n[+]etcd ok\n", OK, f"the body of {URL} is [+]ping ok [+]etcd ok"),
        ("ok", "[-]etcd failed", CRITICAL, f"the body of {URL} is [-]etcd failed, expected ok"),
        ("ok", "", CRITICAL, f'the body of {URL} is "", expected ok'),
        ("ok", None, CRITICAL, f'the body of {URL} is "", expected ok'),
        ("!= ok", "x", OK, f"the body of {URL} is x"),
        ("!= x", "y" * 100, OK, f"the body of {URL} is {'y' * 100}"),
        ("ok", "x" * 5000, CRITICAL, f"the body of {URL} is {'x' * 100}..., expected ok"),
        (
            "secret", "password=<masked>", UNKNOWN,
            f"the body of {URL} was masked, since it may be secret: whether it is secret cannot be told",
        ),
        (
            "!= abc", "password=<masked>", UNKNOWN,
            f"the body of {URL} was masked, since it may be secret: whether it is != abc cannot be told",
        ),
        ("/password/", "password=<masked>", OK, f"the body of {URL} is password=<masked>"),
        (
            {"all": ["/password/", "!= abc"]}, "password=<masked>", UNKNOWN,
            f"the body of {URL} was masked, since it may be secret: whether it is /password/ and != abc cannot be told",
        ),
    ],
)  # fmt: skip
def test_the_body_is_judged_and_shown_in_short(wanted: str, body: str | None, verdict: Status, message: str) -> None:
    check = make("http", url=URL, body=wanted)
    finding = judge(check, shows(check, answer(body=body)))[-1]
    assert (finding.property, finding.status, finding.message) == ("body", verdict, message)


@pytest.mark.parametrize(
    ("wanted", "values", "verdict", "message"),
    [
        ("true", ["true"], OK, f"the a.b in the body of {URL} is true"),
        ("true", ["false"], CRITICAL, f"the a.b in the body of {URL} is false, expected true"),
        ("true", [], CRITICAL, f"there is no a.b in the body of {URL}, expected true"),
        ("!= x", [], OK, f"there is no a.b in the body of {URL}"),
        (3, ["3"], OK, f"the a.b in the body of {URL} is 3"),
    ],
)
def test_values_in_json_are_judged_by_their_paths(
    wanted: Any, values: list[str], verdict: Status, message: str
) -> None:
    check = make("http", url=URL, json={"a.b": wanted})
    finding = judge(check, shows(check, answer(values={"a.b": values})))[-1]
    assert (finding.property, finding.status, finding.message) == ("json", verdict, message)


@pytest.mark.parametrize(
    ("arguments", "seen", "observed"),
    [
        ({"body": "ok"}, answer(body="ok"), "ok"),
        ({"json": {"a": "x"}}, answer(values={"a": []}), "missing"),
        ({"json": {"a": "x"}}, answer(values={"a": ["x"]}), "x"),
        ({"json": {"a": "x"}}, answer(excerpt="<html>"), "<html>"),
        ({"metrics": {"a": 1}}, answer(values={"a": []}), "missing"),
        ({"metrics": {"a": 1}}, answer(values=None), "missing"),
        ({"metrics": {"a": 1}}, answer(values={"a": ["1"]}), 1),
        ({"headers": {"a": "x"}}, answer(), "missing"),
        ({"time": "< 1s"}, answer(seconds=0.5), "0.5s"),
        ({"limit": 10, "body": "ok"}, answer(cut=True), "more"),
    ],
)
def test_what_was_seen_of_a_part_is_in_its_finding(arguments: dict[str, Any], seen: Any, observed: Any) -> None:
    check = make("http", url=URL, **arguments)
    finding = judge(check, shows(check, seen))[-1]

    assert (next(iter(arguments)), observed) == (finding.property, finding.observed)


def test_a_body_that_is_no_json_says_so() -> None:
    message = f"the body of {URL} is no JSON: <html> <p>"
    assert said({"json": {"a": "b"}}, answer(excerpt="<html>\n<p>")) == (CRITICAL, message)


@pytest.mark.parametrize(
    ("wanted", "values", "verdict", "message"),
    [
        (1, ["1"], OK, f"the metric a of {URL} is 1"),
        (1, ["0"], CRITICAL, f"the metric a of {URL} is 0, expected 1"),
        ("< 3000", ["2.147e+09"], CRITICAL, f"the metric a of {URL} is 2147000000, expected < 3000"),
        ("< 3", ["1", "4.5", "2"], CRITICAL, f"the metric a of {URL} is 4.5, expected < 3"),
        ("< 3", ["1", "NaN"], UNKNOWN, f"the metric a of {URL} is NaN: {NAN}"),
        ("!= 3", ["NaN"], UNKNOWN, f"the metric a of {URL} is NaN: {NAN}"),
        ("< 3", ["NaN", "4"], CRITICAL, f"the metric a of {URL} is 4, expected < 3"),
        (1, [], CRITICAL, f"there is no metric a of {URL}, expected 1"),
    ],
)
def test_metrics_are_judged_as_numbers(wanted: Any, values: list[str], verdict: Status, message: str) -> None:
    check = make("http", url=URL, metrics={"a": wanted})
    finding = judge(check, shows(check, answer(values={"a": values})))[-1]
    assert (finding.property, finding.status, finding.message) == ("metrics", verdict, message)


@pytest.mark.parametrize(
    ("excerpt", "shown"),
    [
        ("[-]etcd failed: reason withheld\n", ": [-]etcd failed: reason withheld"),
        ('{"health":"false","reason":"ALARM NOSPACE"}', ': {"health":"false","reason":"ALARM NOSPACE"}'),
        ("<html><title>502 Bad Gateway</title>", ""),
        (" ", ""),
        ("\n <html>", ""),
    ],
)
def test_what_a_server_says_of_its_error_is_told(excerpt: str, shown: str) -> None:
    told_503 = f"{URL} answers 503 Service Unavailable, expected 200{shown}"
    assert said({}, answer(status=503, reason="Service Unavailable", excerpt=excerpt)) == (CRITICAL, told_503)


@pytest.mark.parametrize(
    ("wanted", "values", "verdict"),
    [("x", ["x"], OK), ("x", ["y", "x"], OK), ("x", ["y"], CRITICAL), ("x", None, CRITICAL), ("!= x", None, OK)],
)
def test_headers_are_judged_whatever_the_case_of_their_names(
    wanted: str, values: list[str] | None, verdict: Status
) -> None:
    seen = answer(headers={} if values is None else {"x-served-by": values})
    assert said({"headers": {"X-Served-By": wanted}}, seen)[0] is verdict


def test_a_status_without_words_ends_with_the_number() -> None:
    assert said({}, answer(reason="")) == (OK, f"{URL} answers 200")


def test_an_answer_may_come_too_late() -> None:
    late = f"time to answer of {URL} is 1.5s, expected < 1s"
    assert said({"time": "< 1s"}, answer(seconds=1.5)) == (CRITICAL, late)
    assert said({"time": "< 1s"}, answer(seconds=0.5))[0] is OK


def test_a_body_beyond_the_limit_is_no_guess() -> None:
    message = f"the body of {URL} is larger than 10 bytes: the rest was not read"
    assert said({"limit": 10, "body": "ok"}, answer(cut=True)) == (CRITICAL, message)


# ---- arguments


def test_only_what_is_judged_is_wanted() -> None:
    assert list(make("http", url=URL).wants()) == [HttpWant(URL)]
    (want,) = make(
        "http", url=URL, host="a", body="x", json={"b": "1", "a": "1"}, headers={"X-A": "1", "x-a": "2"}, ca="/ca",
        cert="/cert", key="/key", follow=2, limit=9, method="GET",
    ).wants()  # fmt: skip
    assert want == HttpWant(
        URL, host="a", headers=("x-a",), body=True, paths=("a", "b"), ca="/ca", cert="/cert", private_key="/key",
        follow=2, limit=9,
    )  # fmt: skip


def test_metrics_are_wanted_by_their_names() -> None:
    assert [HttpWant(URL, metrics=("a", "b"))] == list(make("http", url=URL, metrics={"b": 1, "a": 1}).wants())


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"url": "http://a/"}, []),
        ({"url": "unix:///run/docker.sock/_ping"}, []),
        ({"url": "unix:///run/docker/_ping"}, ["url"]),
        ({"url": f"unix:///{'x' * 110}.sock/_ping"}, ["url"]),
        ({"url": f"unix:///{'x' * 101}.sock/_ping"}, []),
        ({"url": f"unix:///{'x' * 102}.sock/_ping"}, ["url"]),
        ({"cert": "/c", "key": "/k"}, []),
        ({"url": "http://a/", "cert": "/c", "key": "/k"}, ["cert"]),
        ({"host": "a..b:80"}, ["host"]),
        ({"method": "HEAD"}, []),
        ({"method": "HEAD", "metrics": {"a": 1}}, ["method"]),
        ({"json": {"a": "x"}, "metrics": {"a": 1}}, ["metrics"]),
        ({"metrics": {"a": 1}}, []),
        ({"url": "a"}, ["url"]),
        ({"url": "ftp://a/"}, ["url"]),
        ({"url": "http://a/b c"}, ["url"]),
        ({"url": "http://user:abc@a/"}, ["url"]),
        ({"url": "http://a/", "ca": "/ca"}, ["ca"]),
        ({"url": "http://a/", "ca": "/ca", "follow": 1}, []),
        ({"url": "http://a/", "cert": "/c", "follow": 1}, ["cert"]),
        ({"url": "http://a/", "verify": False}, ["verify"]),
        ({"url": "unix:///x.sock/", "cert": "/c"}, ["cert"]),
        ({"ca": "/ca", "verify": False}, ["ca"]),
        ({"key": "/key"}, ["key"]),
        ({"host": "a b"}, ["host"]),
        ({"host": "a\r\nX:80"}, ["host"]),
        ({"host": "a..b"}, ["host"]),
        ({"host": "x" * 64}, ["host"]),
        ({"host": "a\r\nX: y"}, ["host"]),
        ({"host": "a.example.com:8443"}, []),
        ({"method": "HEAD", "body": "x"}, ["method"]),
        ({"method": "HEAD", "json": {"a": "x"}}, ["method"]),
        ({"json": {'a["b.c"][0].d': "x"}}, []),
        ({"json": {"a..b": "x"}}, ["json"]),
        ({"json": {"a[b]": "x"}}, ["json"]),
    ],
)
def test_arguments_that_are_wrong_together_are_mistakes(arguments: dict[str, Any], names: list[str]) -> None:
    assert names == [mistake[0] for mistake in make("http", **({"url": URL} | arguments)).mistakes()]


def test_no_password_is_in_what_is_said_of_it() -> None:
    assert "abc" not in str(list(make("http", url="http://user:abc@a/").mistakes()))
    assert "abc" not in said({"url": "http://a/?token=abc"}, stopped("connect"))[1]
