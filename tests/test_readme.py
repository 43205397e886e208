"""What the README tells people to type works: each command of its console blocks is run, or its target looked up."""

from __future__ import annotations

import pathlib
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from nodecheck import checks

if TYPE_CHECKING:
    from commandline import Cli

CHECKOUT = pathlib.Path(__file__).parents[1]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
JUDGING = ("run", "lint", "list", "test")  # they need definitions, and nothing is installed here
NOTHING_HERE = ("no check was selected", "nothing was found here to check")


def _commands() -> list[list[str]]:
    text = (CHECKOUT / "README.md").read_text()
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    words = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [line[1:] if line[0] == "sudo" else line for line in words if line]


def _of(program: str) -> list[list[str]]:
    """Return the arguments of each call; where its output goes is the shell's business."""
    plain = [command[: command.index(">")] if ">" in command else command for command in _commands()]
    return [command[1:] for command in plain if command[0] == program]


def test_the_readme_shows_commands_of_every_kind() -> None:
    assert {"make", "nodecheck"} <= {command[0] for command in _commands()}


@pytest.mark.parametrize("arguments", _of("nodecheck"), ids=" ".join)
def test_a_command_of_the_readme_is_understood_and_does_its_work(arguments: list[str], cli: Cli) -> None:
    wanted = arguments[0] in JUDGING or "--pack" in arguments
    definitions = ["--checks", CHECKOUT / "checks.d"] if wanted else []
    if arguments[0] == "history":
        cli("run", "--checks", CHECKOUT / "checks.d")
    if arguments[0] == "test":
        (cli.folder / "tests").symlink_to(CHECKOUT / "tests")
    if "--replay" in arguments:
        (cli.folder / "node.json").write_text(cli("record").stdout)
    ended = cli(*arguments, *definitions)
    written = [cli.folder / argument.partition("=")[2] for argument in arguments if "=" in argument]
    told = ended.stdout or "-q" in arguments or any(said in ended.stderr for said in NOTHING_HERE)
    answered = bool(told) or any(path.exists() for path in written)
    assert (answered, "Traceback" in ended.stderr, "usage:" in ended.stderr) == (True, False, False), ended.stderr


@pytest.mark.parametrize("targets", _of("make"), ids=" ".join)
def test_a_target_of_the_readme_is_in_the_makefile(targets: list[str]) -> None:
    ended = subprocess.run(
        ["make", "--dry-run", *targets], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, "No rule to make target" in ended.stderr) == (0, False), ended.stderr


def test_the_readme_names_every_check_type() -> None:
    table = (CHECKOUT / "README.md").read_text().partition("| of | check types |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"`(\w+)`", table)) == sorted(checks.names())
