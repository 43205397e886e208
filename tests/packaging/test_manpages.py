"""The man pages tell all that explain tells, and are read by man and mandoc without a complaint."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest
from packages import CHECKOUT, make_script
from readers import find

from nodecheck import __version__, checks
from nodecheck.cli import parser
from nodecheck.definitions import schema
from nodecheck.definitions.keywords import KEYWORDS

PAGES = ("nodecheck.1", "nodecheck.yaml.5", "nodecheck-checks.5")
# What roff takes for something else: a request, a quote that becomes a typographic one, an escape, a font.
TRICKY = ".TH at the start\n'quoted' \\fBnot bold\\fP `--long-option` ~/x ^y \"z\" a|b\n* .. and 'more'"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return make_script("manpages", tmp_path_factory.mktemp("man"))


def shown(page: pathlib.Path) -> str:
    """Return a page as a terminal shows it, without what makes letters bold."""
    mandoc = [find("mandoc"), "-T", "ascii", "-O", "width=100", str(page)]
    overstruck = subprocess.run(mandoc, capture_output=True, text=True, timeout=60, check=True).stdout
    return re.sub(r".\x08", "", overstruck)


@pytest.mark.parametrize("name", PAGES)
def test_mandoc_has_nothing_to_say(name: str, pages: pathlib.Path) -> None:
    ended = subprocess.run(
        [find("mandoc"), "-T", "lint", str(pages / name)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")


@pytest.mark.parametrize("width", ["80", "100", "132"])
@pytest.mark.parametrize("name", PAGES)
def test_man_has_nothing_to_warn_of(name: str, width: str, pages: pathlib.Path) -> None:
    ended = subprocess.run(
        [find("man"), "--warnings", "-l", str(pages / name)],
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": width, "LC_ALL": "C.UTF-8"}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr, "nodecheck" in ended.stdout) == (0, "", True)


def test_each_command_and_each_of_its_options_has_a_paragraph(pages: pathlib.Path) -> None:
    page = shown(pages / "nodecheck.1")
    sections = page.partition("\nCOMMANDS")[2].partition("\nEXIT STATUS")[0].split("\n   nodecheck ")[1:]
    assert list(parser.COMMANDS) == [section.split()[0] for section in sections]
    for section in sections:
        command = parser.Parser()
        parser.COMMANDS[section.split()[0]][1](command)
        options = [word for action in command._actions for word in action.option_strings if action.dest != "help"]
        assert [option for option in options if f" {option}" not in section] == []


def test_each_check_type_and_each_of_its_arguments_has_a_paragraph(pages: pathlib.Path) -> None:
    page = shown(pages / "nodecheck-checks.5").partition("\nCHECK TYPES")[2].partition("\nFACTS")[0]
    sections = dict(section.split("\n", 1) for section in re.split(r"\n   (?=\w+\n)", page)[1:])
    assert list(sections) == checks.names()
    for name, section in sections.items():
        kind = checks.type_named(name)
        assert kind is not None
        assert [argument for argument in kind.arguments() if f"\n       {argument}" not in f"\n{section}"] == []
        assert "\n".join(f"           {line}".rstrip() for line in kind.EXAMPLE.strip().splitlines()) in section
        assert [rule.name for rule in kind.RULES if f"\n       {rule.name}" not in section] == []


def test_no_name_is_hyphenated(pages: pathlib.Path) -> None:
    ended = subprocess.run(
        [find("man"), "-l", str(pages / "nodecheck-checks.5")],
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert [line for line in ended.stdout.splitlines() if line.endswith("\N{HYPHEN}")] == []


def test_keywords_and_settings_have_a_paragraph_each(pages: pathlib.Path) -> None:
    of_checks, of_settings = shown(pages / "nodecheck-checks.5"), shown(pages / "nodecheck.yaml.5")
    assert [word.name for word in KEYWORDS if f"\n       {word.name}" not in of_checks] == []
    assert [name for name in schema.settings()["properties"] if f"\n       {name}" not in of_settings] == []


def test_the_pages_have_the_version_and_the_date_of_the_source(pages: pathlib.Path) -> None:
    for name in PAGES:
        title = (pages / name).read_text().splitlines()[2]
        assert title.endswith(f'2023-11-14 "nodecheck {__version__}"')


def test_what_roff_would_take_for_something_else_is_shown_as_it_is(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(CHECKOUT / ".packaging"))
    roff = __import__("roff")
    lines = [".TH X 1 2023-11-14", *roff.page(TRICKY.splitlines()), *roff.code([".EE", "\\x 'a'"])]
    (tmp_path / "x.1").write_text("\n".join(lines) + "\n")
    sys.modules.pop("roff")

    body = shown(tmp_path / "x.1")
    told = " ".join(body.split())
    assert ".TH at the start 'quoted' \\fBnot bold\\fP --long-option ~/x ^y \"z\" a|b" in told
    assert ".. and 'more' .EE \\x 'a'" in told
