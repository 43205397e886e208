from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, judge, make, node, service, status_of, statuses, told

from nodecheck.checks.clock import SOURCES
from nodecheck.node.node import Node, UnitWant
from nodecheck.node.windows.clock import ClockWant
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
WELL = {"synchronised": True, "offset": 0.002, "maximum_error": 0.25, "estimated_error": 0.01}
UNSYNCHRONISED: dict[str, Any] = {"synchronised": False, "maximum_error": 16.0, "estimated_error": 16.0}


def _seen(*active: str, aliases: dict[str, str] | None = None, **changed: Any) -> Node:
    units = {name: service(name, ActiveState="inactive") for name in SOURCES}
    units |= {name: service(name) for name in active}
    units |= {alias: units[name] for alias, name in (aliases or {}).items()}
    made = node(units=[], aliases=units)
    made.observed.windows = {"clock": {"adjtimex(2)": WELL | changed}}
    return made


@pytest.mark.parametrize(
    ("arguments", "changed", "status"),
    [
        ({}, {}, OK),
        ({}, UNSYNCHRONISED, CRITICAL),
        ({"synchronised": True}, UNSYNCHRONISED, CRITICAL),
        ({"synchronised": False}, UNSYNCHRONISED, OK),
        ({"synchronised": False}, {}, CRITICAL),
        ({"maximum_error": "< 1s"}, {}, OK),
        ({"maximum_error": "< 1s"}, {"synchronised": False}, OK),  # what is expected is judged, and nothing else
        ({"maximum_error": "< 1s"}, UNSYNCHRONISED, CRITICAL),
        ({"estimated_error": "< 10ms"}, {}, CRITICAL),
        ({"offset": "< 1ms"}, {}, CRITICAL),
        ({"offset": "< 10ms"}, {}, OK),
    ],
)
def test_what_the_kernel_says_is_judged(arguments: dict[str, Any], changed: dict[str, Any], status: Status) -> None:
    assert status is status_of(make("clock", **arguments), _seen(**changed))


@pytest.mark.parametrize(
    ("active", "source", "status", "message"),
    [
        (["chrony.service"], "chrony", OK, "chrony keeps the clock"),
        (["chronyd.service"], "chrony", OK, "chrony keeps the clock"),
        (["ntpd.service"], ["chrony", "ntp"], OK, "ntp keeps the clock"),
        (["ntp.service"], "ntp", OK, "ntp keeps the clock"),
        (["systemd-timesyncd.service"], "chrony", CRITICAL, "timesyncd keeps the clock, expected chrony"),
        ([], "chrony", CRITICAL, "no service that keeps the clock is active, expected chrony"),
        ([], "none", OK, "no service that keeps the clock is active"),
        (["openntpd.service"], "!= none", OK, "openntpd keeps the clock"),
        (
            ["chrony.service", "systemd-timesyncd.service"],
            "chrony",
            CRITICAL,
            "2 services set the clock at once: chrony, timesyncd",
        ),
    ],
)
def test_exactly_one_service_keeps_it(active: list[str], source: Any, status: Status, message: str) -> None:
    (finding,) = judge(make("clock", source=source), _seen(*active))

    assert (status, message) == (finding.status, finding.message)


def test_a_service_that_reads_its_configuration_again_keeps_the_clock_meanwhile() -> None:
    seen = _seen()
    units: Any = seen.observed.units["system"]
    units["chrony.service"]["ActiveState"] = "reloading"

    assert told(make("clock", source="chrony"), seen) == "chrony keeps the clock"


def test_systemd_is_asked_only_for_the_source() -> None:
    assert list(make("clock").wants()) == [ClockWant()]
    assert [ClockWant(), *(UnitWant(name, ("ActiveState",)) for name in SOURCES)] == list(
        make("clock", source="chrony").wants()
    )


@pytest.mark.parametrize(
    ("wanted", "changed", "remedy"),
    [
        (True, UNSYNCHRONISED, "chronyc tracking, or timedatectl timesync-status"),
        (True, {}, ""),
        (False, UNSYNCHRONISED, ""),
        (False, {}, ""),
    ],
)
def test_a_clock_that_nobody_keeps_comes_with_where_to_look(wanted: bool, changed: dict[str, Any], remedy: str) -> None:
    (finding,) = judge(make("clock", synchronised=wanted), _seen(**changed))

    assert remedy == finding.remedy


def test_a_service_with_aliases_is_one() -> None:
    seen = _seen("ntpsec.service", aliases={"ntp.service": "ntpsec.service", "ntpd.service": "ntpsec.service"})

    assert told(make("clock", source="ntpsec"), seen) == "ntpsec keeps the clock"


def test_a_service_that_runs_proves_nothing() -> None:
    check = make("clock", synchronised=True, source="chrony")

    expected = {"synchronised": CRITICAL, "source": OK}
    assert expected == statuses(check, _seen("chrony.service", **UNSYNCHRONISED))


def test_where_systemd_does_not_answer_the_kernel_still_does() -> None:
    seen = _seen()
    seen.observed.units = {"system": dark("PID 1 does not answer")}
    check = make("clock", synchronised=True, source="chrony")

    assert [finding.status for finding in judge(check, seen)] == [OK, UNKNOWN]
    assert status_of(make("clock"), seen) is OK


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "the clock is synchronised, its error is 0.2s at most"),
        (UNSYNCHRONISED, "the clock is not synchronised: nobody has corrected it for hours, or since boot"),
        (
            {"synchronised": False},
            (
                "the kernel takes the clock for unsynchronised (STA_UNSYNC), although its error is 0.2s at most: "
                "chrony without rtcsync leaves it so"
            ),
        ),
    ],
)
def test_the_message_tells_what_the_kernel_thinks(changed: dict[str, Any], message: str) -> None:
    assert message == told(make("clock"), _seen(**changed))
