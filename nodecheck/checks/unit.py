"""The state of a systemd unit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks import _unit_health as health
from nodecheck.checks import _unit_states
from nodecheck.checks._unit_rules import RULES
from nodecheck.checks.base import Check, arg, judge_expectation, judge_growth
from nodecheck.durations import format_duration
from nodecheck.node.counters import Growth, growth
from nodecheck.node.node import CounterWant, UnitWant
from nodecheck.node.processes import ProcessWant
from nodecheck.node.unobserved import Unobserved
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.checks.base import Rule
    from nodecheck.definitions.expectation import CountInTime, Duration, Number, Percent, Size, Text
    from nodecheck.node.node import Node, Want
    from nodecheck.node.processes import Process

# systemd.unit(5): up to 255 characters of these, and one of these types.
NAME = re.compile(r"[A-Za-z0-9:_.\\@-]+\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)")
STARTS_AT_BOOT = frozenset({"enabled", "enabled-runtime", "alias", "static", "indirect", "generated"})  # is-enabled
NOT_COUNTED = 2**64 - 1  # what systemd answers for memory and tasks of a unit without accounting
HEALTHY = "healthy"
HIDDEN = "this user may not see the processes of others (hidepid)"
AS_ROOT = "run nodecheck as root"


class Unit(Check):
    """A systemd unit is as it is meant to be, or in the state that is asked for."""

    name: str = arg(
        "Full name of the unit, with its type: docker.service. An alias or an instance (foo@x.service) is fine."
    )
    state: Text = arg(
        "healthy: as it is meant to be, by the rules below. Or a state: running, exited, listening, waiting, active, "
        "inactive, failed, masked, absent; any ActiveState, SubState or LoadState of systemd.",
        default=None,
        otherwise=HEALTHY,
    )
    enabled: bool = arg(
        "Whether it is to start at boot. static, indirect and generated count as enabled, as for systemctl is-enabled.",
        default=None,
    )
    masked: bool = arg("Whether it is to be masked; if it is, that is healthy.", default=None)
    restarts: CountInTime = arg(
        'Restarts by systemd itself (NRestarts), since it was last started by hand. With a time, such as "< 3 in 1h", '
        "those within it: by what earlier runs saw, since systemd keeps the number only.",
        default=None,
    )
    uptime: Duration = arg("How long it has been active.", default=None)
    memory: Size = arg("Memory of the unit's control group.", default=None)
    tasks: Number = arg("Processes and threads of the unit's control group.", default=None)
    result: Text = arg(
        "How its last run ended: success, exit-code, signal, timeout, oom-kill, watchdog, ...", default=None
    )
    main_process: Text = arg(
        "Name of its main process (MainPID), which has to be alive while the unit is active.", default=None
    )
    reload_needed: bool = arg("Whether its file on disk is newer than what systemd has read.", default=None)
    watchdog: Percent = arg(
        "Time since a running service last told systemd that it is alive, of its WatchdogSec=; ok where it has none.",
        default=None,
    )
    last_trigger: Duration = arg('For a timer: how long ago it last fired, such as "< 25h".', default=None)
    scope: str = arg(
        "The systemd that manages it: the host's, or that of the user who runs nodecheck.",
        default="system",
        choices=("system", "user"),
    )

    EXAMPLE: ClassVar[str] = """\
- name: docker.service is healthy
  unit: {name: docker.service, enabled: true, restarts: "< 3 in 1h"}
  remedy: journalctl -u docker.service -n 50
