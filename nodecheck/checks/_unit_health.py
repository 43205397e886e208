"""What `state: healthy` means: a unit's properties, read as intent.

Checkers that look at one or two properties contradict each other on the same unit. Here the first rule that fits
decides, and its name stands in the finding. Where a state is one that passes by itself, time decides.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.checks._unit_rules import FLAPPING_RESTARTS, FLAPPING_SECONDS, GRACE_SECONDS, RULES
from nodecheck.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from nodecheck.report.result import Status

ENABLED = ("enabled", "enabled-runtime")
NEVER = 2**64 - 1  # systemd's value for "infinity" and for "not set"

ALWAYS = ("NRestarts", "NeedDaemonReload")
TROUBLED = (
    "UnitFileState", "LoadError", "Type", "RemainAfterExit", "TriggeredBy", "Restart", "RestartUSec", "Result",
    "ConditionResult", "ConditionTimestampMonotonic", "ExecMainCode", "ExecMainStatus", "StatusText",
    "ActiveEnterTimestampMonotonic", "ActiveExitTimestampMonotonic", "InactiveExitTimestampMonotonic",
    "ExecMainExitTimestampMonotonic",
)  # fmt: skip

STATUSES = {rule.name: rule.status for rule in RULES}

RESULT_WORDS = {
    "exit-code": "exit code {code}",
    "signal": "main process killed by {signal}",
    "core-dump": "main process dumped core on {signal}",
    "watchdog": "the watchdog got no sign of life in time",
    "timeout": "a start or stop took longer than its timeout",
    "oom-kill": "the kernel killed it: out of memory",
    "start-limit-hit": "started too often in a short time",
    "resources": "systemd could not get what it needs to start it",
    "protocol": "it did not keep to its Type= (no READY=1, no PID file)",
    "exec-condition": "ExecCondition= said no",
}
# systemd.exec(5), "Process exit codes": what systemd itself exits with when it cannot start the program
EXEC_CODES = {
    200: "CHDIR: the working directory is missing", 203: "EXEC: the program is missing or cannot be executed",
    208: "STDIN", 209: "STDOUT", 214: "SETSCHEDULER", 216: "GROUP: no such group", 217: "USER: no such user",
    218: "CAPABILITIES", 226: "NAMESPACE: a path of its sandbox is missing", 228: "SECCOMP", 233: "RUNTIME_DIRECTORY",
    238: "STATE_DIRECTORY", 239: "CACHE_DIRECTORY", 240: "LOGS_DIRECTORY", 241: "CONFIGURATION_DIRECTORY",
    243: "CREDENTIALS",
}  # fmt: skip


class Verdict(NamedTuple):
    """The rule that fired, and the message in plain words."""

    rule: str
    message: str

    @property
    def status(self) -> Status:
        """The status that the table gives to the rule."""
        return STATUSES[self.rule]


def judge_health(unit: dict[str, Any], seconds_since: Callable[[int], float | None]) -> Verdict:
    """Judge a unit's properties; `seconds_since` turns a monotonic timestamp in microseconds into an age in seconds."""
    name, active = unit["Id"], unit["ActiveState"]
    load = _judge_load(name, unit["LoadState"], unit)
    if load:
        return load
    age = seconds_since(unit.get("StateChangeTimestampMonotonic", 0)) or 0.0
    judge = _BY_ACTIVE_STATE.get(active)
    if judge is None:
        return Verdict("unrecognised", f"{name} is in the state {active}, which this nodecheck does not know")
    verdict = judge(name, unit, age, seconds_since)
    if unit.get("NeedDaemonReload"):
        return verdict._replace(message=f"{verdict.message} (its unit file was changed: systemctl daemon-reload)")
    return verdict


def _judge_load(name: str, load: str, unit: dict[str, Any]) -> Verdict | None:
    active = unit["ActiveState"] in ("active", "reloading", "refreshing")
    if load == "not-found":
        return (
            Verdict("file-gone", f"{name} runs, but its unit file is gone")
            if active
            else Verdict("absent", f"{name} does not exist here")
        )
    if load == "masked":
        return (
            Verdict("masked-running", f"{name} is masked, but still {unit['SubState']}")
            if active
            else Verdict("masked", f"{name} is masked: nothing can start it")
        )
    if load in ("bad-setting", "error"):
        detail = (unit.get("LoadError") or ("", ""))[1]
        return Verdict("bad-unit-file", f"the unit file of {name} cannot be used" + (f": {detail}" if detail else ""))
    if load not in ("loaded", "merged"):
        return Verdict("unrecognised", f"{name} has the load state {load}, which this nodecheck does not know")
    return None


def _judge_failed(name: str, unit: dict[str, Any], _age: float, _seconds_since: Any) -> Verdict:
    counted = f", after {_count_restarts(unit)}" if unit.get("NRestarts") else ""
    return Verdict("failed", f"{name} has failed: {describe_result(unit)}{counted}")


def _judge_activating(
    name: str, unit: dict[str, Any], age: float, seconds_since: Callable[[int], float | None]
) -> Verdict:
    if unit["SubState"].startswith("auto-restart"):
        return Verdict(
            "restarting",
            f"{name} is restarting{_restart_interval(unit)}: {describe_result(unit)}, {_count_restarts(unit)}",
        )
    attempt = seconds_since(unit.get("InactiveExitTimestampMonotonic", 0)) or age
    if unit.get("Type") == "oneshot":
        return Verdict("oneshot-running", f"{name} does its work for {format_duration(attempt)}")
    status = f" ({unit['StatusText']})" if unit.get("StatusText") else ""
    if attempt < GRACE_SECONDS:
        return Verdict("starting", f"{name} is starting for {format_duration(attempt)}, at {unit['SubState']}{status}")
    return Verdict(
        "stuck-starting",
        f"{name} does not get ready: it is starting for {format_duration(attempt)}, at {unit['SubState']}{status}",
    )


