"""Routes: which way packets go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.node.windows.route import DEFAULT, RouteWant, parse
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Number, Text
    from nodecheck.node.node import Node, Want

PRESENT, ABSENT = "present", "absent"
NONE = "none"
PARTS_SHOWN = 5
BARS = {
    "blackhole": "what is sent there is dropped without a word (blackhole)",
    "unreachable": "it says that nothing is reachable there (unreachable)",
    "prohibit": "it forbids to send anything there (prohibit)",
}


class Route(Check):
    """A network or an address has a route on this node, through the right interface and gateway; or it has none."""

    to: str = arg(
        "default: the default route of IPv4; ::/0 is that of IPv6. A network such as 10.244.0.0/16: a route to exactly "
        "this network, in table main. An address such as 10.96.0.1: the way that the kernel would choose for it, by "
        "all its rules and tables; the default route counts."
    )
    state: str = arg(
        "present: there is a route, it does not drop or refuse what is sent, and an interface on its way is up. "
        "absent: there is none.",
        default=PRESENT,
        choices=(PRESENT, ABSENT),
    )
    device: Text = arg("Name of the interface that it leads through; of several ways, any.", default=None)
    gateway: Text = arg(
        "Address of the gateway; none where the network is connected directly. Of several ways, any.", default=None
    )
    source: Text = arg("Address of this node that it sends from; none where the route names none.", default=None)
    metric: Number = arg(
        "Metric: of several routes, that with the lowest one is judged. Not of an address.", default=None
    )

    EXAMPLE: ClassVar[str] = """\
- name: The default route leads through eth0
  route: {to: default, device: eth0, gateway: 192.168.1.1}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """`to` is something that there may be a route to; what is absent has no properties."""
        try:
            target = parse(self.to)
        except ValueError as error:
            yield "to", f"{self.to!r} is neither default, nor a network, nor an address: {error}", ""
            return
        if self.metric is not None and not hasattr(target, "network_address"):
            yield "metric", "the kernel does not tell the metric of its choice for an address", "name the network"
        given = [name for name in ("device", "gateway", "source", "metric") if getattr(self, name) is not None]
        if self.state == ABSENT and given:
            yield given[0], "of a route that is absent, nothing else is judged", ""

    def wants(self) -> Iterator[Want]:
        """The routes to one place."""
        yield RouteWant(self.to)

    def judge(self, node: Node) -> Iterator[Finding]:
        """First whether there is a way, then where it leads."""
        seen = node.look(RouteWant(self.to))
        yield self._judge_state(seen)
        if self.state == ABSENT or not seen["routes"] or seen["routes"][0]["kind"] in BARS:
            return
        best = seen["routes"][0]
        observed = {
            "device": _words([hop["device"] for hop in best["hops"]]),
            "gateway": _words([hop["gateway"] or NONE for hop in best["hops"]]),
            "source": best["source"] or NONE,
            "metric": best["metric"],
        }
        for name, value in observed.items():
            yield from judge_expectation(name, getattr(self, name), value, subject=self._called)

    @property
    def _called(self) -> str:
        if self.to in (*DEFAULT, *DEFAULT.values()):
            return "the default route"
        return "the default route of IPv6" if self.to == "::/0" else f"the route to {self.to}"

    def _judge_state(self, seen: dict[str, Any]) -> Finding:
        if not seen["routes"]:
            return self._judge_none(seen)
        best = seen["routes"][0]
        if self.state == ABSENT:
            message = f"{self._called} is there: {_way(best)}, expected none"
            return Finding("state", Status.CRITICAL, ABSENT, PRESENT, message)
        if best["kind"] in BARS:
            return Finding("state", Status.CRITICAL, PRESENT, best["kind"], f"{self._called}: {BARS[best['kind']]}")
        if best["hops"] and all(hop["state"] != "up" for hop in best["hops"]):
            states = "; ".join(_stuck(hop) for hop in best["hops"])
            message = f"{self._called} leads nowhere: {states}"
            return Finding("state", Status.CRITICAL, PRESENT, best["hops"][0]["state"], message)
        return Finding("state", Status.OK, PRESENT, PRESENT, f"{self._called} leads {_way(best)}")

    def _judge_none(self, seen: dict[str, Any]) -> Finding:
        if seen["refusal"] in BARS:
            message, observed = f"{self._called}: {BARS[seen['refusal']]}", seen["refusal"]
        else:
            message, observed = f"{self._called} does not exist{self._instead(seen['parts'])}", ABSENT
        status = Status.OK if self.state == ABSENT else Status.CRITICAL
        return Finding("state", status, self.state, self.state if status is Status.OK else observed, message)

    def _instead(self, parts: list[str]) -> str:
        if not parts:
            return "; that of IPv6 is ::/0" if self.to in DEFAULT else ""
        more = ", ..." if len(parts) > PARTS_SHOWN else ""
        return f"; to parts of it there are: {', '.join(parts[:PARTS_SHOWN])}{more}"


def _words(names: list[str]) -> str | frozenset[str] | None:
    if not names:
        return None
    return names[0] if len(set(names)) == 1 else frozenset(names)


def _way(route: dict[str, Any]) -> str:
    ways = [f"through {hop['device']}" + (f" to {hop['gateway']}" if hop["gateway"] else "") for hop in route["hops"]]
    return " and ".join(ways) or f"to what the kernel calls {route['kind']}"


def _stuck(hop: dict[str, str]) -> str:
    return f"{hop['device']} is switched off" if hop["state"] == "down" else f"{hop['device']} has no carrier"
