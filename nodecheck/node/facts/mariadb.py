"""MariaDB (or MySQL) on this node, as a service, and whether it is of a Galera cluster."""

from __future__ import annotations

import glob
from typing import Any

from nodecheck.node.facts._files import text_if_there
from nodecheck.node.facts._ini import options_of
from nodecheck.node.facts._units import enabled_units

GROUP = "mariadb"
PARTS = {
    "units": "its units",
    "port": "port that it serves clients on",
    "galera": "whether it replicates with others (wsrep_on)",
}
FOLDER = "/etc/mysql"
PATTERNS = (f"{FOLDER}/*.cnf", f"{FOLDER}/*/*.cnf", "/etc/my.cnf", "/etc/my.cnf.d/*.cnf")


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    paths = [path for pattern in PATTERNS for path in sorted(glob.glob(root + pattern))]
    told = options_of("\n".join(map(text_if_there, paths)))
    port = told.get("port", "")
    return {
        "units": enabled_units(root, r"(mariadb|mysql|mysqld|kolla-mariadb-container)\.service"),
        "port": int(port) if port.isdecimal() else 3306,
        "galera": told.get("wsrep_on", "").upper() in ("ON", "1", "TRUE"),
    }, FOLDER
