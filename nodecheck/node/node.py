"""Node: the only window on the machine. It collects in bulk, once, and then holds plain data."""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from nodecheck.node import facts as node_facts
from nodecheck.node import groups as node_groups
from nodecheck.node import isolated, processes, sockets, systemd, users
from nodecheck.node.connections import Connections
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nodecheck.node.facts import Fact
    from nodecheck.node.processes import Process, ProcessTable, ProcessWant
    from nodecheck.node.sockets import Connection, Listener


class UnitWant(NamedTuple):
    """Properties of one unit: `always`, and `troubled` ones where it is not simply active."""

    name: str
    always: tuple[str, ...] = ()
    troubled: tuple[str, ...] = ()
    scope: str = "system"


class ManagerWant(NamedTuple):
    """The state of systemd as a whole."""


class ListenerWant(NamedTuple):
    """The listening sockets of a protocol; the owners and a try to connect only for this port.

    `seconds` is how long the connection may take, at most until the deadline of the run.
    """

    protocol: str
    port: int
    owners: bool = False
    connect: bool = False
    seconds: float = math.inf


class UserWant(NamedTuple):
    """The id of a user."""

    name: str


class FileWant(NamedTuple):
    """The text of a small file, such as a pid file."""

    path: str


Seen = TypeVar("Seen")
Want = UnitWant | ManagerWant | ListenerWant | UserWant | FileWant | processes.ProcessWant


class Node:
    """What is known of this node. Each kind of observation is plain data, or why there is none."""

    def __init__(self, *, facts: dict[str, Fact], groups: dict[str, str]) -> None:
        self.facts = facts
        self.groups = groups
        self.problems: list[str] = []
        self._units: dict[str, dict[str, dict[str, Any]] | Unobserved] = {}
        self._manager: dict[str, Any] | Unobserved | None = None
        self._processes: ProcessTable | Unobserved | None = None
        self._listeners: dict[str, list[Listener] | Unobserved] = {}
        self._connections: dict[int, Connection | Unobserved] = {}
        self._refused: dict[str, dict[str, str]] = {}
        self._users: dict[str, int | None] | Unobserved = {}
        self._files: dict[str, str | Unobserved] = {}
        self._clocks = {"monotonic": time.clock_gettime(time.CLOCK_MONOTONIC), "realtime": time.time()}

    @classmethod
    def here(cls, configured_groups: list[str], settings_file: str) -> Node:
        """Find out the facts and groups of this very host."""
        groups, problems = node_groups.collect(configured_groups, settings_file)
        node = cls(facts=node_facts.collect(), groups=groups)
        node.problems += problems
        return node

    # ---- collecting

    def observe(self, wants: Iterable[Want], deadline: float, collector: systemd.Collector | None) -> None:
        """Collect all that is wanted; `deadline` is a time of the monotonic clock in seconds.

        `collector` is the helper that asks systemd, already started; it works while we read processes and sockets.
        """
        sorted_wants: dict[type, list[Any]] = {}
        for want in wants:
            sorted_wants.setdefault(type(want), []).append(want)
        requests = _systemd_requests(sorted_wants.get(UnitWant, []), manager=bool(sorted_wants.get(ManagerWant)))
        dark, asked = _ask_systemd(requests, deadline, collector)
        question = _ask_users(sorted_wants.get(UserWant, []))
        started = time.monotonic()
        connections = self._begin_connections(sorted_wants.get(ListenerWant, []))
        # What was begun goes on by itself while we look, so a slow window takes no time from the others.
        try:
            self._read_files(sorted_wants.get(FileWant, []), deadline)
            self._read_processes(sorted_wants.get(processes.ProcessWant, []), deadline)
            self._keep_systemd(requests, dark | (asked.answers() if asked else {}))
            if question:
                self._users = question.answer(deadline)
            for seconds, tries in connections:
                self._connections |= tries.results(min(deadline, started + seconds))
        finally:
            for _, tries in connections:
                tries.close()
            stuck = asked.leave() if asked else ""
            self.problems += [stuck] if stuck else []
        self._clocks = {"monotonic": time.clock_gettime(time.CLOCK_MONOTONIC), "realtime": time.time()}

    def _read_files(self, wants: list[FileWant], deadline: float) -> None:
        paths = sorted({want.path for want in wants})
        read = isolated.each(_read_small_file, paths, deadline) if paths else {}
        for path in paths:
            text, error = read.get(path, (None, "reading it hangs"))
            dark = Unobserved(f"file {path}", f"{path} cannot be read: {error}")
            self._files[path] = dark if text is None else text

    def _read_processes(self, wants: list[ProcessWant], deadline: float) -> None:
        if wants:
            self._processes = _or_unobserved(lambda: processes.collect(wants, deadline))

    def _begin_connections(self, wants: list[ListenerWant]) -> list[tuple[float, Connections]]:
        """Begin them all; those with the shortest time come first, so that none waits for a longer one."""
        patience: dict[tuple[str, int], float] = {}
        for want in wants:
            if want.connect:
                key = (want.protocol, want.port)
                patience[key] = max(want.seconds, patience.get(key, 0.0))
        together: dict[float, list[Listener]] = {}
        for listener in self._read_sockets(wants):
            together.setdefault(patience[listener.protocol, listener.port], []).append(listener)
        return [(seconds, Connections(together[seconds])) for seconds in sorted(together)]

    def _read_sockets(self, wants: list[ListenerWant]) -> list[Listener]:
        """Return those to which a connection is wanted."""
        ports = {(want.protocol, want.port) for want in wants if want.owners}
        for protocol in {want.protocol for want in wants}:
            found = _or_unobserved(lambda protocol=protocol: sockets.with_owners(sockets.collect({protocol}), ports))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            self._listeners[protocol] = found
        targets = {(want.protocol, want.port) for want in wants if want.connect}
        found_all = [listeners for listeners in self._listeners.values() if not isinstance(listeners, Unobserved)]
        return [listener for found in found_all for listener in found if (listener.protocol, listener.port) in targets]

    def _keep_systemd(
        self, requests: dict[str, dict[str, Any]], answers: dict[str, dict[str, Any] | Unobserved]
    ) -> None:
        for scope, answer in answers.items():
            units, manager = (
                (answer, answer) if isinstance(answer, Unobserved) else (answer["units"], answer.get("manager"))
            )
            self._units[scope] = units
            self._refused[scope] = {} if isinstance(answer, Unobserved) else answer["refused"]
            if requests[scope]["manager"]:
                self._manager = manager

    # ---- what check types judge

    def unit(self, name: str, scope: str = "system") -> dict[str, Any]:
        """Return the properties of a unit as systemd names them; raises Unobserved."""
        unit = _seen(self._units.get(scope)).get(name)
        if unit is None:
            said = self._refused.get(scope, {}).get(name)
            reason = f"systemd refused to tell of {name}: {said}" if said else f"systemd said nothing about {name}"
            raise Unobserved(f"unit {name}", reason, remedy=f"systemctl status {name}")
        return unit

    def units(self) -> dict[str, dict[str, Any]]:
        """Return all units of the system manager that any check wanted; raises Unobserved."""
        return _seen(self._units.get("system", {}))

    def manager(self) -> dict[str, Any]:
        """Return systemd's own state: SystemState, failed (unit names), jobs, Version; raises Unobserved."""
        return _seen(self._manager)

    def process_table(self) -> ProcessTable:
        """Return all processes; raises Unobserved."""
        return _seen(self._processes)

    def process(self, pid: int) -> Process | None:
        """Return the process with this id, None when there was none; raises Unobserved."""
        return next((process for process in self.process_table().processes if process.pid == pid), None)

    def listeners(self, protocol: str, port: int) -> list[Listener]:
        """Return the sockets that listen on a port; raises Unobserved."""
        return [listener for listener in _seen(self._listeners.get(protocol)) if listener.port == port]

    def connection(self, listener: Listener) -> Connection | None:
        """Return what a try to connect to this listener came to; raises Unobserved where none could be made."""
        made = self._connections.get(listener.inode)
        if isinstance(made, Unobserved):
            raise made
        return made

    def user_id(self, name: str) -> int | None:
        """Return the id of a user, None when there is no such user; raises Unobserved."""
        return _seen(self._users).get(name)

    def file_text(self, path: str) -> str | None:
        """Return the text of a small file, None when it does not exist; raises Unobserved."""
        text = _seen(self._files.get(path))
        return None if text == "\0" else text

    def seconds_since(self, monotonic_microseconds: int) -> float | None:
        """Return how long ago a monotonic timestamp of systemd was; None for 0, which means never."""
        return self._clocks["monotonic"] - monotonic_microseconds / 1e6 if monotonic_microseconds else None

    def seconds_since_realtime(self, microseconds: int) -> float | None:
        """Return how long ago a wall clock timestamp of systemd was; None for 0, which means never."""
        return self._clocks["realtime"] - microseconds / 1e6 if microseconds else None

    def uptime(self) -> float:
        """Return the seconds since boot."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


def _seen(observation: Seen | Unobserved | None) -> Seen:
    if isinstance(observation, Unobserved):
        raise observation
    if observation is None:
        raise Unobserved("observation", "this was not collected: an error in nodecheck")
    return observation


def _or_unobserved(collect: Callable[[], Any]) -> Any:
    try:
        return collect()
    except Unobserved as dark:
        return dark


def _read_small_file(path: str) -> tuple[str | None, str]:
    """Return (text, error). The text is NUL for a file that does not exist: no text file holds one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.read(descriptor, 4096).decode("utf-8", "replace"), ""
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return "\0", ""
    except OSError as error:
        return None, error.strerror or str(error)


