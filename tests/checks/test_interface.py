"""Interfaces: up is more than switched on, and less than a carrier for a bridge."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import judge, make, node, status_of, statuses, told

from nodecheck.node.counters import Sample
from nodecheck.node.node import CounterWant, Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN


def seen(name: str = "eth0", addresses: dict[str, str] | None = None, **fields: Any) -> Node:
    """Return a node with this interface, which is up and well but for `fields`; addresses are {address: state}."""
    plain: dict[str, Any] = {
        "name": name, "up": True, "operstate": "up", "carrier": True, "mtu": 1500, "kind": "ethernet",
        "driver": "virtio_net", "speed": 1000, "master": "", "promiscuous": False,
        "statistics": {"receive_errors": 1, "transmit_errors": 2, "receive_drops": 3, "transmit_drops": 4},
        "addresses": [{"address": key, "state": state} for key, state in (addresses or {}).items()],
    }  # fmt: skip
    made = node()
    made.observed.windows = {"interface": {name: {"interface": plain | fields, "others": []}}}
    return made


def without(*others: str, name: str = "eth0") -> Node:
    """Return a node that has other interfaces only."""
    made = node()
    made.observed.windows = {"interface": {name: {"interface": None, "others": list(others)}}}
    return made


OFF: dict[str, Any] = {"up": False, "operstate": "down", "carrier": None}
LOOSE: dict[str, Any] = {"operstate": "down", "carrier": False}


@pytest.mark.parametrize(
    ("fields", "is_up", "is_down"),
    [
        ({}, OK, CRITICAL),
        ({"operstate": "unknown"}, OK, CRITICAL),  # vxlan, lo
        (OFF, CRITICAL, OK),
        (OFF | {"kind": "bridge"}, CRITICAL, OK),
        (LOOSE, CRITICAL, CRITICAL),
        (LOOSE | {"kind": "bridge"}, OK, CRITICAL),
        ({"operstate": "lowerlayerdown", "carrier": False}, CRITICAL, CRITICAL),
        ({"operstate": "dormant"}, CRITICAL, CRITICAL),
        ({"operstate": "notpresent"}, CRITICAL, CRITICAL),
        ({"operstate": "testing"}, CRITICAL, CRITICAL),
        ({"carrier": None}, OK, CRITICAL),
    ],
)
def test_up_is_switched_on_and_with_a_carrier(fields: dict[str, Any], is_up: Status, is_down: Status) -> None:
    found = [status_of(make("interface", name="eth0", state=state), seen(**fields)) for state in ("up", "down")]
    assert [is_up, is_down] == found


@pytest.mark.parametrize(
    ("state", "there", "gone"), [("up", OK, CRITICAL), ("down", CRITICAL, CRITICAL), ("absent", CRITICAL, OK)]
)
def test_an_interface_is_there_or_not(state: str, there: Status, gone: Status) -> None:
    check = make("interface", name="eth0", state=state)
    assert [there, gone] == [status_of(check, seen()), status_of(check, without("lo"))]


@pytest.mark.parametrize(
    ("wanted", "fields", "status"),
    [
        (True, {}, OK),
        (True, LOOSE, CRITICAL),
        (True, LOOSE | {"kind": "bridge"}, CRITICAL),
        (False, LOOSE, OK),
        (False, {"operstate": "lowerlayerdown", "carrier": False}, OK),
        (False, {}, CRITICAL),
        (True, {"carrier": None}, UNKNOWN),
    ],
)
def test_a_carrier_can_be_asked_for_or_not_be_needed(wanted: bool, fields: dict[str, Any], status: Status) -> None:
    assert status == status_of(make("interface", name="eth0", carrier=wanted), seen(**fields))


HAS = {"10.244.1.1/24": "", "fd00::1/64": "", "fe80::1/64": ""}


@pytest.mark.parametrize(
    ("wanted", "has", "status"),
    [
        ("10.244.1.1", HAS, OK),
        ("10.244.1.1/24", HAS, OK),
        ("10.244.1.1/16", HAS, CRITICAL),
        ("10.244.1.2", HAS, CRITICAL),
        ("10.244.0.0/16", HAS, OK),
        ("10.0.0.0/16", HAS, CRITICAL),
        ("10.244.1.0", {"10.244.1.0/32": ""}, OK),
        ("10.244.1.0/32", {"10.244.1.0/32": ""}, OK),
        ("10.244.1.0/32", {"10.244.1.0/24": ""}, CRITICAL),
        ("10.244.1.0/31", {"10.244.1.1/24": ""}, OK),
        ("FD00:0::1", HAS, OK),
        ("fd00::/16", HAS, OK),
        ("ipv4", HAS, OK),
        ("ipv6", HAS, OK),
        ("ipv4", {"169.254.1.1/16": ""}, CRITICAL),
        ("ipv6", {"10.244.1.1/24": "", "fe80::1/64": ""}, CRITICAL),
        (["10.244.1.1", "fd00::1"], HAS, OK),
        (["10.244.1.1", "10.244.1.2"], HAS, CRITICAL),
        ("ipv4", {}, CRITICAL),
        ("fd00::1", {"fd00::1/64": "duplicate"}, CRITICAL),
        ("fd00::1", {"fd00::1/64": "tentative"}, CRITICAL),
        ("fd00::/16", {"fd00::1/64": "duplicate", "fd00::2/64": ""}, OK),
    ],
)
def test_each_address_that_is_wanted_has_to_be_there_and_usable(
    wanted: Any, has: dict[str, str], status: Status
) -> None:
    check = make("interface", name="eth0", addresses=wanted)
    assert status == statuses(check, seen(addresses=has))["addresses"]


@pytest.mark.parametrize(
    ("expected", "fields", "status"),
    [
        ({"mtu": 1500}, {}, OK),
        ({"mtu": "<= 1450"}, {}, CRITICAL),
        ({"kind": "vxlan"}, {"kind": "vxlan"}, OK),
        ({"kind": ["bridge", "bond"]}, {}, CRITICAL),
        ({"driver": "virtio_net"}, {}, OK),
        ({"driver": "virtio_net"}, {"driver": None}, UNKNOWN),
        ({"speed": ">= 1000"}, {}, OK),
        ({"speed": ">= 10000"}, {}, CRITICAL),
        ({"speed": ">= 1000"}, {"speed": None}, UNKNOWN),
        ({"master": "cni0"}, {"master": "cni0"}, OK),
        ({"master": "cni0"}, {}, CRITICAL),
        ({"master": "none"}, {}, OK),
        ({"promiscuous": False}, {}, OK),
        ({"promiscuous": False}, {"promiscuous": True}, CRITICAL),
        ({"errors": "< 4"}, {}, OK),
        ({"errors": "< 3"}, {}, CRITICAL),
        ({"drops": 7}, {}, OK),
        ({"drops": 0}, {}, CRITICAL),
    ],
)
def test_settings_and_counters_are_judged(expected: dict[str, Any], fields: dict[str, Any], status: Status) -> None:
    (name,) = expected
    assert status == statuses(make("interface", name="eth0", **expected), seen(**fields))[name]


@pytest.mark.parametrize(
    ("arguments", "observed", "message"),
    [
        ({}, seen(), "eth0 is up"),
        ({}, seen(**OFF), "eth0 is switched off"),
        ({}, seen(**LOOSE), "eth0 is switched on and has no carrier: nothing answers at its other end"),
        (
            {},
            seen(operstate="lowerlayerdown", carrier=False),
            "eth0 is switched on and has no carrier: what it is built on, or its other end, is down",
        ),
        ({}, without("lo", "ens3"), "there is no interface eth0; there are lo, ens3"),
        (
            {},
            without(*(f"veth{number}" for number in range(10))),
            "there is no interface eth0; there are veth0, veth1, veth2, veth3, veth4, veth5, veth6, veth7 and 2 more",
        ),
        ({"state": "absent"}, without("lo"), "there is no interface eth0"),
        ({"state": "absent"}, seen(), "eth0 is up, expected absent"),
        (
            {"addresses": "10.0.0.2"},
            seen(addresses={"10.0.0.1/24": ""}),
            "eth0 has 10.0.0.1/24, expected 10.0.0.2",
        ),
        ({"addresses": "ipv4"}, seen(), "eth0 has no address, expected ipv4"),
        (
            {"addresses": "fd00::1"},
            seen(addresses={"fd00::1/64": "duplicate"}),
            "eth0 has no address, expected fd00::1; fd00::1/64 is a duplicate: another host has it too",
        ),
        (
            {"addresses": ["fd00::1", "fd00::2"]},
            seen(addresses={"fd00::1/64": "tentative", "fd00::3/64": "duplicate", "fd00::4/64": ""}),
            (
                "eth0 has fd00::4/64, expected fd00::1, fd00::2; "
                "fd00::1/64 cannot be used yet: the kernel still looks whether another host has it"
            ),
        ),
        ({"drops": 0}, seen(), "number of drops of eth0 is 7, expected 0"),
        (
            {},
            without(*(f"veth{number}" for number in range(8))),
            "there is no interface eth0; there are veth0, veth1, veth2, veth3, veth4, veth5, veth6, veth7",
        ),
        (
            {},
            without(*(f"veth{number}" for number in range(9))),
            "there is no interface eth0; there are veth0, veth1, veth2, veth3, veth4, veth5, veth6, veth7 and 1 more",
        ),
        ({"promiscuous": True}, seen(), "eth0 does not have the promiscuous mode, expected true"),
        ({"errors": 0}, seen(), "number of errors of eth0 is 3, expected 0"),
    ],
)
def test_the_message_says_what_was_seen(arguments: dict[str, Any], observed: Node, message: str) -> None:
    assert message == told(make("interface", name="eth0", **arguments), observed)


def test_of_an_interface_that_is_to_be_off_only_that_is_judged() -> None:
    assert statuses(make("interface", name="eth0", state="down"), seen()) == {"state": CRITICAL}


@pytest.mark.parametrize(
    ("wanted", "before", "status", "message"),
    [
        ({"errors": "< 10 in 1h"}, {"errors of eth0": [(3600, 0), (60, 0)]}, OK, "number of errors of eth0 in 1h is 3"),
        ({"errors": "< 3 in 1h"}, {"errors of eth0": [(3600, 0), (60, 0)]}, CRITICAL, "in 1h is 3, expected < 3 in 1h"),
        ({"drops": "< 3 in 1h"}, {"drops of eth0": [(3600, 7), (60, 7)]}, OK, "number of drops of eth0 in 1h is 0"),
        ({"drops": "< 3 in 1h"}, {}, UNKNOWN, "could be 0 to 7: it was not looked at before"),
    ],
)
def test_errors_and_drops_within_a_time_are_judged_by_what_is_remembered(
    wanted: dict[str, str], before: dict[str, list[tuple[float, int]]], status: Status, message: str
) -> None:
    check, made = make("interface", name="eth0", **wanted), seen()
    made.observed.counters = {name: [Sample(*sample) for sample in samples] for name, samples in before.items()}
    (name,) = wanted

    assert {"state": OK, name: status} == statuses(check, made)
    assert message in told(check, made) or message == judge(check, made)[-1].message


def test_what_is_counted_is_remembered_only_where_growth_is_wanted() -> None:
    check = make("interface", name="eth0", errors="< 10 in 1h", drops="< 10")

    assert [(CounterWant("errors of eth0", 3600), 3)] == list(check.counters(seen()))
    assert list(check.counters(without("lo"))) == []


def test_of_an_interface_that_is_off_only_that_is_told() -> None:
    check = make("interface", name="eth0", addresses="ipv4", mtu=9000)
    (finding,) = judge(check, seen(**OFF))
    assert (finding.property, finding.remedy) == ("state", "ip link set eth0 up")


@pytest.mark.parametrize(
    ("arguments", "mistakes"),
    [
        ({"name": "eth0", "addresses": ["10.0.0.1", "10.0.0.0/8", "ipv6", "fd00::1/64"]}, []),
        ({"name": "a/b"}, ["name"]),
        ({"name": "eth 0"}, ["name"]),
        ({"name": "x" * 127}, []),
        ({"name": "x" * 128}, ["name"]),
        ({"name": "eth0", "addresses": ["10.0.0", "ipv5"]}, ["addresses", "addresses"]),
        ({"name": "eth0", "state": "absent", "mtu": 1500}, ["mtu"]),
        ({"name": "eth0", "state": "down", "carrier": False}, ["carrier"]),
    ],
)
def test_what_is_wrong_together_is_a_mistake(arguments: dict[str, Any], mistakes: list[str]) -> None:
    assert mistakes == [argument for argument, _, _ in make("interface", **arguments).mistakes()]
