"""What is explained is made from the code, and holds in a terminal and in a file."""

from __future__ import annotations

import pathlib
import re
from typing import TYPE_CHECKING

import pytest

import nodecheck
from nodecheck import checks
from nodecheck.cli import explain_settings
from nodecheck.cli.explain import default
from nodecheck.cli.explain_expectations import COMPOSITIONS, in_flow
from nodecheck.cli.markdown import as_text, items, section, table
from nodecheck.cli.topics import TOPICS
from nodecheck.definitions.errors import Mistakes
from nodecheck.definitions.event_settings import KEYS
from nodecheck.definitions.expectation import EXPECTATIONS, Expectation, Number, Text
from nodecheck.definitions.settings import DEFAULT_BUDGET_SECONDS, SETTINGS, read_settings
from nodecheck.definitions.variables import plain
from nodecheck.definitions.yamlfile import load
from nodecheck.report import formats

if TYPE_CHECKING:
    from commandline import Cli

PACKAGE = pathlib.Path(nodecheck.__file__).parent
EXAMPLES = [(kind, example) for kind in EXPECTATIONS for example in kind.EXAMPLES]


@pytest.mark.parametrize("name", TOPICS)
def test_the_page_of_a_topic_is_what_explain_prints(name: str, cli: Cli) -> None:
    assert (PACKAGE / TOPICS[name].file).read_text() == cli("explain", name, "--markdown").stdout


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_is_in_the_overview_and_no_check_type_has_its_name(name: str, cli: Cli) -> None:
    overview = cli("explain").stdout
    topics = overview.partition("\nTOPICS")[2]
    assert f"\n{name} " in topics
    assert name not in checks.names()


@pytest.mark.parametrize("name", TOPICS)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_of_a_topic_is_wider_than_the_terminal(name: str, width: int) -> None:
    code = re.findall(r"```[a-z]+\n(.*?)```", (PACKAGE / TOPICS[name].file).read_text(), re.DOTALL)
    written = {f"  {line}" for block in code for line in block.splitlines()}
    assert [line for line in as_text(TOPICS[name].page(), width) if len(line) > width and line not in written] == []


def test_a_topic_that_is_misspelt_is_suggested(cli: Cli) -> None:
    assert "did you mean expectations?" in cli("explain", "expectation").stderr


def test_each_setting_that_is_read_is_explained_and_the_example_is_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "nodecheck.yaml").write_text(explain_settings.EXAMPLE)
    read = read_settings(str(tmp_path / "nodecheck.yaml"))

    assert (read.groups, read.budget, read.events.repeat) == (["web", "storage"], 20.0, 14400.0)
    assert list(explain_settings.TAKES) == [*SETTINGS, *(f"events.{key}" for key in KEYS)]
    assert f"| {DEFAULT_BUDGET_SECONDS:.0f}s |" in "\n".join(explain_settings.settings_page()).replace("`", "")


@pytest.mark.parametrize(
    ("kind", "argument", "told"),
    [
        ("unit", "state", "default healthy"),
        ("process", "state", "default != stopped"),
        ("process", "count", "default >= 1"),
        ("unit", "uptime", "not judged"),
        ("unit", "name", "required"),
    ],
)
def test_what_holds_where_an_argument_is_left_out_is_told(kind: str, argument: str, told: str) -> None:
    found = checks.type_named(kind)

    assert found
    assert told == default(found.arguments()[argument])


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_each_example_is_read_as_it_is_shown(kind: type[Expectation], example: object) -> None:
    mistakes = Mistakes()
    read = load("x", f"[{in_flow(example)}]", mistakes)

    assert read is not None
    assert [example] == plain(read)
    assert kind(example) == kind(plain(read)[0])
    assert f"`{in_flow(example)}`" in (PACKAGE / "definitions/expectations.md").read_text()


def test_every_unit_and_every_grammar_is_on_the_page() -> None:
    page = (PACKAGE / "definitions/expectations.md").read_text()
    assert [kind.__name__ for kind in EXPECTATIONS if kind.UNITS not in page or kind.GRAMMAR not in page] == []


@pytest.mark.parametrize("source", COMPOSITIONS)
def test_each_composition_of_the_page_can_hold_and_can_fail(source: object) -> None:
    expectation = Number(source) if re.search("[0-9]", str(source)) else Text(source)
    expected = True, True
    assert expected == (expectation.can_hold(), expectation.can_fail())


def test_a_page_is_rendered_for_a_terminal() -> None:
    page = [
        "# Title",
        "",
        "A text with `code` in it, and",
        "a second line.",
        *section("Two columns", table(("a", "b"), [("`x|y`", "one two three four five six"), ("z", "")])),
        *section("Three", table(("what", "is", ""), [("it", "so", "indeed")])),
        *section("List", items(["`*` first", "second: <https://example.org/>"])),
    ]

    expected = """\
TITLE

  A text with code in it, and a
  second line.

TWO COLUMNS

  x|y  one two three four five
       six
  z

THREE

  it
      is: so
      indeed

LIST

  * * first
  * second: https://example.org/"""
    assert [line.rstrip() for line in expected.splitlines()] == [line.rstrip() for line in as_text(page, 32)]


def test_each_format_is_on_the_page_as_people_ask_for_it(cli: Cli) -> None:
    page = (PACKAGE / "report/outputs.md").read_text()
    asked = re.findall(r"^nodecheck run -o (.*)$", page, re.MULTILINE)

    assert formats.names() == [option.partition("=")[0] for option in asked]
    assert formats.names() == re.findall(r"^\| `(\w+)` \| [^ ]", page, re.MULTILINE)
    assert len(formats.parse([option for option in asked if "=" in option])) == len([o for o in asked if "=" in o])


def test_the_example_of_the_language_has_no_mistakes(cli: Cli) -> None:
    code = re.findall(r"```yaml\n(.*?)```", (PACKAGE / "definitions/keywords.md").read_text(), re.DOTALL)
    (cli.folder / "example.yaml").write_text("".join(code))

    assert "4 checks" in cli("lint", "example.yaml").stdout
