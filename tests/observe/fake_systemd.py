"""A systemd that is a small program: publishes org.freedesktop.systemd1 on a bus, as a JSON file tells it to.

Run as a process of its own: python fake_systemd.py FOLDER. It reads FOLDER/plan.json, writes one JSON line per call to
FOLDER/calls, and makes FOLDER/ready when it owns the name. The plan:

    units      {name: {property: value or [signature, value]}}
    aliases    {name: name of the unit it stands for}
    files      {name: state} of those units that are not loaded
    manager    {property: value}
    hang       methods and properties that never answer
    delay      seconds until each property is answered
    refuse     methods, properties and unit names that are answered with AccessDenied
    missing    properties that this systemd does not have
    then       [[property, unit, count, {property: value}]]: after that many reads the unit changes
"""

import json
import os
import sys
import time
from typing import Any

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402  # the version has to be required first

PATH = "/org/freedesktop/systemd1"
SUFFIXES = (".service", ".socket", ".timer", ".mount", ".target", ".path", ".slice", ".scope")
MANAGER_XML = """
<node><interface name="org.freedesktop.systemd1.Manager">
<method name="ListUnitsByNames"><arg type="as" direction="in"/><arg type="a(ssssssouso)" direction="out"/></method>
<method name="ListUnitsFiltered"><arg type="as" direction="in"/><arg type="a(ssssssouso)" direction="out"/></method>
<method name="ListUnits"><arg type="a(ssssssouso)" direction="out"/></method>
<method name="ListUnitFiles"><arg type="a(ss)" direction="out"/></method>
<method name="ListJobs"><arg type="a(usssoo)" direction="out"/></method>
</interface></node>"""
PROPERTIES_XML = """
<node><interface name="org.freedesktop.DBus.Properties">
<method name="Get"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="out"/></method>
<method name="GetAll"><arg type="s" direction="in"/><arg type="a{sv}" direction="out"/></method>
</interface></node>"""
DEFAULTS = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Description": "A unit"}
ERROR = "org.freedesktop.DBus.Error."


def escaped(name: str) -> str:
    """Return the object path of a unit, the way sd_bus_path_encode(3) does."""
    plain = "".join(character if character.isalnum() else f"_{ord(character):02x}" for character in name)
    return f"{PATH}/unit/" + (plain if not plain[0].isdigit() else f"_{ord(plain[0]):02x}{plain[1:]}")


def variant(value: Any) -> GLib.Variant:
    """Return the D-Bus form of a value; [signature, value] says which one."""
    if isinstance(value, list):
        return GLib.Variant(value[0], _tuples(value[1]))
    kinds: dict[type, str] = {str: "s", bool: "b", int: "t"}
    return GLib.Variant(kinds[type(value)], value)


def _tuples(value: Any) -> Any:
    return [tuple(item) if isinstance(item, list) else item for item in value] if isinstance(value, list) else value


