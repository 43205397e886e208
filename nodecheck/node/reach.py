"""Errors of connect(2) that say that no way leads to an address: facts about the network, not about us who look."""

from __future__ import annotations

import errno
import os

NO_ROUTE = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EINVAL})  # of this node itself
UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.EHOSTDOWN})  # somebody on the way, or nobody at its end, says so


def why(code: int) -> str:
    """Return an error in words; the kernel has a strange one for routes that drop what is sent."""
    return "its route is a blackhole" if code == errno.EINVAL else os.strerror(code)
