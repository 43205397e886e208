"""The fake node: a recorded one, made of plain data, so nothing is mocked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodecheck import checks
from nodecheck.checks.base import kind_of
from nodecheck.node.facts import Fact
from nodecheck.node.node import CounterWant, FileWant, ListenerWant, ManagerWant, UnitWant, UserWant
from nodecheck.node.observations import Observations
from nodecheck.node.processes import Process, ProcessTable, ProcessWant
from nodecheck.node.record import Replayed
from nodecheck.node.unobserved import Unobserved
from nodecheck.report.result import Finding, Report, Result, Status, worst

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodecheck.checks.base import Check
    from nodecheck.node.node import Node
    from nodecheck.node.sockets import Connection, Listener

MONOTONIC = 1_000_000.0  # the clocks of the fake node, in seconds
REALTIME = 1_763_970_000.0
UPTIME = 1_000_000.0

# What a finding may be of, or expect, that no argument is called, or says.
RUNGS = frozenset({"unseen", "answers", "ready", "space", "bus"})
ANSWERS = frozenset({"an answer", "an end", "no process left", "a certificate", "exists", "JSON", "at most 10 bytes"})
COMPARED = frozenset({"same_version"})  # what it expects is what another has


def ago(seconds: float) -> int:
    """Return the monotonic timestamp of systemd, in microseconds, of something so many seconds ago."""
    return int((MONOTONIC - seconds) * 1e6)


def ago_realtime(seconds: float) -> int:
    """Return the same by the wall clock."""
    return int((REALTIME - seconds) * 1e6)


def service(name: str = "x.service", **properties: Any) -> dict[str, Any]:
    """Return the properties of a service that runs for an hour, with some of them changed."""
    return {
        "Id": name, "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Job": "",
        "UnitFileState": "enabled", "Type": "simple", "RemainAfterExit": False, "Restart": "no", "RestartUSec": 100_000,
        "NRestarts": 0, "Result": "success", "NeedDaemonReload": False, "ExecMainCode": 0, "ExecMainStatus": 0,
        "StatusText": "", "MainPID": 100, "TriggeredBy": [], "ConditionResult": True,
        "ConditionTimestampMonotonic": ago(3600), "StateChangeTimestampMonotonic": ago(3600),
        "StateChangeTimestamp": ago_realtime(3600), "ActiveEnterTimestampMonotonic": ago(3600),
        "ActiveExitTimestampMonotonic": 0, "InactiveExitTimestampMonotonic": ago(3600),
        "ExecMainExitTimestampMonotonic": 0,
    } | properties  # fmt: skip


def process(pid: int = 100, name: str = "dockerd", **fields: Any) -> Process:
    """Return a process that sleeps well, with some of its fields changed."""
    plain: dict[str, Any] = {
        "state": "S", "parent": 1, "threads": 1, "started": UPTIME - 3600, "uid": 0, "exe": f"/usr/bin/{name}",
        "cmdline": f"/usr/bin/{name}", "unit": f"{name}.service",
    }  # fmt: skip
    return Process(pid, name, **(plain | fields))


def node(
    *,
    units: Iterable[dict[str, Any]] | Unobserved | None = None,
    aliases: dict[str, dict[str, Any]] | None = None,
    manager: dict[str, Any] | Unobserved | None = None,
    processes: Iterable[Process] | Unobserved | None = None,
    complete: bool = True,
    listeners: Iterable[Listener] | Unobserved | None = None,
    connections: dict[int, Connection] | None = None,
    users: dict[str, int | Unobserved | None] | None = None,
    files: dict[str, str | Unobserved | None] | None = None,
) -> Node:
    """Return a node on which this was seen; what is left out was not looked at."""
    observed = Observations(
        manager=manager,
        processes=_table(processes, complete=complete),
        connections=dict(connections or {}),
        users=dict(users or {}),
        files=dict(files or {}),
        clocks={"monotonic": MONOTONIC, "realtime": REALTIME, "boottime": UPTIME},
    )
    if units is not None or aliases is not None:
        seen = units if isinstance(units, Unobserved) else {unit["Id"]: unit for unit in units or ()} | (aliases or {})
        observed.units = {"system": seen, "user": seen}
    if listeners is not None:
        observed.listeners = {protocol: _of_protocol(listeners, protocol) for protocol in ("tcp", "udp")}
    made = Replayed(facts=_facts(), groups={"all": "every node"}, observed=observed, source="of the test")
    known = observed.units.get("system", {})
    made.judged = set() if isinstance(known, Unobserved) else set(known)
    return made


def dark(reason: str = "it was dark", source: str = "systemd", *, broken: bool = False) -> Unobserved:
    """Return a window that stayed dark."""
    return Unobserved(source, reason, broken=broken)


def make(type_name: str, **arguments: Any) -> Check:
    """Return a check from arguments as they stand in a definition."""
    kind = checks.type_named(type_name)
    assert kind is not None, type_name
    fields = kind.arguments()
    return kind(**{name: kind_of(fields[name]).read(value) for name, value in arguments.items()})


def seen_by(check: Any, seen: Any) -> Node:
    """Make a node on which the one window that a check looks through showed this."""
    (want,) = check.wants()
    made = node()
    made.observed.windows = {want.window: {want.key: seen}}
    return made


class _Asked:
    """A node that shows a check what it has asked for, and nothing else."""

    def __init__(self, seen: Node, check: Check) -> None:
        self._seen = seen
        self._wants = list(check.wants())

    def __getattr__(self, name: str) -> Any:
        assert name != "manager" or any(isinstance(want, ManagerWant) for want in self._wants)
        return getattr(self._seen, name)

    def look(self, want: Any) -> Any:
        assert want in self._wants
        return self._seen.look(want)

    def samples(self, name: str) -> Any:
        assert name in self._names(CounterWant)
        return self._seen.samples(name)

    def unit(self, name: str, scope: str = "system") -> dict[str, Any]:
        assert name in self._names(UnitWant)
        return self._seen.unit(name, scope)

    def file_text(self, path: str) -> str | None:
        assert FileWant(path) in self._wants
        return self._seen.file_text(path)

    def user_id(self, name: str) -> int | None:
        assert name in self._names(UserWant)
        return self._seen.user_id(name)

    def listeners(self, protocol: str, port: int) -> list[Listener]:
        wants = [want for want in self._wants if isinstance(want, ListenerWant) and want[:2] == (protocol, port)]
        owners = any(want.owners for want in wants)
        assert wants
        found = self._seen.listeners(protocol, port)
        return found if owners else [listener._replace(owners=None) for listener in found]

    def connection(self, listener: Listener) -> Connection | None:
        assert any(isinstance(want, ListenerWant) and want.connect for want in self._wants)
        return self._seen.connection(listener)

    def process(self, pid: int) -> Process | None:
        found = self._seen.process(pid)
        return found and self._as_wanted(found)

    def process_table(self) -> ProcessTable:
        table = self._seen.process_table()
        return table._replace(processes=[self._as_wanted(process) for process in table.processes])

    def _as_wanted(self, process: Process) -> Process:
        """Return a process as one pass sees it: of what costs more, only what was asked for."""
        wants = [want for want in self._wants if isinstance(want, ProcessWant)]
        assert wants
        read = frozenset({"still_for"}).union(*(want.fields for want in wants))  # that costs nothing
        read |= read.union(*(want.details for want in wants if want.selects(process) is not False))
        unread: dict[str, Any] = dict.fromkeys(Process._field_defaults.keys() - read)
        return process._replace(**unread)

    def _names(self, kind: Any) -> list[str]:
        return [want.name for want in self._wants if isinstance(want, kind)]


def judge(check: Check, seen: Node) -> list[Finding]:
    """Return the findings of what can be seen on a node, each looked through."""
    findings = judge_odd(check, seen)
    for finding in findings:
        _look_through(check, finding)
    return findings


def judge_odd(check: Check, seen: Node) -> list[Finding]:
    """Return the findings; what could not be seen is one with the status unknown, as the engine makes it."""
    findings: list[Finding] = []
    try:
        findings.extend(check.judge(_Asked(seen, check)))  # type: ignore[arg-type]  # it stands for the node
    except Unobserved as unseen:
        findings.append(Finding("unseen", Status.UNKNOWN, "an answer", "none", unseen.reason))
    return findings


def _look_through(check: Check, finding: Finding) -> None:
    """Assert what holds for every finding: it is of an argument, expects what that says, and does not contradict it."""
    named_by_a_plugin = getattr(check, "protocol", None) in ("nagios", "checkmk")
    assert finding.property in RUNGS or finding.property in check.arguments() or named_by_a_plugin, finding
    said = getattr(check, finding.property, None)
    if said is not None and finding.property not in COMPARED:
        assert str(finding.expected) in _said(said) | ANSWERS, finding
    if isinstance(finding.expected, bool) and isinstance(finding.observed, bool):
        assert (finding.expected == finding.observed) == (finding.status is Status.OK), finding
    assert isinstance(finding.status, Status), finding
    assert finding.status is not Status.OK or (", expected" not in finding.message and not finding.remedy), finding


def _said(said: Any) -> set[str]:
    """Return what an argument says, as a whole and by its parts, as findings show it."""
    parts = said.values() if isinstance(said, dict) else said if isinstance(said, tuple) else (said, f"at most {said}")
    return {str(said), *map(str, parts)}


def status_of(check: Check, seen: Node) -> Status:
    """Return the worst status of the findings."""
    return worst([finding.status for finding in judge(check, seen)])


def told(check: Check, seen: Node) -> str:
    """Return the messages of what is not ok, or of all that is."""
    findings = judge(check, seen)
    return "; ".join(f.message for f in [f for f in findings if f.status is not Status.OK] or findings)


def statuses(check: Check, seen: Node) -> dict[str, Status]:
    """Return the status of each property; the last one counts for a property that is judged more than once."""
    return {finding.property: finding.status for finding in judge(check, seen)}


def result(name: str, status: Status, message: str = "", **fields: Any) -> Result:
    """Return a result of a play `Node`."""
    plain: dict[str, Any] = {
        "id": name.lower().replace(" ", "-"), "play": "Node", "type": "unit", "severity": "critical", "findings": (),
        "causes": (), "since": None, "duration_seconds": 0.004, "tags": ("runtime",), "source": "checks.d/10.yaml:7",
        "remedy": "",
    }  # fmt: skip
    return Result(name=name, status=status, message=message or f"{name} said so", **(plain | fields))


def report(*results: Result, **fields: Any) -> Report:
    """Return the report of a run of these results."""
    plain: dict[str, Any] = {
        "run_id": "0f3c", "started_at": REALTIME + 0.113, "duration_seconds": 0.2134, "budget_seconds": 30.0,
        "node": {"hostname": "node01", "machine_id": "ab", "boot_id": "cd", "groups": ["all", "docker"]},
        "version": "0.1.0", "files": ("checks.d/10.yaml",), "digest": lambda: "sha256:00",
    }  # fmt: skip
    return Report(results=results, **(plain | fields))


def _facts() -> dict[str, Fact]:
    return {name: Fact(name, "made up") for name in ("hostname", "machine_id", "boot_id")}


def _table(processes: Iterable[Process] | Unobserved | None, *, complete: bool) -> ProcessTable | Unobserved | None:
    if processes is None or isinstance(processes, Unobserved):
        return processes
    return ProcessTable(list(processes), complete=complete, boottime=UPTIME)


def _of_protocol(listeners: Iterable[Listener] | Unobserved, protocol: str) -> list[Listener] | Unobserved:
    if isinstance(listeners, Unobserved):
        return listeners
    return [listener for listener in listeners if listener.protocol == protocol]