class FakeSystemd:
    """Answers as the plan says."""

    def __init__(self, folder: str, connection: Gio.DBusConnection) -> None:
        with open(f"{folder}/plan.json", encoding="utf-8") as file:
            self.plan: dict[str, Any] = json.load(file)
        self.calls = open(f"{folder}/calls", "a", buffering=1, encoding="utf-8")  # noqa: SIM115  # as long as we live
        self.pending = 0
        self.reads: dict[tuple[str, str], int] = {}
        self.paths = {escaped(name): name for name in self.units} | {
            escaped(alias): name for alias, name in self.plan.get("aliases", {}).items()
        }
        manager = Gio.DBusNodeInfo.new_for_xml(MANAGER_XML).interfaces[0]
        properties = Gio.DBusNodeInfo.new_for_xml(PROPERTIES_XML).interfaces[0]
        connection.register_object(PATH, manager, self.method, None, None)
        for path in [PATH, *self.paths, *(escaped(name) for name in self.plan.get("unknown", []))]:
            connection.register_object(path, properties, self.get, None, None)

    @property
    def units(self) -> dict[str, dict[str, Any]]:
        units: dict[str, dict[str, Any]] = self.plan.get("units", {})
        return units

    def has(self, behaviour: str, *names: str) -> bool:
        return bool(set(names) & set(self.plan.get(behaviour, [])))

    def method(self, _bus: Any, _who: str, _path: str, _interface: str, name: str, given: Any, call: Any) -> None:
        self.note(name, given.unpack())
        if self.has("hang", name):
            return
        if self.has("refuse", name):
            call.return_dbus_error(ERROR + "AccessDenied", f"not allowed: {name}")
            return
        if name == "ListJobs":
            jobs = [(7, job, "start", "waiting", "/j", "/u") for job in self.plan.get("jobs", [])]
            call.return_value(GLib.Variant("(a(usssoo))", (jobs,)))
            return
        if name == "ListUnitFiles":
            files = [(f"/lib/systemd/system/{file}", state) for file, state in self.plan.get("files", {}).items()]
            call.return_value(GLib.Variant("(a(ss))", (files,)))
            return
        if name == "ListUnits":
            loaded = [self.row(unit) for unit in self.units if unit not in self.plan.get("files", {})]
            call.return_value(GLib.Variant("(a(ssssssouso))", (loaded,)))
            return
        asked = given.unpack()[0]
        rows = self.rows_by_name(asked) if name == "ListUnitsByNames" else self.rows_in_state(asked)
        call.return_value(GLib.Variant("(a(ssssssouso))", (rows,)))

    def rows_by_name(self, names: list[str]) -> list[tuple[Any, ...]]:
        real = {self.plan.get("aliases", {}).get(name, name) for name in names}
        return [self.row(name) for name in sorted(real) if name.endswith(SUFFIXES) and " " not in name]

    def rows_in_state(self, states: list[str]) -> list[tuple[Any, ...]]:
        return [self.row(name) for name, unit in self.units.items() if (DEFAULTS | unit)["ActiveState"] in states]

    def row(self, name: str) -> tuple[Any, ...]:
        absent = {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
        unit = DEFAULTS | self.units.get(name, absent)
        states = (unit["LoadState"], unit["ActiveState"], unit["SubState"])
        job = unit.get("JobType", "")
        return (name, unit["Description"], *states, "", escaped(name), 7 if job else 0, job, "/")

    def get(self, _bus: Any, _who: str, path: str, _interface: str, get: str, given: Any, call: Any) -> None:
        interface, name = given.unpack() if get == "Get" else (*given.unpack(), "*")
        unit = self.paths.get(path, "")
        self.pending += 1
        self.note(get, [unit, interface, name])
        if self.has("hang", name):
            return
        GLib.timeout_add(int(self.plan.get("delay", 0) * 1000), self.answer, unit, name, call)

    def answer(self, unit: str, name: str, call: Any) -> bool:
        self.pending -= 1
        values = {"Id": unit} | DEFAULTS | self.units[unit] if unit else self.plan.get("manager", {})
        if self.has("refuse", name, unit):
            call.return_dbus_error(ERROR + "AccessDenied", f"SELinux policy denies access to {unit or name}")
        elif name == "*":
            call.return_value(GLib.Variant("(a{sv})", ({key: variant(value) for key, value in values.items()},)))
        elif self.has("missing", name) or name not in values:
            call.return_dbus_error(ERROR + "UnknownProperty", f"Unknown property {name}")
        else:
            call.return_value(GLib.Variant("(v)", (variant(values[name]),)))
        self.change(unit, name)
        return bool(GLib.SOURCE_REMOVE)

    def change(self, unit: str, name: str) -> None:
        self.reads[unit, name] = self.reads.get((unit, name), 0) + 1
        for property_, changed, count, values in self.plan.get("then", []):
            if (changed, property_, count) == (unit, name, self.reads[unit, name]):
                self.units[unit].update(values)

    def note(self, method: str, arguments: Any) -> None:
        print(json.dumps([method, arguments, self.pending, time.monotonic()]), file=self.calls)


def main() -> None:
    folder = sys.argv[1]
    bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
    fake = FakeSystemd(folder, bus)
    loop = GLib.MainLoop()
    Gio.bus_own_name_on_connection(
        bus, "org.freedesktop.systemd1", 0, lambda *_: os.mkdir(f"{folder}/ready"), lambda *_: loop.quit()
    )
    loop.run()
    fake.calls.close()


if __name__ == "__main__":
    main()
