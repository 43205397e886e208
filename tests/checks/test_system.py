from __future__ import annotations

from typing import Any

import fakes
import pytest
from fakes import dark, judge, make, node, service, status_of, told

from nodecheck.report.result import Status

OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN


def _manager(state: str = "running", **fields: Any) -> dict[str, Any]:
    return {"SystemState": state, "Version": "252", "NJobs": 0, "failed": [], "jobs": []} | fields


def test_a_system_is_expected_to_run() -> None:
    for state in ("running", "degraded", "starting", "maintenance", "brand-new"):
        for failed in ([], ["a.service"]):
            seen = node(manager=_manager(state, failed=failed), units=[])
            finding = judge(make("system"), seen)[-1]
            assert ("state", "running", state) == (finding.property, finding.expected, finding.observed)


@pytest.mark.parametrize(
    ("state", "uptime", "status"),
    [
        ("initializing", 599.9, WARNING),
        ("starting", 600.0, CRITICAL),
        ("running", 599.0, OK),
        ("stopping", 5.0, CRITICAL),
    ],
)
def test_a_boot_may_take_ten_minutes(state: str, uptime: float, status: Status) -> None:
    seen = node(manager=_manager(state))
    seen.observed.clocks = seen.observed.clocks | {"boottime": uptime}

    assert status is status_of(make("system"), seen)


def test_of_five_failed_units_all_are_named() -> None:
    seen = node(manager=_manager("degraded", failed=list("abcde")), units=[])
    assert told(make("system"), seen).endswith(": 5 failed units: a, b, c, d, e")


def test_a_state_that_systemd_does_not_have_is_a_mistake() -> None:
    assert [mistake[0] for mistake in make("system", state="runing").mistakes()] == ["state"]


JOBS = [["a.device", "start", "running"], ["b.service", "start", "waiting"]]


@pytest.mark.parametrize(
    ("manager", "uptime", "status", "message"),
    [
        (_manager(), 7200.0, OK, "systemd 252 says running, 2h after boot"),
        (
            _manager("degraded", failed=["a.service"]),
            7200.0,
            WARNING,
            "systemd 252 says degraded, 2h after boot: 1 failed unit: a.service",
        ),
        (
            _manager("degraded", failed=[f"{name}.service" for name in "gfedcba"]),
            7200.0,
            WARNING,
            (
                "systemd 252 says degraded, 2h after boot: 7 failed units: "
                "a.service, b.service, c.service, d.service, e.service and 2 more"
            ),
        ),
        (
            _manager("degraded", failed=["x.service"]),
            7200.0,
            OK,
            "systemd 252 says degraded, 2h after boot, by units that have a check of their own",
        ),
        (
            _manager("starting", jobs=JOBS),
            30.0,
            WARNING,
            "systemd 252 says starting, 30s after boot: the boot has not ended yet; waiting: a.device, b.service",
        ),
        (
            _manager("starting", jobs=JOBS),
            7200.0,
            CRITICAL,
            "systemd 252 says starting, 2h after boot: the boot does not end; waiting: a.device, b.service",
        ),
        (
            _manager("initializing"),
            7200.0,
            CRITICAL,
            "systemd 252 says initializing, 2h after boot: the boot does not end",
        ),
        (_manager("maintenance"), 7200.0, CRITICAL, "systemd 252 says maintenance, 2h after boot"),
        (_manager("stopping"), 7200.0, CRITICAL, "systemd 252 says stopping, 2h after boot"),
        (
            _manager("brand-new"),
            7200.0,
            UNKNOWN,
            "systemd 252 says brand-new, 2h after boot, a state that this nodecheck does not know",
        ),
    ],
)
def test_what_systemd_says_of_itself_is_judged(
    manager: dict[str, Any], uptime: float, status: Status, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fakes, "UPTIME", uptime)
    (finding,) = judge(make("system"), node(manager=manager, units=[service("x.service")]))
    assert (status, message) == (finding.status, finding.message)


def test_a_systemd_too_old_to_tell_its_state_is_unknown() -> None:
    manager: dict[str, Any] = {"failed": [], "jobs": []}
    assert status_of(make("system"), node(manager=manager)) is UNKNOWN


@pytest.mark.parametrize(
    ("arguments", "manager", "status"),
    [
        ({"state": "running"}, _manager(), OK),
        ({"state": "running"}, _manager("degraded"), CRITICAL),
        ({"state": ["running", "degraded"]}, _manager("degraded"), OK),
        ({"failed": 0}, _manager(), OK),
        ({"state": "degraded", "failed": "< 2"}, _manager("degraded", failed=["a", "b"]), CRITICAL),
        ({"jobs": "< 5"}, _manager(NJobs=4), OK),
        ({"jobs": "< 5"}, _manager(NJobs=5), CRITICAL),
        ({"uptime": "> 10m"}, _manager(), OK),
        ({"uptime": "< 1h"}, _manager(), CRITICAL),
    ],
)
def test_explicit_expectations_are_judged(arguments: dict[str, Any], manager: dict[str, Any], status: Status) -> None:
    assert status == status_of(make("system", **arguments), node(manager=manager))


def test_a_number_that_this_systemd_does_not_tell_is_unknown() -> None:
    manager = {"SystemState": "running", "failed": [], "jobs": []}
    assert status_of(make("system", jobs="< 5"), node(manager=manager)) is UNKNOWN


def test_a_systemd_that_does_not_answer_is_told_with_its_reason() -> None:
    assert told(make("system"), node(manager=dark("PID 1 does not answer"))) == "PID 1 does not answer"


def test_a_failed_unit_is_not_counted_among_the_judged_where_no_unit_could_be_seen() -> None:
    seen = node(manager=_manager("degraded", failed=["a.service"]))
    assert status_of(make("system"), seen) is WARNING


@pytest.mark.parametrize(
    ("state", "status"), [("failed", OK), ("inactive", OK), ("active", WARNING)], ids=["failed", "idle", "running"]
)
def test_a_socket_that_failed_with_its_service_is_that_services_finding(state: str, status: Status) -> None:
    units = [service("x.service", ActiveState=state, TriggeredBy=["x.socket"])]
    seen = node(manager=_manager("degraded", failed=["x.socket"]), units=units)
    assert status_of(make("system"), seen) is status


def test_a_bus_that_is_dead_is_the_finding_where_systemd_answers_without_it() -> None:
    bus = {"reason": "nobody listens on the socket of the system bus: dbus-daemon is dead", "remedy": "look"}
    [found, well] = judge(make("system"), node(manager=_manager(bus=bus)))
    assert (found.property, found.status, found.remedy, well.status) == ("bus", CRITICAL, "look", OK)
    assert found.message == f"{bus['reason']}; systemd answers by its private socket"
