"""What nodecheck tells the journal of a real node, as people look for it there."""

import json
from typing import Any

import pytest

from . import units
from .node import Node
from .verdicts import definition

FAILED = "unit: {name: failed.service}"


@pytest.fixture
def told(node: Node) -> Node:
    """The node, after its service told that a unit has failed."""
    node.unit("failed.service", units.failing())
    node.start_unit("failed.service", wait=True)
    node.wait_for("failed.service", ActiveState="failed")
    run_service(node, definition(failed=FAILED))
    return node


def run_service(node: Node, text: str) -> None:
    """Let the service judge by this definition, as if for the first time."""
    node.write_file("/etc/nodecheck/checks.d/50-tried.yaml", text)
    node.run("rm", "-rf", "/var/lib/nodecheck")
    node.run("systemctl", "start", "nodecheck.service", check=False)
    node.run("journalctl", "--sync")


def entries(node: Node, *query: str) -> list[dict[str, Any]]:
    """The entries that a query finds."""
    output = node.run("journalctl", "--no-pager", "-o", "json", *query).stdout
    return [json.loads(line) for line in output.splitlines()]


def test_the_journal_of_a_unit_shows_what_was_found_about_it(told: Node) -> None:
    shown = told.run("journalctl", "--no-pager", "-o", "cat", "-u", "failed.service").stdout
    assert "critical: failed: failed.service has failed: exit code 1" in shown
    assert "failed.service has failed" in told.run("systemctl", "status", "failed.service", check=False).stdout


def test_a_query_finds_what_is_critical(told: Node) -> None:
    [entry] = entries(told, "NODECHECK_EVENT=check", "NODECHECK_STATUS=critical", "-n", "1")
    names = "PRIORITY SYSLOG_IDENTIFIER _SYSTEMD_UNIT NODECHECK_CHECK NODECHECK_UNIT".split()
    expected = ["3", "nodecheck", "nodecheck.service", "failed", "failed.service"]
    assert expected == [entry[name] for name in names]


@pytest.mark.parametrize("kind", ["check", "run"])
def test_the_catalog_explains_what_was_found(told: Node, kind: str) -> None:
    told.run("journalctl", "--update-catalog")
    shown = told.run("journalctl", "--no-pager", "-x", f"NODECHECK_EVENT={kind}", "-n", "1").stdout
    said = {"check": "Subject: A check is critical: failed", "run": "Subject: A run of nodecheck is over: critical"}
    assert said[kind] in shown
    assert "@NODECHECK" not in shown.replace("@NODECHECK_REMEDY@", "")


def test_an_event_that_is_too_long_for_a_datagram_arrives(node: Node) -> None:
    names = [f"no-such-name-{number:04d}" for number in range(600)]
    checks = "".join(f"    - name: {name}\n      process: {{name: {name}}}\n" for name in names)
    run_service(node, f"- name: Many\n  hosts: all\n  checks:\n{checks}")
    [entry] = entries(node, "NODECHECK_EVENT=run", "-n", "1")
    assert entry["NODECHECK_TRUNCATED"] == "true"
    assert entry["NODECHECK_SUMMARY_CRITICAL"] == "600"


def test_what_the_journal_does_not_take_is_told_later(node: Node) -> None:
    node.run("rm", "-rf", "/var/lib/nodecheck")
    node.write_file("/etc/nodecheck/nodecheck.yaml", "events: {to: [journal]}\n")
    node.write_file("/etc/nodecheck/checks.d/50-tried.yaml", definition(absent="process: {name: no-such-name}"))
    node.run("mount", "--bind", "/dev/null", "/run/systemd/journal/socket")
    try:
        first = node.nodecheck("run", "-o", "json").report
    finally:
        node.run("umount", "/run/systemd/journal/socket")
    second = node.nodecheck("run", "-o", "json").report
    assert "events of 1 run since" in second["problems"][0]
    node.run("journalctl", "--sync")
    for report in (first, second):
        found = entries(node, f"NODECHECK_RUN_ID={report['run_id']}", "NODECHECK_EVENT=run")
        assert len(found) == 1


def test_two_timers_check_what_is_tagged(node: Node) -> None:
    text = definition(quick=FAILED) + definition(deep=FAILED).replace("- name:", "- tags: [deep]\n  name:", 1)
    node.write_file("/etc/nodecheck/checks.d/50-tried.yaml", text)
    for instance in ("quick", "deep"):
        node.run("systemctl", "start", f"nodecheck@{instance}.service", check=False)
    node.run("journalctl", "--sync")
    [quick] = entries(node, "_SYSTEMD_UNIT=nodecheck@quick.service", "NODECHECK_EVENT=run", "-n", "1")
    [deep] = entries(node, "_SYSTEMD_UNIT=nodecheck@deep.service", "NODECHECK_EVENT=run", "-n", "1")
    assert "deep" in deep["NODECHECK_NOT_OK"]
    assert "deep" not in quick["NODECHECK_NOT_OK"]
    shown = node.run(
        "systemctl", "show", "nodecheck@deep.timer", "nodecheck@quick.timer", "-P", "TimersCalendar"
    ).stdout
    assert "OnCalendar=*-*-* *:00/15:00" in shown
    assert "OnCalendar=*-*-* *:*:00" in shown
