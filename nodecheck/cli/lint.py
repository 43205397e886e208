"""nodecheck lint: all mistakes at once, without looking at the node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.cli.common import load, selection
from nodecheck.engine.plan import make_plan

if TYPE_CHECKING:
    from argparse import Namespace


def command(arguments: Namespace) -> int:
    """Read the definitions as `run` would; mistakes end with 3."""
    loaded = load(arguments)
    arguments.tags, arguments.skip_tags, arguments.limit = [], [], ""
    make_plan(loaded.definitions.plays, set(loaded.node.groups), selection(arguments))
    plays = loaded.definitions.plays
    checks = sum(len(play.checks) for play in plays)
    print(f"{len(loaded.definitions.files)} files, {len(plays)} plays, {checks} checks: no mistakes")
    return 0
