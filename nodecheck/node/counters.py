"""Counters and amounts over time: what earlier runs saw of them, and what they have grown by. Pure.

A counter starts at 0 and only grows: when it is smaller than before it has begun anew, and so it does at boot. What
nobody saw is never invented: what may have come before the first look is told apart from what has come since.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

LATE = 1.1  # a look that was so much earlier than the time began does not say what came within it


class Sample(NamedTuple):
    """What a counter was so many seconds ago, and whether that was in this boot."""

    ago: float
    value: float
    this_boot: bool = True


class Growth(NamedTuple):
    """What a counter has grown by within a time: at least, and at most. `watched` is for how long it was looked at."""

    least: float
    most: float
    watched: float


def growth(samples: list[Sample], value: float, within: float, uptime: float) -> Growth:
    """Return what a counter that is now `value` has grown by; all times are in seconds, the oldest sample comes first.

    It began at 0 at boot or later, so within `uptime` nothing is unknown.
    """
    since = [*samples, Sample(0.0, value)]
    if uptime <= within:
        since = [Sample(uptime, 0.0), *(sample for sample in since if sample.this_boot)]
    older = [number for number, sample in enumerate(since) if sample.ago >= within]
    since = since[older[-1] :] if older else since
    steps = [_step(before, after) for before, after in pairwise(since)]
    covered = min(since[0].ago, within)
    if not older and uptime > within:
        return Growth(sum(steps), sum(steps) + since[0].value, covered)
    late = since[0].ago > within * LATE
    return Growth(sum(steps[1:] if late else steps), sum(steps), within)


def rise(samples: list[Sample], value: float, within: float) -> Growth:
    """Return what an amount that may also go down, and is now `value`, has risen by since its lowest in a time.

    What it was before the first look nobody knows, but not less than 0.
    """
    since = [*samples, Sample(0.0, value)]
    older = [number for number, sample in enumerate(since) if sample.ago >= within]
    since = since[older[-1] :] if older else since
    most = value - min(sample.value for sample in since)
    if not older:
        return Growth(most, value, since[0].ago)
    late = since[0].ago > within * LATE
    return Growth(value - min(sample.value for sample in since[late:]), most, within)


def _step(before: Sample, after: Sample) -> float:
    if after.value < before.value or after.this_boot != before.this_boot:
        return after.value
    return after.value - before.value
