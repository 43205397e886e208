"""The plan: which checks run on this node for this call, and in which order they depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nodecheck.definitions import hosts
from nodecheck.definitions.errors import DefinitionError, Mistake, did_you_mean

if TYPE_CHECKING:
    from nodecheck.definitions.play import CheckDefinition, Play


class Selection(NamedTuple):
    """What a call asks for: tags to run, tags to leave out, and a host pattern; empty means all."""

    tags: frozenset[str] = frozenset()
    skip_tags: frozenset[str] = frozenset()
    limit: str = ""

    def takes(self, check: CheckDefinition) -> bool:
        """Tell whether a check is asked for."""
        return (not self.tags or bool(self.tags & check.tags)) and not self.skip_tags & check.tags


class Planned(NamedTuple):
    """A check of the plan; `needs` are the ids of checks in this plan."""

    play: Play
    definition: CheckDefinition
    needs: tuple[str, ...]


class Plan(NamedTuple):
    """The selected checks in the order of their definitions."""

    checks: tuple[Planned, ...]


def make_plan(plays: list[Play], groups: set[str], selection: Selection) -> Plan:
    """Select and tie together. Raises DefinitionError for needs that name nothing, or run in a circle."""
    ids = _resolve_needs(plays)
    _refuse_circles(ids)
    limited = not selection.limit or hosts.matches(selection.limit, groups)
    chosen = [
        (play, check)
        for play in plays
        if limited and hosts.matches(play.hosts, groups)
        for check in play.checks
        if selection.takes(check)
    ]
    here = {check.id for _, check in chosen}
    return Plan(
        tuple(Planned(play, check, tuple(need for need in ids[check.id] if need in here)) for play, check in chosen)
    )


def _resolve_needs(plays: list[Play]) -> dict[str, tuple[str, ...]]:
    """Return {id of a check: ids of the checks it needs}; needs may be written as names or ids."""
    checks = [check for play in plays for check in play.checks]
    ids = {check.name: check.id for check in checks} | {check.id: check.id for check in checks}
    mistakes = [
        Mistake(
            mark, f"needs {need!r}, and no check has this name", did_you_mean(need, [check.name for check in checks])
        )
        for check in checks
        for need, mark in zip(check.needs, check.needs_marks, strict=False)
        if need not in ids
    ]
    if mistakes:
        raise DefinitionError(mistakes)
    return {check.id: tuple(ids[need] for need in check.needs) for check in checks}


def _refuse_circles(needs: dict[str, tuple[str, ...]]) -> None:
    done: set[str] = set()

    def visit(check: str, path: list[str]) -> None:
        if check in path:
            circle = " -> ".join([*path[path.index(check) :], check])
            raise DefinitionError(
                [Mistake(None, f"checks need each other in a circle: {circle}", "take one of these needs away")]
            )
        if check not in done:
            for need in needs[check]:
                visit(need, [*path, check])
            done.add(check)

    for check in needs:
        visit(check, [])
