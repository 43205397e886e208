"""nodecheck record: what can be seen of this node, as JSON on standard output."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from nodecheck import __version__
from nodecheck.cli.common import load, load_node
from nodecheck.definitions.searchpath import are_installed
from nodecheck.definitions.settings import read_settings
from nodecheck.engine.clock import Clock
from nodecheck.engine.rounds import timed
from nodecheck.node import survey
from nodecheck.node.record import record
from nodecheck.report.style import as_json

if TYPE_CHECKING:
    from argparse import Namespace

    from nodecheck.node.node import Node, Want


def command(arguments: Namespace) -> int:
    """Look, and print what was seen; windows that stay dark are in it too."""
    clock = Clock(time.monotonic(), read_settings().budget)
    node, wants = _wanted(arguments)
    node.observe([*survey.wants(), *wants], clock.deadline(clock.budget), None)
    sys.stdout.write(as_json(record(node, __version__), indent=1) + "\n")
    return 0


def _wanted(arguments: Namespace) -> tuple[Node, list[Want]]:
    """Return the node, and what the checks of all plays want, whichever hosts they are for."""
    if not (arguments.paths or arguments.checks or are_installed()):
        return load_node(arguments, read_settings()), []
    loaded = load(arguments)
    checks = [check for play in loaded.definitions.plays for check in play.checks]
    built = [(check, each) for check in checks for each in (check.check, check.milder) if each]
    return loaded.node, [timed(want, check.timeout) for check, each in built for want in each.wants()]
