"""What the engine makes of findings: how bad they are, what is told of them, and since when."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from fakes import node, process, result
from plays import entries, judged

from nodecheck.definitions.errors import Mark
from nodecheck.definitions.levels import Waiver
from nodecheck.engine import judge
from nodecheck.engine.fold import waive
from nodecheck.report.result import Finding, Status

OK, INFO, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.INFO, Status.WARNING, Status.CRITICAL, Status.UNKNOWN


def found(status: Status, message: str = "it is so", **fields: Any) -> Finding:
    return Finding("count", status, "1", "2", message, **fields)


def planned(more: str = "") -> Any:
    (definition,) = entries(f"- {{name: A, process: {{name: x}}{more}}}")
    return SimpleNamespace(definition=definition, play=SimpleNamespace(name="Node"))


@pytest.mark.parametrize(
    ("status", "critical", "warning", "info"),
    [
        (OK, OK, OK, OK),
        (INFO, INFO, INFO, INFO),
        (WARNING, WARNING, WARNING, INFO),
        (CRITICAL, CRITICAL, WARNING, INFO),
        (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    ],
)
def test_the_severity_of_a_check_says_how_bad_a_finding_is_at_most(
    status: Status, critical: Status, warning: Status, info: Status
) -> None:
    scaled = [judge._scaled(found(status), judge.BROKEN[name]).status for name in ("critical", "warning", "info")]

    assert [critical, warning, info] == scaled


def test_a_result_is_so_since_the_first_of_what_is_not_ok() -> None:
    findings = [found(OK, since=1.0), found(CRITICAL, since=3.0), found(WARNING, since=2.0), found(UNKNOWN)]

    assert judge.result(planned(), findings).since == 2.0
    assert judge.result(planned(), [found(OK, since=1.0)]).since == 1.0


@pytest.mark.parametrize(
    ("findings", "remedy"),
    [
        ([found(CRITICAL)], "mine"),
        ([found(CRITICAL), found(WARNING, remedy="its")], "its\nmine"),
        ([found(CRITICAL, remedy="first\nmine"), found(WARNING, remedy="second")], "first\nmine"),
        ([found(CRITICAL), found(OK, remedy="its")], "mine"),
        ([found(UNKNOWN)], ""),
        ([found(UNKNOWN, remedy="its")], "its"),
    ],
)
def test_the_remedy_of_the_author_stands_behind_that_of_a_finding(findings: list[Finding], remedy: str) -> None:
    assert remedy == judge.result(planned(", remedy: mine"), findings).remedy


def test_where_the_author_wrote_none_the_remedy_of_the_first_finding_that_has_one_stands() -> None:
    findings = [found(OK, remedy="of what is well"), found(CRITICAL), found(WARNING, remedy="its")]

    assert judge.result(planned(), findings).remedy == "its"


def test_what_is_not_ok_is_told_once_and_of_what_is_the_first() -> None:
    findings = [found(OK, "a"), found(CRITICAL, "b"), found(WARNING, "c"), found(CRITICAL, "b")]

    assert judge.result(planned(), findings).message == "b; c"
    assert judge.result(planned(), [found(OK, "a"), found(OK, "b")]).message == "a"


@pytest.mark.parametrize(("attempts", "times"), [(1, "once"), (2, "2 times")])
def test_a_result_that_was_cut_short_says_how_often_it_was_looked_at(attempts: int, times: str) -> None:
    cut = judge.cut_short(result("A", CRITICAL, "it is so"), attempts)

    assert cut.deadline == "run"
    assert cut.message == f"it is so; looked at {times} only: the run has no time for another attempt"


@pytest.mark.parametrize(
    ("missed", "status", "observed", "message"),
    [
        (judge.Missed("x > 1"), CRITICAL, False, "after 1 attempt there is still not x > 1"),
        (judge.Missed("x > 1", "no x"), UNKNOWN, None, "whether x > 1 could not be told: no x"),
    ],
)
def test_a_condition_that_did_not_come_true_is_a_finding(
    missed: judge.Missed, status: Status, observed: bool | None, message: str
) -> None:
    ended = judge.not_reached(planned(), result("A", OK), missed, 1)

    assert (status, message) == (ended.status, ended.message)
    assert [("until", status, "x > 1", observed, message)] == [finding[:5] for finding in ended.findings]


def test_an_expectation_of_warn_replaces_what_was_well_and_nothing_else() -> None:
    text = "- {name: A, process: {name: dockerd, threads: '< 300', count: 2}, warn: {threads: '< 100'}}"
    (one,) = judged(text, node(processes=[process(100, threads=200), process(101, threads=3)])).results

    assert [(finding.property, finding.status, finding.observed) for finding in one.findings] == [
        ("count", OK, 2),
        ("threads", WARNING, 200),
        ("threads", OK, 3),
    ]


@pytest.mark.parametrize("status", [OK, Status.SKIPPED, Status.BLOCKED])
@pytest.mark.parametrize("today", ["2030-01-01", "2030-01-02"])
def test_what_has_not_failed_needs_no_waiver(status: Status, today: str) -> None:
    one = result("A", status)

    assert one == waive(one, Waiver("2030-01-01", "it is new", Mark("x.yaml", 1, 1)), today)
