"""Network interfaces: there, up, with a carrier, and set up as they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation, judge_growth
from nodecheck.node.counters import growth
from nodecheck.node.node import CounterWant
from nodecheck.node.windows.interface import InterfaceWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.checks.base import Words
    from nodecheck.definitions.expectation import CountInTime, Number, Text
    from nodecheck.node.node import Node, Want

UP, DOWN, ABSENT = "up", "down", "absent"
LONGEST_NAME = 127  # of an alternative name, linux/if.h
NAMES_SHOWN = 8
VERSIONS = {"ipv4": 4, "ipv6": 6}
NONE = "none"
UNUSABLE = {
    "duplicate": "is a duplicate: another host has it too",
    "tentative": "cannot be used yet: the kernel still looks whether another host has it",
}
# What the kernel says of an interface that is switched on and carries nothing, RFC 2863.
IDLE = {
    "dormant": "waits for something outside, an authentication for example",
    "lowerlayerdown": "has no carrier: what it is built on, or its other end, is down",
    "notpresent": "is not there any more: its hardware was taken away",
    "testing": "is in a test mode",
}


class Interface(Check):
    """A network interface of this node is up, with the right addresses and settings; or it is down, or absent."""

    name: str = arg("Its name, such as eth0, cni0 or flannel.1.")
    state: str = arg(
        "up: it is switched on and has a carrier; a bridge needs none, since docker0 and cni0 have none while nothing "
        "is connected to them. down: it is switched off. absent: there is none of this name.",
        default=UP,
        choices=(UP, DOWN, ABSENT),
    )
    carrier: bool = arg(
        "Whether it has a carrier: something at its other end. With false, it may be up without one.", default=None
    )
    addresses: Words = arg(
        "What it has to have, each of it: an address (10.0.0.1), an address with the length of its prefix "
        "(10.0.0.1/24), a network for any address within it (10.244.0.0/16), ipv4 or ipv6 for any address of that "
        "version that is not link-local.",
        default=None,
    )
    mtu: Number = arg("Largest packet in bytes.", default=None)
    kind: Text = arg(
        "What it is: ethernet, loopback, bridge, veth, vxlan, bond, vlan, wireguard, tun and so on.", default=None
    )
    driver: Text = arg("Name of its driver.", default=None)
    speed: Number = arg("Speed in Mbit/s; virtual machines often do not know it.", default=None)
    master: Text = arg("Name of the bridge or bond that it is a port of; none when it is of none.", default=None)
    promiscuous: bool = arg(
        "Whether it takes packets for others too, as ports of a bridge do, and while somebody captures packets.",
        default=None,
    )
    errors: CountInTime = arg(
        'Errors while receiving and sending, since it came to be. With a time, such as "< 10 in 1h", those within '
        "it: by what earlier runs saw.",
        default=None,
    )
    drops: CountInTime = arg(
        'Packets dropped while receiving and sending, since it came to be. With a time, such as "< 10 in 1h", those '
        "within it: by what earlier runs saw.",
        default=None,
    )

    EXAMPLE: ClassVar[str] = """\
