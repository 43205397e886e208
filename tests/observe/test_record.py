"""A node as a file, and back: nothing is lost, what is broken is said, and what was not recorded is unknown."""

import json
import os
import pathlib
import socket
from typing import Any

import fakes
import pytest
from fakes import dark, make, node, process, service, status_of, told
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodecheck import checks
from nodecheck.definitions.sources import read_definition_text
from nodecheck.engine.clock import Clock
from nodecheck.engine.plan import Selection, make_plan
from nodecheck.engine.run import run
from nodecheck.node import units
from nodecheck.node.counters import Sample
from nodecheck.node.facts import Fact
from nodecheck.node.node import Node, UnitWant
from nodecheck.node.observations import Observations
from nodecheck.node.processes import Process, ProcessTable
from nodecheck.node.record import Replayed, record
from nodecheck.node.recordfile import PROPERTIES, BadRecord, read, replay
from nodecheck.node.sockets import Connection, Listener
from nodecheck.node.survey import LEFT_OUT
from nodecheck.node.unobserved import MASK, Unobserved
from nodecheck.report import json as json_report
from nodecheck.report import text as text_report
from nodecheck.report.result import Status
from nodecheck.report.style import Style

# ---- a node, generated

WORDS = st.text("abcdefäß .-@/0", max_size=12)
WHOLE = st.integers(0, 2**64 - 1)
SECONDS = st.floats(0, 1e9)
DARK = st.builds(Unobserved, WORDS, WORDS, remedy=WORDS, broken=st.booleans())
BY_PROPERTY: dict[str, Any] = {
    "Names": st.lists(WORDS, max_size=2), "TriggeredBy": st.lists(WORDS, max_size=2),
    "LoadError": st.lists(WORDS, min_size=2, max_size=2),
    "Listen": st.lists(st.lists(WORDS, min_size=2, max_size=2), max_size=2), "NeedDaemonReload": st.booleans(),
    "RemainAfterExit": st.booleans(), "ConditionResult": st.booleans(), "NRestarts": WHOLE, "MainPID": WHOLE,
    "StateChangeTimestamp": WHOLE, "ActiveEnterTimestampMonotonic": WHOLE, "StatusText": WORDS, "Type": WORDS,
    "UnitFileState": st.sampled_from(["enabled", "disabled", ""]), "MemoryCurrent": WHOLE,
}  # fmt: skip
STATE: dict[str, Any] = {
    "Id": WORDS,
    "LoadState": st.sampled_from(["loaded", "masked", "not-found", "odd"]),
    "ActiveState": st.sampled_from(["active", "inactive", "failed", "activating", "deactivating", "odd"]),
    "SubState": st.sampled_from(["running", "dead", "auto-restart"]),
}
TRIGGER = st.fixed_dictionaries(STATE, optional={"Listen": BY_PROPERTY["Listen"]})
UNIT = st.fixed_dictionaries(STATE, optional=BY_PROPERTY | {"Triggers": st.dictionaries(WORDS, TRIGGER, max_size=2)})
PROCESS = st.builds(
    Process, pid=WHOLE, name=WORDS, state=st.sampled_from("RSDZTtI"), parent=WHOLE, threads=WHOLE, started=SECONDS,
    uid=st.none() | WHOLE, exe=st.none() | WORDS, cmdline=st.none() | WORDS, unit=st.none() | WORDS,
    still_for=st.none() | SECONDS, resident=st.none() | WHOLE, cpu=st.none() | SECONDS, open_files=st.none() | WHOLE,
)  # fmt: skip
LISTENER = st.builds(
    Listener, protocol=st.sampled_from(["tcp", "udp"]), family=st.sampled_from([4, 6]),
    address=st.ip_addresses().map(str), port=st.sampled_from([22, 80, 10250]), inode=WHOLE,
    v6only=st.none() | st.booleans(), queued=WHOLE, backlog=st.none() | WHOLE,
    owners=st.none() | st.lists(WHOLE, max_size=2).map(tuple), interface=WHOLE,
)  # fmt: skip
CONNECTION = st.builds(Connection, error=WORDS, seconds=SECONDS, accepted=st.none() | st.booleans())
MANAGER = st.fixed_dictionaries(
    {"failed": st.lists(WORDS, max_size=2), "jobs": st.lists(st.lists(WORDS, min_size=3, max_size=3), max_size=2)},
    optional={"SystemState": WORDS, "Version": WORDS, "NJobs": WHOLE},
)
OBSERVED = st.builds(
    Observations,
    units=st.dictionaries(st.sampled_from(["system", "user"]), DARK | st.dictionaries(WORDS, UNIT, max_size=3)),
    refused=st.just({}),
    manager=st.none() | DARK | MANAGER,
    processes=st.none() | DARK | st.builds(ProcessTable, st.lists(PROCESS, max_size=3), st.booleans(), SECONDS),
    listeners=st.dictionaries(st.sampled_from(["tcp", "udp"]), DARK | st.lists(LISTENER, max_size=3)),
    connections=st.dictionaries(WHOLE, CONNECTION | DARK, max_size=2),
    users=st.dictionaries(WORDS, st.none() | WHOLE | DARK, max_size=2),
    files=st.dictionaries(WORDS, st.none() | WORDS | DARK, max_size=2),
    counters=st.dictionaries(WORDS, st.lists(st.builds(Sample, SECONDS, SECONDS, st.booleans()), max_size=3)),
    clocks=st.fixed_dictionaries(dict.fromkeys(("monotonic", "realtime", "boottime"), SECONDS)),
)


