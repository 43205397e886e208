"""The time of a run: when it started, and when it has to end."""

from __future__ import annotations

import time
from typing import NamedTuple

from nodecheck.node.looks import GRACE_SECONDS

# Kept back from the budget for judging and printing.
RESERVE_SECONDS = 0.5


class Clock(NamedTuple):
    """When a run started, on the monotonic clock, and how long it may take; both in seconds."""

    started: float
    budget: float

    @property
    def started_at(self) -> float:
        """When it started by the wall clock."""
        return time.time() - self.elapsed()

    @property
    def latest(self) -> float:
        """When the last look has to end, on the monotonic clock."""
        return self.started + max(self.budget - RESERVE_SECONDS, self.budget / 2)

    def elapsed(self) -> float:
        """Return for how long it runs."""
        return time.monotonic() - self.started

    def deadline(self, timeout: float) -> float:
        """Return when something that may take `timeout` seconds from now has to end, on the monotonic clock."""
        return min(time.monotonic() + timeout, self.latest)

    def end_of_looks(self, timeout: float) -> float:
        """Return the same for looks: one that keeps its own time ends by itself, and tells more than a cut off one."""
        return self.deadline(timeout + GRACE_SECONDS)

    def ends_before(self, began: float, timeout: float) -> bool:
        """Tell whether the run has to end before a look that began then, on the monotonic clock, has had its time."""
        return self.latest < began + timeout

    def patience(self, timeout: float) -> float:
        """Return how many seconds a look may wait.

        It is the timeout, or a little less where the run ends about then: a look that was cut off cannot tell what it
        waited for. Where much less is left, the run is to blame, and not what was looked at.
        """
        left = int((self.latest - time.monotonic() - GRACE_SECONDS) * 10) / 10  # the same for all looks of a round
        return left if timeout / 2 < left < timeout else timeout
