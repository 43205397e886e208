"""Rounds: what is written with a result comes after it, and what is not as wanted is looked at again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from fakes import dark, node, process, result, service
from plays import entries, judged

from nodecheck.definitions.errors import DefinitionError, Mark
from nodecheck.definitions.levels import Waiver
from nodecheck.engine.fold import waive
from nodecheck.engine.rounds import as_variable
from nodecheck.node.node import Node
from nodecheck.node.unobserved import NO_PACKAGE, Unobserved
from nodecheck.node.windows.command import CommandWant
from nodecheck.report.result import Report, Result, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodecheck.node.node import Want
    from nodecheck.node.systemd import Collector

ALIVE = "process: {name: dockerd}"
GONE = "process: {name: nobody}"
WARNS = "process: {name: dockerd, count: '>= 1'}, warn: {count: '>= 2'}"


def statuses(report: Report) -> dict[str, str]:
    return {result.name: str(result.status) for result in report.results}


def messages(report: Report) -> dict[str, str]:
    return {result.name: result.message for result in report.results}


def seen(**windows: Any) -> Node:
    plain: dict[str, Any] = {"processes": [process()], "units": [service("docker.service")]}
    return node(**(plain | windows))


# ---- register


def test_a_later_check_is_written_with_what_an_earlier_one_observed() -> None:
    text = f"""
    - {{name: A, {ALIVE}, register: r}}
    - {{name: B, process: {{name: dockerd, count: "{{{{ r.observed.count }}}}"}}}}
    - {{name: C, process: {{name: nobody, count: "{{{{ r.observed.count - 1 }}}}"}}}}
    """
    assert statuses(judged(text, seen())) == {"A": "ok", "B": "ok", "C": "ok"}


def test_chains_of_results_are_judged_one_after_the_other_and_told_in_the_order_of_the_file() -> None:
    text = f"""
    - {{name: A, {ALIVE}, register: a}}
    - {{name: B, {ALIVE}, when: a is ok, register: b}}
    - {{name: D, {ALIVE}, when: "b.observed.count == 1"}}
    - {{name: C, {ALIVE}, when: [a is ok, b is ok], needs: D}}
    """
    report = judged(text, seen())

    assert [result.name for result in report.results] == ["A", "B", "D", "C"]
    assert {"ok"} == set(statuses(report).values())


def test_a_result_is_not_known_before_its_check() -> None:
    with pytest.raises(DefinitionError, match="'a' is not defined"):
        entries(f"- {{name: B, {ALIVE}, when: a is ok}}\n- {{name: A, {ALIVE}, register: a}}")


def test_what_needs_a_result_that_is_not_ok_is_blocked_by_it() -> None:
    report = judged(
        f"- {{name: A, {GONE}, register: r}}\n- {{name: B, process: {{name: '{{{{ r.status }}}}'}}}}", seen()
    )

    assert statuses(report) == {"A": "critical", "B": "blocked"}
    assert report.results[1].causes == ("a",)


def test_what_a_result_rules_out_is_blocked_where_that_result_is_no_good() -> None:
    # Failed first: with dockerd stopped, what asks it was "not for this node".
    then = f"{{name: B, {ALIVE}, needs: A, when: r.observed.count != 0}}"
    assert statuses(judged(f"- {{name: A, {GONE}, register: r}}\n- {then}", seen())) == {
        "A": "critical",
        "B": "blocked",
    }
    allowed = f"- {{name: A, {ALIVE}, register: r}}\n- {then.replace('!= 0', '!= 1')}"
    assert statuses(judged(allowed, seen())) == {"A": "ok", "B": "skipped"}


@pytest.mark.parametrize(("when", "status"), [("r is failed", "ok"), ("r is ok", "skipped")])
def test_a_when_that_looks_at_the_result_decides_itself(when: str, status: str) -> None:
    report = judged(f"- {{name: A, {GONE}, register: r}}\n- {{name: B, {ALIVE}, when: {when}}}", seen())

    assert {"A": "critical", "B": status} == statuses(report)


def test_what_needs_the_result_of_a_check_that_was_skipped_is_skipped() -> None:
    later = "- {name: B, process: {name: '{{ r.observed.count }}'}}"
    text = f"- {{name: A, {ALIVE}, register: r, when: false}}\n{later}"

    assert statuses(judged(text, seen())) == {"A": "skipped", "B": "skipped"}


def test_a_result_that_makes_no_argument_is_unknown_and_says_why() -> None:
    text = f"- {{name: A, {ALIVE}, register: r}}\n- {{name: B, port: {{port: '{{{{ r.message }}}}'}}}}"
    report = judged(text, seen())

    assert statuses(report)["B"] == "unknown"
    assert messages(report)["B"].startswith("it cannot be judged by the result of a: port: expected a whole number")


def test_so_is_one_that_lacks_what_is_asked_of_it() -> None:
    text = f"- {{name: A, {ALIVE}, register: r}}\n- {{name: B, port: {{port: '{{{{ r.observed.port }}}}'}}}}"

    assert (
        messages(judged(text, seen()))["B"]
        == "it cannot be judged by the result of a: the variable 'port' is not defined in r.observed"
    )


@pytest.mark.parametrize("source", ["file /a", NO_PACKAGE])
def test_what_cannot_be_judged_by_a_result_that_could_not_be_seen_is_blocked_by_it(source: str) -> None:
    asked = "process: {name: x, pidfile: /a}"
    text = f"- {{name: A, {asked}, register: r}}\n- {{name: B, port: {{port: '{{{{ r.observed.port }}}}'}}}}"
    report = judged(text, seen(files={"/a": Unobserved(source, "it is dark")}))

    assert statuses(report) == {"A": "unknown", "B": "blocked"}
    assert [result.causes for result in report.results] == [(source,), ("a",)]


def test_a_condition_over_a_result_that_is_no_condition_is_unknown() -> None:
    text = f"- {{name: A, {ALIVE}, register: r}}\n- {{name: B, {ALIVE}, when: r.status}}"
    report = judged(text, seen())

    assert statuses(report)["B"] == "unknown"
    assert "a condition is true or false, and this is the text 'ok'" in messages(report)["B"]


def test_what_a_node_says_is_not_taken_for_an_expression() -> None:
    evil = "{{ 7 * 7 }}"
    text = """
    - {name: A, process: {name: dockerd, state: R}, register: r}
    - {name: B, process: {name: '{{ r.message }}', count: 0}, when: r is failed}
    """
    report = judged(text, seen(processes=[process(name="dockerd"), process(101, evil)]))

    assert statuses(report)["B"] == "ok"


def test_a_loop_registers_its_results_in_order() -> None:
    text = """
    - {name: A, process: {name: "{{ item }}"}, loop: [dockerd, nobody], register: r}
    - name: B
      process: {name: dockerd, count: 1}
      when: [r.status == 'critical', "r.results[0] is ok", "r.results[1] is failed"]
    """
    assert statuses(judged(text, seen()))["B"] == "ok"


def test_a_check_that_is_asked_for_brings_along_what_it_is_written_with() -> None:
    text = (
        f"- {{name: A, {ALIVE}, register: r}}\n- {{name: B, {ALIVE}, when: r is ok, tags: t}}\n- {{name: C, {ALIVE}}}"
    )

    assert statuses(judged(text, seen(), tags="t")) == {"A": "ok", "B": "ok"}


# ---- until, retries


class Changing(Node):
    """A node on which a process comes to life at the nth look."""

    def __init__(self, comes_at: int) -> None:
        still = node(processes=[])
        super().__init__(facts=still.facts, groups=still.groups)
        self.observed = still.observed
        self.comes_at = comes_at
        self.looks = 0

    def observe(self, wants: Iterable[Want], deadline: float, collector: Collector | None) -> None:
        """Look once more."""
        self.looks += 1
        if self.looks >= self.comes_at:
            self.observed = node(processes=[process()]).observed


@pytest.mark.parametrize(
    ("keywords", "comes_at", "status", "attempts"),
    [
        ("retries: 2, delay: 0", 3, "ok", 3),
        ("retries: 2, delay: 0", 4, "critical", 3),
        ("retries: 2, delay: 0", 1, "ok", 1),
        ("retries: 0", 2, "critical", 1),
        ("until: result is ok, delay: 0", 4, "ok", 4),
        ("until: result is ok, delay: 0", 5, "critical", 4),
        ("until: result.observed.count == 1, delay: 0, retries: 5", 5, "ok", 5),
        ("until: r is ok, register: r, delay: 0", 2, "ok", 2),
        ("until: [true, result is ok], delay: 0", 2, "ok", 2),
        ("retries: 3, delay: 0, severity: info", 9, "info", 4),
    ],
)
def test_a_check_is_looked_at_again_until_it_is_as_wanted(
    keywords: str, comes_at: int, status: str, attempts: int
) -> None:
    (found,) = judged(f"- {{name: A, {ALIVE}, {keywords}}}", Changing(comes_at)).results

    assert (status, attempts) == (str(found.status), found.attempts)


def test_a_check_that_is_ok_while_its_until_never_comes_true_is_not_ok() -> None:
    (found,) = judged(
        f"- {{name: A, {ALIVE}, until: result.observed.count == 2, retries: 1, delay: 0}}", seen()
    ).results

    assert (
        found.status,
        found.message,
    ) == (Status.CRITICAL, "after 1 attempt there is still not result.observed.count == 2")


def test_an_until_that_cannot_be_told_says_so() -> None:
    (found,) = judged(f"- {{name: A, {ALIVE}, until: result.observed.age == 2, retries: 1, delay: 0}}", seen()).results

    assert found.status is Status.UNKNOWN
    assert found.message.startswith("whether result.observed.age == 2 could not be told: ")


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("resullt is ok", "did you mean result"),
        ("result is", "is not an expression"),
        ("r is ok", "'r' is not defined"),
    ],
)
def test_a_mistake_in_an_until_is_found_before_the_run(until: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        entries(f"- {{name: A, {ALIVE}, until: {until}}}")


def test_others_do_not_wait_for_a_check_that_is_looked_at_again() -> None:
    changing = Changing(3)
    report = judged(f"- {{name: A, {ALIVE}, retries: 5, delay: 0.05}}\n- {{name: B, {GONE}}}", changing)

    assert ([result.attempts for result in report.results], changing.looks) == ([3, 1], 3)


def test_a_check_whose_cause_is_known_is_not_looked_at_again() -> None:
    report = judged(f"- {{name: A, {GONE}}}\n- {{name: B, {GONE}, needs: A, retries: 100, delay: 1h}}", seen())

    assert list(statuses(report).values()) == ["critical", "blocked"]


def test_no_retry_outlasts_the_budget() -> None:
    started = time.monotonic()
    report = judged(f"- {{name: A, {GONE}, retries: 1000, delay: 0.1}}", Changing(99999), budget=1.0)

    assert time.monotonic() - started < 1
    assert statuses(report)["A"] == "critical"
    assert "times only: the run has no time for another attempt" in messages(report)["A"]


def test_a_delay_that_the_budget_does_not_allow_is_not_waited_for() -> None:
    started = time.monotonic()
    judged(f"- {{name: A, {GONE}, retries: 3, delay: 1h}}", seen())

    assert time.monotonic() - started < 1


def test_what_waits_for_a_check_that_is_looked_at_again_gets_its_last_result() -> None:
    again = f"- {{name: A, {ALIVE}, retries: 3, delay: 0, register: r}}"
    text = f"{again}\n- {{name: B, {ALIVE}, when: [r is ok, r.attempts == 3]}}"

    assert statuses(judged(text, Changing(3))) == {"A": "ok", "B": "ok"}


# ---- warn and severity


@pytest.mark.parametrize(
    ("keywords", "count", "status"),
    [
        ("process: {name: sh, count: '< 5'}, warn: {count: '< 3'}", 2, "ok"),
        ("process: {name: sh, count: '< 5'}, warn: {count: '< 3'}", 4, "warning"),
        ("process: {name: sh, count: '< 5'}, warn: {count: '< 3'}", 5, "critical"),
        ("process: {name: sh, count: '< 5'}, warn: {threads: '< 2'}", 1, "warning"),
        ("process: {name: sh, count: '< 5'}, warn: {count: '< 3'}, severity: warning", 5, "warning"),
        ("process: {name: sh, count: '< 5'}, warn: {count: '< 3'}, severity: info", 4, "info"),
        ("process: {name: sh, count: '< 5'}, warn: {count: '< 3'}, severity: info", 5, "info"),
    ],
)
def test_where_only_the_milder_expectations_are_broken_it_is_a_warning(keywords: str, count: int, status: str) -> None:
    processes = [process(100 + number, "sh", threads=2) for number in range(count)]
    (found,) = judged(f"- {{name: A, {keywords}}}", seen(processes=processes)).results

    assert status == found.status


def test_the_milder_expectation_is_the_one_that_is_told() -> None:
    report = judged(
        "- {name: A, process: {name: sh, threads: '< 9'}, warn: {threads: '< 2'}}",
        seen(processes=[process(1, "sh", threads=1), process(2, "sh", threads=4), process(3, "sh", threads=10)]),
    )

    told = [
        (finding.expected, str(finding.status))
        for finding in report.results[0].findings
        if finding.property == "threads"
    ]
    assert told == [("< 9", "ok"), ("< 2", "warning"), ("< 9", "critical")]


def test_a_window_that_is_dark_is_unknown_for_both() -> None:
    report = judged(
        "- {name: A, process: {name: sh}, warn: {count: '>= 2'}}", seen(processes=dark("no /proc", "processes"))
    )

    assert statuses(report) == {"A": "unknown"}
    assert [finding.message for finding in report.results[0].findings] == ["no /proc"]


@pytest.mark.parametrize(
    ("warn", "said"),
    [
        ("warn: {name: x}", "name of process says what is looked at, and warn takes expectations only"),
        ("warn: {cuont: 1}", r"process has no argument 'cuont'\n.*\n.*\n  did you mean count"),
        ("warn: {count: x}", "count: expected a number"),
        ("warn: {}", "warn is a mapping of milder expectations, not an empty one"),
        ("warn: '< 3'", "warn is a mapping of milder expectations, not text"),
    ],
)
def test_a_warn_that_is_wrong_is_a_mistake(warn: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        entries(f"- {{name: A, process: {{name: sh}}, {warn}}}")


def test_info_blocks_nobody_and_ends_with_0() -> None:
    report = judged(f"- {{name: A, {GONE}, severity: info}}\n- {{name: B, {ALIVE}, needs: A}}", seen())

    assert (statuses(report), report.exit_code) == ({"A": "info", "B": "ok"}, 0)


# ---- waive, for


@pytest.mark.parametrize(
    ("until", "check", "status", "said"),
    [
        ("2999-12-31", GONE, "skipped", "waived until 2999-12-31 (ticket 5); else critical: nobody is not running"),
        (
            "2020-01-01",
            GONE,
            "critical",
            "nobody is not running; it was waived until 2020-01-01 (ticket 5), and that is over",
        ),
        ("2999-12-31", ALIVE, "ok", "1 of dockerd alive (pid 100)"),
        ("2020-01-01", ALIVE, "ok", "1 of dockerd alive (pid 100)"),
    ],
)
def test_a_waived_check_is_skipped_until_its_waiver_has_run_out(until: str, check: str, status: str, said: str) -> None:
    report = judged(f"- {{name: A, {check}, waive: {{until: {until}, reason: ticket 5}}}}", seen())

    assert ({"A": status}, {"A": said}) == (statuses(report), messages(report))


@pytest.mark.parametrize(
    ("today", "status"), [("2026-12-30", "skipped"), ("2026-12-31", "skipped"), ("2027-01-01", "critical")]
)
def test_the_last_day_of_a_waiver_is_one_of_its_days(today: str, status: str) -> None:
    waiver = Waiver("2026-12-31", "x", Mark("x.yaml", 1, 1))

    assert status == waive(result("A", Status.CRITICAL), waiver, today).status


def test_what_needs_a_waived_check_that_fails_is_blocked_and_raises_nothing() -> None:
    text = f"- {{name: A, {GONE}, waive: {{until: 2999-12-31, reason: x}}}}\n- {{name: B, {GONE}, needs: A}}"
    report = judged(text, seen())

    assert (statuses(report), report.exit_code) == ({"A": "skipped", "B": "blocked"}, 0)


@pytest.mark.parametrize(
    ("waive", "said"),
    [
        ("{until: 2026-13-01, reason: x}", "until is a day such as 2026-12-31, not '2026-13-01'"),
        ("{until: tomorrow, reason: x}", "until is a day"),
        ("{until: 20261231, reason: x}", "until is a day"),
        ("{until: 2026-12-31}", "waive says until when, and why"),
        ("{until: 2026-12-31, reason: ''}", "reason is a text, not an empty one"),
        ("{until: 2026-12-31, reason: x, by: me}", "waive has no keyword 'by'"),
        ("2026-12-31", "waive says until when, and why"),
        ("\"{{ {'until': '2026-12-31', 'reason': 'x', 'by': 'me'} }}\"", "waive has no keyword 'by'"),
    ],
)
def test_a_waiver_that_is_wrong_is_a_mistake(waive: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        entries(f"- {{name: A, {GONE}, waive: {waive}}}")


@pytest.mark.parametrize(("check", "told"), [(GONE, 1), (ALIVE, 0)])
def test_without_memory_a_for_is_not_kept_and_the_report_says_so(check: str, told: int) -> None:
    report = judged(f"- {{name: A, {check}, for: 3 runs}}", seen())

    assert told == len([problem for problem in report.problems if "so these count at once: a" in problem])


@pytest.mark.parametrize("hold", ["3", "0 runs", "3 times", "''", "three runs", "99999 runs"])
def test_a_for_that_is_neither_runs_nor_a_time_is_a_mistake(hold: str) -> None:
    with pytest.raises(DefinitionError, match="for is a"):
        entries(f"- {{name: A, {GONE}, for: {hold}}}")


# ---- found by a reviewer


def test_a_check_comes_after_the_one_it_needs_that_is_looked_at_again() -> None:
    text = f"- {{name: A, {ALIVE}, retries: 3, delay: 0}}\n- {{name: B, {ALIVE}, needs: A}}"
    assert statuses(judged(text, Changing(3))) == {"A": "ok", "B": "ok"}


def test_when_time_is_up_before_an_until_came_true_that_is_unknown() -> None:
    text = f"- {{name: A, {ALIVE}, until: result.message == 'never', retries: 9, delay: 0.3}}"
    report = judged(text, Changing(1), budget=1.0)
    expected = "whether result.message == 'never' could not be told: the run has no time for another attempt"
    assert (statuses(report), messages(report)) == ({"A": "unknown"}, {"A": expected})


def test_when_time_is_up_what_was_seen_before_counts() -> None:
    report = judged(f"- {{name: A, {GONE}, retries: 1000, delay: 0}}", Changing(99999), budget=1.0)
    assert statuses(report) == {"A": "critical"}


def test_a_chain_that_has_no_time_left_is_unknown_and_nothing_is_looked_at() -> None:
    class Slow(Changing):
        def observe(self, wants: Iterable[Want], deadline: float, collector: Collector | None) -> None:
            time.sleep(0.3)
            super().observe(wants, deadline, collector)

    node = Slow(1)
    text = "\n".join(f"- {{name: c{n}, {ALIVE}, register: r{n}, when: r{n - 1} is ok}}" for n in range(1, 20))
    started = time.monotonic()
    report = judged(f"- {{name: c0, {ALIVE}, register: r0}}\n{text}", node, budget=1.0)
    assert time.monotonic() - started < 1.5
    assert node.looks < 5
    assert messages(report)["c19"] == "the run had no time left to look"
    assert (report.partial, report.results[19].deadline, report.results[0].deadline) == (True, "run", "")


@pytest.mark.parametrize(
    ("late", "timeout", "deadline"), [(True, "5s", "check"), (True, "1m", "run"), (False, "5s", "")]
)
def test_a_look_that_was_cut_short_says_by_which_deadline(late: bool, timeout: str, deadline: str) -> None:
    unseen = Unobserved("processes", "it took too long", late=late)
    report = judged(f"- {{name: A, {GONE}, timeout: {timeout}}}", node(processes=unseen), budget=30.0)

    assert (("unknown", deadline), deadline == "run") == (
        (report.results[0].status, report.results[0].deadline),
        report.partial,
    )


@pytest.mark.parametrize(
    ("timeout", "message"),
    [("1s", "it took too long"), ("1m", "it took too long: the run's budget of 30s was used up")],
)
def test_a_look_that_the_budget_cut_short_says_so(timeout: str, message: str) -> None:
    live = Changing(99999)
    live.observed = node(processes=Unobserved("processes", "it took too long", late=True)).observed
    report = judged(f"- {{name: A, {GONE}, timeout: {timeout}}}", live, budget=30.0)
    assert messages(report) == {"A": message}


def test_a_skipped_check_is_not_looked_at_again() -> None:
    started = time.monotonic()
    judged(f"- {{name: A, {ALIVE}, when: false, until: result is ok, delay: 2}}", Changing(1))
    assert time.monotonic() - started < 1


def test_an_until_is_asked_also_where_there_are_no_retries() -> None:
    (found,) = judged(f"- {{name: A, {ALIVE}, until: result.observed.count == 2, retries: 0}}", Changing(1)).results
    assert found.status is Status.CRITICAL


def test_an_until_over_another_result_waits_for_it() -> None:
    text = f"- {{name: A, {ALIVE}, register: other, tags: o}}\n- {{name: B, {ALIVE}, until: other is ok, tags: mine}}"
    assert statuses(judged(text, Changing(1), tags="mine")) == {"A": "ok", "B": "ok"}


def test_a_recorded_node_is_not_waited_for() -> None:
    started = time.monotonic()
    judged(f"- {{name: A, {GONE}, retries: 3, delay: 5}}", seen())
    assert time.monotonic() - started < 1


def test_what_only_warn_looks_at_and_cannot_see_is_unknown() -> None:
    hidden = node(processes=[process()], complete=False)
    report = judged("- {name: A, process: {name: dockerd}, warn: {count: '<= 50'}}", hidden)
    assert statuses(report) == {"A": "unknown"}


def test_a_milder_state_is_told_of_the_process_that_it_is_about() -> None:
    processes = [process(1, "sh", state="D", still_for=9), process(2, "sh", state="Z"), process(3, "sh")]
    text = "- {name: A, process: {name: sh, state: '!= Z'}, warn: {state: '!= D'}}"
    report = judged(text, seen(processes=processes))
    told = {
        (finding.observed, str(finding.status)) for finding in report.results[0].findings if finding.property == "state"
    }
    assert told == {("zombie", "critical"), ("uninterruptible", "warning")}


def test_a_variable_that_nothing_uses_spoils_no_check() -> None:
    text = f"""
    - {{name: A, {ALIVE}, register: a}}
    - when: a is ok
      vars: {{unused: "{{{{ facts.nosuch }}}}"}}
      block: [{{name: B, {ALIVE}}}]
    """
    assert statuses(judged(text, seen())) == {"A": "ok", "B": "ok"}


# ---- one cause, one finding: watchers

DARK: dict[str, Any] = {"units": dark("no bus", broken=True), "manager": dark("no bus", broken=True)}


def test_a_watcher_that_needs_what_its_window_hides_is_the_cause() -> None:
    text = """
    - {name: dbus, unit: {name: dbus.service}}
    - {name: S, system: {}, needs: dbus}
    - {name: docker, unit: {name: docker.service}}
    """
    report = judged(text, seen(**DARK))
    assert statuses(report) == {"dbus": "blocked", "S": "critical", "docker": "blocked"}
    assert {result.causes for result in report.results if result.status is Status.BLOCKED} == {("s",)}


def test_what_a_watcher_is_blocked_by_is_the_cause_of_all_that_it_watches() -> None:
    text = f"- {{name: A, {GONE}}}\n- {{name: S, system: {{}}, needs: A}}\n- {{name: u, unit: {{name: a.service}}}}"
    report = judged(text, seen(**DARK))
    assert {result.name: result.causes for result in report.results if result.status is Status.BLOCKED} == {
        "S": ("a",), "u": ("a",)
    }  # fmt: skip


def test_a_watcher_that_is_waived_hides_nothing() -> None:
    text = "- {name: S, system: {}, waive: {until: 2999-12-31, reason: x}}\n- {name: u, unit: {name: a.service}}"
    report = judged(text, seen(**DARK))
    assert (statuses(report), report.exit_code) == ({"S": "skipped", "u": "unknown"}, 3)


def test_a_watcher_that_is_only_degraded_darkens_nothing() -> None:
    manager = {"SystemState": "degraded", "Version": "252", "failed": ["z.service"], "jobs": []}
    text = "- {name: S, system: {}}\n- {name: u, unit: {name: a.service, scope: user}}"
    made = seen(manager=manager)
    made.observed.units["user"] = dark("no session bus")
    assert statuses(judged(text, made)) == {"S": "warning", "u": "unknown"}


def test_a_chain_of_many_needs_is_folded() -> None:
    text = "\n".join(f"- {{name: c{n}, {ALIVE}, needs: c{n + 1}}}" for n in range(2000))
    report = judged(f"{text}\n- {{name: c2000, {GONE}}}", seen())
    assert report.summary() | {"ok": 0} == {
        "ok": 0, "warning": 0, "critical": 1, "unknown": 0, "blocked": 2000, "skipped": 0, "info": 0
    }  # fmt: skip


def test_an_until_looks_at_the_results_that_it_names_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def noted(result: Result) -> dict[str, Any]:
        asked.append(result.id)
        return as_variable(result)

    monkeypatch.setattr("nodecheck.engine.rounds.as_variable", noted)
    others = "".join(f"- {{name: o{n}, {ALIVE}}}\n" for n in range(20))
    text = f"- {{name: A, {ALIVE}, register: a}}\n- {{name: B, {ALIVE}, until: result is ok and a is ok}}\n{others}"
    assert {"ok"} == set(statuses(judged(text, seen())).values())
    assert set(asked) == {"a", "b"}


# ---- what may act


class Noting(Node):
    """A node that notes which programs it was asked to run."""

    def __init__(self) -> None:
        still = node(processes=[process()])
        super().__init__(facts=still.facts, groups=still.groups)
        self.observed = still.observed
        self.programs: list[list[str]] = []

    def observe(self, wants: Iterable[Want], deadline: float, collector: Collector | None) -> None:
        """Run nothing."""
        self.programs.append([want.words[0] for want in wants if isinstance(want, CommandWant)])


@pytest.mark.parametrize(
    ("first", "second", "programs"),
    [
        (ALIVE, ALIVE, [[], ["true"]]),
        (GONE, ALIVE, [[]]),
        (ALIVE, GONE, [[]]),
        (f"{GONE}, severity: info", ALIVE, [[], ["true"]]),
        (f"{GONE}, severity: warning", ALIVE, [[]]),
        (WARNS, ALIVE, [[], ["true"]]),
        (WARNS, GONE, [[]]),
    ],
)
def test_a_program_is_run_after_all_that_it_needs_and_only_when_that_is_well(
    first: str, second: str, programs: list[list[str]]
) -> None:
    noting = Noting()
    checks = (
        f"- {{name: A, {first}}}\n- {{name: B, {second}, needs: A}}\n- {{name: C, command: {{run: 'true'}}, needs: B}}"
    )
    report = judged(checks, noting)
    assert noting.programs == programs
    assert statuses(report)["C"] == "blocked" or programs != [[]]


def test_a_program_that_needs_nothing_is_run_with_the_first_looks() -> None:
    noting = Noting()
    judged(f"- {{name: A, {GONE}}}\n- {{name: B, command: {{run: 'true'}}}}", noting)
    assert noting.programs == [["true"]]
