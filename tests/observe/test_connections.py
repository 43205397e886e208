import os
import pathlib
import socket
import struct
import threading
import time
from contextlib import ExitStack, suppress

import pytest

from nodecheck.node import sockets
from nodecheck.node.connections import Connections
from nodecheck.node.sockets import Connection, Listener
from nodecheck.node.unobserved import Unobserved

from .children import elsewhere, own_network
from .streams import V6, bound

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a network of its own")
SECONDS = 0.3


def listener_of(server: socket.socket) -> Listener:
    inode = os.fstat(server.fileno()).st_ino
    (listener,) = (listener for listener in sockets.collect({"tcp"}) if listener.inode == inode)
    return listener


def connect(*listeners: Listener, seconds: float = SECONDS) -> list[Connection | Unobserved]:
    results = Connections(list(listeners)).results(time.monotonic() + seconds)
    return [results[listener.inode] for listener in listeners]


def accept_for_ever(server: socket.socket) -> None:
    """Take connections until none came for a second."""
    own = server.dup()  # a number of its own: that of a closed socket is soon another file's

    def accept() -> None:
        with own, suppress(TimeoutError):
            own.settimeout(1)
            while True:
                own.accept()[0].close()

    threading.Thread(target=accept, daemon=True).start()


def reason(made: Connection | Unobserved) -> str:
    return made.reason if isinstance(made, Unobserved) else str(made)


def outcome(made: Connection | Unobserved) -> tuple[str, bool | None]:
    assert isinstance(made, Connection), reason(made)
    return made.error, made.accepted


@pytest.mark.parametrize(
    ("address", "family"),
    [("127.0.0.1", socket.AF_INET), ("0.0.0.0", socket.AF_INET), ("127.9.9.9", socket.AF_INET), ("::1", V6), ("::", V6),
     ("::ffff:127.0.0.1", V6)],
)  # fmt: skip
def test_a_process_that_takes_connections_accepts(address: str, family: socket.AddressFamily) -> None:
    with bound(address, family=family) as server:
        accept_for_ever(server)
        (made,) = connect(listener_of(server), seconds=5)
    assert outcome(made) == ("", True)
    assert isinstance(made, Connection)
    assert made.seconds < 1


def test_a_process_that_takes_no_connection_does_not_accept_and_costs_its_deadline_only() -> None:
    with bound("127.0.0.1") as server:
        started = time.monotonic()
        (made,) = connect(listener_of(server))
        took = time.monotonic() - started
    assert outcome(made) == ("", False)
    assert SECONDS <= took < SECONDS + 0.2


@pytest.mark.parametrize("accepts", [True, False])
def test_a_socket_that_waits_for_data_before_it_queues_a_connection_is_judged_by_its_process(accepts: bool) -> None:
    with bound("127.0.0.1") as server:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)  # as Apache does
        if accepts:
            accept_for_ever(server)
        (made,) = connect(listener_of(server), seconds=5 if accepts else SECONDS)
    assert outcome(made) == ("", accepts)


def test_a_full_queue_gives_no_answer_and_costs_its_deadline_only() -> None:
    with bound("127.0.0.1", backlog=0) as server, ExitStack() as stack:
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)  # the standard library's signature
            filler.connect_ex(server.getsockname())
        time.sleep(0.05)
        started = time.monotonic()
        listener = listener_of(server)
        (made,) = connect(listener)
        took = time.monotonic() - started
    assert outcome(made) == ("no answer", None)
    assert listener.queued > (listener.backlog or 0)
    assert took < SECONDS + 0.2


def test_a_port_that_was_closed_meanwhile_refuses() -> None:
    with bound("127.0.0.1") as server:
        listener = listener_of(server)
    assert [outcome(made) for made in connect(listener)] == [("Connection refused", None)]


def test_a_socket_that_goes_away_before_it_accepts_is_left_undecided() -> None:
    with bound("127.0.0.1") as server:
        tries = Connections([listener_of(server)])
        inode = os.fstat(server.fileno()).st_ino
    made = tries.results(time.monotonic() + SECONDS)[inode]
    assert isinstance(made, Connection)
    assert made.accepted is not False


