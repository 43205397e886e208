"""TCP and UDP ports: who listens where, and does it accept?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from nodecheck.checks._port_address import EVERYWHERE, LOOPBACK, any_of, bound_to, in_the_way, parse, serves, shown
from nodecheck.checks.base import Check, arg
from nodecheck.durations import format_duration
from nodecheck.node.node import ListenerWant, UnitWant
from nodecheck.node.processes import ProcessWant
from nodecheck.node.unobserved import Unobserved
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Text
    from nodecheck.node.node import Node, Want
    from nodecheck.node.processes import Process
    from nodecheck.node.sockets import Connection, Listener

LISTENING = "listening"
SYSTEMD_PID = 1
# Who holds a port for somebody else, and what to write then.
STAND_INS = {
    "systemd": "systemd holds it for a socket unit: name that with unit, or add systemd to process",
    "docker-proxy": "docker-proxy holds it for a container: expect docker-proxy",
}


class Port(Check):
    """A TCP or UDP port of this host is open, at the right address, held by the right process; or it is free."""

    port: int = arg("Port number.", minimum=1, maximum=65535)
    protocol: str = arg("Transport protocol.", default="tcp", choices=("tcp", "udp"))
    address: str = arg(
        "Local address it has to be bound to. 0.0.0.0 is every IPv4 address: a socket on :: that serves IPv4 too is as "
        "good. loopback: on no other address than 127.0.0.0/8 and ::1. everywhere: every IPv4 and every IPv6 address. "
        "Any, when left out.",
        default=None,
    )
    state: str = arg(
        "listening, or free: nothing is bound to it. any: it may be free, and it is judged only by whom it is held.",
        default=LISTENING,
        choices=(LISTENING, "free", "any"),
    )
    process: Text = arg(
        "Name of the process that has to hold it. systemd holds the sockets of socket units.", default=None
    )
    unit: str = arg(
        "Unit that has to hold it: by its control group, or as the socket unit that starts it.", default=None
    )
    connect: bool = arg(
        "Whether to connect to it: the process has to take the connection before the check's timeout. TCP only, and "
        "not where only systemd listens: that would start a service. Nothing is said; of such connections from "
        "another address than the loopback's, MariaDB and MySQL take max_connect_errors, and then shut this host out.",
        default=False,
    )

    EXAMPLE: ClassVar[str] = """\
