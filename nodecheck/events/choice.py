"""Which events a run tells: one `run`, a `change` for each transition, and a `check` for what is not ok now and then.

What was told is remembered from run to run: a check that stays as it is is told again only every so often, and a
transition that only a run without sinks has seen, by hand on a terminal, is told by the next one that has some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from nodecheck.report.result import FAULTS, Status, Transition

if TYPE_CHECKING:
    from nodecheck.report.result import Report, Result

Kept = TypeVar("Kept", str, dict[str, float])

EVERYTHING = "all"
# What is blocked or skipped raises nothing of its own.
TELLING = FAULTS | {Status.UNKNOWN}
MOST_KEPT = 5000  # checks; some are no longer there


class Told(NamedTuple):
    """What the sinks have been told.

    `times`: check id -> status -> when, by the wall clock in seconds. `last`: check id -> its last confirmed status.
    """

    times: dict[str, dict[str, float]]
    last: dict[str, str]


class Chosen(NamedTuple):
    """An event that is to be told: its kind, and what it is about, a result or the run (None)."""

    kind: str
    result: Result | None = None
    transition: Transition | None = None


def choose(report: Report, told: Told | None, emit: str, repeat: float) -> tuple[list[Chosen], Told]:
    """Return the events of a report, and what has been told from now on.

    `told` is None where nothing is remembered: then all that is not ok is told. `emit` is `changes` or `all`, `repeat`
    the time in seconds after which a check that is not ok is told again.
    """
    at = report.started_at
    results = {result.id: result for result in report.results}
    times, last = told or Told({}, {})
    transitions = [each for each in report.transitions if each.id in results]
    transitions += _missed(report, last, {each.id for each in transitions})
    changes = [Chosen("change", results[each.id], each) for each in transitions]
    fresh = _fresh(times, at, repeat)
    for change in transitions:
        fresh.setdefault(change.id, {})[str(change.after)] = at
    checks = []
    for result in report.results:
        if emit == EVERYTHING:
            checks.append(Chosen("check", result))
        elif result.status in TELLING and result.confirmed and str(result.status) not in fresh.get(result.id, {}):
            checks.append(Chosen("check", result))
            fresh.setdefault(result.id, {})[str(result.status)] = at
    now = {result.id: str(result.confirmed_status) for result in report.results if result.confirmed_status is not None}
    known = [item for item in last.items() if item[0] not in now]
    return [*changes, *checks, Chosen("run")], Told(fresh, dict([*known, *now.items()][-MOST_KEPT:]))


def _missed(report: Report, last: dict[str, str], told_anyway: set[str]) -> list[Transition]:
    """Return the transitions from what was told last to what is so now."""
    return [
        Transition(
            result.id, result.name, Status(last[result.id]), result.confirmed_status, report.started_at, result.since,
            result.message, bool(result.flapping),
        )
        for result in report.results
        if result.id not in told_anyway and result.confirmed_status is not None
        and last.get(result.id, result.confirmed_status) != result.confirmed_status
    ]  # fmt: skip


def _fresh(told: dict[str, dict[str, float]], at: float, repeat: float) -> dict[str, dict[str, float]]:
    """Leave out what was told too long ago, or in a future that a clock has taken back."""
    kept = {
        check: {status: when for status, when in times.items() if 0 <= at - when < repeat}
        for check, times in told.items()
    }
    return {check: times for check, times in kept.items() if times}


def together(before: Told, own: Told, other: Told) -> Told:
    """Return what has been told by now: by a run that began with `before`, and by another one at the same time."""
    return Told(_together(before.times, own.times, other.times), _together(before.last, own.last, other.last))


def _together(before: dict[str, Kept], own: dict[str, Kept], other: dict[str, Kept]) -> dict[str, Kept]:
    """What another run has changed stands where the own one has not."""
    meanwhile = {check: value for check, value in other.items() if before.get(check) != value}
    return own | {check: value for check, value in meanwhile.items() if own.get(check) in (None, before.get(check))}


def of_file(data: Any) -> Told:
    """Return what was told, as a file holds it; what makes no sense there is left out."""
    data = data if isinstance(data, dict) else {}
    times, last = (part if isinstance(part, dict) else {} for part in (data.get("times"), data.get("last")))
    return Told(
        {
            str(check): {str(status): float(when) for status, when in each.items() if isinstance(when, int | float)}
            for check, each in times.items()
            if isinstance(each, dict)
        },
        {str(check): status for check, status in last.items() if status in tuple(Status)},
    )
