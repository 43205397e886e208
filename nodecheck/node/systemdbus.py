"""The helper's side of asking systemd: connects, makes the calls, and finds out who does not answer.

The only importer of pydbus and gi. The interfaces: org.freedesktop.systemd1(5). Where the bus is dead or hangs, root
asks systemd by its private socket, as systemctl(1) does: the bus is the one fault then, and units are judged.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from collections import deque
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nodecheck.node import putoff, units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nodecheck.node.isolated import Channel

BUS_NAME = "org.freedesktop.systemd1"
BUSES = {"system": "system bus", "user": "session bus of this user"}
PRIVATE = "/run/systemd/private"
# dbus-daemon drops a connection with more than 128 replies pending (max_replies_per_connection).
PENDING_REPLIES = 100
# Kept back from the time for asking, to find out who it is that does not answer.
BLAME_SECONDS = 0.3
# After this long systemd is asked by its private socket, while the bus may still answer.
PATIENCE_SECONDS = 1.0
# A list of five thousand units takes a few MiB. What is longer is no answer, and must not take the node's memory.
MEMORY_BYTES = 512 << 20
# What the methods return (org.freedesktop.systemd1(5)): anything else is refused by GLib.
REPLIES = {
    "Get": "(v)",
    "GetAll": "(a{sv})",
    "ListJobs": "(a(usssoo))",
    "ListUnitFiles": "(a(ss))",
    "ListUnits": "(a(ssssssouso))",
    "ListUnitsByNames": "(a(ssssssouso))",
    "ListUnitsFiltered": "(a(ssssssouso))",
}


class _NoAnswer(Exception):
    """There is no answer; the argument says why: reason, remedy, broken, and late where it took too long."""


def serve(channel: Channel, scope: str) -> None:
    """Connect while the parent still reads the definitions, then answer its one request."""
    putoff.put_off()
    _bound_memory()
    try:
        from gi.repository import GLib  # noqa: F401  # all that is slow to load, before anybody else can be blamed

        import_module("pydbus")
    except (ImportError, ValueError, AttributeError) as error:
        channel.receive()
        remedy = "apt-get install python3-pydbus python3-gi"
        channel.send(("error", {"reason": f"pydbus cannot be loaded: {error}", "remedy": remedy, "broken": False}))
        return
    channel.send(("stage", "call"))
    connecting = _Connecting(lambda: _connect(scope), scope)
    request, deadline = channel.receive()
    try:
        channel.send(("answer", _answer(connecting, scope, request, deadline)))
    except _NoAnswer as error:
        channel.send(("error", error.args[0]))


def _bound_memory() -> None:
    """Limit what this process may take beside what it has of whoever forked it."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        pages = int(statm.read().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + MEMORY_BYTES
    known = [limit for limit in (soft, hard, most) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(known), hard))


def _answer(connecting: _Connecting, scope: str, request: dict[str, Any], deadline: float) -> dict[str, Any]:
    """Answer the request; raises _NoAnswer."""
    started = time.monotonic()
    latest = deadline - min(BLAME_SECONDS, (deadline - started) / 4)
    has_other_way = scope == "system" and os.geteuid() == 0 and os.path.exists(PRIVATE)
    patience = min(PATIENCE_SECONDS, (latest - started) / 4) if has_other_way else latest - started
    try:
        return _ask(connecting.wait(started + patience), scope, request, deadline)
    except _NoAnswer as error:
        fault = error.args[0]
    answer = _ask_privately(request, latest) if has_other_way else None
    try:
        connecting.wait(latest)  # a bus that is slow is not dead
    except _NoAnswer as error:
        fault = error.args[0]
    else:
        if fault.get("late") and answer:
            return answer
    if answer is None:
        raise _NoAnswer(fault)
    return _with_fault(answer, fault)


def _with_fault(answer: dict[str, Any], fault: dict[str, Any]) -> dict[str, Any]:
    """Note with what is known of the manager that its bus is broken; nothing is lost where it only refused us."""
    if fault["broken"] and "manager" in answer:
        answer["manager"] |= {"bus": {"reason": fault["reason"], "remedy": fault["remedy"]}}
    return answer


# ---- connections


class _Connecting:
    """A connection that is being made, by a thread: pydbus waits for ever for a bus that does not answer."""

    def __init__(self, connect: Callable[[], Any], scope: str) -> None:
        self._connect = connect
        self._scope = scope
        self._made: Any = None
        self._error: Any = None
        self._awaited = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        from gi.repository import GLib

        try:
            self._made = self._connect()
        except GLib.Error as error:
            self._error = error

    def wait(self, until: float) -> Any:
        """Return the Gio.DBusConnection; `until` is a time of the monotonic clock. Raises _NoAnswer."""
        self._awaited = self._awaited or time.monotonic()
        self._thread.join(max(0.0, until - time.monotonic()))
        if self._error is not None:
            raise _NoAnswer(_no_bus(self._scope, self._error))
        if self._made is None:
            raise _NoAnswer(_silent_bus(self._scope, f"within {until - self._awaited:.1f} s"))
        return self._made


