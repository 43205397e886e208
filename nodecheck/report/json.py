"""The report as JSON: the contract, in full. `nodecheck schema report` prints its JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.report.style import as_json

if TYPE_CHECKING:
    from nodecheck.report.result import Report
    from nodecheck.report.style import Style

EXAMPLE = "json=report.json"


def render(report: Report, _style: Style) -> str:
    """Return one JSON document; see report/result.py for the names."""
    return as_json(report.to_data(), indent=1) + "\n"
