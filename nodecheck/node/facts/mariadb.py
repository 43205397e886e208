"""MariaDB (or MySQL) on this node, as a service, and whether it is of a Galera cluster."""

from __future__ import annotations

import glob
import re
from typing import TYPE_CHECKING, Any

from nodecheck.node.facts._files import text_if_there
from nodecheck.node.facts._units import enabled_units

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "mariadb"
PARTS = {
    "units": "its units",
    "host": "address that clients on this node reach it by",
    "port": "port that it serves clients on; 0: none (skip-networking)",
    "galera": "whether it replicates with others (wsrep_on)",
}
FOLDER = "/etc/mysql"
LOOPBACK, EVERY_ADDRESS = "127.0.0.1", ("", "*", "0.0.0.0", "::")  # they are read, not listened on
PATTERNS = (f"{FOLDER}/*.cnf", f"{FOLDER}/*/*.cnf", "/etc/my.cnf", "/etc/my.cnf.d/*.cnf", "/etc/kolla/mariadb/*.cnf")
OF_SERVER = re.compile(r"(mysqld|mariadbd?|server|galera|client-server)(-[\d.]+)?")  # groups; [client] is for others
OPTION = re.compile(r"""\s*([\w-]+)\s*(?:=\s*("[^"]*"|'[^']*'|[^#]*))?""")  # what follows # is a comment, on any line
TRUE = ("ON", "1", "TRUE")


def find(root: str) -> tuple[dict[str, Any], str]:
    """Return the parts, and where they come from. Raises OSError."""
    told = {name: value for path in _files(root) for name, value in _options(text_if_there(path))}
    port = told.get("port", "")
    address = told.get("bind_address", "").partition(",")[0].strip()
    has_port = told.get("skip_networking", "OFF").upper() not in ("", *TRUE)
    return {
        "units": enabled_units(root, r"(mariadb|mysql|mysqld|kolla-mariadb-container)\.service"),
        "host": LOOPBACK if address in EVERY_ADDRESS else address,
        "port": (int(port) if port.isdecimal() else 3306) if has_port else 0,
        "galera": told.get("wsrep_on", "").upper() in TRUE,
    }, FOLDER


def _files(root: str) -> list[str]:
    return [path for pattern in PATTERNS for path in sorted(glob.glob(root + pattern))]


def _options(text: str) -> Iterator[tuple[str, str]]:
    """Yield each option of the server and its value, "" where it has none. A name is written with _."""
    is_of_server = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            is_of_server = bool(OF_SERVER.fullmatch(line[1:].partition("]")[0]))
        elif is_of_server and (found := OPTION.match(line)):
            yield found[1].replace("-", "_").lower(), (found[2] or "").strip().strip("\"'")
