"""Units on a real systemd: what `state: healthy` and the explicit expectations say of each."""

import time

import pytest

from . import units
from .node import Node
from .verdicts import definition, finding, judge, judged

HEALTHY = "unit: {name: tried.service}"
CONNECT = "import socket; socket.create_connection(('127.0.0.1', 7001), 5)"


def started(node: Node, text: str, name: str = "tried.service") -> None:
    """Write a unit and start it."""
    node.unit(name, text)
    node.start_unit(name, wait=True)


def on_demand(node: Node, service: str) -> None:
    """A service, and the socket that starts it."""
    node.unit("tried.service", service)
    started(node, units.socket_unit("127.0.0.1:7001"), "tried.socket")


@pytest.mark.parametrize(
    ("text", "state", "rule", "says"),
    [
        (units.running(), "active", "active", r"^tried.service is active \(running\)$"),
        (units.finished_oneshot(), "inactive", "oneshot-done", "is a oneshot and not at work"),
        (units.remaining_oneshot(), "active", "active", r"is active \(exited\)"),
        (units.failing(3), "failed", "failed", "has failed: exit code 3$"),
        (units.failing(203), "failed", "failed", "exit code 203 .EXEC: the program is missing"),
        (units.killed_by("KILL"), "failed", "failed", "main process killed by SIGKILL"),
        (units.killed_by("SEGV"), "failed", "failed", "main process .* SIGSEGV"),
    ],
)
def test_a_unit_is_judged_by_what_became_of_it(node: Node, text: str, state: str, rule: str, says: str) -> None:
    started(node, text)
    node.wait_for("tried.service", ActiveState=state)
    judged(node, HEALTHY, "critical" if state == "failed" else "ok", says, rule=rule)


def test_a_unit_that_was_never_started_and_is_enabled_is_not_running(node: Node) -> None:
    node.unit("tried.service", units.running())
    node.run("systemctl", "enable", "tried.service")
    judged(node, HEALTHY, "critical", "enabled, so it was stopped or never started", rule="not-running")


def test_a_unit_whose_condition_is_not_met_may_be_enabled(node: Node) -> None:
    node.unit("tried.service", units.condition_not_met())
    node.run("systemctl", "enable", "--now", "tried.service")
    judged(node, "unit: {name: tried.service, enabled: true}", "ok", "not meant to run here now", rule="condition")


def test_a_unit_that_does_not_exist_is_absent(node: Node) -> None:
    judged(node, HEALTHY, "critical", "does not exist here", rule="absent")
    judged(node, "unit: {name: tried.service, state: absent}", "ok", "is absent")


def test_a_unit_that_is_starting_is_a_warning(node: Node) -> None:
    node.unit("tried.service", units.stuck_activating())
    node.start_unit("tried.service")
    node.wait_for("tried.service", ActiveState="activating")
    judged(node, HEALTHY, "warning", "is starting .*, at start", rule="starting")


def test_a_job_that_waits_for_another_unit_is_a_warning(node: Node) -> None:
    node.unit("slow.service", units.stuck_activating())
    after = {"After": "slow.service", "Wants": "slow.service"}
    node.unit("tried.service", units.service("Waits", unit=after, ExecStart="/usr/bin/sleep infinity"))
    node.start_unit("tried.service")
    node.wait_for("slow.service", ActiveState="activating")
    judged(node, HEALTHY, "warning", "a start job is queued and waits for other units", rule="start-queued")


def test_a_unit_that_does_not_end_is_stopping(node: Node) -> None:
    command = "/bin/sh -c 'trap \"\" TERM; touch /run/trapped; while :; do sleep 0.1; done'"
    node.run("rm", "-f", "/run/trapped")
    started(node, units.running(command))
    node.run("sh", "-c", "until test -e /run/trapped; do sleep 0.02; done; rm /run/trapped")
    node.run("systemctl", "stop", "--no-block", "tried.service")
    node.wait_for("tried.service", ActiveState="deactivating")
    judged(node, HEALTHY, "warning", "is stopping for .*, at stop-sigterm", rule="stopping")


