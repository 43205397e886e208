"""The report as JSON: the contract, in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodecheck.report.result import Report
    from nodecheck.report.style import Style

# JSON leaves these as they are, and a terminal would obey them: C1 controls, and what turns the direction of text.
STEERING = {
    code: f"\\u{code:04x}"
    for code in (*range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def render(report: Report, _style: Style) -> str:
    """Return one JSON document; see report/result.py for the names."""
    return json.dumps(report.to_data(), indent=1, ensure_ascii=False).translate(STEERING) + "\n"
