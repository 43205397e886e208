"""Which events a run tells."""

import pytest
from fakes import REALTIME, report, result

from nodecheck.events.choice import Told, choose, of_file, together
from nodecheck.report.result import Report, Status, Transition

HOUR = 3600.0
AT = REALTIME + 0.113
EVERY = report(*(result(str(status), status) for status in Status))


def told(made: Report, known: Told | None = None, emit: str = "changes") -> list[tuple[str, str]]:
    return [(event.kind, event.result.id if event.result else "") for event in choose(made, known, emit, HOUR)[0]]


def test_what_is_not_ok_is_told_and_what_has_another_cause_is_not() -> None:
    expected = [("check", "info"), ("check", "warning"), ("check", "unknown"), ("check", "critical"), ("run", "")]
    assert expected == told(EVERY)


def test_all_is_told_when_that_is_asked_for() -> None:
    assert [*(("check", str(status)) for status in Status), ("run", "")] == told(EVERY, emit="all")


def test_a_fault_that_is_not_confirmed_is_not_told() -> None:
    assert told(report(result("a", Status.CRITICAL, confirmed=False))) == [("run", "")]


def change(before: Status, after: Status) -> Report:
    transition = Transition("a", "a", before, after, AT, AT, "m")
    return report(result("a", after), transitions=(transition,))


@pytest.mark.parametrize(("before", "after"), [(Status.OK, Status.CRITICAL), (Status.CRITICAL, Status.OK)])
def test_a_change_is_told_in_place_of_the_check(before: Status, after: Status) -> None:
    assert told(change(before, after)) == [("change", "a"), ("run", "")]


@pytest.mark.parametrize(
    ("ago", "kinds"),
    [
        (60.0, ["run"]),
        (HOUR - 1, ["run"]),
        (HOUR, ["check", "run"]),
        (-60.0, ["check", "run"]),  # the clock was put back
    ],
)
def test_what_was_told_is_told_again_every_so_often(ago: float, kinds: list[str]) -> None:
    made = report(result("a", Status.CRITICAL))
    assert kinds == [kind for kind, _ in told(made, Told({"a": {"critical": AT - ago}}, {}))]


def test_another_status_is_told_at_once() -> None:
    made = report(result("a", Status.CRITICAL))
    assert told(made, Told({"a": {"unknown": AT - 60}}, {})) == [("check", "a"), ("run", "")]


def test_after_a_change_the_check_is_told_an_hour_later() -> None:
    known = choose(change(Status.OK, Status.CRITICAL), None, "changes", HOUR)[1]
    assert known.times == {"a": {"critical": AT}}


def confirmed(status: Status) -> Report:
    return report(result("a", status, confirmed_status=status))


def test_a_transition_that_a_run_without_sinks_has_seen_is_told_by_the_next() -> None:
    # Failed first: who looked by hand during an outage took the all-clear away from the journal.
    _, known = choose(confirmed(Status.CRITICAL), None, "changes", HOUR)
    events, later = choose(confirmed(Status.OK), known, "changes", HOUR)
    transition = events[0].transition
    assert transition is not None
    assert (events[0].kind, transition.before, transition.after) == ("change", Status.CRITICAL, Status.OK)
    assert [event.kind for event in choose(confirmed(Status.OK), later, "changes", HOUR)[0]] == ["run"]


def test_what_was_told_long_ago_is_forgotten() -> None:
    assert choose(report(), Told({"gone": {"critical": AT - HOUR}}, {}), "changes", HOUR)[1] == Told({}, {})


def test_what_another_run_has_told_meanwhile_stands() -> None:
    before = Told({"a": {"critical": 1.0}, "gone": {"critical": 1.0}}, {"a": "critical", "b": "ok"})
    own = Told({"a": {"critical": 1.0}}, {"a": "critical", "b": "critical"})
    other = Told({"c": {"unknown": 2.0}, "gone": {"critical": 1.0}}, {"a": "ok", "b": "ok", "c": "unknown"})
    expected = Told({"a": {"critical": 1.0}, "c": {"unknown": 2.0}}, {"a": "ok", "b": "critical", "c": "unknown"})
    assert together(before, own, other) == expected
    assert together(before, own, before) == own


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"times": {"a": {"critical": 1}}, "last": {"a": "ok"}}, Told({"a": {"critical": 1.0}}, {"a": "ok"})),
        ([], Told({}, {})),
        ({"times": {"a": 1}, "last": 1}, Told({}, {})),
        ({"times": {"a": {"critical": "x"}}, "last": {"a": "odd", "b": 1}}, Told({"a": {}}, {})),
    ],
)
def test_a_file_that_makes_no_sense_tells_nothing(data: object, expected: Told) -> None:
    assert expected == of_file(data)
