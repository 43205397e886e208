"""One unit, many verdicts: the states on which other checkers contradict each other, and what nodecheck says.

What the peers say was read from their sources and tests, not run: goss (system/service_systemd.go), troubleshoot
(host_services), DC/OS (api/properties_linux_test.go), monitord (src/unit_constants.rs), Gardener
(systemdunitcheck/reconciler_test.go), NVSentinel (check_gpu_service.sh), Checkmk (systemd_units.py), Datadog
(service_checks.json), healthagent (test_async_systemd.py), and the EKS agent (runtime/monitor_test.go) for restarts.
"-" is no verdict: it holds the last one, or cannot parse.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from fakes import ago, judge, make, node, service

from nodecheck.checks._unit_rules import RULES
from nodecheck.report.result import Status

PEERS = (
    "goss", "troubleshoot", "dcos", "monitord", "gardener", "nvsentinel", "checkmk", "datadog", "healthagent", "eks",
)  # fmt: skip
OK, WARNING, CRITICAL = Status.OK, Status.WARNING, Status.CRITICAL
IDLE = {"ActiveState": "inactive", "SubState": "dead", "ActiveEnterTimestampMonotonic": 0}
FAILED = {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainStatus": 1}
RESTARTING = {"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code", "ExecMainStatus": 255}
STARTING = {"ActiveState": "activating", "SubState": "start", "Type": "notify"}
SOCKET = {"x.socket": {"Id": "x.socket", "ActiveState": "active", "SubState": "listening"}}
DEAD_TIMER = {"x.timer": {"Id": "x.timer", "ActiveState": "inactive", "SubState": "dead"}}


class Row(NamedTuple):
    """`peers`: one letter each in the order of PEERS: + well, x not well, - no verdict, blank not known.

    `reason` is why nodecheck differs from those peers that have a verdict, and empty where it does not.
    """

    name: str
    properties: dict[str, Any]
    rule: str
    status: Status
    peers: str
    reason: str = ""


ROWS = (
    Row("active, running", {}, "active", OK, "+++++++++"),
    Row("active, exited", {"SubState": "exited", "Type": "oneshot"}, "active", OK, "+++++++++"),
    Row("a oneshot that ran well", {**IDLE, "Type": "oneshot"}, "oneshot-done", OK, "xxxx+x+x+",
        "a finished oneshot is inactive by design; monitord#177 has 500 of them as false alarms"),
    Row("idle, a socket starts it",
        {**IDLE, "UnitFileState": "disabled", "TriggeredBy": ["x.socket"], "Triggers": SOCKET},
        "on-demand", OK, "xxxx+x+x+", "it is meant to be idle, and what starts it is alive"),
    Row("idle, the socket that would start it is dead",
        {**IDLE, "UnitFileState": "static", "TriggeredBy": ["x.timer"], "Triggers": DEAD_TIMER},
        "trigger-dead", CRITICAL, "xxxx+x+x+", "nothing is left that could start it; nobody else looks at the trigger"),
    Row("enabled, and not running", IDLE, "not-running", CRITICAL, "xxxxxx+x+",
        "enabled says that it is meant to run; an inventory or a listener for failures cannot know"),
    Row("disabled, and not running", {**IDLE, "UnitFileState": "disabled"}, "not-running", CRITICAL, "xxxx-x+x+",
        "whoever writes a check for a unit without saying so wants it to run"),
    Row("enabled with a socket, stopped by hand",
        {**IDLE, "TriggeredBy": ["x.socket"], "Triggers": SOCKET, "ExecMainExitTimestampMonotonic": ago(10),
         "ActiveExitTimestampMonotonic": ago(12)},
        "not-running", CRITICAL, "xxxx+x+x+", "docker.service is enabled besides its socket: it is to run at once"),
    Row("enabled with a socket, ended when it was idle",
        {**IDLE, "TriggeredBy": ["x.socket"], "Triggers": SOCKET, "ExecMainExitTimestampMonotonic": ago(12),
         "ActiveExitTimestampMonotonic": ago(12)},
        "on-demand", OK, "xxxx+x+x+", "libvirtd --timeout 120 ends by itself, and its socket starts it again"),
    Row("a start condition is not met", {**IDLE, "ConditionResult": False}, "condition", OK, "xxxxxx+x+",
        "the unit itself says that it does not apply to this host; systemctl start succeeds and does nothing"),
    Row("failed, enabled", FAILED, "failed", CRITICAL, "x-xxxxxxx"),
    Row("failed, disabled", {**FAILED, "UnitFileState": "disabled"}, "failed", CRITICAL, "x-xx+x+xx",
        "the check wants it; whoever does not want it writes no check for it"),
    Row("failed by a signal", {**FAILED, "Result": "signal", "ExecMainStatus": 9}, "failed", CRITICAL, "x-xxxxxxx"),
    Row("restarting, was up before", {**RESTARTING, "NRestarts": 481, "RestartUSec": 10_000_000},
        "restarting", CRITICAL, "xxxx+-+--",
        "a crash loop with Restart=always is never failed (systemd#7107): it would be well for ever"),
    Row("restarting, was never up", {**RESTARTING, "InactiveExitTimestampMonotonic": ago(1)},
        "restarting", CRITICAL, "xxxx+-+--", "it ended, and badly; that systemd tries again does not make it well"),
    Row("waiting in the queue to restart (systemd 254)", {**RESTARTING, "SubState": "auto-restart-queued"},
        "restarting", CRITICAL, "xx x -+--", "the same state with a newer name"),
    Row("up for 5 s after the fourth crash", {"NRestarts": 4, "ActiveEnterTimestampMonotonic": ago(5)},
        "flapping", CRITICAL, "+++++-+++x",
        "one look between two crashes (piper#392); the EKS agent alarms at more than 3 restarts too"),
    Row("up for an hour after four crashes", {"NRestarts": 4}, "active", OK, "+++++++++"),
    Row("starting for 30 s", {**STARTING, "InactiveExitTimestampMonotonic": ago(30)}, "starting", WARNING, "xx+x+-+--",
        "not there yet and not broken: a warning, and what needs it is blocked"),
    Row("starting for 33 min", {**STARTING, "InactiveExitTimestampMonotonic": ago(1980)},
        "stuck-starting", CRITICAL, "xx+xx-+--", "DC/OS accepts every activating unit, Checkmk sets no level here"),
    Row("a oneshot at work", {**STARTING, "Type": "oneshot"}, "oneshot-running", OK, "xx+x+-+--",
        "a oneshot is activating while it works: that is its whole life"),
    Row("reloading for 1 s",
        {"ActiveState": "reloading", "SubState": "reload", "StateChangeTimestampMonotonic": ago(1)},
        "reloading", OK, "+xxx+-+--", "it serves meanwhile; systemctl is-active accepts it too"),
    Row("reloading for an hour", {"ActiveState": "reloading", "SubState": "reload"},
        "stuck-reloading", WARNING, "+xxx+-x--", "it serves, but the reload does not end; Checkmk has levels for it"),
    Row("refreshing (systemd 256)",
        {"ActiveState": "refreshing", "SubState": "refresh", "StateChangeTimestampMonotonic": ago(1)},
        "reloading", OK, "        -"),
    Row("stopping for 5 s",
        {"ActiveState": "deactivating", "SubState": "stop-sigterm", "StateChangeTimestampMonotonic": ago(5)},
        "stopping", WARNING, "xxxx+-+--", "somebody stops it just now: a warning until it is stuck"),
    Row("stopping for an hour", {"ActiveState": "deactivating", "SubState": "stop-sigkill"},
        "stuck-stopping", CRITICAL, "xxxxx-x--"),
    Row("maintenance", {"ActiveState": "maintenance", "SubState": "maintenance"},
        "maintenance", CRITICAL, "xxxx+-x--", "Gardener has no branch for it, so it is well there by accident"),
    Row("absent", {**IDLE, "LoadState": "not-found", "UnitFileState": ""}, "absent", CRITICAL, "xxxxx-x--"),
    Row("its file was deleted while it runs", {"LoadState": "not-found"}, "file-gone", CRITICAL, "++x++-+++",
        "it will not come back after a boot; most look at ActiveState alone"),
    Row("masked", {**IDLE, "LoadState": "masked", "UnitFileState": "masked"}, "masked", CRITICAL, "xxx+xx+x+",
        "the check wants it, and nothing can start it; `masked: true` says that it is meant so"),
    Row("masked, and still running", {"LoadState": "masked", "UnitFileState": "masked"},
        "masked-running", WARNING, "++x+++++ ", "it works until the next boot"),
    Row("a unit file that systemd refuses", {**IDLE, "LoadState": "bad-setting", "UnitFileState": "static"},
        "bad-unit-file", CRITICAL, "xxxxxx+x ", "hotsos has units with bad files as an issue of their own"),
    Row("inactive, a start job waits", {**IDLE, "Job": "start"}, "start-queued", WARNING, "xxxxxx+x+",
        "systemd has promised to start it: a warning until the promise is kept or broken"),
)  # fmt: skip


def _opinions(row: Row) -> dict[str, bool]:
    return {peer: letter == "+" for peer, letter in zip(PEERS, row.peers, strict=False) if letter in "+x"}


UNANIMOUS = [row for row in ROWS if len(_opinions(row)) > 1 and len(set(_opinions(row).values())) == 1]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_state_has_this_rule_and_this_status(row: Row) -> None:
    (finding,) = judge(make("unit", name="x.service"), node(units=[service(**row.properties)]))
    assert (row.rule, row.status) == (finding.rule, finding.status)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_reason_is_written_where_and_only_where_we_differ_from_a_peer(row: Row) -> None:
    differing = [peer for peer, well in _opinions(row).items() if well != (row.status is OK)]
    assert bool(row.reason) == bool(differing), differing


@pytest.mark.parametrize("row", UNANIMOUS, ids=lambda row: row.name)
def test_where_all_peers_agree_so_do_we(row: Row) -> None:
    assert {row.status is OK} == set(_opinions(row).values())


def test_every_rule_of_the_table_is_fired_by_a_row() -> None:
    fired = {row.rule for row in ROWS} | {"unrecognised"}  # that one has its own tests, in test_unit.py
    assert {rule.name for rule in RULES} == fired
