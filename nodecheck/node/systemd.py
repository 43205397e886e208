"""Asks systemd over D-Bus. The only importer of pydbus and gi.

The asking is done by a forked helper: importing gi takes as long as all the rest of a run, and a bus that hangs is a
process that can be left behind. The interfaces: org.freedesktop.systemd1(5).
"""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nodecheck.node import units
from nodecheck.node.isolated import Channel, Helper, HelperGone, HelperTimeout
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCE = "systemd"
BUS_NAME = "org.freedesktop.systemd1"
BUSES = {"system": "system bus", "user": "session bus of this user"}
# dbus-daemon drops a connection with more than 128 replies pending (max_replies_per_connection).
PENDING_REPLIES = 100
# Kept back from the time for asking, to find out who it is that does not answer.
BLAME_SECONDS = 0.3


def booted_with_systemd() -> bool:
    """Tell whether systemd is PID 1 here, as sd_booted(3) does."""
    return os.path.isdir("/run/systemd/system")


class Collector:
    """The parent's side: start it first of all, ask it once, leave it. Each scope has a helper of its own."""

    def __init__(self) -> None:
        self._helpers = {"system": _ScopeHelper("system")} if booted_with_systemd() else {}
        self._asked: list[str] = []
        self._deadline = 0.0
        self._left = False

    def ask(self, requests: dict[str, dict[str, Any]], deadline: float) -> None:
        """Ask the managers of the scopes `system` and `user`, and do not wait.

        `requests` is {scope: request}, see units.collect for its shape. `deadline` is a time of the monotonic clock in
        seconds; it covers connecting, authentication and all calls.
        """
        self._asked, self._deadline = list(requests), deadline
        for scope, request in requests.items():
            if scope not in self._helpers:
                self._helpers[scope] = _ScopeHelper(scope)
            self._helpers[scope].ask(request, deadline)

    def answers(self) -> dict[str, dict[str, Any] | Unobserved]:
        """Wait for what was asked: for each scope the answer, or why there is none."""
        return {scope: self._helpers[scope].answer(self._deadline) for scope in self._asked}

    def leave(self) -> str:
        """End the helpers, once; return a description of those that cannot be ended, "" otherwise."""
        stuck = [] if self._left else [helper.pid for helper in self._helpers.values() if not helper.leave()]
        self._left = True
        pids = ", ".join(str(pid) for pid in stuck)
        return f"the helper that asks systemd (pid {pids}) hangs in the kernel and was left behind" if stuck else ""


class _ScopeHelper:
    """The helper that asks one manager."""

    def __init__(self, scope: str) -> None:
        self._helper = Helper(lambda channel: _serve(channel, scope))
        self._scope = scope
        self._asked = 0.0
        self._answered = False

    @property
    def pid(self) -> int:
        return self._helper.pid

    def ask(self, request: dict[str, Any], deadline: float) -> None:
        self._asked = time.monotonic()
        with suppress(BrokenPipeError):  # the helper is gone: receiving says so
            self._helper.channel.send((request, deadline))

    def answer(self, deadline: float) -> dict[str, Any] | Unobserved:
        stage = "import"
        try:
            while True:
                kind, detail = self._helper.channel.receive(deadline)
                if kind != "stage":
                    self._answered = True
                    return _refused(detail) if kind == "error" else detail
                stage = detail
        except HelperGone:
            return Unobserved(
                SOURCE, "the process that asks systemd ended without an answer", remedy="nodecheck doctor"
            )
        except HelperTimeout:
            return _silent(stage, self._scope, time.monotonic() - self._asked)

    def leave(self) -> bool:
        if not self._answered:
            return self._helper.leave()
        self._helper.end()
        return True


