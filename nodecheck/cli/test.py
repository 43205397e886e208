"""nodecheck test: judges recorded nodes, changed as cases say, and compares with what the cases expect."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from nodecheck.definitions.errors import DefinitionError, Mistake
from nodecheck.definitions.searchpath import SUFFIXES
from nodecheck.definitions.settings import read_extra_variables
from nodecheck.engine.cases import Outcome, judge, read_cases
from nodecheck.report.result import Status
from nodecheck.report.style import Style, printable

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

EXIT_FAILED = 2
INDENT = "          "


def command(arguments: Namespace) -> int:
    """Run all cases; end with 2 when one is not as it expects, with 3 when one cannot be judged."""
    cases = [case for path in _files(arguments.cases) for case in read_cases(path)]
    overrides = read_extra_variables(arguments.extra_vars)
    style = Style.of(sys.stdout)
    failed = 0
    for case in cases:
        outcome = judge(case, arguments.checks, overrides)
        failed += bool(outcome.differences)
        print("\n".join(_lines(outcome, style)), flush=True)
    count = "1 case" if len(cases) == 1 else f"{len(cases)} cases"
    print(f"{count}: {len(cases) - failed} as expected, {failed} failed")
    return EXIT_FAILED if failed else 0


def _lines(outcome: Outcome, style: Style) -> Iterator[str]:
    bad = bool(outcome.differences)
    label = style.paint("failed:" if bad else "ok:", Status.CRITICAL if bad else Status.OK)
    place = f"  {outcome.case.mark.file}:{outcome.case.mark.line}" if bad else ""
    padding = " " * (len(INDENT) - len("failed:" if bad else "ok:"))
    yield f"{label}{padding}{printable(outcome.case.name)}{place}"
    for difference in outcome.differences:
        yield from style.wrap(difference, INDENT)


def _files(paths: list[str]) -> list[str]:
    """Return the case files: those named, and all in the directories named and below. Raises DefinitionError."""
    files: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            found = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
            files += sorted(name for name in found if name.endswith(SUFFIXES))
        elif os.path.lexists(path):
            files.append(path)
        else:
            raise DefinitionError([Mistake(None, f"{path} does not exist", "name a file of cases, or a directory")])
    if not files:
        raise DefinitionError([Mistake(None, f"no file of cases (*.yaml) in {', '.join(paths)}")])
    return files