def _connect(scope: str) -> Any:
    """Return a Gio.DBusConnection; raises GLib.Error."""
    import pydbus

    bus = pydbus.SystemBus() if scope == "system" else pydbus.SessionBus()
    bus.con.set_exit_on_close(False)  # else a bus that goes away takes this process with it
    return bus.con


def _connect_privately() -> Any:
    """Return a Gio.DBusConnection to systemd itself, without a bus; raises GLib.Error."""
    from gi.repository import Gio

    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
    return Gio.DBusConnection.new_for_address_sync(f"unix:path={PRIVATE}", flags, None, None)


def _no_bus(scope: str, error: Any) -> dict[str, Any]:
    from gi.repository import Gio

    remedy = "systemctl status dbus.service dbus.socket"
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CONNECTION_REFUSED):
        reason = f"nobody listens on the socket of the {BUSES[scope]}: dbus-daemon is dead"
        return {"reason": reason, "remedy": remedy, "broken": True}
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND) and scope == "system":
        reason = f"the {BUSES[scope]} has no socket: dbus is not running"
        return {"reason": reason, "remedy": remedy, "broken": True}
    # Where we are not let in or have a wrong address, we could not look; a bus that lets us in and hangs up is broken.
    ours = ("PERMISSION_DENIED", "NOT_DIRECTORY", "INVALID_ARGUMENT", "NOT_SUPPORTED", "TOO_MANY_OPEN_FILES")
    could_not_look = any(error.matches(Gio.io_error_quark(), getattr(Gio.IOErrorEnum, name)) for name in ours)
    broken = scope == "system" and not could_not_look
    remedy = remedy if scope == "system" else "run nodecheck as that user, with XDG_RUNTIME_DIR set"
    return {"reason": f"cannot connect to the {BUSES[scope]}: {error.message}", "remedy": remedy, "broken": broken}


def _silent_bus(scope: str, within: str) -> dict[str, Any]:
    reason = f"dbus-daemon accepts connections to the {BUSES[scope]}, but does not answer {within}"
    remedy = "ps -C dbus-daemon,dbus-broker -o pid,stat,wchan,args"
    return {"reason": reason, "remedy": remedy, "broken": True, "late": True}


# ---- asking


def _ask(connection: Any, scope: str, request: dict[str, Any], deadline: float) -> dict[str, Any]:
    """Answer the request by a bus; raises _NoAnswer."""
    from gi.repository import GLib

    started = time.monotonic()
    kept_back = min(BLAME_SECONDS, (deadline - started) / 4)
    try:
        return units.collect(_Manager(connection, BUS_NAME, deadline - kept_back), request)
    except GLib.Error as error:
        if not _is_timeout(error):
            raise _NoAnswer(_failed_call(scope, error)) from error
        within = f"within {time.monotonic() - started:.1f} s"
        silent = _silent_manager if _bus_answers(connection, kept_back / 2) else _silent_bus
        raise _NoAnswer(silent(scope, within)) from error


def _ask_privately(request: dict[str, Any], latest: float) -> dict[str, Any] | None:
    """Answer the request without a bus; None where systemd does not answer there either."""
    from gi.repository import GLib

    try:
        connection = _Connecting(_connect_privately, "system").wait(latest)
        return units.collect(_Manager(connection, None, latest), request)
    except (GLib.Error, _NoAnswer):
        return None


def _bus_answers(connection: Any, seconds: float) -> bool:
    """Tell whether dbus-daemon itself answers: when systemd does not, one of the two is to blame."""
    from gi.repository import Gio, GLib

    bus = "org.freedesktop.DBus"
    milliseconds = max(1, int(seconds * 1000))
    flags = Gio.DBusCallFlags.NO_AUTO_START
    try:
        connection.call_sync(bus, "/org/freedesktop/DBus", bus, "GetId", None, None, flags, milliseconds, None)
    except GLib.Error:
        return False
    return True


def _silent_manager(scope: str, within: str) -> dict[str, Any]:
    if scope == "user":
        reason, remedy = "the systemd of this user", "ps -C systemd -o pid,user,stat,wchan,time,args"
    else:
        reason, remedy = "systemd (PID 1)", "ps -p 1 -o pid,stat,wchan,time,args"
    return {"reason": f"{reason} does not answer on the bus {within}", "remedy": remedy, "broken": True, "late": True}


