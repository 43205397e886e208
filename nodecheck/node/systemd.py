"""Asks systemd over D-Bus. The only importer of pydbus and gi.

The asking is done by a forked helper: importing gi takes as long as all the rest of a run, and a bus that hangs is a
process that can be left behind. The interfaces: org.freedesktop.systemd1(5).
"""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nodecheck.node.isolated import Channel, Helper, HelperGone, HelperTimeout
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOURCE = "systemd"
BUS_NAME = "org.freedesktop.systemd1"
MANAGER_PATH = "/org/freedesktop/systemd1"
MANAGER = "org.freedesktop.systemd1.Manager"
UNIT = "org.freedesktop.systemd1.Unit"
# dbus-daemon drops a connection with more than 128 replies pending (max_replies_per_connection).
PENDING_REPLIES = 100
SNAPSHOT_ROUNDS = 3

UNIT_PROPERTIES = frozenset(
    "ActiveEnterTimestampMonotonic ActiveExitTimestampMonotonic ActiveState ConditionResult "
    "ConditionTimestampMonotonic Id InactiveExitTimestampMonotonic Job LoadError LoadState NeedDaemonReload "
    "StateChangeTimestamp StateChangeTimestampMonotonic SubState TriggeredBy UnitFileState".split()
)
RESOURCE_PROPERTIES = frozenset({"MemoryCurrent", "TasksCurrent"})
TYPE_PROPERTIES = {
    "service": RESOURCE_PROPERTIES
    | frozenset(
        "ExecMainCode ExecMainExitTimestampMonotonic ExecMainStatus MainPID NRestarts RemainAfterExit Restart "
        "RestartUSec Result StatusText Type".split()
    ),
    "socket": RESOURCE_PROPERTIES | {"Listen", "Result"},
    "timer": frozenset({"LastTriggerUSec", "NextElapseUSecRealtime", "Result"}),
    "mount": RESOURCE_PROPERTIES | {"Result"},
    "swap": RESOURCE_PROPERTIES | {"Result"},
    "path": frozenset({"Result"}),
    "automount": frozenset({"Result"}),
    "scope": RESOURCE_PROPERTIES | {"Result"},
    "slice": RESOURCE_PROPERTIES,
}
MANAGER_PROPERTIES = ("SystemState", "NFailedUnits", "NJobs", "Version")


def booted_with_systemd() -> bool:
    """Tell whether systemd is PID 1 here, as sd_booted(3) does."""
    return os.path.isdir("/run/systemd/system")


class Collector:
    """The parent's side: start it first of all, ask it once, leave it."""

    def __init__(self) -> None:
        self._helper = Helper(_serve)
        self._requests: dict[str, dict[str, Any]] = {}
        self._deadline = self._asked = 0.0
        self._answered = self._left = False

    def ask(self, requests: dict[str, dict[str, Any]], deadline: float) -> None:
        """Ask the managers of the scopes `system` and `user`, and do not wait.

        `requests` is {scope: request}, see `_collect` for its shape. `deadline` is a time of the monotonic clock in
        seconds; it covers connecting, authentication and all calls.
        """
        self._asked = time.monotonic()
        self._requests, self._deadline = requests, deadline
        with suppress(BrokenPipeError):  # the helper is gone: receiving says so
            self._helper.channel.send((requests, deadline))

    def answers(self) -> dict[str, dict[str, Any] | Unobserved]:
        """Wait for what was asked: for each scope the answer, or why there is none."""
        answers: dict[str, dict[str, Any] | Unobserved] = {}
        stage = "import"
        try:
            while len(answers) < len(self._requests):
                kind, scope, detail = self._helper.channel.receive(self._deadline)
                if kind == "stage":
                    stage = detail
                else:
                    answers[scope] = detail if kind == "answer" else _refused(detail)
            self._answered = True
        except (HelperTimeout, HelperGone) as error:
            silent = _silent(stage, time.monotonic() - self._asked, gone=isinstance(error, HelperGone))
            answers |= {scope: silent for scope in self._requests if scope not in answers}
        return answers

    def leave(self) -> str:
        """End the helper, once; return a description of one that cannot be ended, "" otherwise."""
        if self._left:
            return ""
        self._left = True
        if self._answered:
            self._helper.end()
        elif not self._helper.leave():
            return f"the helper that asks systemd (pid {self._helper.pid}) hangs in the kernel and was left behind"
        return ""


