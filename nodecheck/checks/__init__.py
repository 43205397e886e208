"""One check type = <type>.py and its page <type>.md. The file's name is the type: adding one touches no list.

Importing a type puts its name here, so no function may have the name of one.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING

from nodecheck.modules import names_beside

if TYPE_CHECKING:
    from nodecheck.checks.base import Check


def names() -> list[str]:
    """Return the names of all check types."""
    return [name for name in names_beside(__file__) if name != "base"]


@functools.cache  # asked for each check
def type_named(name: str) -> type[Check] | None:
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
