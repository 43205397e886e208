"""The ladder of what a daemon can do, from the first rung to the last: is it there, does it answer, cheaply, dearly?

A rung that is not reached is a fact about the daemon, so it is told as data: at which rung it stopped, how, and after
how long.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from nodecheck.node import shapes
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")
# How a daemon may fail at a rung; `detail` says more.
ABSENT, REFUSED, SILENT, BROKEN, FAILED, MISSING = "absent", "refused", "silent", "broken", "failed", "missing"
KINDS = (ABSENT, REFUSED, SILENT, BROKEN, FAILED, MISSING)
LONGEST_DETAIL = 300  # characters
FAIR = 0.05  # of that time a daemon has to have had for a rung, before its silence counts
TOO_LITTLE = "the time of this check was over before all could be asked"
OURS = 0.85  # of the time of a look; the rest is for the way here and back, or what was seen would come too late

RUNGS_SHAPE = shapes.list_of(shapes.fields({"rung": shapes.text, "seconds": shapes.number}))
STOPPED_SHAPE = shapes.optional(
    shapes.fields({"rung": shapes.text, "kind": shapes.one_of(*KINDS), "detail": shapes.text, "seconds": shapes.number})
)


class Refusal(Exception):
    """A daemon cannot be spoken to, or answers that it failed: (kind, detail)."""


class Stopped(Exception):
    """A rung was not reached; the data says which, how, and after how many seconds."""

    def __init__(self, rung: str, kind: str, detail: str, seconds: float) -> None:
        super().__init__(f"{rung}: {kind}")
        self.data = {"rung": rung, "kind": kind, "detail": detail[:LONGEST_DETAIL], "seconds": round(seconds, 4)}


class Ladder:
    """Rungs climbed one after the other. What one leaves of its time, the next ones have."""

    def __init__(self, source: str, seconds: float) -> None:
        self._source = source
        self._started: float | None = None
        self._seconds = seconds * OURS
        self.reached: list[dict[str, Any]] = []

    def climb(self, rung: str, share: float, step: Callable[[float], Answer], least: float = 0.0) -> Answer:
        """Return what `step` returns, which gets its deadline on the monotonic clock; raises Stopped and Unobserved.

        `share` is the part of all the time that may have passed when the rung is reached. A daemon that had fewer than
        `least` seconds to answer is not called silent. Time counts from the first rung, so after slow imports.
        """
        began = time.monotonic()
        self._started = began if self._started is None else self._started
        try:
            answer = step(self._started + share * self._seconds)
        except Refusal as refusal:
            kind, detail = refusal.args
            raise Stopped(rung, kind, detail, time.monotonic() - began) from refusal
        except TimeoutError as error:
            waited = time.monotonic() - began
            if waited < max(least, FAIR * self._seconds):
                remedy = "give this check a longer timeout"
                raise Unobserved(self._source, TOO_LITTLE, remedy=remedy, late=True) from error
            raise Stopped(rung, SILENT, "", waited) from error
        self.reached.append({"rung": rung, "seconds": round(time.monotonic() - began, 4)})
        return answer
