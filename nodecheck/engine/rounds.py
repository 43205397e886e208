"""Looks at the checks of a plan, in rounds: all that can be looked at is looked at together.

The first round is nearly always the only one. A check that is written with the result of another one has a later round,
and so has one that is looked at again (`until`, `retries`), and one that runs a program and needs another check.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck import checks as check_types
from nodecheck.definitions.check import RESULT, Built, make_late
from nodecheck.definitions.conditions import BadCondition, is_true
from nodecheck.definitions.errors import DefinitionError
from nodecheck.definitions.scope import resolve
from nodecheck.definitions.variables import Unfilled
from nodecheck.engine import judge
from nodecheck.engine.fold import FINE
from nodecheck.engine.judge import Missed
from nodecheck.node import interruption
from nodecheck.node.unobserved import Unobserved
from nodecheck.report.result import RUN, Result, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nodecheck.engine.clock import Clock
    from nodecheck.engine.plan import Plan, Planned
    from nodecheck.node.node import Node, Want
    from nodecheck.node.systemd import Collector

NOT_BEGUN = "its program was not run, for what it needs is not ok"


class _Attempt(NamedTuple):
    """A check that waits to be looked at for the nth time, not before a time of the monotonic clock.

    `last` is what the attempt before came to.
    """

    planned: Planned
    number: int = 1
    due: float = 0.0
    last: Result | None = None


class _Look(NamedTuple):
    """An attempt, and what it looks with; or the result of a check that cannot or need not be looked at."""

    attempt: _Attempt
    built: Built | None
    result: Result | None


class Rounds:
    """The rounds of one run."""

    def __init__(self, plan: Plan, node: Node, clock: Clock, collector: Collector | None) -> None:
        self._waiting = [_Attempt(planned) for planned in plan.checks]
        self._needs = {planned.definition.id: planned.needs for planned in plan.checks}
        self._acting = set(_acting(plan))
        self._again = {planned.definition.id for planned in plan.checks if _asks_again(planned)}
        self._after = {planned.definition.id: frozenset(self._awaited(planned)) for planned in plan.checks}
        self._node = node
        self._clock = clock
        self._collector = collector
        self._results: dict[str, Result] = {}
        self.counters: dict[str, tuple[float, float]] = {}  # {name: (within, value)}, to be remembered

    def results(self) -> dict[str, Result]:
        """Return {id of a check: its result}."""
        while self._waiting and time.monotonic() < self._clock.latest and not interruption.came():
            ready = self._take_ready()
            if ready:
                self._look_at([self._prepare(attempt) for attempt in ready])
            else:
                due = min(attempt.due for attempt in self._waiting if self._may_go(attempt))
                interruption.wait(max(0.0, min(due, self._clock.latest) - time.monotonic()))
        for attempt in self._waiting:
            self._give_up(attempt)
        return self._results

    def _may_go(self, attempt: _Attempt) -> bool:
        return self._after[attempt.planned.definition.id] <= self._results.keys()

    def _take_ready(self) -> list[_Attempt]:
        """Return those that can be looked at now."""
        now = time.monotonic()
        ready: list[_Attempt] = []
        waiting: list[_Attempt] = []
        for attempt in self._waiting:
            (ready if attempt.due <= now and self._may_go(attempt) else waiting).append(attempt)
        self._waiting = waiting
        return ready

    def _give_up(self, attempt: _Attempt) -> None:
        """When time is up nothing is looked at any more: a look without time would see nothing, and say so wrongly."""
        if attempt.last:
            result = self._cut_short(attempt.planned, attempt.last, attempt.number - 1)
        else:
            reason = interruption.reason() or "the run had no time left to look"
            dark = judge.unseen(attempt.planned.definition.type, reason)
            result = judge.result(attempt.planned, [dark])._replace(deadline=RUN)
        self._results[result.id] = result

    def _cut_short(self, planned: Planned, last: Result, attempts: int) -> Result:
        """What is ok, and has to wait for its `until` to come true, is not ok yet."""
        missed = self._missed(planned, last)
        if not missed or last.status is not Status.OK:
            return judge.cut_short(last, attempts)._replace(attempts=attempts)
        untold = missed._replace(untold=missed.untold or judge.NO_TIME)
        return judge.not_reached(planned, last, untold, attempts)._replace(attempts=attempts, deadline=RUN)

    def _look_at(self, looks: list[_Look]) -> None:
        """Observe for all of them at once, judge each, and keep what need not be looked at again."""
        wants = [want for look in looks for want in _wants(look, self._clock)]
        began = time.monotonic()
        if wants:
            longest = max(look.attempt.planned.definition.timeout for look in looks)
            self._node.observe(wants, self._clock.end_of_looks(longest), self._collector)
            self._collector = None  # it answers once
        judged = [(look, self._judge(look, began)) for look in looks]
        final = [
            (look.result is not None or not _asks_again(look.attempt.planned), look, result) for look, result in judged
        ]
        self._results |= {result.id: result for is_final, _, result in final if is_final}
        now = time.monotonic()  # one for all, so that those of one round meet again in one
        for is_final, look, result in final:
            if not is_final:
                self._keep(look.attempt, result, now)

    def _judge(self, look: _Look, began: float) -> Result:
        if look.result:
            return look.result
        assert look.built is not None  # noqa: S101  # one of the two
        self._note_counters(look.built)
        planned = look.attempt.planned
        result = judge.judge(planned, look.built, self._node)
        if not result.deadline or not self._clock.ends_before(began, planned.definition.timeout):
            return result
        # A recorded node is looked at in no time: what cut that look short was before.
        told = result if self._node.recorded_at else judge.out_of_budget(result, self._clock.budget)
        return told._replace(deadline=RUN)

    def _note_counters(self, built: Built) -> None:
        with suppress(Unobserved):  # then judging says so, and there is nothing to remember
            for counter, value in built.check.counters(self._node):
                within = max(counter.within, self.counters.get(counter.name, (0.0, 0.0))[0])
                self.counters[counter.name] = (within, value)

    # ---- once more?

    def _keep(self, attempt: _Attempt, result: Result, now: float) -> None:
        """Keep the result, or wait for another attempt."""
        missed = self._missed(attempt.planned, result)
        due = now + attempt.planned.definition.delay
        if missed and self._may_try_again(attempt, due):
            self._waiting.append(_Attempt(attempt.planned, attempt.number + 1, due, result))
            return
        wants_more = attempt.number <= attempt.planned.definition.retries and self._node.recorded_at is None
        if missed and wants_more and not self._is_caused(attempt):
            result = self._cut_short(attempt.planned, result, attempt.number)
        elif missed and result.status is Status.OK:
            result = judge.not_reached(attempt.planned, result, missed, attempt.number)
        self._results[result.id] = result._replace(attempts=attempt.number)

    def _may_try_again(self, attempt: _Attempt, due: float) -> bool:
        """A check whose cause is known already is not looked at again, nor one for which there is no time.

        Nor is a recorded node: it stands still.
        """
        can_change = due < self._clock.latest and self._node.recorded_at is None
        return attempt.number <= attempt.planned.definition.retries and can_change and not self._is_caused(attempt)

    def _awaited(self, planned: Planned) -> Iterator[str]:
        """Those that a check is written with, and those it needs: that may yet come up, or all when it acts."""
        yield from planned.waits_for
        acts = planned.definition.id in self._acting
        yield from self._all_needed(planned) if acts else self._again.intersection(planned.needs)

    def _all_needed(self, planned: Planned) -> set[str]:
        """What a check needs, and what that needs in its turn."""
        found: set[str] = set()
        waiting = list(planned.needs)
        while waiting:
            need = waiting.pop()
            if need not in found:
                found.add(need)
                waiting += self._needs[need]
        return found

    def _is_caused(self, attempt: _Attempt) -> bool:
        known = [self._results[need] for need in self._all_needed(attempt.planned) if need in self._results]
        return any(result.status not in FINE and not result.only_warns for result in known)

    def _missed(self, planned: Planned, result: Result) -> Missed | None:
        """Return what is still to come before a check need not be looked at again; None when nothing is."""
        definition = planned.definition
        if not definition.until or not definition.written:
            return None if result.status in (Status.OK, Status.SKIPPED) else Missed("ok")
        own = as_variable(result)
        try:
            names = resolve(definition.written.names, self._variables(planned)) | {
                RESULT: own,
                definition.register or RESULT: own,
            }
            return next((Missed(until.text) for until in definition.until if not is_true(until, names)), None)
        except BadCondition as error:
            return Missed(error.condition.text, error.message)
        except Unfilled as error:
            return Missed(definition.until[0].text, _told(error))

    def _variables(self, planned: Planned) -> dict[str, Any]:
        """The results that a check is written with, by the ids of their checks."""
        return {name: as_variable(self._results[name]) for name in planned.waits_for}

    # ---- what is written with the results of others

    def _prepare(self, attempt: _Attempt) -> _Look:
        """Find out what to look with, or why not to look."""
        planned, definition = attempt.planned, attempt.planned.definition
        if definition.skipped:
            return _Look(attempt, None, judge.skipped(planned, definition.skipped))
        if definition.unseen:
            dark = judge.unseen(definition.type, definition.unseen)
            return _Look(attempt, None, judge.result(planned, [dark]))
        if definition.id in self._acting and self._is_caused(attempt):
            return _Look(attempt, None, self._not_begun(planned))
        if definition.check and not definition.late:
            return _Look(attempt, Built(definition.check, definition.milder), None)
        if planned.missing:
            reason = f"it needs the result of {', '.join(planned.missing)}, which is not for this node"
            return _Look(attempt, None, judge.skipped(planned, reason))
        made = self._make_late(planned)
        return _Look(attempt, made, None) if isinstance(made, Built) else _Look(attempt, None, made)

    def _not_begun(self, planned: Planned) -> Result:
        """A program that is not run lacks all that the checks lack that it needs, and is blocked by those."""
        dark = self._dark(self._all_needed(planned))
        return judge.result(planned, [judge.unseen(planned.definition.type, NOT_BEGUN)], dark)

    def _dark(self, checks: Iterable[str]) -> tuple[str, ...]:
        """Return why those of these checks that could not be seen could not."""
        unseen = (self._results[check] for check in checks if self._results[check].status is Status.UNKNOWN)
        return tuple(sorted({cause for result in unseen for cause in result.causes}))

    def _make_late(self, planned: Planned) -> Built | Result:
        written = planned.definition.written
        assert written is not None  # noqa: S101  # it is neither skipped nor built
        try:
            made = make_late(written, self._variables(planned))
        except (Unfilled, BadCondition, DefinitionError) as error:
            return self._unmade(planned, _told(error))
        return judge.skipped(planned, made) if isinstance(made, str) else made

    def _unmade(self, planned: Planned, why: str) -> Result:
        """A check that cannot be written: skipped where one of its results was, else unknown."""
        skipped = sorted(name for name in planned.waits_for if self._results[name].status is Status.SKIPPED)
        if skipped:
            return judge.skipped(planned, f"it needs the result of {', '.join(skipped)}, which was skipped")
        reason = f"it cannot be judged by the result of {', '.join(sorted(planned.waits_for))}: {why}"
        unseen = judge.unseen(planned.definition.type, reason)
        return judge.result(planned, [unseen], self._dark(planned.waits_for))


def _acting(plan: Plan) -> Iterator[str]:
    """Return the ids of the checks that may act."""
    types = {name: check_types.type_named(name) for name in {planned.definition.type for planned in plan.checks}}
    for planned in plan.checks:
        kind = types[planned.definition.type]
        if kind and kind.ACTS:
            yield planned.definition.id


def _asks_again(planned: Planned) -> bool:
    return bool(planned.definition.retries or planned.definition.until)


def _told(error: Exception) -> str:
    if isinstance(error, DefinitionError):
        return "; ".join(mistake.message for mistake in error.mistakes)
    return error.message if isinstance(error, BadCondition) else str(error.args[0])


def as_variable(result: Result) -> dict[str, Any]:
    """Return a result as expressions see it: the report's names, and `observed` by property."""
    observed = {finding.property: finding.observed for finding in result.findings}
    return result.to_data() | {"status": str(result.status), "observed": observed}


def timed(want: Want, seconds: float) -> Want:
    """Return a want with the time that its check has for it, where a want of its kind has a time at all."""
    timed_want: Any = want
    return timed_want._replace(seconds=seconds) if hasattr(want, "seconds") else want


def _wants(look: _Look, clock: Clock) -> Iterator[Want]:
    """What to observe for a check. What has a time of its own gets the check's: others may take longer."""
    timeout = clock.patience(look.attempt.planned.definition.timeout)
    for check in look.built or ():
        for want in check.wants() if check else ():
            yield timed(want, timeout)
