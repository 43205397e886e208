"""What is asked of systemd, and in which order. The interfaces: org.freedesktop.systemd1(5).

This runs in the helper of systemd.py, which makes the calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Key = tuple[str, str, str]

INTERFACE = "org.freedesktop.systemd1"
MANAGER_PATH = "/org/freedesktop/systemd1"
MANAGER = f"{INTERFACE}.Manager"
UNIT = f"{INTERFACE}.Unit"
ALL = "*"  # in place of the name of a property: all of its interface
SNAPSHOT_ROUNDS = 3

UNIT_PROPERTIES = frozenset(
    "ActiveEnterTimestampMonotonic ActiveExitTimestampMonotonic ActiveState ConditionResult "
    "ConditionTimestampMonotonic Id InactiveExitTimestampMonotonic Job LoadError LoadState Names NeedDaemonReload "
    "StateChangeTimestamp StateChangeTimestampMonotonic SubState TriggeredBy UnitFileState".split()
)
RESOURCE_PROPERTIES = frozenset({"MemoryCurrent", "TasksCurrent"})
TYPE_PROPERTIES = {
    "service": RESOURCE_PROPERTIES
    | frozenset(
        "ExecMainCode ExecMainExitTimestampMonotonic ExecMainStatus MainPID NRestarts RemainAfterExit Restart "
        "RestartUSec Result StatusText Type WatchdogTimestampMonotonic WatchdogUSec".split()
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
# These do not change with the state of a unit; NRestarts does, and is then looked into.
STEADY = frozenset(
    "Id LastTriggerUSec Listen LoadError LoadState NRestarts NeedDaemonReload RemainAfterExit Restart RestartUSec "
    "TriggeredBy Type UnitFileState WatchdogTimestampMonotonic WatchdogUSec".split()
)


class Manager(Protocol):
    """Who makes the calls; `refused` is {object path: what systemd said} of units that may not be read."""

    refused: dict[str, str]

    def call(self, method: str, signature: str = "()", arguments: tuple[Any, ...] = ()) -> Any:
        """Call a method of the manager."""

    def properties(self, asked: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], Any]:
        """Read (object path, interface, property) each; what this systemd does not have is left out of the answer.

        The property ALL gives {property: value}.
        """


def collect(manager: Manager, request: dict[str, Any]) -> dict[str, Any]:
    """Ask for units and for the manager itself.

    request: {"manager": bool, "units": {name: {"always": [property], "troubled": [property]}}, "every": [property]}
    answer:  {"manager": {property: value}, "units": {name: {property: value}}, "refused": {name: what systemd said}}
    """
    answer: dict[str, Any] = {"units": {}, "refused": {}}
    if request["manager"]:
        answer["manager"] = _collect_manager(manager)
    if request.get("every"):
        answer |= _collect_every_unit(manager, list(request["units"]), request["every"])
    elif request["units"]:
        answer |= _collect_units(manager, request["units"])
    return answer


def _collect_manager(manager: Manager) -> dict[str, Any]:
    asked = {name: (MANAGER_PATH, MANAGER, name) for name in MANAGER_PROPERTIES}
    values = manager.properties(asked.values())
    state = {name: values[key] for name, key in asked.items() if key in values}
    state["failed"] = [row[0] for row in manager.call("ListUnitsFiltered", "(as)", (["failed"],))[0]]
    state["jobs"] = [list(row[1:4]) for row in manager.call("ListJobs")[0]] if state.get("NJobs") else []
    return state


def _collect_every_unit(manager: Manager, wanted: list[str], properties: list[str]) -> dict[str, Any]:
    """The same properties of all units, and of those that are wanted; what does not exist has none."""
    rows = _rows(manager, list(_every_name(manager) | dict.fromkeys(wanted)))
    units = {name: _row_data(row) for name, row in rows.items()}
    paths = {name: rows[name][6] for name in units}
    there = [
        name for name, unit in units.items() if (unit["LoadState"], unit["ActiveState"]) != ("not-found", "inactive")
    ]
    _read_settled(manager, units, paths, dict.fromkeys(there, properties), _whole_keys)
    _read_triggers(manager, units)
    answer = _answer(manager, units, paths)
    return answer | {"units": _without_aliases(answer["units"])}


def _every_name(manager: Manager) -> dict[str, None]:
    """Return the names of all units that are loaded, and of those that are not and have a file."""
    loaded = [row[0] for row in manager.call("ListUnits")[0]]
    files = [row[0].rpartition("/")[2] for row in manager.call("ListUnitFiles")[0]]
    return dict.fromkeys([*loaded, *files])


def _without_aliases(units: dict[str, Any]) -> dict[str, Any]:
    """Leave out a unit under another name, where it stands under its own one and says that it has both."""
    return {
        name: unit
        for name, unit in units.items()
        if unit["Id"] == name or unit["Id"] not in units or name not in unit.get("Names", ())
    }


def _collect_units(manager: Manager, wanted: dict[str, dict[str, list[str]]]) -> dict[str, Any]:
    rows = _rows(manager, list(wanted))
    units = {name: _row_data(rows[name]) for name in wanted if name in rows}
    paths = {name: rows[name][6] for name in units}
    _read(manager, units, paths, {name: _always(wanted[name]["always"]) for name in units})
    troubled = {
        name: wanted[name]["always"] + wanted[name]["troubled"]
        for name in units
        if _is_troubled(units[name], rows[name])
    }
    _read_settled(manager, units, paths, {name: properties for name, properties in troubled.items() if properties})
    _read_triggers(manager, units)
    return _answer(manager, units, paths)


def _answer(manager: Manager, units: dict[str, Any], paths: dict[str, str]) -> dict[str, Any]:
    refused = {name: manager.refused[path] for name, path in paths.items() if path in manager.refused}
    return {"units": {name: unit for name, unit in units.items() if name not in refused}, "refused": refused}


def _always(properties: list[str]) -> list[str]:
    """What changes with the state belongs to one picture with it: the state is then read again, after it."""
    return properties if STEADY.issuperset(properties) else [*properties, "SubState"]


def _rows(manager: Manager, names: list[str]) -> dict[str, Any]:
    """Return the row of ListUnitsByNames for each name; an alias gets the row of the unit that it stands for."""
    asked = [name for name in names if "@." not in name]  # one template, and systemd would refuse the whole call
    rows = {row[0]: row for row in manager.call("ListUnitsByNames", "(as)", (asked,))[0]}
    aliases = {name: (_object_path(name), UNIT, "Id") for name in asked if name not in rows}
    ids = manager.properties(aliases.values())
    return rows | {name: rows[ids[key]] for name, key in aliases.items() if ids.get(key) in rows}


def _row_data(row: tuple[Any, ...]) -> dict[str, Any]:
    names = ("Id", "Description", "LoadState", "ActiveState", "SubState")
    return dict(zip(names, row[:5], strict=True)) | {"Job": row[8] if row[7] else ""}


def _is_troubled(unit: dict[str, Any], row: tuple[Any, ...]) -> bool:
    """Anything but a loaded unit that is and stays active, has no job waiting and never had to be restarted."""
    plain = unit["LoadState"] == "loaded" and unit["ActiveState"] == "active" and not unit["Job"]
    return not plain or bool(unit.get("NRestarts")) or unit["SubState"] != row[4]


def _keys(path: str, unit: dict[str, Any], properties: list[str]) -> Iterator[Key]:
    """Yield (object path, interface, property) for those properties that a unit of this type has."""
    suffix = unit["Id"].rpartition(".")[2]
    for name in properties:
        if name in UNIT_PROPERTIES:
            yield path, UNIT, name
        elif name in TYPE_PROPERTIES.get(suffix, ()):
            yield path, f"{INTERFACE}.{suffix.capitalize()}", name


def _whole_keys(path: str, unit: dict[str, Any], properties: list[str]) -> Iterator[Key]:
    """Yield the same, for all at once: of a unit that is not loaded, systemd reads the file for each call anew."""
    return ((path, interface, ALL) for _, interface in dict.fromkeys(key[:2] for key in _keys(path, unit, properties)))


def _read(
    manager: Manager,
    units: dict[str, Any],
    paths: dict[str, str],
    wanted: dict[str, list[str]],
    keys: Callable[[str, dict[str, Any], list[str]], Iterator[Key]] = _keys,
) -> None:
    asked = {
        (name, key): key for name, properties in wanted.items() for key in keys(paths[name], units[name], properties)
    }
    values = manager.properties(asked.values())
    for name, key in asked:
        if key in values:
            found = values[key] if key[2] == ALL else {key[2]: values[key]}
            units[name] |= {property_: found[property_] for property_ in wanted[name] if property_ in found}


def _read_settled(
    manager: Manager,
    units: dict[str, Any],
    paths: dict[str, str],
    wanted: dict[str, list[str]],
    keys: Callable[[str, dict[str, Any], list[str]], Iterator[Key]] = _keys,
) -> None:
    """Read properties that belong together: a unit that changed its state meanwhile is read again.

    Two looks merged into one picture gave false alarms elsewhere (Checkmk werk 19803).
    """
    state = ["ActiveState", "SubState", "StateChangeTimestampMonotonic", "StateChangeTimestamp"]
    for _ in range(SNAPSHOT_ROUNDS):
        if not wanted:
            return
        _read(manager, units, paths, {name: state + properties for name, properties in wanted.items()}, keys)
        changed = {name: (paths[name], UNIT, "StateChangeTimestampMonotonic") for name in wanted}
        after = manager.properties(changed.values())
        wanted = {
            name: properties
            for name, properties in wanted.items()
            if after.get(changed[name]) != units[name].get("StateChangeTimestampMonotonic")
        }


def _read_triggers(manager: Manager, units: dict[str, Any]) -> None:
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
    """Return the object path of a unit: each byte outside A-Za-z0-9, and a leading digit, becomes _xx; nothing is _."""
    escaped = "".join(
        chr(byte) if chr(byte).isalpha() or (position and chr(byte).isdigit()) else f"_{byte:02x}"
        for position, byte in enumerate(name.encode("ascii", "replace"))
    )
    return f"/org/freedesktop/systemd1/unit/{escaped or '_'}"
