from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from fakes import dark, node, process, report, result, service

from nodecheck.definitions.sources import read_definitions
from nodecheck.engine.clock import Clock
from nodecheck.engine.plan import Selection, make_plan
from nodecheck.engine.run import run
from nodecheck.node.unobserved import NO_PACKAGE, NO_PERMISSION
from nodecheck.report.result import EXIT_CODES, Report, Status, worst

if TYPE_CHECKING:
    import pathlib

    from nodecheck.node.node import Node

OK, WARNING, CRITICAL, UNKNOWN, BLOCKED = (
    Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN, Status.BLOCKED,
)  # fmt: skip
MANAGER = {"SystemState": "running", "Version": "252", "NJobs": 0, "failed": [], "jobs": []}
FAILED = {"ActiveState": "failed", "SubState": "failed"}


def check(name: str, **more: Any) -> dict[str, Any]:
    """A check of the unit with its own name."""
    return {"name": name, "unit": {"name": f"{name}.service"}} | more


# It works, and only what `warn` expects of it does not hold.
WARNS: dict[str, Any] = {"name": "A", "process": {"name": "dockerd", "count": ">= 1"}, "warn": {"count": ">= 2"}}
SYSTEM: dict[str, Any] = {"name": "systemd answers", "system": {}}


@pytest.fixture
def run_checks(tmp_path: pathlib.Path) -> Any:
    """Return a function that runs checks, as a definition file would hold them, on a node."""

    def run_them(seen: Node, *checks: dict[str, Any]) -> Report:
        file = tmp_path / "checks.yaml"
        file.write_text(yaml.safe_dump([{"name": "Play", "hosts": "all", "checks": list(checks)}]))
        definitions = read_definitions([str(file)], {}, {})
        plan = make_plan(definitions.plays, {"all"}, Selection())
        return run(plan, definitions, seen, Clock(time.monotonic(), 30.0), None)

    return run_them


def _statuses(of: Report) -> dict[str, Status]:
    return {found.name: found.status for found in of.results}


def _causes(of: Report) -> dict[str, tuple[str, ...]]:
    return {found.name: found.causes for found in of.results if found.causes}


def _node(*failed: str, names: str = "abcd", **windows: Any) -> Node:
    units = [service(f"{name}.service", **(FAILED if name in failed else {})) for name in names]
    return node(**({"units": units, "manager": MANAGER, "processes": [process()]} | windows))


# ---- one cause, one finding


def test_an_error_of_a_check_type_costs_its_own_verdict_only(run_checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: Any) -> None:
        raise KeyError("MainPID")

    monkeypatch.setattr("nodecheck.checks.process.Process.judge", crash)
    process = {"name": "P", "process": {"name": "sshd"}}
    report = run_checks(_node(), process, {"name": "U", "unit": {"name": "a.service"}})
    assert _statuses(report) == {"P": Status.UNKNOWN, "U": Status.OK}
    said = "an error in nodecheck itself, please report it: KeyError: 'MainPID' ("
    assert report.results[0].message.startswith(said)


def test_what_needs_a_check_that_is_not_ok_is_blocked_by_it(run_checks: Any) -> None:
    made = run_checks(_node("a"), check("a"), check("b", needs="a"))
    assert (_statuses(made), _causes(made)) == ({"a": CRITICAL, "b": BLOCKED}, {"b": ("a",)})


def test_a_chain_is_blocked_by_its_root_and_not_by_the_links(run_checks: Any) -> None:
    made = run_checks(_node("a"), check("a"), check("b", needs="a"), check("c", needs="b"), check("d", needs=["c"]))
    assert _causes(made) == {"b": ("a",), "c": ("a",), "d": ("a",)}


def test_a_link_that_is_not_ok_itself_is_still_blocked_by_the_root(run_checks: Any) -> None:
    made = run_checks(_node("a", "b"), check("a"), check("b", needs="a"), check("c", needs="b"))
    assert _statuses(made) == {"a": CRITICAL, "b": BLOCKED, "c": BLOCKED}


def test_two_roots_are_both_named_and_each_once(run_checks: Any) -> None:
    chain = (check("a"), check("b"), check("c", needs=["a", "b"]), check("d", needs=["c", "a"]))
    made = run_checks(_node("a", "b"), *chain)
    assert _causes(made) == {"c": ("a", "b"), "d": ("a", "b")}


