"""nodecheck facts: what this node is, and how that was found out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.cli.common import load_node
from nodecheck.definitions.settings import read_settings
from nodecheck.node.facts import subjects

if TYPE_CHECKING:
    from argparse import Namespace

    from nodecheck.node.facts import Fact


def command(arguments: Namespace) -> int:
    """Print groups and facts, each with where it comes from."""
    node = load_node(arguments, read_settings())
    _print_table("GROUPS", [(name, "", source) for name, source in sorted(node.groups.items())])
    print()
    _print_table("FACTS", [row for name, fact in node.facts.items() for row in _rows(name, fact)])
    return 0


def _print_table(title: str, rows: list[tuple[str, str, str]]) -> None:
    print(title)
    first = max(len(row[0]) for row in rows)
    second = max(len(row[1]) for row in rows)
    for name, value, source in rows:
        print(f"  {name:<{first}}  {value:<{second}}  {source}" if second else f"  {name:<{first}}  {source}")


def _rows(name: str, fact: Fact) -> list[tuple[str, str, str]]:
    """One for each part, named as definitions name it; none for a subject that this node does not have."""
    if fact.problem:
        return [(name, "not found out", fact.problem)]
    if isinstance(fact.value, dict):
        return [(f"{name}.{part}", _shown(item), fact.source) for part, item in fact.value.items()]
    return [] if name in subjects() and fact.value is None else [(name, _shown(fact.value), fact.source)]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "not found out" if value is None else str(value) or '""'
