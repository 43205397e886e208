"""Where events go. A sink is a file below nodecheck/events/ with `send(records, options, deadline)`, named as its key.

`send` is a generator: it yields how many of the records have arrived, as far as that can be known, and raises Down when
the rest cannot be sent now.
"""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAMS = ("stdout", "stderr")  # of this very run: nothing can be sent there later


class Down(Exception):
    """A sink does not take events now, and why."""


class Sink(NamedTuple):
    """A place that events go to: the kind of sink, and what is set of it."""

    kind: str
    options: dict[str, Any]

    @property
    def name(self) -> str:
        """What a person calls it."""
        where = self.options.get("address") or self.options.get("path")
        return f"{self.kind} {where}" if where else self.kind

    @property
    def key(self) -> str:
        """The name of its folder in the spool."""
        import hashlib  # 4 ms, and most runs send nothing

        return f"{self.kind}-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}"

    @property
    def can_wait(self) -> bool:
        """Whether what cannot be sent now can be sent later."""
        return self.kind not in STREAMS

    def send(self, records: list[dict[str, Any]], deadline: float) -> Iterator[int]:
        """Send records until a time of the monotonic clock, and yield how many have arrived. Raises Down."""
        module = importlib.import_module(f"nodecheck.events.{self.kind}")
        return module.send(records, self.options, deadline)  # type: ignore[no-any-return]  # the contract of this file


def left(deadline: float) -> float:
    """Return the seconds that are left for a call that may wait. Raises TimeoutError when there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