def _silent(stage: str, seconds: float, *, gone: bool) -> Unobserved:
    if gone:
        return Unobserved(SOURCE, "the process that asks systemd ended without an answer", remedy="nodecheck doctor")
    within = f"within {seconds:.1f} s"
    if stage == "import":
        return Unobserved(SOURCE, f"pydbus was not loaded {within}: this host is too slow or its disk does not answer")
    if stage == "connect":
        return Unobserved(
            SOURCE,
            f"dbus-daemon accepts connections, but does not answer {within}",
            remedy="look at the process: ps -C dbus-daemon -o pid,stat,wchan,args",
            broken=True,
        )
    return Unobserved(
        SOURCE,
        f"systemd (PID 1) does not answer on the bus {within}",
        remedy="look at PID 1: ps -p 1 -o pid,stat,wchan,time,args",
        broken=True,
    )


def _refused(detail: dict[str, Any]) -> Unobserved:
    return Unobserved(SOURCE, detail["reason"], remedy=detail["remedy"], broken=detail["broken"])


# ---- what follows runs in the helper


def _serve(channel: Channel) -> None:
    """Connect while the parent still reads the definitions, then answer its one request."""
    try:
        channel.send(("stage", "system", "connect"))
        connections = {"system": _connect("system")} if booted_with_systemd() else {}
        requests, deadline = channel.receive()
        for scope, request in requests.items():
            connection = connections.get(scope) or _connect(scope)
            channel.send(("stage", scope, "call"))
            answer = _ask(connection, request, deadline)
            channel.send(("error" if "reason" in answer else "answer", scope, answer))
    except ImportError as error:
        missing = {"reason": f"pydbus cannot be loaded: {error}", "broken": False}
        _answer_all(channel, missing | {"remedy": "apt-get install python3-pydbus python3-gi"})


def _answer_all(channel: Channel, detail: dict[str, Any]) -> None:
    requests, _ = channel.receive()
    for scope in requests:
        channel.send(("error", scope, detail))


def _connect(scope: str) -> Any:
    """Return a Gio.DBusConnection, or a description of why there is none."""
    import pydbus
    from gi.repository import GLib

    try:
        bus = pydbus.SystemBus() if scope == "system" else pydbus.SessionBus()
    except GLib.Error as error:
        return _no_bus(scope, error)
    bus.con.set_exit_on_close(False)  # else a bus that goes away takes this process with it
    return bus.con


def _no_bus(scope: str, error: Any) -> dict[str, Any]:
    from gi.repository import Gio

    bus = "system bus" if scope == "system" else "session bus of this user"
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CONNECTION_REFUSED):
        reason = f"nobody listens on the socket of the {bus}: dbus-daemon is dead"
        return {"reason": reason, "remedy": "systemctl status dbus.service dbus.socket", "broken": True}
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND) and scope == "system":
        reason = f"the {bus} has no socket: dbus is not running"
        return {"reason": reason, "remedy": "systemctl status dbus.service dbus.socket", "broken": True}
    remedy = "" if scope == "system" else "run nodecheck as that user, with XDG_RUNTIME_DIR set"
    return {"reason": f"cannot connect to the {bus}: {error.message}", "remedy": remedy, "broken": False}


def _ask(connection: Any, request: dict[str, Any], deadline: float) -> dict[str, Any]:
    """Answer one scope's request, or describe why it could not be answered."""
    from gi.repository import GLib

    if isinstance(connection, dict):
        return connection
    try:
        return _collect(_Manager(connection, deadline), request)
    except GLib.Error as error:
        return _failed_call(error)


