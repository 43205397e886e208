"""Flapping: a status that changes so often that a single change means little, told by Nagios' algorithm.

The latest 21 results have room for 20 changes. Each counts by its age, 0.75 for the oldest to 1.25 for the latest; in
percent of 20 it is compared with two thresholds, so that a check does not flap between flapping and not
(https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/flapping.html; the weights and the thresholds are
those of base/flapping.c and of the nagios.cfg that comes with it, since the page rounds the first).
"""

from __future__ import annotations

from itertools import pairwise

RESULTS = 21
OLDEST_WEIGHT, LATEST_WEIGHT = 0.75, 1.25
STOPS_AT_PERCENT, STARTS_AT_PERCENT = 5.0, 20.0


def percent_changed(results: str) -> float:
    """Return the weighted percentage of changes among results, one letter each, the latest last."""
    places = RESULTS - 1
    step = (LATEST_WEIGHT - OLDEST_WEIGHT) / (places - 1)
    latest = results[-RESULTS:]
    first = places - (len(latest) - 1)  # what was never looked at has not changed
    changed = (place for place, (before, after) in enumerate(pairwise(latest), first) if before != after)
    return sum(OLDEST_WEIGHT + place * step for place in changed) * 100 / places


def is_flapping(results: str, *, was_flapping: bool) -> bool:
    """Tell whether it flaps now; between the two thresholds it does as before."""
    percent = percent_changed(results)
    if percent <= STOPS_AT_PERCENT:
        return False
    return was_flapping or percent >= STARTS_AT_PERCENT
