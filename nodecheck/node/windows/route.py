"""Where packets go: the routes to a network in table main, or the kernel's choice for one address."""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node import rtnetlink
from nodecheck.node.shapes import fields, list_of, one_of, optional, text, whole
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Iterator

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address
    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT = {"default": "0.0.0.0/0"}
# linux/rtnetlink.h, linux/if_link.h
RTM_GETLINK, RTM_GETROUTE = 18, 26
ROUTE = struct.Struct("=BBBBBBBBI")  # struct rtmsg
LINK = struct.Struct("=BxHiII")  # struct ifinfomsg
HOP = struct.Struct("=HBBi")  # struct rtnexthop
RT_TABLE_MAIN = 254
RTM_F_CLONED, RTNH_F_DEAD = 0x200, 0x1
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_MULTIPATH, RTA_VIA = 1, 4, 5, 6, 7, 9, 18
IFLA_IFNAME, IFLA_LINKINFO, IFLA_CARRIER, IFLA_INFO_KIND = 3, 18, 33, 1
IFF_UP = 1
KINDS = {1: "unicast", 2: "local", 3: "broadcast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
PARTS_AT_MOST = 20
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
# With these the kernel says that it sends nothing there.
REFUSALS = {
    errno.ENETUNREACH: "no route",
    errno.EHOSTUNREACH: "unreachable",
    errno.EACCES: "prohibit",
    errno.EINVAL: "blackhole",
}
# What a kernel without IPv6, or without this table, says.
NOTHING = (errno.ENOENT, errno.EAFNOSUPPORT, errno.EOPNOTSUPP)
# The best route comes first. `refusal` says why the kernel sends nothing to an address, "" where it does, and for a
# network. `parts` are the routes to parts of a network that itself has no route. A `gateway` is "" where there is none.
SHAPE = fields(
    {
        "routes": list_of(
            fields(
                {
                    "kind": text, "metric": optional(whole), "source": text,
                    "hops": list_of(
                        fields({"device": text, "gateway": text, "state": one_of("up", "down", "no carrier")})
                    ),
                }
            )
        ),
        "refusal": one_of("", *REFUSALS.values()),
        "parts": list_of(text),
    }
)  # fmt: skip


class RouteWant(NamedTuple):
    """The routes to `default`, to a network (10.244.0.0/16), or to an address (10.96.0.1)."""

    to: str
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "route"

    @property
    def key(self) -> str:
        """Name this want."""
        return self.to


def parse(to: str) -> Address | Network:
    """Return the address or the network; default is that of IPv4. Raises ValueError."""
    text_of_it = DEFAULT.get(to, to)
    return ipaddress.ip_network(text_of_it) if "/" in text_of_it else ipaddress.ip_address(text_of_it)


def look(want: RouteWant) -> dict[str, Any]:
    """Return the routes; raises Unobserved where the kernel does not answer in time."""
    deadline = time.monotonic() + want.seconds
    target = parse(want.to)
    try:
        if isinstance(target, ipaddress.IPv4Address | ipaddress.IPv6Address):
            return _choice(target, deadline)
        return _table(target, deadline)
    except TimeoutError:
        reason = "the kernel did not tell of its routes in time"
        raise Unobserved("rtnetlink", reason, broken=True, late=True) from None


def _choice(target: Address, deadline: float) -> dict[str, Any]:
    """Ask the kernel what it would do, by all its rules and tables."""
    head = ROUTE.pack(FAMILIES[target.version], target.max_prefixlen, 0, 0, 0, 0, 0, 0, 0)
    try:
        body = rtnetlink.ask(RTM_GETROUTE, head, {RTA_DST: target.packed}, deadline)
    except OSError as error:
        if error.errno not in (*REFUSALS, *NOTHING):
            raise
        return {"routes": [], "refusal": REFUSALS.get(error.errno, "no route"), "parts": []}
    routes = [_route(body, deadline)] if body else []
    return {"routes": routes, "refusal": "" if routes else "no route", "parts": []}


def _table(target: Network, deadline: float) -> dict[str, Any]:
    found: list[tuple[bool, dict[str, Any]]] = []
    parts: list[str] = []
    for body, network in _main(target, deadline):
        if network == target:
            found.append((_is_passed_over(body), _route(body, deadline)))
        elif target.prefixlen and len(parts) < PARTS_AT_MOST:
            parts.append(str(network))
    found.sort(key=lambda route: (route[0], route[1]["metric"] or 0))
    return {"routes": [route for _, route in found], "refusal": "", "parts": [] if found else parts}


def _is_passed_over(body: bytes) -> bool:
    """Tell whether the kernel goes by the next route: without a carrier, and with ignore_routes_with_linkdown."""
    return bool(ROUTE.unpack_from(body)[-1] & RTNH_F_DEAD)


def _main(target: Network, deadline: float) -> Iterator[tuple[bytes, Network]]:
    """Yield the routes of table main to a network and, unless it is everything, to its parts."""
    family = FAMILIES[target.version]
    try:
        bodies = rtnetlink.dump(RTM_GETROUTE, ROUTE.pack(family, 0, 0, 0, RT_TABLE_MAIN, 0, 0, 0, 0), deadline)
    except OSError as error:
        if error.errno in NOTHING:
            return
        raise
    wanted, size = int(target.network_address), target.max_prefixlen
    for body in bodies:
        kind_of_address, length, _, _, table, *_, flags = ROUTE.unpack_from(body)
        parted = length > target.prefixlen > 0
        if kind_of_address != family or table != RT_TABLE_MAIN or flags & RTM_F_CLONED:
            continue
        if length == target.prefixlen or parted:
            start = int.from_bytes(rtnetlink.attributes(body, ROUTE.size).get(RTA_DST, b""), "big")
            if start >> (size - target.prefixlen) == wanted >> (size - target.prefixlen):
                yield body, type(target)((start, length))


def _route(body: bytes, deadline: float) -> dict[str, Any]:
    family, _, _, _, _, _, _, kind, flags = ROUTE.unpack_from(body)
    told = rtnetlink.attributes(body, ROUTE.size)
    chosen = flags & RTM_F_CLONED  # for one address: the kernel does not say by which route, so not its metric either
    metric = rtnetlink.whole(told[RTA_PRIORITY]) if RTA_PRIORITY in told else 0
    return {
        "kind": KINDS.get(kind, "unicast"),
        "metric": None if chosen and RTA_PRIORITY not in told else metric,
        "source": rtnetlink.address(family, told[RTA_PREFSRC]) if RTA_PREFSRC in told else "",
        "hops": [_hop(family, index, via, deadline) for index, via in _hops(told)],
    }


def _hops(told: dict[int, bytes]) -> Iterator[tuple[int, dict[int, bytes]]]:
    """Yield (number of the interface, attributes) of each way that a route has."""
    if RTA_OIF in told:
        yield rtnetlink.whole(told[RTA_OIF]), told
    several, offset = told.get(RTA_MULTIPATH, b""), 0
    while offset + HOP.size <= len(several):
        length, _, _, index = HOP.unpack_from(several, offset)
        yield index, rtnetlink.attributes(several[offset : offset + length], HOP.size)
        offset += max(HOP.size, (length + 3) & ~3)


def _hop(family: int, index: int, via: dict[int, bytes], deadline: float) -> dict[str, str]:
    gateway = rtnetlink.address(family, via[RTA_GATEWAY]) if RTA_GATEWAY in via else ""
    if RTA_VIA in via:  # a gateway of another family, RFC 5549
        gateway = rtnetlink.address(rtnetlink.whole(via[RTA_VIA][:2]), via[RTA_VIA][2:])
    body = rtnetlink.ask(RTM_GETLINK, LINK.pack(0, 0, index, 0, 0), {}, deadline)
    if body is None:  # it went away just now
        return {"device": f"number {index}", "gateway": gateway, "state": "down"}
    told = rtnetlink.attributes(body, LINK.size)
    return {"device": rtnetlink.text(told[IFLA_IFNAME]), "gateway": gateway, "state": _state(body, told)}


def _state(body: bytes, told: dict[int, bytes]) -> str:
    """Return whether an interface carries packets; a bridge has no carrier while nothing is connected to it."""
    if not LINK.unpack_from(body)[3] & IFF_UP:
        return "down"
    kind = rtnetlink.attributes(told.get(IFLA_LINKINFO, b"")).get(IFLA_INFO_KIND, b"")
    carries = told.get(IFLA_CARRIER, b"\1")[0] or rtnetlink.text(kind) == "bridge"
    return "up" if carries else "no carrier"