def _failed_call(error: Any) -> dict[str, Any]:
    from gi.repository import Gio

    name = Gio.DBusError.get_remote_error(error) or ""
    if name.endswith((".ServiceUnknown", ".NameHasNoOwner", ".Disconnected")):
        reason = "the bus answers, but systemd is not on it"
        return {"reason": reason, "remedy": "systemctl daemon-reexec", "broken": True}
    if name.endswith((".NoReply", ".Timeout")) or error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT):
        reason = "systemd (PID 1) does not answer on the bus in time"
        return {"reason": reason, "remedy": "look at PID 1: ps -p 1 -o pid,stat,wchan,time,args", "broken": True}
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CLOSED):
        return {"reason": "the bus closed the connection", "remedy": "journalctl -u dbus.service", "broken": True}
    return {"reason": f"systemd refused to answer: {error.message}", "remedy": "nodecheck doctor", "broken": False}


def _collect(manager: _Manager, request: dict[str, Any]) -> dict[str, Any]:
    """Ask for units and for the manager itself.

    request: {"manager": bool, "units": {name: {"always": [property], "troubled": [property]}}}
    answer:  {"manager": {property: value}, "units": {name: {property: value}}}
    """
    answer: dict[str, Any] = {"units": {}}
    if request["manager"]:
        answer["manager"] = _collect_manager(manager)
    if request["units"]:
        answer["units"] = _collect_units(manager, request["units"])
    return answer


def _collect_manager(manager: _Manager) -> dict[str, Any]:
    asked = {name: (MANAGER_PATH, MANAGER, name) for name in MANAGER_PROPERTIES}
    values = manager.properties(asked.values())
    state = {name: values[key] for name, key in asked.items() if key in values}
    state["failed"] = [row[0] for row in manager.call("ListUnitsFiltered", "(as)", (["failed"],))[0]]
    state["jobs"] = [list(row[1:4]) for row in manager.call("ListJobs")[0]] if state.get("NJobs") else []
    return state


def _collect_units(manager: _Manager, wanted: dict[str, dict[str, list[str]]]) -> dict[str, Any]:
    rows = _rows(manager, list(wanted))
    units = {name: _row_data(rows[name]) for name in wanted if name in rows}
    paths = {name: rows[name][6] for name in units}
    _read(manager, units, paths, {name: wanted[name]["always"] for name in units})
    troubled = {
        name: wanted[name]["troubled"] for name in units if wanted[name]["troubled"] and _is_troubled(units[name])
    }
    _read_settled(manager, units, paths, troubled)
    _read_triggers(manager, units)
    return units


def _rows(manager: _Manager, names: list[str]) -> dict[str, Any]:
    """Return the row of ListUnitsByNames for each name; an alias gets the row of the unit that it stands for."""
    rows = {row[0]: row for row in manager.call("ListUnitsByNames", "(as)", (names,))[0]}
    aliases = {name: (_object_path(name), UNIT, "Id") for name in names if name not in rows}
    ids = manager.properties(aliases.values())
    return rows | {name: rows[ids[key]] for name, key in aliases.items() if ids.get(key) in rows}


def _row_data(row: tuple[Any, ...]) -> dict[str, Any]:
    names = ("Id", "Description", "LoadState", "ActiveState", "SubState")
    return dict(zip(names, row[:5], strict=True)) | {"Job": row[8] if row[7] else ""}


def _is_troubled(unit: dict[str, Any]) -> bool:
    """Anything but a loaded unit that is active, has no job waiting and never had to be restarted."""
    plain = unit["LoadState"] == "loaded" and unit["ActiveState"] == "active" and not unit["Job"]
    return not plain or bool(unit.get("NRestarts"))


def _read(manager: _Manager, units: dict[str, Any], paths: dict[str, str], wanted: dict[str, list[str]]) -> None:
    asked = {
        (name, key): key for name, properties in wanted.items() for key in _keys(paths[name], units[name], properties)
    }
    values = manager.properties(asked.values())
    for name, key in asked:
        if key in values:
            units[name][key[2]] = values[key]


