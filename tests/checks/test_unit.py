from __future__ import annotations

from typing import Any

import pytest
from fakes import ago, ago_realtime, dark, judge, judge_odd, make, node, process, service, status_of, statuses, told
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.checks import _unit_health as health
from nodecheck.node.counters import Sample
from nodecheck.node.node import CounterWant, Node, UnitWant
from nodecheck.node.units import TYPE_PROPERTIES, UNIT_PROPERTIES
from nodecheck.report.result import Status

OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN
NOT_COUNTED = 2**64 - 1
IDLE = {"ActiveState": "inactive", "SubState": "dead"}
FAILED: dict[str, Any] = {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainStatus": 1}
RESTARTING = {"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code"}
MASKED = {"LoadState": "masked", "UnitFileState": "masked"}
LOST = "x.service has failed: main process"
ABSENT = {**IDLE, "LoadState": "not-found", "UnitFileState": ""}


def _of(properties: dict[str, Any], name: str = "x.service") -> Node:
    return node(units=[service(name, **properties)])


# ---- what the messages say


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {**RESTARTING, "ExecMainStatus": 255, "NRestarts": 481, "RestartUSec": 10_000_000},
            "x.service is restarting every 10 s: exit code 255, 481 restarts",
        ),
        (
            {**RESTARTING, "ExecMainStatus": 203, "NRestarts": 1, "RestartUSec": 100_000},
            ("x.service is restarting every 0.1 s: exit code 203 "
            "(EXEC: the program is missing or cannot be executed), 1 restart"),
        ),
        ({**FAILED, "ExecMainStatus": 217}, "x.service has failed: exit code 217 (USER: no such user)"),
        ({**FAILED, "Result": "signal", "ExecMainStatus": 9}, f"{LOST} killed by SIGKILL"),
        ({**FAILED, "Result": "signal", "ExecMainStatus": 99}, f"{LOST} killed by signal 99"),
        ({**FAILED, "Result": "core-dump", "ExecMainStatus": 11}, f"{LOST} dumped core on SIGSEGV"),
        ({**FAILED, "Result": "oom-kill"}, "x.service has failed: the kernel killed it: out of memory"),
        (
            {**FAILED, "Result": "exit-code", "ExecMainStatus": 0},
            "a command beside its main process failed (exit-code): ExecStartPre=, ExecStartPost= or another one",
        ),
        ({**FAILED, "Result": "watchdog"}, "x.service has failed: the watchdog got no sign of life in time"),
        ({**FAILED, "Result": "timeout"}, "x.service has failed: a start or stop took longer than its timeout"),
        ({**FAILED, "Result": "start-limit-hit"}, "x.service has failed: started too often in a short time"),
        ({**FAILED, "Result": "resources"}, "x.service has failed: systemd could not get what it needs to start it"),
        (
            {**FAILED, "Result": "protocol"},
            "x.service has failed: it did not keep to its Type= (no READY=1, no PID file)",
        ),
        ({**FAILED, "Result": "exec-condition"}, "x.service has failed: ExecCondition= said no"),
        ({**FAILED, "Result": "", "NRestarts": 4}, "x.service has failed: it ended, after 4 restarts"),
        ({**RESTARTING, "ExecMainStatus": None, "RestartUSec": 0}, "restarting: exit code 0, not restarted yet"),
        (
            {**RESTARTING, "ExecMainStatus": 7, "NRestarts": None, "RestartUSec": NOT_COUNTED},
            "code 7, restarts not counted by this systemd",
        ),
        ({**FAILED, "Result": "new-in-260"}, "x.service has failed: result new-in-260"),
        ({**FAILED, "Result": "success"}, "x.service has failed: it ended"),
        (
            {"ActiveState": "activating", "SubState": "start", "InactiveExitTimestampMonotonic": ago(1980),
             "StatusText": "waiting for etcd"},
            "x.service does not get ready: it is starting for 33m, at start (waiting for etcd)",
        ),
        ({"NRestarts": 5}, "x.service is active (running), 5 restarts"),
        (IDLE, "x.service is not running (enabled, so it was stopped or never started)"),
        (
            {**IDLE, "UnitFileState": "disabled"},
            "x.service is not running (disabled: it does not start at boot by itself)",
        ),
        ({**IDLE, **MASKED}, "x.service is masked: nothing can start it"),
        (ABSENT, "x.service does not exist here"),
        (
            {**IDLE, "LoadState": "bad-setting", "LoadError": ("BadUnitSetting", "no ExecStart=")},
            "the unit file of x.service cannot be used: no ExecStart=",
        ),
        (
            {"NeedDaemonReload": True},
            "x.service is active (running) (its unit file was changed: systemctl daemon-reload)",
        ),
    ],
)  # fmt: skip
def test_a_message_says_the_rule_in_plain_words(properties: dict[str, Any], message: str) -> None:
    assert told(make("unit", name="x.service"), _of(properties)).endswith(message)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        # systemd's src/shared/exit-status.h
        (200, "CHDIR"), (203, "EXEC"), (208, "STDIN"), (209, "STDOUT"), (214, "SETSCHEDULER"), (216, "GROUP"),
        (217, "USER"), (218, "CAPABILITIES"), (226, "NAMESPACE"), (228, "SECCOMP"), (233, "RUNTIME_DIRECTORY"),
        (238, "STATE_DIRECTORY"), (239, "CACHE_DIRECTORY"), (240, "LOGS_DIRECTORY"), (241, "CONFIGURATION_DIRECTORY"),
        (243, "CREDENTIALS"),
    ],
)  # fmt: skip
def test_what_systemd_itself_exits_with_is_named(status: int, name: str) -> None:
    said = told(make("unit", name="x.service"), _of({**FAILED, "ExecMainStatus": status}))

    assert said.startswith(f"x.service has failed: exit code {status} ({name}")


