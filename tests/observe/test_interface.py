"""Real interfaces of a network of the test's own: veth pairs, bridges, vxlan; as ip(8) makes them."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest

from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import interface
from nodecheck.node.windows.interface import InterfaceWant

from .netns import Network

PAIR = "link add v0 type veth peer name v1"


def look(network: Network, name: str) -> dict[str, Any]:
    """Look, and see that what was seen has its shape."""
    seen: dict[str, Any] = network.do(lambda: interface.look(InterfaceWant(name)))
    assert seen == interface.SHAPE(seen, "")
    return seen


def found(network: Network, name: str) -> dict[str, Any]:
    seen: dict[str, Any] = look(network, name)["interface"]
    return seen


def state(network: Network, name: str) -> tuple[bool, str, bool | None]:
    seen = found(network, name)
    return seen["up"], seen["operstate"], seen["carrier"]


def addresses(network: Network, name: str) -> dict[str, str]:
    return {address["address"]: address["state"] for address in found(network, name)["addresses"]}


def wait_for_carrier(network: Network, name: str, wanted: bool) -> None:
    deadline = time.monotonic() + 5
    while (seen := state(network, name)[2]) is not wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    assert seen is wanted


def test_the_loopback_interface(network: Network) -> None:
    assert state(network, "lo") == (False, "down", None)
    network.ip("link set lo up")
    assert state(network, "lo") == (True, "unknown", True)
    assert found(network, "lo")["kind"] == "loopback"
    assert addresses(network, "lo") == {"127.0.0.1/8": "", "::1/128": ""}


def test_an_interface_that_is_not_there_and_those_that_are(network: Network) -> None:
    network.ip(PAIR)
    assert look(network, "eth0") == {"interface": None, "others": ["lo", "v1", "v0"]}
    assert look(network, "a-name-longer-than-any")["interface"] is None


def test_an_interface_that_went_away(network: Network) -> None:
    network.ip(PAIR)
    assert found(network, "v0")["kind"] == "veth"
    network.ip("link del v1")
    assert look(network, "v0")["interface"] is None


def test_a_veth_pair_has_a_carrier_when_both_ends_are_up(network: Network) -> None:
    network.ip(PAIR)
    assert state(network, "v0") == (False, "down", None)
    network.ip("link set v0 up")
    assert state(network, "v0") == (True, "lowerlayerdown", False)
    network.ip("link set v1 up")
    assert state(network, "v0") == (True, "up", True)


def test_a_bridge_and_its_port(network: Network) -> None:
    network.ip("link add cni0 type bridge", "link set cni0 up", "addr add 10.244.1.1/24 dev cni0")
    assert (found(network, "cni0")["kind"], found(network, "cni0")["driver"]) == ("bridge", "bridge")
    assert addresses(network, "cni0")["10.244.1.1/24"] == ""
    network.ip(PAIR, "link set v0 master cni0", "link set v0 up")
    wait_for_carrier(network, "cni0", False)
    network.ip("link set v1 up")
    wait_for_carrier(network, "cni0", True)
    assert (found(network, "v0")["master"], found(network, "v0")["promiscuous"]) == ("cni0", True)


def test_the_overlay_of_flannel(network: Network) -> None:
    network.ip(
        PAIR,
        "link add flannel.1 mtu 1400 type vxlan id 1 dev v0 dstport 8472",
        "addr add 10.244.1.0/32 dev flannel.1",
        "link set v0 up",
        "link set v1 up",
        "link set flannel.1 up",
    )
    seen = found(network, "flannel.1")
    assert (seen["kind"], seen["mtu"], seen["carrier"]) == ("vxlan", 1400, True)
    assert {"address": "10.244.1.0/32", "state": ""} in seen["addresses"]


def test_the_address_of_a_tunnel_is_its_own_and_not_its_peers(network: Network) -> None:
    network.ip(PAIR, "addr add 10.0.0.1 peer 10.0.0.2/32 dev v0")
    assert list(addresses(network, "v0")) == ["10.0.0.1/32"]


def test_an_address_that_cannot_be_used_yet(network: Network) -> None:
    network.ip(PAIR, "link set v0 up", "addr add fd00::1/64 dev v0")
    assert addresses(network, "v0")["fd00::1/64"] == "tentative"


def test_an_address_that_another_host_has_too(network: Network) -> None:
    network.ip(PAIR, "link set v0 up", "link set v1 up", "addr add fd00::1/64 nodad dev v1")
    network.ip("addr add fd00::1/64 dev v0")
    deadline = time.monotonic() + 5
    while (seen := addresses(network, "v0")["fd00::1/64"]) != "duplicate" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert seen == "duplicate"


def test_another_name_of_an_interface_is_as_good(network: Network) -> None:
    network.ip(PAIR, "link property add dev v0 altname enp0s31f6-of-the-first-port")
    assert found(network, "enp0s31f6-of-the-first-port")["name"] == "v0"


def test_counters_are_those_that_ip_shows(network: Network) -> None:
    network.ip(PAIR, "link set v0 up", "link set v1 up")
    shown = network.do(lambda: subprocess.run(["ip", "-j", "-s", "link"], capture_output=True, text=True, check=True))
    counted = {link["ifname"]: link["stats64"] for link in json.loads(shown.stdout)}["v0"]
    assert found(network, "v0")["statistics"] == {
        "receive_errors": counted["rx"]["errors"],
        "transmit_errors": counted["tx"]["errors"],
        "receive_drops": counted["rx"]["dropped"],
        "transmit_drops": counted["tx"]["dropped"],
    }


def test_many_interfaces_and_addresses_do_not_hide_one(network: Network) -> None:
    network.ip(PAIR, "link set v0 up")
    lines = [f"addr add 10.{one}.{two}.1/24 dev v0" for one in range(4) for two in range(100)]
    network.do(lambda: subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True))
    assert len([address for address in addresses(network, "v0") if address.startswith("10.")]) == len(lines)


def test_a_kernel_that_does_not_answer_in_time_was_not_seen(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodecheck.node.rtnetlink._send", lambda kernel, *_: kernel.settimeout(0.05))
    with pytest.raises(Unobserved, match="the kernel did not tell of v0 in time"):
        network.do(lambda: interface.look(InterfaceWant("v0", seconds=0.05)))
