"""nodecheck as its timer runs it: installed, hardened, logging to the journal; and what a run leaves behind."""

import json
import re
import time
from typing import Any

import pytest

from . import units
from .conftest import CHECKOUT
from .node import DEFINITION, Node
from .verdicts import EXIT_CODES, NAME, definition, expect, judge

EVERY_SECOND = "[Timer]\nOnCalendar=\nOnCalendar=*:*:*\nRandomizedDelaySec=0\n"
CHECKS = {
    "failed": "unit: {name: failed.service}",
    "running": "unit: {name: tried.service, main_process: listener}",
    "by exe": "process: {exe: /usr/bin/containerd, user: root, main: true, unit: containerd.service}",
    "by user": 'process: {name: listener, user: daemon, open_files: "> 3"}',
    "by command line": 'process: {cmdline: "listener", unit: tried.service}',
    "absent": "process: {name: nobody-has-this}",
    "port": "port: {port: 7030, process: listener, unit: tried.service, address: 127.0.0.1}",
    "connect": "port: {port: 7030, connect: true, address: loopback}",
    "other": "port: {port: 7030, process: other}",
    "systemd": "system: {}",
}
FOUND = ("failed", "absent", "other")
ACCEPTS = """
name("listener")
server = socket.create_server(("127.0.0.1", 7030))
ready()
while True:
    server.accept()
"""


def broken(node: Node) -> str:
    """A node where one unit has failed; return a definition that finds this, and what is well."""
    accepts = units.python_service("Accepts", ACCEPTS)
    node.unit("tried.service", accepts.replace("Type=notify", "Type=notify\nUser=daemon"))
    node.start_unit("tried.service", wait=True)
    node.unit("failed.service", units.failing())
    node.start_unit("failed.service", wait=True)
    node.wait_for("failed.service", ActiveState="failed")
    return definition(**CHECKS)


def events(node: Node, cursor: str) -> list[dict[str, Any]]:
    """What the service told the journal: the fields of each event, by the names that the report has for them."""
    node.run("journalctl", "--sync")
    command = ["journalctl", "--unit=nodecheck", "-o", "json", "--no-pager", f"--after-cursor={cursor}"]
    entries = [json.loads(line) for line in node.run(*command).stdout.splitlines()]
    told = [
        {name.removeprefix("NODECHECK_").lower(): value for name, value in entry.items() if name != "MESSAGE"}
        | {"message": entry["MESSAGE"]}
        for entry in entries
        if "NODECHECK_EVENT" in entry
    ]
    return [event | {"findings": json.loads(event.get("findings", "[]"))} for event in told]


def cursor(node: Node) -> str:
    """Where the journal ends now."""
    shown = node.run("journalctl", "-n", "0", "--show-cursor", "--no-pager").stdout
    return shown.partition("cursor: ")[2].strip()


def wait_for_runs(node: Node, since: str, count: int) -> list[dict[str, Any]]:
    """Wait until the service has logged as many runs."""
    deadline = time.monotonic() + 15
    while True:
        found = events(node, since)
        if sum(event["event"] == "run" for event in found) >= count:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def with_definition(node: Node, text: str) -> None:
    """Let the service check what a test has defined."""
    node.write_file("/etc/nodecheck/checks.d/50-tried.yaml", text)


def test_the_timer_fires_and_the_journal_has_the_events(node: Node) -> None:
    with_definition(node, broken(node))
    node.unit("nodecheck.timer.d/often.conf", EVERY_SECOND)
    since = cursor(node)
    node.start_unit("nodecheck.timer", wait=True)
    found = wait_for_runs(node, since, 2)
    node.run("systemctl", "stop", "nodecheck.timer")
    runs = [event for event in found if event["event"] == "run"]
    assert len({run["run_id"] for run in runs}) == len(runs) >= 2
    assert {(run["status"], run["exit_code"], run["level"]) for run in runs} == {("critical", "2", "error")}
    checks = [event for event in found if event["event"] == "check" and event["run_id"] == runs[0]["run_id"]]
    first = {event["name"]: event for event in checks}
    assert first["failed"]["message"] == "critical: failed: failed.service has failed: exit code 1"
    assert first["failed"]["findings"][0]["rule"] == "failed"
    assert {name: event["status"] for name, event in first.items()} == dict.fromkeys(FOUND, "critical")
    assert runs[0]["summary_critical"] == str(len(FOUND))
    later = [event for event in found if event["event"] == "check" and event["run_id"] != runs[0]["run_id"]]
    assert later == []  # told once, and again after an hour


