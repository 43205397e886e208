"""Routes: that there is one, that it leads somewhere, and where."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import judge, make, node, status_of, statuses, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN


def hop(device: str = "eth0", gateway: str = "192.0.2.1", state: str = "up") -> dict[str, str]:
    return {"device": device, "gateway": gateway, "state": state}


def route(*hops: dict[str, str], **fields: Any) -> dict[str, Any]:
    return {"kind": "unicast", "metric": 0, "source": "", "hops": list(hops)} | fields


def seen(*routes: dict[str, Any], to: str = "default", refusal: str = "", parts: tuple[str, ...] = ()) -> Node:
    """Return a node with these routes to one place, the best first."""
    made = node()
    made.observed.windows = {"route": {to: {"routes": list(routes), "refusal": refusal, "parts": list(parts)}}}
    return made


DEAD, LOOSE = hop(state="down"), hop(state="no carrier")


@pytest.mark.parametrize(
    ("routes", "present", "absent"),
    [
        ([route(hop())], OK, CRITICAL),
        ([], CRITICAL, OK),
        ([route(LOOSE)], CRITICAL, CRITICAL),
        ([route(DEAD)], CRITICAL, CRITICAL),
        ([route(LOOSE, hop("eth1"))], OK, CRITICAL),
        ([route(LOOSE, DEAD)], CRITICAL, CRITICAL),
        ([route(kind="blackhole")], CRITICAL, CRITICAL),
        ([route(hop("lo"), kind="unreachable")], CRITICAL, CRITICAL),
        ([route(kind="prohibit"), route(hop(), metric=100)], CRITICAL, CRITICAL),
        ([route(hop("lo", ""), kind="local")], OK, CRITICAL),
    ],
)
def test_a_route_is_present_when_it_leads_somewhere(
    routes: list[dict[str, Any]], present: Status, absent: Status
) -> None:
    found = [status_of(make("route", to="default", state=state), seen(*routes)) for state in ("present", "absent")]
    assert [present, absent] == found


@pytest.mark.parametrize(
    ("refusal", "present", "absent"),
    [
        ("no route", CRITICAL, OK),
        ("unreachable", CRITICAL, OK),
        ("prohibit", CRITICAL, OK),
        ("blackhole", CRITICAL, OK),
    ],
)
def test_an_address_to_which_the_kernel_sends_nothing(refusal: str, present: Status, absent: Status) -> None:
    refused = seen(to="10.96.0.1", refusal=refusal)
    found = [status_of(make("route", to="10.96.0.1", state=state), refused) for state in ("present", "absent")]
    assert [present, absent] == found


TWO = route(hop("eth0", "10.0.0.1"), hop("eth1", "10.1.0.1"))


@pytest.mark.parametrize(
    ("expected", "best", "status"),
    [
        ({"device": "eth0"}, route(hop()), OK),
        ({"device": "eth1"}, route(hop()), CRITICAL),
        ({"device": "eth1"}, TWO, OK),
        ({"device": "!= eth1"}, TWO, CRITICAL),
        ({"device": "eth0"}, route(), UNKNOWN),
        ({"gateway": "192.0.2.1"}, route(hop()), OK),
        ({"gateway": "192.0.2.2"}, route(hop()), CRITICAL),
        ({"gateway": "none"}, route(hop(gateway="")), OK),
        ({"gateway": "192.0.2.1"}, route(hop(gateway="")), CRITICAL),
        ({"gateway": "10.1.0.1"}, TWO, OK),
        ({"source": "192.0.2.2"}, route(hop(), source="192.0.2.2"), OK),
        ({"source": "192.0.2.2"}, route(hop()), CRITICAL),
        ({"source": "none"}, route(hop()), OK),
        ({"metric": "<= 100"}, route(hop(), metric=100), OK),
        ({"metric": "< 100"}, route(hop(), metric=100), CRITICAL),
        ({"metric": "< 100"}, route(hop(), metric=None), UNKNOWN),
    ],
)
def test_where_the_best_route_leads(expected: dict[str, Any], best: dict[str, Any], status: Status) -> None:
    (name,) = expected
    check = make("route", to="default", **expected)
    assert status == statuses(check, seen(best, route(hop("other"), metric=9999)))[name]


@pytest.mark.parametrize(
    ("to", "observed", "message"),
    [
        ("default", [route(hop())], "the default route leads through eth0 to 192.0.2.1"),
        ("0.0.0.0/0", [route(hop())], "the default route leads through eth0 to 192.0.2.1"),
        ("::/0", [route(hop("eth0", ""))], "the default route of IPv6 leads through eth0"),
        ("10.96.0.1", [TWO], "the route to 10.96.0.1 leads through eth0 to 10.0.0.1 and through eth1 to 10.1.0.1"),
        ("default", [], "the default route does not exist; that of IPv6 is ::/0"),
        ("::/0", [], "the default route of IPv6 does not exist"),
        ("default", [route(LOOSE)], "the default route leads nowhere: eth0 has no carrier"),
        ("default", [route(DEAD, LOOSE)], "the default route leads nowhere: eth0 is switched off; eth0 has no carrier"),
        (
            "10.0.0.0/8",
            [route(kind="blackhole")],
            "the route to 10.0.0.0/8: what is sent there is dropped without a word (blackhole)",
        ),
    ],
)
def test_the_message_says_where_it_leads(to: str, observed: list[dict[str, Any]], message: str) -> None:
    assert message == told(make("route", to=to), seen(*observed, to=to))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((), "the route to 10.244.0.0/16 does not exist"),
        (
            ("10.244.1.0/24",),
            "the route to 10.244.0.0/16 does not exist; to parts of it there are: 10.244.1.0/24",
        ),
        (
            tuple(f"10.244.{number}.0/24" for number in range(6)),
            (
                "the route to 10.244.0.0/16 does not exist; to parts of it there are: 10.244.0.0/24, 10.244.1.0/24, "
                "10.244.2.0/24, 10.244.3.0/24, 10.244.4.0/24, ..."
            ),
        ),
    ],
)
def test_a_network_without_a_route_is_told_with_those_to_its_parts(parts: tuple[str, ...], message: str) -> None:
    assert message == told(make("route", to="10.244.0.0/16"), seen(to="10.244.0.0/16", parts=parts))


@pytest.mark.parametrize(
    ("state", "routes", "refusal", "observed"),
    [
        ("present", [route(hop())], "", "present"),
        ("present", [route(DEAD)], "", "down"),
        ("present", [route(kind="blackhole")], "", "blackhole"),
        ("present", [], "", "absent"),
        ("present", [], "blackhole", "blackhole"),
        ("absent", [], "", "absent"),
        ("absent", [], "blackhole", "absent"),
        ("absent", [route(hop())], "", "present"),
    ],
)
def test_the_state_is_observed_as_the_kernel_has_it(
    state: str, routes: list[dict[str, Any]], refusal: str, observed: str
) -> None:
    findings = judge(make("route", to="default", state=state), seen(*routes, refusal=refusal))

    assert [("state", observed)] == [(finding.property, finding.observed) for finding in findings]


def test_of_a_route_that_is_barred_nothing_else_is_judged() -> None:
    check = make("route", to="default", device="eth0")
    assert statuses(check, seen(route(kind="blackhole"))) == {"state": CRITICAL}


def test_a_route_of_a_kind_without_a_way_is_called_by_its_kind() -> None:
    assert told(make("route", to="default"), seen(route(kind="local"))) == (
        "the default route leads to what the kernel calls local"
    )


def test_where_there_is_no_route_only_that_is_told() -> None:
    check = make("route", to="default", device="eth0", metric=0)
    assert [finding.property for finding in judge(check, seen())] == ["state"]


@pytest.mark.parametrize(
    ("arguments", "mistakes"),
    [
        ({"to": "default", "metric": 0}, []),
        ({"to": "10.244.0.0/16", "device": "cni0"}, []),
        ({"to": "fd00::/8"}, []),
        ({"to": "10.96.0.1"}, []),
        ({"to": "10.244.1.1/16"}, ["to"]),
        ({"to": "kubernetes"}, ["to"]),
        ({"to": "10.96.0.1", "metric": 0}, ["metric"]),
        ({"to": "default", "state": "absent", "gateway": "10.0.0.1"}, ["gateway"]),
    ],
)
def test_what_is_wrong_together_is_a_mistake(arguments: dict[str, Any], mistakes: list[str]) -> None:
    assert mistakes == [argument for argument, _, _ in make("route", **arguments).mistakes()]
