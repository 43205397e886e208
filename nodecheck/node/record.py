"""A node as a file: what was seen of it as plain JSON, and a node made of that again.

A record is for another place and a later time: a bug report is one file, and a test may change it by key. What it does
not hold was not seen, so what asks for it is `unknown`. Its secrets are masked (secrets.py).

    schema, recorded_at, agent: {version}       what wrote it, and when
    facts: {name: {value, source, problem}}, groups: {name: how it was found}, problems: [text]
    clocks: {monotonic, realtime, boottime}     in seconds, at the time of the look: ages count from there
    manager: {property: value}                  of systemd itself
    units, user_units: {name: {property: value}}, refused, user_refused: {name: what systemd said}
    processes: {complete, boottime, table: [{field: value}]}
    listeners: {tcp, udp: [{field: value}]}, connections: {inode of a listener: {error, seconds, accepted}}
    counters: {name: [[seconds ago, value, in this boot], ...]}   what earlier runs saw, the oldest first
    users: {name: id, null for no such user}, files: {path: text, null for no such file}

Properties are those of org.freedesktop.systemd1(5), fields those of Process, Listener and Connection. What stayed dark
is {"unobserved": {source, reason, remedy, broken}} in its place; what nobody looked at is missing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nodecheck.node import windows
from nodecheck.node.facts import Fact
from nodecheck.node.node import Node, UnitWant
from nodecheck.node.secrets import mask
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nodecheck.node.node import Want
    from nodecheck.node.observations import Observations, Unit
    from nodecheck.node.processes import Process, ProcessTable
    from nodecheck.node.sockets import Listener
    from nodecheck.node.systemd import Collector

SCHEMA = "nodecheck.record/1"
TOLD = ("Description", "StatusText", "LoadError")  # properties of a unit in which somebody says something
AGAIN = "record it again with these definitions: nodecheck record FILE|DIR"


class Replayed(Node):
    """A recorded node: it stands still, and nothing more can be seen of it.

    `source` says where the record comes from, such as its path.
    """

    def __init__(self, *, facts: dict[str, Fact], groups: dict[str, str], observed: Observations, source: str) -> None:
        super().__init__(facts=facts, groups=groups)
        self.observed = observed
        self.recorded_at = observed.clocks["realtime"]
        self._source = source

    def observe(self, wants: Iterable[Want], deadline: float, collector: Collector | None) -> None:  # noqa: ARG002  # there is nothing to wait for
        """Collect nothing."""
        self.note_judged(want for want in wants if isinstance(want, UnitWant))

    def absent(self, what: str) -> Unobserved:
        """Return why something is not known."""
        return Unobserved("record", f"the record {self._source} says nothing of {what}", remedy=AGAIN)

    def untold(self, name: str) -> Unobserved:
        """Return why nothing is known of a unit."""
        return self.absent(f"the unit {name}")


def record(node: Node, version: str) -> dict[str, Any]:
    """Return a node as plain data; `version` is that of nodecheck."""
    observed = node.observed
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "recorded_at": _timestamp(observed.clocks["realtime"]),
        "agent": {"version": version},
        "facts": {name: fact._asdict() for name, fact in node.facts.items()},
        "groups": dict(node.groups),
        "clocks": dict(observed.clocks),
    }
    if observed.manager is not None:
        data["manager"] = _or_dark(observed.manager)
    data |= _units_data(observed)
    if observed.processes is not None:
        data["processes"] = _table_data(observed.processes)
    return data | {
        "listeners": {name: _listeners_data(found) for name, found in observed.listeners.items()},
        "connections": {str(inode): _tuple_data(made) for inode, made in observed.connections.items()},
        "users": {name: _or_dark(uid) for name, uid in observed.users.items()},
        "files": {
            path: mask(text) if isinstance(text, str) else _or_dark(text) for path, text in observed.files.items()
        },
        "windows": {window: _window_data(window, found) for window, found in observed.windows.items()},
        "counters": {name: [list(sample) for sample in samples] for name, samples in observed.counters.items()},
        "problems": list(node.problems),
    }


def _window_data(window: str, found: dict[str, Any]) -> dict[str, Any]:
    """What was seen through a window, without the secrets that may be in it, where the window has a rule for that."""
    without = getattr(windows.window_named(window), "masked", lambda seen: seen)
    return {key: _dark(seen) if isinstance(seen, Unobserved) else without(seen) for key, seen in found.items()}


def _units_data(observed: Observations) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for scope, prefix in (("system", ""), ("user", "user_")):
        units = observed.units.get(scope)
        if units is None:
            continue
        seen = (
            _dark(units) if isinstance(units, Unobserved) else {name: _unit_data(units[name]) for name in sorted(units)}
        )
        data[f"{prefix}units"] = seen
        data[f"{prefix}refused"] = dict(observed.refused.get(scope, {}))
    return data


def _unit_data(unit: Unit) -> Unit:
    data = {name: _masked(value) if name in TOLD else value for name, value in unit.items()}
    if "Triggers" in unit:
        data["Triggers"] = {name: _unit_data(trigger) for name, trigger in unit["Triggers"].items()}
    return data


def _masked(value: Any) -> Any:
    return [_masked(item) for item in value] if isinstance(value, list) else mask(value)


def _table_data(table: ProcessTable | Unobserved) -> dict[str, Any]:
    if isinstance(table, Unobserved):
        return _dark(table)
    rows = [_process_data(process) for process in table.processes]
    return {"complete": table.complete, "boottime": table.boottime, "table": rows}


def _process_data(process: Process) -> dict[str, Any]:
    masked = process._replace(cmdline=None if process.cmdline is None else mask(process.cmdline))
    return {name: value for name, value in masked._asdict().items() if value is not None}


def _listeners_data(listeners: list[Listener] | Unobserved) -> Any:
    return _dark(listeners) if isinstance(listeners, Unobserved) else [_tuple_data(found) for found in listeners]


def _tuple_data(found: Any) -> dict[str, Any]:
    if isinstance(found, Unobserved):
        return _dark(found)
    plain = (list(value) if isinstance(value, tuple) else value for value in found)
    return dict(zip(found._fields, plain, strict=True))


def _or_dark(observation: Any) -> Any:
    return _dark(observation) if isinstance(observation, Unobserved) else observation


def _dark(dark: Unobserved) -> dict[str, Any]:
    return {"unobserved": dark.to_data()}


def _timestamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
