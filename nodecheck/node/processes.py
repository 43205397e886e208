"""Processes: one pass over /proc for all checks. The only importer of psutil.

The pass itself reads /proc/PID/stat directly: psutil's name() falls back to /proc/PID/cmdline when the kernel cut the
name, and that read can hang for ever on a process that holds its memory map (moby#34579). What costs more, psutil
reads, and for candidates only. proc(5) has the fields.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node import isolated
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = "processes"
PROC = "/proc"
CUT_AT = 15  # TASK_COMM_LEN - 1: the kernel keeps this many bytes of a name
PIECE = 1 << 16  # bytes of a file that are read at once: all of it, unless it is a long command line
MOST_PIECES = 128  # 8 MiB, more than execve(2) ever takes: a process may have rewritten what is there
PROCESSOR = 36  # in /proc/PID/stat, after the name: where it last ran
STILL_STATES = "DTtZ"  # states in which a process does not run by itself
STUCK = "stuck"  # the detail that looks at each thread, see _as_stuck
MOST_THREADS = 2000  # of one process, at about 10 microseconds each
CPU_SAMPLE_SECONDS = 0.5
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
UNIT_SUFFIXES = (".service", ".scope", ".socket", ".mount", ".swap")


class Process(NamedTuple):
    """A process as one pass saw it. None: not asked for, or not to be seen by this user.

    `started` is in seconds after boot; `resident` in bytes; `cpu` in percent of one processor; `still_for` the seconds
    since it last ran on a processor, read for zombies, stopped and uninterruptible processes: how long they are so;
    `cmdline` has its arguments joined with blanks.
    """

    pid: int
    name: str
    state: str
    parent: int
    threads: int
    started: float
    uid: int | None = None
    exe: str | None = None
    cmdline: str | None = None
    unit: str | None = None
    still_for: float | None = None
    resident: int | None = None
    cpu: float | None = None
    open_files: int | None = None

    def is_alive(self) -> bool:
        """A zombie is dead, unless only its first thread has ended."""
        return self.state not in "ZX" or self.threads > 1


class ProcessTable(NamedTuple):
    """All processes but nodecheck's own, and whether that is all: /proc may hide those of other users (hidepid)."""

    processes: list[Process]
    complete: bool
    boottime: float  # seconds since boot at the time of the pass


class ProcessWant(NamedTuple):
    """What a check wants to know of processes.

    `fields` are read for every process, `details` for those that `selects` does not rule out: fields too, or STUCK.
    With `masked` no secret of a command line is seen, by any want of this pass.
    """

    fields: frozenset[str]
    details: frozenset[str]
    selects: Callable[[Process], bool | None]
    masked: bool = False


def collect(wants: list[ProcessWant], deadline: float) -> ProcessTable:
    """Pass once over /proc for all wants; `deadline` is a time of the monotonic clock. Raises Unobserved."""
    fields = frozenset().union(*(want.fields for want in wants))
    boottime = time.clock_gettime(time.CLOCK_BOOTTIME)
    try:
        pids = [int(entry) for entry in os.listdir(PROC) if entry.isdigit()]
    except OSError as error:
        raise Unobserved(SOURCE, f"{PROC} cannot be listed: {error.strerror}") from error
    read = (_read_process(pid, fields) for pid in pids)
    found = [process for process in read if process and not isolated.is_ours(process.pid, process.parent)]
    if "cmdline" in fields:
        cmdline = _masked_cmdline if any(want.masked for want in wants) else _cmdline
        cmdlines = isolated.each(cmdline, [process.pid for process in found], deadline)  # since reading one can hang
        found = [process._replace(cmdline=cmdlines.get(process.pid)) for process in found]
    table = ProcessTable(found, complete=_sees_others(), boottime=boottime)
    return _with_details(table, wants, deadline) if any(want.details for want in wants) else table


def _sees_others() -> bool:
    """Tell whether the processes of other users can be seen: PID 1 is always one of them, or we are root."""
    return os.path.exists(f"{PROC}/1/stat")


def _read_process(pid: int, fields: frozenset[str]) -> Process | None:
    """Return the process, or None when it vanished between two reads, which is no error."""
    try:
        process = _parse_stat(pid, _read(pid, "stat"))
        if process.state in STILL_STATES:
            process = process._replace(still_for=_still_for(pid))
        for field in fields & _CHEAP_FIELDS.keys():
            process = process._replace(**{field: _CHEAP_FIELDS[field](pid)})
    except (FileNotFoundError, ProcessLookupError, PermissionError, ValueError, IndexError):
        return None  # PermissionError: hidepid=1, see _sees_others
    return process


