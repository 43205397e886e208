"""The plan: which checks run on this node for this call, and in which order they depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nodecheck.definitions import hosts
from nodecheck.definitions.errors import DefinitionError, Mistake, Mistakes, did_you_mean
from nodecheck.definitions.needs import resolve

if TYPE_CHECKING:
    from nodecheck.definitions.check import CheckDefinition
    from nodecheck.definitions.play import Play

UNTAGGED = frozenset({"untagged"})
# nodecheck@quick.service leaves these out on any host, also where all definitions are its own.
SHIPPED_TAGS = frozenset({"quick", "deep"})
SPECIAL_TAGS = frozenset({"all", "tagged", "untagged", "always", "never"})


class Selection(NamedTuple):
    """What a call asks for: tags to run, tags to leave out, and a host pattern; empty means all."""

    tags: frozenset[str] = frozenset()
    skip_tags: frozenset[str] = frozenset()
    limit: str = ""

    def takes(self, check: CheckDefinition) -> bool:
        """Tell whether a check is asked for; what its tags mean is what they mean to Ansible."""
        tags = check.tags or UNTAGGED
        return self._asks_for(tags) and not self._leaves_out(tags)

    def _asks_for(self, tags: frozenset[str]) -> bool:
        wanted = self.tags or frozenset({"all"})
        if "always" in tags or wanted & tags:
            return True
        return "never" not in tags and ("all" in wanted or ("tagged" in wanted and tags != UNTAGGED))

    def _leaves_out(self, tags: frozenset[str]) -> bool:
        if "all" in self.skip_tags:
            return "always" not in tags or "always" in self.skip_tags
        return bool(self.skip_tags & tags) or ("tagged" in self.skip_tags and tags != UNTAGGED)


class Planned(NamedTuple):
    """A check of the plan; `needs` and `waits_for` are the ids of checks in this plan.

    `missing` are those that it waits for and that are not in the plan.
    """

    play: Play
    definition: CheckDefinition
    needs: tuple[str, ...]
    waits_for: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()


class Plan(NamedTuple):
    """The selected checks in the order of their definitions."""

    checks: tuple[Planned, ...]


def make_plan(plays: list[Play], groups: set[str], selection: Selection) -> Plan:
    """Select and tie together. Raises DefinitionError for needs that name nothing, or run in a circle."""
    _refuse_limit(selection.limit)
    mistakes = Mistakes()
    needs = resolve(plays, mistakes)
    mistakes.raise_if_any()
    _refuse_tags(plays, selection)
    limited = not selection.limit or hosts.matches(selection.limit, groups)
    possible = [
        (play, check) for play in plays if limited and hosts.matches(play.hosts, groups) for check in play.checks
    ]
    chosen = _with_awaited({check.id: check for _, check in possible}, selection)
    return Plan(tuple(_planned(play, check, needs, chosen) for play, check in possible if check.id in chosen))


def _with_awaited(possible: dict[str, CheckDefinition], selection: Selection) -> set[str]:
    """Return the ids of the checks that are asked for, and of those whose results these are written with."""
    waiting = [check.id for check in possible.values() if selection.takes(check)]
    chosen: set[str] = set()
    while waiting:
        check = waiting.pop()
        if check in possible and check not in chosen:
            chosen.add(check)
            waiting += possible[check].waits_for
    return chosen


def _planned(play: Play, check: CheckDefinition, needs: dict[str, tuple[str, ...]], chosen: set[str]) -> Planned:
    here = tuple(need for need in needs[check.id] if need in chosen)
    waits_for = frozenset(check.waits_for)
    return Planned(play, check, here, waits_for & chosen, tuple(sorted(waits_for - chosen)))


def _refuse_tags(plays: list[Play], selection: Selection) -> None:
    """A tag that no check has, on any host, would select nothing, and what is tagged `always` would hide that.

    To leave one out would leave nothing out: what was not to be looked at would be.
    """
    known = {tag for play in plays for check in play.checks for tag in check.tags} | SPECIAL_TAGS
    wrong = sorted((selection.tags - known) | (selection.skip_tags - known - SHIPPED_TAGS))
    if wrong:
        raise DefinitionError(
            [Mistake(None, f"no check has the tag {tag!r}", did_you_mean(tag, known)) for tag in wrong]
        )


def _refuse_limit(pattern: str) -> None:
    message, hint = hosts.mistake(pattern) if pattern else ("", "")
    if message:
        raise DefinitionError([Mistake(None, f"-l {pattern}: {message}", hint)])


def units_of(plan: Plan) -> dict[str, str]:
    """Return the systemd unit that a check is about, by the check's id; only those that are about one."""
    definitions = [planned.definition for planned in plan.checks]
    units = {definition.id: definition.check.concerns() for definition in definitions if definition.check}
    return {check: unit for check, unit in units.items() if unit}
