"""Changes to a recorded node, by key: the node of a case is a healthy one that something has happened to.

All of it is plain data; whether the outcome is a record is for recordfile.py to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nodecheck.checks import _unit_states
from nodecheck.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Data = dict[str, Any]

ABSENT = "absent"
AGO = re.compile(r"(.+) ago")
NO_UNIT = {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
NEW_PROCESS = {"state": "S", "parent": 1, "threads": 1, "started": 0.0}
NEW_PID = 4_000_000  # none of the recorded ones; pid_max is 4194304 at most
NEW_INODE = 1 << 40
ADDRESS = {4: "0.0.0.0", 6: "::"}  # of a listener that is added


class BadChange(Exception):
    """A change that cannot be made: (where, what is wrong)."""


def change(record: Data, changes: Mapping[str, Any]) -> Data:
    """Return the record with these changes; what is not changed is shared with it. Raises BadChange."""
    for section, wanted in changes.items():
        if section not in SECTIONS:
            raise BadChange(section, f"one of {', '.join(SECTIONS)}")
        if not isinstance(wanted, dict):
            raise BadChange(section, "a mapping of what is changed")
        record = SECTIONS[section](record, wanted)
    return record


def _merge(record: Data, key: str, wanted: Data) -> Data:
    return record | {key: record.get(key, {}) | wanted}


# ---- what the node is


def _facts(record: Data, wanted: Data) -> Data:
    return _merge(record, "facts", {name: _fact(value) for name, value in wanted.items()})


def _fact(value: Any) -> Data:
    """A value, absent, or {malformed: what is wrong with the file that it is read off}."""
    if value == ABSENT:
        return {"value": None, "source": "the case"}
    if isinstance(value, dict) and value.keys() == {"malformed"}:
        return {"value": None, "source": "the case", "problem": value["malformed"], "malformed": True}
    return {"value": value, "source": "the case"}


def _groups(record: Data, wanted: Data) -> Data:
    kept = {name: how for name, how in record.get("groups", {}).items() if wanted.get(name) != ABSENT}
    added = {name: str(how or "the case") for name, how in wanted.items() if how != ABSENT}
    return record | {"groups": kept | added}


# ---- what was seen of it


def _units(record: Data, wanted: Data) -> Data:
    units = record.get("units", {})
    if "unobserved" in units:
        raise BadChange("units", "a record in which these could be seen")
    changed = {name: _unit(name, units.get(name), properties, record) for name, properties in wanted.items()}
    return record | {"units": units | changed}


def _unit(name: str, unit: Data | None, properties: Any, record: Data) -> Data:
    if properties != ABSENT and not isinstance(properties, dict):
        raise BadChange(f"units > {name}", f"properties of the unit, or {ABSENT}")
    if unit is None and (properties == ABSENT or "LoadState" not in properties):
        raise BadChange(f"units > {name}", "a unit that the record holds; one that is new says its LoadState")
    if properties == ABSENT:
        return {"Id": name, **NO_UNIT}
    for key, known in (("ActiveState", _unit_states.ACTIVE), ("LoadState", _unit_states.LOAD)):
        if key in properties and str(properties[key]) not in known:
            raise BadChange(f"units > {name} > {key}", f"one of {', '.join(sorted(known))}")
    clocks = record["clocks"]
    return (unit or {"Id": name, **NO_UNIT}) | {key: _moment(key, value, clocks) for key, value in properties.items()}


def _moment(key: str, value: Any, clocks: Data) -> Any:
    """A time may be told as `5m ago`: systemd tells microseconds, of one clock or the other."""
    found = AGO.fullmatch(value) if isinstance(value, str) and ("Timestamp" in key or "USec" in key) else None
    if not found:
        return value
    try:
        seconds = parse_duration(found[1])
    except ValueError as error:
        raise BadChange(key, str(error)) from error
    clock = clocks["monotonic" if key.endswith("Monotonic") else "realtime"]
    return max(0, int((clock - seconds) * 1e6))


def _manager(record: Data, wanted: Data) -> Data:
    return _merge(record, "manager", wanted)


def _processes(record: Data, wanted: Data) -> Data:
    seen = record.get("processes", {})
    table = list(seen.get("table", []))
    if "unobserved" in seen:
        raise BadChange("processes", "a record in which these could be seen")
    for name, fields in wanted.items():
        here = [process for process in table if process["name"] == name]
        if fields == ABSENT and not here:
            raise BadChange(f"processes > {name}", "the name of a process that the record holds")
        if fields == ABSENT:
            table = [process for process in table if process["name"] != name]
        elif not isinstance(fields, dict) or not isinstance(fields.get("name", name), str):
            raise BadChange(f"processes > {name}", f"fields of the process, or {ABSENT}")
        elif here:
            table = [process | fields if process["name"] == name else process for process in table]
        else:
            table.append({"pid": NEW_PID + len(table), "name": name, **NEW_PROCESS, **fields})
    return record | {"processes": {"complete": True, "boottime": record["clocks"]["boottime"], **seen, "table": table}}


def _listeners(record: Data, wanted: Data) -> Data:
    """Each is named as protocol/port; `connection` is what a try to connect to it came to, `owners` may be names."""
    for name, fields in wanted.items():
        protocol, _, port = name.partition("/")
        if protocol not in ("tcp", "udp") or not port.isdecimal():
            raise BadChange(f"listeners > {name}", "a name such as tcp/10250")
        if fields != ABSENT and not isinstance(fields, dict):
            raise BadChange(f"listeners > {name}", f"fields of the listener, or {ABSENT}")
        record = _listener(record, protocol, int(port), fields)
    return record


def _listener(record: Data, protocol: str, port: int, fields: Any) -> Data:
    every = record.get("listeners", {}).get(protocol, [])
    if not isinstance(every, list):
        raise BadChange(f"listeners > {protocol}/{port}", "a record in which these could be seen")
    others = [listener for listener in every if listener["port"] != port]
    if fields == ABSENT and len(others) == len(every):
        raise BadChange(f"listeners > {protocol}/{port}", "a listener that the record holds")
    if fields == ABSENT:
        return _merge(record, "listeners", {protocol: others})
    family = fields.get("family", 4)
    if not isinstance(family, int):
        raise BadChange(f"listeners > {protocol}/{port} > family", "4 or 6")
    new = {"protocol": protocol, "family": family, "address": ADDRESS.get(family), "port": port}
    here = [listener for listener in every if listener["port"] == port] or [new | {"inode": NEW_INODE + port}]
    own = {key: value for key, value in fields.items() if key != "connection"}
    if "owners" in own:
        own["owners"] = _pids(own["owners"], record)
    changed = [listener | own for listener in here]
    record = _merge(record, "listeners", {protocol: others + changed})
    return record if "connection" not in fields else _connected(record, changed, fields["connection"])


def _pids(owners: Any, record: Data) -> Any:
    table = record.get("processes", {}).get("table", [])
    named = owners if isinstance(owners, list) else [owners]
    if not all(isinstance(owner, str | int) for owner in named):
        raise BadChange("owners", "names or pids of processes")
    unknown = [owner for owner in named if owner not in {value for row in table for value in (row["name"], row["pid"])}]
    if unknown:
        raise BadChange("owners", f"names or pids of processes that the record holds; {unknown[0]!r} is none")
    return [process["pid"] for process in table if process["name"] in named or process["pid"] in named]


def _connected(record: Data, listeners: list[Data], made: Any) -> Data:
    if not isinstance(made, dict):
        raise BadChange("connection", "a mapping such as {accepted: true} or {error: Connection refused}")
    made = {"error": "", "seconds": 0.001, "accepted": None if made.get("error") else True} | made
    return _merge(record, "connections", {str(listener["inode"]): made for listener in listeners})


def _users(record: Data, wanted: Data) -> Data:
    return _merge(record, "users", wanted)


def _files(record: Data, wanted: Data) -> Data:
    return _merge(record, "files", {path: None if text == ABSENT else text for path, text in wanted.items()})


def _windows(record: Data, wanted: Data) -> Data:
    """What was seen through a window is changed by its key; data that is no mapping is replaced."""
    for window, seen in wanted.items():
        if not isinstance(seen, dict):
            raise BadChange(f"windows > {window}", "keys, each with what is seen instead")
        before = record.get("windows", {}).get(window, {})
        after = {key: _seen(before.get(key), value) for key, value in seen.items()}
        record = _merge(record, "windows", {window: before | after})
    return record


def _seen(before: Any, after: Any) -> Any:
    merged = isinstance(before, dict) and isinstance(after, dict) and "unobserved" not in after
    return before | after if merged else after


def _unobserved(record: Data, wanted: Data) -> Data:
    """A window goes dark: systemd is that of units and of the manager."""
    for window, reason in wanted.items():
        if window not in WINDOWS:
            raise BadChange(f"unobserved > {window}", f"one of {', '.join(WINDOWS)}")
        told = {"source": window, "reason": str(reason), "broken": window == "systemd"}
        for path in WINDOWS[window]:
            record = _darken(record, path, {"unobserved": told})
    return record


def _darken(record: Data, path: tuple[str, ...], dark: Data) -> Data:
    first, *rest = path
    return record | {first: _darken(record.get(first, {}), tuple(rest), dark) if rest else dark}


WINDOWS: dict[str, tuple[tuple[str, ...], ...]] = {
    "systemd": (("manager",), ("units",)),
    "processes": (("processes",),),
    "sockets": (("listeners", "tcp"), ("listeners", "udp")),
}
SECTIONS: dict[str, Callable[[Data, Data], Data]] = {
    "facts": _facts, "groups": _groups, "units": _units, "manager": _manager, "processes": _processes,
    "listeners": _listeners, "users": _users, "files": _files, "windows": _windows, "unobserved": _unobserved,
}  # fmt: skip
