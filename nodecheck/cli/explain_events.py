"""The pages about events: what is told and where it goes; and what a fleet of nodes tells in its central place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.cli.markdown import items, section, table
from nodecheck.definitions.event_settings import SINKS

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = """\
```yaml
events:
  emit: changes        # or all: every result of every run
  repeat: 1h           # what stays not ok is told again
  to:
    - journal
    - file: {path: /var/log/nodecheck.jsonl, dialect: ecs}
    - syslog: {address: "tls://logs.example.com:6514", ca: /etc/nodecheck/ca.pem}
```"""
KINDS = (
    ("`run`", "One for each run: its status, its summary, which checks are not ok, and its own problems."),
    ("`change`", "A check's confirmed status became another one: `before`, `after`, and all that a check's event has."),
    ("`check`", "A check that is not ok, when that is new, and again after `repeat`; all of them with `emit: all`."),
)
DEFAULTS = """\
`--events never`: nowhere. On a terminal: nowhere, unless `--events always`.

Else to what `to` names.

Without `to`: to the journal when standard error goes there, as in a service of systemd, also one with
StandardError=null; nowhere when it is /dev/null otherwise; else lines of JSON on standard error.
"""
HINTS = """\
What is blocked by another check, or not confirmed yet, tells no event of its own.

A record has at most 16000 bytes; a message of syslog 8000, by UDP 2048. What was cut has `truncated`.

`event_id` is made of run, kind and check. What is delivered late has the id and the timestamp of its own run.

Events go out when the report is there already, within 5 s and the budget. What a sink does not take waits in
events/ below the state directory, at most 16 MiB for each sink, and goes out first in the next run; the `problems`
of the report tell of it. When there is no more room the oldest go, and are counted.

By TCP and TLS an event counts as delivered when the receiver has read all and closed the connection. By UDP and
unix: nobody knows.

Messages of syslog are those of RFC 5424. /dev/log of a host with systemd is the journal's own, which knows only the
older form and takes all of such a message for text: there, name `journal`, from which rsyslog reads all fields
(imjournal).

In the journal the fields are the report's: NODECHECK_STATUS, NODECHECK_CHECK, NODECHECK_RUN_ID, ...; `journalctl -u
docker` shows what was found about docker.service, `journalctl -x` explains it.
"""
# Of 80 checks, in records of the dialect native; an outage is three faults and six checks that they block. Bytes of all
# events of a healthy run, of the first run of an outage and of a later one; and of each event that is told again.
FLEET_BYTES = {"healthy": 1076, "first": 5571, "lasting": 1656, "repeated": 1200}
NODES = 10_000
RACK = 40


def events() -> Iterator[str]:
    """Yield the page about events."""
    yield "# events"
    yield ""
    yield "Which events a run tells, and where they go: the key `events` of /etc/nodecheck/nodecheck.yaml."
    yield from section("Example", EXAMPLE.splitlines())
    yield from section("What is told", table(("event", ""), KINDS))
    yield from section("Where it goes", items(_paragraphs(DEFAULTS)))
    rows = [
        (f"`{kind}`", f"`{name}`", f"{option.help}{' Required.' if option.required else ''}")
        for kind, options in SINKS.items()
        for name, option in options.items()
    ]
    yield from section("Sinks and their options", table(("sink", "option", ""), [("`journal`", "", "None."), *rows]))
    yield from section("Mind", items(_paragraphs(HINTS)))


def fleet() -> Iterator[str]:
    """Yield the page about a fleet."""
    yield "# fleet"
    yield ""
    yield f"What {NODES:,} nodes tell in their central place, each with 80 checks and a run a minute, by syslog."
    yield from section(
        "Events and bytes", table(("the fleet", "events a second", "of syslog a second", "in a day"), _rows())
    )
    yield from section("As measured", items(_paragraphs(MEASURED)))


MEASURED = """\
200 simulated nodes, real records, one rsyslog 8.2302 and one systemd-journal-remote 252, each in a node of one
machine with two processors, which others kept busy; a connection by TLS for each run.

rsyslog (TLS, mmjsonparse, a file): 2.2 ms of processor time for each run of a healthy node, 2.3 ms for one that
tells of an outage by four events: what a connection costs, not what an event costs. So 10,000 nodes take 0.4 of one
processor. It wrote 813 bytes for the run of a healthy node.

systemd-journal-remote (HTTPS): 3.9 ms for a run of a healthy node, 4.7 ms for one with four events: 0.7 of one
processor for 10,000 nodes. Uploaded were 1417 bytes for a run.

RandomizedDelaySec= with FixedRandomDelay= of the timer spreads the nodes over the minute.

A day of runs is mostly that nothing has changed. Where that is too much, keep `event=run` with status ok for a day,
and `change` for ever: a change has all that its check knows.
"""


def _rows() -> Iterator[tuple[str, str, str, str]]:
    """The steady part is for a whole day; the first minute of an outage is told apart."""
    calm = FLEET_BYTES["healthy"]
    lasting = FLEET_BYTES["lasting"] + 3 * FLEET_BYTES["repeated"] / 60
    rack, minute = RACK, 60.0
    yield _row("healthy", NODES / minute, NODES * calm / minute)
    rest = (NODES - rack) * calm / minute
    yield _row(
        "a rack of 40 nodes fails: its first minute",
        (NODES + 3 * rack) / minute,
        rest + rack * FLEET_BYTES["first"] / minute,
    )
    yield _row("the rack stays so", (NODES + 3 * rack / 60) / minute, rest + rack * lasting / minute)
    yield _row("all nodes fail at once: the first minute", 4 * NODES / minute, NODES * FLEET_BYTES["first"] / minute)
    yield _row("all stay so", (NODES + 3 * NODES / 60) / minute, NODES * lasting / minute)


def _row(name: str, events_a_second: float, bytes_a_second: float) -> tuple[str, str, str, str]:
    day = "" if "first minute" in name else f"{bytes_a_second * 86400 / 1e9:.1f} GB"
    return name, f"{events_a_second:.0f}", f"{bytes_a_second / 1e3:.0f} kB", day or "-"


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, each in one line."""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
