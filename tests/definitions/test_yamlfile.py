"""What the author wrote is what is read, and every value knows its place."""

from typing import Any

import pytest

from nodecheck.definitions.errors import Mistakes
from nodecheck.definitions.variables import plain
from nodecheck.definitions.yamlfile import Value, load, scalar


def read(text: str) -> Value:
    mistakes = Mistakes()
    value = load("x.yaml", text, mistakes)
    mistakes.raise_if_any()
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("yes", "yes"),
        ("no", "no"),
        ("NO", "NO"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("tRuE", "tRuE"),
        ("null", None),
        ("~", None),
        ("", None),
        ("None", "None"),
        ("0", 0),
        ("-0", 0),
        ("22", 22),
        ("+22", 22),
        ("-22", -22),
        ("0755", "0755"),
        ("-007", "-007"),
        ("0o755", "0o755"),
        ("0x1F", "0x1F"),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("22:22", "22:22"),
        ("1:30:00", "1:30:00"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1.10", 1.1),
        ("1.2.3", "1.2.3"),
        ("1e", "1e"),
        (".", "."),
        ("..", ".."),
        ("-", "-"),
        ("+", "+"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("inf", "inf"),
        ("2026-12-31", "2026-12-31"),
        ("10.0.0.1", "10.0.0.1"),
        ("5..1", "5..1"),
        ("90%", "90%"),
        ("٣", "٣"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_scalar_is_read_as_yaml_1_2_reads_it_or_stays_text(text: str, data: Any) -> None:
    assert (type(data), data) == (type(scalar(text)), scalar(text))


@pytest.mark.parametrize("text", ['"true"', "'22'", '"null"', '""', "|-\n  22", ">-\n  true"])
def test_what_is_quoted_is_text(text: str) -> None:
    assert isinstance(plain(read(f"- {text}\n"))[0], str)


def test_the_text_of_a_number_is_kept() -> None:
    expected = ["1.10", "0755", "+5"]
    assert expected == [value.text for value in read("[1.10, 0755, +5]").data]


def test_every_value_and_key_knows_its_place() -> None:
    value = read("- name: Play\n  checks:\n    - unit: {name: x}\n")
    check = value.data[0].data["checks"].data[0]

    expected = [
        ("play", 1, 3),
        ("check", 3, 7),
        ("key unit", 3, 7),
        ("arguments", 3, 13),
        ("key name", 3, 14),
        ("name", 3, 20),
    ]
    assert expected == [
        (what, mark.line, mark.column)
        for what, mark in (
            ("play", value.data[0].mark),
            ("check", check.mark),
            ("key unit", check.key_marks["unit"]),
            ("arguments", check.data["unit"].mark),
            ("key name", check.data["unit"].key_marks["name"]),
            ("name", check.data["unit"].data["name"].mark),
        )
    ]


def test_an_alias_is_what_its_anchor_is() -> None:
    expected = [{"a": 1}, {"a": 1}]
    assert expected == plain(read("- &x {a: 1}\n- *x\n"))


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_a_file_without_a_value_is_nothing_and_no_error(text: str) -> None:
    assert read(text).data is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [("{}", "a mapping"), ("[]", "a list"), ("true", "a boolean"), ("~", "nothing"), ("x", "text"), ("5", "a number")],
)
def test_a_kind_of_value_has_the_name_that_users_call_it(text: str, kind: str) -> None:
    assert kind == read(text).kind()


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("\x01", 1, 1),
        ("a\x01", 1, 2),
        ("a\n\x01", 2, 1),
        ("a\r\n\x01b", 2, 1),
        ("a\n\n  \x01", 3, 3),
        ("a\rb\x01", 2, 2),
        ("a\u2028\x01", 2, 1),
    ],
)
def test_a_character_that_cannot_stand_in_a_file_is_told_where_it_stands(text: str, line: int, column: int) -> None:
    mistakes = Mistakes()
    load("x.yaml", text, mistakes)
    found = mistakes.first()
    assert found is not None
    assert found.mark == ("x.yaml", line, column)
