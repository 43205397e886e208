"""The memory of a run, through its helper: whatever hangs or ends, the run is judged, and in time."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest
from fakes import REALTIME, ago, make, node, process, service, status_of, told
from plays import read

from nodecheck.engine import state as engine_state
from nodecheck.engine.clock import Clock
from nodecheck.engine.plan import Selection, make_plan
from nodecheck.engine.run import run
from nodecheck.engine.state import State, scope_of
from nodecheck.engine.statedirectory import directory_of
from nodecheck.node.counters import Sample
from nodecheck.node.record import record
from nodecheck.node.recordfile import replay
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows.journal import JournalWant
from nodecheck.report.result import Report, Status, Transition

if TYPE_CHECKING:
    from nodecheck.node.node import Node

OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN
CHECK = "process: {name: dockerd}"
ALIVE, GONE = (process(),), ()


class Runs:
    """Runs of one check over processes, each a minute later."""

    def __init__(self, directory: pathlib.Path, keywords: str = "") -> None:
        self.directory = str(directory)
        self.text = f"- {{hosts: all, checks: [{{name: A, {CHECK}{keywords}}}]}}"
        self.minute = 0

    def __call__(self, processes: Any, budget: float = 30.0) -> Report:
        return self.run(node(processes=processes), budget)

    def run(self, seen: Node, budget: float = 30.0) -> Report:
        clocks = seen.observed.clocks
        seen.observed.clocks = {name: seconds + self.minute * 60 for name, seconds in clocks.items()}
        self.minute += 1
        definitions = read(self.text)
        plan = make_plan(definitions.plays, {"all"}, Selection())
        state = State(self.directory)
        return run(plan, definitions, seen, Clock(time.monotonic(), budget), None, state=state)


@pytest.fixture
def state(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "state"


def test_a_change_is_told_once(state: pathlib.Path) -> None:
    runs = Runs(state)
    reports = [runs(ALIVE), runs(GONE), runs(GONE), runs(ALIVE)]
    changes = [[(each.before, each.after) for each in report.transitions] for report in reports]
    assert changes == [[], [(OK, CRITICAL)], [], [(CRITICAL, OK)]]


def test_a_transition_says_what_changed_and_when(state: pathlib.Path) -> None:
    runs = Runs(state)
    runs(ALIVE)
    seen = node(processes=GONE)
    report = runs.run(seen)
    at = seen.observed.clocks["realtime"]
    assert report.transitions == (Transition("a", "A", OK, CRITICAL, at, at, report.results[0].message),)


def test_a_fault_with_a_for_is_reported_at_once_and_counts_when_it_held(state: pathlib.Path) -> None:
    runs = Runs(state, ", for: 3 runs")
    reports = [runs(ALIVE), runs(GONE), runs(GONE), runs(GONE), runs(ALIVE)]
    assert [report.results[0].status for report in reports] == [OK, CRITICAL, CRITICAL, CRITICAL, OK]
    assert [report.exit_code for report in reports] == [0, 0, 0, 2, 0]
    assert [report.results[0].confirmed for report in reports] == [True, False, False, True, True]
    assert [len(report.transitions) for report in reports] == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("hold", "said"), [("3 runs", "not confirmed yet: 1 of 3 runs"), ("5m", "not confirmed yet: 0ms of 5m")]
)
def test_a_fault_that_is_not_confirmed_says_how_far_it_is(state: pathlib.Path, hold: str, said: str) -> None:
    assert said in Runs(state, f", for: {hold}")(GONE).results[0].message


def test_a_fault_that_was_a_warning_goes_on_to_count_as_one(state: pathlib.Path) -> None:
    runs = Runs(state, ", for: 2 runs, warn: {count: 2}")
    reports = [runs(ALIVE), runs(ALIVE), runs(GONE), runs(GONE)]
    assert [report.results[0].status for report in reports] == [WARNING, WARNING, CRITICAL, CRITICAL]
    assert [report.exit_code for report in reports] == [0, 1, 1, 2]


def test_an_unknown_counts_at_once_and_says_later_for_how_long(state: pathlib.Path) -> None:
    runs = Runs(state, ", for: 3 runs")
    dark = Unobserved("processes", "it was dark")
    reports = [runs(ALIVE), *(runs(dark) for _ in range(4))]
    assert [report.exit_code for report in reports] == [0, 3, 3, 3, 3]
    assert [len(report.transitions) for report in reports] == [0, 0, 0, 0, 1]
    assert {report.results[0].message for report in reports[1:-1]} == {"it was dark"}
    assert reports[-1].results[0].message.startswith("it was dark; not seen in 4 runs in a row, last 20")


def test_a_flapping_check_says_so(state: pathlib.Path) -> None:
    runs = Runs(state)
    reports = [runs(ALIVE if number % 2 else GONE) for number in range(6)]
    assert [report.results[0].flapping for report in reports] == [False] * 4 + [True] * 2
    assert reports[-1].transitions[0].flapping


# ---- counters


class Restarts(Runs):
    """Runs of a check of the restarts of a unit, ten minutes apart."""

    def __init__(self, directory: pathlib.Path, wanted: str = "< 3 in 1h") -> None:
        super().__init__(directory)
        self.text = f'- {{hosts: all, checks: [{{name: A, unit: {{name: x.service, restarts: "{wanted}"}}}}]}}'

    def __call__(self, restarts: Any, budget: float = 30.0) -> Report:
        self.minute += 9
        since = ago(60 - self.minute * 60)  # it is active for a minute: it may have been restarted just before
        return self.run(node(units=[service(NRestarts=restarts, ActiveEnterTimestampMonotonic=since)]), budget)


def _restarts(report: Report) -> tuple[Status, str]:
    (finding,) = [finding for finding in report.results[0].findings if finding.property == "restarts"]
    return finding.status, finding.message


def test_restarts_within_a_time_are_told_by_what_earlier_runs_saw(state: pathlib.Path) -> None:
    runs = Restarts(state)
    found = [_restarts(runs(count))[0] for count in (0, 0, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3)]
    assert [str(status) for status in found] == ["ok"] * 5 + ["critical"] * 3 + ["ok"] * 4


def test_restarts_of_which_nobody_knows_when_they_came_are_unknown(state: pathlib.Path) -> None:
    runs = Restarts(state)
    assert _restarts(runs(7)) == (
        UNKNOWN, "restarts of x.service in 1h could be 0 to 7: it was not looked at before",
    )  # fmt: skip
    assert _restarts(runs(10)) == (CRITICAL, "restarts of x.service in 1h is 3 to 10, expected < 3 in 1h")


def test_a_manual_start_that_begins_the_count_anew_is_no_fault(state: pathlib.Path) -> None:
    runs = Restarts(state)
    assert [str(_restarts(runs(count))[0]) for count in (2, 2, 2, 2, 2, 2, 2, 0, 1)] == ["ok"] * 9


def test_counters_are_kept_in_bounds(state: pathlib.Path) -> None:
    runs = Restarts(state)
    for count in range(30):
        runs(count)
    with contextlib.closing(sqlite3.connect(state / "state.sqlite")) as database:
        (kept,) = database.execute("SELECT count(*) FROM counters").fetchone()
    assert kept <= 8


class Entries(Runs):
    """Runs of a check of what is new in the journal, by the times of its entries, the latest first."""

    def __init__(self, directory: pathlib.Path) -> None:
        super().__init__(directory)
        self.text = "- {hosts: all, checks: [{name: A, journal: {unit: x.service, new: true}}]}"

    def __call__(self, *written: float) -> Any:
        want = next(
            each for each in make("journal", unit="x.service", new=True).wants() if isinstance(each, JournalWant)
        )
        found = {"count": len(written), "last": written[0], "by": "x", "message": "it broke", "times": [*written]}
        seen = node()
        data = {"read": len(written), "gap": "", "found": {"": found}, "newest": written[0]}
        seen.observed.windows = {"journal": {want.key: data}}
        return self.run(seen).results[0].findings[0].observed


def test_an_entry_of_the_journal_counts_in_one_of_many_runs(state: pathlib.Path) -> None:
    runs, first = Entries(state), REALTIME - 10
    later = REALTIME + 170
    found = [runs(*written) for written in ([first], [first], [first], [later, first], [later, first], [later, first])]
    assert found == [1, 0, 0, 1, 0, 0]
    with contextlib.closing(sqlite3.connect(state / "state.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM counters").fetchone() == (2,)


def test_what_earlier_runs_saw_is_recorded_and_replayed(state: pathlib.Path) -> None:
    runs = Restarts(state)
    for _ in range(8):
        runs(5)
    seen = node(units=[service(NRestarts=6, ActiveEnterTimestampMonotonic=ago(60))])
    seen.observed.counters = {"restarts of x.service": [Sample(4000.0, 5.0), Sample(600.0, 5.0)]}
    again = replay(json.loads(json.dumps(record(seen, "0"))), "x.json")
    check = make("unit", name="x.service", restarts="< 3 in 1h")
    assert told(check, again) == told(check, seen)
    assert status_of(check, again) is OK


# ---- it must never hurt


def test_a_fault_counts_at_once_where_nothing_can_be_remembered(tmp_path: pathlib.Path) -> None:
    (tmp_path / "state").write_text("in the way")
    report = Runs(tmp_path / "state", ", for: 3 runs")(GONE)
    assert (report.exit_code, report.results[0].confirmed, len(report.problems)) == (2, True, 1)
    assert "so what this run saw is not remembered, and faults count at once" in report.problems[0]


def test_a_directory_that_hangs_holds_up_the_run_for_a_moment_only(
    state: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_state, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(engine_state, "_serve", lambda _channel, _directory: time.sleep(60))
    before = time.monotonic()
    report = Runs(state)(GONE)
    assert time.monotonic() - before < 1.5
    assert (report.exit_code, report.results[0].status) == (2, CRITICAL)
    assert [f"{state} did not answer within 0.3s, {engine_state.LOST}"] == list(report.problems)


def test_a_run_whose_budget_is_over_does_not_wait_for_its_memory(
    state: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_state, "_serve", lambda _channel, _directory: time.sleep(60))
    before = time.monotonic()
    assert Runs(state)(GONE, budget=0.5).exit_code == 2
    assert time.monotonic() - before < 1.5


def test_what_is_drawn_of_the_past_is_not_waited_for_when_the_budget_is_over(
    state: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else there would be no report at all: the guard ends a run that takes longer than its budget."""
    monkeypatch.setattr(engine_state, "_serve_histories", lambda _channel, _directory: time.sleep(60))
    clock = Clock(time.monotonic(), 0.5)
    assert State(str(state)).history(clock) == {}
    assert clock.elapsed() < 0.7


