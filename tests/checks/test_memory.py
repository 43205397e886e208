from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, judge, make, node, status_of, told

from nodecheck.node.counters import Sample
from nodecheck.node.node import CounterWant, Node
from nodecheck.node.windows.memory import MemoryWant
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
        # A hypervisor: all but 16GiB is set apart as huge pages.
        ({"available_share": "> 49%"}, {"total": 512 * GIB, "hugetlb": 496 * GIB}, OK),
        ({"available_share": "> 51%"}, {"total": 512 * GIB, "hugetlb": 496 * GIB}, CRITICAL),
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "available memory of this host is 8192.0MiB"),
        ({"available_share": "> 5%"}, "share of memory that is available of this host is 50.0%"),
        ({"total": "> 1GiB"}, "memory of this host is 16.0GiB"),
        ({"swap_used": "< 2GiB"}, "swap in use of this host is 1.0GiB"),
        ({"hugepages": 512}, "number of huge pages of this host is 512"),
        ({"hugepages_free": 100}, "number of free huge pages of this host is 100"),
        ({"oom_kills": 3}, "number of OOM kills since boot of this host is 3"),
    ],
)
def test_each_property_is_a_finding_with_its_words(arguments: dict[str, Any], message: str) -> None:
    (finding,) = judge(make("memory", **arguments), _seen())

    assert (next(iter(arguments), "available"), message) == (finding.property, finding.message)


def test_where_there_is_no_memory_none_of_it_is_available() -> None:
    (finding,) = judge(make("memory", available_share="> 5%"), _seen(total=0, available=0))

    assert finding.observed == "0.0%"


@pytest.mark.parametrize(
    ("before", "status", "message"),
    [
        ([(3600, 3), (60, 3)], OK, "number of OOM kills of this host in 1h is 0"),
        ([(3600, 1), (60, 1)], CRITICAL, "number of OOM kills of this host in 1h is 2, expected < 1 in 1h"),
        ([], UNKNOWN, "number of OOM kills of this host in 1h could be 0 to 3: it was not looked at before"),
    ],
)
def test_oom_kills_within_a_time_are_judged_by_what_is_remembered(
    before: list[tuple[float, int]], status: Status, message: str
) -> None:
    check, seen = make("memory", oom_kills="< 1 in 1h"), _seen()
    seen.observed.counters = {"OOM kills": [Sample(*sample) for sample in before]}
    (finding,) = judge(check, seen)

    assert ("oom_kills", status, message) == (finding.property, finding.status, finding.message)


def test_oom_kills_that_the_kernel_does_not_count_are_unknown_within_a_time_too() -> None:
    check = make("memory", oom_kills="< 1 in 1h")

    assert [finding.status for finding in judge(check, _seen(oom_kills=None))] == [UNKNOWN]
    assert list(check.counters(_seen(oom_kills=None))) == []


def test_oom_kills_are_remembered_only_where_those_within_a_time_are_wanted() -> None:
    counter = CounterWant("OOM kills", 3600.0)

    assert [(counter, 3)] == list(make("memory", oom_kills="< 1 in 1h").counters(_seen()))
    assert [MemoryWant(), counter] == list(make("memory", oom_kills="< 1 in 1h").wants())
    for arguments in ({}, {"oom_kills": "< 9"}):
        assert list(make("memory", **arguments).counters(_seen())) == []
        assert [MemoryWant()] == list(make("memory", **arguments).wants())


def test_within_a_container_it_is_said_that_the_numbers_are_those_of_the_host() -> None:
    expected = "available memory of this host, of which the container here may use 2048MiB, is 8.0GiB"

    assert expected == told(make("memory", available="> 1GiB"), _seen(limit=2 * GIB))


def test_a_memory_that_could_not_be_seen_is_unknown() -> None:
    seen = node()
    seen.observed.windows = {"memory": {"/proc/meminfo": dark()}}

    assert [finding.status for finding in judge(make("memory"), seen)] == [UNKNOWN]
