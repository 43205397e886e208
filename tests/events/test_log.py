"""Events as records, through structlog; and which ones the command line tells."""

from __future__ import annotations

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
from records import REPORT, change, check, records, run

from nodecheck.events import log
from nodecheck.events.size import MOST_BYTES, size
from nodecheck.report.result import Status

if TYPE_CHECKING:
    from commandline import Cli

    from nodecheck.report.result import Report

OF_EVENTS = {"event", "event_id", "level", "timestamp", "run_id", "hostname"}


def test_the_fields_of_a_check_event_are_those_of_the_report() -> None:
    [record, *_] = records(REPORT)
    data = json.loads(json.dumps(REPORT.results[1].to_data()))
    expected = {name: value for name, value in data.items() if value not in ("", [], None)}
    assert expected == {name: record[name] for name in expected}
    assert set(record) - set(expected) == OF_EVENTS


def test_the_fields_of_the_run_event_are_those_of_the_report() -> None:
    expected = REPORT.header() | {"problems": list(REPORT.problems), "definitions": {"digest": "sha256:00"}}
    assert expected == {name: run()[name] for name in expected}
    assert set(run()) - set(expected) == OF_EVENTS - {"run_id"} | {"message", "not_ok"}


def test_a_run_event_stands_for_all_of_the_run() -> None:
    assert run()["not_ok"] == {"b": "critical", "c": "blocked", "d": "warning", "e": "unknown"}
    said = "critical: 6 checks, 1 warning, 1 critical, 1 unknown, 1 blocked, 1 skipped: b"
    assert said == run()["message"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (report(result("a", Status.OK)), "ok: 1 check"),
        (
            report(*(result(str(number), Status.CRITICAL) for number in range(7))),
            "critical: 7 checks, 7 critical: 0, 1, 2, 3, 4 and 2 more",
        ),
    ],
)
def test_the_message_of_a_run_is_short(made: Report, said: str) -> None:
    assert said == records(made)[-1]["message"]


def test_a_change_tells_from_what_to_what() -> None:
    record = change(Status.OK, Status.CRITICAL)
    expected = ("change", "ok", "critical", "critical", "error")
    assert expected == tuple(record[name] for name in ("event", "before", "after", "status", "level"))


def test_a_recovery_is_no_error() -> None:
    assert change(Status.CRITICAL, Status.OK)["level"] == "info"


def test_the_id_of_an_event_is_made_of_run_kind_and_check() -> None:
    assert [record["event_id"] for record in (check(), change(), run())] == [
        "0f3c/check/b",
        "0f3c/change/b",
        "0f3c/run",
    ]


def test_the_unit_that_a_check_is_about_is_told() -> None:
    assert records(report(result("a", Status.CRITICAL)), a="docker.service")[0]["unit"] == "docker.service"
    assert "unit" not in records(report(result("a", Status.CRITICAL)))[0]


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_level(status: Status) -> None:
    assert log.LEVELS[status] == check(status)["level"]


def test_a_record_stays_small_and_says_that_it_was_cut() -> None:
    record = check(message="x" * 100_000, tags=tuple(f"tag{number}" for number in range(10_000)))
    assert size(record) <= MOST_BYTES
    assert (record["truncated"], record["event_id"]) == (True, "0f3c/check/b")
    assert "more characters" in record["message"]


def test_on_a_terminal_events_are_short_and_cannot_control_it() -> None:
    made = report(result("a", Status.OK), result("b", Status.CRITICAL, "failed\x1b[2J\nok"))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", log.for_terminal(records(made)))
    told, run_ = shown.splitlines()
    assert "message=failed\ufffd[2J\ufffdok" in re.sub("'", "", told)
    assert "summary=" in run_
    assert told.isprintable()
    assert "findings" not in shown


def test_on_a_terminal_there_is_colour_unless_it_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert "\x1b[" in log.for_terminal([run()])
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in log.for_terminal([run()])


def test_without_structlog_there_are_no_events_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "structlog", None)
    with pytest.raises(log.NoStructlog, match="structlog is missing: apt-get install python3-structlog"):
        records(REPORT)


# ---- from the command line


def _lines(cli: Cli, *options: str) -> list[dict[str, Any]]:
    file = cli.write(f"a | {WELL}", f"b | {CRITICAL}", f"c | {UNSEEN}")
    return [json.loads(line) for line in cli("run", file, *options).stderr.splitlines()]


def _kinds(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["event"], event["status"]) for event in events]


def test_a_pipe_gets_json_lines(cli: Cli) -> None:
    assert _kinds(_lines(cli)) == [("check", "critical"), ("check", "unknown"), ("run", "critical")]


def test_the_second_run_tells_only_what_is_new(cli: Cli) -> None:
    _lines(cli)
    assert _kinds(_lines(cli)) == [("run", "critical")]


def test_a_run_without_memory_tells_all_that_is_not_ok(cli: Cli) -> None:
    _lines(cli)
    assert len(_lines(cli, "--state", "none")) == 3


def test_a_change_is_told_once(cli: Cli) -> None:
    cli("run", cli.write(f"a | {WELL}"))
    file = cli.write("a | process: {name: no-such-name, count: 1}")
    told = [[json.loads(line) for line in cli("run", file).stderr.splitlines()] for _ in range(2)]
    assert [_kinds(each) for each in told] == [[("change", "critical"), ("run", "critical")], [("run", "critical")]]


def test_all_is_told_when_asked_for(cli: Cli) -> None:
    expected = [("check", "ok"), ("check", "critical"), ("check", "unknown"), ("run", "critical")]
    assert expected == _kinds(_lines(cli, "--emit", "all"))


def test_never_means_no_event(cli: Cli) -> None:
    assert _lines(cli, "--events", "never") == []


def test_dev_null_gets_nothing_and_structlog_is_not_imported(cli: Cli) -> None:
    cli.write(f"a | {CRITICAL}")
    program = (
        "import os, sys; sys.argv = ['nodecheck', 'run', 'checks.yaml']; from nodecheck import __main__;"
        "end = __main__._exit; __main__._exit = lambda code: (print(code, 'structlog' in sys.modules), end(code));"
        "__main__.main()"
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
