"""The page about cases: how people test their own definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.cli.markdown import items, section, table
from nodecheck.engine.cases import FINE

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = """\
```yaml
- name: When docker is dead, that is the one finding
  node: worker.json  # nodecheck record > worker.json
  checks: ../checks.d
  change:
    units:
      docker.service: {ActiveState: failed, SubState: failed}
    processes: {dockerd: absent}
  expect:
    docker.service is healthy: critical
    docker.socket is healthy:
      {status: blocked, causes: docker.service is healthy}
  others: [ok, blocked]
```"""
KEYWORDS = (
    ("`name`", "What is tested, in a sentence."),
    ("`node`", "A record, beside this file: `nodecheck record > node.json` writes one."),
    ("`checks`", "The definitions to test, beside this file. Without it those of --checks, else the installed ones."),
    ("`vars`", "Variables, as with -e."),
    ("`tags`", "Only checks with one of these tags, as with -t."),
    ("`change`", "What has happened to the node since it was recorded, by key."),
    (
        "`expect`",
        "Names or ids of checks, each with its status; or with `status`, `message` (a text or /regex/), `causes`.",
    ),
    ("`others`", f"The statuses that all other checks may have. Without it: {', '.join(FINE)}."),
)
CHANGES = (
    ("`units`", "Properties of a unit as systemd names them; a time may be `5m ago`. `absent`: there is no such unit."),
    ("`manager`", "What systemd says of itself: SystemState, failed, jobs."),
    ("`processes`", "Fields of the processes of a name: state, still_for, threads, ...; a new one, or `absent`."),
    ("`listeners`", "Fields of `tcp/10250`: address, owners (names or pids), connection; a new one, or `absent`."),
    (
        "`windows`",
        "What was seen through another window, by its key in the record; or `{unobserved: {source, reason}}`.",
    ),
    ("`users`, `files`", "The id of a user; the text of a file, or `absent`."),
    (
        "`facts`, `groups`",
        "What the node is; either may be `absent`, a fact `{malformed: what is wrong}`.",
    ),
    ("`unobserved`", "A window that stays dark, and why: systemd, processes or sockets."),
)
HINTS = (
    "A case that names one critical proves that there is no other one: all that it does not name has to be fine.",
    "A case of which no check is for the node has failed.",
    "A record is plain JSON: what no key changes can be changed in it by hand. What it does not hold is `unknown`.",
    "The date of a waiver is judged on the day of the record.",
)


def cases() -> Iterator[str]:
    """Yield the page about cases."""
    yield "# cases"
    yield ""
    yield "`nodecheck test FILE|DIR` judges recorded nodes, changed as cases say, and compares with what they expect."
    yield from section("Example", EXAMPLE.splitlines())
    yield from section("Keywords of a case", table(("keyword", ""), KEYWORDS))
    yield from section("What can be changed", table(("change", ""), CHANGES))
    yield from section("Mind", items(HINTS))
