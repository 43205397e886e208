"""Words, regular expressions, and how long a word has held."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from nodecheck.definitions.expectation import HeldText, Regex, Text


@pytest.mark.parametrize(
    ("wanted", "observed", "seconds", "verdict"),
    [
        ("!= D for 1m", "D", 59.9, True),
        ("!= D for 1m", "D", 60, False),
        ("!= D for 1m", "S", 1000, True),
        ("!= D for 1m", "D", None, None),
        ("!= D for 1m", "S", None, True),
        ("!= D for 0s", "D", None, False),
        ("!= /^d/i for 1m", "D", 60, False),
        ("!= D", "D", None, False),
        ("sleeping", ("S", "sleeping"), None, True),
        ({"not": ["D for 1m", "Z"]}, "Z", None, False),
        ({"not": ["D for 1m", "Z"]}, "D", None, None),
        ({"not": "D for 1m"}, "D", 60, False),
        ({"not": "/^(D|T)$/ for 1m"}, "T", 60, False),
        ({"all": ["!= D for 1m", "!= D"]}, "D", None, False),
        ({"all": ["!= D for 1m", "!= T for 2m"]}, "T", 90, True),
        ({"all": ["!= D for 1m", "!= T for 2m"]}, "T", 120, False),
        ({"all": ["!= D for 1m", "!= D for 2m"]}, "D", 90, False),
    ],
)
def test_what_has_to_hold_for_a_time_depends_on_the_time(
    wanted: Any, observed: Any, seconds: float | None, verdict: bool | None
) -> None:
    """None: it could not be seen for how long, and that is what it depends on."""
    assert verdict is HeldText(wanted).matches_for(observed, seconds)


@pytest.mark.parametrize("text", ["a" + " " * 100_000 + "b", "x" + "\n" * 100_000, "!= D for " + "1" * 100_000])
def test_a_text_of_any_length_is_read_at_once(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(ValueError):
        HeldText(text)

    assert time.process_time() - started < 0.1


def test_the_longest_time_is_the_one_that_is_asked_for() -> None:
    expected = 120.0, 60.0, None
    assert expected == (
        HeldText({"all": ["!= D for 1m", "!= T for 2m"]}).held,
        HeldText({"not": "D for 1m"}).held,
        HeldText({"not": "D"}).held,
    )


@pytest.mark.parametrize(
    ("observed", "shown"),
    [
        ("failed", "failed"),
        ("", ""),
        (("active", "running"), "active, running"),
        (frozenset({"c", "a", "b"}), "a, b, c"),
    ],
)
def test_several_words_are_shown_as_one_text(observed: Any, shown: str) -> None:
    assert shown == Text("x").show(observed)


def test_a_regular_expression_between_slashes_may_ignore_case() -> None:
    expected = "(?i:kube|etcd)", "kube|etcd"
    assert expected == (Regex("/kube|etcd/i"), Regex("/kube|etcd/"))


def test_a_word_of_a_set_may_be_left_out_by_a_regular_expression() -> None:
    assert not Text("!= /^act/").matches(("active", "running"))


@pytest.mark.parametrize(
    ("source", "observed", "matches"),
    [
        ("  running ", "running", True),
        ("!= running ", "running", False),
        ("== running ", "running", True),
        ("== running", "exited", False),
        ("/RUN/i", "running", True),
        ("/RUN/", "running", False),
        ("/a\nb/", "a\nb", True),
    ],
)
def test_blanks_around_a_text_do_not_count(source: str, observed: str, matches: bool) -> None:
    assert matches is Text(source).matches(observed)


@pytest.mark.parametrize("source", ["< x", "> x", "=> x", "=< x", "<= x", ">= x"])
def test_a_text_is_neither_more_nor_less(source: str) -> None:
    with pytest.raises(ValueError, match="neither more nor less"):
        Text(source)


@pytest.mark.parametrize("source", ["!= D  for 1m", " != D for 1m"])
def test_blanks_around_a_text_that_has_to_hold_do_not_count(source: str) -> None:
    held = HeldText(source)

    assert held.held == 60
    assert [held.matches_for(("D",), seconds) for seconds in (59.0, 60.0)] == [True, False]


def test_a_regular_expression_that_fits_any_text_is_suspicious() -> None:
    assert "fits any text" in " ".join(Regex(".*").suspicions())
    assert "fits any text" not in " ".join(Regex("^x").suspicions())
