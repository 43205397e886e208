"""The daemons of libvirt on this node: the one libvirtd, or one for each of its parts, such as virtqemud."""

from __future__ import annotations

from typing import Any

from nodecheck.node.facts._units import LOCAL, enabled_units

GROUP = "libvirt"
PARTS = {
    "sockets": "socket units that start its daemons on demand; those for reading and for administrators go with them",
    "services": "services of its daemons that start at boot; those that are idle end again",
}
DAEMONS = r"(libvirtd|virt(qemu|lxc|xen|ch|vbox|network|nodedev|nwfilter|secret|storage|interface|proxy|log|lock)d)"


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    parts = {
        "sockets": enabled_units(root, rf"{DAEMONS}\.socket"),
        "services": enabled_units(root, rf"{DAEMONS}\.service"),
    }
    return parts, LOCAL
