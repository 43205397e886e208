"""What a record and a discovery look at, whatever the definitions want: all units, processes and listening sockets.

Of processes all is read but their share of processor time, which takes half a second to sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.node import units
from nodecheck.node.node import EveryUnitWant, FileWant, ListenerWant, ManagerWant
from nodecheck.node.processes import STUCK, ProcessWant

if TYPE_CHECKING:
    from nodecheck.node.node import Want

FIELDS = frozenset({"exe", "cmdline", "uid", "unit"})
DETAILS = frozenset({"resident", "open_files", STUCK})
PORT_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"  # from which the kernel takes ports that nobody asked for
LEFT_OUT = {"Job"}  # the row of the unit tells it in words


def wants() -> list[Want]:
    """Return the wants of a survey; secrets in command lines are masked."""
    properties = units.UNIT_PROPERTIES.union(*units.TYPE_PROPERTIES.values()) - LEFT_OUT
    return [
        ManagerWant(),
        EveryUnitWant(tuple(sorted(properties))),
        ProcessWant(FIELDS, DETAILS, lambda _: True, masked=True),
        *(ListenerWant(protocol, None, owners=True) for protocol in ("tcp", "udp")),
        FileWant(PORT_RANGE),
    ]
