"""Windows: one kind of look at the machine = <window>.py, and nothing else. The file's name is the window.

Each has a class of wants (a NamedTuple with `window`, `seconds` and `key`), `look(want)`, which returns plain data, and
SHAPE, which says what that data has to look like in a record; one that sees texts in which secrets may be has
`masked(data)`, which returns the data without them, for a record; one that runs programs says RUNS_PROGRAMS = True.
looks.py calls it, in a thread of a helper process.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol

from nodecheck.modules import names_beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from nodecheck.node.shapes import Reader


class WindowWant(Protocol):
    """What a check wants to see through a window.

    `seconds` is how long looking may take: the check's timeout, put in by the engine. `key` names the want among those
    of its window in a record, and for people: a path, an address.
    """

    @property
    def window(self) -> str:
        """The window's name."""

    @property
    def seconds(self) -> float:
        """How long looking may take."""

    @property
    def key(self) -> str:
        """Name this want."""


class Window(Protocol):
    """The module of a window."""

    SHAPE: Reader
    look: Callable[[Any], Any]


def names() -> list[str]:
    """Return the names of all windows."""
    return names_beside(__file__)


def window_named(name: str) -> Window | None:
    """Return the window of this name; None when there is none."""
    if not name.isidentifier() or name.startswith("_"):
        return None
    try:
        module: Any = importlib.import_module(f"nodecheck.node.windows.{name}")
    except ModuleNotFoundError as error:
        if error.name == f"nodecheck.node.windows.{name}":
            return None
        raise
    window: Window = module
    return window
