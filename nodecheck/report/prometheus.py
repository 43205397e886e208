"""Metrics of Prometheus, for the textfile collector of its node exporter, which reads what is called *.prom.

Each check is a state set: of the series of its statuses, one is 1. `nodecheck_check_info` joins the name, the play and
the place to alerts; what is in `nodecheck_check_unconfirmed` should raise none. node_textfile_mtime_seconds tells of
runs that stay away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nodecheck.report.result import SUMMARY, Report, Result
from nodecheck.report.style import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nodecheck.report.style import Style

EXAMPLE = "prometheus=/var/lib/prometheus/node-exporter/nodecheck.prom"
MODE = 0o644  # the exporter is another user
LABEL_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Labels = dict[str, str]


class Metric(NamedTuple):
    """A metric: its values, each with its labels. The collector wants the same help in every file, always."""

    name: str
    help: str
    values: Iterable[tuple[Labels, float]]


def render(report: Report, _style: Style) -> str:
    """Return the text format, without timestamps: the collector refuses them."""
    return "".join(f"{line}\n" for metric in _metrics(report) for line in _lines(metric))


def _metrics(report: Report) -> Iterator[Metric]:
    results = report.results
    yield Metric("nodecheck_check_status", "Whether the check has this status.", _statuses(results))
    yield Metric(
        "nodecheck_check_unconfirmed",
        "The check has a fault that has not held for as long as its `for` says; left out where it has none.",
        [(_of(result), 1) for result in results if not result.confirmed],
    )
    yield Metric(
        "nodecheck_check_info", "What a check is called, and where it is defined.", [(_info(r), 1) for r in results]
    )
    yield Metric(
        "nodecheck_check_since_timestamp_seconds",
        "Since when the check is as it is, where that is known.",
        [(_of(result), result.since) for result in results if result.since is not None],
    )
    yield Metric(
        "nodecheck_check_duration_seconds",
        "How long judging the check took.",
        [(_of(result), round(result.duration_seconds, 6)) for result in results],
    )
    counts = [({"status": status}, count) for status, count in report.summary().items()]
    yield Metric("nodecheck_checks", "How many checks have this status.", counts)
    yield from _of_run(report)


def _of_run(report: Report) -> Iterator[Metric]:
    build = [({"version": report.version}, 1.0)]
    for name, help_text, value in (
        ("exit_code", "The exit code of the run: 0 ok, 1 warning, 2 critical, 3 unknown.", report.exit_code),
        ("partial", "Whether the run ended before all had been looked at.", report.partial),
        ("problems", "What went wrong with the run itself.", len(report.problems)),
        ("duration_seconds", "How long the run took.", round(report.duration_seconds, 6)),
        ("budget_seconds", "Within which time the run had to end.", report.budget_seconds),
        ("timestamp_seconds", "When the node was looked at.", round(report.seen_at, 3)),
    ):
        yield Metric(f"nodecheck_run_{name}", help_text, [({}, value)])
    yield Metric("nodecheck_build_info", "The version of nodecheck.", build)


def _statuses(results: tuple[Result, ...]) -> Iterator[tuple[Labels, float]]:
    for result in results:
        for status in SUMMARY:
            yield {**_of(result), "status": str(status)}, result.status is status


def _of(result: Result) -> Labels:
    return {"check": result.id, "type": result.type}


def _info(result: Result) -> Labels:
    return {
        **_of(result), "name": result.name, "play": result.play, "severity": result.severity, "source": result.source
    }  # fmt: skip


def _lines(metric: Metric) -> Iterator[str]:
    values = list(metric.values)
    if values:
        yield f"# HELP {metric.name} {metric.help}"
        yield f"# TYPE {metric.name} gauge"
    for labels, value in values:
        yield f"{metric.name}{_labelled(labels)} {_number(value)}"


def _labelled(labels: Labels) -> str:
    inner = ",".join(f'{name}="{printable(value).translate(LABEL_ESCAPES)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
