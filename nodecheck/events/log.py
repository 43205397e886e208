"""Events through structlog: each is a record, plain data with the names of the report. The only importer of structlog.

A record is one and the same for all places that events go to; how it looks there is the matter of dialects.py and of
the sinks, one file each.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from nodecheck.events.size import cut
from nodecheck.report.result import Status, timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from nodecheck.events.choice import Chosen
    from nodecheck.report.result import Report

Record = dict[str, Any]
LEVELS = {
    Status.CRITICAL: "error",
    Status.UNKNOWN: "warning",
    Status.WARNING: "warning",
    Status.INFO: "info",
    Status.BLOCKED: "info",
    Status.SKIPPED: "info",
    Status.OK: "info",
}
ON_TERMINAL = (
    "timestamp", "level", "event", "name", "status", "before", "message", "causes", "since", "source", "exit_code",
    "summary", "duration_seconds", "problems", "run_id",
)  # fmt: skip
MOST_NAMED = 5  # checks in the message of a run


class NoStructlog(Exception):
    """Events cannot be made: a package is missing, and which."""


def make(report: Report, chosen: list[Chosen], units: Mapping[str, str]) -> list[Record]:
    """Return the records of these events. Raises NoStructlog.

    `units` names the systemd unit that a check is about, by the check's id. The `event_id` of a record is made of run,
    kind and check: whoever gets one twice knows by it.
    """
    log = _logger()
    records = []
    for event in chosen:
        fields, level = _run(report) if event.result is None else _check(report, event, units)
        records.append(getattr(log, level)(event.kind, **fields)[1])
    return records


def for_terminal(records: list[Record]) -> str:
    """Return records for a person: a few fields, and no control characters, which could garble the terminal."""
    import structlog

    render = structlog.dev.ConsoleRenderer(colors=not os.environ.get("NO_COLOR"), sort_keys=False)
    return "".join(f"{render(None, '', _shortened(record))}\n" for record in records)


def _logger() -> Any:
    try:
        import structlog
    except ImportError as error:
        raise NoStructlog(f"no events, {error.name} is missing: apt-get install python3-structlog") from error
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    return structlog.wrap_logger(
        structlog.ReturnLogger(), processors=[structlog.processors.add_log_level, stamp, _in_order, _cut]
    )


def _in_order(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """When, how bad and what come first: whoever reads a raw line wants these."""
    first = {name: event.pop(name) for name in ("timestamp", "level", "event")}
    return {**first, **event}


def _cut(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return cut(json.loads(json.dumps(event, default=str)))  # plain data: it may have to go through a pipe, or wait


def _check(report: Report, event: Chosen, units: Mapping[str, str]) -> tuple[Record, str]:
    """Return the fields of an event about a check, and its level. That of a change has all that a check's has."""
    result, change = event.result, event.transition
    assert result is not None  # noqa: S101  # else it is about the run
    status = change.after if change else result.status
    moved = {"before": str(change.before), "after": str(change.after), "at": timestamp(change.at)} if change else {}
    told = {name: value for name, value in result.to_data().items() if value not in ("", (), [], None)}
    fields = {
        "event_id": f"{report.run_id}/{event.kind}/{result.id}",
        "run_id": report.run_id,
        "hostname": report.node["hostname"],
        **told,
        "status": str(status),
        **moved,
    }
    if units.get(result.id):
        fields["unit"] = units[result.id]
    return fields, LEVELS[status]


def _run(report: Report) -> tuple[Record, str]:
    """Return the fields of the event about the run itself, which stands for all of it, and its level."""
    header = report.header()
    not_ok = [result for result in report.results if result.counts_as not in (Status.OK, Status.SKIPPED)]
    fields = {
        "event_id": f"{report.run_id}/run",
        "hostname": report.node["hostname"],
        "message": _message(report),
        **header,
        "definitions": {"digest": header["definitions"]["digest"]},
        "not_ok": {result.id: str(result.status) for result in not_ok},
        "problems": list(report.problems),
    }
    return fields, LEVELS[report.status]


def _message(report: Report) -> str:
    counts = [f"{count} {status}" for status, count in report.summary().items() if count and status != Status.OK]
    number = "1 check" if len(report.results) == 1 else f"{len(report.results)} checks"
    said = f"{report.status}: {number}" + (f", {', '.join(counts)}" if counts else "")
    worst = [result.name for result in report.results if result.counts_as is report.status]
    if report.status in (Status.OK, Status.SKIPPED):
        return said
    more = f" and {len(worst) - MOST_NAMED} more" if len(worst) > MOST_NAMED else ""
    return f"{said}: {', '.join(worst[:MOST_NAMED])}{more}"


def _shortened(record: Record) -> Record:
    shown = {name: record[name] for name in ON_TERMINAL if record.get(name) not in (None, "", (), [], {})}
    if record["event"] == "run":
        del shown["message"]  # the summary says the same
    return {name: _printable(value) for name, value in shown.items()}


def _printable(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={_printable(item)}" for key, item in value.items())
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
