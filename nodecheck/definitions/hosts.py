"""Ansible's host patterns, over the groups of this one node: a:b is either, a:&b both, a:!b not b; * and ? match."""

from __future__ import annotations

from fnmatch import fnmatchcase


def terms(pattern: str) -> list[str]:
    """Split a pattern at colons and commas, as Ansible does."""
    return [term.strip() for term in pattern.replace(",", ":").split(":") if term.strip()]


def names(pattern: str) -> list[str]:
    """Return the plain group names in a pattern."""
    bare = [term.lstrip("&!") for term in terms(pattern)]
    return [name for name in bare if not set(name) & set("*?[")]


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
