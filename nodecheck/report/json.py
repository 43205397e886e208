"""The report as JSON: the contract, in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodecheck.report.result import Report
    from nodecheck.report.style import Style


def render(report: Report, _style: Style) -> str:
    """Return one JSON document; see report/result.py for the names."""
    return json.dumps(report.to_data(), indent=1, ensure_ascii=False) + "\n"
