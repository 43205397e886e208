"""Definition files from texts, read as a run reads them, and judged on a node."""

from __future__ import annotations

import pathlib
import tempfile
import textwrap
import time
from typing import TYPE_CHECKING, Any

from nodecheck.definitions.settings import read_extra_variables
from nodecheck.definitions.sources import Definitions, read_definitions
from nodecheck.engine.clock import Clock
from nodecheck.engine.plan import Selection, make_plan
from nodecheck.engine.run import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nodecheck.definitions.check import CheckDefinition
    from nodecheck.node.node import Node
    from nodecheck.report.result import Report

FACTS = {"hostname": "w1", "os": {"id": "debian", "version": "12"}, "mounts": ["/", "/var"], "nothing": None}


def read(
    text: str,
    *,
    settings: dict[str, Any] | None = None,
    extra: Sequence[str] = (),
    groups: Sequence[str] = (),
    others: dict[str, str] | None = None,
) -> Definitions:
    """Return what a file with this text says, beside files with the texts `others`. Raises DefinitionError."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in ({"checks.yaml": text} | (others or {})).items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(content))
        known = {"all", "w1", *groups}
        variables = (settings or {}) | {"facts": FACTS, "groups": sorted(known)}
        return read_definitions(
            [f"{folder}/checks.yaml"], variables, read_extra_variables(list(extra)), frozenset(known)
        )


def checks(text: str, **around: Any) -> list[CheckDefinition]:
    """Return the checks of a file that holds plays."""
    return [check for play in read(text, **around).plays for check in play.checks]


def entries(text: str, **around: Any) -> list[CheckDefinition]:
    """Return the checks of a play for all hosts, of which this is the list."""
    return checks("- hosts: all\n  checks:\n" + textwrap.indent(textwrap.dedent(text), "    "), **around)


def judged(text: str, node: Node, *, tags: str = "", budget: float = 30.0, **around: Any) -> Report:
    """Return the report of a run over the checks of a play for all hosts."""
    play = "- hosts: all\n  checks:\n" + textwrap.indent(textwrap.dedent(text), "    ")
    definitions = read(play, **around)
    selection = Selection(frozenset(tags.split(",")) if tags else frozenset())
    plan = make_plan(definitions.plays, {"all"}, selection)
    return run(plan, definitions, node, Clock(time.monotonic(), budget), None)
