"""memcached on this node, as a service."""

from __future__ import annotations

import re
from typing import Any

from nodecheck.node.facts._files import text_if_there
from nodecheck.node.facts._units import enabled_units

GROUP = "memcached"
PARTS = {"units": "its units", "port": "port that it serves clients on"}
CONFIGURATIONS = ("/etc/memcached.conf", "/etc/sysconfig/memcached")  # of Debian, of Fedora
PORT = re.compile(r'^\s*(?:-p\s*|--port[= ]|PORT="?)(\d+)', re.MULTILINE)


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    told = PORT.search("\n".join(text_if_there(root + path) for path in CONFIGURATIONS))
    units = enabled_units(root, r"(memcached|kolla-memcached-container)\.service")
    return {"units": units, "port": int(told[1]) if told else 11211}, CONFIGURATIONS[0]
