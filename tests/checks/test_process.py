from __future__ import annotations

from typing import Any

import pytest
from fakes import UPTIME, dark, judge, make, node, process, service, status_of, statuses, told
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.node.node import FileWant, UnitWant, UserWant
from nodecheck.node.processes import Process, ProcessWant
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
LONG = "neutron-openvswitch-agent"
CUT = LONG[:15]


# ---- who is meant


@pytest.mark.parametrize(
    ("selector", "one", "status"),
    [
        ({"name": "dockerd"}, process(), OK),
        ({"name": "dockerd"}, process(name="docker"), CRITICAL),
        ({"name": "dockerd"}, process(name="MainThread", exe="/usr/bin/dockerd"), OK),
        ({"name": LONG}, process(name=CUT, exe=f"/usr/bin/{LONG}"), OK),
        ({"name": LONG}, process(name=CUT, exe="/usr/bin/python3.11"), OK),  # a script: the kernel names it so
        ({"name": LONG}, process(name=CUT, exe="/usr/bin/neutron-openvswitch-other"), CRITICAL),
        ({"name": LONG}, process(name=CUT, exe=None), UNKNOWN),
        ({"name": LONG}, process(name=CUT, exe=""), OK),  # a kernel thread
        ({"name": CUT}, process(name=CUT, exe=None), OK),
        ({"name": "é" * 9}, process(name="é" * 7 + "\N{REPLACEMENT CHARACTER}", exe=""), OK),
        ({"cmdline": "--data-root=/var"}, process(cmdline="dockerd --data-root=/var"), OK),
        ({"cmdline": "/root=.var/"}, process(cmdline="dockerd --data-root=/var"), OK),
        ({"cmdline": "x"}, process(cmdline="dockerd"), CRITICAL),
        ({"cmdline": "x"}, process(cmdline=None), UNKNOWN),
        ({"exe": "/usr/bin/dockerd"}, process(), OK),
        ({"exe": "dockerd"}, process(exe="/opt/dockerd"), OK),
        ({"cmdline": "secret"}, process(cmdline="dockerd --token=<masked>"), UNKNOWN),
        ({"cmdline": "token"}, process(cmdline="dockerd --token=<masked>"), OK),
        ({"exe": "/usr/bin/dockerd"}, process(exe="/opt/dockerd"), CRITICAL),
        ({"exe": "docker"}, process(exe="/opt/dockerd"), CRITICAL),
        ({"exe": "/usr/bin/dockerd"}, process(exe=None), UNKNOWN),
        ({"unit": "dockerd.service"}, process(), OK),
        ({"unit": "other.service"}, process(), CRITICAL),
        ({"unit": "dockerd.service"}, process(unit=None), UNKNOWN),
        ({"user": "0"}, process(uid=0), OK),
        ({"user": "0"}, process(uid=1000), CRITICAL),
        ({"user": "0"}, process(uid=None), UNKNOWN),
        ({"user": "root"}, process(uid=0), OK),
        ({"user": "bob"}, process(uid=0), CRITICAL),
    ],
)
def test_a_selector_takes_a_process_leaves_it_or_could_not_see(
    selector: dict[str, str], one: Process, status: Status
) -> None:
    others = [process(7, "init", unit="init.scope", uid=5)]
    seen = node(processes=[one, *others], users={"root": 0, "bob": None}, units=[service("other.service")])
    assert status == status_of(make("process", **selector), seen)


@pytest.mark.parametrize(
    ("selectors", "unit", "status"),
    [
        ({"name": "sshd"}, "ssh.service", OK),
        ({}, "ssh.service", OK),
        ({"name": "sshd"}, "other.service", CRITICAL),
        ({"name": "other"}, "ssh.service", CRITICAL),
        ({"name": "sshd", "count": "0"}, "ssh.service", CRITICAL),
    ],
)
def test_a_unit_is_known_by_its_alias_too(selectors: dict[str, str], unit: str, status: Status) -> None:
    check = make("process", unit="sshd.service", **selectors)
    ssh = service("ssh.service")
    seen = node(processes=[process(name="sshd", unit=unit)], units=[ssh], aliases={"sshd.service": ssh})
    assert status == status_of(check, seen)


