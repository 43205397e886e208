"""Ansible's host patterns, over the groups of this one node: a:b is either, a:&b both, a:!b not b; * and ? match."""

from __future__ import annotations

import functools
import itertools
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def terms(pattern: str) -> list[str]:
    """Split a pattern at colons and commas, as Ansible does."""
    return [term.strip() for term in pattern.replace(",", ":").split(":") if term.strip()]


def matches(pattern: str, groups: set[str]) -> bool:
    """Tell whether a node with these groups is meant.

    As in Ansible the order does not count: first all that are in, then those of &, then without those of !.
    """
    found = terms(pattern)
    either = [term for term in found if term[0] not in "&!"]
    included = any(_in(term, groups) for term in either) if either else True
    both = all(_in(term[1:], groups) for term in found if term[0] == "&")
    excluded = any(_in(term[1:], groups) for term in found if term[0] == "!")
    return included and both and not excluded


def _in(term: str, groups: set[str]) -> bool:
    return term in groups or any(fnmatchcase(group, term) for group in groups)


def mistake(pattern: str) -> tuple[str, str]:
    """Return (what is wrong with a pattern, what to do); two empty texts when nothing is."""
    found = terms(pattern)
    if not found or any(not term.lstrip("&!") for term in found):
        return f"the pattern {pattern!r} names no group", "a group, a:b for either, a:&b for both, a:!b for not b"
    if any(term.startswith("~") for term in found):
        return "a regular expression is no pattern here", "* and ? match"
    if "[" in pattern:
        return "a node has no index: each judges itself", "* and ? match"
    return "", ""


MOST_GROUPS = 12  # that two patterns name together, to be tried in all combinations
# What the groups that are found out have to do with each other: (has this, has that too).
ALWAYS_TOGETHER = (("worker", "kubelet"),)
NEVER_TOGETHER = frozenset({"worker", "control_plane"})


@functools.cache  # asked for each need
def implies(pattern: str, other: str) -> bool:
    """Tell whether every node that the first pattern means is meant by the other one too."""
    named = sorted({_example(term) for term in terms(pattern) + terms(other)} - {"all"})
    if len(named) > MOST_GROUPS:
        return True  # nobody can say, so nothing is said
    return all(matches(other, groups) for groups in _possible(named) if matches(pattern, groups))


def _example(term: str) -> str:
    """A group that a term names; of a wildcard one that it matches, and that no other term names."""
    return term.lstrip("&!").replace("*", "~").replace("?", "~")


def _possible(named: list[str]) -> Iterator[set[str]]:
    """Yield all sets of groups that one node can have, out of these."""
    for present in itertools.product((False, True), repeat=len(named)):
        groups = {"all", *(name for name, here in zip(named, present, strict=True) if here)}
        if not groups >= NEVER_TOGETHER:
            yield groups | {second for first, second in ALWAYS_TOGETHER if first in groups}
