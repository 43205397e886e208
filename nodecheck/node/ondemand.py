"""Sockets of services that do not run: systemd listens in their place, and starts the service for whoever connects.

Looking changes nothing, so nothing connects to such a socket (systemd.socket(5)).
"""

from __future__ import annotations

import functools
import os
import socket
from typing import Any

from nodecheck.node import ownaddress, sockets, systemd
from nodecheck.node.unobserved import Unobserved

NOT_TRIED = "only systemd listens on it, and would start the service for whoever connects, so that was not tried"
ANYWHERE = ("0.0.0.0", "::")  # compared, not bound
SYSTEMD = 1  # where it runs: elsewhere PID 1 is a program like others


def refuse_to_wake(family: int, address: Any) -> None:
    """Do nothing, or say why an address is not to be connected to; `family` and `address` as for connect(2).

    Raises Unobserved.
    """
    source = f"socket {address}" if family == socket.AF_UNIX else sockets.SOURCE
    if would_wake(family, address):
        raise Unobserved(source, NOT_TRIED)


def would_wake(family: int, address: Any) -> bool:
    """Tell whether to connect to an address would start a service of this host. Raises Unobserved."""
    if not systemd.booted_with_systemd():
        return False
    return _would_wake_file(address) if family == socket.AF_UNIX else _would_wake_port(address)


def is_systemds_alone(inode: int) -> bool:
    """Tell whether only systemd holds this TCP socket, as far as that can be seen."""
    is_systemds = systemd.booted_with_systemd() and any(found.inode == inode for found in _ports_of_systemd())
    return is_systemds and bool(_are_systemds_alone({inode}))


def _are_systemds_alone(inodes: set[int]) -> bool | None:
    """Tell whether of all processes only systemd holds these sockets; None where that cannot be seen."""
    held = _holds(SYSTEMD, inodes) if inodes else False
    if held is False:
        return False
    pids = sorted((int(name) for name in os.listdir("/proc") if name.isdecimal()), reverse=True)
    return False if any(_holds(pid, inodes) for pid in pids if pid != SYSTEMD) else held


def _would_wake_file(path: str) -> bool:
    alone = _are_systemds_alone(_inodes_of_file(path))
    if alone is None:
        reason = f"whether only systemd listens on {path} could not be seen, and to connect might start its service"
        raise Unobserved(f"socket {path}", reason, remedy="run nodecheck as root")
    return alone


def _would_wake_port(address: tuple[Any, ...]) -> bool:
    """Only root sees what systemd holds; others connect, or they could say nothing of any port of their own host."""
    bound = (address[0], *ANYWHERE)
    inodes = {found.inode for found in _ports_of_systemd() if found.port == address[1] and found.address in bound}
    return bool(inodes and _is_of_this_host(address) and _are_systemds_alone(inodes))


@functools.cache
def _ports_of_systemd() -> tuple[sockets.Listener, ...]:
    """Where systemd listens, alone or not, as it was at the first question: a run is short, and asks for many ports."""
    held = _inodes_held(SYSTEMD)
    return tuple(found for found in sockets.collect({"tcp"}) if found.inode in held) if held else ()


def _is_of_this_host(address: tuple[Any, ...]) -> bool:
    """Tell whether the kernel takes it for its own; `address` as for connect(2). Raises Unobserved."""
    host, _, _scope = address[0].partition("%")
    try:
        return ownaddress.is_own(host, address[3] if len(address) > 3 else 0)
    except OSError as error:
        reason = f"whether {host} is an address of this node could not be seen: {error.strerror or error}"
        raise Unobserved("rtnetlink", f"{reason}; to connect might start a service") from error


def _inodes_of_file(path: str) -> set[int]:
    real = os.path.realpath(path)
    return {inode for inode, found in sockets.listening_files() if os.path.realpath(found) == real}


def _holds(pid: int, inodes: set[int]) -> bool | None:
    """Tell whether a process has one of these open; None where that cannot be seen."""
    held = _inodes_held(pid)
    return None if held is None else not inodes.isdisjoint(held)


def _inodes_held(pid: int) -> set[int] | None:
    """The sockets that a process has open; None where that cannot be seen."""
    try:
        links = list(sockets.links_in(f"/proc/{pid}/fd"))
    except PermissionError:
        return None
    except OSError:
        return set()  # it ended meanwhile
    return {int(link[8:-1]) for link in links if link.startswith("socket:[")}
