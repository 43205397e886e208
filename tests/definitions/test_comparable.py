"""Texts that are compared as what they stand for."""

from __future__ import annotations

from typing import Any

import pytest

from nodecheck.definitions.expectation import TextOrNumber, Version


@pytest.mark.parametrize(
    ("source", "observed", "matches"),
    [
        (1, "1", True),
        (1, "0", False),
        ("1", "01", True),
        ("== 1", "1", True),
        ("!= 1", "2", True),
        ("!= 1", "1", False),
        ("!= 1", "bbr", True),
        (1, "bbr", False),
        (">= 262144", "262144", True),
        (">= 262144", "65530", False),
        (">= 9", "10", True),
        ("< 3", "bbr", False),
        ("-1", "-1", True),
        ("1..3", "2", True),
        ("1..3", "4", False),
        ("1..3", "1", True),
        ("1..3", "3", True),
        ("1..3", "0.9", False),
        ("2..2", "2", True),
        ("1..3", "bbr", False),
        ("1..3", "1 2", False),
        ("bbr", "bbr", True),
        ("bbr", "cubic", False),
        ("!= bbr", "cubic", True),
        ("/^4096 /", "4096 131072 6291456", True),
        ("4096 131072 6291456", "4096 131072 6291456", True),
        ("4096", "4096 131072 6291456", False),
        ([1, 2], "2", True),
        ({"not": [0, "none"]}, "none", False),
        ({"not": [0, "none"]}, "00", False),
        ({"all": ["> 1", "!= 7"]}, "8", True),
        (9223372036854775807, "9223372036854775806", False),
        ("> 18446744073692774398", "18446744073692774399", True),
        ("1..9223372036854775806", "9223372036854775807", False),
    ],
)
def test_numbers_are_compared_as_numbers_and_all_else_as_text(source: Any, observed: str, matches: bool) -> None:
    assert matches is TextOrNumber(source).matches(observed)


def test_numbers_and_patterns_mixed_are_not_tried_out() -> None:
    assert TextOrNumber({"all": ["1..3", "/^2/"]}).can_fail()
    with pytest.raises(ValueError, match="this can never hold"):
        TextOrNumber({"all": ["bbr", "!= bbr"]})


@pytest.mark.parametrize("source", ["< bbr", ">", "3..1", "", True, [], "/[/", "< 1 2"])
def test_what_is_neither_text_nor_number_is_refused(source: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        TextOrNumber(source)


@pytest.mark.parametrize(
    ("source", "observed", "matches"),
    [
        (">= 5.4", "5.4.0-150-generic", True),
        (">= 5.4", "5.3.18", False),
        (">= 5.4", "5.10", True),
        (">= 5.10", "5.9", False),
        ("> 5.4", "5.4.0", False),
        ("> 5.4", "5.4.1", True),
        ("5.4", "5.4.0", True),
        ("!= 6.1.0", "6.1", False),
        ("5.4..6.1", "5.15.3", True),
        ("5.4..6.1", "6.1.1", False),
        ("5.4..6.1", "5.4", True),
        ("5.4..6.1", "6.1.0", True),
        ("5.4..6.1", "5.3.18", False),
        ("5.4..5.4", "5.4", True),
        ("< v6", "6.0", False),
        ("< 6", "v5.9", True),
        ({"all": [">= 5.15", {"not": "6.1..6.2"}]}, "6.1.9", False),
        (["4.19", ">= 5.4"], "4.19.0-27-amd64", True),
        (">= 0.1", "none", False),
    ],
)
def test_versions_are_compared_number_by_number(source: Any, observed: str, matches: bool) -> None:
    assert matches is Version(source).matches(observed)


@pytest.mark.parametrize(
    "source", ["x", "5.", "5.4..6.1x", "x5.4..6.1", ">= 5.4-rc1", "6.1..5.4", True, "", "/5/", ["x"]]
)
def test_what_is_no_version_is_refused(source: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Version(source)
