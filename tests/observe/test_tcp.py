"""Real connections: taken, refused, filtered, never answered, and to what is no socket at all."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import tcp
from nodecheck.node.windows.tcp import TcpWant

from .netns import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 0.5


def look(address: str, *, banner: bool = False, seconds: float = SECONDS) -> dict[str, Any]:
    """Look, see that it was in time, and that what was seen has its shape."""
    started = time.monotonic()
    seen = tcp.look(TcpWant(address, banner=banner, seconds=seconds))
    assert time.monotonic() - started < seconds + 0.2
    assert seen == tcp.SHAPE(seen, "")
    return seen


def outcomes(seen: dict[str, Any]) -> list[str]:
    return [attempt["outcome"] for attempt in seen["tries"]]


@contextlib.contextmanager
def serving(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does this with its first connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            with contextlib.suppress(OSError), server.accept()[0] as taken:
                serve(taken)

        thread = threading.Thread(target=take)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@contextlib.contextmanager
def full(server: socket.socket, address: Any) -> Iterator[None]:
    """A server whose queue is full."""
    server.bind(address)
    server.listen(0)
    with contextlib.ExitStack() as waiting:
        for _ in range(3):
            client = waiting.enter_context(socket.socket(server.family))
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield


def left_behind(path: pathlib.Path, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
    """A socket whose process is gone."""
    with socket.socket(socket.AF_UNIX, kind) as server:
        server.bind(str(path))


def test_a_server_takes_the_connection() -> None:
    with serving(lambda taken: None) as address:
        seen = look(address)
    assert seen["tries"] == [{"peer": address, "outcome": "open", "error": ""}]
    assert seen["seconds"] < SECONDS


def test_a_name_is_tried_by_all_its_addresses() -> None:
    with serving(lambda taken: None) as address:
        seen = look(address.replace("127.0.0.1", "localhost"))
    assert outcomes(seen)[-1] == "open"


def test_a_port_on_which_nothing_listens_refuses() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        seen = look(f"127.0.0.1:{bound.getsockname()[1]}")
    assert seen["tries"][0]["outcome"] == "refused"
    assert seen["tries"][0]["error"] == "Connection refused"


def test_a_full_queue_never_answers() -> None:
    with socket.socket() as server, full(server, ("127.0.0.1", 0)):
        seen = look(f"127.0.0.1:{server.getsockname()[1]}")
    assert outcomes(seen) == ["silent"]
    assert seen["seconds"] >= SECONDS


def test_a_full_queue_of_a_unix_socket_is_known_to_be_full(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "x.sock")
    with socket.socket(socket.AF_UNIX) as server, full(server, path):
        assert outcomes(look(f"unix://{path}")) == ["full"]


def test_a_full_queue_of_a_unix_socket_that_empties_in_time_is_open(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "x.sock")
    with socket.socket(socket.AF_UNIX) as server, full(server, path):
        taker = threading.Timer(0.2, server.accept)
        taker.start()
        assert outcomes(look(f"unix://{path}", seconds=2)) == ["open"]
        taker.join()


@pytest.mark.parametrize(
    ("make", "outcome", "error"),
    [
        (lambda path: None, "missing", "No such file or directory"),
        (lambda path: path.mkdir(), "no socket", "it is a directory"),
        (lambda path: path.touch(), "no socket", "it is a regular file"),
        (left_behind, "refused", "Connection refused"),
        (lambda path: left_behind(path, socket.SOCK_DGRAM), "refused", "Connection refused"),
    ],
)
def test_what_stands_where_a_unix_socket_should(
    tmp_path: pathlib.Path, make: Callable[[pathlib.Path], None], outcome: str, error: str
) -> None:
    path = tmp_path / "docker.sock"
    make(path)
    assert look(f"unix://{path}")["tries"] == [{"peer": str(path), "outcome": outcome, "error": error}]


def test_a_datagram_socket_takes_no_connections(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        assert outcomes(look(f"unix://{path}")) == ["no socket"]


@pytest.mark.parametrize(
    ("route", "outcome"),
    [("", "no route"), ("unreachable 10.9.0.0/16", "unreachable"), ("blackhole 10.9.0.0/16", "no route")],
)
def test_where_no_way_leads_there(network: Network, route: str, outcome: str) -> None:
    network.ip("link set lo up", *([f"route add {route}"] if route else []))
    assert outcomes(network.do(lambda: look("10.9.0.1:22"))) == [outcome]


def test_a_connection_to_itself_is_none() -> None:
    with socket.socket() as self_made:
        self_made.bind(("127.0.0.1", 0))
        address = self_made.getsockname()
        assert tcp._connect(self_made, address, time.monotonic() + 1) == 111


def test_where_this_node_forbids_it_nothing_was_seen(network: Network) -> None:
    network.ip("link set lo up", "route add prohibit 10.9.0.0/16")
    with pytest.raises(Unobserved, match=r"no connection to 10\.9\.0\.1:22 could be tried: Permission denied"):
        network.do(lambda: look("10.9.0.1:22"))


@pytest.mark.parametrize(
    ("sent", "banner"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1\r\nand more\n", "SSH-2.0-OpenSSH_9.2p1"),
        (b"\x05no line end", "\x05no line end"),
        (b"\xff\xfe\n", "\\xff\\xfe"),
        (b"\n", ""),
        (b"x" * 5000, "x" * tcp.BANNER_BYTES),
    ],
)
def test_what_is_said_first_is_the_banner(sent: bytes, banner: str) -> None:
    with serving(lambda taken: taken.sendall(sent)) as address:
        assert look(address, banner=True)["banner"] == banner


def test_a_server_that_says_nothing() -> None:
    with serving(lambda taken: time.sleep(SECONDS + 0.1)) as address:
        seen = look(address, banner=True)
    assert (seen["banner"], seen["silence"]) == (None, "said nothing")


def test_a_server_that_drips_is_left_in_time() -> None:
    def drip(taken: socket.socket) -> None:
        for _ in range(20):
            taken.sendall(b"x")
            time.sleep(0.1)

    with serving(drip) as address:
        assert set(look(address, banner=True)["banner"]) == {"x"}


def test_a_server_that_ends_the_connection_at_once() -> None:
    with serving(lambda taken: None) as address:
        seen = look(address, banner=True)
    assert (seen["banner"], seen["silence"]) == (None, "ended the connection without a word")


def test_a_server_that_resets_the_connection() -> None:
    def reset(taken: socket.socket) -> None:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with serving(reset) as address:
        seen = look(address, banner=True)
    assert outcomes(seen) == ["open"]
    assert seen["banner"] is None
    # Where it came while we still connected, the kernel has told it already.
    assert seen["silence"] in ("ended the connection: Connection reset by peer", "ended the connection without a word")


def test_a_connection_that_is_reset_while_it_is_made_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    class ResetAtOnce(socket.socket):
        def connect(self, address: Any) -> None:
            raise ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr(socket, "socket", ResetAtOnce)
    assert outcomes(look("127.0.0.1:22")) == ["open"]


def test_an_address_that_cannot_be_tried_does_not_hide_another(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.ip("link set lo up")
    network.do(without_ipv6)
    with pytest.raises(Unobserved, match=r"no connection to \[::1\]:22 could be tried: "):
        network.do(lambda: look("[::1]:22"))

    def to_both() -> dict[str, Any]:
        with serving(lambda taken: None) as address:
            port = int(address.rpartition(":")[2])
            both = [(socket.AF_INET6, 0, 0, "", ("::1", port)), (socket.AF_INET, 0, 0, "", ("127.0.0.1", port))]
            name_service(monkeypatch, lambda *_: both)
            return look(address)

    assert outcomes(network.do(to_both)) == ["untried", "open"]


def without_ipv6() -> None:
    """Switch IPv6 off, in the network of the thread that calls."""
    pathlib.Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")


# ---- names


def name_service(monkeypatch: pytest.MonkeyPatch, answer: Callable[..., Any]) -> None:
    """A name service that answers so: what a real one says depends on the machine."""
    monkeypatch.setattr(socket, "getaddrinfo", answer)


def refuse(code: int, told: str) -> Callable[..., Any]:
    def answer(*_: Any) -> Any:
        raise socket.gaierror(code, told)

    return answer


def test_a_name_that_does_not_exist_is_a_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    name_service(monkeypatch, refuse(socket.EAI_NONAME, "Name or service not known"))
    seen = look("no.such.name.invalid:22")
    assert (seen["tries"], seen["unresolved"]) == ([], "Name or service not known")


def test_a_name_that_can_be_none_does_not_exist() -> None:
    assert look(f"{'x' * 64}.example:22")["unresolved"].startswith("this can be no name: ")


def test_where_no_name_server_answers_nothing_was_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    name_service(monkeypatch, refuse(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    with pytest.raises(Unobserved, match="could not be looked up: Temporary failure") as raised:
        look("db.example:22")
    assert raised.value.source == "name service"  # one cause, as for http and tls


def test_a_name_service_that_hangs_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    awake = threading.Event()
    name_service(monkeypatch, lambda *_: awake.wait(60) and [])
    with pytest.raises(Unobserved, match=r"the name service did not answer about db\.example"):
        look("db.example:22")
    awake.set()


def test_each_address_of_a_name_gets_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as server, full(server, ("127.0.0.1", 0)), serving(lambda taken: None) as address:
        open_port = int(address.rpartition(":")[2])
        both = [("127.0.0.1", server.getsockname()[1]), ("127.0.0.1", open_port)]
        name_service(monkeypatch, lambda *_: [(socket.AF_INET, 0, 0, "", peer) for peer in both])
        assert outcomes(look("db.example:22")) == ["silent", "open"]
