"""Changes to a record by key, and that what comes out is a record again."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from fakes import MONOTONIC, REALTIME, node, process, service

from nodecheck.engine.changes import BadChange, change
from nodecheck.node.record import Replayed, record
from nodecheck.node.recordfile import BadRecord, replay
from nodecheck.node.sockets import Listener
from nodecheck.node.unobserved import Unobserved

LISTENERS = [
    Listener("tcp", 4, "127.0.0.1", 10248, 11, queued=0, backlog=128, owners=(100,)),
    Listener("tcp", 6, "::", 10250, 12, v6only=False, owners=(100,)),
]
RECORD = record(
    node(
        units=[service("docker.service"), service("kubelet.service")],
        manager={"SystemState": "running", "failed": [], "jobs": []},
        processes=[process(100, "kubelet"), process(101, "dockerd"), process(102, "dockerd")],
        listeners=LISTENERS,
    ),
    "0.1.0",
)


def changed(**changes: Any) -> Replayed:
    """Return the node of a record that was changed; the record itself must not be."""
    before = copy.deepcopy(RECORD)
    made = replay(change(RECORD, changes), "of the test")
    assert before == RECORD
    return made


@pytest.mark.parametrize(
    ("name", "properties", "key", "value"),
    [
        ("docker.service", {"ActiveState": "failed"}, "ActiveState", "failed"),
        ("docker.service", {"ActiveState": "failed"}, "SubState", "running"),
        ("docker.service", "absent", "LoadState", "not-found"),
        ("new.service", {"LoadState": "loaded"}, "LoadState", "loaded"),
        ("new.service", {"LoadState": "loaded"}, "ActiveState", "inactive"),
        ("docker.service", {"StateChangeTimestamp": "5m ago"}, "StateChangeTimestamp", int((REALTIME - 300) * 1e6)),
        (
            "docker.service",
            {"StateChangeTimestampMonotonic": "90s ago"},
            "StateChangeTimestampMonotonic",
            int((MONOTONIC - 90) * 1e6),
        ),
        ("docker.service", {"LastTriggerUSec": "1h ago"}, "LastTriggerUSec", int((REALTIME - 3600) * 1e6)),
        ("docker.service", {"StatusText": "5m ago"}, "StatusText", "5m ago"),
        ("docker.service", {"ActiveEnterTimestampMonotonic": "1000w ago"}, "ActiveEnterTimestampMonotonic", 0),
    ],
)
def test_a_unit_is_changed_by_property(name: str, properties: Any, key: str, value: Any) -> None:
    assert changed(units={name: properties}).unit(name)[key] == value


def test_a_fact_that_is_absent_is_that_of_a_node_without_it() -> None:
    assert changed(facts={"etcd": {"form": "service"}}).facts["etcd"].value == {"form": "service"}
    assert changed(facts={"etcd": "absent"}).facts["etcd"].value is None


def test_what_is_not_changed_stays() -> None:
    made = changed(units={"docker.service": "absent"})
    assert made.unit("kubelet.service") == RECORD["units"]["kubelet.service"]
    assert len(made.process_table().processes) == 3


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("absent", []),
        ({"state": "D", "still_for": 90}, [(101, "D", 90.0), (102, "D", 90.0)]),
    ],
)
def test_processes_of_a_name_are_changed_together(fields: Any, expected: list[tuple[int, str, float]]) -> None:
    found = [p for p in changed(processes={"dockerd": fields}).process_table().processes if p.name == "dockerd"]
    assert [(process.pid, process.state, process.still_for) for process in found] == expected


def test_a_process_may_be_added() -> None:
    (found,) = [p for p in changed(processes={"nginx": {"threads": 4}}).process_table().processes if p.name == "nginx"]
    assert (found.threads, found.state, found.pid > 4_000_000) == (4, "S", True)


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("tcp/10250", "absent", []),
        ("tcp/10250", {"address": "::1"}, [("::1", (100,))]),
        ("tcp/10250", {"owners": "dockerd"}, [("::", (101, 102))]),
        ("tcp/10250", {"owners": ["kubelet", 102]}, [("::", (100, 102))]),
        ("tcp/10250", {"owners": []}, [("::", ())]),
        ("tcp/80", {}, [("0.0.0.0", None)]),
        ("tcp/80", {"family": 6, "owners": "kubelet"}, [("::", (100,))]),
        ("udp/53", {"address": "127.0.0.53"}, [("127.0.0.53", None)]),
    ],
)
def test_a_listener_is_changed_added_and_taken_away(name: str, fields: Any, expected: list[Any]) -> None:
    protocol, _, port = name.partition("/")
    found = changed(listeners={name: fields}).listeners(protocol, int(port))
    assert [(listener.address, listener.owners) for listener in found] == expected


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        ({}, ("", True)),
        ({"error": "Connection refused"}, ("Connection refused", None)),
        ({"accepted": False}, ("", False)),
    ],
)
def test_what_a_connection_comes_to_is_said_at_its_listener(connection: Any, expected: tuple[str, bool | None]) -> None:
    made = changed(listeners={"tcp/10248": {"connection": connection}})
    (listener,) = made.listeners("tcp", 10248)
    found = made.connection(listener)
    assert found is not None
    assert (found.error, found.accepted) == expected


def test_what_the_node_is_can_be_changed() -> None:
    made = changed(
        facts={"os": {"id": "ubuntu"}}, groups={"web": "", "all": "absent"}, manager={"SystemState": "degraded"}
    )
    assert (made.facts["os"].value, made.groups) == ({"id": "ubuntu"}, {"web": "the case"})
    assert made.manager()["SystemState"] == "degraded"


def test_users_and_files_can_be_told() -> None:
    made = changed(users={"etcd": 7}, files={"/run/x.pid": "100", "/run/y.pid": "absent"})
    assert (made.user_id("etcd"), made.file_text("/run/x.pid"), made.file_text("/run/y.pid")) == (7, "100", None)


@pytest.mark.parametrize(
    ("window", "look"),
    [
        ("systemd", lambda made: made.manager()),
        ("systemd", lambda made: made.unit("docker.service")),
        ("processes", lambda made: made.process_table()),
        ("sockets", lambda made: made.listeners("tcp", 10250)),
        ("sockets", lambda made: made.listeners("udp", 53)),
    ],
)
def test_a_window_may_go_dark(window: str, look: Any) -> None:
    with pytest.raises(Unobserved, match="it hangs") as raised:
        look(changed(unobserved={window: "it hangs"}))
    assert (raised.value.source, raised.value.broken) == (window, window == "systemd")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"unit": {}}, "unit"),
        ({"units": []}, "units"),
        ({"units": {"x.service": "gone"}}, "units > x.service"),
        ({"units": {"docker.service": {"StateChangeTimestamp": "soon ago"}}}, "StateChangeTimestamp"),
        ({"units": {"docker": {"ActiveState": "failed"}}}, "units > docker"),
        ({"units": {"nosuch.service": "absent"}}, "units > nosuch.service"),
        ({"units": {"docker.service": {"ActiveState": "faild"}}}, "units > docker.service > ActiveState"),
        ({"units": {"docker.service": {"LoadState": 1}}}, "units > docker.service > LoadState"),
        ({"processes": {"dokerd": "absent"}}, "processes > dokerd"),
        ({"listeners": {"tcp/1025": "absent"}}, "listeners > tcp/1025"),
        ({"listeners": {"tcp/10250": {"owners": "nobody"}}}, "owners"),
        ({"processes": {"sh": 1}}, "processes > sh"),
        ({"listeners": {"10250": {}}}, "listeners > 10250"),
        ({"listeners": {"tcp/x": {}}}, "listeners > tcp/x"),
        ({"listeners": {"tcp/10250": "gone"}}, "listeners > tcp/10250"),
        ({"listeners": {"tcp/10250": {"connection": "refused"}}}, "connection"),
        ({"unobserved": {"disk": "x"}}, "unobserved > disk"),
    ],
)
def test_a_change_that_cannot_be_made_says_where(changes: Any, where: str) -> None:
    with pytest.raises(BadChange) as raised:
        change(RECORD, changes)
    assert raised.value.args[0] == where


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"units": {"docker.service": {"ActivState": "failed"}}}, "units > docker.service"),
        ({"units": {"docker.service": {"SubState": 1}}}, "SubState"),
        ({"processes": {"kubelet": {"stat": "D"}}}, "stat"),
        ({"listeners": {"tcp/10250": {"adress": "::"}}}, "adress"),
        ({"users": {"x": "y"}}, "users"),
    ],
)
def test_a_change_that_makes_no_record_says_what_is_wrong(changes: Any, said: str) -> None:
    with pytest.raises(BadRecord, match=said):
        replay(change(RECORD, changes), "of the test")


@pytest.mark.parametrize(
    "changes",
    [
        {"listeners": {"tcp/10250": {"family": [4]}}},
        {"unobserved": {"sockets": "x"}, "listeners": {"tcp/22": {}}},
        {"unobserved": {"processes": "x"}, "processes": {"sh": {}}},
        {"unobserved": {"systemd": "x"}, "units": {"docker.service": "absent"}},
        {"processes": {"dockerd": {"name": {}}}},
        {"listeners": {"tcp/10250": {"owners": {}}}},
        {"windows": {"x": []}},
    ],
)
def test_a_change_of_an_odd_shape_is_a_bad_change(changes: Any) -> None:
    with pytest.raises(BadChange):
        change(RECORD, changes)
