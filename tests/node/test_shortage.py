"""What a node has run out of: whatever is lacking, a run ends with what it saw, or says that it saw nothing."""

import json
import subprocess

import pytest

from .node import DEFINITION, Node
from .verdicts import definition

SEEN = {
    "systemd": "ok",
    "unit": "ok",
    "process": "ok",
    "nobody": "critical",
    "room": "ok",
    "program": "ok",
    "port": "critical",
}
CHECKS = definition(
    systemd="system: {}",
    unit="unit: {name: systemd-journald.service}",
    process="process: {name: systemd-journal, unit: systemd-journald.service}",
    nobody="process: {name: nobody-has-this}",
    room='disk: {path: /, free: "> 1 MiB"}',
    program="command: {run: /bin/true}",
    port="port: {port: 7021}",
)
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
LACKING = {
    "nofile": "too many files are open",
    "nproc": "no process can be started any more (ulimit -u",
    "as": "there is no memory left",
}


def honest(ended: subprocess.CompletedProcess[str], lacking: str) -> bool:
    """Tell whether there was a whole report. Fail where one thing in it is not as it is, or no word of what lacks."""
    if not ended.stdout:
        assert ended.returncode == 3
        assert ended.stderr.startswith(f"nodecheck: cannot go on: {lacking}")
        assert ended.stderr.count("\n") == 1
        return False
    statuses = {result["id"]: result["status"] for result in json.loads(ended.stdout)["results"]}
    wrong = {name: status for name, status in statuses.items() if status not in (SEEN[name], "unknown", "blocked")}
    assert (wrong, statuses.keys(), ended.returncode, ended.stderr) == ({}, SEEN.keys(), 2, "")
    return statuses == SEEN


@pytest.mark.parametrize(
    ("limit", "values", "user"),
    [
        ("nofile", range(6, 31, 2), ()),
        ("nproc", range(1, 26, 2), NOBODY),
        ("as", [megabytes * 1_000_000 for megabytes in (20, 25, 30, 35, 40, 50, 60, 80, 120)], ()),
    ],
)
def test_whatever_is_lacking_no_verdict_is_wrong(
    limit: str, values: list[int], user: tuple[str, ...], node: Node
) -> None:
    node.write_file(DEFINITION, CHECKS)
    run = (*user, "nodecheck", "run", DEFINITION, "--events", "never", "--state", "none", "-o", "json")
    whole = [honest(node.run("prlimit", f"--{limit}={value}", *run, check=False), LACKING[limit]) for value in values]
    assert (whole[0], whole[-1]) == (False, True), "the limits go from nothing to enough"
