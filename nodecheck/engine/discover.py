"""Checks derived from a healthy node: what runs on it, and is to last.

What may not last is left out: ports that the kernel handed out, units made at run time, sessions of users, terminals.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.checks._port_address import LOOPBACK, bound_to
from nodecheck.checks._unit_health import ENABLED
from nodecheck.checks.unit import Unit as UnitCheck
from nodecheck.definitions import hosts
from nodecheck.definitions.writer import Draft, DraftPlay
from nodecheck.node.processes import CUT_AT
from nodecheck.node.survey import PORT_RANGE
from nodecheck.node.unobserved import Unobserved
from nodecheck.report.result import Status, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nodecheck.node.node import Node
    from nodecheck.node.observations import Unit
    from nodecheck.node.processes import Process
    from nodecheck.node.sockets import Listener

TYPES = ("unit", "process", "port", "system")
USUAL_RANGE = (32768, 60999)  # of ports that the kernel hands out
SYSTEMD_PID = 1
NOT_STUCK = "!= D for 1m"
# Sessions and terminals come and go.
PASSING = re.compile(r"(user|user-runtime-dir|getty|serial-getty|container-getty|modprobe)@.*|console-getty\.service")
OF_SYSTEMD = re.compile(r"systemd-.*|dbus(-broker)?\.service")
LITERAL = re.compile(r"[\w.+@-][\w.+@ -]*")  # other names of processes may mean something to an expectation


class Subject(NamedTuple):
    """A well-known service: how its play is called, for which groups (the first that fits), and what it stands on."""

    play: str
    groups: tuple[str, ...]
    tags: tuple[str, ...]
    needs: tuple[str, ...] = ()


SERVICES = {
    "containerd.service": Subject("containerd", ("containerd",), ("runtime", "containerd")),
    "docker.service": Subject("Docker", ("docker",), ("runtime", "docker"), ("containerd.service",)),
    "crio.service": Subject("CRI-O", ("crio",), ("runtime", "crio")),
    "kubelet.service": Subject("Kubelet", ("kubelet",), ("kubernetes", "kubelet")),
}
# They run in containers, so systemd knows nothing of them.
POD_PROCESSES = {
    "etcd": Subject("etcd", ("etcd", "control_plane"), ("kubernetes", "etcd")),
    "kube-apiserver": Subject("Control plane", ("control_plane",), ("kubernetes", "control-plane")),
    "kube-controller-manager": Subject("Control plane", ("control_plane",), ("kubernetes", "control-plane")),
    "kube-scheduler": Subject("Control plane", ("control_plane",), ("kubernetes", "control-plane")),
    "kube-proxy": Subject("kube-proxy", ("kubelet",), ("kubernetes", "kube-proxy")),
}
RUNTIMES = {"containerd-shim": "containerd.service", "conmon": "crio.service"}


class Open(NamedTuple):
    """A port, and who holds it: a process and its unit, or the socket unit for which systemd does; "" when unseen."""

    protocol: str
    port: int
    loopback: bool
    process: str
    unit: str

    @property
    def called(self) -> str:
        """The port as a sentence names it."""
        return f"port {self.port}" if self.protocol == "tcp" else f"UDP port {self.port}"


class Found(NamedTuple):
    """What was found: plays, and lines about what is not well, was left out or could not be seen."""

    plays: list[DraftPlay]
    not_well: list[str]
    left_out: list[str]
    unseen: list[str]


def discover(node: Node) -> Found:
    """Return plays for what runs on a surveyed node."""
    return _Discovery(node).found()


def only(plays: Iterable[DraftPlay], types: frozenset[str]) -> list[DraftPlay]:
    """Leave out all checks of other types; who needed one of those needs what that needed."""
    plays = list(plays)
    dropped = {check.name: check.needs for play in plays for check in play.checks if check.type not in types}
    kept = []
    for play in plays:
        checks = [check for check in play.checks if check.type in types]
        rewired = tuple(check._replace(needs=_rewired(check.needs, dropped)) for check in checks)
        kept += [play._replace(checks=rewired)] if rewired else []
    return [_loosened(play, kept) for play in kept]


def _loosened(play: DraftPlay, plays: list[DraftPlay]) -> DraftPlay:
    """Where a check is needed that is not on all the same hosts, need its play's tag: that means what is there."""
    homes = {check.name: other for other in plays for check in other.checks}

    def loosened(need: str) -> str:
        home = homes[need]
        return need if hosts.implies(play.hosts, home.hosts) or not home.tags else home.tags[-1]

    checks = (check._replace(needs=tuple(map(loosened, check.needs))) for check in play.checks)
    return play._replace(checks=tuple(checks))


