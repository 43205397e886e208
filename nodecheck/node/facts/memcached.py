"""memcached on this node, as a service."""

from __future__ import annotations

import re
from typing import Any

from nodecheck.node.facts._files import text_if_there
from nodecheck.node.facts._units import enabled_units

GROUP = "memcached"
PARTS = {"units": "its units", "port": "port that it serves clients on; 0: none, but a socket"}
CONFIGURATIONS = ("/etc/memcached.conf", "/etc/sysconfig/memcached")  # of Debian, of Fedora
PORT = re.compile(r'^\s*(?:-p\s*|--port[= ]|PORT="?)(\d+)', re.MULTILINE)

# "-s: Unix socket path to listen on (disables network support)", on a line of its own or in OPTIONS="".
SOCKET = re.compile(r"""^\s*(?:OPTIONS=["']?(?:.*\s)?)?(?:-s[\s=/]|--unix-socket[=\s])""", re.MULTILINE)


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    text = "\n".join(text_if_there(root + path) for path in CONFIGURATIONS)
    told, has_port = PORT.search(text), not SOCKET.search(text)
    units = enabled_units(root, r"(memcached|kolla-memcached-container)\.service")
    return {"units": units, "port": (int(told[1]) if told else 11211) if has_port else 0}, CONFIGURATIONS[0]