def test_a_process_that_takes_a_connection_and_resets_it_before_we_look_accepts() -> None:
    """As RabbitMQ and MariaDB do when nobody speaks to them for ten seconds."""
    with bound("127.0.0.1") as server:
        listener = listener_of(server)
        tries = Connections([listener])
        taken = server.accept()[0]
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close sends a reset
        taken.close()

        assert outcome(tries.results(time.monotonic() + SECONDS)[listener.inode]) == ("", True)


def test_many_sockets_are_tried_at_once() -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(bound("127.0.0.1")) for _ in range(50)]
        started = time.monotonic()
        made = connect(*(listener_of(server) for server in servers))
        assert time.monotonic() - started < 2 * SECONDS + 0.5
    assert [outcome(one) for one in made] == [("", False)] * 50


def test_one_that_hangs_does_not_darken_the_other() -> None:
    with bound("127.0.0.1") as good, bound("127.0.0.1") as bad:
        accept_for_ever(good)
        made = connect(listener_of(good), listener_of(bad))
    assert [outcome(one) for one in made] == [("", True), ("", False)]


def test_without_any_time_left_nothing_is_said_of_the_listener() -> None:
    with bound("127.0.0.1") as server:
        (made,) = connect(listener_of(server), seconds=-1)
    assert "no time was left" in reason(made)


def test_tries_that_are_given_up_leave_nothing_open() -> None:
    before = os.listdir("/proc/self/fd")
    with bound("127.0.0.1") as server:
        Connections([listener_of(server)]).close()
    assert len(before) == len(os.listdir("/proc/self/fd"))


def link_local() -> tuple[str, int]:
    """Return an IPv6 address of one link, and the number of its interface."""
    for line in pathlib.Path("/proc/net/if_inet6").read_text().splitlines():
        address, interface, _, scope, flags, _ = line.split()
        if scope == "20" and not int(flags, 16) & 0x48:  # neither tentative nor refused as a duplicate
            return socket.inet_ntop(V6, bytes.fromhex(address)), int(interface, 16)
    pytest.skip("no interface here has an IPv6 address of its link")


@pytest.mark.parametrize("accepts", [True, False])
def test_a_socket_on_an_address_of_one_link_is_reached_over_its_interface(accepts: bool) -> None:
    address, interface = link_local()
    with bound(address, family=V6, scope=interface) as server:
        if accepts:
            accept_for_ever(server)
        listener = listener_of(server)
        (made,) = connect(listener)
    assert interface == listener.interface
    assert ("", accepts) == outcome(made)


def test_a_socket_on_an_address_of_one_link_whose_interface_is_not_known_is_not_judged() -> None:
    address, interface = link_local()
    with bound(address, family=V6, scope=interface) as server:
        (made,) = connect(listener_of(server)._replace(interface=0))
    assert f"no connection to {address} port {listener_port(made)} could be tried: Invalid argument" == reason(made)


def listener_port(made: Connection | Unobserved) -> str:
    return reason(made).partition(" port ")[2].partition(" ")[0]


@root
@pytest.mark.parametrize(("address", "family"), [("0.0.0.0", socket.AF_INET), ("::", V6)])
def test_a_socket_of_one_interface_only_is_not_judged(address: str, family: socket.AddressFamily) -> None:
    _, name = max(socket.if_nameindex())
    server = socket.socket(family, socket.SOCK_STREAM)
    with server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
        server.bind((address, 0))
        server.listen()
        (made,) = connect(listener_of(server))
    assert "it serves one network interface only" in reason(made)


def switch_off_ipv6() -> None:
    own_network()
    pathlib.Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")


@root
@pytest.mark.parametrize(("v6only", "expected"), [(False, ("", True)), (True, "could not be tried")])
def test_where_ipv6_is_switched_off_a_socket_on_all_addresses_still_serves_ipv4(
    v6only: bool, expected: tuple[str, bool] | str
) -> None:
    def look() -> tuple[str, bool | None] | str:
        with bound("::", family=V6, v6only=v6only) as server:
            accept_for_ever(server)
            (made,) = connect(listener_of(server), seconds=2)
        return outcome(made) if isinstance(made, Connection) else made.reason.replace("no connection", "")[-200:]

    seen = elsewhere(look, prepare=switch_off_ipv6)
    assert expected == seen if isinstance(expected, tuple) else "Cannot assign requested address" in seen


def test_an_own_error_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    with bound("127.0.0.1") as server:
        listener = listener_of(server)
        monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: 1)
        (made,) = connect(listener)
    assert "could be tried: Operation not permitted" in reason(made)
