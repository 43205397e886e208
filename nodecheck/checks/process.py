"""Processes: are those alive that should be, and are they well?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.definitions.expectation import Number, Text
from nodecheck.durations import format_duration
from nodecheck.node.node import FileWant, UnitWant, UserWant
from nodecheck.node.processes import CUT_AT, STUCK, ProcessWant
from nodecheck.node.unobserved import MASK, Unobserved
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nodecheck.definitions.expectation import Duration, HeldText, Percent, Regex, Size
    from nodecheck.node.node import Node, Want
    from nodecheck.node.processes import Process as Observed
    from nodecheck.node.processes import ProcessTable

    Fit = tuple[Observed, bool | None]  # None: something of it could not be seen

# proc(5), /proc/PID/stat; a process is known by the letter and by the word.
STATES = {
    "R": "running", "S": "sleeping", "D": "uninterruptible", "Z": "zombie", "T": "stopped", "t": "traced", "X": "dead",
    "I": "idle", "W": "waking", "P": "parked", "K": "wakekill",
}  # fmt: skip
AT_LEAST_ONE = Number(">= 1")
NOT_STOPPED = Text("!= stopped")
PIDS_SHOWN = 5
NOBODY = -1  # neither a pid nor a uid
PID_MAX = 1 << 22  # proc(5), /proc/sys/kernel/pid_max
MORE_AT_LEAST = 1000  # as many more are considered where some may be hidden, and PID_MAX
# What is compared letter by letter, and what it is then called.
COMPARED = {"name": "name of a process", "exe": "path of an executable", "parent": "name of a process"}
AS_ROOT = "run nodecheck as root"
# For each property: the detail of a process that it needs, read for candidates only.
DETAILS = {"state": STUCK, "memory": "resident", "cpu": "cpu", "open_files": "open_files"}


class Process(Check):
    """Processes are alive, as many as wanted, and well. Those are judged that fit all selectors."""

    name: str = arg(
        "Select by name: the kernel's (15 characters are enough) or the basename of the executable.", default=None
    )
    cmdline: Regex = arg("Select by the command line: a regular expression, found anywhere in it.", default=None)
    exe: str = arg("Select by the executable: its path, or its basename.", default=None)
    user: str = arg("Select by the user it runs as: a name or a number.", default=None)
    pidfile: str = arg("Select the process whose number stands in this file.", default=None)
    unit: str = arg("Select by the systemd unit whose control group it is in; by an alias of it, too.", default=None)
    parent: str = arg("Select by the name of the parent process.", default=None)
    count: Number = arg("How many are alive; a zombie is not.", default=AT_LEAST_ONE)
    state: HeldText = arg(
        "State of each: R running, S sleeping, D uninterruptible, Z zombie, T stopped; letters or words. "
        '"!= D for 1m": none is in D for a minute or longer, with any of its threads. Without it, none may be stopped.',
        default=None,
        otherwise=str(NOT_STOPPED),
    )
    age: Duration = arg("Time since each was started.", default=None)
    memory: Size = arg("Resident memory (RSS) of each.", default=None)
    cpu: Percent = arg(
        "Share of one processor of each, measured over half a second: this check takes that long.", default=None
    )
    threads: Number = arg("Threads of each.", default=None)
    open_files: Number = arg("Open file descriptors of each.", default=None)
    main: bool = arg("Whether one of them is to be the main process (MainPID) of `unit`.", default=None)

    EXAMPLE: ClassVar[str] = """\
