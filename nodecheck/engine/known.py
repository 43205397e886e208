"""What is known of a node, as definitions see it: variables, and the names that a host pattern may call it by."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from nodecheck.definitions.scope import Pending
from nodecheck.definitions.variables import Unseen
from nodecheck.node.facts import subject_named, subjects

if TYPE_CHECKING:
    from nodecheck.node.facts import Fact
    from nodecheck.node.node import Node


def variables_of(node: Node) -> dict[str, Any]:
    """Return the variables that were found out; a fact that could not be makes unknown what is written with it."""

    @functools.cache
    def facts() -> dict[str, Any]:
        found = {name: _value(name, fact) for name, fact in node.facts.items()}
        return found | {"malformed": {name: _malformed(name, fact) for name, fact in node.facts.items()}}

    # Facts are found out when one is used.
    return {"facts": Pending(frozenset(), lambda _results: facts()), "groups": sorted(node.groups)}


def _malformed(name: str, fact: Fact) -> Any:
    """Return what is wrong with the file of a subject; "" where nothing is."""
    if fact.problem and not fact.malformed:
        return Unseen(f"facts.{name} was not found out: {fact.problem}")
    return fact.problem


def _value(name: str, fact: Fact) -> Any:
    if fact.problem:
        return Unseen(f"facts.{name} was not found out: {fact.problem}")
    if name not in subjects():
        return fact.value
    if fact.value is None:
        reason = f"facts.{name} is not known: this node is not in the group {subject_named(name).GROUP}"
        return Unseen(reason, absent=True)
    unknown = subject_named(name).PARTS.keys() - fact.value.keys()  # of an older version's record
    return fact.value | {part: Unseen(f"facts.{name}.{part} was not recorded") for part in unknown}


def names_of(node: Node) -> frozenset[str]:
    """Return what a host pattern may name this node by: its groups, and its host name."""
    return frozenset({*node.groups, str(node.facts["hostname"].value)})
