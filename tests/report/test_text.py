"""What the text tells of a problem over time; all else is in the golden files."""

from __future__ import annotations

import pytest
from fakes import report, result

from nodecheck.report import text
from nodecheck.report.result import Status
from nodecheck.report.style import Style


@pytest.mark.parametrize(
    ("streak", "since", "told"),
    [
        (1, 90.0, "(1m 30s ago)"),
        (12, 90.0, "(1m 30s ago, 12 runs in a row)"),
        (2, 0.0, "(just now, 2 runs in a row)"),
    ],
)
def test_since_when_and_for_how_many_runs(streak: int, since: float, told: str) -> None:
    made = report(result("a", Status.CRITICAL, streak=streak))
    result_then = made.results[0]._replace(since=made.seen_at - since)
    [line] = [
        line for line in text.render(made._replace(results=(result_then,)), Style()).splitlines() if "since" in line
    ]
    assert line.endswith(told)


@pytest.mark.parametrize("flapping", [True, False])
def test_what_changes_often_is_told_to(flapping: bool) -> None:
    told = text.render(report(result("a", Status.CRITICAL, flapping=flapping)), Style())
    assert ("flapping  it changes so often that a single change means little" in told) is flapping


@pytest.mark.parametrize(
    ("number", "verbosity", "told"),
    [
        (1, 0, "  blocks    1: 1, b"),
        (3, 0, "  blocks    3: 1, b; 2, b; 3, b"),
        (4, 0, "  blocks    4: 1, b; 2, b; 3, b; and 1 more"),
        (44, -1, "  blocks    44: 1, b; 2, b; 3, b; and 41 more"),
        (4, 1, "  blocks    4: 1, b; 2, b; 3, b; 4, b"),
    ],
)
def test_a_cause_names_the_first_of_what_it_blocks_and_with_v_all(number: int, verbosity: int, told: str) -> None:
    blocked = [result(f"{index + 1}, b", Status.BLOCKED, causes=("a",)) for index in range(number)]
    made = report(result("a", Status.CRITICAL, remedy="look"), *blocked)
    lines = text.render(made, Style(verbosity=verbosity)).splitlines()

    assert [line for line in lines if line.startswith("  blocks ")] == [told]
    assert lines.index("  remedy    look") < lines.index(told)
