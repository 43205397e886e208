"""nodecheck list: plays and checks, their tags, and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.cli.common import load, selection
from nodecheck.engine.plan import make_plan
from nodecheck.report.style import display_width

if TYPE_CHECKING:
    from argparse import Namespace

    from nodecheck.definitions.play import Play


def command(arguments: Namespace) -> int:
    """Print every play; what this call would run on this node is marked with a *."""
    loaded = load(arguments)
    groups = set(loaded.node.groups) | {loaded.node.facts["hostname"].value}
    chosen = {
        planned.definition.id for planned in make_plan(loaded.definitions.plays, groups, selection(arguments)).checks
    }
    width = max(display_width(check.name) for play in loaded.definitions.plays for check in play.checks)
    for play in loaded.definitions.plays:
        _print_play(play, chosen, width)
    print("* runs on this node")
    return 0


def _print_play(play: Play, chosen: set[str], width: int) -> None:
    print(f"PLAY [{play.name}] hosts: {play.hosts}  {play.mark.file}:{play.mark.line}")
    for check in play.checks:
        name = check.name + " " * (width - display_width(check.name))
        marker = "*" if check.id in chosen else " "
        tags = f"[{', '.join(sorted(check.tags))}]" if check.tags else ""
        print(f" {marker} {name}  {check.type:<8} {tags:<20} {check.mark.file}:{check.mark.line}".rstrip())
    print()
