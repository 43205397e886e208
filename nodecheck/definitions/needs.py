"""What checks need of each other: by name or id, known, and in no circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.definitions.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodecheck.definitions.check import CheckDefinition
    from nodecheck.definitions.errors import Mark, Mistakes
    from nodecheck.definitions.play import Play

    Needs = Mapping[str, tuple[str, ...]]


def resolve(plays: list[Play], mistakes: Mistakes) -> dict[str, tuple[str, ...]]:
    """Return {id of a check: ids of the checks it needs}; notes needs that name nothing, and circles.

    A need is the id or name of a check, of a block or of a loop, or else a tag. A check that is written with the result
    of another one needs it too.
    """
    checks = [check for play in plays for check in play.checks]
    known = Known(plays)
    places: dict[tuple[str, str], Mark] = {}
    before = len(mistakes)
    needs: dict[str, tuple[str, ...]] = {}
    for check in checks:
        found: dict[str, None] = dict.fromkeys(check.uses)
        for need, mark in zip(check.needs, check.needs_marks, strict=True):
            ids = known.ids(need)
            for other in ids:
                if other != check.id or len(ids) == 1:  # its own tag means all others that have it
                    found[other] = None
                    places.setdefault((check.id, other), mark)
            if not ids and not known.may_be_unread(need):
                mistakes.add(mark, f"no check is named {need!r}, and this one needs it", known.hint(need))
        needs[check.id] = tuple(found)
    if len(mistakes) == before:
        waits = {check.id: tuple(dict.fromkeys((*needs[check.id], *check.waits_for))) for check in checks}
        _note_circles({check.id: check for check in checks}, waits, places, mistakes)
    return needs


MOST_HINTS = 20
ANY_NAME = "{{ any }}"  # of a check that was not read: it may be what a need means


class Known:
    """What a need may name."""

    def __init__(self, plays: list[Play]) -> None:
        self._ids: dict[str, dict[str, None]] = {}
        self._tags: dict[str, list[str]] = {}
        self._unread = {name for play in plays for name in play.unread}
        self._names = {check.name for play in plays for check in play.checks}
        self._hints = 0
        for play in plays:
            for named in play.named:
                self._ids.setdefault(named.name, {}).update(dict.fromkeys(named.checks))
            for check in play.checks:
                for word in (check.name, check.id):
                    self._ids.setdefault(word, {})[check.id] = None
                for tag in check.tags:
                    self._tags.setdefault(tag, []).append(check.id)
        self._every = self._unread.union(self._names, self._tags) - {""}

    def ids(self, need: str) -> tuple[str, ...]:
        """Return the ids of the checks that a need names; () when there are none."""
        return self.named(need) or tuple(self._tags.get(need, ()))

    def named(self, need: str) -> tuple[str, ...]:
        """Return the same, when it is no tag: a tag means whatever checks have it here."""
        return tuple(self._ids.get(need, ()))

    def may_be_unread(self, need: str) -> bool:
        """Tell whether it may be a check with mistakes: under its name, or one that could not be filled in."""
        return need in self._unread or any("{{" in name for name in self._unread)

    def hint(self, need: str) -> str:
        """Return what was probably meant; for the first few, since comparing takes long and who has many sees why."""
        self._hints += 1
        return did_you_mean(need, self._every) if self._hints <= MOST_HINTS else ""


def _note_circles(
    checks: dict[str, CheckDefinition], needs: Needs, places: Mapping[tuple[str, str], Mark], mistakes: Mistakes
) -> None:
    stuck = _stuck(needs)
    while stuck:
        circle = _walk_round(min(stuck, key=lambda check: checks[check].mark), needs, stuck)
        first = checks[circle[0]]
        names = " -> ".join(checks[check].name for check in [*circle, circle[0]])
        mark = places.get((circle[0], circle[1 % len(circle)]), first.mark)
        mistakes.add(mark, f"these need each other in a circle: {names}", "take one of the needs away")
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