@pytest.mark.parametrize(("name", "status"), [("sshd", UNKNOWN), ("other", CRITICAL)])
def test_without_systemd_an_alias_is_unknown_only_where_it_matters(name: str, status: Status) -> None:
    check = make("process", name="sshd", unit="sshd.service")
    assert status == status_of(check, node(processes=[process(name=name, unit="ssh.service")], units=dark()))


@pytest.mark.parametrize(("selectors", "read"), [({"name": "sshd"}, True), ({}, False)])
def test_details_are_read_of_processes_that_an_alias_may_mean(selectors: dict[str, str], read: bool) -> None:
    want = next(iter(make("process", unit="sshd.service", memory="< 1GiB", **selectors).wants()))
    assert isinstance(want, ProcessWant)
    assert want.selects(process(name="sshd", unit="ssh.service")) is read


@pytest.mark.parametrize(
    ("parent", "status"),
    [
        (process(50, "containerd-shim", exe="/usr/bin/containerd-shim-runc-v2"), OK),
        (process(50, "containerd-shim", exe=None), UNKNOWN),
        (process(50, "bash"), CRITICAL),
        (process(51, "containerd-shim", exe="/usr/bin/containerd-shim-runc-v2"), CRITICAL),
    ],
)
def test_a_parent_is_known_by_name_as_any_process_is(parent: Process, status: Status) -> None:
    check = make("process", name="pause", parent="containerd-shim-runc-v2")
    assert status == status_of(check, node(processes=[process(60, "pause", parent=50), parent]))


def test_the_executable_is_read_when_a_parent_has_to_be_named() -> None:
    want = next(iter(make("process", parent="containerd-shim-runc-v2").wants()))
    assert isinstance(want, ProcessWant)
    assert frozenset({"exe"}) == want.fields


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("100\n", OK, "1 of pid file /run/x.pid alive (pid 100)"),
        ("100\n/var/lib/postgresql\n5432\n", OK, "1 of pid file /run/x.pid alive (pid 100)"),
        ("4711\n", CRITICAL, "the pid file /run/x.pid is stale: there is no process 4711"),
        ("", CRITICAL, "the pid file /run/x.pid holds no process id"),
        ("²", CRITICAL, "the pid file /run/x.pid holds no process id"),
        (None, CRITICAL, "the pid file /run/x.pid does not exist"),
        (dark("/run/x.pid cannot be read: Permission denied"), UNKNOWN, "cannot be read: Permission denied"),
    ],
)
def test_a_pid_file_names_one_living_process(text: Any, status: Status, message: str) -> None:
    check, seen = make("process", pidfile="/run/x.pid"), node(processes=[process()], files={"/run/x.pid": text})
    assert status == status_of(check, seen)
    assert message in told(check, seen)


@pytest.mark.parametrize("text", [None, "4711"])
def test_a_pid_file_that_is_absent_or_stale_is_well_where_none_should_run(text: str | None) -> None:
    seen = node(processes=[process()], files={"/run/x.pid": text})
    assert status_of(make("process", pidfile="/run/x.pid", count=0), seen) is OK


def test_the_process_of_a_recycled_pid_is_not_the_one_that_is_meant() -> None:
    seen = node(processes=[process(name="bash")], files={"/run/x.pid": "100"})
    check = make("process", name="dockerd", pidfile="/run/x.pid")
    assert told(check, seen) == "the pid file /run/x.pid is stale: process 100 is bash, not dockerd"


def test_a_user_that_does_not_exist_is_named() -> None:
    check = make("process", name="dockerd", user="bob")
    seen = node(processes=[process()], users={"bob": None})
    assert told(check, seen) == "dockerd, user bob is not running: there is no user bob"


def test_a_name_service_that_does_not_answer_leaves_it_unknown() -> None:
    seen = node(processes=[process()], users={"bob": dark("the name service did not say who bob is")})
    assert status_of(make("process", user="bob"), seen) is UNKNOWN


# ---- how many


