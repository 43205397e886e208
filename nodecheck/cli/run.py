"""nodecheck run: look, judge, report."""

from __future__ import annotations

import math
import os
import stat
import sys
from typing import TYPE_CHECKING

from nodecheck import progress
from nodecheck.cli import common
from nodecheck.cli.guard import EXIT_SIGNAL
from nodecheck.definitions.errors import DefinitionError, Mistake
from nodecheck.durations import parse_duration
from nodecheck.engine import destinations
from nodecheck.engine.clock import Clock
from nodecheck.engine.plan import units_of
from nodecheck.engine.run import run
from nodecheck.engine.statedirectory import directory_of
from nodecheck.node import interruption
from nodecheck.report import formats
from nodecheck.report.style import Style

if TYPE_CHECKING:
    from argparse import Namespace

    from nodecheck.__main__ import Helpers
    from nodecheck.definitions.event_settings import EventSettings
    from nodecheck.engine.courier import Courier
    from nodecheck.engine.state import State
    from nodecheck.report.result import Report


def command(arguments: Namespace, helpers: Helpers, started: float) -> int:
    """Run the checks and print the report; return the exit code of the report, or 128 and the number of a signal.

    `started` is when the program started, on the monotonic clock in seconds: the budget counts from there.
    """
    outputs = formats.parse(arguments.output or ["text"])
    budget = _budget(arguments.budget)
    if budget:
        progress.tell_budget(budget)
    state = _begin_state(arguments)
    loaded = common.load(arguments, helpers.groups)
    plan = common.plan(arguments, loaded)
    if not plan.checks:
        raise DefinitionError([_nothing_selected(arguments, sorted(loaded.node.groups))])
    courier = _begin_courier(arguments, loaded.settings.events, outputs)
    clock = Clock(started, budget or loaded.settings.budget)
    progress.tell_budget(clock.budget)
    progress.about_to("look at this node")
    report = run(plan, loaded.definitions, loaded.node, clock, helpers.collector, state=state)
    if courier and not report.interrupted:
        report = report._replace(problems=(*report.problems, *courier.look(clock)))
    if state and any(output.shows_history for output in outputs):
        report = report._replace(history=state.history(clock))
    failures = _print(report, outputs, arguments)
    if courier and not report.interrupted:
        courier.deliver(report, units_of(plan), clock)
    if failures:
        raise formats.BadOutput("; ".join(failures))
    signalled = interruption.came()
    return EXIT_SIGNAL + signalled if signalled else report.exit_code


def _directory(arguments: Namespace) -> str | None:
    """Of a recorded node nothing is kept: it is none of ours to remember."""
    return None if arguments.replay else directory_of(arguments.state)


def _begin_state(arguments: Namespace) -> State | None:
    directory = _directory(arguments)
    if not directory:
        return None
    from nodecheck.engine.state import State, scope_of  # 2 ms

    return State(directory, scope_of(arguments.paths + arguments.checks))


def _begin_courier(arguments: Namespace, settings: EventSettings, outputs: list[formats.Output]) -> Courier | None:
    sinks = destinations.of(arguments.events, settings.sinks)
    if not sinks:
        return None
    from nodecheck.engine.courier import Courier, Telling
    from nodecheck.engine.state import scope_of

    if any(sink.kind == "stdout" for sink in sinks) and any(output.file == "-" for output in outputs):
        raise formats.BadOutput(
            "events and the report both go to standard output: give the report a file, -o json=FILE"
        )
    telling = Telling(arguments.emit or settings.emit, settings.repeat)
    return Courier(sinks, telling, _directory(arguments), scope_of(arguments.paths + arguments.checks))


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
    """Print all outputs, and return what could not be written: one that fails must not silence the others.

    Files come first: whoever reads the report here may take any time.
    """
    verbosity = -1 if arguments.quiet else int(arguments.verbose)
    failures = []
    for output in sorted(outputs, key=lambda output: output.file == "-"):
        try:
            if output.file == "-":
                _refuse_closed(arguments.output)
                _print_here(output.render(report, Style.of(sys.stdout, verbosity)))
            else:
                formats.write(output, report, Style(verbosity=verbosity))
        except formats.BadOutput as error:
            failures.append(str(error))
    return failures


def _refuse_closed(asked_for: list[str]) -> None:
    """Who closes standard output wants the exit code alone, and who names a format wants the report. Raises BadOutput.

    What is in the place of a stream that was closed, so that we can write to it, is in sys.stdout only.
    """
    if asked_for and sys.__stdout__ is None:
        raise formats.BadOutput("standard output cannot be written: it is closed")


def _print_here(text: str) -> None:
    """Print to standard output. Raises BadOutput; a reader that has left has seen enough."""
    try:
        if stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode):
            progress.about_to("write standard output")
        else:
            progress.tell_budget(math.inf)  # who reads page by page is no file system that hangs
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
