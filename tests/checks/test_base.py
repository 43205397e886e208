"""A property judged: the finding says what was expected and what was seen."""

from __future__ import annotations

from typing import Any

import pytest

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.definitions.expectation import Duration, Expectation, Number, Percent, Size, Text


@pytest.mark.parametrize(
    ("expectation", "observed", "message"),
    [
        (Number("< 3"), 2, "x of y is 2"),
        (Number("< 3"), 3, "x of y is 3, expected < 3"),
        (Number({"all": ["> 1", "< 3"]}), 3, "x of y is 3, expected > 1 and < 3"),
        (Percent("< 90%"), 90.04, "x of y is 90.04%, expected < 90%"),
        (Size("<= 2GiB"), (2 << 30) + 1, "x of y is 2.000000001GiB, expected <= 2GiB"),
        (Duration("< 90s"), 5400, "x of y is 5400s, expected < 90s"),
        (Text({"not": ["a", "b"]}), "a", "x of y is a, expected not (a or b)"),
        (Text("running"), ("active", "exited"), "x of y is active, exited, expected running"),
        (Text("running"), "", 'x of y is "", expected running'),
        (Text("running"), "running ", 'x of y is "running ", expected running'),
        (Number("< 3"), None, "the x of y could not be seen"),
    ],
)
def test_a_message_tells_the_difference(expectation: Expectation, observed: Any, message: str) -> None:
    (finding,) = judge_expectation("x", expectation, observed, subject="y")
    assert message == finding.message


def test_what_is_not_expected_is_not_judged() -> None:
    assert list(judge_expectation("x", None, 3, subject="y")) == []


class Sample(Check):
    """A check type."""

    name: str = arg("Its name.")
    count: int = arg("How many.", default=1)


def test_a_check_has_its_arguments_and_the_defaults_of_others() -> None:
    assert (Sample(name="x"), Sample(name="x").count) == (Sample(name="x", count=1), 1)
    assert Sample(name="x") != Sample(name="y")


@pytest.mark.parametrize("arguments", [{}, {"name": "x", "size": 1}])
def test_arguments_that_are_missing_or_unknown_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Sample(**arguments)


def test_a_check_stays_as_it_was_read() -> None:
    with pytest.raises(AttributeError):
        Sample(name="x").name = "y"  # type: ignore[misc]  # that is the point
