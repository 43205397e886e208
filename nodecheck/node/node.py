"""Node: the only window on the machine. It collects in bulk, and then holds plain data."""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from nodecheck.node import facts as node_facts
from nodecheck.node import groups as node_groups
from nodecheck.node import isolated, processes, sockets, systemd, users
from nodecheck.node.connections import Connections
from nodecheck.node.looks import Looks
from nodecheck.node.observations import Observations, read_clocks
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import WindowWant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nodecheck.node.counters import Sample
    from nodecheck.node.facts import Fact
    from nodecheck.node.observations import Unit
    from nodecheck.node.processes import Process, ProcessTable, ProcessWant
    from nodecheck.node.sockets import Connection, Listener


class UnitWant(NamedTuple):
    """Properties of one unit: `always`, and `troubled` ones where it is not simply active.

    `judged` says that a check tells whether it is well, and does not merely look at it.
    """

    name: str
    always: tuple[str, ...] = ()
    troubled: tuple[str, ...] = ()
    scope: str = "system"
    judged: bool = False


class EveryUnitWant(NamedTuple):
    """These properties of all units of the system manager: those that are loaded, and those that have a file."""

    properties: tuple[str, ...]


class ManagerWant(NamedTuple):
    """The state of systemd as a whole."""


class ListenerWant(NamedTuple):
    """The listening sockets of a protocol; the owners and a try to connect only for this port, or for every port.

    `seconds` is how long the connection may take, at most until the deadline of the run.
    """

    protocol: str
    port: int | None
    owners: bool = False
    connect: bool = False
    seconds: float = math.inf


class UserWant(NamedTuple):
    """The id of a user."""

    name: str


class FileWant(NamedTuple):
    """The text of a small file, such as a pid file."""

    path: str


class CounterWant(NamedTuple):
    """What earlier runs saw of a counter that starts at 0, as far back as `within` seconds.

    It is remembered, not looked at: the engine hands it out, if there is a memory of runs.
    """

    name: str
    within: float


Seen = TypeVar("Seen")
Want = (
    CounterWant
    | UnitWant
    | EveryUnitWant
    | ManagerWant
    | ListenerWant
    | UserWant
    | FileWant
    | processes.ProcessWant
    | WindowWant
)


