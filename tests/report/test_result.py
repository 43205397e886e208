"""What a report promises of its results, whatever the format."""

from __future__ import annotations

import pytest
from fakes import report, result

from nodecheck.report.result import Status, Transition

OK, INFO, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.INFO, Status.WARNING, Status.CRITICAL, Status.UNKNOWN


@pytest.mark.parametrize(
    ("status", "confirmed", "before", "counts_as"),
    [
        (CRITICAL, True, CRITICAL, CRITICAL),
        (CRITICAL, True, None, CRITICAL),
        (CRITICAL, False, None, INFO),
        (CRITICAL, False, OK, INFO),
        (CRITICAL, False, WARNING, WARNING),
        (WARNING, False, OK, INFO),
        (UNKNOWN, False, OK, UNKNOWN),
        (UNKNOWN, False, CRITICAL, UNKNOWN),
        (Status.BLOCKED, False, CRITICAL, Status.BLOCKED),
    ],
)
def test_a_fault_that_is_not_confirmed_counts_as_what_was_confirmed_before(
    status: Status, confirmed: bool, before: Status | None, counts_as: Status
) -> None:
    made = result("a", status, confirmed=confirmed, confirmed_status=before)
    assert counts_as == made.counts_as


def test_an_unconfirmed_fault_is_in_the_report_and_not_in_its_exit_code() -> None:
    made = report(result("a", CRITICAL, confirmed=False), result("b", OK))
    assert [made.exit_code, made.status, made.summary()["critical"]] == [0, INFO, 1]


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ((OK, Status.SKIPPED), OK),
        ((Status.SKIPPED, Status.SKIPPED), Status.SKIPPED),
        ((Status.SKIPPED, WARNING), WARNING),
        ((OK, Status.BLOCKED), Status.BLOCKED),
    ],
)
def test_what_is_skipped_says_nothing_of_a_node(statuses: tuple[Status, ...], status: Status) -> None:
    assert report(*(result(f"check {number}", each) for number, each in enumerate(statuses))).status == status


def test_a_transition_is_plain_data_with_the_names_of_the_contract() -> None:
    made = Transition("a", "A", OK, CRITICAL, 1_763_970_000.0, None, "A said so")
    expected = {
        "id": "a", "name": "A", "before": "ok", "after": "critical", "at": "2025-11-24T07:40:00.000Z", "since": None,
        "message": "A said so", "flapping": False,
    }  # fmt: skip
    assert expected == report(transitions=(made,)).to_data()["transitions"][0]
