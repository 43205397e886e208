"""What the README tells people to type works: each command of its console blocks is run, or its target looked up."""

from __future__ import annotations

import pathlib
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from commandline import Cli

CHECKOUT = pathlib.Path(__file__).parents[1]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
JUDGING = ("run", "lint", "list")  # they need definitions, and nothing is installed here


def _commands() -> list[list[str]]:
    text = (CHECKOUT / "README.md").read_text()
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    words = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [line[1:] if line[0] == "sudo" else line for line in words if line]


def _of(program: str) -> list[list[str]]:
    return [command[1:] for command in _commands() if command[0] == program]


def test_the_readme_shows_commands_of_every_kind() -> None:
    assert {"make", "nodecheck"} <= {command[0] for command in _commands()}


@pytest.mark.parametrize("arguments", _of("nodecheck"), ids=" ".join)
def test_a_command_of_the_readme_is_understood_and_does_its_work(arguments: list[str], cli: Cli) -> None:
    definitions = ["--checks", CHECKOUT / "checks.d"] if arguments[0] in JUDGING else []
    ended = cli(*arguments, *definitions)
    answered = bool(ended.stdout) or "-q" in arguments or "no check was selected" in ended.stderr
    assert (answered, "Traceback" in ended.stderr, "usage:" in ended.stderr) == (True, False, False), ended.stderr


@pytest.mark.parametrize("targets", _of("make"), ids=" ".join)
def test_a_target_of_the_readme_is_in_the_makefile(targets: list[str]) -> None:
    ended = subprocess.run(
        ["make", "--dry-run", *targets], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, "No rule to make target" in ended.stderr) == (0, False), ended.stderr
