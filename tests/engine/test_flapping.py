from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.engine.flapping import is_flapping, percent_changed

RESULTS = st.text("owc", min_size=1, max_size=60)


class Nagios:
    """Nagios' description taken literally: a ring of the latest 21 states, and what it says of each new one.

    Every one of the 20 possible changes has its weight, from 0.75 to 1.25 in equal steps; the sum of those that
    happened is divided by 20. At or above 20% a service starts to flap, at or below 5% it stops.
    """

    def __init__(self, first: str) -> None:
        self.ring = [first] * 21
        self.index = 0
        self.flaps = False

    def record(self, state: str) -> float:
        self.ring[self.index] = state
        self.index = (self.index + 1) % 21
        oldest_first = [self.ring[(self.index + place) % 21] for place in range(21)]
        curved = 0.0
        for change in range(1, 21):
            if oldest_first[change] != oldest_first[change - 1]:
                curved += 0.75 + (1.25 - 0.75) * (change - 1) / 19
        percent = curved * 100 / 20
        if percent >= 20.0:
            self.flaps = True
        elif percent <= 5.0:
            self.flaps = False
        return percent


@given(RESULTS)
def test_it_is_nagios_algorithm(results: str) -> None:
    nagios, flaps = Nagios(results[0]), False
    for number in range(1, len(results) + 1):
        percent = nagios.record(results[number - 1])
        kept = results[:number][-21:]
        flaps = is_flapping(kept, was_flapping=flaps)
        assert percent == pytest.approx(percent_changed(kept))
        assert nagios.flaps == flaps


def test_the_example_of_the_manual_is_34_percent_and_not_the_31_that_it_says() -> None:
    """Its seven changes; see https://github.com/sensu/sensu-go/issues/3346 for weights the wrong way round."""
    changes = {3, 4, 5, 9, 12, 16, 19}
    results = "o"
    for place in range(1, 21):
        same = results[-1]
        results += ("c" if same == "o" else "o") if place in changes else same
    assert round(percent_changed(results)) == 34


def test_a_late_change_weighs_more_than_an_early_one() -> None:
    assert percent_changed("o" * 20 + "c") == pytest.approx(6.25)
    assert percent_changed("o" + "c" * 20) == pytest.approx(3.75)


def test_one_change_and_back_is_no_flapping() -> None:
    assert not is_flapping("o" * 19 + "co", was_flapping=False)


def test_what_flaps_goes_on_until_it_is_nearly_quiet() -> None:
    quieter = "oc" + "o" * 17
    assert [is_flapping(quieter, was_flapping=was) for was in (True, False)] == [True, False]
    assert not is_flapping("o" * 21, was_flapping=True)
