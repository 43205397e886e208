from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, judge, make, node, status_of, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
GIB = 1 << 30
WELL: dict[str, Any] = {
    "total": 16 * GIB, "available": 8 * GIB, "swap_total": 2 * GIB, "swap_free": GIB, "hugepages": 512,
    "hugepages_free": 100, "oom_kills": 3, "limit": None,
}  # fmt: skip


def _seen(**changed: Any) -> Node:
    made = node()
    made.observed.windows = {"memory": {"/proc/meminfo": WELL | changed}}
    return made


@pytest.mark.parametrize(
    ("arguments", "changed", "status"),
    [
        ({}, {}, OK),
        ({}, {"available": 100 << 20}, OK),
        ({}, {"available": (100 << 20) - 1}, CRITICAL),
        ({}, {"available": None}, UNKNOWN),
        ({"total": ">= 8GiB"}, {"available": 0}, OK),  # what is expected is judged, and nothing else
        ({"available": "> 4GiB"}, {}, OK),
        ({"available": "> 8GiB"}, {}, CRITICAL),
        ({"available_share": ">= 50%"}, {}, OK),
        ({"available_share": "> 50%"}, {}, CRITICAL),
        ({"available_share": "> 5%"}, {"available": None}, UNKNOWN),
        ({"available_share": "> 5%"}, {"total": 0, "available": 0}, CRITICAL),
        ({"total": "16GiB"}, {}, OK),
        ({"total": "> 16GiB"}, {}, CRITICAL),
        ({"swap_used": "<= 1GiB"}, {}, OK),
        ({"swap_used": "0B"}, {}, CRITICAL),
        ({"swap_used": "0B"}, {"swap_total": 0, "swap_free": 0}, OK),
        ({"hugepages": 512, "hugepages_free": ">= 100"}, {}, OK),
        ({"hugepages_free": "> 100"}, {}, CRITICAL),
        ({"hugepages": 0}, {"hugepages": None}, UNKNOWN),
        ({"oom_kills": 0}, {}, CRITICAL),
        ({"oom_kills": 0}, {"oom_kills": 0}, OK),
        ({"oom_kills": 0}, {"oom_kills": None}, UNKNOWN),
    ],
)
def test_each_property_is_judged_where_it_is_expected(
    arguments: dict[str, Any], changed: dict[str, Any], status: Status
) -> None:
    assert status is status_of(make("memory", **arguments), _seen(**changed))


def test_the_message_tells_what_is_left_and_what_is_wanted() -> None:
    check = make("memory", available="> 500MiB", available_share="> 5%")

    assert told(check, _seen(available=200 << 20)) == (
        "available memory of this host is 200.0MiB, expected > 500MiB; "
        "share of memory that is available of this host is 1.2%, expected > 5%"
    )


def test_within_a_container_it_is_said_that_the_numbers_are_those_of_the_host() -> None:
    expected = "available memory of this host, of which the container here may use 2048MiB, is 8.0GiB"

    assert expected == told(make("memory", available="> 1GiB"), _seen(limit=2 * GIB))


def test_a_memory_that_could_not_be_seen_is_unknown() -> None:
    seen = node()
    seen.observed.windows = {"memory": {"/proc/meminfo": dark()}}

    assert [finding.status for finding in judge(make("memory"), seen)] == [UNKNOWN]
