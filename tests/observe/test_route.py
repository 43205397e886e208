"""Real routes of a network of the test's own, as ip(8) makes them."""

from __future__ import annotations

import pathlib
import subprocess
from typing import Any

import pytest

from nodecheck.node.windows import route
from nodecheck.node.windows.route import RouteWant

from .netns import Network

PLAIN = (
    "link set lo up",
    "link add v0 type veth peer name v1",
    "link add w0 type veth peer name w1",
    *(f"link set {name} up" for name in ("v0", "v1", "w0", "w1")),
    "addr add 10.0.0.2/24 dev v0",
    "addr add 10.1.0.2/24 dev w0",
    "addr add fd00::2/64 nodad dev v0",
)


def look(network: Network, to: str) -> dict[str, Any]:
    """Look, and see that what was seen has its shape."""
    seen: dict[str, Any] = network.do(lambda: route.look(RouteWant(to)))
    assert seen == route.SHAPE(seen, "")
    return seen


def ways(network: Network, to: str) -> list[list[tuple[str, str, str]]]:
    """Return (device, gateway, state) of each hop of each route."""
    found = look(network, to)["routes"]
    return [[(hop["device"], hop["gateway"], hop["state"]) for hop in one["hops"]] for one in found]


@pytest.mark.parametrize("to", ["default", "::/0", "10.0.0.0/8", "10.96.0.1", "fd00::1"])
def test_a_network_that_was_just_made_has_no_routes(network: Network, to: str) -> None:
    assert look(network, to)["routes"] == []


def test_the_default_routes(network: Network) -> None:
    network.ip(*PLAIN, "route add default via 10.0.0.1", "-6 route add default via fd00::1 dev v0")
    assert ways(network, "default") == ways(network, "0.0.0.0/0") == [[("v0", "10.0.0.1", "up")]]
    assert ways(network, "::/0") == [[("v0", "fd00::1", "up")]]


def test_of_several_routes_the_one_with_the_lowest_metric_comes_first(network: Network) -> None:
    network.ip(*PLAIN, "route add default via 10.0.0.1 metric 600", "route add default via 10.1.0.1 metric 100")
    assert ways(network, "default") == [[("w0", "10.1.0.1", "up")], [("v0", "10.0.0.1", "up")]]
    assert [found["metric"] for found in look(network, "default")["routes"]] == [100, 600]


def test_a_route_of_several_ways(network: Network) -> None:
    network.ip(*PLAIN, "route add 10.244.0.0/16 nexthop via 10.0.0.1 nexthop via 10.1.0.1")
    assert ways(network, "10.244.0.0/16") == [[("v0", "10.0.0.1", "up"), ("w0", "10.1.0.1", "up")]]


def test_a_route_to_a_network_is_to_exactly_this_network(network: Network) -> None:
    network.ip(
        *PLAIN, "route add 10.244.1.0/24 via 10.0.0.1", "route add 10.244.2.0/24 dev w0", "route add default dev v0"
    )
    assert look(network, "10.244.0.0/16") == {
        "routes": [],
        "refusal": "",
        "parts": ["10.244.1.0/24", "10.244.2.0/24"],
    }
    assert ways(network, "10.244.2.0/24") == [[("w0", "", "up")]]
    assert look(network, "10.244.2.128/25") == {"routes": [], "refusal": "", "parts": []}


def test_a_network_that_is_connected_directly_has_a_source(network: Network) -> None:
    network.ip(*PLAIN)
    (found,) = look(network, "10.0.0.0/24")["routes"]
    assert (found["source"], found["hops"]) == ("10.0.0.2", [{"device": "v0", "gateway": "", "state": "up"}])


def test_routes_of_other_tables_are_not_those_of_table_main(network: Network) -> None:
    network.ip(*PLAIN, "route add 10.9.0.0/16 dev v0 table 100", "rule add to 10.9.0.0/16 lookup 100")
    assert look(network, "10.9.0.0/16")["routes"] == []
    assert ways(network, "10.9.0.1") == [[("v0", "", "up")]]  # the kernel heeds all tables


@pytest.mark.parametrize(("to", "device"), [("10.96.0.1", "v0"), ("10.0.0.2", "lo"), ("fd00::7", "v0"), ("::1", "lo")])
def test_the_way_to_an_address_is_the_kernels_choice(network: Network, to: str, device: str) -> None:
    network.ip(*PLAIN, "route add default via 10.0.0.1")
    assert [[hop["device"] for hop in found["hops"]] for found in look(network, to)["routes"]] == [[device]]


@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit"])
def test_a_route_that_bars_the_way(network: Network, kind: str) -> None:
    network.ip(*PLAIN, f"route add {kind} 10.9.0.0/16", f"-6 route add {kind} fd09::/16")
    for bars, address in [("10.9.0.0/16", "10.9.0.1"), ("fd09::/16", "fd09::1")]:
        assert [found["kind"] for found in look(network, bars)["routes"]] == [kind]
        assert look(network, address) == {"routes": [], "refusal": kind, "parts": []}


def test_a_route_through_an_interface_without_a_carrier(network: Network) -> None:
    network.ip(*PLAIN, "route add default via 10.0.0.1", "link set v1 down")
    assert ways(network, "default") == [[("v0", "10.0.0.1", "no carrier")]]
    assert ways(network, "10.96.0.1") == [[("v0", "10.0.0.1", "no carrier")]]


@pytest.mark.parametrize(("ignored", "first"), [("1", "w0"), ("0", "v0")])
def test_a_route_that_the_kernel_passes_over_comes_last(network: Network, ignored: str, first: str) -> None:
    setting = pathlib.Path("/proc/sys/net/ipv4/conf/all/ignore_routes_with_linkdown")
    network.do(lambda: setting.write_text(ignored))
    network.ip(*PLAIN, "route add default via 10.0.0.1 metric 100", "route add default via 10.1.0.1 metric 600")
    network.ip("link set v1 down")
    assert first == ways(network, "default")[0][0][0] == ways(network, "192.0.2.1")[0][0][0]


def test_a_bridge_to_which_nothing_is_connected_leads_somewhere(network: Network) -> None:
    network.ip(
        *PLAIN, "link add cni0 type bridge", "addr add 10.244.1.1/24 dev cni0", "link set v0 master cni0",
        "link set cni0 up", "link set v0 nomaster",
    )  # fmt: skip
    assert ways(network, "10.244.1.0/24") == [[("cni0", "", "up")]]


def test_a_gateway_of_the_other_family(network: Network) -> None:
    network.ip(*PLAIN, "route add 10.9.0.0/16 via inet6 fd00::1 dev v0")
    assert ways(network, "10.9.0.0/16") == [[("v0", "fd00::1", "up")]]


def test_a_route_that_vanishes(network: Network) -> None:
    network.ip(*PLAIN, "route add default via 10.0.0.1", "link del v0")
    assert look(network, "default")["routes"] == []


def test_one_of_many_routes_is_found(network: Network) -> None:
    network.ip(*PLAIN)
    lines = [f"route add 10.{one}.{two}.0/24 dev v0" for one in range(100, 110) for two in range(200)]
    network.do(lambda: subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True))
    assert ways(network, "10.109.199.0/24") == [[("v0", "", "up")]]
    assert len(look(network, "10.0.0.0/8")["parts"]) == route.PARTS_AT_MOST
