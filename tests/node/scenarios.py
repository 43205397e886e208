"""Scenarios: ways in which a node breaks, and what nodecheck has to say of each."""

import contextlib
import dataclasses
import pathlib
import re
import shlex
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .cluster import Cluster
from .hostside import CLOCK
from .machine import Machine, MachineError
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
    node: str  # as its place calls it: control_plane, worker, openstack
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


@dataclasses.dataclass(frozen=True)
class Place:
    """Where scenarios happen: nodes by their names in scenarios, and how to know that they are well."""

    nodes: Callable[[], dict[str, Machine]]  # others after a reboot
    reboot: Callable[[], None]
    well: dict[str, str]  # a script for each node, which succeeds when the node is well
    ready: dict[str, str] = dataclasses.field(default_factory=dict)  # the same, once, before the first scenario
    same: str = "true"  # a script that says after a scenario what it said before


def of_cluster(cluster: Cluster) -> Place:
    """The control plane and the worker."""
    return Place(
        nodes=lambda: {"control_plane": cluster.control_plane, "worker": cluster.worker},
        reboot=cluster.reboot,
        well={"control_plane": NODE_WELL + CONTROL_PLANE_WELL, "worker": NODE_WELL},
        ready={"control_plane": READY},
        same=CONTAINERS,
    )


def table(*scenarios: Scenario) -> pytest.MarkDecorator:
    """Parametrize a test with these scenarios."""
    return pytest.mark.parametrize("scenario", scenarios, ids=[one.name for one in scenarios])


def problems(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """The results that are not well, by the name of their check."""
    return {one["name"]: one for one in outcome.report.get("results", []) if one["status"] not in QUIET}


def is_of_the_scenario_before(result: dict[str, Any]) -> bool:
    """Tell whether the cluster's name service has no endpoint, so that kube-proxy rejects what is sent to it.

    The cluster takes the endpoints of a node away up to a minute after that was not ready, and gives them back late.
    """
    return re.search(r"^nothing listens on \S+ for questions of DNS", str(result["message"])) is not None


class Proving:
    """Nodes that are broken by one scenario at a time and mended after each."""

    def __init__(self, place: Place, say: Callable[[str], None]) -> None:
        self._place = place
        self.rows: list[Row] = []
        self._say = say
        self._before: dict[str, set[str]] = {}
        self._known: set[str] = set()  # what is not well before a scenario
        self._same: dict[str, str] = {}
        self.settle()

    @property
    def nodes(self) -> dict[str, Machine]:
        """The nodes by their names."""
        return self._place.nodes()

    def settle(self) -> None:
        """Wait until the nodes are well, and keep what nodecheck says then."""
        self._before = {}
        self._same = {}
        self._wait_until_well()
        for name, node in self.nodes.items():
            self._before[name] = set(problems(nodecheck(node)))
            self._same[name] = shell(node, self._place.same)

    def prove(self, scenario: Scenario) -> None:
        """Break the node, and assert that nodecheck names the cause, and that alone."""
        started = time.monotonic()
        with self.broken(scenario):
            outcome = self._judge(self.nodes[scenario.node], scenario)
        found = {
            name: one
            for name, one in problems(outcome).items()
            if name not in self._known and not is_of_the_scenario_before(one)
        }
        criticals = [name for name, one in found.items() if one["status"] == "critical"]
        whole = time.monotonic() - started
        self.rows.append(Row(scenario, ", ".join(criticals or found), len(criticals), outcome.seconds, whole))
        said = "\n".join(f"{one['status']} {name}: {one['message']}" for name, one in found.items()) or "all is well"
        assert all(re.search(scenario.cause, name) for name in found), said
        assert len(criticals) == scenario.criticals, said
        assert found, said
        assert all(re.search(scenario.says, one["message"]) for one in found.values()), said

    def _judge(self, node: Machine, scenario: Scenario) -> Outcome:
        """Run nodecheck until it names the cause, or for as long as it may take to be seen."""
        deadline = time.monotonic() + scenario.within
        while True:
            outcome = nodecheck(node)
            serious = {"critical"} if scenario.criticals else {"critical", "warning", "unknown"}
            named = (
                re.search(scenario.cause, name) for name, one in problems(outcome).items() if one["status"] in serious
            )
            if any(named) or time.monotonic() > deadline:
                return outcome
            time.sleep(0.5)

    @contextlib.contextmanager
    def broken(self, scenario: Scenario) -> Iterator[None]:
        """The node is broken inside, and well again afterwards: mended, or else booted anew."""
        node = self.nodes[scenario.node]
        self._known = self._before[scenario.node]
        try:
            if scenario.machine:
                shell(node, "mv /run/systemd/container /run/container")
                self._known = set(problems(nodecheck(node)))
            shell(node, scenario.breaks)
            yield
        finally:
            self._mend(node, scenario)

    def _mend(self, node: Machine, scenario: Scenario) -> None:
        """Undo a scenario and wait until all is well; boot all nodes anew when it does not get so."""
        try:
            shell(
                node, f"if [ -e /run/container ]; then mv /run/container /run/systemd/container; fi\n{scenario.mends}"
            )
            node.run("sh", "-c", "rm -rf /root/away /var/lib/nodecheck/*; systemctl reset-failed", check=False)
            self._wait_until_well()
        except (MachineError, TimeoutError) as error:
            self._say(f"{scenario.name}: it could not be mended, and all nodes are booted anew: {error}")
            self._place.reboot()
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
        for name, node in self.nodes.items():
            done = node.run("bash", "-euxo", "pipefail", "-c", self._well(name), check=False)
            if done.returncode != 0:
                return f"{name}: {done.stderr.strip().splitlines()[-1:]}"
        for name, node in self.nodes.items() if self._before else ():
            more = set(problems(nodecheck(node))) - self._before[name]
            if more:
                return f"{name}: nodecheck says {', '.join(sorted(more))}"
        return ""

    def _well(self, name: str) -> str:
        """The script that succeeds when the node is well."""
        script = self._place.well[name]
        if name in self._same:
            return f'{script}[ "$({self._place.same})" = "{self._same[name].strip()}" ]'
        return script + self._place.ready.get(name, "")


def shell(node: Machine, script: str) -> str:
    """Run a script of a scenario in the node, and return what it said."""
    return node.run("bash", "-c", SHELL + script, timeout=90).stdout


def nodecheck(node: Machine) -> Outcome:
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