def _ask_users(wants: list[UserWant]) -> users.Question | None:
    names = sorted({want.name for want in wants})
    return users.Question(names) if names else None


def _systemd_requests(wants: list[UnitWant], *, manager: bool) -> dict[str, dict[str, Any]]:
    """Merge the wants into one request a scope; see systemd._collect for the shape."""
    requests: dict[str, dict[str, Any]] = {"system": {"manager": True, "units": {}}} if manager else {}
    for want in wants:
        units = requests.setdefault(want.scope, {"manager": False, "units": {}})["units"]
        unit = units.setdefault(want.name, {"always": [], "troubled": []})
        unit["always"] += [name for name in want.always if name not in unit["always"]]
        unit["troubled"] += [name for name in want.troubled if name not in unit["troubled"]]
    return requests


def _ask_systemd(
    requests: dict[str, dict[str, Any]], deadline: float, collector: systemd.Collector | None
) -> tuple[dict[str, dict[str, Any] | Unobserved], systemd.Collector | None]:
    """Ask, and return what is dark from the start, and whom to wait for."""
    dark: dict[str, dict[str, Any] | Unobserved] = {}
    if "system" in requests and not systemd.booted_with_systemd():
        dark["system"] = Unobserved(
            systemd.SOURCE, "systemd is not running here", remedy="run nodecheck on the host, not in a container"
        )
    asked = {scope: request for scope, request in requests.items() if scope not in dark}
    if not asked:
        return dark, None
    collector = collector or systemd.Collector()
    collector.ask(asked, deadline)
    return dark, collector
