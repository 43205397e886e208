"""RabbitMQ on this node, as a service: https://www.rabbitmq.com/docs/configure."""

from __future__ import annotations

import glob
import re
from typing import Any

from nodecheck.node.facts._files import text_if_there
from nodecheck.node.facts._units import enabled_units

GROUP = "rabbitmq"
PARTS = {"units": "its units", "port": "port that it serves clients on; that for TLS where it has no other"}
CONFIGURATION = "/etc/rabbitmq/rabbitmq.conf"
CONFIGURATIONS = (CONFIGURATION, "/etc/rabbitmq/conf.d/*.conf", "/etc/kolla/rabbitmq/rabbitmq.conf")
OF_ERLANG = ("/etc/rabbitmq/advanced.config", "/etc/rabbitmq/rabbitmq.config")
ENVIRONMENT = "/etc/rabbitmq/rabbitmq-env.conf"
PORT = re.compile(r"^\s*listeners\.(tcp|ssl)\.\w+\s*=\s*(?:\S*:)?(\d+)\s*$", re.MULTILINE)
PORT_OF_ERLANG = re.compile(r'^[^%\n]*\{\s*(tcp|ssl)_listeners\s*,\s*\[\s*(?:\{\s*"[^"]*"\s*,\s*)?(\d+)', re.MULTILINE)
NO_TCP = re.compile(r"^(\s*listeners\.tcp\s*=\s*none|[^%\n]*\{\s*tcp_listeners\s*,\s*\[\s*\])", re.MULTILINE)
PORT_OF_ENVIRONMENT = re.compile(r"""^\s*(?:export\s+)?(?:RABBITMQ_)?NODE_PORT=["']?(\d+)""", re.MULTILINE)


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    units = enabled_units(root, r"(rabbitmq-server|kolla-rabbitmq-container)\.service")
    return {"units": units, "port": int(_port(root))}, CONFIGURATION


def _port(root: str) -> str:
    """Return the first port that it is told; what its environment says counts where its configuration is silent."""
    text = "\n".join(_text(root, pattern) for pattern in (*CONFIGURATIONS, *OF_ERLANG))
    ports: dict[str, str] = {}
    for kind, port in (*PORT.findall(text), *PORT_OF_ERLANG.findall(text)):
        ports.setdefault(kind, port)
    if NO_TCP.search(text):
        return ports.get("ssl", "5671")
    told = PORT_OF_ENVIRONMENT.search(_text(root, ENVIRONMENT))
    return ports.get("tcp") or (told[1] if told else "5672")


def _text(root: str, pattern: str) -> str:
    return "\n".join(text_if_there(path) for path in sorted(glob.glob(root + pattern)))
