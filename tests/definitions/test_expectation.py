"""What is wanted against what was seen: value, expectation, verdict."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.definitions.expectation import (
    Duration,
    Expectation,
    HeldText,
    Number,
    Percent,
    Regex,
    Size,
    SizeInTime,
    Text,
    TextOrNumber,
)

MINUTE, HOUR, DAY = 60, 3600, 86400
MIB, GIB = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("kind", "wanted", "observed", "verdict"),
    [
        (Number, 3, 3, True),
        (Number, 3, 2, False),
        (Number, "3", 3, True),
        (Number, 3.0, 3, True),
        (Number, "0.5", 0.5, True),
        (Number, "-1", -1, True),
        (Number, "< 3", 2, True),
        (Number, "< 3", 3, False),
        (Number, "<3", 2, True),
        (Number, " <  3 ", 2, True),
        (Number, "<= 3", 3, True),
        (Number, "<= 3", 4, False),
        (Number, "> 3", 4, True),
        (Number, "> 3", 3, False),
        (Number, ">= 3", 3, True),
        (Number, ">= 3", 2, False),
        (Number, "== 3", 3, True),
        (Number, "== 3", 4, False),
        (Number, "!= 3", 4, True),
        (Number, "!= 3", 3, False),
        (Number, "1..3", 0, False),
        (Number, "1..3", 1, True),
        (Number, "1..3", 3, True),
        (Number, "1..3", 4, False),
        (Number, "1 .. 3", 2, True),
        (Number, "3..3", 3, True),
        (Number, "0.5..1.5", 1, True),
        (Number, [1, 3], 3, True),
        (Number, [1, 3], 2, False),
        (Number, ["< 2", "> 5"], 1, True),
        (Number, ["< 2", "> 5"], 3, False),
        (Number, ["1..2", 7], 7, True),
        (Percent, "< 90%", 89.9, True),
        (Percent, "< 90%", 90, False),
        (Percent, "10%..80%", 10, True),
        (Percent, "10%..80%", 80.1, False),
        (Percent, "12.5%", 12.5, True),
        (Size, "< 2GiB", 2 * GIB - 1, True),
        (Size, "< 2GiB", 2 * GIB, False),
        (Size, "1 GiB", GIB, True),
        (Size, ">= 500MB", 500 * 10**6, True),
        (Size, ">= 500MB", 500 * 10**6 - 1, False),
        (Size, "500MB..1GiB", GIB, True),
        (Size, "1kB", 1000, True),
        (Size, "1KiB", 1024, True),
        (Size, "0.5KiB", 512, True),
        (Size, "< 100B", 99, True),
        (Duration, "> 10m", 10 * MINUTE, False),
        (Duration, "> 10m", 10 * MINUTE + 1, True),
        (Duration, "< 1h30m", 89 * MINUTE, True),
        (Duration, "< 1h30m", 90 * MINUTE, False),
        (Duration, "1s..1m", MINUTE, True),
        (Duration, "< 25h", DAY, True),
        (Duration, "< 500ms", 0.4, True),
        (Text, "running", "running", True),
        (Text, "running", "Running", False),
        (Text, "running", "running ", False),
        (Text, "run", "running", False),
        (Text, "== running", "running", True),
        (Text, "!= failed", "running", True),
        (Text, "!= failed", "failed", False),
        (Text, "!=failed", "failed", False),
        (Text, "/^run/", "running", True),
        (Text, "/ning$/", "running", True),
        (Text, "/un/", "running", True),
        (Text, "/^un/", "running", False),
        (Text, "/RUN/i", "running", True),
        (Text, "/RUN/", "running", False),
        (Text, "!= /^fail/", "failed", False),
        (Text, "!= /^fail/", "running", True),
        (Text, "/a.c/", "a\nc", False),
        (Text, ["running", "exited"], "exited", True),
        (Text, ["running", "exited"], "failed", False),
        (Text, ["running", "/^ex/"], "exited", True),
        (Text, "running", ("active", "running"), True),
        (Text, "failed", ("active", "running"), False),
        (Text, "!= running", ("active", "running"), False),
        (Text, "/^act/", frozenset({"active", "running"}), True),
        (Text, 7, "7", True),
        (Text, "no", "no", True),
        (Text, "0755", "0755", True),
        (HeldText, "!= D for 1m", "S", True),
        (HeldText, "!= D for 1m", "D", False),
        (HeldText, "!= zombie", "zombie", False),
        (HeldText, "sleeping", "sleeping", True),
    ],
)
def test_an_expectation_judges(kind: type[Expectation], wanted: Any, observed: Any, verdict: bool) -> None:
    assert verdict is kind(wanted).matches(observed)


@pytest.mark.parametrize(
    ("kind", "wanted", "said"),
    [
        (Number, "", "expected a number"),
        (Number, "few", "expected a number"),
        (Number, True, "expected a number.* not true"),
        (Number, None, "expected a number.* not nothing"),
        (Number, {"a": 1}, "is {all: .*} or {not: .*}, not 'a'"),
        (Number, [[1]], "expected a number.* not a list"),
        (Number, [], "an empty list expects nothing"),
        (Number, "=> 3", "expected a number"),
        (Number, "1,5", "expected a number"),
        (Number, "1e3", "this is a plain number: '1e3' has the unit e3|expected a number"),
        (Number, "inf", "expected a number"),
        (Number, float("nan"), "expected a number"),
        (Number, "3..1", "nothing lies between 3 and 1"),
        (Number, "1..", "a range has two ends"),
        (Number, "..3", "a range has two ends"),
        (Number, "..", "a range has two ends"),
        (Number, "1..2..3", "expected a number"),
        (Number, "< 1..3", "expected a number"),
        (Number, "90%", "this is a plain number: '90%' has the unit %"),
        (Number, ["!= 1", "!= 2"], "nearly everything"),
        (Number, [1, "!= 2"], "nearly everything"),
        (Percent, "< 90", 'write "< 90%"$'),
        (Percent, "<90 percent", 'write "<90%"$'),
        (Percent, 90, 'write "< 90%" or "> 90%"$'),
        (Percent, "10..80.5", 'write "10%..80.5%"$'),
        (Percent, "10..80%", 'write "10%..80%"$'),
        (Percent, {"not": "> 90"}, 'write "> 90%"$'),
        (Percent, 0.9, 'write "< 0.9%" or "> 0.9%"; 90% if it is a share'),
        (Percent, "90 percent", "this is a percentage"),
        (Size, "< 500", "'500' has no unit; known are B KiB"),
        (Size, "< 2Gi", 'did you mean "< 2GiB"\\?'),
        (Size, "< 2G", 'did you mean "< 2GB"\\?'),
        (Size, "2 gib", 'did you mean "2GiB"\\?'),
        (Size, "1Gi..2Gi", 'did you mean "1GiB..2GiB"\\?'),
        (SizeInTime, "< 2Gi in 1h", 'did you mean "< 2GiB in 1h"\\?'),
        (Size, "2 apples", "has the unit apples; known are"),
        (Duration, "> 10", "a time with its unit"),
        (Duration, 10, "a time with its unit"),
        (Duration, "-5s", "a time with its unit"),
        (Text, "", "expected a text.* not nothing"),
        (Text, None, "expected a text.* not nothing"),
        (Text, False, "expected a text.* not false"),
        (Text, "!=", "there is no text"),
        (Text, "==", "there is no text"),
        (Text, "//", "there is no text"),
        (Text, "!= //i", "there is no text"),
        (Text, "< 5", "neither more nor less"),
        (Text, "!== failed", '"!= text"'),
        (HeldText, "!== D for 1m", '"!= text"'),
        (TextOrNumber, "=== 5", "the text alone"),
        (Text, "/[a/", "not a regular expression: unterminated character set"),
        (Text, "/[[:alpha:]]/", r"\[\[:alpha:\]\] is \[A-Za-z\]"),
        (Text, ["!= a", "!= b"], "nearly everything"),
        (HeldText, "D for 1m", '"for" goes with "!="'),
        (HeldText, "!= D for 1", "a time with its unit"),
        (HeldText, "!= D for 1 minute", "a time with its unit"),
        (HeldText, "!= D for ", "there is no|a time with its unit"),
        (Regex, "(", "not a regular expression: missing \\)"),
        (Regex, "*kubelet*", "any text is \\.\\*"),
        (Regex, "", "expected a regular expression, not nothing"),
        (Regex, 5, "expected a regular expression, not 5"),
        (Regex, "a{99999999999}", "not a regular expression"),
        (Regex, "(" * 5000 + ")" * 5000, "not a regular expression"),
    ],
)
def test_what_no_expectation_can_be_is_refused(kind: type[Expectation], wanted: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kind(wanted)


@pytest.mark.parametrize(
    ("expectation", "observed", "shown"),
    [
        (Number("< 3"), 5, 5),
        (Percent("< 90%"), 93.456, "93.5%"),
        (Size("< 2GiB"), 3 * GIB, "3.0GiB"),
        (Size("< 500MB"), 2 * 10**9, "2000.0MB"),
        (Size("500MiB..2GiB"), 700 * MIB, "700.0MiB"),
        (Size(["< 1kB", "> 1MB"]), 5000, "5.0kB"),
        (Size("< 100B"), 120, "120B"),
        (Duration("> 10m"), 5.04, "5s"),
        (Duration("> 10m"), 3 * HOUR + 125, "3h 2m"),
        (Text("running"), "failed", "failed"),
    ],
)
def test_what_was_seen_is_shown_in_the_unit_of_the_author(expectation: Expectation, observed: Any, shown: Any) -> None:
    assert shown == expectation.show(observed)


@pytest.mark.parametrize(
    ("expectation", "text"),
    [
        (Number("< 3"), "< 3"),
        (Number(3), "3"),
        (Text(["running", "exited"]), "running or exited"),
        (HeldText("!= D for 1m"), "!= D for 1m"),
    ],
)
def test_an_expectation_reads_as_its_author_wrote_it(expectation: Expectation, text: str) -> None:
    assert text == str(expectation)


def test_for_says_how_long_a_state_has_to_hold() -> None:
    expected = 60.0, None
    assert expected == (HeldText("!= D for 1m").held, HeldText("!= D").held)


@pytest.mark.parametrize(
    ("source", "read"), [("^/usr/bin/kubelet ", "^/usr/bin/kubelet "), ("/^kube/", "^kube"), ("/", "/")]
)
def test_the_slashes_around_a_regular_expression_may_be_left_out(source: str, read: str) -> None:
    assert read == Regex(source)


def test_expectations_are_equal_when_type_and_source_are() -> None:
    assert {Number("1..3"), Text("a")} == {Number("1..3"), Text("a"), Text("a")}
    assert Number("3") != Text("3")


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_comparisons_agree_with_those_of_python(wanted: int, observed: int) -> None:
    found = {operator: Number(f"{operator} {wanted}").matches(observed) for operator in ("<", "<=", ">", ">=", "!=")}

    assert {
        "<": observed < wanted,
        "<=": observed <= wanted,
        ">": observed > wanted,
        ">=": observed >= wanted,
        "!=": observed != wanted,
    } == found


@given(st.integers(99, 200), st.integers(0, 99), st.integers(0, 99), st.integers(0, 500))
def test_whoever_expects_less_finds_no_more_to_be_wrong(least: int, span: int, slack: int, observed: int) -> None:
    strict, loose = f"{least}..{least + span}", f"{least - slack}..{least + span + slack}"
    assert not Number(strict).matches(observed) or Number(loose).matches(observed)
    assert not Number(strict).matches(observed) or Number([strict, "> 1000"]).matches(observed)
    assert not Number({"all": [loose, strict]}).matches(observed) or Number(strict).matches(observed)


@given(st.text(min_size=1).map(str.strip).filter(lambda text: text and text[0] not in "!=</>"))
def test_any_other_text_means_itself(text: str) -> None:
    expected = True, False
    assert expected == (Text(text).matches(text), Text(text).matches(f"{text}x"))