SOCKET = {"Triggers": {"x.socket": {"Id": "x.socket", "ActiveState": "active"}}}
ENDED = {"ExecMainExitTimestampMonotonic": ago(12), "ActiveExitTimestampMonotonic": ago(12)}
STARTING = {"ActiveState": "activating", "SubState": "start"}
STOPPING = {"ActiveState": "deactivating", "SubState": "stop"}
RELOADING = {"ActiveState": "reloading", "SubState": "reload"}
REFRESHING = {"ActiveState": "refreshing", "SubState": "refresh"}
UNTIMED = {"StateChangeTimestampMonotonic": None, "InactiveExitTimestampMonotonic": None}


@pytest.mark.parametrize(
    ("properties", "rule"),
    [
        ({**RELOADING, "LoadState": "not-found"}, "file-gone"),
        ({**REFRESHING, "LoadState": "masked"}, "masked-running"),
        ({"LoadState": "error"}, "bad-unit-file"),
        ({"LoadState": "merged"}, "active"),
        # the time that systemd did not tell is the shortest there is
        ({**STARTING, **UNTIMED}, "starting"),
        ({**STOPPING, **UNTIMED}, "stopping"),
        ({**STARTING, "InactiveExitTimestampMonotonic": None, "StateChangeTimestampMonotonic": ago(119)}, "starting"),
        ({**STARTING, "InactiveExitTimestampMonotonic": None}, "stuck-starting"),
        ({**STARTING, "InactiveExitTimestampMonotonic": ago(119)}, "starting"),
        ({**STARTING, "InactiveExitTimestampMonotonic": ago(120)}, "stuck-starting"),
        ({**STOPPING, "StateChangeTimestampMonotonic": ago(120)}, "stuck-stopping"),
        ({**RELOADING, "StateChangeTimestampMonotonic": ago(120)}, "stuck-reloading"),
        ({"NRestarts": 3, "ActiveEnterTimestampMonotonic": ago(59)}, "flapping"),
        ({"NRestarts": 2, "ActiveEnterTimestampMonotonic": ago(59)}, "active"),
        ({"NRestarts": 3, "ActiveEnterTimestampMonotonic": ago(60)}, "active"),
        ({"NRestarts": 3, "ActiveEnterTimestampMonotonic": None}, "active"),
        ({**IDLE, "ConditionResult": False, "ConditionTimestampMonotonic": 0}, "not-running"),
        ({**IDLE, "Type": "oneshot", "RemainAfterExit": True}, "not-running"),
        ({**IDLE, **SOCKET, **ENDED}, "on-demand"),
        ({**IDLE, **SOCKET, **ENDED, "UnitFileState": "enabled-runtime", "Restart": "always"}, "not-running"),
        ({**IDLE, **SOCKET, **ENDED, "Restart": "always"}, "not-running"),
        ({**IDLE, **SOCKET, **ENDED, "Result": "exit-code"}, "not-running"),
        ({**IDLE, **SOCKET, "ExecMainExitTimestampMonotonic": None}, "not-running"),
        ({**IDLE, **SOCKET, **ENDED, "ActiveExitTimestampMonotonic": None}, "not-running"),
    ],
)
def test_the_rule_follows_from_the_properties(properties: dict[str, Any], rule: str) -> None:
    known = {name: value for name, value in service(**properties).items() if value is not None}
    (finding,) = judge(make("unit", name="x.service"), node(units=[known]))

    assert rule == finding.rule


