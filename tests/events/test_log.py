from __future__ import annotations

import errno
import io
import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from commandline import CRITICAL, PYTHON, UNSEEN, WELL
from fakes import report, result

from nodecheck.events import log
from nodecheck.report.result import Finding, Report, Status

if TYPE_CHECKING:
    from commandline import Cli

REPORT = report(
    result("a", Status.OK),
    result("b", Status.CRITICAL, "b has failed", findings=(Finding("state", Status.CRITICAL, "ok", "failed", "m"),)),
    result("c", Status.BLOCKED, causes=("b",)),
    result("d", Status.WARNING),
    result("e", Status.UNKNOWN),
    result("f", Status.SKIPPED),
    problems=("a helper was left behind",),
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def _emitted(made: Report, monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    log.emit(made)
    return stream.getvalue()


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _emitted(REPORT, monkeypatch).splitlines()]


def test_there_is_one_event_for_each_result_that_is_not_ok_and_one_for_the_run(events: list[dict[str, Any]]) -> None:
    assert [event["event"] for event in events] == ["check"] * 5 + ["run"]
    assert [event["name"] for event in events[:5]] == ["b", "c", "d", "e", "f"]


def test_the_fields_of_a_check_event_are_those_of_the_report(events: list[dict[str, Any]]) -> None:
    expected = json.loads(json.dumps(REPORT.results[1].to_data()))
    assert {name: events[0][name] for name in expected} == expected
    assert set(events[0]) - set(expected) == {"event", "level", "timestamp", "run_id", "hostname"}


def test_the_fields_of_the_run_event_are_those_of_the_report(events: list[dict[str, Any]]) -> None:
    expected = REPORT.to_data()
    del expected["results"]
    assert {name: events[-1][name] for name in expected} == json.loads(json.dumps(expected))
    assert set(events[-1]) - set(expected) == {"event", "level", "timestamp"}


def test_the_level_tells_how_bad_it_is(events: list[dict[str, Any]]) -> None:
    assert [event["level"] for event in events] == ["error", "info", "warning", "warning", "info", "error"]


def test_every_event_names_the_run_and_the_node(events: list[dict[str, Any]]) -> None:
    assert {event["run_id"] for event in events} == {"0f3c"}
    assert {event.get("hostname") or event["node"]["hostname"] for event in events} == {"node01"}


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_level(status: Status) -> None:
    assert log.LEVELS[status] in {"error", "warning", "info"}


def test_on_a_terminal_an_event_is_one_short_line_without_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    made = report(result("b", Status.CRITICAL, "failed\x1b[2J\nok"))
    check, run = _emitted(made, monkeypatch, Terminal()).splitlines()
    assert "message=failed\ufffd[2J\ufffdok" in check
    assert "summary=ok=0 warning=0 critical=1" in run
    assert check.isprintable()
    assert "findings" not in check + run


def test_on_a_terminal_there_is_colour_unless_it_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert "\x1b[" in _emitted(REPORT, monkeypatch, Terminal())


@pytest.mark.parametrize("failure", [errno.EPIPE, errno.ENOSPC])
def test_a_log_that_cannot_be_written_does_not_change_the_verdict(
    failure: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(failure, os.strerror(failure))

    assert _emitted(REPORT, monkeypatch, Broken()) == ""


def test_without_structlog_there_are_no_events_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "structlog", None)
    expected = "nodecheck: no events, structlog is missing: apt-get install python3-structlog\n"
    assert expected == _emitted(REPORT, monkeypatch)


@pytest.mark.parametrize(("when", "wanted"), [("always", True), ("never", False)])
def test_who_says_when_is_obeyed(when: str, wanted: bool) -> None:
    assert log.wanted(when) is wanted


# ---- from the command line


def _lines(cli: Cli, *options: str) -> list[dict[str, Any]]:
    file = cli.write(f"a | {WELL}", f"b | {CRITICAL}", f"c | {UNSEEN}")
    return [json.loads(line) for line in cli("run", file, *options).stderr.splitlines()]


def test_a_pipe_gets_json_lines(cli: Cli) -> None:
    assert [(event["event"], event["status"]) for event in _lines(cli)] == [
        ("check", "critical"), ("check", "unknown"), ("run", "critical"),
    ]  # fmt: skip


def test_never_means_no_event(cli: Cli) -> None:
    assert _lines(cli, "--events", "never") == []


def test_dev_null_gets_nothing_and_structlog_is_not_imported(cli: Cli) -> None:
    cli.write(f"a | {CRITICAL}")
    program = (
        "import os, sys; sys.argv = ['nodecheck', 'run', 'checks.yaml']; from nodecheck import __main__;"
        "os._exit = lambda code: print(code, 'structlog' in sys.modules); __main__.main()"
    )
    with open(os.devnull, "w") as nowhere:
        ended = subprocess.run(
            [PYTHON, "-c", program], cwd=cli.folder, env=cli.environment(), stdout=subprocess.PIPE, stderr=nowhere,
            text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ended.stdout.splitlines()[-1] == "2 False"


@pytest.mark.parametrize(("option", "events"), [("auto", 0), ("always", 2)])
def test_on_a_terminal_events_are_there_when_asked_for(option: str, events: int, cli: Cli) -> None:
    cli.write(f"a | {CRITICAL}")
    reader, writer = pty.openpty()
    subprocess.run(
        [PYTHON, "-m", "nodecheck", "run", "checks.yaml", "--events", option], cwd=cli.folder, env=cli.environment(),
        stdout=subprocess.DEVNULL, stderr=writer, timeout=60, check=False,
    )  # fmt: skip
    os.write(writer, b"end\n")
    raw = b""
    while not raw.endswith(b"end\r\n"):
        raw += os.read(reader, 1 << 16)
    shown = re.sub(rb"\x1b\[[0-9;]*m", b"", raw).decode().splitlines()
    os.close(writer)
    os.close(reader)
    assert (len(shown), shown[-1]) == (events + 1, "end")
    assert ["check" in shown[0] and "name=a" in shown[0]] == [bool(events)]
