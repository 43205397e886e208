"""nodecheck run: look, judge, report."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from nodecheck.cli.common import load, selection
from nodecheck.definitions.errors import DefinitionError, Mistake
from nodecheck.durations import parse_duration
from nodecheck.engine.plan import make_plan
from nodecheck.engine.run import Clock, run
from nodecheck.events import log
from nodecheck.report import formats
from nodecheck.report.style import Style

if TYPE_CHECKING:
    from argparse import Namespace

    from nodecheck.node.systemd import Collector
    from nodecheck.report.result import Report


def command(arguments: Namespace, collector: Collector | None, started: float) -> int:
    """Run the checks and print the report; return the exit code of the report.

    `started` is when the program started, on the monotonic clock in seconds: the budget counts from there.
    """
    outputs = formats.parse(arguments.output or ["text"])
    budget = _budget(arguments.budget)
    loaded = load(arguments)
    plan = make_plan(
        loaded.definitions.plays, set(loaded.node.groups) | {loaded.node.facts["hostname"].value}, selection(arguments)
    )
    if not plan.checks:
        raise DefinitionError([_nothing_selected(arguments, sorted(loaded.node.groups))])
    clock = Clock(started, budget or loaded.settings.budget)
    report = run(plan, loaded.definitions, loaded.node, clock, collector)
    failures = _print(report, outputs, arguments)
    if log.wanted(arguments.events):
        log.emit(report)
    if failures:
        raise formats.BadOutput("; ".join(failures))
    return report.exit_code


def _budget(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise DefinitionError([Mistake(None, f"--budget: {error}")]) from error
    if seconds < 1:
        raise DefinitionError([Mistake(None, f"--budget: {text} is too short for any run", "at least 1s")])
    return seconds


def _nothing_selected(arguments: Namespace, groups: list[str]) -> Mistake:
    asked = [
        f"{option} {value}"
        for option, value in (
            ("-t", ",".join(arguments.tags)),
            ("--skip-tags", ",".join(arguments.skip_tags)),
            ("-l", arguments.limit),
        )
        if value
    ]
    of = f" with {' '.join(asked)}" if asked else ""
    return Mistake(
        None,
        f"no check was selected{of}",
        f"this node is in the groups {', '.join(groups)}; nodecheck list shows all checks",
    )


def _print(report: Report, outputs: list[formats.Output], arguments: Namespace) -> list[str]:
    """Print all outputs, and return what could not be written: one that fails must not silence the others."""
    verbosity = -1 if arguments.quiet else int(arguments.verbose)
    failures = []
    for output in outputs:
        try:
            if output.file == "-":
                _print_here(output.render(report, Style.of(sys.stdout, verbosity)))
            else:
                formats.write(output, report, Style(verbosity=verbosity))
        except formats.BadOutput as error:
            failures.append(str(error))
    return failures


def _print_here(text: str) -> None:
    """Print to standard output. Raises BadOutput; a reader that has left has seen enough."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _turn_away()
    except OSError as error:
        _turn_away()
        raise formats.BadOutput(f"standard output cannot be written: {error.strerror}") from error


def _turn_away() -> None:
    """What is left in the buffer goes nowhere; else the end of the program would fail on it again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
