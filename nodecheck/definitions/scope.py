"""Which variables a play, a block or a check sees, and which of two of the same name wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Results = Mapping[str, Any]

# From the first, which every other one wins over, to the last. `nodecheck explain variables` shows this table.
PRECEDENCE = (
    ("settings", "`vars` in /etc/nodecheck/nodecheck.yaml"),
    ("play", "`vars` of the play"),
    ("block", "`vars` of a block; of a block within it"),
    ("check", "`vars` of the check"),
    ("given", "`vars` given with `import` or `include`: they win over all in the file that is read"),
    ("registered", "`register` of an earlier check"),
    ("option", "`-e name=value` and `-e @file`; of several the last"),
    ("loop", "the variable of a loop: `item`, or what `loop_var` names"),
)
FOUND_OUT = ("facts", "groups")


class Pending:
    """Something that is known only when checks have been judged; `checks` are the ids of those.

    `parts` are those that a result will have, each with its own parts; empty where nobody can say.
    """

    __slots__ = ("_now", "checks", "parts")

    def __init__(
        self, checks: frozenset[str], now: Callable[[Results], Any], parts: Mapping[str, Collection[str]] | None = None
    ) -> None:
        self.checks = checks
        self.parts = parts or {}
        self._now = now

    def now(self, results: Results) -> Any:
        """Return the value; `results` are {id of a check: the data of its result}. Raises Unfilled."""
        return self._now(results)


class Scope(NamedTuple):
    """The variables at one place, by where they come from; see PRECEDENCE."""

    variables: Mapping[
        str, Any
    ]  # settings, facts and groups; then play, block and check: the innermost has won already
    given: Mapping[str, Any]
    registered: Mapping[str, Pending]
    overrides: Mapping[str, Any]
    loops: Mapping[str, Any]
    elsewhere: Mapping[str, Any] = {}  # what is registered on other nodes only: all else of that name is meant first

    def names(self) -> dict[str, Any]:
        """Return {name: what it stands for}."""
        known = {**self.elsewhere, **self.variables, **self.given, **self.registered, **self.overrides}
        return {**known, **self.loops} if self.loops else known


def resolve(names: Mapping[str, Any], results: Results) -> dict[str, Any]:
    """Return the names; what was pending is found out when it is used, now that these results are there."""
    return {
        name: _resolved(item, results) if isinstance(item, Pending) and item.checks <= results.keys() else item
        for name, item in names.items()
    }


def _resolved(item: Pending, results: Results) -> Pending:
    return Pending(frozenset(), lambda _results: item.now(results))
