"""One network interface: what the kernel tells of it."""

from __future__ import annotations

import array
import errno
import fcntl
import socket
import struct
import time
from typing import Any, NamedTuple

from nodecheck.node import rtnetlink
from nodecheck.node.shapes import address, boolean, fields, list_of, optional, text, whole
from nodecheck.node.unobserved import Unobserved

# linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/if.h, linux/if_arp.h
RTM_GETLINK, RTM_GETADDR = 18, 22
LINK = struct.Struct("=BxHiII")  # struct ifinfomsg
ADDRESS = struct.Struct("=BBBBi")  # struct ifaddrmsg
IFLA_IFNAME, IFLA_MTU, IFLA_MASTER, IFLA_OPERSTATE, IFLA_LINKINFO = 3, 4, 10, 16, 18
IFLA_STATS64, IFLA_PROMISCUITY, IFLA_CARRIER, IFLA_ALT_IFNAME = 23, 30, 33, 53
IFLA_INFO_KIND = 1
IFA_ADDRESS, IFA_LOCAL, IFA_FLAGS = 1, 2, 8
IFA_F_DADFAILED, IFA_F_TENTATIVE, IFA_F_OPTIMISTIC = 0x08, 0x40, 0x04
IFF_UP = 1
SHORT_NAME = 15
HARDWARE = {1: "ethernet", 772: "loopback", 32: "infiniband"}
OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")  # RFC 2863
STATISTICS = {"receive_errors": 4, "transmit_errors": 5, "receive_drops": 6, "transmit_drops": 7}
# linux/sockios.h, linux/ethtool.h
SIOCETHTOOL = 0x8946
ETHTOOL_GSET, ETHTOOL_GDRVINFO = 1, 3
GSET_BYTES, GDRVINFO_BYTES = 44, 196
UNKNOWN_SPEEDS = (0, 0xFFFF, 0xFFFFFFFF)

# `interface` is null where there is none of this name; `others` are the names of those that there are then. `mtu` is in
# bytes, `speed` in Mbit/s, null where the driver does not tell; errors and drops are counted since the interface came
# to be. The state of an address is "" when it can be used.
SHAPE = fields(
    {
        "interface": optional(
            fields(
                {
                    "name": text, "up": boolean, "operstate": text, "carrier": optional(boolean), "mtu": whole,
                    "kind": text, "driver": optional(text), "speed": optional(whole), "master": text,
                    "promiscuous": boolean, "statistics": fields(dict.fromkeys(STATISTICS, whole)),
                    "addresses": list_of(fields({"address": address, "state": text})),
                }
            )
        ),
        "others": list_of(text),
    }
)  # fmt: skip


class InterfaceWant(NamedTuple):
    """A network interface, by its name or another name of it."""

    name: str
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "interface"

    @property
    def key(self) -> str:
        """Name this want."""
        return self.name


def look(want: InterfaceWant) -> dict[str, Any]:
    """Return what the kernel tells of the interface; raises Unobserved where it does not answer in time."""
    deadline = time.monotonic() + want.seconds
    try:
        body = _link(want.name, deadline)
        if body is None:
            return {"interface": None, "others": [name for _, name in socket.if_nameindex()]}
        _, _, index, _, _ = LINK.unpack_from(body)
        return {"interface": _interface(body, _addresses(index, deadline)), "others": []}
    except TimeoutError:
        reason = f"the kernel did not tell of {want.name} in time"
        raise Unobserved("rtnetlink", reason, broken=True, late=True) from None


def _link(name: str, deadline: float) -> bytes | None:
    number = IFLA_IFNAME if len(name.encode()) <= SHORT_NAME else IFLA_ALT_IFNAME
    return rtnetlink.ask(RTM_GETLINK, LINK.pack(0, 0, 0, 0, 0), {number: name.encode() + b"\0"}, deadline)


