from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.engine.memory import UNKNOWN_RUNS, Memory, Moment, Seen, Told, remember
from nodecheck.report.result import Status, worst

if TYPE_CHECKING:
    from collections.abc import Iterable

START = 1_763_970_000.0
MINUTE = 60.0


class Runs:
    """A check that is looked at each minute; `at` moves the clocks, `boot` begins a new boot."""

    def __init__(self, runs: int = 0, seconds: float = 0.0) -> None:
        self.memory: Memory | None = None
        self.now = Moment(START, 1000.0, "boot-1")
        self.hold = {"runs": runs, "seconds": seconds}
        self.digest = "same"

    def look(self, status: str, since: float | None = None) -> Told:
        seen = Seen("a", "A", self.digest, status, since, f"A is {status}", **self.hold)  # type: ignore[arg-type]  # numbers of its `for`
        self.memory, told = remember(self.memory, seen, self.now)
        self.pass_time(MINUTE)
        return told

    def looks(self, statuses: str) -> list[Told]:
        return [self.look(status) for status in statuses.split()]

    def pass_time(self, seconds: float) -> None:
        self.now = self.now._replace(at=self.now.at + seconds, boottime=self.now.boottime + seconds)

    def jump(self, seconds: float) -> None:
        self.now = self.now._replace(at=self.now.at + seconds)

    def boot(self, *, after: float = 300.0) -> None:
        self.now = Moment(self.now.at + after, 20.0, "boot-2")


def confirmed(statuses: str, **hold: Any) -> list[str | None]:
    return [told.confirmed_status for told in Runs(**hold).looks(statuses)]


def transitions(told: Iterable[Told]) -> list[tuple[str, str | None]]:
    return [
        (each.before, each.confirmed_status)
        for each in told
        if each.before is not None and each.before != each.confirmed_status
    ]


# ---- since


def test_the_first_look_is_no_change_and_knows_only_what_the_node_tells() -> None:
    (told,) = Runs().looks("critical")
    assert (told.since, told.before, told.streak) == (None, None, 1)
    assert Runs().look("critical", since=START - 500).since == START - 500


def test_since_is_when_a_run_first_saw_it_so() -> None:
    assert [told.since for told in Runs().looks("ok critical critical ok")] == [
        None,
        START + 60,
        START + 60,
        START + 180,
    ]


def test_the_node_knows_better_when_it_changed_since_the_latest_look() -> None:
    runs = Runs()
    runs.looks("ok ok")
    assert runs.look("critical", since=START + 95).since == START + 95


def test_what_the_node_tells_of_before_the_latest_look_is_not_when_it_changed() -> None:
    runs = Runs()
    runs.looks("ok ok")
    assert runs.look("critical", since=START - 9000).since == START + 120


@pytest.mark.parametrize("between", ["unknown", "blocked", "unknown blocked unknown"])
def test_not_seen_in_between_does_not_begin_it_anew(between: str) -> None:
    told = Runs().looks(f"ok critical {between} critical")
    assert told[-1].since == START + 60
    assert told[2].since == START + 120


def test_a_streak_counts_runs_with_the_same_status() -> None:
    assert [told.streak for told in Runs().looks("ok critical critical unknown critical")] == [1, 1, 2, 1, 1]


# ---- unknown


def test_unknown_neither_sets_nor_clears_a_fault() -> None:
    told = Runs().looks("ok unknown ok critical unknown unknown unknown unknown unknown critical ok")
    assert transitions(told) == [("ok", "critical"), ("critical", "ok")]


def test_unknown_too_often_in_a_row_is_confirmed_where_there_was_no_fault() -> None:
    told = Runs().looks("ok" + " unknown" * UNKNOWN_RUNS + " ok")
    assert transitions(told) == [("ok", "unknown"), ("unknown", "ok")]


def test_unknown_too_often_in_a_row_is_a_finding_of_its_own_that_says_what_was_last_seen() -> None:
    told = Runs().looks("critical" + " unknown" * UNKNOWN_RUNS)
    assert [each.unknown_runs for each in told] == [0, 0, 0, 0, UNKNOWN_RUNS]
    assert (told[-1].last_seen, told[-1].last_seen_at) == ("critical", START)


def test_blocked_runs_are_no_unknown_ones() -> None:
    assert [each.unknown_runs for each in Runs().looks("ok" + " blocked" * 5)] == [0, 0, 0, 0, 0, 0]


def test_skipped_is_what_people_decided_so_it_ends_a_fault() -> None:
    assert transitions(Runs().looks("critical skipped critical")) == [("critical", "skipped"), ("skipped", "critical")]


# ---- for


def test_a_fault_is_confirmed_when_it_held_for_so_many_runs() -> None:
    assert confirmed("ok critical critical critical", runs=3) == ["ok", "ok", "ok", "critical"]


def test_a_fault_is_confirmed_when_it_held_for_so_long() -> None:
    assert confirmed("ok critical critical critical", seconds=120.0) == ["ok", "ok", "ok", "critical"]


def test_what_the_node_tells_counts_for_how_long_it_held() -> None:
    assert Runs(seconds=120.0).look("critical", since=START - 200).confirmed_status == "critical"


def test_what_the_node_tells_of_before_a_look_that_saw_it_well_does_not_count() -> None:
    """A unit that runs since long, and whose file was deleted just now."""
    runs = Runs(seconds=120.0)
    runs.looks("ok ok")
    told = [runs.look("critical", since=START - 9000) for _ in range(3)]
    assert [each.confirmed_status for each in told] == ["ok", "ok", "critical"]
    assert [each.held_seconds for each in told] == [0, 60, 0]