def test_a_time_that_systemd_did_not_tell_is_none() -> None:
    known = {name: value for name, value in service(**STOPPING).items() if name != "StateChangeTimestampMonotonic"}

    assert told(make("unit", name="x.service"), node(units=[known])) == "x.service is stopping for 0ms, at stop"


def test_the_time_since_when_is_left_out_where_systemd_does_not_tell_it() -> None:
    known = {name: value for name, value in service(**FAILED).items() if name != "StateChangeTimestamp"}
    found = [judge(make("unit", name="x.service"), made)[0] for made in (node(units=[known]), _of({}))]

    assert [None, ago_realtime(3600) / 1e6] == [finding.since for finding in found]


def test_the_time_since_when_is_that_of_the_last_change() -> None:
    (finding,) = judge(make("unit", name="x.service"), _of({**FAILED, "StateChangeTimestamp": 1_763_960_000_000_000}))
    assert finding.since == 1_763_960_000.0


# ---- healthy or another state


@pytest.mark.parametrize(
    ("state", "properties", "status"),
    [
        ("running", {}, OK),
        ("active", {}, OK),
        ("exited", {}, CRITICAL),
        ("inactive", IDLE, OK),
        ("dead", IDLE, OK),
        ("failed", FAILED, OK),
        ("!= failed", FAILED, CRITICAL),
        ("masked", {**IDLE, **MASKED}, OK),
        ("masked", IDLE, CRITICAL),
        ("absent", ABSENT, OK),
        ("absent", {}, CRITICAL),
        ("inactive", ABSENT, CRITICAL),
        ("listening", {"SubState": "listening"}, OK),
        ("absent", {"LoadState": "not-found"}, OK),
        ("running", {"LoadState": "not-found"}, OK),
        ("bad-setting", {"LoadState": "bad-setting"}, OK),
        ("!= loaded", {}, OK),
        ("!= merged", {"LoadState": "merged"}, OK),
        ("waiting", {"SubState": "waiting"}, OK),
        (["running", "inactive"], IDLE, OK),
        ("/^(running|exited)$/", {"SubState": "exited"}, OK),
        (["healthy", "absent"], ABSENT, OK),
        (["healthy", "absent"], FAILED, CRITICAL),
        (["healthy", "inactive"], IDLE, OK),
        ("healthy", {}, OK),
        ("a-word-of-systemd-300", {"SubState": "a-word-of-systemd-300"}, OK),
    ],
)
def test_a_state_that_is_asked_for_is_compared_with_all_words_of_the_state(
    state: Any, properties: dict[str, Any], status: Status
) -> None:
    assert status == status_of(make("unit", name="x.service", state=state), _of(properties))


def test_a_state_that_is_asked_for_is_observed_as_systemd_says_it() -> None:
    found = [judge(make("unit", name="x.service", state=state), _of({}))[0] for state in ("running", "failed")]

    assert [(finding.expected, finding.observed, finding.message, finding.rule) for finding in found] == [
        ("running", "active running", "x.service is active running", ""),
        ("failed", "active running", "x.service is active running, expected failed", ""),
    ]


@pytest.mark.parametrize("state", ["!= healthy", {"not": "healthy"}, ["active", {"not": ["healthy"]}]])
def test_not_healthy_is_no_state_that_could_be_asked_for(state: Any) -> None:
    (mistake,) = make("unit", name="x.service", state=state).mistakes()
    assert mistake[0] == "state"


