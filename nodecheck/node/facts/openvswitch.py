"""Open vSwitch on this node: whether as a service or in a pod, and the bridge that OpenStack makes in it."""

from __future__ import annotations

import os
from typing import Any

from nodecheck.node.facts._files import text_if_there
from nodecheck.node.facts._ini import options_of
from nodecheck.node.facts._units import LOCAL, enabled_units

GROUP = "openvswitch"
PARTS = {
    "database_units": "units of its database; none: it runs in a container",
    "switch_units": "units of the switch itself; none: it runs in a container",
    "bridges": "bridges that have to be there: that of the Open vSwitch agent of neutron",
}
DATABASE = "ovsdb-server.service"
SWITCH = "ovs-vswitchd.service"
SWITCHES = r"(openvswitch-switch|openvswitch|ovs-vswitchd)\.service"  # of Debian, of Fedora
AGENT = r"neutron-openvswitch-agent\.service"
AGENT_FILE = "/etc/neutron/plugins/ml2/openvswitch_agent.ini"


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    agent = options_of(text_if_there(root + AGENT_FILE)) if enabled_units(root, AGENT) else None
    is_service = bool(enabled_units(root, SWITCHES)) and os.path.exists(f"{root}/usr/bin/ovs-vsctl")
    bridges = [] if agent is None else [agent.get("integration_bridge", "br-int")]
    return {
        "database_units": [DATABASE] if is_service else [],
        "switch_units": [SWITCH] if is_service else [],
        "bridges": bridges,
    }, LOCAL
