"""One check type = <type>.py and its page <type>.md. The file's name is the type: adding one touches no list."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodecheck.checks.base import Check


def names() -> list[str]:
    """Return the names of all check types."""
    files = os.listdir(os.path.dirname(__file__))
    return sorted(
        file[:-3] for file in files if file.endswith(".py") and not file.startswith("_") and file != "base.py"
    )


def load(name: str) -> type[Check] | None:
    """Return the check type of this name; None when there is none."""
    if not name.isidentifier() or name.startswith("_") or name == "base":
        return None
    try:
        module = importlib.import_module(f"nodecheck.checks.{name}")
    except ModuleNotFoundError as error:
        if error.name == f"nodecheck.checks.{name}":
            return None
        raise
    found: type[Check] = getattr(module, name.title().replace("_", ""))
    return found