def built(observed: Observations, problems: list[str] | None = None) -> Replayed:
    facts = {name: Fact(name, "made up") for name in ("hostname", "machine_id", "boot_id")}
    made = Replayed(facts=facts, groups={"all": "every node"}, observed=observed, source="generated")
    made.problems += problems or []
    return made


NODES = st.builds(built, OBSERVED, st.lists(WORDS, max_size=2))


def again(node: Node) -> Replayed:
    """Return the node that a file of it gives."""
    return replay(json.loads(json.dumps(record(node, "0"))), "file")


def parts(node: Node) -> tuple[Any, ...]:
    """Return all that makes a node."""
    observed = node.observed
    observed.refused = {scope: observed.refused.get(scope, {}) for scope in observed.units}
    # What another version did not know is told of a record, and is not in it.
    told = {name: fact for name, fact in node.facts.items() if fact.source != "the record"}
    return (told, node.groups, node.problems, vars(observed), node.recorded_at)


bounded = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@given(NODES)
@bounded
def test_a_node_that_is_recorded_and_replayed_is_the_same_node(seen: Replayed) -> None:
    assert parts(seen) == parts(again(seen))


# ---- whatever a file holds

CHECKS = """
- hosts: all
  checks:
    - {name: s, system: {uptime: "> 1h", failed: 0, jobs: 0}}
    - {name: t, system: {}}
    - name: u
      unit: {name: x.service, enabled: true, restarts: "< 3 in 1h", uptime: "> 1s", memory: "< 1GiB", tasks: "< 9",
             result: success, main_process: dockerd, reload_needed: false}
    - {name: v, unit: {name: x.timer, last_trigger: "< 1h", scope: user}}
    - {name: p, process: {name: dockerd, cmdline: a, user: bob, pidfile: /run/x.pid, unit: x.service, main: true}}
    - name: q
      process: {name: dockerd, memory: "< 1GiB", cpu: "< 9%", open_files: "< 9", age: "> 1s", state: "!= D for 1m"}
    - {name: o, port: {port: 22, process: dockerd, unit: x.service, address: loopback, connect: true}}
    - {name: f, port: {port: 22, state: free, address: 0.0.0.0}}
    - {name: d, port: {port: 22, protocol: udp, address: everywhere}}
"""
WELL = pathlib.Path(__file__).parents[1] / "checks" / "well"
DEFINITIONS = read_definition_text("checks.yaml", CHECKS, {})
FULL = node(
    units=[service("x.service", Names=["x.service"], LoadError=["", ""], Listen=[["Stream", "[::]:22"]]),
           service("x.timer", LastTriggerUSec=5)],
    manager={"SystemState": "running", "Version": "252", "NJobs": 0, "failed": [], "jobs": []},
    processes=[process(cmdline="a", resident=1, cpu=0.5, open_files=3)],
    listeners=[Listener("tcp", 4, "0.0.0.0", 22, 1, owners=(100,)), Listener("udp", 6, "::", 22, 2, v6only=True)],
    connections={1: Connection("", 0.001, accepted=True)},
    users={"bob": None}, files={"/run/x.pid": "100"},
)  # fmt: skip
FULL.observed.counters = {"restarts of x.service": [Sample(60.0, 1.0, this_boot=True)]}
WHOLE_RECORD = record(FULL, "0.1.0")
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from([0, 2**64, -1, 1e308, "active", "unobserved", "::1", "Stream"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("unobserved"), inner, max_size=3)
    ),
    max_leaves=5,
)