def _read(pid: int | str, name: str) -> str:
    # os.open rather than open(): a third of the time, and there are thousands of these
    descriptor = os.open(f"{PROC}/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = [os.read(descriptor, PIECE)]
        while len(pieces[-1]) == PIECE and len(pieces) < MOST_PIECES:
            pieces.append(os.read(descriptor, PIECE))
        return b"".join(pieces).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def _parse_stat(pid: int, text: str) -> Process:
    fields = _fields(text)
    name = text[text.index("(") + 1 : text.rindex(")")]
    return Process(pid, name, fields[0], int(fields[1]), int(fields[17]), int(fields[19]) / TICKS_PER_SECOND)


def _fields(text: str) -> list[str]:
    """Return those behind the name, which is in parentheses and may hold any character, parentheses and blanks too."""
    return text.rpartition(")")[2].split()


def _still_for(pid: int | str) -> float | None:
    """Return the seconds since the process last ran.

    se.exec_start is the clock of its processor in milliseconds when it last did; our own, just now and on that same
    processor, is the same clock. Others differ: each leaves out what interrupts and the hypervisor took of it, which is
    seconds within hours (rq_clock_task in kernel/sched/sched.h). Needs CONFIG_SCHED_DEBUG, which the distributions set.
    """
    try:
        then, processor = _last_ran(pid), int(_fields(_read(pid, "stat"))[PROCESSOR])
        return max(0.0, (_runs_now_on(processor) - then) / 1000)
    except (OSError, ValueError, IndexError):
        return None


def _runs_now_on(processor: int) -> float:
    """Return the clock of a processor. Raises OSError where this process may not run there."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {processor})
    try:
        return _last_ran(os.getpid())
    finally:
        os.sched_setaffinity(0, allowed)


def _last_ran(pid: int | str) -> float:
    return float(_read(pid, "sched").partition("se.exec_start")[2].split()[1])


def _uid(pid: int) -> int:
    # not the owner of /proc/PID: for processes that may not dump core, that is root
    return int(_read(pid, "status").partition("\nUid:")[2].split()[1])


def _exe(pid: int) -> str | None:
    try:
        return os.readlink(f"{PROC}/{pid}/exe").removesuffix(" (deleted)")
    except PermissionError:
        return None
    except FileNotFoundError:
        return ""  # a kernel thread, or a zombie


def _unit(pid: int) -> str | None:
    return unit_of_cgroup(_read(pid, "cgroup"))


def unit_of_cgroup(text: str) -> str:
    """Return the systemd unit that a process belongs to, from the text of its /proc/PID/cgroup; "" when none.

    "0::/system.slice/docker.service" is docker.service; below a unit that delegates, the unit counts.
    """
    for line in text.splitlines():
        hierarchy, controllers, path = line.split(":", 2)
        if hierarchy == "0" or controllers == "name=systemd":
            unit = next((part for part in path.split("/") if part.endswith(UNIT_SUFFIXES)), "")
            if unit:
                return unit
    return ""


_CHEAP_FIELDS: dict[str, Callable[[int], Any]] = {"uid": _uid, "exe": _exe, "unit": _unit}


def _cmdline(pid: int) -> str:
    return " ".join(_arguments(pid))


def _masked_cmdline(pid: int) -> str:
    from nodecheck.node.secrets import mask_arguments

    return " ".join(mask_arguments(_arguments(pid)))


def _arguments(pid: int) -> list[str]:
    try:
        return _read(pid, "cmdline").rstrip("\0").split("\0")
    except OSError:
        return []


# ---- what is read for candidates: threads, and what psutil reads


def _with_details(table: ProcessTable, wants: list[ProcessWant], deadline: float) -> ProcessTable:
    details: dict[int, set[str]] = {}
    for want in wants:
        for process in table.processes if want.details else ():
            if want.selects(process) is not False:
                details.setdefault(process.pid, set()).update(want.details)
    # Without psutil for those whose threads only are asked for: its import takes longer than they do.
    further = {pid: names - {STUCK} for pid, names in details.items() if names != {STUCK}}
    processes = [
        _as_stuck(process) if STUCK in details.get(process.pid, ()) else process for process in table.processes
    ]
    values = _read_details(further, deadline) if further else {}
    seen = [process for process in processes if process.pid not in further or process.pid in values]
    return table._replace(processes=[process._replace(**values.get(process.pid, {})) for process in seen])


def _as_stuck(process: Process) -> Process:
    """A process is as stuck as its most stuck thread: the first one of a Go program sleeps while another one hangs.

    The state of a process is that of its first thread only. One that was stopped stays so: that is of all threads.
    """
    if process.threads < 2 or process.state in "Tt":
        return process
    for thread in _threads(process.pid):
        try:
            if _fields(_read(thread, "stat"))[0] == "D":
                still_for = _still_for(thread)
                if process.state != "D" or (still_for or 0.0) > (process.still_for or 0.0):
                    process = process._replace(state="D", still_for=still_for)
        except (OSError, IndexError):
            continue  # it ended between two reads
    return process


def _threads(pid: int) -> list[str]:
    """Return what stands for a pid in the path of each thread."""
    try:
        return [f"{pid}/task/{thread}" for thread in os.listdir(f"{PROC}/{pid}/task")[:MOST_THREADS]]
    except OSError:
        return []


def _read_details(details: dict[int, set[str]], deadline: float) -> dict[int, dict[str, Any]]:
    """Return {pid: {detail: value}}; what may not be seen is None, and processes that vanished are left out."""
    try:
        import psutil
    except ImportError:
        return {pid: {} for pid in details}  # `nodecheck doctor` says what is missing

    values: dict[int, dict[str, Any]] = {}
    sampled: list[Any] = []
    for pid, names in details.items():
        try:
            process = psutil.Process(pid)
            values[pid] = {name: _detail(process, name) for name in names - {"cpu"}}
            if "cpu" in names:
                process.cpu_percent()
                sampled.append(process)
        except psutil.ZombieProcess:
            values[pid] = {}
        except psutil.NoSuchProcess:
            continue
    return _with_cpu(values, sampled, deadline)


def _detail(process: Any, name: str) -> int | None:
    import psutil

    try:
        return int(process.memory_info().rss if name == "resident" else process.num_fds())
    except psutil.AccessDenied:
        return None


def _with_cpu(values: dict[int, dict[str, Any]], processes: list[Any], deadline: float) -> dict[int, dict[str, Any]]:
    """A share of processor time needs two looks; all processes are sampled over the same interval."""
    import psutil

    if processes:
        time.sleep(max(0.0, min(CPU_SAMPLE_SECONDS, deadline - time.monotonic())))
    for process in processes:
        try:
            values[process.pid]["cpu"] = process.cpu_percent()
        except psutil.ZombieProcess:
            continue
        except psutil.NoSuchProcess:
            del values[process.pid]
    return values
