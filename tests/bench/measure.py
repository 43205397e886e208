"""Measures commands in the node: wall time by hyperfine, CPU time and memory of all processes together."""

import dataclasses
import json
import pathlib
import re
import shlex
import statistics
from collections.abc import Iterator, Sequence

from node.machine import Machine, children

LOADING = pathlib.Path(__file__).with_name("loading.py")
CPU_TIME = pathlib.Path(__file__).with_name("cputime.py")
IN_NODE = "/run/nodecheck-bench"
WARMUP = 3
RUNS_AT_A_TIME = 10
MEMORY_RUNS = 10
TIMEOUT = 900.0


@dataclasses.dataclass(frozen=True)
class Command:
    """A command that is measured."""

    name: str
    line: str

    @property
    def argv(self) -> list[str]:
        """The command in words, as hyperfine splits it too."""
        return shlex.split(self.line)


@dataclasses.dataclass(frozen=True)
class Figures:
    """What was measured of a command: seconds and bytes."""

    times: Sequence[float]
    cpu: float  # user and system, of all processes
    memory: int  # the largest sum over all processes that was seen

    @property
    def median(self) -> float:
        """The median of the wall time."""
        return statistics.median(self.times)

    @property
    def fastest(self) -> float:
        """The shortest wall time."""
        return min(self.times)


def measure(machine: Machine, commands: Sequence[Command], runs: int) -> dict[str, Figures]:
    """Measure the commands; raises MachineError when a run of one ends with anything but 0."""
    times = wall_times(machine, commands, runs)
    return {
        command.name: Figures(times[command.name], cpu_time(machine, command, runs), peak_memory(machine, command))
        for command in commands
    }


def wall_times(machine: Machine, commands: Sequence[Command], runs: int) -> dict[str, list[float]]:
    """The wall time of each run. The commands take turns, a few runs at a time, so that all meet the same weather."""
    times: dict[str, list[float]] = {command.name: [] for command in commands}
    for done in range(0, runs, RUNS_AT_A_TIME):
        for name, some in _hyperfine(machine, commands, min(RUNS_AT_A_TIME, runs - done)).items():
            times[name] += some
    return times


def _hyperfine(machine: Machine, commands: Sequence[Command], runs: int) -> dict[str, list[float]]:
    """Without a shell; hyperfine connects all three streams of each command to /dev/null."""
    table = f"{IN_NODE}/hyperfine.json"
    machine.run("mkdir", "-p", IN_NODE)
    options = ["-N", "--style=none", f"--warmup={WARMUP}", f"--runs={runs}", f"--export-json={table}"]
    machine.run("hyperfine", *options, *(command.line for command in commands), timeout=TIMEOUT)
    results = json.loads(machine.run("cat", table).stdout)["results"]
    return {command.name: result["times"] for command, result in zip(commands, results, strict=True)}


def cpu_time(machine: Machine, command: Command, runs: int) -> float:
    """The median of the CPU time of all processes of a run."""
    script = f"{IN_NODE}/cputime.py"
    machine.put(CPU_TIME, script)
    printed = machine.run("/usr/bin/python3", "-I", script, str(runs), *command.argv, timeout=TIMEOUT).stdout
    seconds: list[float] = json.loads(printed)
    return statistics.median(seconds)


def loading_time(machine: Machine, file: str, runs: int) -> float:
    """The median of the time that reading one check of a file takes, in seconds."""
    script = f"{IN_NODE}/loading.py"
    machine.put(LOADING, script)
    printed = machine.run("/usr/bin/python3", "-IB", script, str(runs), file, timeout=TIMEOUT).stdout
    measured = json.loads(printed)
    seconds: list[float] = measured["seconds"]
    return statistics.median(seconds) / int(measured["checks"])


def peak_memory(machine: Machine, command: Command) -> int:
    """The most memory that all processes of a run were seen to have together, in several runs.

    Looked at from this host, as fast as it goes. A process's share of a page is the page divided by all who have it
    (Pss in proc(5)), so the sum counts what parent and helper share once; the interpreter that looks is another file.
    """
    return max(_peak_of_one_run(machine, command) for _ in range(MEMORY_RUNS))


def _peak_of_one_run(machine: Machine, command: Command) -> int:
    process = machine.start("sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", *command.argv)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_share, _descendants(process.pid))))
    process.communicate()
    return peak


def _descendants(pid: int) -> Iterator[int]:
    for child in children(pid):
        yield child
        yield from _descendants(child)


def _share(pid: int) -> int:
    """The memory of a process in bytes; 0 once it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss: +(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
