"""nodecheck list: plays and checks, their tags, and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.cli import common

if TYPE_CHECKING:
    from argparse import Namespace

    from nodecheck.definitions.play import Play
    from nodecheck.definitions.searchpath import Source
    from nodecheck.definitions.sources import Definitions

TYPE_WIDTH = len("kernel_module")


def command(arguments: Namespace) -> int:
    """Print every play; what this call would run on this node is marked with a *."""
    loaded = common.load(arguments)
    if arguments.where:
        _print_where(loaded.definitions)
        return 0
    plan = common.plan(arguments, loaded)
    chosen = {planned.definition.id for planned in plan.checks if not planned.definition.skipped}
    for play in loaded.definitions.plays:
        _print_play(play, chosen)
    print("* runs on this node")
    return 0


def _print_where(definitions: Definitions) -> None:
    """Print each definition file, and why it is this one that counts."""
    for source in definitions.sources:
        print(f"{source.path}\n  {_why(source, definitions)}")
    found = {source.path for source in definitions.sources}
    for path in definitions.files:
        if path not in found:
            print(f"{path}\n  read by an include or an import")


def _why(source: Source, definitions: Definitions) -> str:
    others = ", ".join(source.replaces)
    if source.masked:
        return f"a link to /dev/null: it masks {others or 'nothing, for no other file has this name'}"
    checks = sum(check.mark.file == source.path for play in definitions.plays for check in play.checks)
    return f"{checks} {'check' if checks == 1 else 'checks'}" + (f"; it replaces {others}" if others else "")


def _print_play(play: Play, chosen: set[str]) -> None:
    """Most checks stand in the file of their play: of those only the line is told."""
    print(f"PLAY [{play.name}] hosts: {play.hosts}  {play.mark.file}:{play.mark.line}")
    for check in play.checks:
        marker = "*" if check.id in chosen else " "
        tags = f"  [{', '.join(sorted(check.tags))}]" if check.tags else ""
        file = "" if check.mark.file == play.mark.file else f"{check.mark.file}"
        print(f" {marker} {check.type:<{TYPE_WIDTH}} {check.name}{tags}  {file}:{check.mark.line}")
    print()