- name: The kubelet is alive
  process: {name: kubelet, unit: kubelet.service, count: 1, state: "!= D for 1m"}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """Without a selector every process would be meant."""
        selectors = (self.name, self.cmdline, self.exe, self.user, self.pidfile, self.unit, self.parent)
        if all(selector is None for selector in selectors):
            yield "name", "at least one selector is needed", "name, cmdline, exe, user, pidfile, unit or parent"
        for argument, text in self._compared():
            if len(text) > 1 and text.startswith("/") and text.endswith("/"):
                yield argument, f"{text} is no {COMPARED[argument]}", f"a regular expression is for cmdline: {text}"
        if self.state is not None:
            known = {*STATES, *STATES.values()}
            yield from (("state", *said) for said in self.state.unknown_words(known, "state of a process"))
        if self.main is not None and self.unit is None:
            yield "main", "main is about a unit: name it with unit", "unit: docker.service"

    def suspicions(self) -> Iterator[tuple[str, str, str]]:
        """A process may have a star in its name, and hardly any has."""
        for argument, text in self._compared():
            if text.startswith("*") or text.endswith("*"):
                message = f"{text} is compared letter by letter, and * stands for nothing else"
                yield argument, message, f"a regular expression is for cmdline: {text.strip('*')}"

    def _compared(self) -> Iterator[tuple[str, str]]:
        written = ((argument, getattr(self, argument)) for argument in COMPARED)
        return ((argument, text) for argument, text in written if text is not None)

    def wants(self) -> Iterator[Want]:
        """The cheap fields for all processes; what is expensive for candidates only."""
        details = frozenset(field for name, field in DETAILS.items() if getattr(self, name) is not None)
        yield ProcessWant(frozenset(self._fields()), details, self._is_candidate)
        if self.user is not None and not self.user.isdecimal():
            yield UserWant(self.user)
        if self.pidfile is not None:
            yield FileWant(self.pidfile)
        if self.unit is not None:
            yield UnitWant(self.unit, ("MainPID",) if self.main is not None else ())

    def judge(self, node: Node) -> Iterator[Finding]:
        """First how many are alive, then each property of those."""
        table = node.process_table()
        sure, unsure = self._select(table, node)
        yield self._judge_count(sure, unsure, node)
        alive = [process for process in sure if process.is_alive()]
        yield from self._judge_state(sure, alive)
        yield from self._judge_properties(alive, table)
        if self.main is not None and alive:
            yield self._judge_main(alive, node)

    # ---- selecting

    def _fields(self) -> Iterator[str]:
        if self.name is not None or self.exe is not None or self.parent is not None:
            yield "exe"
        if self.cmdline is not None:
            yield "cmdline"
        if self.user is not None:
            yield "uid"
        if self.unit is not None:
            yield "unit"

    def _is_candidate(self, process: Observed) -> bool | None:
        """Tell what the details are read for. `unit` may be an alias: alone, it selects what has its very name."""
        by_unit = self.unit is not None and not self._selects_a_program
        return _is_equal(process.unit, self.unit) if by_unit else self._may_be(process)

    @property
    def _selects_a_program(self) -> bool:
        return self.name is not None or self.exe is not None or self.cmdline is not None

    def _may_be(self, process: Observed) -> bool | None:
        """Tell by its own fields, but for its unit, whether a process is meant; None when one could not be seen."""
        answers = (
            _is_named(process, self.name) if self.name is not None else True,
            _is_executable(process, self.exe) if self.exe is not None else True,
            _is_found(process.cmdline, self.cmdline) if self.cmdline is not None else True,
        )
        return _all(answers)

    def _select(self, table: ProcessTable, node: Node) -> tuple[list[Observed], list[Observed]]:
        """Return the processes that are meant, and those that may be: something of them could not be seen."""
        fits = self._fits(table, node)
        if self.unit is None:
            return _sure_and_unsure(fits)
        selected = _sure_and_unsure(_of_unit(fits, self.unit))
        # A control group has the unit's own name. systemd is asked for it only where that may change the answer.
        if selected == ([], []) and any(fit is not False for _, fit in fits):
            return _sure_and_unsure(_of_unit(fits, node.unit(self.unit)["Id"]))
        return selected

    def _fits(self, table: ProcessTable, node: Node) -> list[Fit]:
        """Tell of each process whether it is meant by all selectors but `unit`."""
        uid, pid, parents = self._uid(node), self._pid(node), self._parents(table)
        return [
            (
                process,
                _all(
                    (
                        self._may_be(process),
                        uid is None or _is_equal(process.uid, uid),
                        pid is None or process.pid == pid,
                        parents is None or parents.get(process.parent, False),
                    )
                ),
            )
            for process in table.processes
        ]

    def _parents(self, table: ProcessTable) -> dict[int, bool | None] | None:
        if self.parent is None:
            return None
        return {process.pid: _is_named(process, self.parent) for process in table.processes}

    def _uid(self, node: Node) -> int | None:
        if self.user is None:
            return None
        if self.user.isdecimal():
            return int(self.user)
        uid = node.user_id(self.user)
        return NOBODY if uid is None else uid  # a user that does not exist runs nothing

    def _pid(self, node: Node) -> int | None:
        if self.pidfile is None:
            return None
        first = (node.file_text(self.pidfile) or "").split()[:1]  # some write more than the number, on further lines
        return int(first[0]) if first and first[0].isdecimal() else NOBODY

    # ---- judging

    def _judge_count(self, sure: list[Observed], unsure: list[Observed], node: Node) -> Finding:
        complete = node.process_table().complete
        alive = [process for process in sure if process.is_alive()]
        least, most = len(alive), len(alive) + len(unsure)
        possible = range(least, most + 1) if complete else (*range(least, most + MORE_AT_LEAST), PID_MAX)
        verdicts = {self.count.matches(count) for count in possible}
        if len(verdicts) > 1 and not complete:
            reason = "this user may not see the processes of others (hidepid)"
            raise Unobserved("processes", reason, remedy=f"{AS_ROOT}, or in the group that gid= of /proc names")
        if len(verdicts) > 1:
            raise Unobserved("processes", f"{self._subject()}: {_unreadable(unsure)}", remedy=AS_ROOT)
        message = f"{least} of {self._subject()} alive{_pids(alive)}"
        if verdicts == {True}:
            return Finding("count", Status.OK, str(self.count), least, message)
        explained = self._explain(sure, node) or f"{message}, expected {self.count}"
        return Finding("count", Status.CRITICAL, str(self.count), least, explained)

    def _explain(self, sure: list[Observed], node: Node) -> str:
        """Say why none is alive; "" when some are."""
        if any(process.is_alive() for process in sure):
            return ""
        if sure:
            zombie = sure[0]
            left = f"only a zombie is left of {self._subject()}: pid {zombie.pid}{_for(zombie)}"
            return f"{left}; its parent {zombie.parent} does not collect it"
        if self._uid(node) == NOBODY:
            return f"{self._subject()} is not running: there is no user {self.user}"
        return self._explain_pidfile(node) or f"{self._subject()} is not running{self._elsewhere(node)}"

    def _elsewhere(self, node: Node) -> str:
        """Name a process that is meant but for its unit, where it is not `unit` alone that selects."""
        if self.unit is None or not self._selects_a_program:
            return ""
        others = (process for process, fit in self._fits(node.process_table(), node) if fit and process.is_alive())
        other = next(others, None)
        return "" if other is None else f": {_called(other)} is in {other.unit or 'no unit'}"

    def _explain_pidfile(self, node: Node) -> str:
        pid = self._pid(node)
        if pid is None:
            return ""
        if node.file_text(self.pidfile or "") is None:
            return f"the pid file {self.pidfile} does not exist"
        if pid == NOBODY:
            return f"the pid file {self.pidfile} holds no process id"
        process = node.process(pid)
        if process is None:
            return f"the pid file {self.pidfile} is stale: there is no process {pid}"
        wanted = self.name or "what is wanted"
        return f"the pid file {self.pidfile} is stale: process {pid} is {process.name}, not {wanted}"

    def _judge_state(self, selected: list[Observed], alive: list[Observed]) -> Iterator[Finding]:
        wanted = self.state
        # "!= D for 1m" says nothing of the stopped, and they are not meant.
        if wanted is None or (wanted.held is not None and wanted.matches(("T", "stopped"))):
            yield from _judge_stopped(alive)
        if wanted is None:
            return
        for process in selected:
            words = (process.state, STATES.get(process.state, process.state))
            matched = wanted.matches_for(words, process.still_for)
            if matched is None:
                unseen = f"{_called(process)} is {words[1]}; for how long could not be seen"
                yield Finding("state", Status.UNKNOWN, str(wanted), words[1], unseen)
            elif not matched:
                message = f"{_called(process)} is {words[1]}{_for(process)}"
                remedy = f"grep . /proc/{process.pid}/task/*/wchan"  # of any thread
                yield Finding("state", Status.CRITICAL, str(wanted), words[1], message, remedy=remedy)

    def _judge_properties(self, alive: list[Observed], table: ProcessTable) -> Iterator[Finding]:
        for process in alive:
            properties: dict[str, tuple[Any, Any]] = {
                "age": (self.age, table.boottime - process.started),
                "memory": (self.memory, process.resident),
                "cpu": (self.cpu, process.cpu),
                "threads": (self.threads, process.threads),
                "open_files": (self.open_files, process.open_files),
            }
            for name, (expectation, observed) in properties.items():
                yield from judge_expectation(
                    name, expectation, observed, subject=_called(process), unit=name.replace("_", " ")
                )

    def _judge_main(self, alive: list[Observed], node: Node) -> Finding:
        main_pid = node.unit(self.unit or "").get("MainPID")
        if main_pid is None:
            raise Unobserved(f"unit {self.unit}", f"the main process of {self.unit} could not be seen")
        observed = any(process.pid == main_pid for process in alive)
        which = "one" if observed else "none"
        message = f"the main process of {self.unit} has pid {main_pid}: {which} of these{_pids(alive)}"
        return Finding("main", Status.OK if observed == self.main else Status.CRITICAL, self.main, observed, message)

    def _subject(self) -> str:
        selectors = {
            "": self.name, "command line ": self.cmdline, "executable ": self.exe, "user ": self.user,
            "pid file ": self.pidfile, "unit ": self.unit, "parent ": self.parent,
        }  # fmt: skip
        return ", ".join(f"{label}{value}" for label, value in selectors.items() if value is not None)


