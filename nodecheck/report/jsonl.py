"""Lines of JSON, for pipes and log shippers: one for each check, the last one for the run.

`event` says which of the two a line is. The other names are the report's; each line names its run and its node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodecheck.report.style import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.report.result import Report
    from nodecheck.report.style import Style

EXAMPLE = "jsonl=/var/log/nodecheck.jsonl"


def render(report: Report, _style: Style) -> str:
    """Return a line for each result, in their order, and one for the run."""
    return "".join(f"{as_json(event)}\n" for event in _events(report))


def _events(report: Report) -> Iterator[dict[str, Any]]:
    header = report.header()
    of_run = {"run_id": report.run_id, "started_at": header["started_at"], "hostname": report.node["hostname"]}
    for result in report.results:
        yield {"event": "check", **of_run, **result.to_data()}
    yield {"event": "run", **{name: told for name, told in report.to_data().items() if name != "results"}}
