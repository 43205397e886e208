"""nodecheck lint: all mistakes at once, and what is legal and surely not meant, without looking at the node."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nodecheck.cli import lint_formats
from nodecheck.cli.common import load
from nodecheck.cli.lint_formats import ERROR, WARNING, Remark, Remarks
from nodecheck.definitions import suspicions
from nodecheck.definitions.errors import DefinitionError, Mistake, Mistakes
from nodecheck.node import groups
from nodecheck.report.result import EXIT_UNUSABLE

if TYPE_CHECKING:
    from argparse import Namespace

    from nodecheck.cli.common import Loaded

EXIT_SUSPICIOUS = 1


def command(arguments: Namespace) -> int:
    """Read the definitions as `run` would; mistakes end with 3, what only looks wrong with 1."""
    try:
        remarks = _suspicious(_load(arguments))
    except DefinitionError as error:
        if arguments.output == "text":
            raise  # said as every command says it
        remarks = Remarks([Remark(ERROR, "definition", *mistake) for mistake in error.mistakes])
    print(lint_formats.FORMATS[arguments.output](remarks))
    if remarks.count(ERROR):
        return EXIT_UNUSABLE
    return EXIT_SUSPICIOUS if remarks.found else 0


def _load(arguments: Namespace) -> Loaded:
    """A file of settings that was named has to be there; that of the host need not."""
    if arguments.settings is None:
        return load(arguments)
    if not os.path.lexists(arguments.settings):
        raise DefinitionError([Mistake(None, f"{arguments.settings} does not exist", "name a file of settings")])
    return load(arguments, settings_file=arguments.settings)


def _suspicious(loaded: Loaded) -> Remarks:
    definitions, node = loaded.definitions, loaded.node
    known = frozenset({*node.groups, *groups.known(), str(node.facts["hostname"].value)})
    texts = Mistakes()
    for path, text in definitions.texts.items():
        texts.know_text(path, text)
    context = suspicions.Context(definitions.plays, known, loaded.settings.budget, tuple(definitions.sources))
    found = suspicions.find(context)
    remarks = [Remark(WARNING, rule, *texts.mistake(mark, message, hint)) for rule, mark, message, hint in found]
    checks = sum(len(play.checks) for play in definitions.plays)
    return Remarks(remarks, files=len(definitions.files), plays=len(definitions.plays), checks=checks)
