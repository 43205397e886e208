"""Amounts of time, in definitions and in messages."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("5min", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("2w", 1209600),
        ("250ms", 0.25),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        (" 1d 12h 30m 15s ", 131415),
        ("3 s", 3),
        ("0s", 0),
    ],
)
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert seconds == parse_duration(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "5",
        "5.5",
        "s",
        "5x",
        "5 parsecs",
        "-5s",
        "+5s",
        "5s5",
        "5s,",
        "1h and 5m",
        "5S",
        "5M",
        "\u0665s",
        "1:30",
        "inf",
    ],
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time with its unit such as 30s, 5m or 1h30m"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["1" * 100_000, "1s" * 100_000, "1 " * 100_000])
def test_a_time_of_any_length_is_refused_at_once_and_in_few_words(text: str) -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match="expected a time") as refused:
        parse_duration(text)

    assert time.process_time() - started < 0.1
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0ms"),
        (0.0004, "0ms"),
        (0.05, "50ms"),
        (0.1, "0.1s"),
        (3.21, "3.2s"),
        (3.04, "3s"),
        (10, "10s"),
        (59.6, "1m"),
        (60, "1m"),
        (61, "1m 1s"),
        (725, "12m 5s"),
        (3600, "1h"),
        (3659, "1h"),
        (10920, "3h 2m"),
        (86400, "1d"),
        (86400 * 12 + 4 * 3600 + 59 * 60, "12d 4h"),
        (86400 * 4000, "4000d"),
    ],
)
def test_a_time_is_shown_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert text == format_duration(seconds)


@given(st.floats(0.001, 10**9))
def test_a_shown_time_can_be_read_and_is_near_enough(seconds: float) -> None:
    unit = next(size for size in (3600, 60, 1, 0.1, 0.001) if seconds >= min(size * 24, 86400) or size == 0.001)

    assert seconds == pytest.approx(
        parse_duration(format_duration(seconds)), abs=max(unit, 1 if seconds >= 10 else 0.1)
    )


@given(st.integers(0, 1000), st.integers(0, 23), st.integers(0, 59))
def test_parts_of_a_time_add_up(days: int, hours: int, minutes: int) -> None:
    assert days * 86400 + hours * 3600 + minutes * 60 == parse_duration(f"{days}d{hours}h {minutes}m")