class Node:
    """What is known of this node: what it is, and what was seen of it so far in this run."""

    def __init__(self, *, facts: Mapping[str, Fact], groups: dict[str, str]) -> None:
        self.facts = facts
        self.groups = groups
        self.problems: list[str] = []
        self.observed = Observations()
        self.judged: set[str] = set()  # names of units of the system manager
        self.recorded_at: float | None = None  # the wall clock time in seconds of a recorded node

    @classmethod
    def here(cls, configured_groups: list[str], settings_file: str, begun: node_groups.Look | None = None) -> Node:
        """Find out the facts and groups of this very host; `begun` is where the look for its groups began before."""
        groups, problems = node_groups.collect(begun or node_groups.look(), configured_groups, settings_file)
        node = cls(facts=node_facts.collect(groups=groups), groups=groups)
        node.problems += problems
        return node

    # ---- collecting

    def observe(self, wants: Iterable[Want], deadline: float, collector: systemd.Collector | None) -> None:
        """Collect all that is wanted, and add it to what is known; `deadline` is a monotonic time in seconds.

        `collector` is the helper that asks systemd, already started; it works while we read processes and sockets.
        """
        sorted_wants: dict[type, list[Any]] = {}
        for want in wants:
            sorted_wants.setdefault(type(want), []).append(want)
        self.note_judged(sorted_wants.get(UnitWant, []))
        requests = _systemd_requests(sorted_wants)
        dark, asked = _ask_systemd(requests, deadline, collector)
        question = _ask_users(sorted_wants.get(UserWant, []))
        through_windows = [want for kind, same in sorted_wants.items() if hasattr(kind, "window") for want in same]
        looks = Looks(through_windows) if through_windows else None
        started = time.monotonic()
        connections = self._begin_connections(sorted_wants.get(ListenerWant, []))
        # What was begun goes on by itself while we look, so a slow window takes no time from the others.
        try:
            self._read_files(sorted_wants.get(FileWant, []), deadline)
            self._read_processes(sorted_wants.get(processes.ProcessWant, []), deadline)
            self._keep_systemd(requests, dark | (asked.answers() if asked else {}))
            if question:
                self.observed.users |= question.answer(deadline)
            for seconds, tries in connections:
                self.observed.connections |= tries.results(min(deadline, started + seconds))
            self._keep_looks(looks.results(deadline) if looks else [])
        finally:
            for _, tries in connections:
                tries.close()
            stuck = (asked.leave() if asked else "", looks.close() if looks else "")
            self.problems += [problem for problem in stuck if problem]
        self.observed.clocks = read_clocks()

    def note_judged(self, wants: Iterable[UnitWant]) -> None:
        """Remember which units checks of this run judge."""
        self.judged |= {want.name for want in wants if want.judged and want.scope == "system"}

    def _read_files(self, wants: list[FileWant], deadline: float) -> None:
        paths = sorted({want.path for want in wants})
        read = isolated.each(_read_small_file, paths, deadline) if paths else {}
        for path in paths:
            text, error = read.get(path, (None, "reading it hangs"))
            dark = Unobserved(f"file {path}", f"{path} cannot be read: {error}")
            self.observed.files[path] = dark if error else text

    def _read_processes(self, wants: list[ProcessWant], deadline: float) -> None:
        if wants:
            self.observed.processes = _or_unobserved(lambda: processes.collect(wants, deadline))

    def _begin_connections(self, wants: list[ListenerWant]) -> list[tuple[float, Connections]]:
        """Begin them all; those with the shortest time come first, so that none waits for a longer one."""
        patience: dict[tuple[str, int], float] = {}
        for want in wants:
            if want.connect and want.port is not None:
                key = (want.protocol, want.port)
                patience[key] = max(want.seconds, patience.get(key, 0.0))
        together: dict[float, list[Listener]] = {}
        for listener in self._read_sockets(wants):
            together.setdefault(patience[listener.protocol, listener.port], []).append(listener)
        return [(seconds, Connections(together[seconds])) for seconds in sorted(together)]

    def _read_sockets(self, wants: list[ListenerWant]) -> list[Listener]:
        """Return those to which a connection is wanted."""
        for protocol in {want.protocol for want in wants}:
            asked = [want for want in wants if want.protocol == protocol]
            self.observed.listeners[protocol] = _or_unobserved(lambda asked=asked: _with_owners(asked))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        targets = {(want.protocol, want.port) for want in wants if want.connect}
        found_all = [found for found in self.observed.listeners.values() if not isinstance(found, Unobserved)]
        return [listener for found in found_all for listener in found if (listener.protocol, listener.port) in targets]

    def _keep_looks(self, results: list[tuple[WindowWant, Any]]) -> None:
        for want, seen in results:
            self.observed.windows.setdefault(want.window, {})[want.key] = seen

    def _keep_systemd(
        self, requests: dict[str, dict[str, Any]], answers: dict[str, dict[str, Any] | Unobserved]
    ) -> None:
        for scope, answer in answers.items():
            self.observed.keep_units(scope, set(requests[scope]["units"]), answer)
            if requests[scope]["manager"]:
                self.observed.manager = answer if isinstance(answer, Unobserved) else answer.get("manager")

    # ---- what check types judge

    def unit(self, name: str, scope: str = "system") -> dict[str, Any]:
        """Return the properties of a unit as systemd names them, also by an alias of it; raises Unobserved."""
        units = self._seen(self.observed.units.get(scope), f"the unit {name}")
        unit = _find(units, name)
        if unit is None:
            said = self.observed.refused.get(scope, {}).get(name)
            raise self.refused(name, said) if said else self.untold(name)
        return unit

    def judged_units(self) -> dict[str, dict[str, Any]]:
        """Return all units of the system manager that any check of this run judges; raises Unobserved."""
        units = self._seen(self.observed.units.get("system", {}), "units")
        found = ((name, _find(units, name)) for name in sorted(self.judged))
        return {name: unit for name, unit in found if unit}

    def manager(self) -> dict[str, Any]:
        """Return systemd's own state: SystemState, failed (unit names), jobs, Version; raises Unobserved."""
        return self._seen(self.observed.manager, "systemd itself")

    def process_table(self) -> ProcessTable:
        """Return all processes but nodecheck's own; raises Unobserved."""
        return self._seen(self.observed.processes, "processes")

    def process(self, pid: int) -> Process | None:
        """Return the process with this id, None when there was none; raises Unobserved."""
        return next((process for process in self.process_table().processes if process.pid == pid), None)

    def listeners(self, protocol: str, port: int) -> list[Listener]:
        """Return the sockets that listen on a port; raises Unobserved."""
        found = self._seen(self.observed.listeners.get(protocol), f"{protocol} sockets")
        return [listener for listener in found if listener.port == port]

    def connection(self, listener: Listener) -> Connection | None:
        """Return what a try to connect to this listener came to; raises Unobserved where none could be made."""
        made = self.observed.connections.get(listener.inode)
        if isinstance(made, Unobserved):
            raise made
        return made

    def user_id(self, name: str) -> int | None:
        """Return the id of a user, None when there is no such user; raises Unobserved."""
        return self._answered(self.observed.users, name, f"the user {name}")

    def file_text(self, path: str) -> str | None:
        """Return the text of a small file, None when it does not exist; raises Unobserved."""
        return self._answered(self.observed.files, path, f"the file {path}")

    def look(self, want: WindowWant) -> Any:
        """Return what was seen through a window, as plain data; raises Unobserved.

        Where looking did not end in time, it is `broken`: that is a fact about what was looked at.
        """
        seen = self.observed.windows.get(want.window, {})
        if want.key not in seen:
            raise self.absent(f"{want.window} {want.key}")
        return self._seen(seen[want.key], want.key)

    def samples(self, name: str) -> list[Sample]:
        """Return what earlier runs saw of a counter, the oldest first; nothing where nothing is remembered."""
        return self.observed.counters.get(name, [])

    def absent(self, _what: str) -> Unobserved:
        """Return why something was not even looked at."""
        return Unobserved("observation", "this was not collected: an error in nodecheck")

    def untold(self, name: str) -> Unobserved:
        """Return why nothing is known of a unit, although units were looked at."""
        return Unobserved(f"unit {name}", f"systemd said nothing about {name}", remedy=f"systemctl status {name}")

    def refused(self, name: str, said: str) -> Unobserved:
        """Return why nothing is known of a unit of which systemd did not want to speak."""
        reason = f"systemd refused to tell of {name}: {said}"
        return Unobserved(f"unit {name}", reason, remedy=f"systemctl status {name}")

    def _seen(self, observation: Seen | Unobserved | None, what: str) -> Seen:
        if isinstance(observation, Unobserved):
            raise observation
        if observation is None:
            raise self.absent(what)
        return observation

    def _answered(self, answers: dict[str, Seen | Unobserved | None], key: str, what: str) -> Seen | None:
        """Return an answer that may be None, which says that there is no such thing."""
        answer = answers.get(key)
        if key not in answers:
            raise self.absent(what)
        if isinstance(answer, Unobserved):
            raise answer
        return answer

    def seconds_since(self, monotonic_microseconds: int) -> float | None:
        """Return how long ago a monotonic timestamp of systemd was; None for 0, which means never."""
        return self.observed.clocks["monotonic"] - monotonic_microseconds / 1e6 if monotonic_microseconds else None

    def seconds_since_realtime(self, microseconds: int) -> float | None:
        """Return how long ago a wall clock timestamp of systemd was; None for 0, which means never."""
        return self.observed.clocks["realtime"] - microseconds / 1e6 if microseconds else None

    def uptime(self) -> float:
        """Return the seconds from boot to the latest look."""
        return self.observed.clocks["boottime"]


