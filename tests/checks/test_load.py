from __future__ import annotations

from typing import Any

import pytest
from fakes import make, node, status_of, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL = Status.OK, Status.CRITICAL
SEEN = {"load1": 9.5, "load5": 8.0, "load15": 4.25, "running": 7, "tasks": 427, "processors": 4}


def _seen(**changed: Any) -> Node:
    made = node()
    made.observed.windows = {"load": {"/proc/loadavg": SEEN | changed}}
    return made


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({"load1": "< 10"}, OK),
        ({"load1": "< 9.5"}, CRITICAL),
        ({"load5": "<= 8"}, OK),
        ({"load5": "< 8"}, CRITICAL),
        ({"load15": 4.25}, OK),
        ({"load15": "> 5"}, CRITICAL),
        ({"per_core": "<= 2"}, OK),
        ({"per_core": "< 2"}, CRITICAL),
        ({"running": "< 8"}, OK),
        ({"running": "< 7"}, CRITICAL),
        ({"tasks": "< 1000"}, OK),
        ({"tasks": "< 400"}, CRITICAL),
        ({"load1": "< 10", "tasks": "< 400"}, CRITICAL),
    ],
)
def test_each_property_is_judged_where_it_is_expected(arguments: dict[str, Any], status: Status) -> None:
    assert status is status_of(make("load", **arguments), _seen())


def test_the_load_is_shared_among_the_processors_that_are_online() -> None:
    expected = "load of the last 5 minutes for each of 2 processors of this host is 4.0, expected < 4"

    assert expected == told(make("load", per_core="< 4"), _seen(processors=2))


def test_without_any_expectation_it_is_a_mistake() -> None:
    assert [argument for argument, _, _ in make("load").mistakes()] == ["per_core"]
    assert list(make("load", load1="< 3").mistakes()) == []