"""
    RULES: ClassVar[tuple[Rule, ...]] = RULES

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """A name that systemd would leave out of its answer is refused here."""
        if "/" in self.name:
            yield (
                "name",
                f"{self.name!r} is a path, not a unit",
                "systemd-escape --path prints the name of its mount unit",
            )
        elif "." not in self.name.rpartition("@")[2] or not NAME.fullmatch(self.name):
            bare = re.fullmatch(r"[A-Za-z0-9:_.\\@-]+", self.name)
            hint = f"did you mean {self.name}.service?" if bare else "letters, digits and : _ . \\ @ - are allowed"
            yield "name", f"{self.name!r} is not the full name of a unit", hint
        elif re.search(r"@\.[a-z]+$", self.name):
            yield (
                "name",
                f"{self.name!r} is a template: it has no state",
                f"name an instance: {self.name.replace('@.', '@NAME.')}",
            )
        if self.last_trigger is not None and not self.name.endswith(".timer"):
            yield "last_trigger", "only a timer has one", ""
        if self.watchdog is not None and not self.name.endswith(".service"):
            yield "watchdog", "only a service has one", ""
        yield from self._unknown_words()
        if self._wants_health() and ("!=" in str(self.state) or _is_mapped(self.state)):
            yield "state", "healthy is no single state, so there is no other than it", "name the states that are wanted"

    def _unknown_words(self) -> Iterator[tuple[str, str, str]]:
        if self.state is not None:
            known, elsewhere = _unit_states.EVERY, _unit_states.ELSEWHERE
            yield from (("state", *said) for said in self.state.unknown_words(known, "state of a unit", elsewhere))
        if self.result is not None:
            known = _unit_states.RESULTS
            yield from (("result", *said) for said in self.result.unknown_words(known, "result of a unit"))

    def concerns(self) -> str:
        """Return the unit itself."""
        return self.name if self.scope == "system" else ""

    def wants(self) -> Iterator[Want]:
        """Only the properties that are asked for."""
        troubled = health.TROUBLED if self._wants_health() else ()
        yield UnitWant(self.name, tuple(self._always()), troubled, self.scope, judged=True)
        counter = self._counter()
        if counter:
            yield counter
        if self.main_process is not None:
            yield ProcessWant(frozenset({"exe"}), frozenset(), lambda _: False)

    def judge(self, node: Node) -> Iterator[Finding]:
        """One finding for the state, and one for each property that is asked for."""
        unit = node.unit(self.name, self.scope)
        yield from self._judge_state(unit, node)
        if unit["LoadState"] == "not-found":
            return  # it has no other property
        yield from self._judge_flags(unit)
        yield from self._judge_numbers(unit, node)
        yield from self._judge_main_process(unit, node)

    def counters(self, node: Node) -> Iterator[tuple[CounterWant, float]]:
        """The restarts, where those within a time are wanted."""
        counter, restarts = self._counter(), node.unit(self.name, self.scope).get("NRestarts")
        if counter and restarts is not None:
            yield counter, restarts

    def _counter(self) -> CounterWant | None:
        if self.restarts is None or not self.restarts.within:
            return None
        user = "" if self.scope == "system" else "user "
        return CounterWant(f"restarts of {user}{self.name}", self.restarts.within)

    def _wants_health(self) -> bool:
        return self.state is None or HEALTHY in str(self.state)

    def _always(self) -> Iterator[str]:
        entered = (self.uptime if self._counter() is None else self.restarts) or self.last_trigger
        asked = {
            "UnitFileState": self.enabled, "NRestarts": self.restarts,
            "ActiveEnterTimestampMonotonic": entered,
            "MemoryCurrent": self.memory, "TasksCurrent": self.tasks, "Result": self.result,
            "MainPID": self.main_process, "NeedDaemonReload": self.reload_needed, "LastTriggerUSec": self.last_trigger,
        }  # fmt: skip
        yield from (name for name, expectation in asked.items() if expectation is not None)
        if self.watchdog is not None:
            yield from ("WatchdogUSec", "WatchdogTimestampMonotonic")
        if self._wants_health():
            yield from health.ALWAYS

    def _judge_state(self, unit: dict[str, Any], node: Node) -> Iterator[Finding]:
        expected = str(self.state) if self.state is not None else HEALTHY
        words = observed_words(unit)
        observed = " ".join(words)
        since = unit.get("StateChangeTimestamp", 0) / 1e6 or None
        if self._wants_health():
            verdict = health.judge_health(unit, node.seconds_since)
            meant = self.state.matches(words) if self.state is not None else self.masked and verdict.rule == "masked"
            status = Status.OK if meant else verdict.status
            mended = f"systemctl unmask {unit['Id']}; systemctl start {unit['Id']}"
            remedy = mended if verdict.rule == "masked" and not meant else ""
            yield Finding("state", status, expected, observed, verdict.message, verdict.rule, since, remedy=remedy)
        elif self.state is not None:
            matched = self.state.matches(words)
            message = f"{unit['Id']} is {observed}" + ("" if matched else f", expected {expected}")
            yield Finding("state", Status.OK if matched else Status.CRITICAL, expected, observed, message, "", since)

    def _judge_flags(self, unit: dict[str, Any]) -> Iterator[Finding]:
        file_state = unit.get("UnitFileState")
        flags = {
            "enabled": (
                self.enabled,
                None if file_state is None else file_state in STARTS_AT_BOOT,
                file_state or "no unit file state",
            ),
            "masked": (self.masked, unit["LoadState"] == "masked", unit["LoadState"]),
            "reload_needed": (
                self.reload_needed,
                unit.get("NeedDaemonReload"),
                "file changed" if unit.get("NeedDaemonReload") else "file not changed",
            ),
        }
        for name, (expected, observed, shown) in flags.items():
            if expected is not None:
                yield _judge_flag(name, unit["Id"], expected=expected, observed=observed, shown=shown)

    def _judge_numbers(self, unit: dict[str, Any], node: Node) -> Iterator[Finding]:
        active = unit["ActiveState"] in ("active", "reloading", "refreshing")
        up = node.seconds_since(unit.get("ActiveEnterTimestampMonotonic", 0)) if active else 0.0
        properties = {
            "uptime": (self.uptime, up),
            "memory": (self.memory, _counted(unit.get("MemoryCurrent"))),
            "tasks": (self.tasks, _counted(unit.get("TasksCurrent"))),
            "result": (self.result, unit.get("Result")),
        }
        yield from self._judge_restarts(unit, node)
        for name, (expectation, observed) in properties.items():
            yield from judge_expectation(name, expectation, observed, subject=unit["Id"])
        if self.last_trigger is not None:
            yield from _judge_last_trigger(self.last_trigger, unit, node)
        if self.watchdog is not None and active:
            yield from _judge_watchdog(self.watchdog, unit, node)

    def _judge_restarts(self, unit: dict[str, Any], node: Node) -> Iterator[Finding]:
        """Whoever has been active for longer than the time was not restarted within it."""
        restarts, counter = unit.get("NRestarts"), self._counter()
        if self.restarts is None or counter is None or restarts is None:
            yield from judge_expectation("restarts", self.restarts, restarts, subject=unit["Id"])
            return
        active = unit["ActiveState"] in ("active", "reloading", "refreshing")
        up = node.seconds_since(unit.get("ActiveEnterTimestampMonotonic", 0)) if active else None
        if up is not None and up > counter.within:
            grown = Growth(0.0, 0.0, counter.within)
        else:
            grown = growth(node.samples(counter.name), restarts, counter.within, node.uptime())
        yield from judge_growth("restarts", self.restarts, grown, subject=unit["Id"])

    def _judge_main_process(self, unit: dict[str, Any], node: Node) -> Iterator[Finding]:
        expected = self.main_process
        if expected is None or unit["ActiveState"] != "active":
            return
        if unit.get("MainPID") is None:
            yield from judge_expectation("main_process", expected, None, subject=unit["Id"], unit="main process")
            return
        process = _find_main_process(unit, node)
        if isinstance(process, str):
            yield Finding("main_process", Status.CRITICAL, str(expected), "none", process)
            return
        called = f"{process.name} (pid {process.pid})"
        message = f"the main process of {unit['Id']} is {called}"
        if expected.matches((process.name, (process.exe or "").rpartition("/")[2])):
            yield Finding("main_process", Status.OK, str(expected), process.name, message)
        elif process.exe is None:
            raise Unobserved("processes", f"the executable of {called} could not be read", remedy=AS_ROOT)
        else:
            wrong = f"{message}, expected {expected}"
            yield Finding("main_process", Status.CRITICAL, str(expected), process.name, wrong)


def _is_mapped(expectation: Text | None) -> bool:
    """Tell whether all or not stand in an expectation."""
    source = expectation.source if expectation is not None else None
    return any(isinstance(item, dict) for item in (source if isinstance(source, list) else [source]))


def _judge_last_trigger(expectation: Duration, unit: dict[str, Any], node: Node) -> Iterator[Finding]:
    """0 means not since it was started: what was before is kept with Persistent= alone (timer_start() in timer.c)."""
    last = unit.get("LastTriggerUSec")
    if last == 0:
        yield _judge_never_triggered(expectation, unit, node)
        return
    seconds = node.seconds_since_realtime(last or 0)
    yield from judge_expectation(
        "last_trigger", expectation, seconds, subject=unit["Id"], unit="time since the last trigger"
    )


def _judge_never_triggered(expectation: Duration, unit: dict[str, Any], node: Node) -> Finding:
    """One that was started a shorter time ago than it may be silent may have fired before."""
    started = node.seconds_since(unit.get("ActiveEnterTimestampMonotonic", 0))
    message = f"{unit['Id']} has not fired since it was started"
    if started is not None and expectation.matches(started):
        message += f" {format_duration(started)} ago, and when it did before is not kept"
        return Finding("last_trigger", Status.UNKNOWN, str(expectation), None, message)
    return Finding("last_trigger", Status.CRITICAL, str(expectation), "never", message)


def _judge_watchdog(expectation: Percent, unit: dict[str, Any], node: Node) -> Iterator[Finding]:
    """systemd ends a service whose time is up; one that is late does not get on with its work."""
    allowed, last = unit.get("WatchdogUSec"), unit.get("WatchdogTimestampMonotonic")
    if allowed in (0, health.NEVER) or last == 0:
        why = (
            "has not told that it is alive yet" if last == 0 and allowed not in (0, health.NEVER) else "has no watchdog"
        )
        yield Finding("watchdog", Status.OK, str(expectation), "none", f"{unit['Id']} {why}")
        return
    seconds = node.seconds_since(last or 0)
    share = None if seconds is None or not allowed else 100e6 * seconds / allowed
    yield from judge_expectation(
        "watchdog", expectation, share, subject=unit["Id"], unit="time since the last sign of life, of WatchdogSec=,"
    )


def _find_main_process(unit: dict[str, Any], node: Node) -> Process | str:
    """Return the living main process, or say in words that there is none."""
    pid = unit["MainPID"]
    if not pid:
        return f"{unit['Id']} has no main process"
    process = node.process(pid)
    if process is None and not node.process_table().complete:
        raise Unobserved("processes", HIDDEN, remedy=AS_ROOT)
    if process is None or not process.is_alive():
        return f"the main process of {unit['Id']} {'is a zombie' if process else 'is not there'} (pid {pid})"
    return process


def observed_words(unit: dict[str, Any]) -> tuple[str, ...]:
    """Return the words that an expectation of the state may name: what is not loaded is masked or absent first."""
    load = unit["LoadState"]
    if load == "not-found":
        return ("absent",) if unit["ActiveState"] == "inactive" else ("absent", unit["ActiveState"], unit["SubState"])
    states = tuple(dict.fromkeys((unit["ActiveState"], unit["SubState"])))
    return states if load in ("loaded", "merged") else (load, *states)


def _judge_flag(name: str, unit: str, *, expected: bool, observed: bool | None, shown: str) -> Finding:
    if observed is None:
        return Finding(name, Status.UNKNOWN, expected, None, f"whether {unit} is {name} could not be seen")
    word = name.replace("_", " ")
    message = f"{unit} is {'' if observed else 'not '}{word} ({shown})"
    return Finding(name, Status.OK if observed == expected else Status.CRITICAL, expected, observed, message)


def _counted(value: int | None) -> int | None:
    return None if value == NOT_COUNTED else value