def test_the_order_in_the_file_does_not_count(run_checks: Any) -> None:
    made = run_checks(_node("a"), check("c", needs="b"), check("b", needs="a"), check("a"))
    assert _causes(made) == {"c": ("a",), "b": ("a",)}


def test_what_is_needed_and_well_blocks_nothing(run_checks: Any) -> None:
    made = run_checks(_node("b"), check("a"), check("b", needs="a"))
    assert (_statuses(made), _causes(made)) == ({"a": OK, "b": CRITICAL}, {})


def test_a_root_of_severity_warning_is_a_warning_and_blocks_all_the_same(run_checks: Any) -> None:
    made = run_checks(_node("a", "c"), check("a", severity="warning"), check("b", needs="a"), check("c", needs="a"))
    assert (_statuses(made), made.exit_code) == ({"a": WARNING, "b": BLOCKED, "c": BLOCKED}, 1)


def test_what_is_no_worse_than_a_warning_of_something_that_works_follows_from_it(run_checks: Any) -> None:
    chain = [check("b", needs="A", severity="warning"), check("c", needs="b", severity="warning")]
    made = run_checks(_node("b", "c"), WARNS, *chain)
    assert (_statuses(made), made.exit_code) == ({"A": WARNING, "b": BLOCKED, "c": BLOCKED}, 1)
    assert _causes(made) == {"b": ("a",), "c": ("a",)}


def test_what_is_well_in_spite_of_such_a_warning_is_well(run_checks: Any) -> None:
    made = run_checks(_node(), WARNS, check("b", needs="A"))
    assert (_statuses(made), made.exit_code) == ({"A": WARNING, "b": OK}, 1)


def test_what_is_critical_is_no_consequence_of_such_a_warning(run_checks: Any) -> None:
    made = run_checks(_node("b", "c"), WARNS, check("b", needs="A"), check("c", needs="b"))
    assert (_statuses(made), made.exit_code) == ({"A": WARNING, "b": CRITICAL, "c": BLOCKED}, 2)
    assert _causes(made) == {"c": ("b",)}


def test_of_such_a_warning_and_of_what_is_worse_both_are_named(run_checks: Any) -> None:
    made = run_checks(_node("b", "c"), WARNS, check("b"), check("c", needs=["A", "b"]))
    assert (_statuses(made), _causes(made)) == ({"A": WARNING, "b": CRITICAL, "c": BLOCKED}, {"c": ("a", "b")})


# What nodecheck has no package for, or no permission, to look at.
LACKS: dict[str, Any] = {"name": "A", "process": {"name": "x", "pidfile": "/a"}}


@pytest.mark.parametrize("lacking", [NO_PACKAGE, NO_PERMISSION])
def test_what_nodecheck_lacks_here_hides_no_fault_of_the_node(run_checks: Any, lacking: str) -> None:
    seen = _node("b", files={"/a": dark("no means to look", lacking)})
    made = run_checks(seen, LACKS, check("b", needs="A"), check("c", needs="b"), check("d", needs="A"))
    assert _statuses(made) == {"A": UNKNOWN, "b": CRITICAL, "c": BLOCKED, "d": OK}
    assert _causes(made) == {"A": (lacking,), "c": ("b",)}
    assert made.exit_code == 2


def test_what_lacks_the_same_means_is_one_finding(run_checks: Any) -> None:
    seen = _node(files={"/a": dark("no means to look", NO_PACKAGE), "/b": dark("no means to look", NO_PACKAGE)})
    same = {"name": "B", "process": {"name": "x", "pidfile": "/b"}, "needs": "A"}
    made = run_checks(seen, LACKS, same, check("c", needs="B"))
    assert _statuses(made) == {"A": UNKNOWN, "B": BLOCKED, "c": OK}


def test_what_could_not_be_seen_below_what_nodecheck_lacks_blocks_as_ever(run_checks: Any) -> None:
    seen = _node("c", files={"/a": dark("no means to look", NO_PACKAGE), "/b": dark("no such disk", "file /b")})
    other = {"name": "B", "process": {"name": "x", "pidfile": "/b"}, "needs": "A"}
    made = run_checks(seen, LACKS, other, check("c", needs="B"))
    assert _statuses(made) == {"A": UNKNOWN, "B": UNKNOWN, "c": BLOCKED}
    assert _causes(made)["c"] == ("b",)


