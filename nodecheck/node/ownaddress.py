"""Is an address one of this node's own? The kernel says where it would take a packet to it: rtnetlink(7).

That a socket can be bound to an address says nothing: with ip_nonlocal_bind=1, as keepalived and haproxy need it, one
can be bound to any (https://docs.kernel.org/networking/ip-sysctl.html).
"""

from __future__ import annotations

import errno
import socket
import struct
import time

from nodecheck.node import rtnetlink

# linux/rtnetlink.h
RTM_GETROUTE = 26
ROUTE = struct.Struct("=BBBBBBBBI")  # struct rtmsg, the last but one is its type
RTA_DST, RTA_OIF = 1, 4
RTN_LOCAL = 2
MAPPED = bytes(10) + b"\xff\xff"  # an address of IPv4 as one of IPv6: RFC 4291, 2.5.5.2
SECONDS = 1.0  # the kernel answers while it is asked
# It sends nothing there (fib_props in net/ipv4/fib_semantics.c), or has no IPv6.
NOWHERE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL, errno.ENOENT, errno.EAFNOSUPPORT,
           errno.EOPNOTSUPP)  # fmt: skip


def is_own(address: str, interface: int = 0) -> bool:
    """Tell whether an address is this node's own; `interface` is the number of the one it is of, 0 for any.

    Raises ValueError where it is no address, and OSError where the kernel cannot be asked.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        packed = socket.inet_pton(family, address.partition("%")[0])  # ipaddress takes 3 ms to load
    except OSError as error:
        raise ValueError(f"{address!r} is no address") from error
    if packed.startswith(MAPPED):
        family, packed = socket.AF_INET, packed[len(MAPPED) :]
    # Who connects to 0.0.0.0 or :: gets to its own node: ip_route_output_key_hash_rcu(), tcp_v6_connect().
    return not any(packed) or _is_loopback(packed) or _is_taken_here(family, packed, interface)


def _is_loopback(packed: bytes) -> bool:
    return packed[0] == 127 if len(packed) == 4 else packed == bytes(15) + b"\1"


def _is_taken_here(family: int, packed: bytes, interface: int) -> bool:
    head = ROUTE.pack(family, 8 * len(packed), 0, 0, 0, 0, 0, 0, 0)
    by = {RTA_OIF: struct.pack("=i", interface)} if interface else {}
    try:
        body = rtnetlink.ask(RTM_GETROUTE, head, {RTA_DST: packed} | by, time.monotonic() + SECONDS)
    except OSError as error:
        if error.errno in NOWHERE:
            return False
        raise
    return body is not None and bool(ROUTE.unpack_from(body)[-2] == RTN_LOCAL)
