from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.node.counters import Growth, Sample, growth, rise

HOUR, LONG_UP = 3600.0, 1e6


def samples(text: str, every: float = 600.0) -> list[Sample]:
    """Samples 10 minutes apart, the last one 10 minutes ago; | is a boot."""
    values = text.split()
    made, this_boot = [], True
    for number, value in enumerate(reversed(values)):
        if value == "|":
            this_boot = False
            continue
        made.append(Sample((number + 1) * every, float(value), this_boot))
    return made[::-1]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("0 0 0 0 0 0 0", 0, (0, 0)),
        ("5 5 5 5 5 5 5", 5, (0, 0)),
        ("5 5 6 6 7 7 7", 9, (4, 4)),
        ("9 9 9 9 0 0 0", 0, (0, 0)),  # it has begun anew
        ("9 9 9 9 2 2 3", 3, (3, 3)),  # what it is since then has come since then
        ("1 1 1 1 1 1 1", 0, (0, 0)),
    ],
)
def test_what_was_looked_at_all_the_time_is_known(before: str, now: float, expected: tuple[float, float]) -> None:
    assert Growth(*expected, HOUR) == growth(samples(before), now, HOUR, LONG_UP)


def test_what_nobody_saw_is_not_invented() -> None:
    assert Growth(0, 7, 0) == growth([], 7, HOUR, LONG_UP)
    assert Growth(2, 7, 1200) == growth(samples("5 6"), 7, HOUR, LONG_UP)


def test_a_counter_that_began_anew_since_somebody_looked_has_grown_by_what_it_is() -> None:
    assert Growth(1, 6, 1200) == growth(samples("5 5"), 1, HOUR, LONG_UP)


def test_since_a_boot_within_the_time_nothing_is_unknown() -> None:
    assert Growth(20, 20, HOUR) == growth([], 20, HOUR, uptime=120)
    assert Growth(3, 3, HOUR) == growth(samples("9 9 | 2"), 3, HOUR, uptime=1300)


def test_a_boot_that_is_longer_ago_begins_the_counter_anew() -> None:
    assert Growth(3, 12, 2400) == growth(samples("9 | 2 3"), 3, HOUR, uptime=1e5)


def test_what_came_before_a_time_that_nobody_looked_at_may_have_come_within_it() -> None:
    assert Growth(1, 5, HOUR) == growth([Sample(5 * HOUR, 0), Sample(600, 4)], 5, HOUR, LONG_UP)


def test_a_look_just_before_the_time_began_is_good_enough() -> None:
    assert Growth(5, 5, HOUR) == growth([Sample(HOUR + 60, 0), Sample(600, 4)], 5, HOUR, LONG_UP)


@given(
    st.lists(st.tuples(st.floats(1, 1e5), st.integers(0, 50), st.booleans()), max_size=20),
    st.integers(0, 50),
    st.floats(60, 1e5),
    st.floats(1, 1e6),
)
def test_at_least_is_never_more_than_at_most_and_nothing_is_negative(
    seen: list[tuple[float, int, bool]], value: int, within: float, uptime: float
) -> None:
    before = sorted((Sample(*each) for each in seen), reverse=True)
    grown = growth(before, value, within, uptime)
    assert 0 <= grown.least <= grown.most
    assert 0 <= grown.watched <= within


# ---- amounts that also go down


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("5 5 5 5 5 5 5", 5, (0, 0)),
        ("5 5 6 6 7 7 7", 9, (4, 4)),
        ("9 9 9 4 9 9 9", 9, (5, 5)),  # it was freed, and is used again
        ("9 9 9 9 9 9 9", 4, (0, 0)),
        ("9 9 9 | 4 6 6", 9, (5, 5)),  # a disk keeps what it has
    ],
)
def test_an_amount_has_risen_since_its_lowest(before: str, now: float, expected: tuple[float, float]) -> None:
    assert Growth(*expected, HOUR) == rise(samples(before), now, HOUR)


def test_how_an_amount_rose_before_anybody_looked_is_not_invented() -> None:
    assert Growth(0, 7, 0) == rise([], 7, HOUR)
    assert Growth(2, 7, 1200) == rise(samples("5 6"), 7, HOUR)
    assert Growth(1, 5, HOUR) == rise([Sample(5 * HOUR, 0), Sample(600, 4)], 5, HOUR)
