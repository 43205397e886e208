"""Where a file's name is its key: what there is, is what lies in the folder."""

from __future__ import annotations

import os


def names_beside(file: str) -> list[str]:
    """Return the names of the modules in the folder of a module's `__file__`, but for those that begin with _."""
    names = os.listdir(os.path.dirname(file))
    return sorted(name[:-3] for name in names if name.endswith(".py") and not name.startswith("_"))