- name: The kubelet serves its API
  port: {port: 10250, process: kubelet, connect: true}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """An address is an address, and a free port has no properties."""
        if self.address is not None and self.address not in (LOOPBACK, EVERYWHERE) and parse(self.address) is None:
            yield "address", f"{self.address!r} is no IP address", f"an address, {LOOPBACK} or {EVERYWHERE}"
        elif "%" in (self.address or ""):  # as ss prints it; no socket would ever be at such an address
            bare = str(self.address).partition("%")[0]
            yield "address", "the kernel tells the address of a socket without an interface", f"write {bare}"
        if self.connect and self.protocol == "udp":
            yield "connect", "UDP knows no connections", ""
        if self.state == "free" and (self.process is not None or self.unit is not None or self.connect):
            yield "state", "a free port has no process, no unit and no connections", ""
        if self.state == "any" and self.process is None and self.unit is None:
            yield "state", "with any, only who holds the port is judged", "name its process or its unit"

    def wants(self) -> Iterator[Want]:
        """The sockets; owners and a connection only when they are asked for."""
        owners = self.process is not None or self.unit is not None or self.state == "free"
        yield ListenerWant(self.protocol, self.port, owners=owners, connect=self.connect)
        if owners:
            yield ProcessWant(
                frozenset({"exe"} | ({"unit"} if self.unit is not None else set())), frozenset(), lambda _: False
            )
        if self.unit is not None:
            yield UnitWant(self.unit, ("TriggeredBy", "Listen"))

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last: bound, at the right address, by the right process, and accepting."""
        listeners = node.listeners(self.protocol, self.port)
        if self.state == "free":
            yield self._judge_free(listeners, node)
            return
        yield self._judge_listening(listeners)
        if not listeners:
            return
        if self.address is not None:
            yield self._judge_address(listeners)
        serving = [listener for listener in listeners if serves(listener, self.address) is not False] or listeners
        if self.process is not None:
            yield self._judge_process(serving, node)
        if self.unit is not None:
            yield self._judge_unit(serving, node)
        if self.connect:
            yield from self._judge_connection(serving, node)

    @property
    def _called(self) -> str:
        return f"port {self.port}/{self.protocol}"

    def _judge_listening(self, listeners: list[Listener]) -> Finding:
        if not listeners:
            status = Status.OK if self.state == "any" else Status.CRITICAL
            return Finding("state", status, self.state, "free", f"nothing listens on {self._called}")
        where = ", ".join(sorted({shown(listener) for listener in listeners}))
        return Finding("state", Status.OK, self.state, where, f"{self._called} is open on {where}")

    def _judge_free(self, listeners: list[Listener], node: Node) -> Finding:
        answers = {listener: in_the_way(listener, self.address) for listener in listeners}
        if any_of(answers.values()) is None:
            self._raise_vague()
        held = [listener for listener, answer in answers.items() if answer]
        if not held:
            return Finding("state", Status.OK, "free", "free", f"{self._called} is free")
        where = ", ".join(sorted({shown(listener) for listener in held}))
        names = _owner_names(held, node)
        by = f" by {', '.join(names)}" if names else ""
        return Finding(
            "state", Status.CRITICAL, "free", where, f"{self._called} is not free: it is held on {where}{by}"
        )

    # ---- where

    def _judge_address(self, listeners: list[Listener]) -> Finding:
        where = ", ".join(sorted({shown(listener) for listener in listeners}))
        answer = bound_to(listeners, self.address)
        if answer is None:
            self._raise_vague()
        message = f"{self._called} is open on {where}" + ("" if answer else f", expected {self.address}")
        return Finding("address", Status.OK if answer else Status.CRITICAL, self.address, where, message)

    def _raise_vague(self) -> NoReturn:
        reason = (
            f"whether the socket on :: of {self._called} serves IPv4 too could not be seen: "
            f"the kernel module {self.protocol}_diag is not loaded"
        )
        raise Unobserved("dual-stack sockets", reason, remedy=f"modprobe {self.protocol}_diag, or call ss once")

    # ---- who

    def _judge_process(self, listeners: list[Listener], node: Node) -> Finding:
        expected = self.process
        assert expected is not None  # noqa: S101  # judged only when set
        for listener in listeners:
            owners = _owners(listener, node)
            if any(expected.matches((owner.name, _basename(owner))) for owner in owners):
                names = ", ".join(_called(owner) for owner in owners)
                return Finding("process", Status.OK, str(expected), names, f"{self._called} is held by {names}")
        held_by = _owner_names(listeners, node)
        if not held_by or not _all_seen(listeners, node):
            _raise_unseen_owner(self._called, listeners)
        message = f"{self._called} is held by {', '.join(held_by)}, expected {expected}"
        kinds = {owner.name for listener in listeners for owner in _owners(listener, node)}
        message = "; ".join([message, *(hint for name, hint in STAND_INS.items() if name in kinds)])
        return Finding("process", Status.CRITICAL, str(expected), ", ".join(held_by), message)

    def _judge_unit(self, listeners: list[Listener], node: Node) -> Finding:
        owners = [owner for listener in listeners for owner in _owners(listener, node)]
        units = sorted({owner.unit for owner in owners if owner.unit})
        if self.unit in units:
            return Finding("unit", Status.OK, self.unit, self.unit, f"{self._called} is held by {self.unit}")
        if not owners or not _all_seen(listeners, node, executables=False):
            _raise_unseen_owner(self._called, listeners)
        wanted = node.unit(self.unit or "")
        if wanted["Id"] in units:
            return Finding("unit", Status.OK, self.unit, wanted["Id"], f"{self._called} is held by {wanted['Id']}")
        socket = self._socket_unit(wanted) if any(owner.pid == SYSTEMD_PID for owner in owners) else ""
        if socket:
            return Finding("unit", Status.OK, self.unit, socket, f"{self._called} is held by systemd for {socket}")
        observed = ", ".join(units) or "no unit"
        message = f"{self._called} is held by {', '.join(_owner_names(listeners, node))} of {observed}"
        return Finding("unit", Status.CRITICAL, self.unit, observed, f"{message}, expected {self.unit}")

    def _socket_unit(self, unit: dict[str, Any]) -> str:
        """The socket unit for which systemd holds this port, if it is the wanted unit or starts it."""
        candidates = {unit["Id"]: unit} | (unit.get("Triggers") or {})
        return next((name for name, state in candidates.items() if self._listens(state.get("Listen") or ())), "")

    def _listens(self, listen: Any) -> bool:
        """systemd shows ("Stream", "[::]:80") for ListenStream=80."""
        kind = {"tcp": "Stream", "udp": "Datagram"}[self.protocol]
        return any(what == kind and where.rpartition(":")[2] == str(self.port) for what, where in listen)

    # ---- does it accept?

    def _judge_connection(self, listeners: list[Listener], node: Node) -> Iterator[Finding]:
        for listener in listeners:
            made = node.connection(listener)
            if made is None:
                raise node.absent(f"a connection to {self._called}")
            yield self._judge_connected(listener, made)

    def _judge_connected(self, listener: Listener, made: Connection) -> Finding:
        full = listener.backlog is not None and listener.queued > listener.backlog
        queue = f": its queue is full ({listener.queued} wait, {listener.backlog} may)" if full else ""
        where = f"{self._called} on {shown(listener)}"
        within = f"within {format_duration(made.seconds)}"
        if made.error:
            message = f"{where} cannot be connected to: {made.error.lower()} {within}{queue}"
            return Finding("connect", Status.CRITICAL, True, made.error, message)
        if made.accepted is None:
            message = f"{where} can be connected to; whether its process takes the connection could not be seen"
            return Finding("connect", Status.UNKNOWN, True, None, message)
        if not made.accepted:
            waiting = queue or ": they wait in its queue"
            message = f"{where} listens, but its process does not take connections{waiting}"
            return Finding("connect", Status.CRITICAL, True, "not accepted", message)
        return Finding("connect", Status.OK, True, True, f"{where} accepts {within}")


def _owners(listener: Listener, node: Node) -> list[Process]:
    if listener.owners is None:
        return []
    found = (node.process(pid) for pid in listener.owners)
    return [process for process in found if process]


def _all_seen(listeners: list[Listener], node: Node, *, executables: bool = True) -> bool:
    """Tell whether each socket's owners are known, and their names in full."""
    for listener in listeners:
        owners = _owners(listener, node)
        if listener.owners is None or len(owners) < len(listener.owners):
            return False
        if executables and any(owner.exe is None for owner in owners):
            return False
    return True


def _owner_names(listeners: list[Listener], node: Node) -> list[str]:
    return list(dict.fromkeys(_called(owner) for listener in listeners for owner in _owners(listener, node)))


def _raise_unseen_owner(called: str, listeners: list[Listener]) -> NoReturn:
    if all(listener.owners == () for listener in listeners):
        reason = f"no process here holds {called}: the kernel does, as for NFS, or one outside this container"
        raise Unobserved("socket owners", reason)
    reason = f"who holds {called} could not be seen: this user may not look at all processes"
    raise Unobserved("socket owners", reason, remedy="run nodecheck as root (CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)")


def _basename(process: Process) -> str:
    return (process.exe or "").rpartition("/")[2]


def _called(process: Process) -> str:
    return f"{process.name} (pid {process.pid})"
