"""Scenarios: ways in which a node of the cluster breaks, and what nodecheck has to say of each."""

import contextlib
import dataclasses
import pathlib
import re
import shlex
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .cluster import Cluster, ClusterNode
from .hostside import CLOCK
from .machine import MachineError
from .node import Node, Outcome

MEND_SECONDS = 120.0
QUIET = ("ok", "skipped", "blocked", "info")
SHELL = (pathlib.Path(__file__).with_suffix(".sh")).read_text()
SHELL += f'synchronised() {{ # the clock is (1), or is not (0)\n  python3 -c {shlex.quote(CLOCK)} "$1" >/dev/null\n}}\n'
ANSWERS = "curl --silent --fail --insecure --max-time 3 --output /dev/null"
NODE_WELL = f"""
systemctl is-active --quiet docker containerd kubelet
docker ps >/dev/null
{ANSWERS} http://127.0.0.1:10248/healthz
{ANSWERS} http://127.0.0.1:10256/healthz
"""
CONTROL_PLANE_WELL = f"""
{ANSWERS} https://127.0.0.1:6443/readyz
{ANSWERS} http://127.0.0.1:2381/health
{ANSWERS} https://127.0.0.1:10257/healthz
{ANSWERS} https://127.0.0.1:10259/healthz
"""
API = "kubectl --kubeconfig=/etc/kubernetes/admin.conf --request-timeout=5s get --no-headers"
# Once, before the first scenario: later the containers are told from the engine, which knows sooner than the API does.
READY = f"""
{API} nodes | awk '$2 != "Ready" {{ exit 1 }}'
{API} pods --all-namespaces | awk '{{ split($3, ready, "/"); if (ready[1] != ready[2] || $4 != "Running") exit 1 }}'
"""
CONTAINERS = "docker ps --format '{{.Names}}' | cut -d_ -f2 | sort | xargs"


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A way to break a node: shell commands that do it and undo it, and the check that has to name the cause."""

    name: str
    node: str  # control_plane or worker
    breaks: str
    mends: str
    cause: str  # matches the name of each check that is not well
    says: str = ""  # matches its message
    criticals: int = 1
    within: float = 20.0  # seconds until nodecheck names it: some breakages take a while to be one
    machine: bool = False  # it is about what a container does not judge: the node is taken for a machine of its own


@dataclasses.dataclass(frozen=True)
class Row:
    """What came of a scenario."""

    scenario: Scenario
    named: str
    criticals: int
    judged: float  # seconds of one run of nodecheck
    whole: float  # seconds from well to well


def table(*scenarios: Scenario) -> pytest.MarkDecorator:
    """Parametrize a test with these scenarios."""
    return pytest.mark.parametrize("scenario", scenarios, ids=[one.name for one in scenarios])


def problems(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """The results that are not well, by the name of their check."""
    return {one["name"]: one for one in outcome.report.get("results", []) if one["status"] not in QUIET}


class Proving:
    """The cluster, broken by one scenario at a time and mended after each."""

    def __init__(self, cluster: Cluster, say: Callable[[str], None]) -> None:
        self.cluster = cluster
        self.rows: list[Row] = []
        self._say = say
        self._before: dict[str, set[str]] = {}
        self._known: set[str] = set()  # what is not well before a scenario
        self._containers: dict[str, str] = {}
        self.settle()

    def settle(self) -> None:
        """Wait until the cluster is well, and keep what nodecheck says then."""
        self._before = {}
        self._containers = {}
        self._wait_until_well()
        for node in self.cluster.nodes:
            self._before[node.hostname] = set(problems(nodecheck(node)))
            self._containers[node.hostname] = shell(node, CONTAINERS)

    def prove(self, scenario: Scenario) -> None:
        """Break the node, and assert that nodecheck names the cause, and that alone."""
        started = time.monotonic()
        node: ClusterNode = getattr(self.cluster, scenario.node)
        with self.broken(scenario):
            outcome = self._judge(node, scenario)
        found = {name: one for name, one in problems(outcome).items() if name not in self._known}
        criticals = [name for name, one in found.items() if one["status"] == "critical"]
        whole = time.monotonic() - started
        self.rows.append(Row(scenario, ", ".join(criticals or found), len(criticals), outcome.seconds, whole))
        said = "\n".join(f"{one['status']} {name}: {one['message']}" for name, one in found.items()) or "all is well"
        assert all(re.search(scenario.cause, name) for name in found), said
        assert len(criticals) == scenario.criticals, said
        assert found, said
        assert all(re.search(scenario.says, one["message"]) for one in found.values()), said

    def _judge(self, node: ClusterNode, scenario: Scenario) -> Outcome:
        """Run nodecheck until it names the cause, or for as long as it may take to be seen."""
        deadline = time.monotonic() + scenario.within
        while True:
            outcome = nodecheck(node)
            named = any(re.search(scenario.cause, name) for name in problems(outcome))
            if named or time.monotonic() > deadline:
                return outcome
            time.sleep(0.5)

    @contextlib.contextmanager
    def broken(self, scenario: Scenario) -> Iterator[None]:
        """The node is broken inside, and well again afterwards: mended, or else booted anew."""
        node: ClusterNode = getattr(self.cluster, scenario.node)
        self._known = self._before[node.hostname]
        try:
            if scenario.machine:
                shell(node, "mv /run/systemd/container /run/container")
                self._known = set(problems(nodecheck(node)))
            shell(node, scenario.breaks)
            yield
        finally:
            self._mend(node, scenario)

    def _mend(self, node: ClusterNode, scenario: Scenario) -> None:
        """Undo a scenario and wait until all is well; boot the whole cluster anew when it does not get so."""
        try:
            shell(
                node, f"if [ -e /run/container ]; then mv /run/container /run/systemd/container; fi\n{scenario.mends}"
            )
            node.run("sh", "-c", "rm -rf /root/away /var/lib/nodecheck/*; systemctl reset-failed", check=False)
            self._wait_until_well()
        except (MachineError, TimeoutError) as error:
            self._say(f"{scenario.name}: the cluster could not be mended and is booted anew: {error}")
            self.cluster.reboot()
            self.settle()

    def _wait_until_well(self) -> None:
        """Wait until every component answers, and nodecheck says no more than before."""
        deadline = time.monotonic() + MEND_SECONDS
        while why := self._why_not_well():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not well within {MEND_SECONDS:g} s: {why}")
            time.sleep(0.3)

    def _why_not_well(self) -> str:
        """What is not well; nothing when all is."""
        for node in self.cluster.nodes:
            done = node.run("bash", "-euxo", "pipefail", "-c", self._well(node), check=False)
            if done.returncode != 0:
                return f"{node.hostname}: {done.stderr.strip().splitlines()[-1:]}"
        for node in self.cluster.nodes if self._before else ():
            more = set(problems(nodecheck(node))) - self._before[node.hostname]
            if more:
                return f"{node.hostname}: nodecheck says {', '.join(sorted(more))}"
        return ""

    def _well(self, node: ClusterNode) -> str:
        """The script that succeeds when the node is well."""
        script = NODE_WELL + (CONTROL_PLANE_WELL if node is self.cluster.control_plane else "")
        if node.hostname in self._containers:
            return f'{script}[ "$({CONTAINERS})" = "{self._containers[node.hostname].strip()}" ]'
        return script + (READY if node is self.cluster.control_plane else "")


def shell(node: ClusterNode, script: str) -> str:
    """Run a script of a scenario in the node, and return what it said."""
    return node.run("bash", "-c", SHELL + script, timeout=90).stdout


def nodecheck(node: ClusterNode) -> Outcome:
    """Run nodecheck in the node as its package sets it up."""
    return Node(node).nodecheck("run", "-o", "json")


def markdown(rows: list[Row]) -> str:
    """The rows as a table, and the slowest run of nodecheck below it."""
    lines = ["| broken | node | named | criticals | nodecheck | in all |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        cells = [row.scenario.name, row.scenario.node.replace("_", " "), row.named or "nothing", str(row.criticals)]
        lines.append("| " + " | ".join([*cells, f"{row.judged:.1f} s", f"{row.whole:.0f} s"]) + " |")
    slowest = max((row.judged for row in rows), default=0.0)
    total = sum(row.whole for row in rows)
    return "\n".join([*lines, f"{len(rows)} scenarios in {total:.0f} s; the slowest run took {slowest:.1f} s"])
