"""nodecheck discover: checks written from this healthy node, that pass on it at once."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from nodecheck import __version__
from nodecheck.cli.common import load_node
from nodecheck.definitions.errors import DefinitionError, Mistake, did_you_mean
from nodecheck.definitions.settings import read_settings
from nodecheck.definitions.sources import read_definition_text
from nodecheck.definitions.writer import write
from nodecheck.engine.clock import Clock
from nodecheck.engine.discover import TYPES, discover, only
from nodecheck.engine.known import names_of, variables_of
from nodecheck.engine.plan import Selection, make_plan
from nodecheck.engine.run import run
from nodecheck.node import survey
from nodecheck.node.record import record
from nodecheck.node.recordfile import replay
from nodecheck.report.result import EXIT_UNUSABLE, Status
from nodecheck.report.style import printable

if TYPE_CHECKING:
    from argparse import Namespace

    from nodecheck.definitions.settings import Settings
    from nodecheck.definitions.writer import DraftPlay
    from nodecheck.engine.discover import Found
    from nodecheck.node.node import Node


EDITOR_LINE = "yaml-language-server: $schema=/usr/share/nodecheck/nodecheck.schema.json"


def command(arguments: Namespace) -> int:
    """Look at the node, and print a definition file; end with 3 where nothing was found that could be checked."""
    types = _types(arguments.type)
    settings = read_settings()
    clock = Clock(time.monotonic(), settings.budget)
    node = load_node(arguments, settings)
    node.observe(survey.wants(), clock.deadline(clock.budget), None)
    found = discover(node)
    plays, not_well = _passing(only(found.plays, types), node, settings)
    if not any(play.checks for play in plays):
        print(f"nodecheck: nothing was found here to check{_because(found, not_well)}", file=sys.stderr)
        return EXIT_UNUSABLE
    sys.stdout.write(write(plays, _header(node, found, not_well)))
    return 0


def _types(option: str) -> frozenset[str]:
    """Read --type. Raises DefinitionError."""
    wanted = [name.strip() for name in option.split(",") if name.strip()] or list(TYPES)
    wrong = [
        Mistake(None, f"--type: nothing is discovered for {name!r}", did_you_mean(name, TYPES))
        for name in wanted
        if name not in TYPES
    ]
    if wrong:
        raise DefinitionError(wrong)
    return frozenset(wanted)


def _passing(plays: list[DraftPlay], node: Node, settings: Settings) -> tuple[list[DraftPlay], dict[str, str]]:
    """Judge the checks on what was seen; return those that are ok, and why the others are not, by their names."""
    not_well: dict[str, str] = {}
    while plays and (worse := _judge(plays, node, settings)):
        not_well |= worse
        kept = (
            play._replace(checks=tuple(check for check in play.checks if check.name not in worse)) for play in plays
        )
        plays = [play for play in kept if play.checks]
    return plays, not_well


def _judge(plays: list[DraftPlay], node: Node, settings: Settings) -> dict[str, str]:
    """Read and judge what would be written; return what is not ok: {name: message}."""
    replayed = replay(record(node, __version__), "of this node")
    variables = {**settings.variables, **variables_of(node)}
    definitions = read_definition_text("discovered", write(plays, ()), variables, names_of(node))
    plan = make_plan(definitions.plays, set(names_of(node)), Selection())
    report = run(plan, definitions, replayed, Clock(time.monotonic(), settings.budget), None)
    return {result.name: result.message for result in report.results if result.status is not Status.OK}


def _header(node: Node, found: Found, not_well: dict[str, str]) -> list[str]:
    day = time.strftime("%Y-%m-%d", time.localtime(node.observed.clocks["realtime"]))
    lines = [
        EDITOR_LINE,
        f"Written by nodecheck {__version__} discover on {node.facts['hostname'].value}, {day}: what ran and was well.",
        "Read it, delete what does not have to be so, and try it: nodecheck run FILE. It does not need the installed",
        "definitions; where both are used, delete here what those check already.",
    ]
    sections = {
        "Could not be seen": found.unseen,
        "Not well now, so not checked": [*found.not_well, *(f"{name}: {why}" for name, why in not_well.items())],
        "Left out, for it may not last": found.left_out,
    }
    for title, items in sections.items():
        lines += ["", f"{title}:", *(f"  {item}" for item in items)] if items else []
    return [printable(line) for line in lines]


def _because(found: Found, not_well: dict[str, str]) -> str:
    reasons = [*found.unseen, *found.not_well, *not_well.values()]
    return f": {'; '.join(dict.fromkeys(reasons))}" if reasons else ""
