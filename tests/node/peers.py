"""What a user would ask in place of nodecheck: other tools of Debian, each asked the way its own users ask it."""

import json
import shlex
from collections.abc import Callable
from typing import NamedTuple

from .derived import INSTALL, Recipe
from .node import Node
from .roots import ensure_root

SUITE = "trixie"  # has all of them
SECONDS = 3  # what hangs for longer has no answer
SETUP = INSTALL + (
    "install_packages goss monit python3-testinfra monitoring-plugins-systemd prometheus-node-exporter curl\n"
    "systemctl disable monit.service prometheus-node-exporter.service\n"
)
WELL, NOT_WELL, NO_ANSWER = "well", "not well", "no answer"
GOSS_FILE = "/run/goss.json"
MONIT_FILE = "/run/monitrc"
TESTINFRA_FILE = "/run/test_infra.py"


def recipe() -> Recipe:
    """The root in which all of them are."""
    return Recipe("peers", ensure_root(SUITE), SETUP)


class Subject(NamedTuple):
    """What is asked about: a unit, the name of its process, and perhaps the TCP port that it serves."""

    unit: str
    process: str = ""
    port: int = 0


def _asked(node: Node, script: str) -> str:
    """Return what a shell made of it: "well" for 0, "not well" for another exit code."""
    ended = node.run("timeout", "--signal=KILL", str(SECONDS), "sh", "-c", script, check=False)
    return {0: WELL, 137: NO_ANSWER, -9: NO_ANSWER}.get(ended.returncode, NOT_WELL)


def is_active(node: Node, subject: Subject) -> str:
    """Ask systemctl is-active."""
    return _asked(node, f"systemctl is-active {subject.unit}")


def is_failed(node: Node, subject: Subject) -> str:
    """Ask systemctl is-failed, which says 0 for one that has failed."""
    return _asked(node, f"! systemctl is-failed {subject.unit}")


def sockets(node: Node, subject: Subject) -> str:
    """Ask ss whether somebody listens."""
    return _asked(node, f"ss -Hltn sport = {subject.port} | grep -q .") if subject.port else ""


def goss(node: Node, subject: Subject) -> str:
    """Ask goss: the service runs, and the port listens and can be reached."""
    asked: dict[str, object] = {"service": {subject.unit.removesuffix(".service"): {"running": True}}}
    if subject.port:
        asked["port"] = {f"tcp:{subject.port}": {"listening": True}}
        asked["addr"] = {f"tcp://127.0.0.1:{subject.port}": {"reachable": True, "timeout": 1000}}
    node.write_file(GOSS_FILE, json.dumps(asked))
    return _asked(node, f"goss --gossfile {GOSS_FILE} validate")


def testinfra(node: Node, subject: Subject) -> str:
    """Ask testinfra the same."""
    lines = [
        "def test_all(host):",
        f"    assert host.service({subject.unit.removesuffix('.service')!r}).is_running",
        f"    assert host.socket('tcp://127.0.0.1:{subject.port}').is_listening" if subject.port else "",
    ]
    node.write_file(TESTINFRA_FILE, "\n".join(lines) + "\n")
    return _asked(node, f"python3 -m pytest -q -p no:cacheprovider {TESTINFRA_FILE}")


def check_systemd(node: Node, subject: Subject) -> str:
    """Ask the plugin of Nagios for one unit."""
    return _asked(node, f"/usr/lib/nagios/plugins/check_systemd --unit {subject.unit}")


def monit(node: Node, subject: Subject) -> str:
    """Ask monit, which knows processes and ports, and no units."""
    if not subject.process:
        return ""
    port = (
        f"  if failed host 127.0.0.1 port {subject.port} type tcp with timeout 1 seconds then alert\n"
        if subject.port
        else ""
    )
    node.write_file(MONIT_FILE, f'check process tried matching "{subject.process}"\n{port}', 0o600)
    # It says what is wrong, and ends with 0.
    return _asked(node, f"! monit -c {MONIT_FILE} validate 2>&1 | grep -E 'not running|failed|error'")


def node_exporter(node: Node, subject: Subject) -> str:
    """Ask the metrics of node_exporter as its dashboards do: is a unit in the state failed?"""
    query = f'node_systemd_unit_state{{name="{subject.unit}",state="failed"'
    return _asked(
        node,
        "prometheus-node-exporter --collector.disable-defaults --collector.systemd --web.listen-address=127.0.0.1:9101 "
        ">/dev/null 2>&1 & server=$!; found=1; for _ in $(seq 50); do sleep 0.1; "
        "if metrics=$(curl -s -m 5 127.0.0.1:9101/metrics); then "
        f"echo \"$metrics\" | grep -F {shlex.quote(query)} | grep -q ' 0$'; found=$?; break; fi; done; "
        "kill $server; exit $found",
    )


PEERS: dict[str, Callable[[Node, Subject], str]] = {
    "systemctl is-active": is_active,
    "systemctl is-failed": is_failed,
    "ss": sockets,
    "goss": goss,
    "testinfra": testinfra,
    "check_systemd": check_systemd,
    "monit": monit,
    "node_exporter": node_exporter,
}