def _find(units: dict[str, Unit], name: str) -> Unit | None:
    """Return a unit by its name, or by an alias that it says it has."""
    return units.get(name) or next((unit for unit in units.values() if name in unit.get("Names", ())), None)


def _or_unobserved(collect: Callable[[], Any]) -> Any:
    try:
        return collect()
    except Unobserved as dark:
        return dark


def _read_small_file(path: str) -> tuple[str | None, str]:
    """Return (text, error); the text is None for a file that does not exist."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.read(descriptor, 4096).decode("utf-8", "replace"), ""
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    except OSError as error:
        return None, error.strerror or str(error)


def _ask_users(wants: list[UserWant]) -> users.Question | None:
    names = sorted({want.name for want in wants})
    return users.Question(names) if names else None


def _with_owners(wants: list[ListenerWant]) -> list[Listener]:
    """Return all sockets of one protocol, with the owners of those that are wanted. Raises Unobserved."""
    listeners = sockets.collect({wants[0].protocol})
    ports = {want.port for want in wants if want.owners}
    wanted = {(found.protocol, found.port) for found in listeners if None in ports or found.port in ports}
    return sockets.with_owners(listeners, wanted)


def _systemd_requests(wants: dict[type, list[Any]]) -> dict[str, dict[str, Any]]:
    """Merge the wants into one request a scope; see units.collect for the shape."""
    every = [name for want in wants.get(EveryUnitWant, []) for name in want.properties]
    requests: dict[str, dict[str, Any]] = {}
    if every or wants.get(ManagerWant):
        requests["system"] = {"manager": bool(wants.get(ManagerWant)), "units": {}, "every": every}
    for want in wants.get(UnitWant, []):
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
