"""What checks need of each other: by name or id, known, and in no circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.definitions.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodecheck.definitions.errors import Mistakes
    from nodecheck.definitions.play import CheckDefinition, Play

    Needs = Mapping[str, tuple[str, ...]]


def resolve(plays: list[Play], mistakes: Mistakes) -> dict[str, tuple[str, ...]]:
    """Return {id of a check: ids of the checks it needs}; notes needs that name nothing, and circles."""
    checks = [check for play in plays for check in play.checks]
    ids = {check.name: check.id for check in checks} | {check.id: check.id for check in checks}
    unread = {name for play in plays for name in play.unread}
    before = len(mistakes)
    for check in checks:
        for need, mark in zip(check.needs, check.needs_marks, strict=True):
            if need not in ids and need not in unread and not any("{{" in name for name in unread):
                hint = did_you_mean(need, unread.union(check.name for check in checks) - {""})
                mistakes.add(mark, f"no check is named {need!r}, and this one needs it", hint)
    needs = {check.id: tuple(ids[need] for need in check.needs if need in ids) for check in checks}
    if len(mistakes) == before:
        _note_circles({check.id: check for check in checks}, needs, mistakes)
    return needs


def _note_circles(checks: dict[str, CheckDefinition], needs: Needs, mistakes: Mistakes) -> None:
    stuck = _stuck(needs)
    while stuck:
        circle = _walk_round(min(stuck, key=lambda check: checks[check].mark), needs, stuck)
        first = checks[circle[0]]
        names = " -> ".join(checks[check].name for check in [*circle, circle[0]])
        at = needs[circle[0]].index(circle[1 % len(circle)])
        mistakes.add(first.needs_marks[at], f"these need each other in a circle: {names}", "take one of the needs away")
        stuck = _stuck({check: needs[check] for check in stuck - set(circle)})


def _stuck(needs: Needs) -> set[str]:
    """Take away what needs nothing that is left, again and again: what stays is in a circle, or needs one that is."""
    waits_for = {check: {need for need in wanted if need in needs} for check, wanted in needs.items()}
    needed_by: dict[str, list[str]] = {check: [] for check in needs}
    for check, wanted in waits_for.items():
        for need in wanted:
            needed_by[need].append(check)
    free = [check for check, wanted in waits_for.items() if not wanted]
    while free:
        done = free.pop()
        del waits_for[done]
        for check in needed_by[done]:
            waits_for[check].discard(done)
            if not waits_for[check]:
                free.append(check)
    return set(waits_for)


def _walk_round(start: str, needs: Needs, stuck: set[str]) -> list[str]:
    """Return one circle that is reached from a stuck check: each of those needs another one."""
    path: dict[str, None] = {}
    check = start
    while check not in path:
        path[check] = None
        check = next(need for need in needs[check] if need in stuck)
    walked = list(path)
    return walked[walked.index(check) :]
