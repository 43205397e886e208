"""Which address a socket is bound to: wildcards, IPv6 sockets that serve IPv4 too, mapped addresses, loopback.

Answers are yes, no, and None: could not be seen, since the kernel did not tell whether a socket on :: serves IPv4 too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ipaddress
    from collections.abc import Iterable

    from nodecheck.node.sockets import Listener

LOOPBACK = "loopback"
EVERYWHERE = "everywhere"
ANY = {4: "0.0.0.0", 6: "::"}  # compared, not bound


def parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address, a mapped one as the IPv4 address that it is; None for what is no address."""
    import ipaddress  # 4 ms, and few checks name an address

    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def bound_to(listeners: list[Listener], address: str) -> bool | None:
    """Tell whether a port is open at an address, or by one of the words."""
    if address == LOOPBACK:
        return all(_is_loopback(listener) for listener in listeners)
    if address == EVERYWHERE:
        answers = [any_of(_covers(listener, ANY[version]) for listener in listeners) for version in (4, 6)]
        return False if False in answers else None if None in answers else True
    return any_of(serves(listener, address) for listener in listeners)


def serves(listener: Listener, address: str | None) -> bool | None:
    """Tell whether a socket is one of those that an address, or one of the words, is about."""
    if address is None or address == EVERYWHERE:
        return True
    return _is_loopback(listener) if address == LOOPBACK else _covers(listener, address)


def in_the_way(listener: Listener, address: str | None) -> bool | None:
    """Tell whether a socket keeps others from this address: one that is bound to every address holds each of them."""
    bound, wanted = parse(listener.address), parse(address or "")
    if address is None or address == EVERYWHERE or bound is None:
        return True
    if wanted is None:
        return bound.is_loopback or bound.is_unspecified
    if bound.version == wanted.version:
        return bound == wanted or bound.is_unspecified or wanted.is_unspecified
    return _serves_both(listener) if wanted.version == 4 and bound.is_unspecified else False  # IP version


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """Return yes when one says yes; else could not be seen, when one could not."""
    known = tuple(answers)
    if True in known:
        return True
    return None if None in known else False


def shown(listener: Listener) -> str:
    """Return the address of a socket as a person is told it."""
    if listener.family == 6 and listener.address == ANY[6]:  # IP version
        return {True: ":: (IPv6 only)", False: ":: (IPv4 too)", None: "::"}[listener.v6only]
    return listener.address


def _covers(listener: Listener, address: str) -> bool | None:
    bound, wanted = parse(listener.address), parse(address)
    if bound is None or wanted is None or bound == wanted:
        return bound is not None and bound == wanted
    both = str(bound) == ANY[6] and str(wanted) == ANY[4]
    return _serves_both(listener) if both else False


def _serves_both(listener: Listener) -> bool | None:
    return None if listener.v6only is None else not listener.v6only


def _is_loopback(listener: Listener) -> bool:
    bound = parse(listener.address)
    return bound is not None and bound.is_loopback