def test_events_have_the_names_of_the_report(node: Node) -> None:
    with_definition(node, broken(node))
    report = node.nodecheck("run", "-o", "json", "--state", "none", "--events", "never").report
    since = cursor(node)
    node.start_unit("nodecheck.service", wait=True)
    found = wait_for_runs(node, since, 1)
    [run] = [event for event in found if event["event"] == "run"]
    assert {name: run[f"summary_{name}"] for name in report["summary"]} == {
        name: str(count) for name, count in report["summary"].items()
    }
    results = {result["id"]: result for result in report["results"]}
    for event in found:
        if event["event"] == "check":
            told = {name for name, value in results[event["check"]].items() if value not in ("", [], None)}
            assert told - {"id"} <= set(event)
            assert event["hostname"] == report["node"]["hostname"]


@pytest.mark.parametrize(("severity", "status"), [("warning", "warning"), ("critical", "critical")])
def test_the_service_succeeds_although_there_are_findings(node: Node, severity: str, status: str) -> None:
    with_definition(node, definition(the_check=f"unit: {{name: none.service}}, severity: {severity}"))
    assert node.nodecheck("run", "-o", "json").exit_code == EXIT_CODES[status]
    since = cursor(node)
    node.run("systemctl", "start", "nodecheck.service")
    [run] = [event for event in wait_for_runs(node, since, 1) if event["event"] == "run"]
    assert (run["status"], run["exit_code"]) == (status, str(EXIT_CODES[status]))
    assert node.show("nodecheck.service", "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}


def test_the_service_fails_when_the_run_could_not_be_made(node: Node) -> None:
    with_definition(node, "- name: Broken\n  checks: 1\n")
    since = cursor(node)
    node.start_unit("nodecheck.service", wait=True)
    node.wait_for("nodecheck.service", Result="exit-code", ActiveState="failed", ExecMainStatus="3")
    node.run("journalctl", "--sync")
    log = node.run("journalctl", "--unit=nodecheck", "-o", "cat", "--no-pager", f"--after-cursor={since}").stdout
    assert "50-tried.yaml:2" in log
    assert "nothing was checked" in log


def test_the_hardened_service_sees_what_root_sees(node: Node) -> None:
    text = broken(node)
    root = node.check(text)
    command = f"ExecStart=\nExecStart=/usr/bin/nodecheck run {DEFINITION} -o json\n"
    output = "/run/nodecheck-test/hardened.json"
    node.unit("nodecheck.service.d/tried.conf", f"[Service]\n{command}StandardOutput=truncate:{output}\n")
    node.run("systemctl", "start", "nodecheck.service")
    hardened = json.loads(node.run("cat", output).stdout)
    assert verdicts(hardened) == verdicts(root.report)
    assert root.statuses() | {"systemd": "ok"} == root.statuses()
    assert root.statuses()["by user"] == root.statuses()["port"] == "ok"


def verdicts(report: dict[str, Any]) -> dict[str, Any]:
    """What a report says of each check, without what changes from one moment to the next."""
    return {
        result["name"]: (
            result["status"],
            result["causes"],
            [{**finding, "message": steady(finding["message"])} for finding in result["findings"]],
        )
        for result in report["results"]
    }


def steady(message: str) -> str:
    """A message without times."""
    return re.sub(r"\d[\d.]*(ms|s|m|h)\b( \d+(s|m)\b)?", "TIME", message)


def test_the_units_are_clean_and_hardened(node: Node) -> None:
    paths = [f"/usr/lib/systemd/system/nodecheck.{kind}" for kind in ("service", "timer")]
    done = node.run("systemd-analyze", "verify", "--man=no", *paths)
    assert [line for line in (done.stdout + done.stderr).splitlines() if "nodecheck" in line] == []
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=50", "--no-pager", paths[0]]
    assert re.search(r"Overall exposure level .*: [0-4]\.\d", node.run(*command).stdout)


def test_the_timer_waits_for_the_next_minute(node: Node) -> None:
    node.start_unit("nodecheck.timer", wait=True)
    node.wait_for("nodecheck.timer", ActiveState="active", FixedRandomDelay="yes", AccuracyUSec="1s")
    shown = node.run("systemctl", "show", "nodecheck.timer", "--property=TimersCalendar").stdout
    assert "OnCalendar=*-*-* *:*:00" in shown


@pytest.mark.parametrize("timer", ["nodecheck.timer", "nodecheck@quick.timer"])
def test_the_timer_does_not_wait_for_a_clock_that_nobody_sets(node: Node, timer: str) -> None:
    """As with systemd-time-wait-sync.service, or chrony-wait.service, on a node that reaches no time server."""
    waits = "[Unit]\nDefaultDependencies=no\nWants=time-sync.target\nBefore=time-sync.target\n"
    node.unit("waits.service", f"{waits}[Service]\nType=oneshot\nExecStart=/bin/sleep 600\n")
    node.run("systemctl", "stop", "time-sync.target")
    node.start_unit("waits.service")
    node.wait_for("waits.service", ActiveState="activating")
    node.start_unit(timer)
    node.wait_for(timer, ActiveState="active")


UNPRIVILEGED = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps=-all", "nodecheck", "run"]


def test_a_user_without_rights_judges_what_it_sees(node: Node) -> None:
    text = broken(node)
    node.machine.write_file(DEFINITION, text)
    outcome = node.outcome(*UNPRIVILEGED, DEFINITION, "-o", "json")
    seen = outcome.statuses()
    assert (seen["failed"], seen["absent"]) == ("critical", "critical")
    assert {seen[name] for name in ("systemd", "by command line", "connect")} == {"ok"}
    for name in ("port", "other", "by exe"):
        assert seen[name] == "unknown", outcome.result(name)
        assert "root" in outcome.result(name)["remedy"]
    assert outcome.exit_code == 2


@pytest.mark.parametrize("check", ["port: {port: 7030, process: other}", "port: {port: 7030, unit: none.service}"])
def test_a_user_without_rights_never_blames_what_it_cannot_see(node: Node, check: str) -> None:
    broken(node)
    assert expect(judge(node, check), "critical")["name"] == NAME
    outcome = node.outcome(*UNPRIVILEGED, DEFINITION, "-o", "json")
    result = expect(outcome, "unknown", "^who holds port 7030/tcp could not be seen: this user may not look")
    assert result["remedy"] == "run nodecheck as root (CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)"


def test_a_run_changes_nothing_on_the_node(node: Node) -> None:
    text = broken(node)
    node.machine.write_file(DEFINITION, text)
    node.run("systemctl", "stop", "systemd-journald.socket", "systemd-journald.service", check=False)
    node.run("sh", "-c", "sync; sleep 0.1; touch /dev/shm/before; sleep 0.1")
    links = node.run("ip", "-brief", "link").stdout
    # Its memory aside, which is its own.
    assert node.nodecheck("run", DEFINITION, "-o", "json", "--state", "none").exit_code == 2
    node.nodecheck("run", "-o", "json", "--state", "none")
    find = "find / /run /tmp /dev /dev/shm /var/lib/docker /var/lib/containerd -xdev"
    find += " ( -path /proc -o -path /sys -o -path /run/systemd -o -path /var/log/journal -o -path /run/log ) -prune -o"
    find += " ( -newer /dev/shm/before -o -cnewer /dev/shm/before ) -print"
    assert node.run(*find.split(), check=False).stdout.splitlines() == []
    assert node.run("ip", "-brief", "link").stdout == links
    node.run("touch", "/etc/hostname")
    assert node.run(*find.split(), check=False).stdout.splitlines() == ["/etc/hostname"]
    node.run("rm", "/dev/shm/before")


ALIKE = {
    "clock": 'clock: {synchronised: true, maximum_error: "< 1s"}',
    "rules": "iptables: {}",
    "module": "kernel_module: {name: nodecheck_tried}",
    "as a user": "command: {run: [id, -un], user: daemon, stdout: daemon}",
    "journal": "journal: {unit: dbus.service, pattern: nothing-says-this}",
}


def test_the_hardened_service_sees_what_is_seen_by_hand(node: Node) -> None:
    # Failed first: ProtectClock= hid the clock, ProtectKernelModules= the modules, and no rule or user was to be had.
    release = node.run("uname", "-r").stdout.strip()
    node.write_file(f"/usr/lib/modules/{release}/modules.builtin", "kernel/net/nodecheck_tried.ko\n")
    node.run("iptables-legacy", "-t", "filter", "-L")  # from now on the kernel has that table, to be asked for rules
    with_definition(node, definition(**ALIKE))
    # Nothing is remembered of it: what was told within the hour is not told again.
    by_hand = node.nodecheck("run", "-o", "json", "--state", "none").statuses()
    assert by_hand.keys() >= ALIKE.keys()
    assert "unknown" not in by_hand.values()
    since = cursor(node)
    node.run("systemctl", "start", "nodecheck.service")
    found = wait_for_runs(node, since, 1)
    in_service = {event["name"]: (event["status"], event["message"]) for event in found if event["event"] == "check"}
    assert {name: status for name, (status, _) in in_service.items()} == {
        name: status for name, status in by_hand.items() if status not in ("ok", "skipped")
    }, in_service


# ---- drop-ins that are shipped as examples

ABSENT = definition(absent="process: {name: no-such-name}")
TELL = units.unit_text({"Service": {"Type": "oneshot", "ExecStart": "/bin/sh -c 'echo %i >>/run/told'"}})
CURL = "#!/bin/sh\nfor last; do :; done\necho $last >>/run/told\n"


def with_example(node: Node, name: str) -> None:
    """Lay an example down where its first line says."""
    node.write_file("/run/told", "")
    node.unit(f"nodecheck.service.d/{name}", (CHECKOUT / "systemd/examples" / name).read_text())


def run_service(node: Node, severity: str) -> None:
    """Run the service with a check that is not ok."""
    with_definition(node, ABSENT.replace("name: Tried\n", f"name: Tried\n  severity: {severity}\n"))
    node.start_unit("nodecheck.service", wait=True)


def told(node: Node) -> list[str]:
    """What the example has told."""
    return node.run("cat", "/run/told").stdout.split()


def test_a_unit_of_ones_own_is_started_when_the_node_is_critical_and_not_by_a_warning(node: Node) -> None:
    node.unit("tell-somebody@.service", TELL)
    with_example(node, "onfailure.conf")
    run_service(node, "warning")
    node.wait_for("nodecheck.service", ActiveState="inactive", Result="success")
    run_service(node, "critical")
    node.wait_for("nodecheck.service", ActiveState="failed", ExecMainStatus="2")
    node.wait_for("tell-somebody@nodecheck.service.service", ActiveState="inactive", Result="success")
    deadline = time.monotonic() + 10
    while not told(node):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert told(node) == ["nodecheck.service"]


def test_whoever_waits_for_a_ping_gets_it_with_the_exit_code(node: Node) -> None:
    node.write_file("/usr/bin/curl", CURL, 0o755)
    node.write_file("/etc/nodecheck/ping", "PING=https://ping.example/uuid\n", 0o600)
    with_example(node, "ping.conf")
    run_service(node, "critical")
    assert told(node) == ["https://ping.example/uuid/2"]


def test_a_ping_that_nobody_answers_is_no_failure_of_the_node(node: Node) -> None:
    """curl tries three times, for five seconds each."""
    node.write_file("/usr/bin/curl", "#!/bin/sh\nsleep 7\nexit 28\n", 0o755)
    node.write_file("/etc/nodecheck/ping", "PING=https://ping.example/uuid\n", 0o600)
    with_example(node, "ping.conf")
    run_service(node, "warning")
    node.wait_for("nodecheck.service", ActiveState="inactive", Result="success")


UNSEEN = {
    "holder": "port: {port: 7040, process: listener}",
    "program": "process: {exe: /usr/bin/python3.11}",
    "key": "file: {path: /etc/shadow, content: /root/}",
    "engine": "docker: {count: '>= 0'}",
}
SEEN = {
    "systemd": "system: {}",
    "unit": "unit: {name: other.service}",
    "gone": "unit: {name: never-heard-of.service}",
    "process": "process: {name: listener, unit: other.service}",
    "port": "port: {port: 7040}",
    "room": "disk: {path: /, free: '> 1 MiB'}",
    "memory": "memory: {available: '> 1 MiB'}",
}


def test_without_root_the_service_sees_less_and_is_never_wrong(node: Node) -> None:
    node.run("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "nodecheck")
    try:
        node.start_unit("docker.service", wait=True)
        node.unit("other.service", units.listener(7040, "127.0.0.1"))
        node.start_unit("other.service", wait=True)
        with_definition(node, definition(**SEEN, **UNSEEN))
        node.run("nodecheck", "run", check=False)  # what root has remembered is there already
        with_example(node, "unprivileged.conf")
        since = cursor(node)
        node.start_unit("nodecheck.service", wait=True)
        found = wait_for_runs(node, since, 1)
        told = {event["name"]: event["status"] for event in found if event["event"] == "check"}
        assert {name: told[name] for name in told if name in {**SEEN, **UNSEEN}} == {
            "gone": "critical",
            **dict.fromkeys(UNSEEN, "unknown"),
        }
        assert {status for name, status in told.items() if name != "gone"} == {"unknown"}  # those that are shipped, too
        assert node.run("stat", "-c", "%U %a", "/var/lib/nodecheck").stdout == "nodecheck 700\n"
    finally:
        node.run("userdel", "nodecheck")