def test_a_helper_that_ends_is_a_problem_and_no_more(state: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_state, "_serve", lambda _channel, _directory: os.kill(os.getpid(), signal.SIGKILL))
    report = Runs(state)(GONE)
    assert (report.exit_code, report.problems) == (
        2, (f"{state}: the process that remembers ended, {engine_state.LOST}",),
    )  # fmt: skip


def test_a_change_that_could_not_be_written_is_told_again(state: pathlib.Path) -> None:
    runs = Runs(state)
    runs(ALIVE)
    with contextlib.closing(sqlite3.connect(state / "state.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        reports = [runs(GONE), runs(GONE)]
    reports += [runs(GONE), runs(GONE)]
    assert [len(report.transitions) for report in reports] == [1, 1, 1, 0]
    assert [len(report.problems) for report in reports] == [1, 1, 0, 0]


# ---- where


@pytest.mark.parametrize(
    ("environment", "root", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/nodecheck:/var/lib/other"}, True, "/var/lib/nodecheck"),
        ({}, True, "/var/lib/nodecheck"),
        ({"XDG_STATE_HOME": "/data/state", "HOME": "/home/me"}, True, "/var/lib/nodecheck"),
        ({"XDG_STATE_HOME": "/data/state", "HOME": "/home/me"}, False, "/data/state/nodecheck"),
        ({"HOME": "/home/me"}, False, "/home/me/.local/state/nodecheck"),
        ({"XDG_STATE_HOME": "not/absolute"}, False, None),
    ],
)
def test_root_remembers_for_the_host_and_a_user_for_himself(
    environment: dict[str, str], root: bool, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    assert expected == directory_of(None)


def test_the_option_wins_and_none_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/nodecheck")
    monkeypatch.chdir("/tmp")
    assert [directory_of("none"), directory_of("here"), directory_of("/there")] == [None, "/tmp/here", "/there"]


def test_the_scope_of_installed_definitions_is_empty_and_of_others_their_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/tmp")
    assert [scope_of([]), scope_of(["b", "a.yaml"])] == ["", "/tmp/a.yaml /tmp/b"]
    assert scope_of(["b\udcff"]) == r"/tmp/b\udcff"  # a name that is no text