- name: The overlay of flannel is up
  interface: {name: flannel.1, kind: vxlan, addresses: 10.244.0.0/16, mtu: 1200..1450}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """Names and addresses are such, and what is down or absent has no properties."""
        if "/" in self.name or self.name.split() != [self.name] or len(self.name.encode()) > LONGEST_NAME:
            yield "name", f"{self.name!r} is no name of an interface", ""
        for address in self.addresses or ():
            if address not in VERSIONS and _parse(address) is None:
                yield "addresses", f"{address!r} is neither an address nor a network", f"or {' or '.join(VERSIONS)}"
        if self.state != UP:
            given = [
                name for name in self.arguments() if name not in ("name", "state") and getattr(self, name) is not None
            ]
            if given:
                yield given[0], f"of an interface that is {self.state}, nothing else is judged", ""

    def wants(self) -> Iterator[Want]:
        """One interface."""
        yield InterfaceWant(self.name)
        yield from self._counters().values()

    def counters(self, node: Node) -> Iterator[tuple[CounterWant, float]]:
        """Errors and drops, where those within a time are wanted."""
        found = node.look(InterfaceWant(self.name))["interface"]
        if found is not None:
            for name, counter in self._counters().items():
                yield counter, _counted(found)[name]

    def _counters(self) -> dict[str, CounterWant]:
        wanted = {"errors": self.errors, "drops": self.drops}
        return {
            name: CounterWant(f"{name} of {self.name}", expectation.within)
            for name, expectation in wanted.items()
            if expectation is not None and expectation.within
        }

    def judge(self, node: Node) -> Iterator[Finding]:
        """First whether it is as up as it should be; then its properties, each by itself."""
        seen = node.look(InterfaceWant(self.name))
        found = seen["interface"]
        state = self._judge_state(found, seen["others"])
        yield state
        if found is None or self.state != UP or not found["up"]:
            return
        if self.carrier is not None:
            yield self._judge_flag("carrier", self.carrier, found["carrier"], "a carrier")
        yield from self._judge_addresses(found["addresses"])
        if self.promiscuous is not None:
            yield self._judge_flag("promiscuous", self.promiscuous, found["promiscuous"], "the promiscuous mode")
        yield from self._judge_settings(found)
        yield from self._judge_growth(found, node)

    def _judge_state(self, found: dict[str, Any] | None, others: list[str]) -> Finding:
        observed, message = self._state(found)
        if observed == self.state:
            return Finding("state", Status.OK, self.state, observed, message)
        if found is None:
            message += f"; there are {_listed(others)}"
        wanted = "" if self.state == UP else f", expected {self.state}"
        remedy = f"ip link set {self.name} up" if observed == DOWN else ""
        return Finding("state", Status.CRITICAL, self.state, observed, message + wanted, remedy=remedy)

    def _state(self, found: dict[str, Any] | None) -> tuple[str, str]:
        """Return the state of an interface, and a message that says it."""
        if found is None:
            return ABSENT, f"there is no interface {self.name}"
        if not found["up"]:
            return DOWN, f"{self.name} is switched off"
        if found["operstate"] in IDLE and self.carrier is not False:
            return found["operstate"], f"{self.name} is switched on and {IDLE[found['operstate']]}"
        if found["carrier"] is False and self.carrier is not False and found["kind"] != "bridge":
            return "no carrier", f"{self.name} is switched on and has no carrier: nothing answers at its other end"
        return UP, f"{self.name} is up"

    def _judge_flag(self, name: str, wanted: bool, observed: bool | None, what: str) -> Finding:
        if observed is None:
            return Finding(name, Status.UNKNOWN, wanted, None, f"whether {self.name} has {what} could not be seen")
        status = Status.OK if observed == wanted else Status.CRITICAL
        has = f"{self.name} has {what}" if observed else f"{self.name} does not have {what}"
        return Finding(
            name, status, wanted, observed, has if status is Status.OK else f"{has}, expected {str(wanted).lower()}"
        )

    def _judge_addresses(self, addresses: list[dict[str, str]]) -> Iterator[Finding]:
        if self.addresses is None:
            return
        usable = [address["address"] for address in addresses if not address["state"]]
        missing = [wanted for wanted in self.addresses if not any(_fits(wanted, address) for address in usable)]
        shown = ", ".join(usable) or "no address"
        if not missing:
            yield Finding("addresses", Status.OK, str(self.addresses), shown, f"{self.name} has {shown}")
            return
        unusable = [
            f"{address['address']} {UNUSABLE.get(address['state'], address['state'])}"
            for address in addresses
            if address["state"] and any(_fits(wanted, address["address"]) for wanted in missing)
        ]
        message = "; ".join([f"{self.name} has {shown}, expected {', '.join(missing)}", *unusable])
        yield Finding("addresses", Status.CRITICAL, str(self.addresses), shown, message)

    def _judge_settings(self, found: dict[str, Any]) -> Iterator[Finding]:
        observed = {
            "mtu": found["mtu"],
            "kind": found["kind"],
            "driver": found["driver"],
            "speed": found["speed"],
            "master": found["master"] or NONE,
        } | {name: value for name, value in _counted(found).items() if name not in self._counters()}
        for name, value in observed.items():
            unit = "number of " + name if name in ("errors", "drops") else name
            yield from judge_expectation(name, getattr(self, name), value, subject=self.name, unit=unit)

    def _judge_growth(self, found: dict[str, Any], node: Node) -> Iterator[Finding]:
        for name, counter in self._counters().items():
            grown = growth(node.samples(counter.name), _counted(found)[name], counter.within, node.uptime())
            yield from judge_growth(name, getattr(self, name), grown, subject=self.name, unit=f"number of {name}")


def _counted(found: dict[str, Any]) -> dict[str, int]:
    counted = found["statistics"]
    return {name: counted[f"receive_{name}"] + counted[f"transmit_{name}"] for name in ("errors", "drops")}


def _parse(text: str) -> Any:
    """Return an address, an address with a prefix, or a network; None for what is none of these."""
    import ipaddress  # 4 ms, and few checks name an address

    try:
        return ipaddress.ip_interface(text)
    except ValueError:
        return None


def _fits(wanted: str, address: str) -> bool:
    """Tell whether an address such as 10.0.0.1/24 is one of those that are wanted."""
    has = _parse(address)
    if wanted in VERSIONS:
        return bool(has.version == VERSIONS[wanted] and not has.is_link_local)
    want = _parse(wanted)
    if "/" not in wanted:
        return bool(want.ip == has.ip)
    if want.ip == want.network.network_address and want.network.num_addresses > 1:
        return has.version == want.version and has.ip in want.network
    return bool(want == has)


def _listed(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
