"""Where runs are remembered."""

from __future__ import annotations

import os

NONE = "none"


def directory_of(option: str | None) -> str | None:
    """Return where runs are remembered, by the option --state; None for nowhere.

    systemd names the directory of a unit; else it is the host's for root, and a user's own for a user.
    """
    if option is not None:
        return None if option == NONE else os.path.abspath(option)
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return given
    if os.geteuid() == 0:
        return "/var/lib/nodecheck"
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(home, "nodecheck") if os.path.isabs(home) else None