def _silent(stage: str, scope: str, seconds: float) -> Unobserved:
    within = f"within {seconds:.1f} s"
    if stage == "import":
        reason = f"pydbus was not loaded {within}: this host is too slow or its disk does not answer"
    elif stage == "connect":
        return _refused(_silent_bus(scope, within))
    else:
        reason = f"the process that asks systemd did not get to the end {within}: this host is too slow"
    return Unobserved(SOURCE, reason, late=True)


def _silent_bus(scope: str, within: str) -> dict[str, Any]:
    reason = f"dbus-daemon accepts connections to the {BUSES[scope]}, but does not answer {within}"
    remedy = "look at the process: ps -C dbus-daemon -o pid,stat,wchan,args"
    return {"reason": reason, "remedy": remedy, "broken": True, "late": True}


def _refused(detail: dict[str, Any]) -> Unobserved:
    return Unobserved(SOURCE, **detail)


# ---- what follows runs in the helper


def _serve(channel: Channel, scope: str) -> None:
    """Connect while the parent still reads the definitions, then answer its one request."""
    try:
        from gi.repository import GLib

        import_module("pydbus")  # all that is slow to load, before anybody else can be blamed
    except (ImportError, ValueError, AttributeError) as error:
        channel.receive()
        remedy = "apt-get install python3-pydbus python3-gi"
        channel.send(("error", {"reason": f"pydbus cannot be loaded: {error}", "remedy": remedy, "broken": False}))
        return
    channel.send(("stage", "connect"))
    try:
        connection = _connect(scope)
        channel.send(("stage", "call"))
        request, deadline = channel.receive()
        channel.send(("answer", _ask(connection, scope, request, deadline)))
    except GLib.Error as error:
        channel.send(("error", _no_bus(scope, error)))
    except _NoAnswer as error:
        channel.send(("error", error.args[0]))


class _NoAnswer(Exception):
    """There is a connection and no answer; the argument says why."""


def _connect(scope: str) -> Any:
    """Return a Gio.DBusConnection; raises GLib.Error."""
    import pydbus

    bus = pydbus.SystemBus() if scope == "system" else pydbus.SessionBus()
    bus.con.set_exit_on_close(False)  # else a bus that goes away takes this process with it
    return bus.con


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


def _ask(connection: Any, scope: str, request: dict[str, Any], deadline: float) -> dict[str, Any]:
    """Answer the request; raises _NoAnswer."""
    from gi.repository import GLib

    started = time.monotonic()
    kept_back = min(BLAME_SECONDS, (deadline - started) / 4)
    try:
        return units.collect(_Manager(connection, deadline - kept_back), request)
    except GLib.Error as error:
        if not _is_timeout(error):
            raise _NoAnswer(_failed_call(scope, error)) from error
        within = f"within {time.monotonic() - started:.1f} s"
        silent = _silent_manager if _bus_answers(connection, kept_back / 2) else _silent_bus
        raise _NoAnswer(silent(scope, within)) from error


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
        reason, remedy = "systemd (PID 1)", "look at PID 1: ps -p 1 -o pid,stat,wchan,time,args"
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

    def __init__(self, connection: Any, deadline: float) -> None:
        from gi.repository import Gio, GLib

        self._glib = GLib
        self._flags = Gio.DBusCallFlags.NO_AUTO_START
        self._connection = connection
        self._deadline = deadline
        self._pending = 0
        self._values: dict[tuple[str, str, str], Any] = {}
        self._failure: Any = None
        self.refused: dict[str, str] = {}  # {object path: what systemd said}

    def call(self, method: str, signature: str = "()", arguments: tuple[Any, ...] = ()) -> Any:
        """Call a method of the manager; raises GLib.Error."""
        parameters = self._glib.Variant(signature, arguments)
        reply = self._connection.call_sync(
            BUS_NAME,
            units.MANAGER_PATH,
            units.MANAGER,
            method,
            parameters,
            None,
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
            BUS_NAME, path, "org.freedesktop.DBus.Properties", method, self._glib.Variant(signature, arguments), None,
            self._flags, self._milliseconds(), None, self._receive, key,
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
