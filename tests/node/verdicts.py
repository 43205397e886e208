"""What the tests of this directory say about a run: one check, and what has to become of it."""

import re
from typing import Any

from .node import Node, Outcome

NAME = "the check"
EXIT_CODES = {"ok": 0, "skipped": 0, "blocked": 0, "warning": 1, "critical": 2, "unknown": 3}


def definition(**checks: str) -> str:
    """A definition file with these checks; underscores in their names stand for blanks."""
    lines = ["- name: Tried", "  hosts: all", "  checks:"]
    for name, text in checks.items():
        lines.append(f"    - {{name: {name.replace('_', ' ')}, {text}}}")
    return "\n".join(lines) + "\n"


def judge(node: Node, check: str, *args: str) -> Outcome:
    """Run nodecheck with this one check, such as "unit: {name: dbus.service}"."""
    return node.check(definition(the_check=check), *args)


def expect(outcome: Outcome, status: str, says: str = "", *, rule: str = "") -> dict[str, Any]:
    """Assert what became of the one check: its status, the run's exit code, its rule, and what its message says."""
    result = outcome.result(NAME)
    seen = (result["status"], outcome.exit_code, outcome.report["status"], outcome.report["exit_code"])
    assert seen == (status, EXIT_CODES[status], status, EXIT_CODES[status]), result
    assert re.search(says, result["message"]), result
    if rule:
        assert [finding.get("rule") for finding in result["findings"] if finding["property"] == "state"] == [rule]
    return result


def judged(node: Node, check: str, status: str, says: str = "", *, rule: str = "") -> dict[str, Any]:
    """Run this one check, and assert what became of it."""
    return expect(judge(node, check), status, says, rule=rule)


def finding(result: dict[str, Any], name: str) -> dict[str, Any]:
    """The one finding about this property."""
    found = [finding for finding in result["findings"] if finding["property"] == name]
    assert len(found) == 1, result
    only: dict[str, Any] = found[0]
    return only
