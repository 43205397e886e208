"""The plan: which checks run on this node for this call, and in which order they depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nodecheck.definitions import hosts
from nodecheck.definitions.errors import DefinitionError, Mistake, Mistakes
from nodecheck.definitions.needs import resolve

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
    _refuse_limit(selection.limit)
    mistakes = Mistakes()
    needs = resolve(plays, mistakes)
    mistakes.raise_if_any()
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
        tuple(Planned(play, check, tuple(need for need in needs[check.id] if need in here)) for play, check in chosen)
    )


def _refuse_limit(pattern: str) -> None:
    message, hint = hosts.mistake(pattern) if pattern else ("", "")
    if message:
        raise DefinitionError([Mistake(None, f"-l {pattern}: {message}", hint)])
