"""Ports. Named cases are issues of goss (goss-org/goss) and testinfra (pytest-dev/pytest-testinfra)."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, judge, make, node, process, service, status_of, statuses, told

from nodecheck.node.node import ListenerWant, Node, UnitWant
from nodecheck.node.processes import ProcessWant
from nodecheck.node.sockets import Connection, Listener
from nodecheck.node.unobserved import Unobserved
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN


def socket(address: str = "0.0.0.0", inode: int = 1, **fields: Any) -> Listener:
    plain: dict[str, Any] = {"protocol": "tcp", "family": 6 if ":" in address else 4, "port": 80, "inode": inode}
    return Listener(address=address, **(plain | fields))


V4, V6_ONLY, DUAL = socket(), socket("::", v6only=True), socket("::", v6only=False)
VAGUE, LOCAL4, LOCAL6 = socket("::"), socket("127.0.0.1"), socket("::1")
MAPPED = socket("::ffff:10.0.0.1")
HOST = socket("10.0.0.1")


# ---- where: every question over every kind of socket


@pytest.mark.parametrize(
    ("address", "listeners", "status"),
    [
        (None, [V4], OK), (None, [V6_ONLY], OK), (None, [VAGUE], OK), (None, [LOCAL4], OK), (None, [], CRITICAL),
        ("0.0.0.0", [V4], OK), ("0.0.0.0", [DUAL], OK), ("0.0.0.0", [V6_ONLY], CRITICAL), ("0.0.0.0", [VAGUE], UNKNOWN),
        ("0.0.0.0", [LOCAL4], CRITICAL), ("0.0.0.0", [V4, VAGUE], OK), ("0.0.0.0", [HOST, MAPPED], CRITICAL),
        ("0.0.0.0", [socket("::ffff:0.0.0.0")], OK),
        ("::", [DUAL], OK), ("::", [V6_ONLY], OK), ("::", [VAGUE], OK), ("::", [V4], CRITICAL),
        ("::", [LOCAL6], CRITICAL),
        ("127.0.0.1", [LOCAL4], OK), ("127.0.0.1", [V4], CRITICAL), ("127.0.0.1", [DUAL], CRITICAL),
        ("127.0.0.1", [socket("::ffff:127.0.0.1")], OK),
        ("10.0.0.1", [HOST], OK), ("10.0.0.1", [MAPPED], OK), ("::ffff:10.0.0.1", [HOST], OK),
        ("fe80::1", [socket("fe80::1")], OK), ("fe80::1", [socket("fe80::2")], CRITICAL),
        ("FE80:0::1", [socket("fe80::1")], OK),
        ("loopback", [LOCAL4], OK), ("loopback", [LOCAL6], OK), ("loopback", [LOCAL4, LOCAL6], OK),
        ("loopback", [socket("127.0.0.53")], OK), ("loopback", [V4], CRITICAL), ("loopback", [DUAL], CRITICAL),
        ("loopback", [VAGUE], CRITICAL), ("loopback", [LOCAL4, HOST], CRITICAL),
        ("loopback", [socket("::ffff:127.0.0.1")], OK),
        ("everywhere", [DUAL], OK), ("everywhere", [V4, V6_ONLY], OK), ("everywhere", [V4], CRITICAL),
        ("everywhere", [V6_ONLY], CRITICAL), ("everywhere", [VAGUE], UNKNOWN), ("everywhere", [V4, VAGUE], OK),
        ("everywhere", [LOCAL4, LOCAL6], CRITICAL),
    ],
)  # fmt: skip
def test_an_address_is_bound_or_not_or_could_not_be_seen(
    address: str | None, listeners: list[Listener], status: Status
) -> None:
    check = make("port", port=80) if address is None else make("port", port=80, address=address)
    assert status == status_of(check, node(listeners=listeners))


@pytest.mark.parametrize(
    ("arguments", "listeners", "status"),
    [
        pytest.param({"address": "0.0.0.0"}, [V6_ONLY], CRITICAL, id="goss#149: bindv6only is noticed"),
        pytest.param({}, [V6_ONLY], OK, id="goss#1006: an IPv6 socket answers for tcp when no address is asked for"),
        pytest.param({"address": "0.0.0.0"}, [DUAL], OK, id="goss#1006: :: serves IPv4 too"),
        pytest.param({}, [DUAL], OK, id="goss#847: a port on :: only is open"),
        pytest.param({"address": "10.0.0.1"}, [MAPPED], OK, id="goss#506: a mapped address is the IPv4 address"),
        pytest.param({"address": "0.0.0.0"}, [LOCAL4], CRITICAL, id="goss#804: on loopback is not on all addresses"),
        pytest.param({"protocol": "udp"}, [V4], CRITICAL, id="goss#215: a TCP socket is no UDP socket"),
        pytest.param({"protocol": "udp"}, [socket(protocol="udp")], OK, id="goss#215: a bound UDP socket is open"),
        pytest.param({"address": "127.0.0.1"}, [socket("::ffff:127.0.0.1")], OK, id="testinfra#286: ::ffff:127.0.0.1"),
        pytest.param({}, [socket(port=8080)], CRITICAL, id="testinfra#389: 8080 is not 80"),
        pytest.param({"port": 22}, [socket(port=2222)], CRITICAL, id="testinfra#389: 2222 is not 22"),
        pytest.param({"address": "127.0.0.1"}, [HOST], CRITICAL, id="testinfra#352: another address is not this one"),
        pytest.param({"address": "::"}, [V4], CRITICAL, id="testinfra#355: IPv4 alone is not ::"),
    ],
)
def test_what_others_answer_wrongly(arguments: dict[str, Any], listeners: list[Listener], status: Status) -> None:
    assert status == status_of(make("port", **({"port": 80} | arguments)), node(listeners=listeners))


@pytest.mark.parametrize(
    ("arguments", "listeners", "message"),
    [
        ({}, [], "nothing listens on port 80/tcp"),
        ({}, [V4, LOCAL6], "port 80/tcp is open on 0.0.0.0, ::1"),
        ({}, [DUAL], "port 80/tcp is open on :: (IPv4 too)"),
        ({}, [VAGUE], "port 80/tcp is open on ::"),
        ({"address": "0.0.0.0"}, [V6_ONLY], "port 80/tcp is open on :: (IPv6 only), expected 0.0.0.0"),
        (
            {"address": "0.0.0.0"},
            [VAGUE],
            ("whether the socket on :: of port 80/tcp serves IPv4 too could not be seen: "
            "the kernel module tcp_diag is not loaded"),
        ),
    ],
)  # fmt: skip
def test_the_message_says_where_it_is_open(arguments: dict[str, Any], listeners: list[Listener], message: str) -> None:
    assert message == told(make("port", port=80, **arguments), node(listeners=listeners))


def test_sockets_that_cannot_be_read_are_unknown() -> None:
    assert status_of(make("port", port=80), node(listeners=dark("no /proc/net", "sockets"))) is UNKNOWN


# ---- free, or not


def test_a_port_that_may_be_free_is_judged_by_whom_it_is_held() -> None:
    check = make("port", port=80, state="any", process="nginx")

    assert (status_of(check, node(listeners=[])), told(check, node(listeners=[]))) == (
        OK,
        "nothing listens on port 80/tcp",
    )
    assert status_of(check, _held((100,))) is OK
    assert status_of(check, _held((103,))) is CRITICAL


@pytest.mark.parametrize(
    ("address", "listeners", "status"),
    [
        (None, [], OK), (None, [socket(port=81)], OK), (None, [LOCAL4], CRITICAL),
        ("127.0.0.1", [HOST], OK), ("127.0.0.1", [LOCAL4], CRITICAL),
        ("127.0.0.1", [V4], CRITICAL),  # bound to every address is bound to this one
        ("127.0.0.1", [DUAL], CRITICAL), ("127.0.0.1", [V6_ONLY], OK), ("127.0.0.1", [VAGUE], UNKNOWN),
        ("0.0.0.0", [LOCAL4], CRITICAL), ("0.0.0.0", [LOCAL6], OK), ("0.0.0.0", [VAGUE], UNKNOWN),
        ("0.0.0.0", [VAGUE, V4], CRITICAL), ("::", [LOCAL6], CRITICAL), ("::1", [V6_ONLY], CRITICAL),
        ("loopback", [HOST], OK), ("loopback", [V4], CRITICAL), ("loopback", [LOCAL6], CRITICAL),
        ("everywhere", [HOST], CRITICAL), ("everywhere", [], OK),
    ],
)  # fmt: skip
def test_a_port_is_free_where_nothing_is_bound_that_would_be_in_the_way(
    address: str | None, listeners: list[Listener], status: Status
) -> None:
    asked = {} if address is None else {"address": address}
    seen = node(listeners=listeners, processes=[])
    assert status == status_of(make("port", port=80, state="free", **asked), seen)


def test_who_holds_a_port_that_should_be_free_is_named() -> None:
    seen = node(listeners=[V4._replace(owners=(100,))], processes=[process(name="nginx")])
    message = "port 80/tcp is not free: it is held on 0.0.0.0 by nginx (pid 100)"
    assert message == told(make("port", port=80, state="free"), seen)


# ---- who


def _held(*owners: tuple[int, ...] | None, units: Any = None) -> Node:
    listeners = [socket(inode=number, owners=pids) for number, pids in enumerate(owners, 1)]
    processes = [
        process(1, "systemd", exe="/usr/lib/systemd/systemd", unit="init.scope"),
        process(100, "nginx", unit="nginx.service"),
        process(101, "bash", exe="/bin/bash", unit="session-1.scope"),
        process(102, "docker-proxy", unit="docker.service"),
        process(103, "MainThread", exe="/usr/bin/node", unit="app.service"),
        process(104, "containerd-shim", exe=None, unit="x.service"),
    ]
    return node(listeners=listeners, processes=processes, units=units)


@pytest.mark.parametrize(
    ("expected", "seen", "status"),
    [
        ("nginx", _held((100,)), OK),
        ("nginx", _held((101,)), CRITICAL),
        ("nginx", _held((101, 100)), OK),
        ("nginx", _held((101,), (100,)), OK),
        ("nginx", _held(None), UNKNOWN),
        ("nginx", _held(()), UNKNOWN),
        ("nginx", _held((101,), None), UNKNOWN),
        ("nginx", _held((4711,)), UNKNOWN),
        ("node", _held((103,)), OK),
        ("containerd-shim-runc-v2", _held((104,)), UNKNOWN),
        ("nginx", _held((101, 4711)), UNKNOWN),
        ("nginx", _held((101, 104)), UNKNOWN),
        ("systemd", _held((1,)), OK),
        ("nginx", _held((1,)), CRITICAL),
        (["nginx", "systemd"], _held((1,)), OK),
        ("docker-proxy", _held((102,)), OK),
        ("/^nginx/", _held((100,)), OK),
    ],
)
def test_the_owner_is_the_process_that_is_wanted(expected: Any, seen: Node, status: Status) -> None:
    assert status == status_of(make("port", port=80, process=expected), seen)


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        (101, "port 80/tcp is held by bash (pid 101), expected nginx"),
        (
            1,
            (
                "port 80/tcp is held by systemd (pid 1), expected nginx; systemd holds it for a socket unit: "
                "name that with unit, or add systemd to process"
            ),
        ),
        (
            102,
            (
                "port 80/tcp is held by docker-proxy (pid 102), expected nginx; docker-proxy holds it for a container: "
                "expect docker-proxy"
            ),
        ),
    ],
)
def test_the_wrong_owner_is_named_and_what_holds_for_another_explained(owner: int, message: str) -> None:
    assert message == told(make("port", port=80, process="nginx"), _held((owner,)))


WEB = service("web.service", Triggers={"web.socket": {"Id": "web.socket", "Listen": [("Stream", "[::]:80")]}})
WEB_SOCKET = service("web.socket", Listen=[("Stream", "0.0.0.0:80")])
OTHER = service("web.service", Triggers={"web.socket": {"Id": "web.socket", "Listen": [("Stream", "[::]:8080")]}})
DATAGRAMS = service("web.service", Triggers={"web.socket": {"Id": "web.socket", "Listen": [("Datagram", "[::]:80")]}})


@pytest.mark.parametrize(
    ("unit", "seen", "status"),
    [
        ("nginx.service", _held((100,), units=[service("nginx.service")]), OK),
        ("nginx.service", _held((101,), units=[service("nginx.service")]), CRITICAL),
        ("nginx.service", _held(None, units=[service("nginx.service")]), UNKNOWN),
        ("nginx.service", _held((101,), None, units=[service("nginx.service")]), UNKNOWN),
        ("nginx.service", _held((), units=[service("nginx.service")]), UNKNOWN),
        ("nginx.service", _held((104,), units=[service("nginx.service")]), CRITICAL),  # a name is not asked for
        ("web.service", _held((1,), units=[WEB]), OK),
        ("web.service", _held((1, 101), units=[WEB]), OK),
        ("web.socket", _held((1,), units=[WEB_SOCKET]), OK),
        ("web.service", _held((1,), units=[OTHER]), CRITICAL),
        ("web.service", _held((1,), units=[DATAGRAMS]), CRITICAL),
        ("web.service", _held((1,), units=[service("web.service")]), CRITICAL),
        ("web.service", _held((1,), units=dark()), UNKNOWN),
        ("nginx.service", _held((100,), units=dark()), OK),
        ("docker.service", _held((102,), units=[service("docker.service")]), OK),
    ],
)
def test_the_owner_is_of_the_unit_or_systemd_holds_it_for_the_unit(unit: str, seen: Node, status: Status) -> None:
    assert status == status_of(make("port", port=80, unit=unit), seen)


def test_a_unit_holds_datagrams_by_a_socket_unit_too() -> None:
    seen = node(listeners=[socket(protocol="udp", owners=(1,))], units=[DATAGRAMS], processes=[process(1, "systemd")])

    assert (
        statuses(make("port", port=80, protocol="udp", unit="web.service"), seen)["unit"],
        judge(make("port", port=80, protocol="udp", unit="web.service"), seen)[-1].message,
    ) == (OK, "port 80/udp is held by systemd for web.socket")


@pytest.mark.parametrize(("unit", "observed"), [("", "no unit"), (None, "no unit"), ("x.scope", "x.scope")])
def test_what_another_holds_is_shown_with_its_unit(unit: str | None, observed: str) -> None:
    seen = node(listeners=[V4._replace(owners=(9,))], units=[WEB], processes=[process(9, "x", unit=unit)])
    finding = judge(make("port", port=80, unit="web.service"), seen)[-1]

    assert (CRITICAL, observed) == (finding.status, finding.observed)


@pytest.mark.parametrize(
    ("owners", "reason", "remedy"),
    [
        (None, "this user may not look at all processes", "run nodecheck as root "),
        ((), "the kernel does, as for NFS, or one outside this container", ""),
    ],
)
def test_who_cannot_be_seen_to_hold_a_port_is_told_with_what_helps(owners: Any, reason: str, remedy: str) -> None:
    seen = node(listeners=[V4._replace(owners=owners)], processes=[process(9, "x")])
    with pytest.raises(Unobserved, match=reason) as caught:
        list(make("port", port=80, process="nginx").judge(seen))
    assert caught.value.remedy.startswith(remedy)


def test_an_alias_of_the_unit_is_the_unit() -> None:
    seen = node(listeners=[V4._replace(owners=(100,))], processes=[process(name="sshd", unit="ssh.service")],
                aliases={"sshd.service": service("ssh.service")})  # fmt: skip
    assert status_of(make("port", port=80, unit="sshd.service"), seen) is OK


def test_where_none_is_on_the_wanted_address_the_others_are_judged_all_the_same() -> None:
    seen = node(listeners=[HOST._replace(owners=(101,))], processes=[process(101, "bash")])

    assert statuses(make("port", port=80, address="127.0.0.1", process="nginx"), seen) == {
        "state": OK,
        "address": CRITICAL,
        "process": CRITICAL,
    }


def test_only_sockets_on_the_wanted_address_have_to_have_the_owner() -> None:
    listeners = [socket("127.0.0.1", 1, owners=(100,)), socket("10.0.0.1", 2, owners=(101,))]
    seen = node(listeners=listeners, processes=[process(name="nginx"), process(101, "bash")])
    assert status_of(make("port", port=80, address="127.0.0.1", process="nginx"), seen) is OK
    assert status_of(make("port", port=80, address="10.0.0.1", process="nginx"), seen) is CRITICAL


# ---- does it accept?


@pytest.mark.parametrize(
    ("queued", "backlog", "made", "status", "message"),
    [
        (0, 128, Connection("", 0.002, True), OK, "port 80/tcp on 0.0.0.0 accepts within 2ms"),
        (
            1, 128, Connection("", 5.0, False), CRITICAL,
            "port 80/tcp on 0.0.0.0 listens, but its process does not take connections: they wait in its queue",
        ),
        (
            129, 128, Connection("", 5.0, False), CRITICAL,
            ("port 80/tcp on 0.0.0.0 listens, but its process does not take connections: "
            "its queue is full (129 wait, 128 may)"),
        ),
        (
            129, 128, Connection("no answer", 5.0, None), CRITICAL,
            "port 80/tcp on 0.0.0.0 cannot be connected to: no answer within 5s: its queue is full (129 wait, 128 may)",
        ),
        (
            128, 128, Connection("no answer", 5.0, None), CRITICAL,
            "port 80/tcp on 0.0.0.0 cannot be connected to: no answer within 5s",
        ),
        (
            0, None, Connection("Connection refused", 0.001, None), CRITICAL,
            "port 80/tcp on 0.0.0.0 cannot be connected to: connection refused within 1ms",
        ),
        (
            0, None, Connection("", 0.001, None), UNKNOWN,
            "port 80/tcp on 0.0.0.0 can be connected to; whether its process takes the connection could not be seen",
        ),
    ],
)  # fmt: skip
def test_a_connection_is_made_and_taken(
    queued: int, backlog: int | None, made: Connection, status: Status, message: str
) -> None:
    seen = node(listeners=[V4._replace(queued=queued, backlog=backlog)], connections={1: made})
    check = make("port", port=80, connect=True)
    assert (status, message) == (statuses(check, seen)["connect"], judge(check, seen)[-1].message)


def test_a_connection_that_nobody_tried_is_unknown() -> None:
    assert status_of(make("port", port=80, connect=True), node(listeners=[V4])) is UNKNOWN


def test_every_socket_of_the_port_has_to_accept() -> None:
    connections = {1: Connection("", 0.001, True), 2: Connection("Connection refused", 0.001, None)}
    seen = node(listeners=[socket(inode=1), socket("::1", inode=2)], connections=connections)
    assert status_of(make("port", port=80, connect=True), seen) is CRITICAL


# ---- arguments


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({}, []),
        ({"address": "localhost"}, ["address"]),
        ({"address": "10.0.0.256"}, ["address"]),
        ({"address": "loopback"}, []),
        ({"address": "fe80::1"}, []),
        ({"address": "fe80::1%eth0"}, ["address"]),
        ({"protocol": "udp", "connect": True}, ["connect"]),
        ({"state": "free", "process": "x"}, ["state"]),
        ({"state": "free", "unit": "x.service"}, ["state"]),
        ({"state": "free", "connect": True}, ["state"]),
        ({"protocol": "udp"}, []),
        ({"state": "any", "process": "x"}, []),
        ({"state": "any", "unit": "x.service"}, []),
        ({"state": "any", "address": "::1"}, ["state"]),
        ({"state": "free", "address": "::1"}, []),
    ],
)
def test_arguments_that_are_wrong_together_are_mistakes(arguments: dict[str, Any], names: list[str]) -> None:
    assert names == [mistake[0] for mistake in make("port", port=80, **arguments).mistakes()]


def test_owners_are_looked_for_only_when_they_are_asked_for() -> None:
    assert list(make("port", port=80).wants()) == [ListenerWant("tcp", 80, owners=False, connect=False)]


def test_that_nothing_listens_is_observed_as_free() -> None:
    found = [judge(make("port", port=80, state=state), node(listeners=[]))[0] for state in ("listening", "free")]

    assert [(finding.observed, finding.status) for finding in found] == [("free", CRITICAL), ("free", OK)]


def test_a_unit_is_asked_for_what_it_listens_on() -> None:
    sockets, processes, unit = make("port", port=80, unit="web.service", connect=True).wants()
    assert sockets == ListenerWant("tcp", 80, owners=True, connect=True)
    assert isinstance(processes, ProcessWant)
    assert set(processes.fields) == {"exe", "unit"}
    assert unit == UnitWant("web.service", ("TriggeredBy", "Listen"))
