from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, judge, make, node, status_of, statuses, told

from nodecheck.checks.limits import Limits
from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN


def _limit(used: int, maximum: int, name: str = "x") -> dict[str, Any]:
    return {"name": name, "used": used, "maximum": maximum}


def _seen(**limits: Any) -> Node:
    made = node()
    made.observed.windows = {"limits": limits}
    return made


@pytest.mark.parametrize("name", Limits.arguments())
@pytest.mark.parametrize(
    ("found", "status"),
    [
        ([_limit(79, 100)], OK),
        ([_limit(80, 100)], CRITICAL),
        ([_limit(1, 100), _limit(80, 100), _limit(2, 100)], CRITICAL),
        ([_limit(5000, 2**63 - 1)], OK),
        ([_limit(200, 100)], CRITICAL),  # the limit was lowered below what is used
        ([_limit(0, 0)], CRITICAL),
        ([], OK),
    ],
)
def test_the_fullest_of_its_sort_is_judged(name: str, found: list[dict[str, Any]], status: Status) -> None:
    assert status is status_of(make("limits", **{name: "< 80%"}), _seen(**{name: found}))


def test_without_expectations_the_cheap_ones_have_to_have_room() -> None:
    full, empty = [_limit(95, 100)], [_limit(5, 100)]

    expected = {"pids": OK, "files": CRITICAL, "conntrack": OK}
    assert expected == statuses(make("limits"), _seen(pids=empty, files=full, conntrack=[]))


def test_the_message_tells_how_much_of_which_limit_is_used() -> None:
    seen = _seen(inotify_instances=[_limit(3, 128), _limit(120, 128, "fs.inotify.max_user_instances of user 0")])

    assert told(make("limits", inotify_instances="< 90%"), seen) == (
        "120 of 128 inotify instances are in use (fs.inotify.max_user_instances of user 0): 93.8%, expected < 90%"
    )


def test_where_nothing_is_tracked_that_is_said() -> None:
    assert told(make("limits", conntrack="< 90%"), _seen(conntrack=[])) == (
        "nothing limits tracked connections: nf_conntrack is not loaded, or nf_conntrack_max is 0"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("control_groups", "there are no control groups with memory"),
        ("inotify_instances", "no process uses inotify"),
        ("inotify_watches", "no process uses inotify"),
        ("pids", "there are no pids"),
    ],
)
def test_a_limit_of_which_there_is_none_is_kept(name: str, message: str) -> None:
    (finding,) = judge(make("limits", **{name: "< 90%"}), _seen(**{name: []}))

    assert (name, OK, "none", message) == (finding.property, finding.status, finding.observed, finding.message)


def test_where_none_at_all_is_allowed_all_is_used() -> None:
    (finding,) = judge(make("limits", pids="< 90%"), _seen(pids=[_limit(0, 0)]))
    assert finding.observed == "100.0%"


def test_what_only_root_may_see_is_unknown() -> None:
    assert status_of(make("limits", inotify_watches="< 90%"), _seen(inotify_watches=dark("only root"))) is UNKNOWN
