"""Whoever waits for a run waits no longer than its budget, whatever hangs: a run of the program itself."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest
from commandline import CRITICAL, PYTHON, WELL, Cli

from nodecheck.node import stuck

from .bus import state, wait_until
from .silent import Silent

LIMIT_SECONDS = 2.0  # a budget of one second, and one more


@pytest.fixture
def cli(tmp_path: pathlib.Path) -> Cli:
    folder = tmp_path / "folder"
    folder.mkdir()
    return Cli(folder)


@contextlib.contextmanager
def begun(cli: Cli, *arguments: object, stdout: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """A run of one second at the most, without what earlier ones hung on."""
    command = [PYTHON, "-m", "nodecheck", "run", "--budget", "1s", "--events", "never", *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=cli.folder, env=cli.environment(), text=True, stdout=stdout, stderr=subprocess.PIPE
    ) as process:  # fmt: skip
        yield process


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, error = process.communicate(timeout=20)
    return process.returncode, out, error


def run_of(guard: int) -> int:
    """Return the pid of the run that a guard waits for, once it is there."""
    children = pathlib.Path(f"/proc/{guard}/task/{guard}/children")
    wait_until(lambda: children.read_text() != "", "the run is there")
    return int(children.read_text().split()[0])


def said(what: str, error: str) -> bool:
    return error.startswith("nodecheck: the run did not end within ") and f"it hangs when it wants to {what}" in error


def test_definitions_that_hang_cost_the_budget(dead_folder: pathlib.Path, cli: Cli) -> None:
    started = time.monotonic()
    with begun(cli, dead_folder / "checks.d") as process:
        code, out, error = ended(process)
    assert (code, out, said(f"read {dead_folder}/checks.d; there is no report", error)) == (3, "", True), error
    assert time.monotonic() - started < LIMIT_SECONDS


def test_a_run_that_cannot_be_killed_is_left_behind_and_not_tried_again(silent: Silent, cli: Cli) -> None:
    path = silent.folder / "checks.yaml"
    started = time.monotonic()
    with begun(cli, path) as process:
        silent.take()
        run = run_of(process.pid)
        code, out, error = ended(process)
    assert time.monotonic() - started < LIMIT_SECONDS
    assert (code, out, said(f"read {path}, and was left behind (pid {run}", error)) == (3, "", True), error
    assert state(run) == "D"
    with begun(cli, path) as process:
        code, out, error = ended(process)
    hung = f"{path} cannot be read: an earlier run still hangs in the kernel on it ({stuck.who(run)})\n"
    assert (code, error) == (3, f"{hung}nodecheck: 1 mistake, nothing was checked\n")
    silent.end()
    wait_until(lambda: state(run) in ("", "Z"), "the run that hung has ended")


def test_a_report_that_hangs_does_not_silence_the_others(dead_folder: pathlib.Path, cli: Cli) -> None:
    cli.write(f"a | {WELL}")
    with begun(cli, "checks.yaml", "-o", f"json={dead_folder}/report.json") as process:
        code, _, error = ended(process)
    assert (code, said(f"write {dead_folder}/report.json; there is no report", error)) == (3, True), error


def test_a_reader_may_take_any_time(cli: Cli) -> None:
    cli.write(*(f"check number {number:04d} | {CRITICAL}" for number in range(600)))
    with begun(cli, "checks.yaml") as process:
        time.sleep(2.5)
        code, out, error = ended(process)
    assert (code, error, out.count("critical: check number")) == (2, "", 1200)


def test_a_signal_after_the_run_is_no_run_that_hangs(cli: Cli) -> None:
    cli.write(*(f"check number {number:04d} | {CRITICAL}" for number in range(600)))
    with begun(cli, "checks.yaml") as process:
        run = run_of(process.pid)
        wait_until(lambda: state(run) in ("", "Z"), "the run has ended, and nobody reads")
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        code, _, error = ended(process)
    assert (code, error) == (130, "")


def test_a_second_signal_does_not_wait_for_a_report(dead_folder: pathlib.Path, cli: Cli) -> None:
    with begun(cli, dead_folder / "checks.d", "--budget", "20s") as process:
        run = run_of(process.pid)
        wait_until(lambda: state(run) == "D", "it reads")
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        code, out, error = ended(process)
    assert time.monotonic() - started < 1
    assert (code, out, said(f"read {dead_folder}/checks.d", error)) == (130, "", True), error
    assert state(run) in ("", "Z")


def test_a_run_that_was_killed_is_told_in_a_line(dead_folder: pathlib.Path, cli: Cli) -> None:
    with begun(cli, dead_folder / "checks.d") as process:
        os.kill(run_of(process.pid), signal.SIGKILL)
        code, out, error = ended(process)
    assert (code, out) == (3, "")
    assert error == "nodecheck: the run was ended by SIGKILL; there is no report (dmesg tells whether for memory)\n"


def test_a_run_does_not_outlive_a_guard_that_was_killed(cli: Cli) -> None:
    began = cli.folder / "began"
    cli.write(f"a | command: {{run: [/bin/sh, -c, 'touch {began}; sleep 60']}} | timeout: 20s")
    with begun(cli, "checks.yaml", "--budget", "20s") as process:
        run = run_of(process.pid)
        wait_until(began.exists, "the command runs")
        process.kill()
        wait_until(lambda: state(run) in ("", "Z"), "the run has ended")
        ended(process)


def test_the_guard_and_the_run_are_not_seen(cli: Cli) -> None:
    cli.write("a | process: {cmdline: nodecheck run --budget, count: 0}")
    with begun(cli, "checks.yaml") as process:
        assert ended(process)[0] == 0