def judged(seen: Replayed) -> Status:
    """Judge all types of checks and show the report in all ways; whatever fails here fails for a user."""
    seen.observe([], 0, None)
    report = run(make_plan(DEFINITIONS.plays, {"all"}, Selection()), DEFINITIONS, seen, Clock(0, 30), None)
    assert text_report.render(report, Style())
    assert json_report.render(report, Style())
    return report.status


def places(data: Any) -> list[tuple[Any, Any]]:
    """Return (container, key) of all values in plain data."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [place for key, value in items for place in [(data, key), *places(value)]]


def judged_or_refused(data: Any) -> str:
    """Return what became of a record; any exception but BadRecord is a failure."""
    try:
        return judged(replay(data, "x.json"))
    except BadRecord as error:
        return error.hint


@given(JSON_VALUES)
@bounded
def test_any_value_is_a_record_or_said_to_be_none(value: Any) -> None:
    with pytest.raises(BadRecord, match=r"x\.json"):
        replay(value, "x.json")


@given(st.integers(0, len(places(WHOLE_RECORD)) - 1), JSON_VALUES, st.booleans())
@settings(bounded, max_examples=600)
def test_a_record_with_any_value_in_any_place_is_judged_or_refused(at: int, value: Any, drop: bool) -> None:
    data = json.loads(json.dumps(WHOLE_RECORD))
    container, key = places(data)[at]
    if drop:
        del container[key]
    else:
        container[key] = value
    assert judged_or_refused(data)


@given(NODES)
@settings(bounded, max_examples=200)
def test_any_node_that_can_be_recorded_can_be_judged(seen: Replayed) -> None:
    assert judged(again(seen)) in Status


def test_the_whole_record_is_judged_without_a_gap() -> None:
    seen = replay(json.loads(json.dumps(WHOLE_RECORD)), "x.json")
    dark_ones = [name for name in vars(seen.observed) if not getattr(seen.observed, name)]
    assert dark_ones == ["windows"]  # these have their own tests


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            ["schema"],
            "nodecheck.record/2",
            "has the schema nodecheck.record/2, and this nodecheck reads nodecheck.record/1",
        ),
        (["schema"], "nodecheck.report/1", "is no record of nodecheck: its schema is 'nodecheck.report/1'"),
        (["schema"], None, "is no record of nodecheck: it names no schema"),
        (
            ["units", "x.service", "MainPID"],
            "7",
            "units > x.service > MainPID: expected a whole number, not below zero",
        ),
        (
            ["units", "x.service", "ActiveStat"],
            "failed",
            "units > x.service: there is nothing called 'ActiveStat' here",
        ),
        (["units", "x.service", "TriggeredBy"], [1], "units > x.service > TriggeredBy[0]: expected a text, not 1"),
        (["processes", "table", 0, "state"], "sleeping", "processes > table[0] > state: expected one letter"),
        (["listeners", "tcp", 0, "address"], "host", "listeners > tcp[0] > address: 'host' is no IP address"),
        (["connections", "x"], {"error": "", "seconds": 1, "accepted": True}, "'x' is no inode"),
        (["clocks", "realtime"], 1e18, "clocks > realtime: expected a time in seconds"),
        (["facts", "hostname", "value"], 7, "facts > hostname > value: expected a text, not 7"),
        (["facts", "etcd"], {"value": "none", "source": ""}, "facts > etcd > value: expected a mapping, not 'none'"),
        (["manager"], {"unobserved": {"reason": "x"}}, "manager > unobserved: 'source' is missing"),
        (["moods"], [], "there is nothing called 'moods' here; known: agent, clocks,"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(path: list[Any], value: Any, said: str) -> None:
    data = json.loads(json.dumps(WHOLE_RECORD))
    container = data
    for key in path[:-1]:
        container = container[key]
    container[path[-1]] = value
    with pytest.raises(BadRecord) as caught:
        replay(data, "x.json")
    assert said in str(caught.value)
    assert caught.value.hint


# ---- files that are none


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON: Expecting value at line 1, column 1"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not UTF-8: byte 0xff at offset 0"),
        (b"[" * 100_000, "is no plain JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is no plain JSON"),
        (b'{"a": NaN}', "is no plain JSON: NaN is no number"),
        (b'{"a": Infinity}', "Infinity is no number"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "the key 'b' stands twice in one mapping"),
        (b"[1]", "is no record of nodecheck: it holds a list"),
        (b"null", "is no record of nodecheck: it holds null"),
        (b"- name: x\n", "is not JSON"),
    ],
)
def test_a_file_that_is_no_record_is_said_to_be_none(content: bytes, said: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "node.json").write_bytes(content)
    with pytest.raises(BadRecord) as caught:
        read(str(tmp_path / "node.json"))
    assert said in str(caught.value)


def _fifo(path: pathlib.Path) -> None:
    os.mkfifo(path)


def _socket(path: pathlib.Path) -> None:
    socket.socket(socket.AF_UNIX).bind(str(path))


def _huge(path: pathlib.Path) -> None:
    path.touch()
    os.truncate(path, 100 << 20)


@pytest.mark.parametrize(
    ("make_file", "said"),
    [
        (_fifo, "it is not a regular file"),
        (_socket, "it is not a regular file"),
        (pathlib.Path.mkdir, "it is a directory"),
        (_huge, "it is larger than 64 MiB"),
        (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
        (lambda _: None, "No such file or directory"),
    ],
)
def test_a_path_that_is_no_file_is_not_waited_for(make_file: Any, said: str, tmp_path: pathlib.Path) -> None:
    make_file(tmp_path / "x")
    with pytest.raises(BadRecord, match=f"x cannot be read: {said}"):
        read(str(tmp_path / "x"))


def test_a_number_without_an_end_is_none() -> None:
    data = WHOLE_RECORD | {"facts": WHOLE_RECORD["facts"] | {"x": {"value": json.loads("1e999"), "source": ""}}}
    with pytest.raises(BadRecord, match="facts > x > value: expected a number"):
        replay(data, "x.json")


# ---- what was not recorded


@pytest.mark.parametrize(
    ("type_name", "arguments", "what"),
    [
        ("system", {}, "systemd itself"),
        ("unit", {"name": "x.service"}, "the unit x.service"),
        ("process", {"name": "x"}, "processes"),
        ("port", {"port": 22}, "tcp sockets"),
    ],
)
def test_what_a_record_does_not_hold_is_unknown_and_says_so(
    type_name: str, arguments: dict[str, Any], what: str
) -> None:
    check, seen = make(type_name, **arguments), again(node())
    assert (status_of(check, seen), told(check, seen)) == (
        Status.UNKNOWN,
        f"the record file says nothing of {what}",
    )


def test_a_unit_a_user_and_a_file_beside_those_recorded_are_unknown() -> None:
    seen = again(node(units=[service("y.service")], processes=[process()], users={"amy": 1}, files={"/run/y": "1"}))
    assert told(make("unit", name="x.service"), seen) == "the record file says nothing of the unit x.service"
    assert told(make("process", user="bob"), seen) == "the record file says nothing of the user bob"
    assert told(make("process", pidfile="/run/x"), seen) == "the record file says nothing of the file /run/x"


def test_a_unit_answers_under_each_of_its_names() -> None:
    seen = again(node(units=[service("ssh.service", Names=["ssh.service", "sshd.service"])]))
    assert (seen.unit("sshd.service")["Id"], status_of(make("unit", name="sshd.service"), seen)) == (
        "ssh.service",
        Status.OK,
    )


def test_a_failed_unit_that_no_check_wants_makes_the_system_degraded_though_it_is_recorded() -> None:
    """A record holds all units; those count as judged that this run judges."""
    failed = service("z.service", ActiveState="failed", SubState="failed")
    manager = {"SystemState": "degraded", "Version": "252", "NJobs": 0, "failed": ["z.service"], "jobs": []}
    seen = again(node(units=[failed], manager=manager))
    assert status_of(make("system"), seen) is Status.WARNING
    seen.observe([UnitWant("z.service", judged=True)], 0, None)
    assert status_of(make("system"), seen) is Status.OK


def test_ages_are_those_at_the_time_of_the_record() -> None:
    seen = again(node(units=[service()], processes=[process()], manager=dark()))
    assert (seen.uptime(), seen.recorded_at) == (fakes.UPTIME, fakes.REALTIME)
    assert told(make("unit", name="x.service", uptime="< 2h"), seen).endswith("uptime of x.service is 1h")


# ---- secrets


def test_secrets_are_masked_wherever_somebody_speaks() -> None:
    seen = node(
        units=[
            service(StatusText="token=abc", Description="--password x", Triggers={"x": {"Description": "token=abc"}}),
        ],
        processes=[process(cmdline="dockerd --token=abc")],
        files={"/run/x": "PASSWORD=abc"},
    )
    text = json.dumps(record(seen, "0"))
    assert ("abc" in text, text.count(MASK)) == (False, 8)  # the unit stands there for two scopes


@pytest.mark.parametrize(
    ("pattern", "status"),
    [("--token=abc", Status.UNKNOWN), ("dockerd", Status.OK), ("kubelet", Status.UNKNOWN)],
)
def test_a_check_that_may_look_for_what_was_masked_is_unknown(pattern: str, status: Status) -> None:
    seen = again(node(processes=[process(cmdline="dockerd --token=abc"), process(7, "init", cmdline="init")]))
    assert status_of(make("process", cmdline=pattern), seen) is status


def test_what_was_not_masked_is_known_not_to_run() -> None:
    seen = again(node(processes=[process(cmdline="dockerd"), process(7, "init", cmdline="init")]))
    assert status_of(make("process", cmdline="kubelet"), seen) is Status.CRITICAL


# ---- the format


def test_each_property_that_is_asked_of_systemd_can_be_read_from_a_record() -> None:
    asked = units.UNIT_PROPERTIES.union(*units.TYPE_PROPERTIES.values()) - LEFT_OUT
    assert asked - PROPERTIES.keys() - STATE.keys() == set()


def test_a_process_stands_there_with_what_is_known_of_it_only() -> None:
    (row,) = record(node(processes=[Process(7, "x", "S", 1, 1, 5.0)]), "0")["processes"]["table"]
    assert row == {"pid": 7, "name": "x", "state": "S", "parent": 1, "threads": 1, "started": 5.0}


def test_a_dark_window_stands_there_as_dark() -> None:
    data = record(node(units=dark("no bus", broken=True)), "0")
    assert data["units"] == {"unobserved": {"source": "systemd", "reason": "no bus", "remedy": "", "broken": True}}


def test_each_check_type_without_a_window_of_its_own_is_fuzzed() -> None:
    types = {check.type for play in DEFINITIONS.plays for check in play.checks}
    kinds = {name: checks.type_named(name) for name in checks.names()}
    looking = {name for name, kind in kinds.items() if kind and f"{name}.json" in os.listdir(WELL)} | {"assert"}
    assert types == kinds.keys() - looking  # tests/checks/test_contract.py fuzzes the others
