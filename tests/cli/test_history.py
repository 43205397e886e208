from __future__ import annotations

import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from nodecheck.cli.history import detail, first_time, overview
from nodecheck.cli.strip import strip
from nodecheck.engine.memory import Change, History, Memory
from nodecheck.report.result import Status
from nodecheck.report.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commandline import Cli

NOW = 1_763_942_400.0  # 2025-11-24 00:00:00 UTC
HOUR = 3600.0


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def history(name: str, *changes: tuple[float, str, str | None], scope: str = "", at: float = 0.0) -> History:
    """A check that changed so many hours ago to a status, with a confirmed one, and was looked at until `at`."""
    _, status, confirmed = changes[-1]
    since = NOW - changes[-1][0] * HOUR
    memory = Memory(name, "", NOW - at * HOUR, 0.0, "", 60.0, status, since, 7, confirmed)
    made = tuple(Change(NOW - hours * HOUR, *rest, f"{name} said so") for hours, *rest in changes)  # type: ignore[arg-type, call-arg]  # a status and a confirmed one
    return History(scope, name.lower().replace(" ", "-"), memory, made)


DOCKER = history(
    "docker.service is healthy", (30, "ok", "ok"), (9, "critical", "ok"), (8.9, "critical", "critical"),
    (3, "unknown", "critical"), (2, "ok", "ok"),
)  # fmt: skip
CHECKS = [
    DOCKER,
    history("The kubelet answers", (30, "ok", "ok"), (9, "blocked", "ok"), (2, "ok", "ok")),
    history("The images have room", (12, "ok", "ok"), (8, "", "ok"), (6, "warning", "warning"), at=3),
    history("A name that is much too long for its column, and then some", (30, "skipped", "skipped")),
    history("Mine", (1, "info", "info"), scope="/home/me/checks.yaml"),
]


def test_all_checks_are_strips_over_time() -> None:
    expected = """\
        HISTORY [installed definitions] ************************************************
                                                  00:00                            00:00
        docker.service is healthy                 .......................CCCCCCCCCCC?...
        The kubelet answers                       .......................bbbbbbbbbbbb...
        The images have room                                         .......  WWWWWW
        A name that is much too long for its ...  --------------------------------------

        HISTORY [/home/me/checks.yaml] *************************************************
                                                  00:00                            00:00
        Mine                                                                          II

        . ok  - skipped  b blocked  I info  W warning  ? unknown  C critical; small: not
        confirmed; empty: not looked at"""
    assert textwrap.dedent(expected).splitlines() == [*overview(CHECKS, NOW - 24 * HOUR, NOW, Style())]


def test_one_check_is_shown_with_all_that_changed() -> None:
    expected = """\
        HISTORY [docker.service is healthy] ********************************************
          12:00                                                                    00:00
          ...................cCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC??????.............

          ok since 2025-11-23 22:00:00, in 7 runs
          confirmed: ok; last looked at 2025-11-24 00:00:00 (0ms ago)

        2025-11-23 22:00:00  ok            2h
        2025-11-23 21:00:00  unknown       1h
                             docker.service is healthy said so
        2025-11-23 15:06:00  critical      5h 54m
                             docker.service is healthy said so
        2025-11-23 15:00:00  critical      6m, not confirmed
                             docker.service is healthy said so
        2025-11-22 18:00:00  ok            21h"""
    assert textwrap.dedent(expected).splitlines() == [*detail(DOCKER, NOW - 12 * HOUR, NOW, Style())]


@pytest.mark.parametrize(
    ("hours", "last", "begins"),
    [(30.0, 24.0, 24.0), (6.0, 24.0, 6.0), (6.0, 2.0, 2.0), (0.001, 24.0, 1 / 60)],
    ids=["old", "young", "young, and less is wanted", "of just now"],
)
def test_strips_begin_with_what_is_remembered(hours: float, last: float, begins: float) -> None:
    begin = first_time([history("a", (hours, "ok", "ok"))], NOW - last * HOUR, NOW)
    assert NOW - begins * HOUR == pytest.approx(begin)