def _interface(body: bytes, addresses: list[dict[str, str]]) -> dict[str, Any]:
    _, hardware, _, flags, _ = LINK.unpack_from(body)
    told = rtnetlink.attributes(body, LINK.size)
    name = rtnetlink.text(told[IFLA_IFNAME])
    kind = rtnetlink.attributes(told.get(IFLA_LINKINFO, b"")).get(IFLA_INFO_KIND)
    up = bool(flags & IFF_UP)
    # What is switched off has no carrier that anybody could know of.
    carrier = bool(told[IFLA_CARRIER][0]) if up and IFLA_CARRIER in told else None
    return {
        "name": name,
        "up": up,
        "operstate": _operstate(told),
        "carrier": carrier,
        "mtu": rtnetlink.whole(told[IFLA_MTU]),
        "kind": rtnetlink.text(kind) if kind else HARDWARE.get(hardware, "other"),
        "driver": _driver(name),
        "speed": _speed(name),
        "master": _name_of(rtnetlink.whole(told[IFLA_MASTER])) if IFLA_MASTER in told else "",
        "promiscuous": rtnetlink.whole(told.get(IFLA_PROMISCUITY, b"")) > 0,
        "statistics": _statistics(told.get(IFLA_STATS64, b"")),
        "addresses": addresses,
    }


def _operstate(told: dict[int, bytes]) -> str:
    number = rtnetlink.whole(told.get(IFLA_OPERSTATE, b""))
    return OPERSTATES[number] if number < len(OPERSTATES) else OPERSTATES[0]


def _name_of(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:  # in another network namespace, or gone meanwhile
        return f"number {index}"


def _statistics(told: bytes) -> dict[str, int]:
    """From struct rtnl_link_stats64: packets, bytes, errors and drops, each received and sent."""
    return {name: rtnetlink.whole(told[8 * place : 8 * place + 8]) for name, place in STATISTICS.items()}


def _addresses(index: int, deadline: float) -> list[dict[str, str]]:
    found = []
    for body in rtnetlink.dump(RTM_GETADDR, ADDRESS.pack(0, 0, 0, 0, 0), deadline):
        family, length, flags, _, on = ADDRESS.unpack_from(body)
        told = rtnetlink.attributes(body, ADDRESS.size)
        own = told.get(IFA_LOCAL) or told.get(IFA_ADDRESS)  # with a peer, IFA_ADDRESS is the peer's
        if on == index and own and family in (socket.AF_INET, socket.AF_INET6):
            flags = rtnetlink.whole(told[IFA_FLAGS]) if IFA_FLAGS in told else flags
            found.append({"address": f"{rtnetlink.address(family, own)}/{length}", "state": _state(flags)})
    return found


def _state(flags: int) -> str:
    """Return why an IPv6 address cannot be used (RFC 4862), "" when it can."""
    if flags & IFA_F_DADFAILED:
        return "duplicate"
    return "tentative" if flags & IFA_F_TENTATIVE and not flags & IFA_F_OPTIMISTIC else ""


# ---- what only ethtool knows


def _driver(name: str) -> str | None:
    told = _ethtool(name, ETHTOOL_GDRVINFO, GDRVINFO_BYTES)
    return rtnetlink.text(told[4:36]) or None if told else None


def _speed(name: str) -> int | None:
    """From struct ethtool_cmd: the low half at 12, the high half at 28."""
    told = _ethtool(name, ETHTOOL_GSET, GSET_BYTES)
    if not told:
        return None
    low, high = struct.unpack_from("=H", told, 12)[0], struct.unpack_from("=H", told, 28)[0]
    speed = high << 16 | low
    return None if speed in UNKNOWN_SPEEDS else speed


def _ethtool(name: str, command: int, size: int) -> bytes:
    """Return the answer of ETHTOOL(command), b"" where the driver has none."""
    answer = array.array("B", struct.pack("=I", command) + bytes(size - 4))
    request = struct.pack("16sP", name.encode(), answer.buffer_info()[0]) + bytes(16)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as any_socket:
        try:
            fcntl.ioctl(any_socket, SIOCETHTOOL, request)
        except OSError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.ENODEV, errno.EPERM, errno.EINVAL):
                return b""
            raise
    return answer.tobytes()