@pytest.mark.parametrize("state", ["!= failed", {"not": "failed"}, "healthy", ["healthy", "absent"]])
def test_any_other_state_is_one_that_could_be_asked_for(state: Any) -> None:
    assert list(make("unit", name="x.service", state=state).mistakes()) == []


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        ({"state": "runing"}, ("state", "'runing' is no state of a unit", "did you mean running?")),
        ({"state": "started"}, ("state", "'started' is no state of a unit", "did you mean running?")),
        ({"result": "sucess"}, ("result", "'sucess' is no result of a unit", "did you mean success?")),
    ],
)
def test_a_word_that_systemd_does_not_have_is_a_mistake(
    arguments: dict[str, str], mistake: tuple[str, str, str]
) -> None:
    assert [mistake] == list(make("unit", name="x.service", **arguments).mistakes())


@pytest.mark.parametrize("name", ["ActiveState", "LoadState"])
def test_a_state_of_a_newer_systemd_is_unknown(name: str) -> None:
    check = make("unit", name="x.service")
    (finding,) = judge(check, _of({name: "brand-new"}))
    assert (finding.status, finding.rule) == (UNKNOWN, "unrecognised")


# ---- flags


@pytest.mark.parametrize(
    ("file_state", "enabled"),
    [
        ("enabled", True), ("enabled-runtime", True), ("static", True), ("indirect", True), ("generated", True),
        ("transient", False), ("alias", True), ("disabled", False), ("masked", False), ("masked-runtime", False),
        ("linked", False), ("linked-runtime", False), ("bad", False), ("", False), ("new-in-260", False),
    ],
)  # fmt: skip
def test_enabled_means_what_systemctl_is_enabled_means(file_state: str, enabled: bool) -> None:
    check = make("unit", name="x.service", enabled=True)
    assert (OK if enabled else CRITICAL) == statuses(check, _of({"UnitFileState": file_state}))["enabled"]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({**IDLE, **MASKED}, {"state": OK, "masked": OK}),
        (MASKED, {"state": WARNING, "masked": OK}),
        ({}, {"state": OK, "masked": CRITICAL}),
    ],
)
def test_a_unit_that_is_to_be_masked_is_well_when_it_is(
    properties: dict[str, Any], expected: dict[str, Status]
) -> None:
    assert expected == statuses(make("unit", name="x.service", masked=True), _of(properties))


def test_what_is_masked_can_be_started_again_by_what_is_said() -> None:
    masked = _of({**IDLE, **MASKED})
    mends = "systemctl unmask x.service; systemctl start x.service"
    assert judge(make("unit", name="x.service"), masked)[0].remedy == mends
    assert judge(make("unit", name="x.service", masked=True), masked)[0].remedy == ""


@pytest.mark.parametrize(
    ("argument", "properties", "status"),
    [
        ({"masked": False}, {}, OK),
        ({"reload_needed": False}, {"NeedDaemonReload": False}, OK),
        ({"reload_needed": False}, {"NeedDaemonReload": True}, CRITICAL),
        ({"reload_needed": False}, {"NeedDaemonReload": None}, UNKNOWN),
        ({"enabled": True}, {"UnitFileState": None}, UNKNOWN),
        ({"enabled": False}, {"UnitFileState": "disabled"}, OK),
        ({"restarts": "< 3"}, {"NRestarts": 2}, OK),
        ({"restarts": "< 3"}, {"NRestarts": 3}, CRITICAL),
        ({"restarts": "< 3"}, {"NRestarts": None}, UNKNOWN),
        ({"uptime": "> 10m"}, {}, OK),
        ({"uptime": "> 10m"}, {"ActiveEnterTimestampMonotonic": ago(60)}, CRITICAL),
        ({"uptime": "> 10m"}, {"ActiveEnterTimestampMonotonic": None}, UNKNOWN),
        ({"uptime": "> 10m"}, RELOADING, OK),
        ({"uptime": "> 10m"}, REFRESHING, OK),
        ({"uptime": "< 1s"}, IDLE, OK),
        ({"memory": "< 1GiB"}, {"MemoryCurrent": 5}, OK),
        ({"memory": "< 1GiB"}, {"MemoryCurrent": 1 << 30}, CRITICAL),
        ({"memory": "< 1GiB"}, {"MemoryCurrent": NOT_COUNTED}, UNKNOWN),
        ({"memory": "< 1GiB"}, {"MemoryCurrent": None}, UNKNOWN),
        ({"tasks": "< 10"}, {"TasksCurrent": 9}, OK),
        ({"tasks": "< 10"}, {"TasksCurrent": NOT_COUNTED}, UNKNOWN),
        ({"result": "success"}, {}, OK),
        ({"result": "success"}, {"Result": "oom-kill"}, CRITICAL),
        ({"result": "success"}, {"Result": None}, UNKNOWN),
    ],
)
def test_a_property_is_judged_and_unknown_where_this_systemd_does_not_have_it(
    argument: dict[str, Any], properties: dict[str, Any], status: Status
) -> None:
    known = {name: value for name, value in service(**properties).items() if value is not None}
    (name,) = argument
    assert status == statuses(make("unit", name="x.service", **argument), node(units=[known]))[name]