@pytest.mark.parametrize(
    ("count", "alive", "status"),
    [
        (None, 0, CRITICAL), (None, 1, OK), (None, 5, OK),
        (1, 1, OK), (1, 2, CRITICAL), (0, 0, OK), (0, 1, CRITICAL),
        ("2..3", 1, CRITICAL), ("2..3", 2, OK), ("2..3", 3, OK), ("2..3", 4, CRITICAL), ("< 3", 2, OK),
    ],
)  # fmt: skip
def test_the_count_is_of_those_that_are_alive(count: Any, alive: int, status: Status) -> None:
    check = make("process", name="dockerd") if count is None else make("process", name="dockerd", count=count)
    zombie = process(99, state="Z", exe="")
    assert (
        status
        == statuses(check, node(processes=[zombie, *(process(100 + number) for number in range(alive))]))["count"]
    )


def test_the_message_names_the_first_processes_only() -> None:
    seen = node(processes=[process(number) for number in range(100, 107)])
    expected = "7 of dockerd alive (pid 100, 101, 102, 103, 104 and 2 more), expected 1"
    assert expected == told(make("process", name="dockerd", count=1), seen)


@pytest.mark.parametrize(
    ("count", "seen_ones", "status"),
    [
        (">= 1", 1, OK), (">= 1", 0, UNKNOWN), (1, 0, UNKNOWN), (1, 1, UNKNOWN), (1, 2, CRITICAL), (0, 0, UNKNOWN),
        (0, 1, CRITICAL), ("< 3", 1, UNKNOWN), ("< 3", 3, CRITICAL), ("2..3", 1, UNKNOWN), ("2..3", 4, CRITICAL),
    ],
)  # fmt: skip
def test_where_processes_are_hidden_there_may_be_more(count: Any, seen_ones: int, status: Status) -> None:
    seen = node(processes=[process(100 + number) for number in range(seen_ones)], complete=False)
    assert status == status_of(make("process", name="dockerd", count=count), seen)


@pytest.mark.parametrize(
    ("count", "status"), [(">= 1", OK), (1, UNKNOWN), (2, UNKNOWN), (3, CRITICAL), ("1..2", OK), ("< 1", CRITICAL)]
)
def test_a_process_that_may_be_meant_counts_both_ways(count: Any, status: Status) -> None:
    sure, unsure = process(100, CUT, exe=f"/usr/bin/{LONG}"), process(101, CUT, exe=None)
    assert status == status_of(make("process", name=LONG, count=count), node(processes=[sure, unsure]))


@pytest.mark.parametrize(
    ("arguments", "number", "message"),
    [
        ({}, 0, "dockerd is not running"),
        ({"count": 0}, 0, "0 of dockerd alive"),
        ({"count": 1}, 5, "5 of dockerd alive (pid 100, 101, 102, 103, 104), expected 1"),
        ({"unit": "other.service"}, 0, "dockerd, unit other.service is not running"),
        (
            {"unit": "other.service"},
            1,
            "dockerd, unit other.service is not running: dockerd (pid 100) is in dockerd.service",
        ),
    ],
)
def test_the_message_says_how_many_are_alive(arguments: dict[str, Any], number: int, message: str) -> None:
    seen = node(processes=[process(100 + n) for n in range(number)], units=[service("other.service")])
    assert message == told(make("process", name="dockerd", **arguments), seen)


@pytest.mark.parametrize(
    ("complete", "message"),
    [
        (False, "this user may not see the processes of others (hidepid)"),
        (True, f"{LONG}: the executable or command line of {CUT} (pid 100) could not be read"),
    ],
)
def test_why_they_could_not_be_counted_is_told(complete: bool, message: str) -> None:
    seen = node(processes=[process(100, CUT, exe=None)], complete=complete)
    assert message == told(make("process", name=LONG), seen)


def test_no_process_table_is_unknown() -> None:
    assert status_of(make("process", name="x"), node(processes=dark("/proc cannot be listed"))) is UNKNOWN


# ---- how they are


