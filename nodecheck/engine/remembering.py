"""Results with what memory tells of them: since when, confirmed or not, flapping; and which became another one."""

from __future__ import annotations

from binascii import crc32
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.durations import format_duration
from nodecheck.engine.memory import Moment, Seen, Told, age
from nodecheck.node.counters import Sample
from nodecheck.report.result import FAULTS, Result, Status, Transition, timestamp

if TYPE_CHECKING:
    from nodecheck.definitions.check import CheckDefinition
    from nodecheck.engine.clock import Clock
    from nodecheck.engine.plan import Plan, Planned
    from nodecheck.engine.state import State
    from nodecheck.node.node import Node


class Outcome(NamedTuple):
    """The results of a run with what was remembered of them, which changed, and what went wrong with remembering."""

    results: list[Result]
    transitions: list[Transition]
    problems: list[str]


def recall(node: Node, clock: Clock, state: State) -> dict[str, list[Sample]]:
    """Return what earlier runs saw of counters, by name, the oldest first."""
    now = _moment(node)
    return {name: [_sample(now, *sample) for sample in samples] for name, samples in state.recall(clock).items()}


def _moment(node: Node) -> Moment:
    clocks = node.observed.clocks
    return Moment(clocks["realtime"], clocks["boottime"], str(node.facts["boot_id"].value))


def _sample(now: Moment, at: float, boottime: float, boot_id: str, value: float) -> Sample:
    return Sample(age(at, boottime, boot_id, now), value, boot_id == now.boot_id)


def remember(  # noqa: PLR0913  # what there is to remember, and where
    plan: Plan,
    results: list[Result],
    node: Node,
    clock: Clock,
    state: State,
    *,
    counters: dict[str, tuple[float, float]],
) -> Outcome:
    """Remember the results of a plan, and return them with what memory tells.

    `counters` are {name: (within, value)}: what they are now, and for how long that is of interest, in seconds.
    """
    now = _moment(node)
    seen = [_seen(planned, result) for planned, result in zip(plan.checks, results, strict=True)]
    remembered = state.remember(seen, now, clock, counters)
    problems = [remembered.problem] if remembered.problem else []
    if remembered.told is None:
        return Outcome(results, [], problems)
    told = list(zip(plan.checks, results, remembered.told, strict=True))
    updated = [_with_told(planned, result, each, written=remembered.written) for planned, result, each in told]
    changed = [
        _transition(result, each, now)
        for result, each in zip(updated, remembered.told, strict=True)
        if each.before is not None and each.before != each.confirmed_status
    ]
    return Outcome(updated, changed, problems)


def _seen(planned: Planned, result: Result) -> Seen:
    hold = planned.definition.hold
    return Seen(
        result.id, result.name, _digest(planned.definition), str(result.status), result.since, result.message,
        hold.runs if hold else 0, hold.seconds if hold else 0.0,
    )  # fmt: skip


def _digest(definition: CheckDefinition) -> str:
    """Return a text that changes with what is looked at, how and what is wanted; not with its words or its place."""
    built = [vars(check) for check in (definition.check, definition.milder) if check]
    return f"{crc32(repr((definition.type, definition.severity, _plain(built))).encode()):08x}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, _plain(item)) for key, item in value.items()]
    if hasattr(value, "expression"):  # a condition: its values are those of this run
        return value.expression
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else str(value)


def _with_told(planned: Planned, result: Result, told: Told, *, written: bool) -> Result:
    """Return the result with what is told of it. Where nothing can be counted, a fault counts at once."""
    confirmed = None if told.confirmed_status is None else Status(told.confirmed_status)
    result = result._replace(
        since=told.since, streak=told.streak, flapping=told.flapping, confirmed_status=confirmed,
        confirmed=result.status not in FAULTS or confirmed is result.status or not written,
    )  # fmt: skip
    if not result.confirmed:
        return result._replace(message=f"{result.message}; not confirmed yet: {_how_long(planned, told)}")
    if told.unknown_runs:
        return result._replace(message=f"{result.message}; {_unseen_for_long(told)}")
    return result


def _how_long(planned: Planned, told: Told) -> str:
    hold = planned.definition.hold
    assert hold is not None  # noqa: S101  # else it is confirmed at once
    if hold.runs:
        return f"{told.held_runs} of {hold.runs} runs"
    return f"{format_duration(told.held_seconds)} of {format_duration(hold.seconds)}"


def _unseen_for_long(told: Told) -> str:
    last = f"last {timestamp(told.last_seen_at)}: {told.last_seen}" if told.last_seen else "and never before"
    return f"not seen in {told.unknown_runs} runs in a row, {last}"


def _transition(result: Result, told: Told, now: Moment) -> Transition:
    return Transition(
        result.id, result.name, Status(told.before or ""), Status(told.confirmed_status or ""), now.at, result.since,
        result.message, result.flapping,
    )  # fmt: skip
