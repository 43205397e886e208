"""All that was seen of a node, as plain data: what node.py collects, check types judge, and record.py writes down."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from nodecheck.node.counters import Sample
    from nodecheck.node.processes import ProcessTable
    from nodecheck.node.sockets import Connection, Listener

Unit = dict[str, Any]  # {property: value}, as systemd names them


def read_clocks() -> dict[str, float]:
    """Return the time of each clock in seconds; boottime counts from boot."""
    return {
        "monotonic": time.clock_gettime(time.CLOCK_MONOTONIC),
        "realtime": time.time(),
        "boottime": time.clock_gettime(time.CLOCK_BOOTTIME),
    }


class Observations:
    """Each kind of observation is plain data, or why there is none; what nobody looked at is missing.

    units: {scope: {name: unit}}, refused: {scope: {name: what systemd said}}, listeners: {protocol: all sockets},
    connections: {inode: what a try came to}, users: {name: id, None for no such user}, files: {path: text, None for no
    such file}, windows: {window: {key of a want: plain data}}, counters: {name: what earlier runs saw of it}. The
    clocks are those of the latest look.
    """

    def __init__(self, **seen: Any) -> None:
        """Begin with what was seen before, by these names."""
        self.units: dict[str, dict[str, Unit] | Unobserved] = {}
        self.refused: dict[str, dict[str, str]] = {}
        self.manager: dict[str, Any] | Unobserved | None = None
        self.processes: ProcessTable | Unobserved | None = None
        self.listeners: dict[str, list[Listener] | Unobserved] = {}
        self.connections: dict[int, Connection | Unobserved] = {}
        self.users: dict[str, int | Unobserved | None] = {}
        self.files: dict[str, str | Unobserved | None] = {}
        self.windows: dict[str, dict[str, Any | Unobserved]] = {}
        self.counters: dict[str, list[Sample]] = {}
        self.clocks: dict[str, float] = read_clocks()
        self.__dict__.update(seen)

    def keep_units(self, scope: str, asked: set[str], answer: dict[str, Any] | Unobserved) -> None:
        """Add what systemd answered to what is known; of the units that were asked for, only this answer counts."""
        if isinstance(answer, Unobserved):
            self.units[scope], self.refused[scope] = answer, {}
            return
        before = self.units.get(scope, {})
        known = {} if isinstance(before, Unobserved) else before
        self.units[scope] = {name: unit for name, unit in known.items() if name not in asked} | answer["units"]
        refused = {name: said for name, said in self.refused.get(scope, {}).items() if name not in asked}
        self.refused[scope] = refused | answer["refused"]