def _failed_call(scope: str, error: Any) -> dict[str, Any]:
    from gi.repository import Gio

    name = Gio.DBusError.get_remote_error(error) or ""
    if name.endswith((".ServiceUnknown", ".NameHasNoOwner")):
        reason = "the bus answers, but systemd is not on it"
        return {"reason": reason, "remedy": "systemctl daemon-reexec", "broken": True}
    if name.endswith(".NoReply"):  # without having timed out: the name lost its owner
        reason = "systemd left the bus before it answered"
        return {"reason": reason, "remedy": "systemctl status; try again", "broken": True}
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CLOSED) or name.endswith(".Disconnected"):
        reason = f"the {BUSES[scope]} closed the connection"
        return {"reason": reason, "remedy": "journalctl -u dbus.service", "broken": True}
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.INVALID_ARGUMENT):
        return {"reason": f"systemd answered something else: {error.message}", "remedy": "", "broken": False}
    return {"reason": f"systemd refused to answer: {_told(error)}", "remedy": "nodecheck doctor", "broken": False}


def _is_timeout(error: Any) -> bool:
    from gi.repository import Gio

    name = Gio.DBusError.get_remote_error(error) or ""
    return bool(error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT)) or name.endswith(".Timeout")


def _told(error: Any) -> str:
    """What the other side said, without the name of the error that GLib puts before it."""
    message = str(error.message)
    return message.split(": ", 1)[-1] if message.startswith("GDBus.Error:") else message


class _Manager:
    """Calls on one connection: properties pipelined, few replies pending, one deadline for all."""

    def __init__(self, connection: Any, name: str | None, deadline: float) -> None:
        from gi.repository import Gio, GLib

        self._glib = GLib
        self._flags = Gio.DBusCallFlags.NO_AUTO_START
        self._connection = connection
        self._name = name  # None for one that is no bus
        self._deadline = deadline
        self._pending = 0
        self._values: dict[tuple[str, str, str], Any] = {}
        self._failure: Any = None
        self.refused: dict[str, str] = {}  # {object path: what systemd said}

    def call(self, method: str, signature: str = "()", arguments: tuple[Any, ...] = ()) -> Any:
        """Call a method of the manager; raises GLib.Error."""
        parameters = self._glib.Variant(signature, arguments)
        reply = self._connection.call_sync(
            self._name,
            units.MANAGER_PATH,
            units.MANAGER,
            method,
            parameters,
            self._glib.VariantType(REPLIES[method]),
            self._flags,
            self._milliseconds(),
            None,
        )
        return reply.unpack()

    def properties(self, asked: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], Any]:
        """Read (object path, interface, property) each; what this systemd does not have is left out of the answer.

        The property units.ALL gives {property: value}.
        """
        waiting = deque(dict.fromkeys(asked))
        self._values = {}
        context = self._glib.MainContext.default()
        while self._pending or (waiting and self._failure is None):
            while waiting and self._pending < PENDING_REPLIES and self._failure is None:
                self._send(waiting.popleft())
            context.iteration(True)  # the argument says: wait
        if self._failure is not None:
            raise self._failure
        return self._values

    def _send(self, key: tuple[str, str, str]) -> None:
        path, _, name = key
        self._pending += 1
        method, signature, arguments = ("Get", "(ss)", key[1:]) if name != units.ALL else ("GetAll", "(s)", key[1:2])
        self._connection.call(
            self._name, path, "org.freedesktop.DBus.Properties", method, self._glib.Variant(signature, arguments),
            self._glib.VariantType(REPLIES[method]), self._flags, self._milliseconds(), None, self._receive, key,
        )  # fmt: skip

    def _receive(self, connection: Any, result: Any, key: tuple[str, str, str]) -> None:
        self._pending -= 1
        try:
            self._values[key] = _plain(connection.call_finish(result).unpack()[0])
        except self._glib.Error as error:
            if _is_denied(error) and key[0] != units.MANAGER_PATH:
                self.refused[key[0]] = _told(error)
            elif not _is_missing_property(error):
                self._failure = error

    def _milliseconds(self) -> int:
        return max(1, int((self._deadline - time.monotonic()) * 1000))


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: a structure of D-Bus becomes a list."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _is_missing_property(error: Any) -> bool:
    from gi.repository import Gio

    name = Gio.DBusError.get_remote_error(error) or ""
    return name.endswith((".UnknownProperty", ".UnknownInterface", ".UnknownObject", ".InvalidArgs", ".NoSuchUnit"))


def _is_denied(error: Any) -> bool:
    """Tell whether systemd refuses to speak of this: SELinux may forbid one unit and allow the others."""
    from gi.repository import Gio

    return (Gio.DBusError.get_remote_error(error) or "").endswith(".AccessDenied")