def test_a_strip_shows_the_worst_of_each_piece() -> None:
    made = history("a", (4, "ok", "ok"), (2.5, "critical", "critical"), (2.4, "ok", "ok"))
    assert "".join(letter for letter, _ in strip(made, NOW - 4 * HOUR, NOW, 4)) == ".C.."


def test_a_single_run_is_seen() -> None:
    made = history("a", (5, "critical", "critical"), at=5)
    assert [*strip(made, NOW - 10 * HOUR, NOW, 10)].count(("C", Status.CRITICAL)) == 1


def test_a_clock_that_jumped_back_breaks_nothing() -> None:
    made = history("a", (2, "ok", "ok"), (5, "critical", "critical"), (1, "ok", "ok"))
    assert len(strip(made, NOW - 4 * HOUR, NOW, 8)) == 8
    assert len([*detail(made, NOW - 4 * HOUR, NOW, Style())]) > 5


def test_on_a_terminal_a_strip_has_the_colours_of_its_statuses() -> None:
    lines = [*overview([history("a", (30, "critical", "critical"))], NOW - HOUR, NOW, Style(colour=True, width=40))]
    assert "\033[31;1mC\033[0m" in lines[2]


# ---- the command


@pytest.fixture
def runs(cli: Cli) -> Cli:
    cli.write("Never there | process: {name: no-such-name} | for: 2 runs", "Fine | process: {name: no, count: 0}")
    for _ in range(2):
        cli("run", "checks.yaml")
    return cli


def test_the_command_shows_what_runs_have_remembered(runs: Cli) -> None:
    ended = runs("history")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"HISTORY [{runs.folder}/checks.yaml]" in ended.stdout
    assert [line.split()[-1] for line in ended.stdout.splitlines() if line.startswith(("Never", "Fine"))] == ["C", "."]


def test_the_command_shows_one_check_by_its_name_or_id(runs: Cli) -> None:
    for check in ("Never there", "never-there"):
        ended = runs("history", check, "--last", "1h")
        assert (ended.returncode, "critical" in ended.stdout, "in 2 runs" in ended.stdout) == (0, True, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Never ther"], "did you mean Never there?"),
        (["--last", "yesterday"], "--last: expected a time"),
        (["--state", "none"], "--state none: there is nothing to show"),
        (["--state", "/nowhere"], "/nowhere/state.sqlite cannot be read: there is no such file"),
    ],
)
def test_what_cannot_be_shown_is_said(runs: Cli, arguments: list[str], said: str) -> None:
    ended = runs("history", *arguments)
    assert (ended.returncode, ended.stdout, said in ended.stderr) == (3, "", True)


def test_a_run_without_state_leaves_nothing_behind(cli: Cli) -> None:
    cli.write("Fine | process: {name: no, count: 0}")
    assert cli("run", "checks.yaml", "--state", "none").returncode == 0
    assert [file.name for file in cli.folder.iterdir()] == ["checks.yaml"]


def test_a_recorded_node_is_not_remembered(cli: Cli) -> None:
    cli.write("Fine | process: {name: no, count: 0}")
    (cli.folder / "node.json").write_text(cli("record").stdout)
    cli("run", "checks.yaml", "--replay", "node.json")
    assert sorted(file.name for file in cli.folder.iterdir()) == ["checks.yaml", "node.json"]


def test_a_page_of_html_draws_what_is_remembered(cli: Cli) -> None:
    (cli.folder / "a.yaml").write_text("- {name: A, hosts: all, checks: [{name: B, assert: {that: 1 == 1}}]}\n")
    pages = []
    for _ in range(2):
        cli("run", "a.yaml", "--state", "state", "--events", "never", "-o", "html=page.html")
        pages.append((cli.folder / "page.html").read_text())
    cli("run", "a.yaml", "--state", "none", "--events", "never", "-o", "html=none.html")

    assert ["<svg" in page for page in [*pages, (cli.folder / "none.html").read_text()]] == [False, True, False]