def _judge_deactivating(name: str, unit: dict[str, Any], age: float, _seconds_since: Any) -> Verdict:
    how = f"for {format_duration(age)}, at {unit['SubState']}"
    return (
        Verdict("stopping", f"{name} is stopping {how}")
        if age < GRACE_SECONDS
        else Verdict("stuck-stopping", f"{name} does not stop: {how}")
    )


def _judge_reloading(name: str, _unit: dict[str, Any], age: float, _seconds_since: Any) -> Verdict:
    how = f"{name} is reloading for {format_duration(age)}"
    return Verdict("reloading" if age < GRACE_SECONDS else "stuck-reloading", how)


def _judge_active(
    name: str, unit: dict[str, Any], _age: float, seconds_since: Callable[[int], float | None]
) -> Verdict:
    up = seconds_since(unit.get("ActiveEnterTimestampMonotonic", 0))
    restarts = unit.get("NRestarts") or 0
    if restarts >= FLAPPING_RESTARTS and up is not None and up < FLAPPING_SECONDS:
        return Verdict(
            "flapping", f"{name} runs for {format_duration(up)} only: {_count_restarts(unit)}, the last just now"
        )
    counted = f", {_count_restarts(unit)}" if restarts else ""
    return Verdict("active", f"{name} is {unit['ActiveState']} ({unit['SubState']}){counted}")


def _judge_maintenance(name: str, _unit: dict[str, Any], age: float, _seconds_since: Any) -> Verdict:
    return Verdict("maintenance", f"{name} is in maintenance for {format_duration(age)}")


def _judge_inactive(name: str, unit: dict[str, Any], _age: float, _seconds_since: Any) -> Verdict:
    if unit.get("Job"):
        return Verdict(
            "start-queued", f"{name} is not running; a {unit['Job']} job is queued and waits for other units"
        )
    if unit.get("ConditionTimestampMonotonic") and unit.get("ConditionResult") is False:
        return Verdict("condition", f"{name} is not meant to run here now: a Condition= of its unit file is not met")
    if unit.get("Type") == "oneshot" and not unit.get("RemainAfterExit"):
        return Verdict("oneshot-done", f"{name} is a oneshot and not at work")
    return _judge_triggered(name, unit) or Verdict("not-running", f"{name} is not running ({_enablement(unit)})")


def _judge_triggered(name: str, unit: dict[str, Any]) -> Verdict | None:
    triggers = unit.get("Triggers") or {}
    alive = sorted(trigger for trigger, state in triggers.items() if state["ActiveState"] == "active")
    if not triggers or (alive and unit.get("UnitFileState") in ENABLED and not _ended_by_itself(unit)):
        return None
    if alive:
        return Verdict("on-demand", f"{name} is idle; {' and '.join(alive)} starts it on demand")
    return Verdict(
        "trigger-dead",
        f"{name} is not running, and what would start it on demand is not active: {', '.join(sorted(triggers))}",
    )


def _ended_by_itself(unit: dict[str, Any]) -> bool:
    """Tell a service that ended when it was idle from one that somebody stopped.

    A stop makes the unit leave `active` first, and its main process ends after that; else it is the other way round.
    """
    ended, left = unit.get("ExecMainExitTimestampMonotonic") or 0, unit.get("ActiveExitTimestampMonotonic") or 0
    return bool(ended) and ended <= left and unit.get("Result") == "success" and unit.get("Restart") != "always"


def _enablement(unit: dict[str, Any]) -> str:
    state = unit.get("UnitFileState") or "no unit file state"
    if state in ENABLED:
        return f"{state}, so it was stopped or never started"
    return f"{state}: it does not start at boot by itself" if state == "disabled" else str(state)


_BY_ACTIVE_STATE: dict[str, Callable[..., Verdict]] = {
    "active": _judge_active,
    "reloading": _judge_reloading,
    "refreshing": _judge_reloading,
    "inactive": _judge_inactive,
    "failed": _judge_failed,
    "activating": _judge_activating,
    "deactivating": _judge_deactivating,
    "maintenance": _judge_maintenance,
}


# Of the main process or of any other command; ExecMainStatus is that of the first alone.
OF_A_COMMAND = ("exit-code", "signal", "core-dump")


def describe_result(unit: dict[str, Any]) -> str:
    """Say how the main process ended. Result alone is "success" for units that never ran."""
    result = unit.get("Result") or ""
    status = unit.get("ExecMainStatus") or 0
    if result in OF_A_COMMAND and unit.get("ExecMainStatus") == 0:
        return f"a command beside its main process failed ({result}): ExecStartPre=, ExecStartPost= or another one"
    words = RESULT_WORDS.get(result, "it ended" if result in ("", "success") else f"result {result}")
    code = f"{status} ({EXEC_CODES[status]})" if status in EXEC_CODES else str(status)
    return words.replace("{code}", code).replace("{signal}", _signal_name(status))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _restart_interval(unit: dict[str, Any]) -> str:
    pause = unit.get("RestartUSec")
    return f" every {pause / 1e6:g} s" if pause and pause != NEVER else ""


def _count_restarts(unit: dict[str, Any]) -> str:
    count = unit.get("NRestarts")
    if count is None:
        return "restarts not counted by this systemd"
    if count == 0:
        return "not restarted yet"
    return "1 restart" if count == 1 else f"{count} restarts"