@pytest.mark.parametrize(
    ("argument", "properties", "message"),
    [
        ({"enabled": True}, {"UnitFileState": "disabled"}, "x.service is not enabled (disabled)"),
        ({"enabled": True}, {"UnitFileState": ""}, "x.service is not enabled (no unit file state)"),
        ({"reload_needed": False}, {"NeedDaemonReload": True}, "x.service is reload needed (file changed)"),
        ({"reload_needed": True}, {}, "x.service is not reload needed (file not changed)"),
    ],
)
def test_the_message_of_a_flag_says_what_systemd_says(
    argument: dict[str, bool], properties: dict[str, Any], message: str
) -> None:
    assert message == judge(make("unit", name="x.service", **argument), _of(properties))[-1].message


RECENT = {"ActiveEnterTimestampMonotonic": ago(60)}
SINCE_AN_HOUR = {"restarts of x.service": [Sample(3600, 7), Sample(60, 7)]}


@pytest.mark.parametrize(
    ("properties", "counters", "status"),
    [
        ({"NRestarts": 7, **RECENT}, SINCE_AN_HOUR, OK),
        ({"NRestarts": 9, **RECENT}, SINCE_AN_HOUR, CRITICAL),
        ({"NRestarts": 9, **RECENT}, {}, UNKNOWN),
        ({"NRestarts": 9, "ActiveEnterTimestampMonotonic": None}, {}, UNKNOWN),
        ({"NRestarts": 9, "ActiveEnterTimestampMonotonic": ago(3601)}, {}, OK),  # not restarted within the time
        ({"NRestarts": 9, **RELOADING, "ActiveEnterTimestampMonotonic": ago(3601)}, {}, OK),
        ({"NRestarts": 9, **REFRESHING, "ActiveEnterTimestampMonotonic": ago(3601)}, {}, OK),
        ({"NRestarts": 9, **IDLE, "ActiveEnterTimestampMonotonic": ago(3601)}, {}, UNKNOWN),
        ({"NRestarts": 9, "ActiveEnterTimestampMonotonic": ago(3600)}, {}, UNKNOWN),
        ({"NRestarts": None}, SINCE_AN_HOUR, UNKNOWN),
    ],
)
def test_restarts_within_a_time_are_judged_by_what_is_remembered(
    properties: dict[str, Any], counters: dict[str, list[Sample]], status: Status
) -> None:
    known = {name: value for name, value in service(**properties).items() if value is not None}
    seen = node(units=[known])
    seen.observed.counters = counters

    assert status == statuses(make("unit", name="x.service", restarts="< 1 in 1h"), seen)["restarts"]


def test_who_has_run_for_longer_than_the_time_was_restarted_0_times_within_it() -> None:
    check = make("unit", name="x.service", restarts="< 1 in 10m")

    assert judge(check, _of({"NRestarts": 9}))[-1].observed == 0


@pytest.mark.parametrize(
    ("arguments", "restarts", "counters"),
    [
        ({"restarts": "< 3 in 1h"}, 7, [(CounterWant("restarts of x.service", 3600.0), 7)]),
        ({"restarts": "< 3 in 1h", "scope": "user"}, 7, [(CounterWant("restarts of user x.service", 3600.0), 7)]),
        ({"restarts": "< 3 in 1h"}, None, []),
        ({"restarts": "< 3"}, 7, []),
        ({}, 7, []),
    ],
)
def test_restarts_are_remembered_where_those_within_a_time_are_wanted(
    arguments: dict[str, Any], restarts: int | None, counters: list[Any]
) -> None:
    unit = service(NRestarts=restarts)
    check = make("unit", name="x.service", **arguments)

    assert counters == list(check.counters(node(units=[unit])))


