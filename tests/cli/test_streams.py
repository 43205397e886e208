"""Pipes that close, terminals, interrupts, and what is imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from commandline import PYTHON, WELL

if TYPE_CHECKING:
    from commandline import Cli

WAS_REMOVED = "nodecheck: cannot go on: the directory that it was called in was removed; "
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


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("run checks.yaml", 2),
        ("run checks.yaml --events never", 2),
        ("run nope.yaml", 3),
        ("lint nope.yaml", 3),
        ("run -o jsn", 3),
        ("runn", 3),
        ("run checks.yaml >/dev/full", 3),
        ("--help >/dev/full", 3),
    ],
)
def test_a_full_disk_behind_standard_error_does_not_change_the_exit_code(command: str, code: int, cli: Cli) -> None:
    cli.write("a | process: {name: no-such-name}")
    assert _ended(cli, f"{PYTHON} -m nodecheck {command} 2>/dev/full")[0] == code


def test_nor_where_a_package_for_events_is_missing(cli: Cli) -> None:
    cli.write("a | process: {name: no-such-name}")
    (cli.folder / "structlog.py").write_text("raise ImportError\n")
    command = f"PYTHONPATH=$PWD:$PYTHONPATH {PYTHON} -m nodecheck run checks.yaml --events always 2>/dev/full"
    assert _ended(cli, command)[0] == 2


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("run ../checks.yaml", 3, WAS_REMOVED),
        ("run $OLDPWD/checks.yaml --events never", 0, ""),
        ("run $OLDPWD/checks.yaml --events never -o json=$OLDPWD/report.json", 0, ""),
        ("run $OLDPWD/checks.yaml --events never -o json=report.json", 3, WAS_REMOVED),
        ("lint checks.yaml", 3, "checks.yaml does not exist"),
        ("history --state here", 3, WAS_REMOVED),
    ],
)
def test_a_working_directory_that_was_removed_is_not_needed(command: str, code: int, says: str, cli: Cli) -> None:
    cli.write(f"a | {WELL}")
    (cli.folder / "gone").mkdir()
    ended, _, error = _ended(cli, f"cd gone && rmdir ../gone && {PYTHON} -m nodecheck {command}")
    assert (ended, "Traceback" in error, says in error) == (code, False, True)


@pytest.mark.parametrize("closed", [">&-", "<&- >&-"])
def test_a_report_that_was_asked_for_cannot_be_written_where_standard_output_is_closed(closed: str, cli: Cli) -> None:
    cli.write(f"a | {WELL}")
    code, _, error = _ended(cli, f"{PYTHON} -m nodecheck run checks.yaml -o json --events never {closed}")
    assert (code, error) == (3, "nodecheck: standard output cannot be written: it is closed\n")


def test_a_file_may_have_a_name_of_two_lines(cli: Cli) -> None:
    """What is done next is told to the guard line by line."""
    cli.write(f"Fine | {WELL}", name="a\nb.yaml")
    ended = cli("run", "a\nb.yaml", "--state", "none", "--events", "never", "-o", "json=c\nd")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads((cli.folder / "c\nd").read_text())["status"] == "ok"


def test_a_report_in_a_file_needs_no_standard_output(cli: Cli) -> None:
    cli.write(f"a | {WELL}")
    code, _, error = _ended(cli, f"{PYTHON} -m nodecheck run checks.yaml -o json=x --events never >&-")
    assert (code, error, (cli.folder / "x").exists()) == (0, "", True)


@pytest.mark.parametrize(
    ("command", "code"), [("explain outputs", 0), ("list checks.yaml", 0), ("schema", 0), ("lint checks.yaml", 3)]
)
def test_a_reader_that_leaves_has_seen_enough_but_where_the_exit_code_is_a_verdict(
    command: str, code: int, cli: Cli
) -> None:
    cli.write(*(f"check number {number} | process: {{name: x, count: '>= 0'}}" for number in range(400)))
    command = f"{{ {PYTHON} -m nodecheck {command}; echo $? >code; }} | :"
    _ended(cli, command)
    assert (cli.folder / "code").read_text() == f"{code}\n"


def test_a_full_disk_below_standard_output_is_said_plainly(cli: Cli) -> None:
    cli.write(f"a | {WELL}")
    code, _, error = _ended(cli, f"{PYTHON} -m nodecheck run checks.yaml --events never >/dev/full")
    assert (code, error) == (3, "nodecheck: standard output cannot be written: No space left on device\n")


def test_a_locale_without_the_characters_does_not_stop_the_report(cli: Cli) -> None:
    cli.write(f"容器 | {WELL}")
    code, out, _ = _ended(cli, f"PYTHONIOENCODING=ascii {PYTHON} -m nodecheck run checks.yaml")
    assert (code, "\\u5bb9\\u5668" in out) == (0, True)


def _hanging(cli: Cli, command: str, seconds: float = 60) -> subprocess.Popen[str]:
    """Start nodecheck with a check that is well, and one whose program sleeps; return when it does."""
    began = cli.folder / "began"
    program = f"[/bin/sh, -c, 'touch {began}; sleep {seconds}']"
    cli.write(f"a | {WELL}", f"sleeps | command: {{run: {program}}} | timeout: 20s")
    process = _start(cli, f"exec {command}")
    deadline = time.monotonic() + 20
    while not began.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_with_a_report_of_what_was_seen(number: signal.Signals, cli: Cli) -> None:
    with _hanging(cli, f"{PYTHON} -m nodecheck run checks.yaml -o json") as process:
        os.killpg(process.pid, number)  # all of them, as a terminal and timeout(1) do
        out, error = process.communicate(timeout=10)
    report = json.loads(out)
    results = [(result["id"], result["status"], result["message"]) for result in report["results"]]
    assert (process.returncode, error, report["partial"]) == (128 + number, "", True)
    assert results == [
        ("a", "ok", "0 of no-such-name alive"),
        ("sleeps", "unknown", f"the run was ended by {number.name} before this was seen"),
    ]
    assert [problem.split(":")[0] for problem in report["problems"]] == [f"{number.name} ended the run"]


def test_a_run_that_a_signal_ended_is_not_remembered(cli: Cli) -> None:
    with _hanging(cli, f"{PYTHON} -m nodecheck run checks.yaml") as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert "sleeps" not in cli("history").stdout


def test_a_run_that_is_to_ignore_a_hang_up_goes_on(cli: Cli) -> None:
    with _hanging(cli, f"nohup {PYTHON} -m nodecheck run checks.yaml -o json", seconds=0.5) as process:
        os.killpg(process.pid, signal.SIGHUP)
        out, _ = process.communicate(timeout=10)
    assert (process.returncode, json.loads(out)["partial"]) == (0, False)


def test_an_interrupt_ends_another_command_with_130_and_without_a_traceback(cli: Cli) -> None:
    with _hanging(cli, f"{PYTHON} -m nodecheck record checks.yaml") as process:
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=10)
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
