"""What daemons and things that are judged alike have in common."""

from __future__ import annotations

from typing import Any

import pytest

from nodecheck.checks._ladder import judge_each, things, why_no_pattern
from nodecheck.definitions.expectation import Number
from nodecheck.report.result import Status

OK, CRITICAL = Status.OK, Status.CRITICAL


@pytest.mark.parametrize(
    ("seen", "unit", "found"),
    [
        ([], "", []),
        ([("a", 1, "")], "", [(OK, "1", "restarts of a is 1")]),
        ([("a", 1, ""), ("b", 2, "")], "number of restarts", [(OK, "1, 2", "number of restarts of a, b is 1, 2")]),
        ([("a", 1, ""), ("b", 1, "")], "", [(OK, "1", "restarts of a, b is 1")]),
        ([("a", 1, ""), ("b", 3, "")], "", [(CRITICAL, "3", "restarts of b is 3, expected < 3")]),
        ([("a", None, "it is new")], "", [(CRITICAL, "none", "restarts of a is none (it is new), expected < 3")]),
    ],
)
def test_many_things_are_one_finding_of_those_that_are_not_as_wanted(
    seen: list[tuple[str, Any, str]], unit: str, found: list[tuple[Status, str, str]]
) -> None:
    findings = judge_each("restarts", Number("< 3"), seen, unit=unit)

    assert found == [(finding.status, finding.observed, finding.message) for finding in findings]


@pytest.mark.parametrize(("number", "more"), [(5, ""), (6, "; and 1 more"), (7, "; and 2 more")])
def test_only_the_first_of_those_that_are_not_as_wanted_are_named(number: int, more: str) -> None:
    (finding,) = judge_each("restarts", Number("< 3"), [(f"t{index}", 9, "") for index in range(number)])

    assert finding.message == f"restarts of t0 is 9; t1 is 9; t2 is 9; t3 is 9; t4 is 9{more}, expected < 3"


@pytest.mark.parametrize(("number", "more"), [(5, ""), (6, " and 1 more"), (9, " and 4 more")])
def test_only_the_first_of_many_things_are_named(number: int, more: str) -> None:
    assert f"0, 1, 2, 3, 4{more}" == things([str(index) for index in range(number)])


@pytest.mark.parametrize(("text", "is_wrong"), [(None, False), ("web", False), ("/web/", False), ("/(/", True)])
def test_a_selector_is_a_name_or_a_regular_expression(text: str | None, is_wrong: bool) -> None:
    assert is_wrong == bool(why_no_pattern(text))