@pytest.mark.parametrize(("scope", "unit"), [("system", "x.service"), ("user", "")])
def test_the_journal_of_the_host_has_what_happened_to_a_unit_of_the_host(scope: str, unit: str) -> None:
    assert unit == make("unit", name="x.service", scope=scope).concerns()


def test_a_unit_that_is_absent_has_no_other_property() -> None:
    check = make("unit", name="x.service", enabled=True, restarts="< 3", memory="< 1GiB", main_process="dockerd")
    assert statuses(check, _of(ABSENT)) == {"state": CRITICAL}


# ---- timers


@pytest.mark.parametrize(
    ("properties", "status", "message"),
    [
        ({"LastTriggerUSec": ago_realtime(3600)}, OK, "time since the last trigger of x.timer is 1h"),
        (
            {"LastTriggerUSec": ago_realtime(90000)},
            CRITICAL,
            "time since the last trigger of x.timer is 25h, expected < 25h",
        ),
        (
            {"LastTriggerUSec": 0, "ActiveEnterTimestampMonotonic": ago(100000)},
            CRITICAL,
            "x.timer has not fired since it was started",
        ),
        (
            {"LastTriggerUSec": 0, "ActiveEnterTimestampMonotonic": ago(3600)},
            UNKNOWN,
            "x.timer has not fired since it was started 1h ago, and when it did before is not kept",
        ),
        ({}, UNKNOWN, "the time since the last trigger of x.timer could not be seen"),
    ],
)
def test_a_timer_says_when_it_last_fired(properties: dict[str, Any], status: Status, message: str) -> None:
    seen = _of({"SubState": "waiting", **properties}, "x.timer")
    finding = judge(make("unit", name="x.timer", last_trigger="< 25h"), seen)[-1]
    assert (status, message) == (finding.status, finding.message)


# ---- the main process


def _running(*processes: Any, complete: bool = True, **properties: Any) -> Node:
    return node(units=[service(**properties)], processes=processes, complete=complete)


@pytest.mark.parametrize(
    ("seen", "status", "message"),
    [
        (_running(process()), OK, "the main process of x.service is dockerd (pid 100)"),
        (
            _running(process(name="bash")),
            CRITICAL,
            "the main process of x.service is bash (pid 100), expected dockerd",
        ),
        (_running(process(name="dockerd-current", exe="/usr/bin/dockerd")), OK, "dockerd-current (pid 100)"),
        (_running(process(name="dockerd-current", exe=None)), UNKNOWN, "the executable of dockerd-current (pid 100)"),
        (_running(process(state="Z")), CRITICAL, "the main process of x.service is a zombie (pid 100)"),
        (_running(), CRITICAL, "the main process of x.service is not there (pid 100)"),
        (_running(complete=False), UNKNOWN, "this user may not see the processes of others"),
        (_running(MainPID=0), CRITICAL, "x.service has no main process"),
        (_running(MainPID=None), UNKNOWN, "the main process of x.service could not be seen"),
        (node(units=[service()], processes=dark("/proc cannot be listed")), UNKNOWN, "/proc cannot be listed"),
    ],
)
def test_the_main_process_is_alive_and_has_the_name(seen: Node, status: Status, message: str) -> None:
    finding = judge(make("unit", name="x.service", main_process="dockerd"), seen)[-1]
    assert status == finding.status
    assert message in finding.message


@pytest.mark.parametrize(
    ("seen", "observed"),
    [(_running(process(state="Z")), "none"), (_running(MainPID=0), "none"), (_running(process()), "dockerd")],
)
def test_the_main_process_is_observed_by_its_name(seen: Node, observed: str) -> None:
    assert observed == judge(make("unit", name="x.service", main_process="dockerd"), seen)[-1].observed


def test_a_main_process_that_is_seen_is_judged_though_others_are_not() -> None:
    assert status_of(make("unit", name="x.service", main_process="dockerd"), _running(process(), complete=False)) is OK


