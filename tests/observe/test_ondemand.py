"""What systemd would start for whoever connects is not connected to. Here this very process stands in for systemd."""

import os
import pathlib
import socket
import subprocess
import time
from functools import partial

import pytest

from nodecheck.node import ondemand, systemd
from nodecheck.node.connections import Connections
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import file as files
from nodecheck.node.windows import http, tcp, tls

from .netns import Network
from .test_connections import listener_of, reason

SAYS = "only systemd listens on it, and would start the service for whoever connects, so that was not tried"


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ondemand, "SYSTEMD", os.getpid())
    monkeypatch.setattr(systemd, "booted_with_systemd", lambda: True)
    ondemand._ports_of_systemd.cache_clear()


def is_untouched(server: socket.socket) -> bool:
    server.setblocking(False)
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return True
    return False


@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("type_name", ["tcp", "http", "tls"])
def test_a_port_of_this_host_is_not_connected_to(bound: str, type_name: str) -> None:
    with socket.create_server((bound, 0)) as server:
        port = server.getsockname()[1]
        looks = {
            "tcp": lambda: tcp.look(tcp.TcpWant(f"127.0.0.1:{port}", seconds=0.5)),
            "http": lambda: http.look(http.HttpWant(f"http://127.0.0.1:{port}/", seconds=0.5)),
            "tls": lambda: tls.look(tls.TlsWant(address=f"127.0.0.1:{port}", seconds=0.5)),
        }
        with pytest.raises(Unobserved, match=SAYS):
            looks[type_name]()
        assert is_untouched(server)


def test_a_socket_in_the_file_system_is_not_connected_to(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "on.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with pytest.raises(Unobserved, match=SAYS):
            tcp.look(tcp.TcpWant(f"unix://{path}", seconds=0.5))
        with pytest.raises(Unobserved, match=SAYS):
            http.look(http.HttpWant(f"unix://{path}:/", seconds=0.5))
        assert is_untouched(server)


def test_that_somebody_listens_on_a_socket_is_told_without_connecting(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "on.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        (seen,) = files.look(files.PathWant(str(path), (files.LISTENING,)))["files"]
        assert seen[files.LISTENING] == files.YES
        assert is_untouched(server)


def test_a_port_that_is_judged_to_accept_is_not_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = listener_of(server)
        (made,) = Connections([listener]).results(time.monotonic() + 0.5).values()
        assert SAYS in reason(made)
        assert is_untouched(server)


def test_a_service_that_runs_has_its_socket_too_and_is_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with subprocess.Popen(["sleep", "60"], pass_fds=[server.fileno()]) as service:
            seen = tcp.look(tcp.TcpWant(f"127.0.0.1:{port}", seconds=0.5))
            service.kill()
    assert [tried["outcome"] for tried in seen["tries"]] == ["open"]


@pytest.mark.parametrize(
    "address", [("192.0.2.1", 80), ("127.0.0.2", 80)], ids=["of another host", "where nobody listens"]
)
def test_what_nobody_here_listens_on_wakes_nobody(address: tuple[str, int]) -> None:
    with socket.create_server(("127.0.0.1", 0)):
        assert not ondemand.would_wake(socket.AF_INET, address)


def test_another_host_is_connected_to_although_any_address_can_be_bound(network: Network) -> None:
    network.do(lambda: pathlib.Path("/proc/sys/net/ipv4/ip_nonlocal_bind").write_text("1"))
    network.ip("link set lo up", "addr add 10.0.0.2/32 dev lo")
    hosts = ("127.0.0.1", "10.0.0.2", "10.0.0.3")
    with network.do(lambda: socket.create_server(("0.0.0.0", 0))) as server:
        port = server.getsockname()[1]
        would = [network.do(partial(ondemand.would_wake, socket.AF_INET, (host, port))) for host in hosts]
    assert would == [True, True, False]


def test_where_systemd_does_not_run_process_1_is_one_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "booted_with_systemd", lambda: False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not ondemand.would_wake(socket.AF_INET, server.getsockname())


@pytest.mark.skipif(os.getuid() != 0, reason="needs to become another user")
def test_who_does_not_see_what_systemd_holds_connects_to_ports_and_not_to_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(ondemand, "SYSTEMD", 1)
    path = tmp_path / "on.sock"
    with socket.socket(socket.AF_UNIX) as file, socket.create_server(("127.0.0.1", 0)) as port:
        file.bind(str(path))
        file.listen()
        monkeypatch.setattr(ondemand, "_holds", lambda pid, inodes: None if pid == 1 else False)
        assert not ondemand.would_wake(socket.AF_INET, port.getsockname())
        with pytest.raises(Unobserved, match="could not be seen") as raised:
            ondemand.would_wake(socket.AF_UNIX, str(path))
        (seen,) = files.look(files.PathWant(str(path), (files.LISTENING,)))["files"]
    assert raised.value.remedy == "run nodecheck as root"
    assert seen["unseen"] == {files.LISTENING: raised.value.reason}
