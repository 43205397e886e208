"""Connections: how far they get, and what that says."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import judge, make, node, status_of, statuses, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
ADDRESS = "10.0.0.1:22"
FAILED = "10.0.0.1:22 cannot be connected to"
SILENT = "nothing answers (the host is gone, a packet filter drops it, or the queue of the listener is full)"
REFUSED = "the connection is refused, nothing listens there"


def seen(*outcomes: str, address: str = ADDRESS, key: str = "", **fields: Any) -> Node:
    """Return a node on which a connection was tried, to as many addresses as there are outcomes."""
    made = node()
    tries = [
        {
            "peer": address if len(outcomes) == 1 else f"10.0.0.{number}:22",
            "outcome": outcome,
            "error": "No route to host",
        }
        for number, outcome in enumerate(outcomes, 1)
    ]
    plain = {"tries": tries, "unresolved": "", "seconds": 0.25, "banner": None, "silence": ""}
    made.observed.windows = {"tcp": {key or address: plain | fields}}
    return made


@pytest.mark.parametrize(
    ("outcomes", "is_open", "is_closed", "is_filtered"),
    [
        (["open"], OK, CRITICAL, CRITICAL),
        (["refused"], CRITICAL, OK, CRITICAL),
        (["missing"], CRITICAL, OK, CRITICAL),
        (["no socket"], CRITICAL, OK, CRITICAL),
        (["silent"], CRITICAL, UNKNOWN, OK),
        (["unreachable"], CRITICAL, UNKNOWN, OK),
        (["full"], CRITICAL, CRITICAL, CRITICAL),
        (["no route"], CRITICAL, UNKNOWN, UNKNOWN),
        (["untried", "open"], OK, CRITICAL, CRITICAL),
        (["untried", "refused"], CRITICAL, UNKNOWN, CRITICAL),
        (["refused", "open"], OK, CRITICAL, CRITICAL),
        (["refused", "refused"], CRITICAL, OK, CRITICAL),
        (["refused", "silent"], CRITICAL, UNKNOWN, CRITICAL),
        (["silent", "no route"], CRITICAL, UNKNOWN, UNKNOWN),
    ],
)
def test_how_far_a_connection_gets_is_the_state(
    outcomes: list[str], is_open: Status, is_closed: Status, is_filtered: Status
) -> None:
    found = [
        status_of(make("tcp", address=ADDRESS, state=state), seen(*outcomes))
        for state in ("open", "closed", "filtered")
    ]
    assert [is_open, is_closed, is_filtered] == found


@pytest.mark.parametrize(("state", "status"), [("open", CRITICAL), ("closed", UNKNOWN), ("filtered", UNKNOWN)])
def test_a_name_without_an_address_was_not_connected_to(state: str, status: Status) -> None:
    unresolved = seen(unresolved="Name or service not known")
    check = make("tcp", address=ADDRESS, state=state)
    assert status == status_of(check, unresolved)
    assert told(check, unresolved) == (
        "10.0.0.1:22 cannot be connected to: its name has no address (Name or service not known)"
    )


@pytest.mark.parametrize(
    ("outcomes", "state", "message"),
    [
        (["open"], "open", "10.0.0.1:22 takes connections within 0.2s"),
        (["refused", "open"], "open", "10.0.0.1:22 takes connections on 10.0.0.2:22 within 0.2s"),
        (
            ["refused"],
            "open",
            "10.0.0.1:22 cannot be connected to: the connection is refused, nothing listens there",
        ),
        (
            ["silent"],
            "open",
            f"{FAILED} within 0.2s: {SILENT}",
        ),
        (["no route"], "open", "10.0.0.1:22 cannot be connected to: No route to host"),
        (
            ["refused", "no route"],
            "open",
            f"{FAILED}: 10.0.0.1:22: {REFUSED}; 10.0.0.2:22: No route to host",
        ),
        (["open"], "closed", "10.0.0.1:22 takes connections within 0.2s, expected closed"),
        (
            ["refused"],
            "filtered",
            f"{FAILED}: {REFUSED}, expected filtered",
        ),
    ],
)
def test_the_message_says_how_far_it_got(outcomes: list[str], state: str, message: str) -> None:
    assert message == told(make("tcp", address=ADDRESS, state=state), seen(*outcomes))


@pytest.mark.parametrize(
    ("state", "outcomes", "status", "observed"),
    [
        ("open", ["refused", "open"], OK, "open"),
        ("open", ["refused", "silent"], CRITICAL, "refused, silent"),
        ("closed", ["refused", "missing"], OK, "closed"),
        ("closed", ["refused", "full"], CRITICAL, "refused, full"),
        ("filtered", ["silent", "silent"], OK, "filtered"),
        ("filtered", ["refused"], CRITICAL, "refused"),
    ],
)
def test_the_state_is_observed_or_what_each_try_came_to(
    state: str, outcomes: list[str], status: Status, observed: str
) -> None:
    (finding,) = judge(make("tcp", address=ADDRESS, state=state), seen(*outcomes))

    assert (status, observed) == (finding.status, finding.observed)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ("full", f"{FAILED} within 0.2s: its queue is full, its process does not take connections"),
        ("missing", f"{FAILED}: there is no such file"),
    ],
)
def test_why_a_socket_takes_no_connection_is_told(outcome: str, message: str) -> None:
    assert message == told(make("tcp", address=ADDRESS), seen(outcome))


def test_of_many_addresses_one_that_takes_connections_is_enough_for_the_time() -> None:
    assert statuses(make("tcp", address=ADDRESS, time="< 1s"), seen("refused", "open")) == {"state": OK, "time": OK}


KEY = f"{ADDRESS} banner"


@pytest.mark.parametrize(
    ("banner", "said", "status"),
    [
        ("/^SSH-2/", "SSH-2.0-OpenSSH_9.2p1", OK),
        ("/^SSH-2/", "220 mail ready", CRITICAL),
        ("/^SSH-2/", "", CRITICAL),
        ("/^SSH-2/", None, CRITICAL),
        ("!= x", None, CRITICAL),
    ],
)
def test_what_is_said_first_is_judged(banner: str, said: str | None, status: Status) -> None:
    spoken = seen("open", key=KEY, banner=said, silence="" if said is not None else "said nothing")
    assert status == statuses(make("tcp", address=ADDRESS, banner=banner), spoken)["banner"]


def test_silence_after_the_connection_is_told_as_such() -> None:
    quiet = seen("open", key=KEY, silence="said nothing")
    check = make("tcp", address=ADDRESS, banner="/^SSH-2/")
    assert told(check, quiet) == "10.0.0.1:22 took the connection, then said nothing, within 0.2s"


def test_where_nothing_listens_only_that_is_told() -> None:
    check = make("tcp", address=ADDRESS, banner="/^SSH-2/", time="< 1ms")
    assert [finding.property for finding in judge(check, seen("refused", key=KEY))] == ["state"]


@pytest.mark.parametrize(("time", "status"), [("< 1s", OK), ("< 100ms", CRITICAL)])
def test_the_time_is_judged(time: str, status: Status) -> None:
    assert status == statuses(make("tcp", address=ADDRESS, time=time), seen("open"))["time"]


@pytest.mark.parametrize(
    ("arguments", "mistakes"),
    [
        ({"address": "10.0.0.1:22"}, []),
        ({"address": "localhost:22"}, []),
        ({"address": "[::1]:22"}, []),
        ({"address": "unix:///run/docker.sock"}, []),
        ({"address": "::1:22"}, ["address"]),
        ({"address": "10.0.0.1"}, ["address"]),
        ({"address": ":22"}, ["address"]),
        ({"address": "[]:22"}, ["address"]),
        ({"address": "10.0.0.1:0"}, ["address"]),
        ({"address": "10.0.0.1:ssh"}, ["address"]),
        ({"address": "10.0.0.1:65536"}, ["address"]),
        ({"address": "unix://run/docker.sock"}, ["address"]),
        ({"address": f"unix:///{'x' * 108}"}, ["address"]),
        ({"address": "10.0.0.1:22", "state": "closed", "banner": "x"}, ["state"]),
        ({"address": "10.0.0.1:22", "state": "filtered", "time": "< 1s"}, ["state"]),
    ],
)
def test_what_is_wrong_together_is_a_mistake(arguments: dict[str, Any], mistakes: list[str]) -> None:
    assert mistakes == [argument for argument, _, _ in make("tcp", **arguments).mistakes()]


def test_a_path_alone_is_told_how_to_be_written() -> None:
    (mistake,) = make("tcp", address="/run/docker.sock").mistakes()
    assert mistake[2] == "write unix:///run/docker.sock"
