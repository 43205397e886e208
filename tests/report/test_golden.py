"""Reports as they are printed, whole: golden/<case>.<exit code>.<format>. UPDATE_GOLDEN=1 writes them anew.

The tests of each format read these files back.
"""

from __future__ import annotations

import json
import os
import pathlib
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from fakes import REALTIME, report, result

from nodecheck.report import formats
from nodecheck.report.result import Finding, Report, Status
from nodecheck.report.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = pathlib.Path(__file__).parent / "golden"
OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN
ALL = tuple(formats.names())
# What some format or other takes for its own: markup, ends of texts, directives, escapes.
MARKS = """ <script>alert('1')</script> & "two" ]]> | #skip \\ \\n % {{x}} 'one' --> ; = , """
ESCAPE = "\x1b[2J\x1b]0;owned\x07\r\nok: all is well\u202e"

DOCKER = result(
    "docker.service is healthy",
    CRITICAL,
    "docker.service has failed: main process killed by SIGKILL; docker.service is not enabled (disabled)",
    play="Container engine",
    findings=(
        Finding("state", CRITICAL, "healthy", "failed", "docker.service has failed", "failed", REALTIME - 485),
        Finding("enabled", CRITICAL, True, False, "docker.service is not enabled (disabled)"),
        Finding("restarts", OK, "< 3", 0, "restarts of docker.service is 0"),
    ),
    since=REALTIME - 485,
    remedy="journalctl -u docker.service -n 50\nsystemctl reset-failed docker.service",
    source="/usr/share/nodecheck/checks.d/10-container-engine.yaml:22",
)
SYSTEMD = result(
    "systemd answers",
    OK,
    findings=(Finding("state", OK, "running", "running", "systemd 252 says running, 12d 4h after boot"),),
    play="Host",
)
ANSWERS = result("Docker answers", Status.BLOCKED, causes=("docker.service-is-healthy",), play="Container engine")
KUBELET = result(
    "The kubelet answers on its health port",
    WARNING,
    "port 10248/tcp on 127.0.0.1 listens, but its process does not take connections: they wait in its queue",
    play="Kubelet",
    findings=(Finding("connect", WARNING, True, "not accepted", "it does not take connections"),),
)
MEMORY = result(
    "The memory is bounded",
    UNKNOWN,
    "the memory of x.service could not be seen",
    play="Kubelet",
    findings=(Finding("memory", UNKNOWN, "< 1GiB", None, "the memory of x.service could not be seen"),),
)
DARK = [
    result(
        f"Unit {name}",
        UNKNOWN,
        "systemd is not running here",
        causes=("systemd",),
        findings=(Finding("unit", UNKNOWN, "an answer", "none", "systemd is not running here"),),
        remedy="run nodecheck on the host, not in a container",
        source=f"checks.d/10.yaml:{line}",
    )
    for name, line in (("a", 3), ("b", 7), ("c", 11), ("d", 15), ("e", 19), ("f", 23), ("g", 27))
]
ONE_OF_EACH = report(SYSTEMD, DOCKER, ANSWERS, KUBELET, MEMORY, result("No GPU here", Status.SKIPPED, play="Kubelet"))


class Case(NamedTuple):
    """A report, how it is shown, and in which formats."""

    report: Report
    style: Style = Style()
    formats: tuple[str, ...] = ("text",)