def test_a_unit_that_is_not_active_has_no_main_process_to_judge() -> None:
    check = make("unit", name="x.service", main_process="dockerd")
    assert statuses(check, _of({**IDLE, "MainPID": 0})) == {"state": CRITICAL}


# ---- names


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("docker", "did you mean docker.service?"),
        ("docker.servce", "did you mean docker.servce.service?"),
        ("foo@.service", "name an instance: foo@NAME.service"),
        ("foo@1.2", "did you mean foo@1.2.service?"),
        ("foo.service@x", "did you mean foo.service@x.service?"),
        ("/var/lib/docker", "systemd-escape --path prints the name of its mount unit"),
        ("x y.service", "letters, digits and : _ . \\ @ - are allowed"),
    ],
)
def test_a_name_that_systemd_would_leave_out_is_a_mistake(name: str, hint: str) -> None:
    assert [("name", hint)] == [(mistake[0], mistake[2]) for mistake in make("unit", name=name).mistakes()]


@pytest.mark.parametrize(
    "name",
    ["docker.service", "foo@x.service", "getty@tty1.service", "dev-disk-by\\x2did.device", "-.mount", "a.b.timer"],
)
def test_a_full_name_is_fine(name: str) -> None:
    assert list(make("unit", name=name).mistakes()) == []


def test_an_alias_is_judged_as_the_unit_that_it_stands_for() -> None:
    seen = node(aliases={"sshd.service": service("ssh.service")})
    assert told(make("unit", name="sshd.service"), seen) == "ssh.service is active (running)"


def test_a_name_that_systemd_did_not_answer_for_is_unknown() -> None:
    seen = node(units=[service("other.service")])
    assert status_of(make("unit", name="x.service"), seen) is UNKNOWN


def test_a_timer_has_a_last_trigger_and_a_service_a_watchdog() -> None:
    assert list(make("unit", name="x.timer", last_trigger="< 1h").mistakes()) == []
    assert list(make("unit", name="x.service", watchdog="< 80%").mistakes()) == []


def test_only_a_timer_has_a_last_trigger() -> None:
    (mistake,) = make("unit", name="x.service", last_trigger="< 1h").mistakes()
    assert mistake[:2] == ("last_trigger", "only a timer has one")


# ---- what is asked for


def test_only_the_properties_that_are_asked_for_are_wanted() -> None:
    (want,) = make("unit", name="x.service", state="running", restarts="< 3").wants()
    assert want == UnitWant("x.service", ("NRestarts",), (), "system", judged=True)


def test_what_a_watchdog_and_the_health_of_a_unit_need_is_wanted() -> None:
    (want,) = make("unit", name="x.service", watchdog="< 80%").wants()
    always = ("WatchdogUSec", "WatchdogTimestampMonotonic", *health.ALWAYS)
    assert want == UnitWant("x.service", always, health.TROUBLED, "system", judged=True)


def test_a_unit_of_the_user_is_asked_of_the_manager_of_the_user() -> None:
    want = next(iter(make("unit", name="x.service", scope="user").wants()))
    assert isinstance(want, UnitWant)
    assert want.scope == "user"


def test_every_property_that_a_check_may_want_is_one_that_the_collector_knows() -> None:
    every = dict.fromkeys(("restarts", "tasks"), "< 3") | dict.fromkeys(("enabled", "masked", "reload_needed"), True)
    check = make("unit", name="x.timer", **every, uptime="> 1s", memory="< 1GiB", result="success", main_process="x",
                 last_trigger="< 1h")  # fmt: skip
    want = next(iter(check.wants()))
    assert isinstance(want, UnitWant)
    known = UNIT_PROPERTIES.union(*TYPE_PROPERTIES.values())
    assert set() == set(want.always + want.troubled) - known


# ---- whatever systemd says


VALUES = st.one_of(st.none(), st.booleans(), st.integers(0, 2**64 - 1), st.text(max_size=8))
TEXTS = {"UnitFileState", "Type", "Restart", "Result", "StatusText", "Job"}
NUMBERS = {name for name in health.TROUBLED if "Timestamp" in name} | {"NRestarts", "RestartUSec", "ExecMainStatus"}
ACTIVE_STATES = st.sampled_from(
    [
        "active",
        "reloading",
        "refreshing",
        "inactive",
        "failed",
        "activating",
        "deactivating",
        "maintenance",
        "brand-new",
    ]
)


