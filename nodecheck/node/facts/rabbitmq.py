"""RabbitMQ on this node, as a service."""

from __future__ import annotations

import re
from typing import Any

from nodecheck.node.facts._files import text_if_there
from nodecheck.node.facts._units import enabled_units

GROUP = "rabbitmq"
PARTS = {"units": "its units", "port": "port that it serves clients on"}
CONFIGURATION = "/etc/rabbitmq/rabbitmq.conf"
PORT = re.compile(r"^\s*listeners\.tcp\.\w+\s*=\s*(?:\S*:)?(\d+)\s*$", re.MULTILINE)


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    told = PORT.search(text_if_there(root + CONFIGURATION))
    units = enabled_units(root, r"(rabbitmq-server|kolla-rabbitmq-container)\.service")
    return {"units": units, "port": int(told[1]) if told else 5672}, CONFIGURATION