CASES = {
    "all-ok": Case(report(SYSTEMD, result("a", OK), result("b", OK)), formats=ALL),
    "all-ok-quiet": Case(report(SYSTEMD), Style(verbosity=-1)),
    "all-ok-verbose": Case(report(SYSTEMD), Style(verbosity=1)),
    "one-of-each": Case(ONE_OF_EACH, formats=ALL),
    "one-of-each-quiet": Case(ONE_OF_EACH, Style(verbosity=-1)),
    "one-of-each-verbose": Case(ONE_OF_EACH, Style(verbosity=1)),
    "one-of-each-narrow": Case(ONE_OF_EACH, Style(width=40)),
    "one-of-each-wide": Case(ONE_OF_EACH, Style(width=120)),
    "one-of-each-coloured": Case(ONE_OF_EACH, Style(colour=True)),
    "warning": Case(report(SYSTEMD, KUBELET), formats=("text", "nagios", "tap")),
    "one-dark-window": Case(report(SYSTEMD, *DARK), formats=ALL),
    "only-blocked": Case(
        report(result("b", Status.BLOCKED, causes=("systemd",))), formats=("text", "nagios", "tap", "checkmk")
    ),
    "only-info": Case(
        report(result("There is a newer kernel", Status.INFO, severity="info")),
        formats=("text", "nagios", "tap", "junit", "checkmk"),
    ),
    "many": Case(report(*(result(f"check {number:03}", OK if number % 50 else CRITICAL) for number in range(200)))),
    "too-many": Case(report(*(result(f"检查 {number:03}", CRITICAL) for number in range(200))), formats=("nagios",)),
    "wide-characters": Case(
        report(result("容器引擎正在运行", CRITICAL, "单元 docker.service 失败 " * 8 + "。", play="节点检查")),
        Style(width=60),
        ("text", "junit", "tap", "yaml", "html"),
    ),
    "control-characters": Case(
        report(
            result(
                f"name{ESCAPE}",
                CRITICAL,
                f"message{ESCAPE}",
                play=f"play{ESCAPE}",
                findings=(Finding("state", CRITICAL, f"want{ESCAPE}", f"seen{ESCAPE}", "m"),),
                remedy=f"remedy{ESCAPE}",
                source=f"file{ESCAPE}:1",
                causes=(f"cause{ESCAPE}",),
            ),
            result(f"blocked{ESCAPE}", Status.BLOCKED, causes=(f"cause{ESCAPE}",)),
            node={"hostname": f"host{ESCAPE}", "machine_id": None, "boot_id": None, "groups": [f"all{ESCAPE}"]},
            problems=(f"problem{ESCAPE}",),
        ),
        formats=ALL,
    ),
    "markup": Case(
        report(
            *(
                result(f"a{MARKS}{status}", status, f"message{MARKS}", play=f"play{MARKS}", remedy=f"echo{MARKS}")
                for status in (CRITICAL, Status.SKIPPED)
            ),
            problems=(f"problem{MARKS}",),
        ),
        formats=ALL,
    ),
    "problems-of-the-run": Case(
        report(SYSTEMD, problems=("a helper (pid 12) hangs and was left behind",)), formats=ALL
    ),
    "out-of-time": Case(
        report(result("a", UNKNOWN, "the run had no time left to look", deadline="run")),
        formats=("text", "json", "html"),
    ),
    "problems-of-the-run-quiet": Case(report(SYSTEMD, problems=("a helper was left behind",)), Style(verbosity=-1)),
}
FILES = {
    f"{name}.{case.report.exit_code}.{kind}": (kind, case) for name, case in CASES.items() for kind in case.formats
}


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown in the local zone; here that is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def _render(kind: str, case: Case) -> str:
    (output,) = formats.parse([kind])
    return output.render(case.report, case.style)


@pytest.mark.parametrize("name", FILES)
def test_a_report_is_printed_like_its_golden_file(name: str) -> None:
    rendered = _render(*FILES[name])
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / name).write_text(rendered, encoding="utf-8")
    assert (GOLDEN / name).read_text(encoding="utf-8") == rendered


def test_no_golden_file_is_left_over() -> None:
    assert sorted(file.name for file in GOLDEN.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_nothing_that_a_node_says_can_steer_the_terminal(name: str) -> None:
    kind, case = FILES[name]
    shown = _render(kind, case._replace(style=case.style._replace(colour=False)))
    assert [line for line in shown.splitlines() if not line.isprintable()] == []


@pytest.mark.parametrize("name", [name for name, (kind, _) in FILES.items() if kind == "json"])
def test_json_holds_all_that_the_report_knows(name: str) -> None:
    kind, case = FILES[name]
    data: dict[str, Any] = json.loads(_render(kind, case))
    assert data == json.loads(json.dumps(case.report.to_data()))
    assert data["schema"] == "nodecheck.report/1"
    assert sum(data["summary"].values()) == len(data["results"])


def test_the_last_line_of_a_report_is_the_recap() -> None:
    expected = "node01 : ok=1 warning=1 critical=1 unknown=1 blocked=1 skipped=1 info=0 in 0.21s"
    assert _render("text", CASES["one-of-each"]).splitlines()[-1] == expected


def test_the_worst_problem_comes_last() -> None:
    lines = _render("text", CASES["one-of-each"]).partition("PROBLEMS")[2].splitlines()
    heads = [line.partition(":")[0] for line in lines if line and line[0].islower() and " : " not in line]
    assert heads == ["warning", "unknown", "critical"]
