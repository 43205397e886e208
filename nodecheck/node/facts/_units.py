"""Units that are to start at boot, read off the links that systemctl enable makes: systemd itself is not asked."""

from __future__ import annotations

import glob
import os
import re

LOCAL = "/etc/systemd/system"


def enabled_units(root: str, name: str) -> list[str]:
    """Return the units whose name this regular expression fits as a whole, and that nobody has masked.

    A masked one is kept from starting by its link to /dev/null: Ubuntu ships APIs so that the web server runs instead.
    """
    links = (path for kind in ("wants", "requires") for path in glob.glob(f"{root}{LOCAL}/*.{kind}/*"))
    found = {os.path.basename(path) for path in links}
    return sorted(unit for unit in found if re.fullmatch(name, unit) and not _is_masked(root, unit))


def _is_masked(root: str, unit: str) -> bool:
    path = f"{root}{LOCAL}/{unit}"
    return os.path.islink(path) and os.readlink(path) == os.devnull
