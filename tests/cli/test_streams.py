"""Pipes that close, terminals, interrupts, and what is imported."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from commandline import PYTHON, WELL

if TYPE_CHECKING:
    from commandline import Cli

HEAVY = {"gi", "pydbus", "psutil", "structlog", "jinja2"}


def _start(cli: Cli, command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["/bin/sh", "-c", command], cwd=cli.folder, env=cli.environment(), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def _ended(cli: Cli, command: str) -> tuple[int, str, str]:
    with _start(cli, command) as process:
        out, error = process.communicate(timeout=60)
    return process.returncode, out, error


# ---- imports of each command


def _imported(cli: Cli, *arguments: str) -> set[str]:
    traced = subprocess.run(
        [PYTHON, "-X", "importtime", "-m", "nodecheck", *arguments],
        cwd=cli.folder, env=cli.environment(), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    lines = [line for line in traced.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["lint", "checks.yaml"],
        ["list", "checks.yaml"],
        ["explain", "unit"],
    ],
)
def test_nothing_heavy_is_imported_by_what_does_not_look_at_the_node(arguments: list[str], cli: Cli) -> None:
    cli.write(f"a | {WELL}", "b | unit: {name: x.service}", "c | port: {port: 80}")
    imported = _imported(cli, *arguments)
    assert "nodecheck" in imported
    assert imported & HEAVY == set()


def test_a_run_without_events_does_not_import_structlog(cli: Cli) -> None:
    cli.write(f"a | {WELL}")
    assert "structlog" not in _imported(cli, "run", "checks.yaml", "--events", "never")
    assert "structlog" in _imported(cli, "run", "checks.yaml", "--events", "always")


# ---- streams that close


@pytest.mark.parametrize("command", ["run checks.yaml", "run checks.yaml -o json", "list checks.yaml", "explain unit"])
def test_a_reader_that_leaves_early_sees_no_traceback(command: str, cli: Cli) -> None:
    cli.write(*(f"check number {number} | {WELL}" for number in range(400)))
    _, out, error = _ended(cli, f"{PYTHON} -m nodecheck {command} | head -n 1")
    assert (len(out.splitlines()), error.count("Traceback"), error.count("BrokenPipe")) == (1, 0, 0)


def test_the_verdict_is_kept_when_the_reader_leaves(cli: Cli) -> None:
    cli.write(*(f"check number {number} | process: {{name: no-such-name}}" for number in range(400)))
    command = f"{{ {PYTHON} -m nodecheck run checks.yaml 2>/dev/null; echo $? >code; }} | :"
    _ended(cli, command)
    assert (cli.folder / "code").read_text() == "2\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-", "2>/dev/full"])
def test_a_stream_that_is_closed_does_not_change_the_verdict(closed: str, cli: Cli) -> None:
    cli.write(f"a | {WELL}")
    code, _, error = _ended(cli, f"{PYTHON} -m nodecheck run checks.yaml {closed}")
    assert (code, "Traceback" in error) == (0, False)


def test_a_full_disk_below_standard_output_is_said_plainly(cli: Cli) -> None:
    cli.write(f"a | {WELL}")
    code, _, error = _ended(cli, f"{PYTHON} -m nodecheck run checks.yaml --events never >/dev/full")
    assert (code, error) == (3, "nodecheck: standard output cannot be written: No space left on device\n")


def test_a_locale_without_the_characters_does_not_stop_the_report(cli: Cli) -> None:
    cli.write(f"容器 | {WELL}")
    code, out, _ = _ended(cli, f"PYTHONIOENCODING=ascii {PYTHON} -m nodecheck run checks.yaml")
    assert (code, "\\u5bb9\\u5668" in out) == (0, True)


def test_an_interrupt_ends_with_130_and_without_a_traceback(cli: Cli) -> None:
    cli.write("a | process: {exe: python3, cpu: '< 1000%'}", "b | process: {exe: python3.11, cpu: '< 1000%'}")
    with _start(cli, f"exec {PYTHON} -m nodecheck run checks.yaml") as process:
        time.sleep(0.35)  # it measures processor time for half a second
        os.kill(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out, error) == (130, "", "nodecheck: interrupted\n")


@pytest.mark.parametrize(
    "arguments", [["explain", "keywords"], ["schema"], ["run", "checks.yaml"], ["lint", "checks.yaml"]]
)
def test_a_full_disk_behind_standard_output_is_told_in_a_line(cli: Cli, arguments: list[str]) -> None:
    cli.write(f"a | {WELL}")
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [PYTHON, "-m", "nodecheck", *arguments], cwd=cli.folder, env=cli.environment(), stdout=full,
            stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    said = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert (ended.returncode, said) == (3, ["nodecheck: standard output cannot be written: No space left on device"])
