from __future__ import annotations

import io
import os
import pty
from typing import TYPE_CHECKING

import pytest

from nodecheck.report.result import Status
from nodecheck.report.style import COLOURS, Style, display_width, printable

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.TextIOWrapper]:
    """A real terminal, that nobody reads."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as stream:
        yield stream
    os.close(reader)


def test_there_is_colour_on_a_terminal(terminal: io.TextIOWrapper) -> None:
    assert Style.of(terminal).colour is True


def test_there_is_no_colour_elsewhere() -> None:
    assert Style.of(io.StringIO()) == Style(colour=False, width=80)


@pytest.mark.parametrize(
    ("name", "value", "colour"),
    [("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("TERM", "dumb", False), ("TERM", "linux", True)],
)
def test_the_environment_may_forbid_colour(
    name: str, value: str, colour: bool, terminal: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert Style.of(terminal).colour is colour


@pytest.mark.parametrize(("columns", "width"), [(0, 80), (10, 40), (40, 40), (100, 100), (120, 120), (300, 120)])
def test_the_width_is_that_of_the_terminal_within_reason(
    columns: int, width: int, terminal: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((columns, 24)))
    assert Style.of(terminal).width == width


def test_a_width_that_nobody_knows_is_eighty(terminal: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: int) -> os.terminal_size:
        raise OSError

    monkeypatch.setattr(os, "get_terminal_size", fail)
    assert Style.of(terminal).width == 80


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_colour_that_is_switched_off_again(status: Status) -> None:
    assert Style(colour=True).paint("x", status) == f"\033[{COLOURS[status]}mx\033[0m"
    assert Style(colour=False).paint("x", status) == "x"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mb", "a\ufffd[31mb"),
        ("a\nb\tc\rd", "a b c\ufffdd"),
        ("a\u202eb", "a\ufffdb"),
        ("a\x9bb", "a\ufffdb"),
        ("容器 é", "容器 é"),
        ("\udcff", "\ufffd"),
    ],
)
def test_control_characters_are_shown_as_such(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("容器", 4), ("e\u0301", 1), ("", 0), ("\uff41", 2)])
def test_a_wide_character_takes_two_columns_and_a_combining_one_none(text: str, width: int) -> None:
    assert display_width(text) == width


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("title", ["RECAP", "PLAY [节点检查]"])
def test_a_banner_fills_the_line(title: str, width: int) -> None:
    assert display_width(Style(width=width).banner(title)) == width


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_longer_than_the_width_unless_it_is_one_word(width: int) -> None:
    text = "a text of many words, 容器 and others " * 9 + "x" * 200
    lines = list(Style(width=width).wrap(text, "  "))
    assert [line for line in lines if display_width(line) > width] == ["  " + "x" * 200]
    assert " ".join(line.strip() for line in lines) == text
