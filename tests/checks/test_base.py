"""A property judged: the finding says what was expected and what was seen."""

from __future__ import annotations

from typing import Any

import pytest

from nodecheck.checks.base import (
    KINDS,
    Argument,
    Check,
    Numbers,
    Texts,
    Words,
    arg,
    is_judged,
    judge_expectation,
    judge_growth,
)
from nodecheck.definitions.expectation import (
    CountInTime,
    Duration,
    Expectation,
    InTime,
    Number,
    Percent,
    Size,
    SizeInTime,
    Text,
)
from nodecheck.node.counters import Growth
from nodecheck.report.result import Status


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


@pytest.mark.parametrize(
    ("observed", "status", "shown"),
    [(2, Status.OK, 2), (3, Status.CRITICAL, 3), (None, Status.UNKNOWN, None)],
)
def test_a_finding_has_the_status_and_what_was_seen(observed: int | None, status: Status, shown: int | None) -> None:
    (finding,) = judge_expectation("x", Number("< 3"), observed, subject="y")

    assert ("x", status, "< 3", shown) == finding[:4]


@pytest.mark.parametrize(
    ("grown", "status", "observed", "message"),
    [
        (Growth(2, 2, 3600), Status.OK, 2, "n of y in 1h is 2"),
        (Growth(3, 3, 3600), Status.CRITICAL, 3, "n of y in 1h is 3, expected < 3 in 1h"),
        (Growth(1, 2, 3600), Status.OK, "1 to 2", "n of y in 1h is 1 to 2"),
        (Growth(3, 9, 60), Status.CRITICAL, "3 to 9", "n of y in 1h is 3 to 9, expected < 3 in 1h"),
        (
            Growth(1, 9, 60), Status.UNKNOWN, None,
            "n of y in 1h could be 1 to 9: it has been looked at for 1m, and 1 came since",
        ),
        (Growth(0, 9, 0), Status.UNKNOWN, None, "n of y in 1h could be 0 to 9: it was not looked at before"),
    ],
)  # fmt: skip
def test_growth_is_judged_only_where_what_nobody_has_seen_does_not_matter(
    grown: Growth, status: Status, observed: Any, message: str
) -> None:
    (finding,) = judge_growth("n", CountInTime("< 3 in 1h"), grown, subject="y")

    assert ("n", status, "< 3 in 1h", observed, message) == finding[:5]


@pytest.mark.parametrize(
    ("expected", "grown", "status"),
    [
        (CountInTime("!= 7 in 1d"), Growth(3, 12, 60), Status.UNKNOWN),
        (CountInTime("!= 7 in 1d"), Growth(8, 12, 60), Status.OK),
        (CountInTime("5..10 in 1d"), Growth(3, 12, 60), Status.UNKNOWN),
        (CountInTime("5..10 in 1d"), Growth(11, 12, 60), Status.CRITICAL),
        (CountInTime({"all": ["> 5 in 1d", "< 10 in 1d"]}), Growth(5, 10, 60), Status.UNKNOWN),
        (CountInTime({"all": ["> 5 in 1d", "< 7 in 1d"]}), Growth(7, 9, 60), Status.CRITICAL),
        (CountInTime("!= 7.5 in 1d"), Growth(3, 12, 60), Status.OK),
        (CountInTime(["< 5 in 1d", "> 5.5 in 1d"]), Growth(4, 6, 60), Status.UNKNOWN),
        (SizeInTime("1MiB..2GiB in 1d"), Growth(0, 5 << 30, 60), Status.UNKNOWN),
    ],
)
def test_what_lies_between_the_least_and_the_most_counts_too(expected: InTime, grown: Growth, status: Status) -> None:
    (finding,) = judge_growth("n", expected, grown, subject="y")
    assert status == finding.status


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("int", True), ("int", "1"), ("int", 1.0), ("str", ""), ("str", 1), ("bool", "yes"), ("bool", 0),
        ("Words", []), ("Words", [""]), ("Words", 1), ("Numbers", {}), ("Numbers", []), ("Texts", {}), ("Texts", "x"),
        ("Conditions", []),
    ],
)  # fmt: skip
def test_what_is_of_another_kind_is_refused(kind: str, source: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|empty"):
        KINDS[kind].read(source)


@pytest.mark.parametrize(
    ("kind", "source", "value"),
    [
        ("int", 3, 3), ("str", "x", "x"), ("bool", False, False), ("Words", "x", Words("x")),
        ("Words", ["x", "y"], Words(["x", "y"])), ("Numbers", {"a": 1}, Numbers({"a": 1})),
        ("Texts", {"a": "x"}, Texts({"a": "x"})),
    ],
)  # fmt: skip
def test_what_is_of_its_kind_is_read(kind: str, source: Any, value: Any) -> None:
    assert value == KINDS[kind].read(source)
    assert hash(value) == hash(KINDS[kind].read(source))


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


class OfAUnit(Check):
    """A check type that is about a unit."""

    unit: str = arg("Its unit.", default=None)


@pytest.mark.parametrize(
    ("unit", "concerned"), [("x.service", "x.service"), (None, ""), ("x@*.service", ""), (("a", "b"), "")]
)
def test_a_check_concerns_one_unit_or_none(unit: Any, concerned: str) -> None:
    assert concerned == OfAUnit(unit=unit).concerns()


def test_a_check_by_itself_has_nothing_to_say() -> None:
    sample: Any = Sample(name="x")
    assert (list(sample.mistakes()), list(sample.counters(None)), sample.concerns()) == ([], [], "")
    for method in (sample.wants, lambda: sample.judge(None)):
        with pytest.raises(NotImplementedError):
            method()


def test_checks_that_are_equal_have_one_hash() -> None:
    assert len({Sample(name="x"), Sample(name="x", count=1), Sample(name="y")}) == 2
    assert Sample(name="x") != OfAUnit()


@pytest.mark.parametrize("word", ["yes", "no", "on", "off"])
def test_a_word_that_was_a_boolean_in_older_yaml_says_so(word: str) -> None:
    with pytest.raises(ValueError, match=r"YAML 1\.2: only true and false are booleans"):
        KINDS["bool"].read(word)


@pytest.mark.parametrize(
    ("kind", "default", "judged"),
    [
        ("Number", None, True), ("Text | None", None, True), ("Numbers", None, True), ("Texts", None, True),
        ("bool", None, True), ("bool", False, False), ("int", None, False), ("str", None, False),
        ("Words", None, False), ("Regex", None, False),
    ],
)  # fmt: skip
def test_an_expectation_is_judged_and_so_is_a_flag_without_a_default(kind: str, default: Any, judged: bool) -> None:
    assert judged is is_judged(Argument("x", kind, default, {}))