def test_what_is_not_known_yet_is_no_lack_and_blocks_all_that_needs_it(run_checks: Any) -> None:
    restarted = service("a.service", NRestarts=7)
    seen = node(units=[restarted], processes=[process()], files={"/b": dark("no such disk", "file /b")})
    young = {"name": "A", "unit": {"name": "a.service", "restarts": "< 3 in 1h"}}
    made = run_checks(seen, young, {"name": "B", "process": {"name": "x", "pidfile": "/b"}, "needs": "A"})
    assert _statuses(made) == {"A": UNKNOWN, "B": BLOCKED}


def test_a_program_that_needs_what_nodecheck_lacks_is_not_run_and_no_second_finding(run_checks: Any) -> None:
    lacks = {"/a": dark("no means to look", NO_PACKAGE), "/b": dark("no means to look", NO_PERMISSION)}
    other = {"name": "B", "process": {"name": "x", "pidfile": "/b"}}
    well = check("c", needs=["A", "B"])
    made = run_checks(_node(files=lacks), LACKS, other, well, {"name": "P", "command": {"run": "true"}, "needs": "c"})
    assert _statuses(made) == {"A": UNKNOWN, "B": UNKNOWN, "c": OK, "P": BLOCKED}
    assert _causes(made)["P"] == ("a", "b")


def test_a_root_that_could_not_be_seen_blocks_too(run_checks: Any) -> None:
    made = run_checks(_node("c", names="bc"), check("a"), check("b", needs="a"), check("c", needs="a"))
    assert (_statuses(made), made.exit_code) == ({"a": UNKNOWN, "b": BLOCKED, "c": BLOCKED}, 3)


def test_what_is_blocked_raises_nothing_of_its_own(run_checks: Any) -> None:
    made = run_checks(_node("a", "b"), check("a"), check("b", needs="a", remedy="look"))
    blocked = made.results[1]
    assert (blocked.findings, blocked.since, blocked.remedy) == ((), None, "")
    assert "a" in blocked.message


# ---- a window that is dark


def test_when_systemd_is_dark_that_is_the_one_finding(run_checks: Any) -> None:
    seen = _node(units=dark(broken=True), manager=dark("PID 1 does not answer", broken=True))
    made = run_checks(seen, SYSTEM, check("a"), check("b", needs="a"))
    assert _statuses(made) == {"systemd answers": CRITICAL, "a": BLOCKED, "b": BLOCKED}
    assert _causes(made) == {"systemd answers": ("systemd",), "a": ("systemd-answers",), "b": ("systemd-answers",)}


def test_where_we_could_not_look_at_systemd_that_is_unknown_and_blocks(run_checks: Any) -> None:
    made = run_checks(_node(units=dark(), manager=dark("pydbus cannot be loaded")), check("a"), SYSTEM)
    assert (_statuses(made), made.exit_code) == ({"a": BLOCKED, "systemd answers": UNKNOWN}, 3)


def test_without_a_system_check_unit_checks_are_unknown_by_the_same_cause(run_checks: Any) -> None:
    made = run_checks(_node(units=dark(broken=True)), check("a"), check("b"))
    assert _statuses(made) == {"a": UNKNOWN, "b": UNKNOWN}
    assert _causes(made) == {"a": ("systemd",), "b": ("systemd",)}


def test_a_systemd_that_is_degraded_blocks_no_unit(run_checks: Any) -> None:
    manager = MANAGER | {"SystemState": "degraded", "failed": ["z.service"]}
    made = run_checks(_node(manager=manager), SYSTEM, check("a"))
    assert _statuses(made) == {"systemd answers": WARNING, "a": OK}


def test_what_does_not_need_systemd_is_judged_without_it(run_checks: Any) -> None:
    alive = {"name": "dockerd lives", "process": {"name": "dockerd"}}
    made = run_checks(_node(units=dark(), manager=dark()), SYSTEM, alive, check("a"))
    assert _statuses(made)["dockerd lives"] is OK


# ---- one check


