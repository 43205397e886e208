"""Boots a node, makes the facts of each scene true in it, and times nodecheck and goss on them.

A measurement, not a test: it ends with 0 whatever the figures are, and with 1 when something could not be run.
"""

import argparse
import os
import pathlib
import sys

from node.machine import Machine, MachineError, why_not
from node.roots import RootError

from . import table
from .measure import Command, Figures, loading_time, measure
from .scenes import CONTROL_PLANE, LARGE, MANY_CHECKS, SMALL, Scene, write_many

CHECKOUT = pathlib.Path(__file__).parents[2]
SUITE = "trixie"  # has goss and hyperfine
VERSIONS = {
    "nodecheck": "nodecheck --version",
    "goss": "dpkg-query --show goss",
    "Python": "/usr/bin/python3 --version",
    "systemd": "systemctl --version",
}


def main() -> int:
    """Print the table; return 1 when something could not be run."""
    runs = arguments().runs
    reason = why_not()
    if reason:
        print(f"no bench: {reason}", file=sys.stderr)
        return 1
    try:
        busy = os.getloadavg()[0]
        with Machine(SUITE, name="bench") as machine:
            machine.install_nodecheck(CHECKOUT)
            print(conditions(machine, runs, busy))
            for scene in (SMALL, LARGE, CONTROL_PLANE):  # the last needs what the others made true
                bench(machine, scene, runs)
            scale(machine, runs)
    except (MachineError, RootError) as error:
        print(f"the bench failed: {error}", file=sys.stderr)
        return 1
    print(f"\n{table.NOTES}")
    return 0


def arguments() -> argparse.Namespace:
    """The arguments of the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", type=positive, default=40, help="runs of each command (default 40; 20 at least)")
    return parser.parse_args()


def positive(text: str) -> int:
    """A number of runs; fewer than 20 are for trying the bench itself."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def conditions(machine: Machine, runs: int, busy: float) -> str:
    """The lines above the table: what was measured, and where."""
    said = {name: machine.run(*command.split()).stdout for name, command in VERSIONS.items()}
    versions = [f"{name} {first_number(text)}" for name, text in said.items()]
    processors = len(os.sched_getaffinity(0))
    lines = [
        f"{', '.join(versions)} on a booted Debian ({SUITE}), kernel {os.uname().release}",
        f"{runs} runs of each command, in turn; {processors} processors, load average {busy:.2f} before",
    ]
    if runs < 20:
        lines.append("WARNING: fewer than 20 runs say little")
    if busy > processors / 4:
        lines.append("WARNING: this machine is busy with something else: the figures are not to be trusted")
    return "\n".join(lines)


def first_number(text: str) -> str:
    """The version in what a program says of itself."""
    return next((word for word in text.split() if word.lstrip("v")[:1].isdigit()), text.strip())


def bench(machine: Machine, scene: Scene, runs: int) -> None:
    """Measure one scene and print its part of the table."""
    scene.make_true(machine, scene)
    scene.write(machine)
    nodecheck = f"nodecheck run --state none {scene.nodecheck_file('equal')}"
    commands = [
        Command("goss validate", f"goss --gossfile {scene.goss_file} validate"),
        Command("nodecheck run, equal", nodecheck),
        Command("nodecheck run, healthy", f"nodecheck run {scene.nodecheck_file('healthy')}"),
        Command("nodecheck run, equal, with events", f"sh -c '{nodecheck} 2>&1 >/dev/null | cat >/dev/null'"),
    ]
    verify(machine, scene, commands)
    print(table.heading(scene.title))
    print("\n".join(table.rows(measure(machine, commands, runs), scene.goal)), flush=True)


def verify(machine: Machine, scene: Scene, commands: list[Command]) -> None:
    """Both tools must find the same number of facts, and all of them true."""
    for command in commands:
        machine.run(*command.argv)
    facts = sum(map(len, scene.facts.values()))
    said = machine.run(*commands[1].argv).stdout
    if f"ok={facts} " not in said:
        raise MachineError(f"nodecheck did not find {facts} checks to be ok:\n{said}")
    goss = machine.run(*commands[0].argv).stdout
    if f"Count: {facts + len(scene.units)}, Failed: 0, Skipped: 0" not in goss:  # of a service, two properties
        raise MachineError(f"goss did not find {facts + len(scene.units)} properties to be as wanted:\n{goss}")


def scale(machine: Machine, runs: int) -> None:
    """Print what other things cost."""
    commands = [
        Command("python3 -IBc pass", "/usr/bin/python3 -IBc pass"),
        Command("nodecheck --help", "nodecheck --help"),
        *(
            Command(f"nodecheck lint, ({scene.key})", f"nodecheck lint {scene.nodecheck_file('equal')}")
            for scene in (SMALL, LARGE)
        ),
        Command("nodecheck lint, 1,000 checks", f"nodecheck lint {MANY_CHECKS}"),
    ]
    write_many(machine)
    print(table.heading("For scale", compared=False))
    figures: dict[str, Figures] = measure(machine, commands, runs)
    print("\n".join(table.row(name, measured) for name, measured in figures.items()))
    print(table.loading(loading_time(machine, MANY_CHECKS, runs)))


if __name__ == "__main__":
    sys.exit(main())