def test_a_unit_that_loops_slowly_is_critical_at_every_moment(node: Node) -> None:
    """The first restarts go fast, so that the test need not wait for them; then the cycle is the kubelet's."""
    slow = {"Restart": "always", "ExecStart": "/bin/sh -c 'sleep 1; exit 255'"}
    endless = {"StartLimitIntervalSec": 0}
    started(node, units.service("Loops", unit=endless, RestartSec="10ms", **slow))
    node.wait_for("tried.service", NRestarts="3")
    node.unit("tried.service", units.service("Loops", unit=endless, RestartSec=10, **slow))
    rules = set()
    deadline = time.monotonic() + 12.5
    while time.monotonic() < deadline:
        result = judged(node, HEALTHY, "critical", r"is restarting every 10 ?s: exit code 255, \d restarts$|runs for")
        rules.add(finding(result, "state")["rule"])
        time.sleep(0.3)
    assert rules == {"restarting", "flapping"}


THIRD_TIME = """#!/bin/sh
echo >>/run/starts
[ $(wc -l </run/starts) -gt 3 ] && exec sleep infinity
exit 1
"""


@pytest.mark.parametrize(("expectation", "status"), [("< 3", "critical"), (">= 2", "ok")])
def test_restarts_are_counted(node: Node, expectation: str, status: str) -> None:
    node.write_file("/run/starts", "")
    node.write_file("/run/third-time", THIRD_TIME, 0o755)
    started(node, units.service("Third time", Restart="always", RestartSec="10ms", ExecStart="/run/third-time"))
    node.wait_for("tried.service", SubState="running", NRestarts="3")
    result = judged(node, f'unit: {{name: tried.service, state: running, restarts: "{expectation}"}}', status)
    assert finding(result, "restarts")["message"].startswith("restarts of tried.service is 3")


def test_a_masked_unit_is_critical_unless_that_is_wanted(node: Node) -> None:
    node.unit("tried.service", units.masked())
    judged(node, HEALTHY, "critical", "is masked: nothing can start it", rule="masked")
    judged(node, "unit: {name: tried.service, state: masked, masked: true}", "ok", "tried.service is masked")


def test_a_unit_masked_while_it_runs_is_a_warning(node: Node) -> None:
    node.unit("tried.service", units.running())
    node.run("mv", "/etc/systemd/system/tried.service", "/run/systemd/system/")
    node.run("systemctl", "daemon-reload")
    node.start_unit("tried.service", wait=True)
    node.run("systemctl", "mask", "tried.service")
    judged(node, HEALTHY, "warning", "is masked, but still running", rule="masked-running")


def test_a_unit_file_deleted_while_the_unit_runs_is_critical(node: Node) -> None:
    started(node, units.running())
    node.run("rm", "/etc/systemd/system/tried.service")
    node.run("systemctl", "daemon-reload")
    judged(node, HEALTHY, "critical", "runs, but its unit file is gone", rule="file-gone")


def test_an_edited_unit_file_wants_a_reload(node: Node) -> None:
    started(node, units.running())
    judged(node, "unit: {name: tried.service, reload_needed: false}", "ok", rule="active")
    node.write_file("/etc/systemd/system/tried.service", units.running("/usr/bin/sleep 1000"))
    node.run("touch", "-d", "+2 seconds", "/etc/systemd/system/tried.service")
    judged(node, HEALTHY, "ok", "its unit file was changed: systemctl daemon-reload", rule="active")
    judged(node, "unit: {name: tried.service, reload_needed: false}", "critical", "reload needed .file changed")


def test_a_unit_file_that_systemd_cannot_use_is_critical(node: Node) -> None:
    node.unit("tried.service", "[Service]\nType=nonsense\n")
    judged(node, HEALTHY, "critical", "the unit file of tried.service cannot be used", rule="bad-unit-file")


