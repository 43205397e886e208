"""What a certificate means, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes import REALTIME, dark, judge, make, node, status_of, statuses, told

from nodecheck.node.windows.tls import TlsWant
from nodecheck.report.result import Status

if TYPE_CHECKING:
    from nodecheck.node.node import Node

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
DAY = 86400
NOW = int(REALTIME)  # 2025-11-24 07:40 UTC


def certificate(name: str = "web", days: float = 30, **changed: Any) -> dict[str, Any]:
    """Return what the window shows of a certificate that is valid for so many days more."""
    plain = {
        "subject": f"O=lab, CN={name}", "common_name": name, "issuer": "CN=lab-ca", "issuer_common_name": "lab-ca",
        "names": ["web", "*.example.com", "10.0.0.1", "fd00::1"], "not_before": NOW - 300 * DAY,
        "not_after": NOW + int(days * DAY), "fingerprint": f"00{name}",
    }  # fmt: skip
    return plain | changed


def source(*certificates: dict[str, Any], place: str = "/web.crt", error: str = "", unseen: str = "") -> dict[str, Any]:
    return {"place": place, "error": error, "unseen": unseen, "certificates": list(certificates)}


def seen(*sources: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"stage": "done", "error": "", "sources": list(sources), "key": None, "same_as": None} | changed


def shows(check: Any, data: Any) -> Node:
    """Return a node on which this was seen by what the check wants."""
    made = node()
    (want,) = check.wants()
    made.observed.windows = {"tls": {want.key: data}}
    return made


def said(arguments: dict[str, Any], data: Any) -> tuple[Status, str]:
    check = make("tls", **({"path": "/web.crt"} if not {"path", "address"} & set(arguments) else {}), **arguments)
    return status_of(check, shows(check, data)), told(check, shows(check, data))


# ---- how long


@pytest.mark.parametrize(
    ("certificates", "status", "message"),
    [
        ([certificate(days=100)], OK, "life left of the certificate of web (/web.crt) is 25.0%"),
        (
            [certificate(days=100), certificate("ca", days=20)],
            CRITICAL,
            "life left of the certificate of ca (/web.crt) is 6.2%, expected > 10%",
        ),
        # One of an hour, of which half is left, is no matter of days.
        (
            [certificate(days=1 / 48, not_before=NOW - 1800)],
            OK,
            "life left of the certificate of web (/web.crt) is 50.0%",
        ),
        ([certificate(days=-1)], CRITICAL, "the certificate of web (/web.crt) expired 1d ago, on 2025-11-23 07:40 UTC"),
    ],
)
def test_the_life_that_is_left_is_a_share_of_all(
    certificates: list[dict[str, Any]], status: Status, message: str
) -> None:
    got, text = said({"life_left": "> 10%"}, seen(source(*certificates)))

    assert (status, message) == (got, text.split("; ")[-1])


@pytest.mark.parametrize(
    ("expires", "days", "status", "message"),
    [
        (None, 30, OK, "the certificate of web (/web.crt) expires in 30d, on 2025-12-24 07:40 UTC"),
        ("> 14d", 14.5, OK, "the certificate of web (/web.crt) expires in 14d 12h, on 2025-12-08 19:40 UTC"),
        (
            "> 14d", 13.5, CRITICAL,
            "the certificate of web (/web.crt) expires in 13d 12h, on 2025-12-07 19:40 UTC, expected > 14d",
        ),
        (None, 0, CRITICAL, "the certificate of web (/web.crt) expired 0ms ago, on 2025-11-24 07:40 UTC"),
        ("< 90d", -3, CRITICAL, "the certificate of web (/web.crt) expired 3d ago, on 2025-11-21 07:40 UTC"),
        ("> 14d", -3, CRITICAL, "the certificate of web (/web.crt) expired 3d ago, on 2025-11-21 07:40 UTC"),
    ],
)  # fmt: skip
def test_how_long_it_is_valid(expires: str | None, days: float, status: Status, message: str) -> None:
    arguments = {"expires": expires} if expires else {}
    assert said(arguments, seen(source(certificate(days=days)))) == (status, message)


def test_one_that_is_not_yet_valid_makes_one_think_of_the_clock() -> None:
    message = "the certificate of web (/web.crt) is not valid before 2025-11-25 07:40 UTC, in 1d: is the clock right?"
    assert said({}, seen(source(certificate(not_before=NOW + DAY)))) == (CRITICAL, message)


@pytest.mark.parametrize(
    ("certificates", "status", "rule", "left"),
    [
        ([certificate(days=30)], OK, "", "30d"),
        ([certificate(days=30), certificate(days=2)], OK, "", "2d"),
        ([certificate(not_before=NOW)], OK, "", "30d"),
        ([certificate(not_before=NOW + 1)], CRITICAL, "not_yet_valid", "30d"),
        ([certificate(not_before=NOW + 1, days=0.5)], CRITICAL, "not_yet_valid", "12h"),
        ([certificate(days=30), certificate(days=0.5)], CRITICAL, "expires", "12h"),
        ([certificate(days=30), certificate(days=-1)], CRITICAL, "expires", "-1d"),
        ([certificate(days=30), certificate(not_after=NOW + 1)], CRITICAL, "expires", "1s"),
        ([certificate(days=2, not_before=NOW + 1), certificate(days=0.5)], CRITICAL, "not_yet_valid", "12h"),
    ],
)
def test_the_finding_of_the_validity_has_its_rule_and_the_least_that_is_left(
    certificates: list[dict[str, Any]], status: Status, rule: str, left: str
) -> None:
    check = make("tls", path="/web.crt", expires="> 1d")
    (finding,) = judge(check, shows(check, seen(source(*certificates))))

    assert (status, rule, left) == (finding.status, finding.rule, finding.observed)


@pytest.mark.parametrize(("seconds", "status"), [(0, CRITICAL), (1, OK)])
def test_a_certificate_is_valid_until_its_last_second(seconds: int, status: Status) -> None:
    check = make("tls", path="/web.crt", expires="< 90d", life_left="< 90%")
    found = statuses(check, shows(check, seen(source(certificate(not_after=NOW + seconds)))))

    assert ({"expires": status} | ({"life_left": OK} if seconds else {})) == found


def test_one_that_is_not_valid_yet_has_all_its_life_left() -> None:
    check = make("tls", path="/web.crt", life_left="> 10%")
    finding = judge(check, shows(check, seen(source(certificate(not_before=NOW + DAY)))))[-1]

    assert (finding.property, finding.observed) == ("life_left", "100.0%")


def test_of_three_that_are_bad_none_is_left_out() -> None:
    message = said({}, seen(*(source(certificate(f"c{number}", days=-number)) for number in (1, 2, 3))))[1]

    assert (message.count("expired"), message.count("more")) == (3, 0)


def test_of_several_the_bad_ones_are_told_in_one_finding_and_of_good_ones_the_first_to_end() -> None:
    many = [source(certificate(f"c{number}", days=number), place=f"/{number}.crt") for number in range(1, 7)]
    status, message = said({"expires": "> 5d"}, seen(*many))
    assert status is CRITICAL
    assert message.startswith("the certificate of c1 (/1.crt) expires in 1d")
    assert message.endswith("; and 2 more")
    chain = source(certificate("leaf", 30), certificate("middle", 20))
    assert said({}, seen(chain))[1].startswith("the certificate of middle (/web.crt) expires in 20d")
    check = make("tls", path="/web.crt")
    assert len(judge(check, shows(check, seen(*many)))) == 1


# ---- for whom


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ("web", OK), ("WEB.", OK), ("a.example.com", OK), ("a.b.example.com", CRITICAL), ("example.com", CRITICAL),
        ("*.example.com", OK), ("10.0.0.1", OK), ("10.0.0.2", CRITICAL), ("fd00:0::1", OK), ("other", CRITICAL),
        (["web", "10.0.0.1"], OK), (["web", "other"], CRITICAL), (".example.com", CRITICAL), ("xweb", CRITICAL),
    ],
)  # fmt: skip
def test_it_has_to_be_for_all_names(names: Any, status: Status) -> None:
    assert said({"names": names}, seen(source(certificate())))[0] is status


def test_a_point_at_the_end_is_that_of_the_root() -> None:
    assert said({"names": "web"}, seen(source(certificate(names=["Web."])))) == (
        OK, ("the certificate of web (/web.crt) expires in 30d, on 2025-12-24 07:40 UTC; "
        "the certificate of web (/web.crt) is for Web."),
    )  # fmt: skip
    assert said({"names": "web"}, seen(source(certificate(names=[".web"]))))[0] is CRITICAL


def test_an_asterisk_is_for_no_whole_domain_and_no_address() -> None:
    wide = seen(source(certificate(names=["*", "*.com", "*.0.0.1"])))
    for name in ("web", "example.com", "10.0.0.1"):
        assert said({"names": name}, wide)[0] is CRITICAL


def test_the_common_name_is_no_name_that_clients_look_at() -> None:
    message = "the certificate of web (/web.crt) is for no names, and not for web"
    assert said({"names": "web"}, seen(source(certificate(names=[])))) == (CRITICAL, message)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ({"subject": "web"}, OK, ""),
        ({"subject": "O=lab, CN=web"}, OK, ""),
        ({"subject": "/^O=lab/"}, OK, ""),
        (
            {"subject": "system:node:w1"}, CRITICAL,
            "the subject of the certificate of web (/web.crt) is O=lab, CN=web, expected system:node:w1",
        ),
        ({"issuer": "lab-ca"}, OK, ""),
        (
            {"issuer": "kubernetes"}, CRITICAL,
            "the issuer of the certificate of web (/web.crt) is CN=lab-ca, expected kubernetes",
        ),
    ],
)  # fmt: skip
def test_whose_it_is_and_who_signed_it(arguments: dict[str, Any], status: Status, message: str) -> None:
    found = said(arguments, seen(source(certificate())))
    assert found[0] is status
    assert not message or found[1] == message


# ---- is it the right one?


@pytest.mark.parametrize(
    ("key", "status", "message"),
    [
        ({"matches": True}, OK, "the private key in /k belongs to the certificate of web (/web.crt)"),
        ({"matches": False}, CRITICAL, "the private key in /k does not belong to the certificate of web (/web.crt)"),
        ({"error": "it holds no private key"}, CRITICAL, "/k: it holds no private key"),
        (
            {"unseen": "/k cannot be read: permission denied"}, UNKNOWN,
            (
                "whether the private key belongs to the certificate of web (/web.crt) could not be seen: "
                "/k cannot be read: permission denied"
            ),
        ),
    ],
)  # fmt: skip
def test_the_private_key_has_to_belong_to_it(key: dict[str, Any], status: Status, message: str) -> None:
    check = make("tls", path="/web.crt", key="/k")
    data = seen(source(certificate()), key={"matches": None, "error": "", "unseen": ""} | key)
    finding = judge(check, shows(check, data))[-1]
    assert (finding.property, finding.status, finding.message) == ("key", status, message)


@pytest.mark.parametrize(
    ("other", "status", "message"),
    [
        (source(certificate()), OK, "a:1 is that of /new.crt"),
        (
            source(certificate("new", 365)), CRITICAL,
            (
                "a:1 shows another certificate, which expires on 2025-12-24 07:40 UTC, than /new.crt, "
                "which expires on 2026-11-24 07:40 UTC"
            ),
        ),
        (source(error="there is no such file"), CRITICAL, "/new.crt: there is no such file"),
        (source(unseen="/new.crt cannot be read"), UNKNOWN, "/new.crt cannot be read"),
    ],
)  # fmt: skip
def test_a_server_has_to_show_the_certificate_of_the_file(other: Any, status: Status, message: str) -> None:
    check = make("tls", address="a:1", same_as="/new.crt")
    finding = judge(check, shows(check, seen(source(certificate(), place="a:1"), same_as=other)))[-1]
    assert (finding.property, finding.status, finding.message) == ("same_as", status, message)


# ---- what is not there, and what was not seen


@pytest.mark.parametrize(
    ("stage", "error", "message"),
    [
        ("resolve", "name or service not known", "the name of a:1 cannot be resolved: name or service not known"),
        ("connect", "connection refused", "a:1 cannot be connected to: connection refused"),
        ("tls", "it closed the connection", "a:1 can be connected to, but not with TLS: it closed the connection"),
    ],
)
def test_the_rung_at_which_a_server_stopped_is_told(stage: str, error: str, message: str) -> None:
    assert said({"address": "a:1"}, seen(stage=stage, error=error)) == (CRITICAL, message)


def test_of_a_server_that_shows_no_certificate_nothing_else_is_judged() -> None:
    check = make("tls", address="a:1", names="web")
    (finding,) = judge(check, shows(check, seen(source(certificate()), stage="tls", error="it closed the connection")))

    assert (finding.property, finding.rule) == ("address", "tls")


@pytest.mark.parametrize("where", [{"address": "a:1"}, {"path": "/web.crt"}])
def test_what_is_broken_is_that_which_was_asked_for(where: dict[str, str]) -> None:
    check = make("tls", **where)

    assert dict.fromkeys(where, CRITICAL) == statuses(check, shows(check, seen(source(error="it is broken"))))


def test_a_certificate_without_names_is_called_by_where_it_is() -> None:
    anonymous = certificate(common_name="", subject="")
    assert said({}, seen(source(anonymous)))[1].startswith("the certificate of /web.crt expires in 30d")
    assert said({}, seen(source(certificate(common_name=""))))[1].startswith("the certificate of O=lab, CN=web (/web")


@pytest.mark.parametrize("arguments", [{"key": "/k"}, {"same_as": "/s"}])
def test_what_a_record_does_not_tell_of_it_is_unknown(arguments: dict[str, str]) -> None:
    check = make("tls", path="/web.crt", **arguments)
    finding = judge(check, shows(check, seen(source(certificate()))))[-1]

    assert (next(iter(arguments)), UNKNOWN) == (finding.property, finding.status)
    assert finding.message.endswith("it was not looked at")


def test_a_file_without_a_certificate_is_not_as_wanted() -> None:
    assert said({}, seen(source(error="there is no such file"))) == (CRITICAL, "/web.crt: there is no such file")
    assert said({"key": "/k", "same_as": "/s"}, seen(source(error="x"), same_as=source()))[0] is CRITICAL


def test_one_that_could_not_be_seen_hides_none_that_was() -> None:
    hidden = source(unseen="/b.crt cannot be read: permission denied")
    check = make("tls", path="/web.crt")
    good, bad = (seen(source(certificate(days=days)), hidden) for days in (30, -1))
    assert statuses(check, shows(check, good)) == {"expires": OK, "unseen": UNKNOWN}
    assert statuses(check, shows(check, bad)) == {"expires": CRITICAL, "unseen": UNKNOWN}
    assert said({}, seen(hidden, hidden)) == (UNKNOWN, "/b.crt cannot be read: permission denied (and 1 more)")


def test_what_could_not_be_looked_at_is_unknown() -> None:
    assert said({}, dark())[0] is UNKNOWN
    assert said({}, dark(broken=True))[0] is UNKNOWN


# ---- arguments


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"path": "/x"}, []),
        ({"address": "a:1", "server_name": "b", "same_as": "/x"}, []),
        ({}, ["path"]),
        ({"path": "/x", "address": "a:1"}, ["path"]),
        ({"address": "a"}, ["address"]),
        ({"address": "https://a:1"}, ["address"]),
        ({"path": "/x", "server_name": "a"}, ["server_name"]),
        ({"address": "a:1", "server_name": ".a"}, ["server_name"]),
    ],
)
def test_arguments_that_are_wrong_together_are_mistakes(arguments: dict[str, Any], names: list[str]) -> None:
    assert names == [mistake[0] for mistake in make("tls", **arguments).mistakes()]


def test_what_it_is_compared_with_is_wanted_too() -> None:
    check = make("tls", address="a:1", server_name="b", key="/k", same_as="/s")
    assert list(check.wants()) == [TlsWant("", "a:1", "b", "/k", "/s")]
    assert list(make("tls", path="/x").wants()) == [TlsWant("/x", "", "", "", "")]
    assert list(make("tls", address="a:1").wants()) == [TlsWant("", "a:1", "", "", "")]
