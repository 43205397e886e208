"""The page about memory: what is remembered of runs, where, and by which rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.cli.markdown import items, section, table
from nodecheck.engine import flapping
from nodecheck.engine.memory import UNKNOWN_RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

REMEMBERED = (
    ("`since`", "When a check became what it is: told by the node, or when a run first saw it so."),
    ("`streak`", "For how many runs in a row it has had this status."),
    (
        "`confirmed`, `confirmed_status`",
        "Whether a fault has held for as long as `for` says, and what counts until it has.",
    ),
    (
        "`flapping`",
        (
            f"By Nagios' algorithm over the latest {flapping.RESULTS} results: from {flapping.STARTS_AT_PERCENT:g}% of "
            f"weighted changes on, until they are {flapping.STOPS_AT_PERCENT:g}% or less."
        ),
    ),
    ("`transitions`", "Which checks have another confirmed status than after the run before."),
    ("counters", 'Restarts, OOM kills, errors: what `"< 3 in 1h"` is judged by.'),
)
FOR = (
    (
        "Until it is confirmed, a fault stands in the report with its status and how far it is (`1 of 3 runs`), "
        "and what needs the check is blocked. For the exit code it counts as what was confirmed before, and at least "
        "as info."
    ),
    "`for: 3 runs` counts looks that saw something: an unknown or a blocked one neither counts nor begins it anew.",
    "`for: 2m` counts from when it was first seen so, or from what the node tells of that; at most from boot.",
    (
        "A critical look is at least a warning, too: what was a warning twice and is critical now has been a warning "
        "for 3 runs. What gets better is confirmed at once."
    ),
    "An unknown counts for the exit code at once: it is no fault, and nobody should take it for ok.",
    "Where nothing can be remembered, a fault counts at once.",
)
RULES = (
    "What could not be seen is no news: `unknown` and `blocked` neither set nor clear a fault.",
    f"{UNKNOWN_RUNS} unknown runs in a row are a finding of their own, and a transition where there was no fault.",
    "The first look is no change.",
    "A definition that was changed begins anew; but whoever was told of a fault is told of its end.",
    (
        "Counters begin anew at boot, and when they are smaller than before. What nobody saw is not invented: where it "
        "matters, the finding is `unknown` until it was looked at for long enough."
    ),
    "When the clock jumps, remembered times jump with it, as far as the clock since boot tells.",
)
PLACES = (
    (
        "As root `/var/lib/nodecheck`, else `$XDG_STATE_HOME/nodecheck` or `~/.local/state/nodecheck`; under systemd "
        "the unit's StateDirectory. `--state DIR` is another one, `--state none` does without."
    ),
    "Runs of other definitions than the installed ones are remembered apart, by their paths.",
    (
        "It is bounded, whatever happens: 2000 checks, or those of one run where these are more, and the latest 200 "
        "changes of each."
    ),
    (
        "A full, read-only or hanging disk, or a file that is damaged, of another program or of a newer nodecheck: the "
        "run is judged all the same, and the loss is one of its `problems`. A damaged file is moved aside; nothing is "
        "deleted."
    ),
    (
        "What a helper hangs on in the kernel is written down below `/run/nodecheck`, and not looked at again while it "
        "hangs."
    ),
)


def state() -> Iterator[str]:
    """Yield the page about memory."""
    yield "# state"
    yield ""
    yield "Runs remember what they saw. `nodecheck history` draws it, and the report tells of each check:"
    yield ""
    yield from table(("", ""), REMEMBERED)
    yield from section("for: when a fault is confirmed", items(FOR))
    yield from section("Rules", items(RULES))
    yield from section("Where", items(PLACES))