def test_a_socket_activated_service_is_idle(node: Node) -> None:
    on_demand(node, units.running())
    judged(node, HEALTHY, "ok", "is idle; tried.socket starts it on demand", rule="on-demand")
    judged(node, "unit: {name: tried.socket, state: listening}", "ok", "listening")


def test_an_enabled_socket_activated_service_that_was_stopped_is_not_running(node: Node) -> None:
    on_demand(node, units.running())
    node.run("systemctl", "enable", "--now", "tried.service")
    node.run("systemctl", "stop", "tried.service")
    judged(node, HEALTHY, "critical", "enabled, so it was stopped or never started", rule="not-running")


def test_an_enabled_socket_activated_service_that_ended_by_itself_is_idle(node: Node) -> None:
    on_demand(node, units.running("/usr/bin/sleep 0.2"))
    node.run("systemctl", "enable", "tried.service")
    node.start_unit("tried.service", wait=True)
    node.wait_for("tried.service", ActiveState="inactive", SubState="dead")
    judged(node, HEALTHY, "ok", "is idle; tried.socket starts it on demand", rule="on-demand")


def test_a_service_whose_socket_is_stopped_cannot_be_started_on_demand(node: Node) -> None:
    on_demand(node, units.running())
    node.run("systemctl", "enable", "tried.socket")
    node.run("systemctl", "stop", "tried.socket")
    judged(node, HEALTHY, "critical", "what would start it on demand is not active: tried.socket", rule="trigger-dead")


def test_nodecheck_does_not_wake_a_service_that_is_idle(node: Node) -> None:
    on_demand(node, units.running())
    outcome = node.check(definition(service=HEALTHY, port="port: {port: 7001, process: systemd, unit: tried.service}"))
    assert (outcome.exit_code, outcome.statuses()) == (0, {"service": "ok", "port": "ok"})
    assert node.show("tried.service", "ActiveState") == {"ActiveState": "inactive"}


def test_a_socket_on_which_systemd_listens_is_seen_without_waking_its_service(node: Node) -> None:
    node.unit("tried.service", units.running())
    node.unit("tried.socket", units.socket_unit("/run/tried.sock"))
    node.start_unit("tried.socket")
    judged(node, "file: {path: /run/tried.sock, listening: true}", "ok")
    assert node.show("tried.service", "ActiveState") == {"ActiveState": "inactive"}


def test_a_timer_that_fired_and_one_that_never_did(node: Node) -> None:
    node.unit("tried.service", units.finished_oneshot())
    started(node, units.timer(), "tried.timer")
    said = "tried.timer has not fired since it was started"
    unsure = judged(node, 'unit: {name: tried.timer, last_trigger: "< 25h"}', "unknown", f"{said} .* is not kept")
    assert finding(unsure, "state")["observed"] == "active waiting"
    judged(node, 'unit: {name: tried.timer, last_trigger: "< 1ms"}', "critical", said)
    node.unit("tried.timer", units.timer("*-*-* *:*:*"))
    node.run("systemctl", "restart", "tried.timer")
    node.run("sh", "-c", 'until [ -n "$(systemctl show -P LastTriggerUSec tried.timer)" ]; do sleep 0.05; done')
    judged(node, 'unit: {name: tried.timer, state: waiting, last_trigger: "< 1m"}', "ok", "is active waiting")
    judged(node, 'unit: {name: tried.timer, last_trigger: "> 1h"}', "critical", "last trigger of tried.timer is ")


def test_an_alias_is_the_unit_that_it_stands_for(node: Node) -> None:
    text = units.running().replace("WantedBy=multi-user.target", "Alias=other.service")
    node.unit("tried.service", text)
    node.run("systemctl", "enable", "--now", "tried.service")
    judged(node, "unit: {name: other.service, enabled: true}", "ok", "^tried.service is active", rule="active")


