import os
import pathlib
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from nodecheck.node import sockets
from nodecheck.node.sockets import Listener, with_owners
from nodecheck.node.unobserved import Unobserved

from .children import NOBODY, elsewhere
from .streams import TCP, UDP, V4, V6, bound, port_of

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
READERS = ["sock_diag", "/proc/net"]


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to read the sockets have to see the same."""
    by_kernel = request.param == "sock_diag"
    monkeypatch.setattr(sockets, "answers_without_loading", lambda _: by_kernel)
    return str(request.param)


def listeners(port: int, protocol: str = "tcp") -> list[Listener]:
    return [listener for listener in sockets.collect({protocol}) if listener.port == port]


@pytest.mark.parametrize(
    ("kind", "family", "address", "seen"),
    [
        (TCP, V4, "127.0.0.1", ("tcp", 4, "127.0.0.1")),
        (TCP, V4, "127.1.2.3", ("tcp", 4, "127.1.2.3")),
        (TCP, V4, "0.0.0.0", ("tcp", 4, "0.0.0.0")),
        (TCP, V6, "::1", ("tcp", 6, "::1")),
        (TCP, V6, "::", ("tcp", 6, "::")),
        (TCP, V6, "::ffff:127.0.0.1", ("tcp", 6, "::ffff:127.0.0.1")),
        (UDP, V4, "127.0.0.1", ("udp", 4, "127.0.0.1")),
        (UDP, V4, "0.0.0.0", ("udp", 4, "0.0.0.0")),
        (UDP, V6, "::1", ("udp", 6, "::1")),
        (UDP, V6, "::", ("udp", 6, "::")),
        (UDP, V6, "::ffff:127.0.0.1", ("udp", 6, "::ffff:127.0.0.1")),
    ],
)
def test_a_socket_is_seen_as_it_is_bound(
    reader: str, kind: socket.SocketKind, family: socket.AddressFamily, address: str, seen: tuple[str, int, str]
) -> None:
    with bound(address, kind=kind, family=family) as server:
        (listener,) = listeners(port_of(server), seen[0])
        expected = (*seen, port_of(server), os.fstat(server.fileno()).st_ino, 0)
    assert expected == (*listener[:5], listener.queued)


@pytest.mark.parametrize("kind", [TCP, UDP])
@pytest.mark.parametrize("only", [True, False])
def test_whether_a_socket_serves_ipv4_too_is_told_by_the_kernel(kind: socket.SocketKind, only: bool) -> None:
    with bound("::", kind=kind, family=V6, v6only=only) as server:
        (listener,) = listeners(port_of(server), "tcp" if kind is TCP else "udp")
    assert only is listener.v6only


def test_whether_a_socket_serves_ipv4_too_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "answers_without_loading", lambda _: False)
    with bound("::", family=V6, v6only=False) as server:
        (listener,) = listeners(port_of(server))
    assert (listener.v6only, listener.backlog) == (None, None)


def test_many_sockets_are_all_seen(reader: str) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(bound("127.0.0.1")) for _ in range(500)]
        seen = {listener.port for listener in sockets.collect({"tcp"})}
        assert {port_of(server) for server in servers} <= seen


def test_several_sockets_may_share_a_port(reader: str) -> None:
    with bound("127.0.0.1", reuse=True) as first, bound("127.0.0.1", port=port_of(first), reuse=True):
        assert len({listener.inode for listener in listeners(port_of(first))}) == 2


def test_connections_are_no_listeners(reader: str) -> None:
    with bound("127.0.0.1") as server, socket.create_connection(server.getsockname()), server.accept()[0]:
        assert len(listeners(port_of(server))) == 1


def test_a_udp_socket_with_a_peer_is_no_listener(reader: str) -> None:
    with bound("127.0.0.1", kind=UDP) as server:
        server.connect(("127.0.0.1", 9))
        assert listeners(port_of(server), "udp") == []


def test_a_tcp_socket_that_is_bound_and_does_not_listen_is_no_listener(reader: str) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        assert listeners(port_of(server)) == []


def test_the_queue_of_connections_that_nobody_accepts_is_counted(reader: str) -> None:
    with bound("127.0.0.1", backlog=7) as server, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(socket.create_connection(server.getsockname()))
        (listener,) = listeners(port_of(server))
    assert (3, 7 if reader == "sock_diag" else None) == (listener.queued, listener.backlog)


def test_a_socket_of_several_paths_has_its_owner() -> None:
    try:
        server = socket.socket(V4, TCP, 262)  # IPPROTO_MPTCP: what a Go program listens with today
    except OSError as error:
        pytest.skip(f"this kernel has no multipath TCP: {error}")
    with server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = port_of(server)
        (listener,) = with_owners(listeners(port), {("tcp", port)})
    assert (os.getpid(),) == listener.owners


def test_both_readers_agree_on_all_sockets_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(by_kernel: bool) -> set[tuple[Any, ...]]:
        monkeypatch.setattr(sockets, "answers_without_loading", lambda _: by_kernel)
        return {listener[:5] for listener in sockets.collect({"tcp", "udp"})}

    with bound("127.0.0.1"), bound("::", family=V6), bound("0.0.0.0", kind=UDP), bound("::1", kind=UDP, family=V6):
        for _ in range(5):  # others open and close sockets too
            by_kernel, by_table = look(True), look(False)
            if by_kernel == by_table:
                break
    assert by_kernel == by_table


# ---- who holds it


def test_all_holders_are_told() -> None:
    with bound("127.0.0.1") as server:
        port = port_of(server)
        child = subprocess.Popen(["sleep", "60"], pass_fds=[server.fileno()])
        (listener,) = with_owners(listeners(port), {("tcp", port)})
        child.kill()
        child.wait()
    assert tuple(sorted((os.getpid(), child.pid))) == listener.owners


def test_owners_are_looked_for_only_where_they_are_wanted() -> None:
    with bound("127.0.0.1") as asked, bound("127.0.0.1") as other:
        found = with_owners(sockets.collect({"tcp"}), {("tcp", port_of(asked))})
        by_port = {listener.port: listener.owners for listener in found}
        assert ((os.getpid(),), None) == (by_port[port_of(asked)], by_port[port_of(other)])


@root
def test_owners_that_this_user_may_not_see_are_unknown() -> None:
    with bound("127.0.0.1") as server:
        port = port_of(server)
        seen = elsewhere(lambda: [tuple(found) for found in with_owners(listeners(port), {("tcp", port)})], user=NOBODY)
    (listener,) = (Listener(*found) for found in seen)
    assert ("127.0.0.1", port, None) == (listener.address, listener.port, listener.owners)


@pytest.mark.parametrize(
    ("pids", "all_seen", "owners"), [([7], True, (7,)), ([7], False, (7,)), (None, True, ()), (None, False, None)]
)
def test_nobody_is_said_to_hold_a_socket_only_when_all_was_seen(
    pids: list[int] | None, all_seen: bool, owners: tuple[int, ...] | None
) -> None:
    assert owners == sockets._owners(pids, all_seen=all_seen)


# ---- modules


@pytest.fixture
def modules(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    """The places where the kernel tells of its modules, in a folder of our own."""
    real_isdir, real_exists, real_open = os.path.isdir, os.path.exists, open
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "modules").write_text("")
    monkeypatch.setattr(os.path, "isdir", lambda path: real_isdir(f"{tmp_path}{path}"))
    monkeypatch.setattr(os.path, "exists", lambda path: real_exists(f"{tmp_path}{path}"))
    monkeypatch.setattr("builtins.open", lambda path, **options: real_open(f"{tmp_path}{path}", **options))
    yield tmp_path
    monkeypatch.undo()


def test_a_module_that_is_loaded_may_be_asked(modules: pathlib.Path) -> None:
    (modules / "sys/module/tcp_diag").mkdir(parents=True)
    assert tuple(sockets.answers_without_loading(name) for name in ("tcp_diag", "udp_diag")) == (True, False)


def test_a_module_that_is_built_in_may_be_asked(modules: pathlib.Path) -> None:
    folder = modules / "lib/modules" / os.uname().release
    folder.mkdir(parents=True)
    (folder / "modules.builtin").write_text("kernel/net/ipv4/tcp_diag.ko\nkernel/net/ipv4/inet_diag.ko\n")
    assert tuple(sockets.answers_without_loading(name) for name in ("tcp_diag", "udp_diag")) == (True, False)


def test_a_kernel_without_modules_may_be_asked(modules: pathlib.Path) -> None:
    (modules / "proc" / "modules").unlink()
    assert sockets.answers_without_loading("tcp_diag")


def test_a_container_does_not_make_the_kernel_load_a_module_from_the_disk_of_its_host(modules: pathlib.Path) -> None:
    assert not sockets.answers_without_loading("tcp_diag")


def test_the_kernel_is_not_asked_where_that_loads_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "answers_without_loading", lambda _: False)
    opened: list[Any] = []
    with bound("127.0.0.1") as server:
        monkeypatch.setattr("socket.socket", lambda *arguments: opened.append(arguments))
        seen = listeners(port_of(server))
        monkeypatch.undo()
    assert (len(seen), opened) == (1, [])


@pytest.mark.parametrize("number", [2, 13, 22, 93])  # ENOENT, EACCES, EINVAL, EPROTONOSUPPORT
def test_where_the_kernel_refuses_the_tables_are_read(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(_protocol: str, _family: int) -> list[Listener]:
        raise OSError(number, "refused")

    monkeypatch.setattr(sockets, "_ask_kernel", refuse)
    with bound("127.0.0.1") as server:
        assert [listener.address for listener in listeners(port_of(server))] == ["127.0.0.1"]


def test_a_kernel_that_does_not_answer_is_dark(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_protocol: str, _family: int) -> list[Listener]:
        raise OSError(105, "No buffer space available")

    monkeypatch.setattr(sockets, "_ask_kernel", fail)
    with pytest.raises(Unobserved, match="the listening sockets cannot be read: No buffer space available") as caught:
        sockets.collect({"tcp"})
    assert caught.value.source == "sockets"


def test_a_host_without_ipv6_has_no_table_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = open

    def without(path: str, **options: Any) -> Any:
        if path.endswith("6"):
            raise FileNotFoundError(path)
        return real_open(path, **options)

    monkeypatch.setattr(sockets, "answers_without_loading", lambda _: False)
    with bound("127.0.0.1") as server, bound("::1", family=V6):
        monkeypatch.setattr("builtins.open", without)
        seen = sockets.collect({"tcp"})
        monkeypatch.undo()
        assert ({4}, True) == ({listener.family for listener in seen}, port_of(server) in {one.port for one in seen})


# ---- sockets in the file system


def test_those_that_listen_are_told_whatever_others_are_called(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "a b")
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as other:
        listening.bind(path)
        other.bind(f"\0{tmp_path}\nx 1 2 zz 4 5 6 7 \xff")
        assert path not in [found for _, found in sockets.listening_files()]
        listening.listen()
        assert (os.fstat(listening.fileno()).st_ino, path) in sockets.listening_files()
