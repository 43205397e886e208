"""The name servers that programs on this node ask: the first three of resolv.conf(5)."""

from __future__ import annotations

import re
from typing import Any

from nodecheck.node.nameservice import RESOLV_CONF, SERVERS_AT_MOST, named

GROUP = "all"
PARTS = {"addresses": "those in /etc/resolv.conf; none where it names none"}
PLAIN = re.compile(r"[0-9A-Fa-f.:]+")  # an address with a scope is left out


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    asked = named(root + RESOLV_CONF)[:SERVERS_AT_MOST]
    return {"addresses": [address for address in asked if PLAIN.fullmatch(address)]}, RESOLV_CONF
