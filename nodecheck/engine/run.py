"""A run: observe in bulk, judge purely, fold consequences under their cause. Owns time and status."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from nodecheck import __version__
from nodecheck.engine.fold import fold, waive
from nodecheck.engine.rounds import Rounds
from nodecheck.node import interruption
from nodecheck.node.node import CounterWant
from nodecheck.report.result import FAULTS, Report, Result, timestamp

if TYPE_CHECKING:
    from nodecheck.definitions.sources import Definitions
    from nodecheck.engine.clock import Clock
    from nodecheck.engine.plan import Plan, Planned
    from nodecheck.engine.state import State
    from nodecheck.node.node import Node
    from nodecheck.node.systemd import Collector

ENDED = "{} ended the run: what had not been seen by then is unknown, and none of it is remembered or told as an event"


def run(  # noqa: PLR0913  # what a run is made of
    plan: Plan,
    definitions: Definitions,
    node: Node,
    clock: Clock,
    collector: Collector | None,
    *,
    state: State | None = None,
) -> Report:
    """Run the plan and return the report; without `state`, nothing is known of earlier runs.

    A run that a signal ended is not remembered: to be told to end is no change of the node.
    """
    if state:
        from nodecheck.engine import remembering  # 2 ms, and nothing of it is needed without state
    if state and _wants_counters(plan):
        node.observed.counters = remembering.recall(node, clock, state)
    rounds = Rounds(plan, node, clock, collector)
    found = rounds.results()
    ended_by = interruption.came()
    results = fold(plan, [found[planned.definition.id] for planned in plan.checks])
    # A waiver's day is a day of the node.
    today = time.strftime("%Y-%m-%d", time.localtime(node.recorded_at))
    waived = [_waived(planned, result, today) for planned, result in zip(plan.checks, results, strict=True)]
    if state and not ended_by:
        told, changed, problems = remembering.remember(plan, waived, node, clock, state, counters=rounds.counters)
    else:
        told, changed, problems = waived, [], [ENDED.format(ended_by.name)] if ended_by else _not_held(plan, waived)
    return Report(
        run_id=os.urandom(16).hex(),
        started_at=clock.started_at,
        duration_seconds=clock.elapsed(),
        budget_seconds=clock.budget,
        node=_node_data(node),
        version=__version__,
        files=tuple(definitions.files),
        digest=definitions.digest,
        results=tuple(told),
        problems=(*node.problems, *problems),
        recorded_at=node.recorded_at,
        transitions=tuple(changed),
        interrupted=bool(ended_by),
    )


def _wants_counters(plan: Plan) -> bool:
    """Tell whether earlier looks are judged; a check that is written with the results of others may want them, too."""
    checks = [check for planned in plan.checks for check in (planned.definition.check, planned.definition.milder)]
    late = any(planned.definition.late for planned in plan.checks)
    return late or any(isinstance(want, CounterWant) for check in checks if check for want in check.wants())


def _node_data(node: Node) -> dict[str, object]:
    names = ("hostname", "machine_id", "boot_id")
    data = {name: node.facts[name].value for name in names} | {"groups": sorted(node.groups)}
    return data if node.recorded_at is None else data | {"recorded_at": timestamp(node.recorded_at)}


def _waived(planned: Planned, result: Result, today: str) -> Result:
    waiver = planned.definition.waiver
    return waive(result, waiver, today) if waiver else result


def _not_held(plan: Plan, results: list[Result]) -> list[str]:
    """Without a memory of runs, a fault of what has a `for` counts at once, and the report says so."""
    early = [
        result.id
        for planned, result in zip(plan.checks, results, strict=True)
        if planned.definition.hold and result.status in FAULTS
    ]
    if not early:
        return []
    return [f"for: nothing is remembered of earlier runs, so these count at once: {', '.join(early)}"]