def test_what_was_seen_before_a_window_was_found_dark_is_kept(run_checks: Any) -> None:
    main = {"name": "m", "process": {"name": "dockerd", "unit": "dockerd.service", "main": True}}
    (found,) = run_checks(_node(units=dark("no bus")), main).results
    assert [(finding.property, finding.status) for finding in found.findings] == [("count", OK), ("process", UNKNOWN)]
    assert found.message == "no bus"


def test_a_critical_finding_outweighs_one_that_is_unknown(run_checks: Any) -> None:
    asked = {"name": "a.service", "memory": "< 1GiB"}
    (found,) = run_checks(_node("a"), {"name": "a", "unit": asked}).results
    assert ({finding.status for finding in found.findings}, found.status) == ({CRITICAL, UNKNOWN}, CRITICAL)


def test_the_message_tells_all_that_is_not_ok_and_nothing_else(run_checks: Any) -> None:
    asked = {"name": "a.service", "enabled": True, "restarts": "< 3", "tasks": "< 9"}
    units = [service("a.service", NRestarts=4, UnitFileState="disabled", TasksCurrent=1)]
    (found,) = run_checks(_node(units=units), {"name": "a", "unit": asked}).results
    assert found.message == "a.service is not enabled (disabled); restarts of a.service is 4, expected < 3"


def test_a_result_says_where_its_check_stands_and_since_when(run_checks: Any) -> None:
    units = [service("a.service", **FAILED, StateChangeTimestamp=1_763_960_000_000_000)]
    (found,) = run_checks(_node(units=units), check("a", tags=["x", "b"], remedy="look")).results
    assert (found.id, found.play, found.type, found.since) == ("a", "Play", "unit", 1_763_960_000.0)
    assert (found.tags, found.remedy, found.severity) == (("b", "x"), "look", "critical")
    assert found.source.endswith("checks.yaml:2")


# ---- the run


def test_a_report_counts_its_results(run_checks: Any) -> None:
    made = run_checks(_node("a", names="abc"), check("a"), check("b", needs="a"), check("c"), check("d"))
    expected = {"ok": 1, "warning": 0, "critical": 1, "unknown": 1, "blocked": 1, "skipped": 0, "info": 0}
    assert (made.summary(), made.status, made.exit_code) == (expected, CRITICAL, 2)


def test_the_problems_of_the_run_itself_are_told(run_checks: Any) -> None:
    seen = _node()
    seen.problems.append("a helper was left behind")
    assert run_checks(seen, check("a")).problems == ("a helper was left behind",)


@pytest.mark.parametrize(
    ("statuses", "exit_code"),
    [
        ([], 0), ([OK], 0), ([OK, Status.SKIPPED], 0), ([BLOCKED, OK], 0), ([WARNING, OK], 1), ([CRITICAL, OK], 2),
        ([UNKNOWN, OK], 3), ([UNKNOWN, CRITICAL], 2), ([UNKNOWN, WARNING], 3), ([WARNING, CRITICAL, UNKNOWN], 2),
        ([BLOCKED, WARNING], 1),
    ],
)  # fmt: skip
def test_the_exit_code_is_that_of_the_worst(statuses: list[Status], exit_code: int) -> None:
    results = [result(f"check {number}", status) for number, status in enumerate(statuses)]
    assert (exit_code, exit_code) == (report(*results).exit_code, EXIT_CODES[worst(statuses)])


@pytest.mark.parametrize(
    ("budget", "timeout", "most"), [(30.0, 5.0, 5.0), (30.0, 60.0, 29.5), (1.0, 5.0, 0.5), (0.4, 5.0, 0.2)]
)
def test_a_deadline_is_never_later_than_the_budget_allows(budget: float, timeout: float, most: float) -> None:
    now = time.monotonic()
    assert Clock(now, budget).deadline(timeout) - now == pytest.approx(most, abs=0.1)


@pytest.mark.parametrize(
    ("budget", "timeout", "seconds"), [(30, 5, 5), (30, 30, 29.2), (30, 45, 29.2), (30, 90, 90), (1, 30, 30)]
)
def test_a_look_may_wait_a_little_less_where_the_run_ends_about_then(
    budget: float, timeout: float, seconds: float
) -> None:
    assert Clock(time.monotonic(), budget).patience(timeout) == pytest.approx(seconds, abs=0.15)
