"""What was seen is shown in the unit of what was expected, so that a person sees the difference at once."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.definitions.expectation import CountInTime, Duration, Number, Percent, Quantity, Size

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86400, 604800
GIB = 1 << 30


@pytest.mark.parametrize(
    ("expectation", "observed", "shown"),
    [
        (Number("< 3"), 3, 3),
        (Number("< 3"), 3.14159, 3.14),
        (Number("<= 3"), 3.0004, 3.0004),
        (Number("<= 3"), 3.0000000000000004, 3.0000000000000004),
        (Number("< 3"), 3.0, 3.0),
        (Number("< 1"), 2**63, 2**63),
        (Number("> 1"), 1e-7, 1e-7),
        (Number("> 1"), float("inf"), "inf"),
        (Percent("< 90%"), 93.456, "93.5%"),
        (Percent("< 90%"), 90, "90.0%"),
        (Percent("> 1%"), 0.04, "0.04%"),
        (Percent("> 1%"), 0, "0.0%"),
        (Percent("< 90%"), 89.96, "89.96%"),
        (Percent("<= 90%"), 90.04, "90.04%"),
        (Percent("<= 90%"), 90.00000000000001, "90.00000000000001%"),
        (Percent("< 90%"), float("nan"), "nan"),
        (Percent({"not": ["> 50%", "< 10%"]}), 50.01, "50.01%"),
        (Percent("<= 0.00000000000000000001%"), 3e-20, "0.00000000000000000003%"),
        (Duration("<= 0.00000000000000000001s"), 3e-20, "0.00000000000000000003s"),
        (Size("<= 2GiB"), 2 * GIB + 1, "2.000000001GiB"),
        (Size("< 2GiB"), 2 * GIB - 1, "1.999999999GiB"),
        (Size("< 2GiB"), 2 * GIB, "2.0GiB"),
        (Size("< 2GiB"), 3 * GIB, "3.0GiB"),
        (Size("> 2GiB"), 5_000_000, "0.005GiB"),
        (Size("> 2GiB"), 0, "0.0GiB"),
        (Size("<= 8PiB"), (8 << 50) + 1, "9007199254740993B"),
        (Size("<= 500MB"), 500_000_001, "500.000001MB"),
        (Size("<= 100B"), 101, "101B"),
        (Size({"all": ["> 1MiB", "< 2GiB"]}), 3 * GIB, "3.0GiB"),
        (Size({"not": ["> 1GiB", "< 100MiB"]}), 5 << 20, "5.0MiB"),
        (Size({"not": ["> 1GiB", "< 100MiB"]}), 5 << 30, "5.0GiB"),
        (Size("500MB..2GiB"), 700 << 20, "734.0MB"),
        (Duration("< 90s"), 89.99, "89.99s"),
        (Duration("<= 90s"), 90.04, "90.04s"),
        (Duration("< 60s"), 60, "60s"),
        (Duration("< 90s"), 90 * MINUTE, "5400s"),
        (Duration("< 500ms"), 3.2, "3200ms"),
        (Duration("<= 500ms"), 0.5001, "500.1ms"),
        (Duration("< 25h"), 2 * DAY, "48h"),
        (Duration("< 1h30m"), 26 * HOUR + 125, "26h 2m"),
        (Duration("< 10m"), 3 * HOUR + 125, "182m 5s"),
        (Duration("<= 1h"), HOUR + 5, "1h 5s"),
        (Duration("<= 1m"), MINUTE + 0.25, "1m 0.2s"),
        (Duration("< 2w"), 20 * DAY, "2w 6d"),
        (Duration("> 1w"), 3 * DAY + 4 * HOUR, "3d 4h"),
        (Duration("> 10m"), 5.04, "5s"),
        (Duration("> 1m"), 0.02, "20ms"),
        (Duration("> 1m"), 0.0004, "0.0004s"),
        (Duration("> 1m"), 0.0, "0ms"),
        (Duration("> 5min"), 130, "2m 10s"),
        # As wanted: in its own largest units, for there is nothing to compare.
        (Duration("> 10m"), 40 * DAY, "40d"),
        (Duration("> 90s"), 3 * HOUR + 125, "3h 2m"),
        (Duration("> 1m"), 60.001, "1m 0.001s"),
        (Duration("> 1h"), -5, "-5s"),  # a clock was set back
        (Duration("> 1h"), -90 * MINUTE, "-1h 30m"),
    ],
)
def test_what_was_seen_is_shown_so_that_it_can_be_compared(expectation: Quantity, observed: Any, shown: Any) -> None:
    assert str(shown) == str(expectation.show(observed))


AMOUNTS = st.decimals(0, 10_000, places=3) | st.integers(0, 10_000) | st.sampled_from([1, 2, 60, 90, 1024])
UNITS = {
    Number: [""],
    Percent: ["%"],
    Size: ["B", "KiB", "GiB", "PiB", "kB", "MB"],
    Duration: ["ms", "s", "m", "h", "w"],
}


@st.composite
def expectations(draw: st.DrawFn) -> Quantity:
    kind = draw(st.sampled_from([Number, Percent, Size, Duration]))
    operand = st.builds("{}{}".format, AMOUNTS, st.sampled_from(UNITS[kind]))
    compared = st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">=", "=="]), operand)
    source = draw(
        compared | st.lists(compared, min_size=1, max_size=3) | st.builds(lambda item: {"not": item}, operand)
    )
    return kind(source)


@given(expectations(), st.data())
def test_what_is_shown_is_judged_as_what_was_seen_however_near_to_a_bound(
    expectation: Quantity, data: st.DataObject
) -> None:
    bound = data.draw(st.sampled_from(expectation._bounds))
    beside = [math.nextafter(bound, math.inf), math.nextafter(bound, 0)] if bound else [1e-9]
    near = st.sampled_from([bound, round(bound) + 1, *beside])
    relative = st.floats(-0.01, 0.01).map(lambda part: bound * (1 + part))
    observed = data.draw(near | relative | st.floats(1e-9, 1e13) | st.integers(0, 1 << 60))

    shown = expectation.show(observed)

    value = shown if isinstance(expectation, Number) else expectation.convert(shown)
    assert expectation.matches(observed) is expectation.matches(value)
    assert [other == observed for other in expectation._bounds] == [other == value for other in expectation._bounds]


def test_whole_numbers_are_compared_exactly() -> None:
    """As a float, 18446744073709551615 is another number."""
    expected = True, False, True
    assert expected == (
        Number(2**64 - 1).matches(2**64 - 1),
        Number("< 18446744073709551615").matches(2**64 - 1),
        Size("> 9007199254740992B").matches(2**53 + 1),
    )


@pytest.mark.parametrize("kind", [Number, Percent, Size, Duration])
@pytest.mark.parametrize("unit", ["", "%", "PiB", "w"])
def test_a_number_too_long_for_any_property_is_refused(kind: type[Quantity], unit: str) -> None:
    with pytest.raises(ValueError, match=r"9\.\.\. is too long"):
        kind("< " + "9" * 400 + unit)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("< 90%", []),
        ("1%", []),
        ("0%..90%", []),
        ("< 0.9%", ["0.9% is less than one in a hundred; if 0.9 is a share, write 90%"]),
    ],
)
def test_a_share_written_as_a_percentage_is_suspicious(wanted: str, said: list[str]) -> None:
    assert said == list(Percent(wanted).suspicions())


@pytest.mark.parametrize(
    ("unit", "size"),
    [
        ("B", 1), ("KiB", 2**10), ("MiB", 2**20), ("GiB", 2**30), ("TiB", 2**40), ("PiB", 2**50),
        ("kB", 10**3), ("MB", 10**6), ("GB", 10**9), ("TB", 10**12), ("PB", 10**15),
    ],
)  # fmt: skip
def test_a_unit_of_sizes_is_of_so_many_bytes(unit: str, size: int) -> None:
    wanted = Size(f"2{unit}")

    assert [wanted.matches(observed) for observed in (2 * size, 2 * size - 1, 2 * size + 1)] == [True, False, False]


def test_the_shortest_time_within_which_something_is_counted_is_a_minute() -> None:
    assert CountInTime("< 3 in 60s").within == 60
    with pytest.raises(ValueError, match="too short a time"):
        CountInTime("< 3 in 59s")