@pytest.mark.parametrize(
    ("one", "state", "status"),
    [
        (process(state="S"), None, OK),
        (process(state="D", still_for=900), None, OK),
        (process(state="T"), None, CRITICAL),
        (process(state="t"), None, OK),
        (process(state="S"), "sleeping", OK),
        (process(state="R"), ["R", "S"], OK),
        (process(state="D", still_for=5), "!= D", CRITICAL),
        (process(state="D", still_for=5), "!= D for 1m", OK),
        (process(state="D", still_for=61), "!= D for 1m", CRITICAL),
        (process(state="D", still_for=61), "!= uninterruptible for 1m", CRITICAL),
        (process(state="D", still_for=None), "!= D for 1m", UNKNOWN),
        (process(state="T", still_for=None), "!= T for 1m", UNKNOWN),
        (process(state="S"), "!= D for 1m", OK),
        (process(state="D", still_for=61), {"not": ["D for 1m", "Z"]}, CRITICAL),
        (process(state="D", still_for=5), {"not": ["D for 1m", "Z"]}, OK),
        (process(state="D", still_for=None), {"not": ["D for 1m", "Z"]}, UNKNOWN),
        (process(state="Z", still_for=None), {"not": ["D for 1m", "Z"]}, CRITICAL),
        (process(state="T", still_for=None), {"all": ["!= D for 1m", "!= T for 2m"]}, UNKNOWN),
        (process(state="T", still_for=90), {"all": ["!= D for 1m", "!= T for 2m"]}, OK),
        (process(state="D", still_for=90), {"all": ["!= D for 1m", "!= T for 2m"]}, CRITICAL),
        (process(state="S"), {"all": ["sleeping", "!= D"]}, OK),
        (process(state="K"), "wakekill", OK),
        (process(state="?"), "!= D", OK),
    ],
)
def test_the_state_is_a_letter_or_a_word_and_may_have_to_last(one: Process, state: Any, status: Status) -> None:
    check = make("process", name="dockerd") if state is None else make("process", name="dockerd", state=state)
    assert status == status_of(check, node(processes=[one]))


@pytest.mark.parametrize(
    ("letter", "word"),
    [
        # proc(5), /proc/pid/stat
        ("R", "running"), ("S", "sleeping"), ("D", "uninterruptible"), ("Z", "zombie"), ("T", "stopped"),
        ("t", "traced"), ("X", "dead"), ("I", "idle"), ("W", "waking"), ("P", "parked"), ("K", "wakekill"),
    ],
)  # fmt: skip
def test_a_state_is_called_by_the_letter_or_by_the_word(letter: str, word: str) -> None:
    checks = [make("process", name="dockerd", state=f"!= {called}") for called in (letter, word)]
    seen = node(processes=[process(state=letter, threads=2)])

    assert [f"dockerd (pid 100) is {word}"] * 2 == [told(check, seen) for check in checks]
    assert [mistake for check in checks for mistake in check.mistakes()] == []


def test_a_state_that_there_is_not_is_a_mistake() -> None:
    ((argument, message, hint),) = make("process", name="x", state="!= zombi").mistakes()
    assert (argument, message, hint) == ("state", "'zombi' is no state of a process", "did you mean zombie?")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, [("!= stopped", CRITICAL)]),
        ("!= D for 1m", [("!= stopped", CRITICAL)]),
        ("!= T for 1m", []),
        ("!= D", []),
        ("sleeping", [("sleeping", CRITICAL)]),
        ({"not": ["D for 1m", "stopped"]}, [("not (D for 1m or stopped)", CRITICAL)]),
    ],
)
def test_one_that_is_stopped_is_found_unless_the_state_that_is_asked_for_speaks_of_it(
    state: Any, expected: list[tuple[str, Status]]
) -> None:
    check = make("process", name="dockerd", **({} if state is None else {"state": state}))
    found = list(check.judge(node(processes=[process(state="T", still_for=5.0)])))

    assert expected == [(finding.expected, finding.status) for finding in found if finding.property == "state"]


def test_of_a_zombie_beside_a_living_one_nothing_else_is_judged() -> None:
    seen = node(processes=[process(), process(101, state="Z", started=UPTIME, still_for=3.0)])
    assert status_of(make("process", name="dockerd", age="> 10m"), seen) is OK


def test_a_process_in_the_kernel_says_for_how_long() -> None:
    seen = node(processes=[process(state="D", still_for=190.0)])
    check = make("process", name="dockerd", state="!= D for 1m")
    assert told(check, seen) == "dockerd (pid 100) is uninterruptible for 3m 10s"


