"""One cause, one finding: what follows from something else is blocked by it. And what is waived is skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck import checks as check_types
from nodecheck.node.unobserved import NO_PACKAGE, NO_PERMISSION
from nodecheck.report.result import Result, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodecheck.definitions.levels import Waiver
    from nodecheck.engine.plan import Plan

FINE = frozenset({Status.OK, Status.SKIPPED, Status.INFO})  # what needs such a check is judged
LACKED = frozenset({NO_PACKAGE, NO_PERMISSION})
STANDS = frozenset({Status.OK, Status.SKIPPED, Status.CRITICAL})  # also where a need works and only warns


def fold(plan: Plan, results: list[Result]) -> list[Result]:
    """Block what depends on a check that is not ok, and what looked through a window that a check found dark.

    Of a check that works and only warns follows nothing that is worse: see _stands.
    """
    by_id = {result.id: result for result in results}
    watchers = _watchers(plan, by_id)
    needs = {planned.definition.id: planned.needs for planned in plan.checks}
    causes = _causes(needs, by_id, watchers)
    late = {planned.definition.id for planned in plan.checks if planned.definition.late}
    return [
        # One that is not for this node stays so; one that a result would have ruled out has nothing to go by.
        result
        if result.status is Status.SKIPPED and result.id not in late
        else _folded(result, causes[result.id], by_id)
        for result in results
    ]


def _watchers(plan: Plan, results: dict[str, Result]) -> dict[str, str]:
    """Return {window: id of the check that watches it, and found it dark}.

    One that is waived does not count: all that looks through its window would be blocked by something that is no fault.
    """
    watching = ((check_types.type_named(planned.definition.type), planned.definition) for planned in plan.checks)
    return {
        kind.WATCHES: definition.id
        for kind, definition in watching
        if kind and kind.WATCHES in results[definition.id].causes and not definition.waiver
    }


def _causes(
    needs: dict[str, tuple[str, ...]], results: dict[str, Result], watchers: dict[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return the root causes why each check is not judged: ids of checks that are not ok and not blocked."""
    found: dict[str, dict[str, None]] = {}
    for check in _needed_first(needs):
        dark = {watchers[source]: None for source in results[check].causes if source in watchers}
        roots = dict.fromkeys(root for need in needs[check] for root in found[need] or _own(need, results))
        found[check] = dark | roots
        if results[check].status not in FINE and _stands(results[check], found[check], results):
            found[check] = {}  # a cause of its own
    # A watcher is no cause of its own darkness; what blocks it blocks all that it watches over.
    blocked = {watcher: [root for root in found[watcher] if root != watcher] for watcher in watchers.values()}
    return {check: _without_blocked(check, roots, blocked) for check, roots in found.items()}


def _own(check: str, results: dict[str, Result]) -> list[str]:
    return [] if results[check].status in FINE else [check]


def _without_blocked(check: str, roots: dict[str, None], blocked: dict[str, list[str]]) -> tuple[str, ...]:
    if check in blocked:
        return tuple(blocked[check])
    return tuple(dict.fromkeys(cause for root in roots for cause in blocked.get(root) or [root]))


def _needed_first(needs: dict[str, tuple[str, ...]]) -> list[str]:
    """Return the checks in an order in which each comes after those that it needs; there are no circles."""
    order: dict[str, None] = {}
    waiting = [(check, False) for check in reversed(needs)]
    while waiting:
        check, are_needs_done = waiting.pop()
        if are_needs_done:
            order[check] = None
        elif check not in order:
            waiting.append((check, True))
            waiting += [(need, False) for need in needs[check] if need not in order]
    return list(order)


def _folded(result: Result, causes: tuple[str, ...], results: dict[str, Result]) -> Result:
    if not causes or _stands(result, causes, results):
        return result
    message = f"not judged: it needs {', '.join(causes)}"
    looked = result._replace(findings=(), since=None, remedy="", deadline="")
    return looked._replace(status=Status.BLOCKED, message=message, causes=causes)


def _stands(result: Result, causes: Iterable[str], results: dict[str, Result]) -> bool:
    """Tell whether a result counts in spite of its causes."""
    return all(_stands_beside(result, results[cause]) for cause in causes)


def _stands_beside(result: Result, cause: Result) -> bool:
    """Tell whether what works and only warns, or what nodecheck lacks the means to look at, leaves a result as it is.

    What is well beside a warning is well, and what is critical has another cause. What lacks the same means is one
    finding. Below what could not be seen otherwise, nothing is sure: in a container, say, that has no systemd, the
    processes of the host do not run either.
    """
    if cause.status is Status.UNKNOWN and cause.causes and LACKED.issuperset(cause.causes):
        return not set(cause.causes) <= set(result.causes)
    return cause.only_warns and result.status in STANDS


def waive(result: Result, waiver: Waiver, today: str) -> Result:
    """Return the result as it counts on a day (YYYY-MM-DD): skipped when it is not ok, until its waiver has run out."""
    if result.status in (Status.OK, Status.SKIPPED, Status.BLOCKED):
        return result
    if today > waiver.until:
        message = f"{result.message}; it was waived until {waiver.until} ({waiver.reason}), and that is over"
        return result._replace(message=message)
    message = f"waived until {waiver.until} ({waiver.reason}); else {result.status}: {result.message}"
    return result._replace(status=Status.SKIPPED, message=message, remedy="", waived=True)