def _judge_stopped(alive: list[Observed]) -> Iterator[Finding]:
    for process in alive:
        word = STATES.get(process.state, process.state)
        if not NOT_STOPPED.matches((process.state, word)):
            message = f"{_called(process)} has been stopped by a signal{_for(process)}"
            remedy = f"kill -CONT {process.pid}"
            yield Finding("state", Status.CRITICAL, str(NOT_STOPPED), word, message, remedy=remedy)


def _is_named(process: Observed, name: str) -> bool | None:
    """The kernel cuts a name at 15 characters; the executable then tells which one it is."""
    executable = (process.exe or "").rpartition("/")[2]
    if name in (process.name, executable):
        return True
    cut = name.encode()[:CUT_AT].decode("utf-8", "replace")
    if process.name == cut:
        # An executable of another name tells nothing where it is the interpreter of a script.
        return None if process.exe is None else not executable.startswith(cut)
    return False


def _is_executable(process: Observed, exe: str) -> bool | None:
    if process.exe is None:
        return None
    return process.exe == exe if "/" in exe else process.exe.rpartition("/")[2] == exe


def _of_unit(fits: list[Fit], unit: str) -> list[Fit]:
    return [(process, _all((fit, _is_equal(process.unit, unit)))) for process, fit in fits]


def _sure_and_unsure(fits: list[Fit]) -> tuple[list[Observed], list[Observed]]:
    return [process for process, fit in fits if fit], [process for process, fit in fits if fit is None]


def _is_equal(observed: object, wanted: object) -> bool | None:
    return None if observed is None else observed == wanted


def _all(answers: Iterable[bool | None]) -> bool | None:
    """No, when one says no; else could not be seen, when one could not."""
    known = tuple(answers)
    if False in known:
        return False
    return None if None in known else True


def _is_found(cmdline: str | None, pattern: str) -> bool | None:
    """What was masked in a record may have been what is looked for."""
    if cmdline is None:
        return None
    return re.search(pattern, cmdline) is not None or (None if MASK in cmdline else False)


def _called(process: Observed) -> str:
    return f"{process.name} (pid {process.pid})"


def _pids(processes: list[Observed]) -> str:
    if not processes:
        return ""
    shown = ", ".join(str(process.pid) for process in processes[:PIDS_SHOWN])
    more = f" and {len(processes) - PIDS_SHOWN} more" if len(processes) > PIDS_SHOWN else ""
    return f" (pid {shown}{more})"


def _for(process: Observed) -> str:
    return "" if process.still_for is None else f" for {format_duration(process.still_for)}"


def _unreadable(processes: list[Observed]) -> str:
    shown = ", ".join(_called(process) for process in processes[:PIDS_SHOWN])
    return f"the executable or command line of {shown} could not be read"