@st.composite
def _units(draw: st.DrawFn, active: st.SearchStrategy[str] = ACTIVE_STATES) -> dict[str, Any]:
    """A unit as a systemd of any age may describe it: any property may be missing."""
    loads = ["loaded", "not-found", "masked", "bad-setting", "error", "merged", "stub", "brand-new"]
    drawn: dict[str, Any] = {"Id": "x.service", "SubState": draw(st.text(max_size=12))}
    drawn |= {"LoadState": draw(st.sampled_from(loads)), "ActiveState": draw(active)}
    for names, values in ((TEXTS, st.text(max_size=8)), (NUMBERS, st.integers(0, 2**64 - 1))):
        drawn |= {name: draw(values) for name in sorted(draw(st.sets(st.sampled_from(sorted(names)))))}
    for name in ("NeedDaemonReload", "RemainAfterExit", "ConditionResult"):
        drawn |= draw(st.sampled_from([{}, {name: True}, {name: False}]))
    return drawn


@given(_units())
def test_no_unit_however_odd_makes_the_judging_fail(unit: dict[str, Any]) -> None:
    check = make("unit", name="x.service", enabled=True, restarts="< 3", uptime="> 1s", memory="< 1GiB", tasks="< 9",
                 result="success", reload_needed=False)  # fmt: skip
    for finding in judge_odd(check, node(units=[unit])):
        assert finding.message


@given(_units(active=st.just("failed")))
def test_a_unit_that_has_failed_is_never_well(unit: dict[str, Any]) -> None:
    assert status_of(make("unit", name="x.service"), node(units=[unit])) in (CRITICAL, UNKNOWN)


# ---- the watchdog

MINUTE = 60_000_000  # in microseconds


@pytest.mark.parametrize(
    ("properties", "status", "message"),
    [
        (
            {"WatchdogUSec": MINUTE, "WatchdogTimestampMonotonic": ago(15)},
            OK,
            "time since the last sign of life, of WatchdogSec=, of x.service is 25.0%",
        ),
        (
            {"WatchdogUSec": MINUTE, "WatchdogTimestampMonotonic": ago(57)},
            CRITICAL,
            "time since the last sign of life, of WatchdogSec=, of x.service is 95.0%, expected < 80%",
        ),
        ({"WatchdogUSec": 0, "WatchdogTimestampMonotonic": 0}, OK, "x.service has no watchdog"),
        ({"WatchdogUSec": 2**64 - 1, "WatchdogTimestampMonotonic": ago(900)}, OK, "x.service has no watchdog"),
        (
            {"WatchdogUSec": MINUTE, "WatchdogTimestampMonotonic": 0},
            OK,
            "x.service has not told that it is alive yet",
        ),
        (
            {},
            UNKNOWN,
            "the time since the last sign of life, of WatchdogSec=, of x.service could not be seen",
        ),
        (
            {"WatchdogUSec": MINUTE},
            UNKNOWN,
            "the time since the last sign of life, of WatchdogSec=, of x.service could not be seen",
        ),
        (
            {"WatchdogTimestampMonotonic": ago(15)},
            UNKNOWN,
            "the time since the last sign of life, of WatchdogSec=, of x.service could not be seen",
        ),
    ],
)
def test_a_service_tells_its_watchdog_in_time_that_it_is_alive(
    properties: dict[str, Any], status: Status, message: str
) -> None:
    check = make("unit", name="x.service", state="active", watchdog="< 80%")

    assert (status, message) == (status_of(check, _of(properties)), told(check, _of(properties)).split("; ")[-1])


def test_a_service_that_does_not_run_is_late_with_nothing() -> None:
    check = make("unit", name="x.service", state="inactive", watchdog="< 80%")

    assert status_of(check, _of({**IDLE, "WatchdogUSec": MINUTE, "WatchdogTimestampMonotonic": ago(900)})) is OK


def test_only_a_service_has_a_watchdog() -> None:
    check = make("unit", name="x.socket", watchdog="< 80%")

    assert list(check.mistakes()) == [("watchdog", "only a service has one", "")]