def test_a_zombie_is_not_alive_and_its_parent_is_named() -> None:
    seen = node(processes=[process(state="Z", parent=42, exe="", still_for=120.0)])
    expected = "only a zombie is left of dockerd: pid 100 for 2m; its parent 42 does not collect it"
    assert expected == told(make("process", name="dockerd"), seen)


def test_a_zombie_beside_a_living_one_is_found_only_where_the_state_is_asked_for() -> None:
    seen = node(processes=[process(), process(101, state="Z", exe="", still_for=3.0)])
    assert status_of(make("process", name="dockerd"), seen) is OK
    assert status_of(make("process", name="dockerd", state="!= zombie"), seen) is CRITICAL


def test_a_process_whose_first_thread_has_ended_is_alive_while_others_run() -> None:
    seen = node(processes=[process(state="Z", threads=12)])
    assert status_of(make("process", name="dockerd"), seen) is OK


@pytest.mark.parametrize(
    ("argument", "fields", "status"),
    [
        ({"age": "> 10m"}, {}, OK),
        ({"age": "> 10m"}, {"started": UPTIME - 30}, CRITICAL),
        ({"memory": "< 1GiB"}, {"resident": 1 << 20}, OK),
        ({"memory": "< 1GiB"}, {"resident": 1 << 30}, CRITICAL),
        ({"memory": "< 1GiB"}, {"resident": None}, UNKNOWN),
        ({"cpu": "< 90%"}, {"cpu": 12.0}, OK),
        ({"cpu": "< 90%"}, {"cpu": 100.0}, CRITICAL),
        ({"cpu": "< 90%"}, {"cpu": None}, UNKNOWN),
        ({"threads": "< 100"}, {"threads": 99}, OK),
        ({"threads": "< 100"}, {"threads": 100}, CRITICAL),
        ({"open_files": "< 100"}, {"open_files": 3}, OK),
        ({"open_files": "< 100"}, {"open_files": 100}, CRITICAL),
        ({"open_files": "< 100"}, {"open_files": None}, UNKNOWN),
    ],
)
def test_a_property_of_each_is_judged_and_unknown_where_it_was_not_seen(
    argument: dict[str, Any], fields: dict[str, Any], status: Status
) -> None:
    (name,) = argument
    assert status == statuses(make("process", name="dockerd", **argument), node(processes=[process(**fields)]))[name]


def test_every_one_of_them_is_judged() -> None:
    seen = node(processes=[process(100, threads=3), process(101, threads=300)])
    assert (
        told(make("process", name="dockerd", threads="< 100"), seen)
        == "threads of dockerd (pid 101) is 300, expected < 100"
    )


# ---- main


@pytest.mark.parametrize(
    ("main", "main_pid", "status"),
    [
        (True, 100, OK),
        (True, 7, CRITICAL),
        (False, 7, OK),
        (False, 100, CRITICAL),
        (True, 0, CRITICAL),
        (True, None, UNKNOWN),
    ],
)
def test_one_of_them_is_the_main_process_of_the_unit(main: bool, main_pid: int | None, status: Status) -> None:
    unit = {name: value for name, value in service("dockerd.service", MainPID=main_pid).items() if value is not None}
    check = make("process", name="dockerd", unit="dockerd.service", main=main)
    assert status == status_of(check, node(processes=[process()], units=[unit]))


@pytest.mark.parametrize(
    ("main_pid", "which"), [(101, "101: one of these (pid 100, 101)"), (7, "7: none of these (pid 100, 101)")]
)
def test_the_main_process_is_one_of_these_or_none(main_pid: int, which: str) -> None:
    units = [service("dockerd.service", MainPID=main_pid)]
    check = make("process", name="dockerd", unit="dockerd.service", main=main_pid == 101)
    seen = node(processes=[process(100), process(101)], units=units)

    assert f"the main process of dockerd.service has pid {which}" == judge(check, seen)[-1].message
    assert status_of(check, seen) is OK


def test_where_none_is_alive_none_is_the_main_process() -> None:
    check = make("process", name="dockerd", unit="dockerd.service", main=True)
    seen = node(processes=[], units=[service("dockerd.service", MainPID=7)])
    assert statuses(check, seen) == {"count": CRITICAL}