def _keys(path: str, unit: dict[str, Any], properties: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (object path, interface, property) for those properties that a unit of this type has."""
    suffix = unit["Id"].rpartition(".")[2]
    for name in properties:
        if name in UNIT_PROPERTIES:
            yield path, UNIT, name
        elif name in TYPE_PROPERTIES.get(suffix, ()):
            yield path, f"{BUS_NAME}.{suffix.capitalize()}", name


def _read_settled(
    manager: _Manager, units: dict[str, Any], paths: dict[str, str], wanted: dict[str, list[str]]
) -> None:
    """Read properties that belong together: a unit that changed its state meanwhile is read again.

    Two looks merged into one picture gave false alarms elsewhere (Checkmk werk 19803).
    """
    state = ["ActiveState", "SubState", "StateChangeTimestampMonotonic", "StateChangeTimestamp"]
    for _ in range(SNAPSHOT_ROUNDS):
        if not wanted:
            return
        _read(manager, units, paths, {name: state + properties for name, properties in wanted.items()})
        changed = {name: (paths[name], UNIT, "StateChangeTimestampMonotonic") for name in wanted}
        after = manager.properties(changed.values())
        wanted = {
            name: properties
            for name, properties in wanted.items()
            if after.get(changed[name]) != units[name].get("StateChangeTimestampMonotonic")
        }


def _read_triggers(manager: _Manager, units: dict[str, Any]) -> None:
    """For units that others start on demand: the state of those sockets, timers and paths, and where sockets listen."""
    names = sorted({trigger for unit in units.values() for trigger in unit.get("TriggeredBy", ())})
    if not names:
        return
    rows = _rows(manager, names)
    triggers = {name: _row_data(row) for name, row in rows.items()}
    _read(manager, triggers, {name: row[6] for name, row in rows.items()}, {name: ["Listen"] for name in triggers})
    for unit in units.values():
        unit["Triggers"] = {name: triggers[name] for name in unit.get("TriggeredBy", ()) if name in triggers}


def _object_path(name: str) -> str:
    """Return the object path of a unit: each byte outside A-Za-z0-9, and a leading digit, becomes _xx."""
    escaped = "".join(
        chr(byte) if chr(byte).isalpha() or (position and chr(byte).isdigit()) else f"_{byte:02x}"
        for position, byte in enumerate(name.encode("ascii", "replace"))
    )
    return f"/org/freedesktop/systemd1/unit/{escaped}"


class _Manager:
    """Calls on one connection: properties pipelined, few replies pending, one deadline for all."""

    def __init__(self, connection: Any, deadline: float) -> None:
        from gi.repository import Gio, GLib

        self._glib = GLib
        self._flags = Gio.DBusCallFlags.NO_AUTO_START
        self._connection = connection
        self._deadline = deadline
        self._pending = 0
        self._values: dict[tuple[str, str, str], Any] = {}
        self._failure: Any = None

    def call(self, method: str, signature: str = "()", arguments: tuple[Any, ...] = ()) -> Any:
        """Call a method of the manager; raises GLib.Error."""
        parameters = self._glib.Variant(signature, arguments)
        reply = self._connection.call_sync(
            BUS_NAME, MANAGER_PATH, MANAGER, method, parameters, None, self._flags, self._milliseconds(), None
        )
        return reply.unpack()

    def properties(self, asked: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], Any]:
        """Read (object path, interface, property) each; what this systemd does not have is left out of the answer."""
        waiting = deque(dict.fromkeys(asked))
        self._values = {}
        context = self._glib.MainContext.default()
        while waiting or self._pending:
            while waiting and self._pending < PENDING_REPLIES:
                self._send(waiting.popleft())
            context.iteration(True)
        if self._failure is not None:
            raise self._failure
        return self._values

    def _send(self, key: tuple[str, str, str]) -> None:
        path, interface, name = key
        self._pending += 1
        self._connection.call(
            BUS_NAME, path, "org.freedesktop.DBus.Properties", "Get", self._glib.Variant("(ss)", (interface, name)),
            None, self._flags, self._milliseconds(), None, self._receive, key,
        )  # fmt: skip

    def _receive(self, connection: Any, result: Any, key: tuple[str, str, str]) -> None:
        self._pending -= 1
        try:
            self._values[key] = connection.call_finish(result).unpack()[0]
        except self._glib.Error as error:
            if not _is_missing_property(error):
                self._failure = error

    def _milliseconds(self) -> int:
        return max(1, int((self._deadline - time.monotonic()) * 1000))


def _is_missing_property(error: Any) -> bool:
    from gi.repository import Gio

    name = Gio.DBusError.get_remote_error(error) or ""
    return name.endswith((".UnknownProperty", ".UnknownInterface", ".UnknownObject", ".InvalidArgs", ".NoSuchUnit"))