def test_an_instance_of_a_template(node: Node) -> None:
    node.unit("tried@.service", units.running("/bin/sh -c 'test %i = one && exec sleep infinity'"))
    node.start_unit("tried@one.service", wait=True)
    node.start_unit("tried@two.service", wait=True)
    node.wait_for("tried@two.service", ActiveState="failed")
    outcome = node.check(definition(one="unit: {name: tried@one.service}", two="unit: {name: tried@two.service}"))
    assert (outcome.exit_code, outcome.statuses()) == (2, {"one": "ok", "two": "critical"})


def test_a_template_has_no_state(node: Node) -> None:
    outcome = judge(node, "unit: {name: tried@.service}")
    assert (outcome.exit_code, outcome.report) == (3, {})
    assert "is a template: it has no state" in outcome.stderr


def test_a_name_without_its_type_is_refused(node: Node) -> None:
    outcome = judge(node, "unit: {name: docker}")
    assert (outcome.exit_code, outcome.report) == (3, {})
    assert "did you mean docker.service?" in outcome.stderr


def test_an_escaped_name(node: Node) -> None:
    name = node.run("systemd-escape", "--template=tried@.service", "a/b-ä").stdout.strip()
    assert "\\x2d" in name
    node.unit("tried@.service", units.running())
    node.start_unit(name, wait=True)
    judged(node, f"unit: {{name: '{name}'}}", "ok", r"is active \(running\)", rule="active")


def test_the_mount_unit_of_a_path_with_a_dash(node: Node) -> None:
    node.run("mkdir", "-p", "/run/a-b")
    node.run("mount", "-t", "tmpfs", "tmpfs", "/run/a-b")
    try:
        judged(node, r"unit: {name: 'run-a\x2db.mount', state: mounted}", "ok", "is active mounted")
    finally:
        node.run("umount", "/run/a-b")


def test_without_a_user_manager_units_of_the_user_are_unknown(node: Node) -> None:
    judged(node, "unit: {name: tried.service, scope: user}", "unknown", "to the session bus of this user")


@pytest.mark.parametrize(
    ("expectation", "status", "says"),
    [
        ('uptime: "< 1h"', "ok", "is active"),
        ('uptime: "> 1h"', "critical", "uptime of tried.service is .*, expected > 1h"),
        ("main_process: sleep", "ok", "is active"),
        ("main_process: dockerd", "critical", r"tried.service is sleep \(pid \d+\), expected dockerd"),
        ("result: success", "ok", "is active"),
        ("enabled: true", "critical", r"tried.service is not enabled \(disabled\)"),
        ("state: listening", "critical", "is active running, expected listening"),
    ],
)
def test_an_explicit_expectation(node: Node, expectation: str, status: str, says: str) -> None:
    started(node, units.running())
    judged(node, f"unit: {{name: tried.service, {expectation}}}", status, says)


@pytest.mark.parametrize(("argument", "property"), [("tasks", "TasksCurrent"), ("memory", "MemoryCurrent")])
def test_what_systemd_does_not_account_is_unknown(node: Node, argument: str, property: str) -> None:
    """Whether it does depends on the control groups of the machine under the node."""
    started(node, units.running())
    accounted = node.show("tried.service", property)[property] != "[not set]"
    least = {"tasks": '"> 0"', "memory": '"> 1KiB"'}[argument]
    status, says = ("ok", "is active") if accounted else ("unknown", f"the {argument} .* could not be seen")
    judged(node, f"unit: {{name: tried.service, {argument}: {least}}}", status, says)


def test_the_whole_of_systemd_is_degraded_by_a_unit_that_nobody_checks(node: Node) -> None:
    started(node, units.failing())
    node.wait_for("tried.service", ActiveState="failed")
    judged(node, "system: {}", "warning", "1 failed unit: tried.service")
    outcome = node.check(definition(system="system: {}", unit=HEALTHY))
    assert outcome.statuses() == {"system": "ok", "unit": "critical"}