def test_without_systemd_the_main_process_is_unknown_and_the_count_still_known() -> None:
    seen = node(processes=[process()], units=dark("systemd is not running here"))
    check = make("process", name="dockerd", unit="dockerd.service", main=True)
    assert statuses(check, seen) == {"count": OK, "unseen": UNKNOWN}


# ---- arguments


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({}, ["name"]),
        ({"count": 1}, ["name"]),
        ({"name": "x", "main": True}, ["main"]),
        ({"name": "x"}, []),
        ({"unit": "x.service", "main": True}, []),
    ],
)
def test_a_selector_is_needed_and_main_needs_a_unit(arguments: dict[str, Any], names: list[str]) -> None:
    assert names == [mistake[0] for mistake in make("process", **arguments).mistakes()]


@pytest.mark.parametrize(
    ("arguments", "mistakes", "suspicions"),
    [
        ({"name": "/process_api/"}, ["name"], []),
        ({"name": "x", "parent": "/sh/"}, ["parent"], []),
        ({"exe": "/usr/bin/"}, ["exe"], []),
        ({"name": "process_ap*"}, [], ["name"]),
        ({"exe": "/usr/bin/python*"}, [], ["exe"]),
        ({"name": "*agent", "parent": "sh*"}, [], ["name", "parent"]),
        ({"name": "kworker/0:1", "cmdline": "/a.*/"}, [], []),
        ({"name": "/"}, [], []),
        ({"exe": "/usr/bin/[", "name": "a*b"}, [], []),
    ],
)
def test_a_name_is_no_pattern(arguments: dict[str, Any], mistakes: list[str], suspicions: list[str]) -> None:
    check = make("process", **arguments)

    assert mistakes == [argument for argument, _, _ in check.mistakes()]
    assert suspicions == [argument for argument, _, _ in check.suspicions()]


def test_a_pattern_for_a_name_is_sent_to_where_patterns_are_taken() -> None:
    ((_, message, hint),) = make("process", name="/process_api/").mistakes()

    assert message == "/process_api/ is no name of a process"
    assert hint == "a regular expression is for cmdline: /process_api/"


def test_what_is_expensive_is_wanted_only_when_it_is_asked_for() -> None:
    (want,) = make("process", name="x").wants()
    assert isinstance(want, ProcessWant)
    assert (want.fields, want.details) == (frozenset({"exe"}), frozenset())


def test_a_number_needs_no_name_service() -> None:
    assert len(list(make("process", name="x", user="1000").wants())) == 1


def test_all_that_is_asked_for_is_wanted() -> None:
    check = make("process", name="x", cmdline="y", user="bob", pidfile="/run/x.pid", unit="x.service", main=True,
                 memory="< 1GiB", cpu="< 9%", open_files="< 9", state="!= D for 1m")  # fmt: skip
    first, *others = check.wants()
    assert isinstance(first, ProcessWant)
    assert set(first.fields) == {"exe", "cmdline", "uid", "unit"}
    assert set(first.details) == {"resident", "cpu", "open_files", "stuck"}
    assert others == [UserWant("bob"), FileWant("/run/x.pid"), UnitWant("x.service", ("MainPID",))]


def test_details_are_read_of_candidates_only() -> None:
    want = next(iter(make("process", name="dockerd", memory="< 1GiB").wants()))
    assert isinstance(want, ProcessWant)
    assert [want.selects(process()), want.selects(process(name="bash"))] == [True, False]


def test_a_state_that_is_not_well_says_where_to_look() -> None:
    finding = judge(make("process", name="dockerd"), node(processes=[process(state="T")]))[-1]
    assert finding.remedy == "kill -CONT 100"
    finding = judge(make("process", name="dockerd", state="!= D"), node(processes=[process(state="D")]))[-1]
    assert finding.remedy == "grep . /proc/100/task/*/wchan"


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))
def test_whoever_expects_less_of_a_node_finds_no_more_to_be_wrong(there: int, most: int, more: int) -> None:
    seen = node(processes=[process(pid=100 + number, name="sshd") for number in range(there)])
    strict, loose = (statuses(make("process", name="sshd", count=f"<= {bound}"), seen) for bound in (most, most + more))
    assert CRITICAL in strict or CRITICAL not in loose
