"""Events are brought to where they go: from the command line, with places that are there, down, or hang."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from commandline import CHECKOUT, PYTHON
from fakes import report, result

from nodecheck.definitions.event_settings import SinkSetting
from nodecheck.engine import courier as engine_courier
from nodecheck.engine import destinations
from nodecheck.engine.clock import Clock
from nodecheck.engine.courier import Courier, Telling
from nodecheck.events.sinks import Sink
from nodecheck.report.result import Report, Result, Status

if TYPE_CHECKING:
    import pathlib

TELLING = Telling("changes", 3600.0)


def clock(budget: float = 30.0) -> Clock:
    return Clock(time.monotonic(), budget)


def made(run_id: str = "r1") -> Report:
    return report(result("a", Status.CRITICAL, confirmed_status=Status.CRITICAL), run_id=run_id)


def deliver(sinks: list[Sink], directory: pathlib.Path | None, run_id: str = "r1") -> list[str]:
    """Do what a run does; return the problems that its report tells."""
    courier = Courier(sinks, TELLING, str(directory) if directory else None)
    problems = courier.look(clock())
    courier.deliver(made(run_id), {}, clock())
    return problems


def lines(path: pathlib.Path) -> list[str]:
    return [json.loads(line)["event_id"] for line in path.read_text().splitlines()]


def file_sink(path: pathlib.Path) -> Sink:
    return Sink("file", {"path": str(path), "dialect": "native"})


def tells(path: pathlib.Path, state: pathlib.Path, found: Result) -> None:
    courier = Courier([file_sink(path)], TELLING, str(state))
    courier.look(clock())
    courier.deliver(report(found), {}, clock())


def test_events_arrive(tmp_path: pathlib.Path) -> None:
    assert deliver([file_sink(tmp_path / "log")], tmp_path / "state") == []
    assert lines(tmp_path / "log") == ["r1/check/a", "r1/run"]


def test_what_cannot_be_delivered_is_told_and_delivered_later_in_order_and_once(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "absent/log"
    assert deliver([file_sink(path)], tmp_path / "state", "r1") == []
    [problem] = deliver([file_sink(path)], tmp_path / "state", "r2")
    assert "events of 1 run since 20" in problem
    assert f"wait for file {path}: No such file or directory" in problem
    path.parent.mkdir()
    assert [each[:16] for each in deliver([file_sink(path)], tmp_path / "state", "r3")] == ["events of 2 runs"]
    assert deliver([file_sink(path)], tmp_path / "state", "r4") == []
    assert lines(path) == ["r1/check/a", "r1/run", "r2/run", "r3/run", "r4/run"]


def test_two_runs_at_once_tell_a_change_once(tmp_path: pathlib.Path) -> None:
    """That of nodecheck@deep.timer may take long, and does not know what the other one tells meanwhile."""
    out, state = tmp_path / "events", tmp_path / "state"
    well, failed = (result("a", status, confirmed_status=status) for status in (Status.OK, Status.CRITICAL))
    tells(out, state, well)
    slow = Courier([file_sink(out)], TELLING, str(state))
    slow.look(clock())
    tells(out, state, failed)
    slow.deliver(report(result("b", Status.OK, confirmed_status=Status.OK)), {}, clock())
    out.unlink()
    tells(out, state, failed)
    assert [json.loads(line)["event"] for line in out.read_text().splitlines()] == ["run"]


def test_a_place_that_is_down_keeps_nothing_from_another(tmp_path: pathlib.Path) -> None:
    deliver([file_sink(tmp_path / "absent/log"), file_sink(tmp_path / "log")], tmp_path / "state")
    assert lines(tmp_path / "log") == ["r1/check/a", "r1/run"]


def test_a_place_that_hangs_is_left_in_time_and_its_events_are_kept(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = Sink("syslog", {"address": f"tcp://127.0.0.1:{server.getsockname()[1]}", "dialect": "native"})
        started = time.monotonic()
        deliver([sink], tmp_path / "state")
        assert time.monotonic() - started < 9
    [problem] = deliver([sink], tmp_path / "state", "r2")
    assert "it does not answer in time" in problem


def test_a_short_budget_is_kept(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = Sink("syslog", {"address": f"tcp://127.0.0.1:{server.getsockname()[1]}", "dialect": "native"})
        courier = Courier([sink], TELLING, str(tmp_path / "state"))
        started = clock(1.0)
        courier.look(started)
        courier.deliver(made(), {}, started)
        assert started.elapsed() < 2


def test_without_state_what_is_lost_is_said(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    deliver([file_sink(tmp_path / "absent/log")], None)
    said = capsys.readouterr().err
    assert f"nodecheck: 2 events are lost, file {tmp_path}/absent/log took none: No such file or directory" in said
    assert "nothing is kept without --state" in said


def test_a_state_that_hangs_is_not_said_to_be_none(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_courier, "_keep", lambda *_: time.sleep(60))
    (problem,) = deliver([file_sink(tmp_path / "absent/log")], tmp_path / "state")
    assert f"{tmp_path}/state did not answer" in problem
    assert capsys.readouterr().err.endswith(f": No such file or directory; {tmp_path}/state did not answer\n")


def test_a_state_that_cannot_be_written_is_said(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state").write_text("a file")
    deliver([file_sink(tmp_path / "absent/log")], tmp_path / "state")
    assert "Not a directory" in capsys.readouterr().err


# ---- where they go


@pytest.mark.parametrize("settings", [(), (SinkSetting("journal", {}),)])
def test_never_goes_nowhere(settings: tuple[SinkSetting, ...]) -> None:
    assert destinations.of("never", settings) == []


def by_default(streams: str, environment: dict[str, str], before: str = "") -> str:
    """Return where events go by default, of a process whose standard error is set up by these words of a shell."""
    run = "from nodecheck.engine import destinations as d; print([s.kind for s in d.of('auto', ())], flush=True)"
    program = f"from nodecheck.cli import guard; guard.enter(); {run}"
    command = f'{before} exec {PYTHON} -c "{program}" {streams}'
    ended = subprocess.run(
        ["bash", "-c", command], env=environment, stdout=subprocess.PIPE, text=True, timeout=60, check=True
    )
    return ended.stdout.strip()


@pytest.mark.parametrize(
    ("streams", "expected"), [("2>/dev/null", "[]"), ("2>&1", "['stderr']"), ("2>file", "['stderr']")]
)
def test_without_sinks_it_depends_on_standard_error(
    streams: str, expected: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"PYTHONPATH": str(CHECKOUT), "INVOCATION_ID": "x", "JOURNAL_STREAM": "1:2", "SYSTEMD_EXEC_PID": "1"}
    assert expected == by_default(streams, environment)


def test_a_stream_of_the_journal_is_known_by_its_number(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "stream"
    log.touch()
    found = os.stat(log)
    environment = {"PYTHONPATH": str(CHECKOUT), "JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
    assert by_default(f"2>>{log}", environment) == "['journal']"


def test_what_systemd_started_with_its_streams_turned_away_tells_the_journal() -> None:
    """What systemd started is the guard of the run. One that a script starts is the script's."""
    environment = {"PYTHONPATH": str(CHECKOUT)}
    assert by_default("2>/dev/null", environment, "export SYSTEMD_EXEC_PID=$$;") == "['journal']"
    assert by_default("2>/dev/null", environment | {"SYSTEMD_EXEC_PID": str(os.getpid())}) == "[]"
