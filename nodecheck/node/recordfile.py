"""Reads a record, strictly: whatever a person or another program has made of it gives a node, or says what is wrong."""

from __future__ import annotations

import errno
import json
import re
from typing import TYPE_CHECKING, Any

from nodecheck.files import read_regular_file
from nodecheck.node import windows
from nodecheck.node.counters import Sample
from nodecheck.node.facts import Fact, subject_named, subjects
from nodecheck.node.observations import Observations
from nodecheck.node.processes import Process, ProcessTable
from nodecheck.node.record import SCHEMA, Replayed
from nodecheck.node.shapes import (
    WrongShape,
    anything,
    boolean,
    fields,
    kind,
    list_of,
    mapping_of,
    number,
    one_of,
    optional,
    text,
    whole,
)
from nodecheck.node.sockets import Connection, Listener
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodecheck.node.shapes import Reader

MAXIMUM_BYTES = 64 << 20
LATEST = 253_402_300_799  # the last second of the year 9999
HOW_TO_MAKE = "nodecheck record > node.json writes one"


class BadRecord(Exception):
    """A record that cannot be used; `hint` says what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def read(path: str) -> Replayed:
    """Return the recorded node. Raises BadRecord."""
    return replay(read_data(path), path)


def read_data(path: str) -> Any:
    """Return what a file holds, to be changed before it is replayed. Raises BadRecord."""
    try:
        raw = read_regular_file(path, MAXIMUM_BYTES)
    except OSError as error:
        why = "it is not a regular file" if error.errno == errno.ENXIO else error.strerror or str(error)  # a socket
        raise BadRecord(f"the record {path} cannot be read: {why}", HOW_TO_MAKE) from error
    except ValueError as error:  # a NUL in the name
        raise BadRecord(f"the record {path!r} cannot be read: {error}", HOW_TO_MAKE) from error
    return _parse(path, raw)


def _parse(path: str, raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant, object_pairs_hook=_mapping)
    except UnicodeDecodeError as error:
        message = f"the record {path} is not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}"
        raise BadRecord(message, HOW_TO_MAKE) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadRecord(f"the record {path} is not JSON: {error.msg} at {place}", HOW_TO_MAKE) from error
    except (ValueError, RecursionError) as error:  # a number without an end, or nested without one
        raise BadRecord(f"the record {path} is no plain JSON: {error}", HOW_TO_MAKE) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands twice in one mapping")
        found[key] = value
    return found


def replay(data: Any, source: str) -> Replayed:
    """Return the node that was recorded as this data. Raises BadRecord."""
    _refuse_foreign(data, source)
    try:
        read = _RECORD(data, "")
    except WrongShape as error:
        place, wrong = error.args
        where = f"{place}: " if place else ""
        raise BadRecord(f"the record {source} cannot be used: {where}{wrong}", "mend it, or record it again") from error
    node = Replayed(
        facts=_not_recorded(read["groups"]) | {name: Fact(**fact) for name, fact in read["facts"].items()},
        groups=read["groups"],
        observed=_observations(read),
        source=source,
    )
    node.problems += read.get("problems", [])
    return node


def _refuse_foreign(data: Any, source: str) -> None:
    """Raise BadRecord for what is no record, and for one that this version does not know."""
    if not isinstance(data, dict):
        raise BadRecord(f"{source} is no record of nodecheck: it holds {kind(data)}", HOW_TO_MAKE)
    schema = data.get("schema")
    if schema == SCHEMA:
        return
    newer = isinstance(schema, str) and re.fullmatch(rf"{SCHEMA.partition('/')[0]}/([0-9]{{1,9}})", schema)
    if newer:
        message = f"the record {source} has the schema {schema}, and this nodecheck reads {SCHEMA}"
        raise BadRecord(message, "replay it with the nodecheck that recorded it: agent > version in it says which")
    found = f"its schema is {schema!r}" if isinstance(schema, str) else "it names no schema"
    raise BadRecord(f"{source} is no record of nodecheck: {found}", HOW_TO_MAKE)


def _observations(read: dict[str, Any]) -> Observations:
    names = {"system": "", "user": "user_"}
    units = {scope: read[f"{prefix}units"] for scope, prefix in names.items() if f"{prefix}units" in read}
    return Observations(
        units=units,
        refused={scope: read.get(f"{names[scope]}refused", {}) for scope in units},
        manager=read.get("manager"),
        processes=read.get("processes"),
        listeners=read.get("listeners", {}),
        connections={int(inode): made for inode, made in read.get("connections", {}).items()},
        users=read.get("users", {}),
        files=read.get("files", {}),
        windows=read.get("windows", {}),
        counters=read.get("counters", {}),
        clocks=read["clocks"],
    )


# ---- shapes


def _or_dark(reader: Reader) -> Reader:
    def read(value: Any, place: str) -> Any:
        if not isinstance(value, dict) or list(value) != ["unobserved"] or not isinstance(value["unobserved"], dict):
            return reader(value, place)
        dark = _DARK(value["unobserved"], f"{place} > unobserved")
        return Unobserved(**dark)

    return read


def _made(make: Any, reader: Reader) -> Reader:
    """The same, as a tuple with names."""

    def read(value: Any, place: str) -> Any:
        plain = reader(value, place)
        return make(**{key: tuple(item) if isinstance(item, list) else item for key, item in plain.items()})

    return read


def _letter(value: Any, place: str) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z]", value):
        raise WrongShape(place, "expected one letter, such as S for sleeping")
    return value


def _address(value: Any, place: str) -> str:
    import ipaddress

    try:
        ipaddress.ip_address(text(value, place))
    except ValueError as error:
        raise WrongShape(place, f"{value!r} is no IP address") from error
    return text(value, place)


def _clock(value: Any, place: str) -> float:
    seconds = number(value, place)
    if seconds > LATEST:
        raise WrongShape(place, "expected a time in seconds")
    return seconds


def _inodes(value: Any, place: str) -> dict[str, Any]:
    made: dict[str, Any] = mapping_of(_CONNECTION)(value, place)
    for inode in made:
        if not re.fullmatch("[0-9]{1,20}", inode):
            raise WrongShape(place, f"{inode!r} is no inode: a connection stands under the inode of its listener")
    return made


def _table(value: Any, place: str) -> ProcessTable:
    read = fields({"complete": boolean, "boottime": _clock, "table": list_of(_PROCESS)})(value, place)
    return ProcessTable(read["table"], complete=read["complete"], boottime=read["boottime"])


def _unit(value: Any, place: str) -> dict[str, Any]:
    unit: dict[str, Any] = fields(_STATE, PROPERTIES | {"Triggers": mapping_of(fields(_STATE, PROPERTIES))})(
        value, place
    )
    return unit


_DARK = fields({"source": text, "reason": text}, {"remedy": text, "broken": boolean, "late": boolean})
_STATE = dict.fromkeys(("Id", "LoadState", "ActiveState", "SubState"), text)
# What systemd says of a unit, org.freedesktop.systemd1(5), and how record.py writes it down.
PROPERTIES: dict[str, Reader] = {
    **dict.fromkeys(("Description", "Job", "UnitFileState", "Type", "Restart", "Result", "StatusText"), text),
    **dict.fromkeys(("NeedDaemonReload", "RemainAfterExit", "ConditionResult"), boolean),
    **dict.fromkeys(
        (
            "NRestarts", "MainPID", "ExecMainCode", "ExecMainStatus", "MemoryCurrent", "TasksCurrent", "RestartUSec",
            "LastTriggerUSec", "NextElapseUSecRealtime", "StateChangeTimestamp", "StateChangeTimestampMonotonic",
            "ActiveEnterTimestampMonotonic", "ActiveExitTimestampMonotonic", "InactiveExitTimestampMonotonic",
            "ConditionTimestampMonotonic", "ExecMainExitTimestampMonotonic", "WatchdogTimestampMonotonic",
            "WatchdogUSec",
        ),
        whole,
    ),
    **dict.fromkeys(("Names", "TriggeredBy"), list_of(text)),
    "LoadError": list_of(text, 2),
    "Listen": list_of(list_of(text, 2)),
}  # fmt: skip
_PROCESS = _made(
    Process,
    fields(
        {"pid": whole, "name": text, "state": _letter, "parent": whole, "threads": whole, "started": _clock},
        {
            "uid": whole, "exe": text, "cmdline": text, "unit": text, "still_for": _clock, "resident": whole,
            "cpu": number, "open_files": whole,
        },
    ),
)  # fmt: skip
_LISTENER = _made(
    Listener,
    fields(
        {"protocol": one_of("tcp", "udp"), "family": one_of(4, 6), "address": _address, "port": whole, "inode": whole},
        {
            "v6only": optional(boolean), "queued": whole, "backlog": optional(whole),
            "owners": optional(list_of(whole)), "interface": whole,
        },
    ),
)  # fmt: skip
_CONNECTION = _or_dark(_made(Connection, fields({"error": text, "seconds": number, "accepted": optional(boolean)})))
_MANAGER = fields(
    {"failed": list_of(text), "jobs": list_of(list_of(text, 3))},
    {"SystemState": text, "NFailedUnits": whole, "NJobs": whole, "Version": text}
    | {"bus": fields({"reason": text, "remedy": text})},
)
_OF_FACT = {"problem": text, "malformed": boolean}
_FACT = fields({"value": anything, "source": text}, _OF_FACT)
_NAME = fields({"value": text, "source": text}, _OF_FACT)
_NAME_OR_NONE = fields({"value": optional(text), "source": text}, _OF_FACT)
_SUBJECT = fields({"value": optional(mapping_of(anything)), "source": text}, _OF_FACT)


def _not_recorded(groups: Mapping[str, str]) -> dict[str, Fact]:
    """The facts of subjects that the version that made the record did not know."""
    told = {name: subject_named(name).GROUP in groups for name in subjects()}
    return {name: Fact(None, "the record", "it was not recorded" if there else "") for name, there in told.items()}


def _facts(value: Any, place: str) -> dict[str, Any]:
    read: dict[str, Any] = mapping_of(_FACT)(value, place)
    needed = {"hostname": _NAME, "machine_id": _NAME_OR_NONE, "boot_id": _NAME_OR_NONE}
    fields(needed, dict.fromkeys(read, _FACT) | dict.fromkeys(subjects(), _SUBJECT))(value, place)
    return read


def _sample(value: Any, place: str) -> Sample:
    list_of(anything, 3)(value, place)
    ago, counted, this_boot = value
    return Sample(number(ago, place), number(counted, place), boolean(this_boot, place))


def _windows(value: Any, place: str) -> dict[str, Any]:
    """What was seen through each window, in the shape that the window says."""
    read: dict[str, Any] = {}
    for name, seen in mapping_of(anything)(value, place).items():
        window = windows.window_named(name)
        if window is None:
            raise WrongShape(f"{place} > {name}" if place else name, "there is no such window")
        read[name] = mapping_of(_or_dark(window.SHAPE))(seen, f"{place} > {name}")
    return read


_UNITS = _or_dark(mapping_of(_unit))
_RECORD = fields(
    {
        "schema": text,
        "facts": _facts,
        "groups": mapping_of(text),
        "clocks": fields({"monotonic": _clock, "realtime": _clock, "boottime": _clock}),
    },
    {
        "recorded_at": text,
        "agent": mapping_of(text),
        "manager": _or_dark(_MANAGER),
        "units": _UNITS,
        "refused": mapping_of(text),
        "user_units": _UNITS,
        "user_refused": mapping_of(text),
        "processes": _or_dark(_table),
        "listeners": fields({}, dict.fromkeys(("tcp", "udp"), _or_dark(list_of(_LISTENER)))),
        "connections": _inodes,
        "users": mapping_of(_or_dark(optional(whole))),
        "files": mapping_of(_or_dark(optional(text))),
        "windows": _windows,
        "counters": mapping_of(list_of(_sample)),
        "problems": list_of(text),
    },
)
