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
    "host": "address that clients on this node reach it by",
    "port": "port that it serves clients on",
    "galera": "whether it replicates with others (wsrep_on)",
}
FOLDER = "/etc/mysql"
LOOPBACK, EVERY_ADDRESS = "127.0.0.1", ("", "*", "0.0.0.0", "::")  # they are read, not listened on
PATTERNS = (f"{FOLDER}/*.cnf", f"{FOLDER}/*/*.cnf", "/etc/my.cnf", "/etc/my.cnf.d/*.cnf")


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    paths = [path for pattern in PATTERNS for path in sorted(glob.glob(root + pattern))]
    told = options_of("\n".join(map(text_if_there, paths)))
    port = told.get("port", "")
    address = told.get("bind_address", "").partition(",")[0].strip()
    return {
        "units": enabled_units(root, r"(mariadb|mysql|mysqld|kolla-mariadb-container)\.service"),
        "host": LOOPBACK if address in EVERY_ADDRESS else address,
        "port": int(port) if port.isdecimal() else 3306,
        "galera": told.get("wsrep_on", "").upper() in ("ON", "1", "TRUE"),
    }, FOLDER
