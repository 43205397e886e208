"""What `nodecheck explain` tells about beside the check types. A topic is added here, and nowhere else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from nodecheck.cli.explain_cases import cases
from nodecheck.cli.explain_events import events, fleet
from nodecheck.cli.explain_expectations import expectations
from nodecheck.cli.explain_facts import facts_page
from nodecheck.cli.explain_language import keywords, variables
from nodecheck.cli.explain_outputs import outputs
from nodecheck.cli.explain_settings import settings_page
from nodecheck.cli.explain_state import state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Topic(NamedTuple):
    """`summary` stands in the overview; `page` yields lines of Markdown; `file`, below nodecheck/, holds the same."""

    summary: str
    page: Callable[[], Iterator[str]]
    file: str


PACKAGE = os.path.dirname(os.path.dirname(__file__))


def _by_hand(summary: str, path: str) -> Topic:
    """Return a page that is written by hand: what it says is for a person to judge."""

    def page() -> Iterator[str]:
        with open(os.path.join(PACKAGE, path), encoding="utf-8") as file:
            yield from file.read().splitlines()

    return Topic(summary, page, path)


TOPICS = {
    "keywords": Topic("what stands beside a type: when, loop, needs, warn, ...", keywords, "definitions/keywords.md"),
    "cases": Topic("how to test your own definitions: nodecheck test", cases, "engine/cases.md"),
    "state": Topic("what is remembered of runs: since, for, flapping, counters", state, "engine/state.md"),
    "variables": Topic("{{ expressions }}, and which variable wins", variables, "definitions/variables.md"),
    "facts": Topic("what is found out about a node, for hosts: and {{ facts }}", facts_page, "node/facts.md"),
    "expectations": Topic(
        'what is wanted of a property: "< 90%", /regex/, lists, all, not', expectations, "definitions/expectations.md"
    ),
    "settings": Topic("what holds for a whole host: nodecheck.yaml", settings_page, "definitions/settings.md"),
    "outputs": Topic("how a report is told: -o json, junit, nagios, html, ...", outputs, "report/outputs.md"),
    "failure-modes": _by_hand("how nodes fail, and which shipped checks tell it", "cli/failure_modes.md"),
    "events": Topic("which events are told, and where they go", events, "events/events.md"),
    "security": _by_hand("whom nodecheck believes, and with which rights it runs", "cli/security.md"),
    "fleet": Topic("what ten thousand nodes tell in their central place", fleet, "events/fleet.md"),
}
