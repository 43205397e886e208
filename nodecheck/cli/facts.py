"""nodecheck facts: what this node is, and how that was found out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.definitions.sources import SETTINGS_FILE, read_settings
from nodecheck.node.node import Node

if TYPE_CHECKING:
    from argparse import Namespace


def command(_arguments: Namespace) -> int:
    """Print groups and facts, each with where it comes from."""
    node = Node.here(read_settings().groups, SETTINGS_FILE)
    _print_table("GROUPS", [(name, "", source) for name, source in sorted(node.groups.items())])
    print()
    _print_table("FACTS", [(name, _shown(fact.value), fact.source) for name, fact in node.facts.items()])
    return 0


def _print_table(title: str, rows: list[tuple[str, str, str]]) -> None:
    print(title)
    first = max(len(row[0]) for row in rows)
    second = max(len(row[1]) for row in rows)
    for name, value, source in rows:
        print(f"  {name:<{first}}  {value:<{second}}  {source}" if second else f"  {name:<{first}}  {source}")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={item}" for key, item in value.items() if item is not None)
    return "not found out" if value is None else str(value)