def test_a_better_run_in_between_begins_it_anew() -> None:
    assert set(confirmed("ok critical critical ok critical critical ok", runs=3)) == {"ok"}


def test_an_unknown_run_in_between_neither_counts_nor_begins_it_anew() -> None:
    assert confirmed("ok critical unknown critical unknown critical", runs=3)[-2:] == ["ok", "critical"]


def test_better_is_confirmed_at_once() -> None:
    assert confirmed("critical critical warning ok", runs=2) == [None, "critical", "warning", "ok"]


def test_a_critical_run_is_at_least_a_warning_too() -> None:
    assert confirmed("ok warning critical warning", runs=3) == ["ok", "ok", "ok", "warning"]
    assert confirmed("ok warning warning critical critical critical", runs=3)[2:] == [
        "ok", "warning", "warning", "critical",
    ]  # fmt: skip


def test_how_long_it_has_held_is_told_until_it_is_confirmed() -> None:
    told = Runs(runs=3).looks("ok critical critical critical")
    assert [each.held_runs for each in told] == [0, 1, 2, 0]
    assert [each.held_seconds for each in told] == [0, 0, 60, 0]


@given(st.lists(st.sampled_from([*map(str, Status)]), max_size=30), st.integers(1, 5))
def test_nothing_is_ever_confirmed_worse_than_it_was_seen_for_so_many_looks(statuses: list[str], runs: int) -> None:
    """The definition of `for`, said another way: of the latest looks that saw something, the best."""
    looks, told = Runs(runs=runs), None
    for number, status in enumerate(statuses, 1):
        told = looks.look(status)
        judged = [each for each in statuses[:number] if each not in ("unknown", "blocked")]
        if status in ("warning", "critical") and told.confirmed_status == status and told.before != status:
            assert worst([Status(each) for each in judged[-runs:]]) in (Status.WARNING, Status.CRITICAL)
            assert len(judged) >= runs
            assert all(each in ("warning", "critical") for each in judged[-runs:])


# ---- flapping


def test_a_check_that_changes_all_the_time_is_flapping() -> None:
    told = Runs().looks(" ".join(["ok critical"] * 4))
    assert [each.flapping for each in told[:5]] == [False, False, False, False, True]


def test_a_fault_that_is_not_confirmed_does_not_count_for_flapping() -> None:
    assert not any(told.flapping for told in Runs(runs=3).looks(" ".join(["ok critical"] * 15)))


def test_unknown_runs_do_not_count_for_flapping() -> None:
    assert not any(told.flapping for told in Runs().looks(" ".join(["ok unknown"] * 15)))


# ---- clocks


@pytest.mark.parametrize("seconds", [86400 * 365, -86400 * 365, 3600, -3600])
def test_a_clock_that_jumps_takes_the_times_with_it(seconds: float) -> None:
    runs = Runs()
    runs.looks("ok critical")
    runs.jump(seconds)
    assert runs.look("critical").since == pytest.approx(START + 60 + seconds)


@pytest.mark.parametrize("seconds", [86400.0, -86400.0])
def test_a_clock_that_jumps_confirms_nothing(seconds: float) -> None:
    runs = Runs(seconds=300.0)
    runs.looks("ok critical")
    runs.jump(seconds)
    assert (runs.look("critical").confirmed_status, runs.memory and runs.memory.pause) == ("ok", MINUTE)


def test_a_clock_that_is_corrected_by_a_little_leaves_the_times_as_they_are() -> None:
    runs = Runs()
    runs.looks("ok critical")
    runs.jump(0.4)
    assert runs.look("critical").since == START + 60


def test_a_fault_outlives_a_boot() -> None:
    runs = Runs()
    runs.looks("ok critical")
    runs.boot()
    told = runs.look("critical")
    assert (told.before, told.since, told.streak) == ("critical", START + 60, 2)


def test_no_fault_is_confirmed_by_the_time_in_which_nothing_ran() -> None:
    """What was seen once at shutdown, and is seen again while the node boots."""
    runs = Runs(seconds=120.0)
    runs.looks("ok critical")
    runs.boot()
    told = runs.looks("critical critical critical")
    assert [each.confirmed_status for each in told] == ["ok", "ok", "critical"]
    assert [each.since for each in told] == [START + 60] * 3


def test_a_clock_that_was_set_after_what_the_node_tells_confirms_nothing() -> None:
    """A unit that failed soon after boot, while the clock was still that of 1970."""
    runs = Runs(seconds=120.0)
    runs.now = runs.now._replace(boottime=50.0)
    told = [runs.look("critical", since=30.0) for _ in range(3)]
    assert [each.confirmed_status for each in told] == [None, None, "critical"]


def test_a_boot_with_a_clock_that_is_behind_tells_no_time_in_the_future() -> None:
    runs = Runs()
    runs.looks("ok critical")
    runs.boot(after=-9e8)
    at = runs.now.at
    assert runs.look("critical").since == at


# ---- definitions


def test_a_definition_that_was_changed_begins_anew_but_for_what_was_confirmed() -> None:
    runs = Runs(runs=3)
    runs.looks("ok critical critical")
    runs.digest = "changed"
    told = runs.look("critical")
    assert (told.streak, told.held_runs, told.since, told.confirmed_status) == (1, 1, START + 180, "ok")


def test_whoever_was_told_of_a_fault_is_told_of_its_end_though_the_definition_was_changed() -> None:
    runs = Runs()
    runs.looks("ok critical")
    runs.digest = "changed"
    assert transitions([runs.look("ok")]) == [("critical", "ok")]