def _rewired(needs: tuple[str, ...], dropped: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    found: list[str] = []
    for need in needs:
        found += _rewired(dropped[need], dropped) if need in dropped else (need,)
    return tuple(dict.fromkeys(found))


class _Discovery:
    """One pass over what was seen; a window that stayed dark leaves its part empty."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._unseen: list[str] = []
        self._left_out: list[str] = []
        self._units: dict[str, Unit] = self._look(node.observed.units.get("system"), {})
        table = self._look(node.observed.processes, None)
        self._processes: dict[int, Process] = {process.pid: process for process in table.processes} if table else {}
        self._ports = list(self._lasting_ports())

    def _look(self, seen: Any, instead: Any) -> Any:
        if isinstance(seen, Unobserved):
            self._unseen.append(seen.reason)
        return instead if seen is None or isinstance(seen, Unobserved) else seen

    def found(self) -> Found:
        services = [name for name in sorted(self._units) if self._is_subject(name)]
        own = [name for name in services if OF_SYSTEMD.fullmatch(name)]
        known = [name for name in SERVICES if name in services]
        others = [name for name in services if name not in own and name not in known]
        idle = list(self._idle_sockets(services))
        plays = [self._host(own), *map(self._known, known), *self._pods(), *self._others(others), *idle]
        self._note_ports(services)
        plays = [play for play in plays if play.checks]
        return Found(plays, list(self._not_well(services)), self._left_out, list(dict.fromkeys(self._unseen)))

    # ---- services

    def _is_subject(self, name: str) -> bool:
        """A service that runs, and is to last: it is enabled, or holds ports, or is one of systemd's own."""
        unit = self._units[name]
        if not _is_lasting(name, unit) or unit["SubState"] != "running" or unit.get("Type") == "oneshot":
            return False
        enabled = unit.get("UnitFileState") in ENABLED
        return enabled or bool(OF_SYSTEMD.fullmatch(name)) or name in SERVICES or bool(self._ports_of(name))

    def _not_well(self, services: list[str]) -> Iterator[str]:
        """Services that are to run, or tried to, and are not as they are meant to be."""
        for name, unit in self._units.items():
            tried = unit.get("UnitFileState") in ENABLED or unit["ActiveState"] in ("failed", "activating")
            if name not in services and tried and _is_lasting(name, unit):
                findings = list(UnitCheck(name=name).judge(self._node))
                if worst([finding.status for finding in findings]) is not Status.OK:
                    yield findings[0].message

    def _host(self, services: list[str]) -> DraftPlay:
        checks = [] if self._look(self._node.observed.manager, None) is None else [_system()]
        checks += [check for name in services for check in self._service(name, alive=False)]
        return DraftPlay("Host", "all", ("host",), tuple(checks))

    def _known(self, name: str) -> DraftPlay:
        subject = SERVICES[name]
        needs = tuple(f"{need} is well" for need in subject.needs if need in self._units and self._is_subject(need))
        return self._play(subject, self._service(name, needs=needs))

    def _others(self, services: list[str]) -> Iterator[DraftPlay]:
        """Those with ports have a play each; the others stand together."""
        with_ports = [name for name in services if self._ports_of(name)]
        for name in with_ports:
            title = name.removesuffix(".service")
            yield DraftPlay(title, self._narrowest(title), (title,), tuple(self._service(name)))
        checks = [check for name in services if name not in with_ports for check in self._service(name, alive=False)]
        yield DraftPlay("Services", "all", ("services",), tuple(checks))

    def _idle_sockets(self, services: list[str]) -> Iterator[DraftPlay]:
        """Sockets whose service nobody has called yet."""
        of_services = {socket for name in services for socket in self._units[name].get("TriggeredBy", ())}
        for name in sorted(self._units):
            if name in of_services or OF_SYSTEMD.fullmatch(name) or not self._is_lasting_socket(name):
                continue
            subject = SERVICES.get(f"{name.removesuffix('.socket')}.service")
            checks = [_unit(self._units[name], (), f"systemctl status {name}")]
            title = name.removesuffix(".socket")
            yield self._play(subject, checks) if subject else DraftPlay(title, "all", (title,), tuple(checks))

    def _service(self, name: str, *, needs: tuple[str, ...] = (), alive: bool = True) -> Iterator[Draft]:
        """The unit, the sockets that start it, its main process and its ports, each on top of the one before."""
        unit = self._units[name]
        yield _unit(unit, needs, f"journalctl -u {name} -n 50")
        top = (f"{name} is well",)
        sockets = [trigger for trigger in unit.get("TriggeredBy", ()) if self._is_lasting_socket(trigger)]
        yield from (_unit(self._units[socket], top, "") for socket in sockets)
        main = self._processes.get(unit.get("MainPID") or 0)
        if alive and main and LITERAL.fullmatch(main.name):
            process = _alive(_full_name(main), top, unit=name)
            yield process
            top = (process.name,)
        yield from (_port(found, top) for found in self._ports_of(name))
        yield from (_port(found, (f"{socket} is well",)) for socket in sockets for found in self._ports_of(socket))

    def _is_lasting_socket(self, name: str) -> bool:
        unit = self._units.get(name, {})
        return name.endswith(".socket") and unit.get("ActiveState") == "active" and unit.get("UnitFileState") in ENABLED

    # ---- what runs in containers

    def _pods(self) -> Iterator[DraftPlay]:
        together: dict[Subject, list[Draft]] = {}
        for name, subject in POD_PROCESSES.items():
            of_name = [
                found for found in self._processes.values() if _full_name(found) == name and not _is_service(found.unit)
            ]
            if not of_name:
                continue
            process = _alive(name, self._runtime(of_name[0]))
            ports = [found for found in self._ports if found.process == name and not _is_service(found.unit)]
            together.setdefault(subject, []).extend([process, *(_port(found, (process.name,)) for found in ports)])
        for subject, checks in together.items():
            yield self._play(subject, checks)

    def _runtime(self, process: Process) -> tuple[str, ...]:
        """What keeps a container alive: the parent of its first process belongs to the runtime."""
        seen: set[int] = set()
        found: Process | None = process
        while found and found.pid not in seen:
            if "-namespace moby" in (found.cmdline or "") and self._is_running("docker.service"):
                return ("docker.service is well",)
            for name, unit in RUNTIMES.items():
                if found.name.startswith(name) and self._is_running(unit):
                    return (f"{unit} is well",)
            seen.add(found.pid)
            found = self._processes.get(found.parent)
        return ()

    def _is_running(self, unit: str) -> bool:
        return unit in self._units and self._is_subject(unit)

    def _play(self, subject: Subject, checks: Iterable[Draft]) -> DraftPlay:
        return DraftPlay(subject.play, self._narrowest(*subject.groups), subject.tags, tuple(checks))

    def _narrowest(self, *groups: str) -> str:
        return next((group for group in groups if group in self._node.groups), "all")

    # ---- ports

    def _lasting_ports(self) -> Iterator[Open]:
        first, last = self._port_range()
        together: dict[tuple[str, int], list[Listener]] = {}
        for seen in self._node.observed.listeners.values():
            for listener in self._look(seen, []):
                together.setdefault((listener.protocol, listener.port), []).append(listener)
        for (protocol, port), listeners in sorted(together.items()):
            found = self._open(protocol, port, listeners)
            if first <= port <= last:
                self._leave_out(found, f"the kernel hands out the ports {first} to {last}")
            else:
                yield found

    def _port_range(self) -> tuple[int, int]:
        text = self._node.observed.files.get(PORT_RANGE)
        words = text.split() if isinstance(text, str) else []
        first, last = words if len(words) == 2 and all(word.isdecimal() for word in words) else USUAL_RANGE
        return int(first), int(last)

    def _open(self, protocol: str, port: int, listeners: list[Listener]) -> Open:
        pids = sorted({pid for listener in listeners for pid in listener.owners or ()})
        owner = next((self._processes[pid] for pid in pids if pid in self._processes), None)
        loopback = bound_to(listeners, LOOPBACK) is True
        if owner and owner.pid == SYSTEMD_PID:
            return Open(protocol, port, loopback, "", self._socket_unit(protocol, port))
        return Open(protocol, port, loopback, _full_name(owner) if owner else "", (owner.unit or "") if owner else "")

    def _socket_unit(self, protocol: str, port: int) -> str:
        kind = {"tcp": "Stream", "udp": "Datagram"}[protocol]
        for name, unit in self._units.items():
            if any(what == kind and where.rpartition(":")[2] == str(port) for what, where in unit.get("Listen") or ()):
                return name
        return ""

    def _ports_of(self, unit: str) -> list[Open]:
        return [found for found in self._ports if found.unit == unit]

    def _note_ports(self, services: list[str]) -> None:
        """Say which ports have no check, and why."""
        sockets = {trigger for name in services for trigger in self._units[name].get("TriggeredBy", ())}
        for found in self._ports:
            if found.unit in services or found.unit in sockets or found.process in POD_PROCESSES:
                continue
            if not found.process and not found.unit:
                self._unseen.append(f"who holds {found.called}; root may see it")
            else:
                self._leave_out(found, f"{found.unit or 'no unit'} is no service that lasts")

    def _leave_out(self, found: Open, why: str) -> None:
        by = f" of {found.process}" if found.process else ""
        self._left_out.append(f"{found.called}{by}: {why}")


# ---- checks


def _is_lasting(name: str, unit: Unit) -> bool:
    return name.endswith(".service") and unit.get("UnitFileState") != "transient" and not PASSING.fullmatch(name)


def _system() -> Draft:
    return Draft("systemd is well and no unit has failed", "system", {}, remedy="systemctl --failed")


def _unit(unit: Unit, needs: tuple[str, ...], remedy: str) -> Draft:
    arguments = {"name": unit["Id"]} | ({"enabled": True} if unit.get("UnitFileState") in ENABLED else {})
    return Draft(f"{unit['Id']} is well", "unit", arguments, needs, remedy)


def _alive(name: str, needs: tuple[str, ...], unit: str = "") -> Draft:
    of_unit = {"unit": unit} if unit else {}
    return Draft(f"{name} is alive", "process", {"name": name, **of_unit, "state": NOT_STUCK}, needs)


def _port(found: Open, needs: tuple[str, ...]) -> Draft:
    arguments: dict[str, Any] = {"port": found.port}
    if found.protocol != "tcp":
        arguments["protocol"] = found.protocol
    if found.loopback:
        arguments["address"] = LOOPBACK
    if LITERAL.fullmatch(found.process):
        arguments["process"] = found.process
    elif found.unit:
        arguments["unit"] = found.unit
    return Draft(f"{found.process or found.unit} listens on {found.called}", "port", arguments, needs)


def _is_service(unit: str | None) -> bool:
    return bool(unit) and str(unit).endswith(".service")


def _full_name(process: Process) -> str:
    """The kernel cuts a name; the executable tells the rest of it."""
    executable = (process.exe or "").rpartition("/")[2]
    cut = len(process.name.encode()) == CUT_AT and executable.startswith(process.name)
    return executable if cut else process.name
