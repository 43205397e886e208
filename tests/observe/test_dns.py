"""Real questions to name servers that answer, refuse, lie and keep silent; and to the resolver of the node."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from nodecheck.node import dnsmessage, nameservice
from nodecheck.node.looks import Looks
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import dns
from nodecheck.node.windows.dns import DnsWant
from nodecheck.node.windows.tcp import TcpWant

from .nameserver import a, name_server, record, reply
from .netns import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "kubernetes.default.svc.cluster.local"
SECONDS = 0.5


def look(server: str, name: str = NAME, type: str = "A", seconds: float = SECONDS) -> dict[str, Any]:
    """Look, see that it was in time, and that what was seen has its shape."""
    started = time.monotonic()
    seen = dns.look(DnsWant(name, type, server, seconds))
    assert time.monotonic() - started < seconds + 0.2
    assert seen == dns.SHAPE(seen, "")
    return seen


def told(seen: dict[str, Any]) -> tuple[str, str, list[str]]:
    return seen["outcome"], seen["rcode"], seen["answers"]


def test_a_server_answers() -> None:
    with name_server(lambda ask: [reply(ask, a("10.96.0.1"), a("10.96.0.2"))]) as server:
        seen = look(server)
    assert told(seen) == ("answered", "NOERROR", ["10.96.0.1", "10.96.0.2"])
    assert seen["seconds"] < SECONDS


def test_a_server_that_knows_no_such_name() -> None:
    with name_server(lambda ask: [reply(ask, rcode=3)]) as server:
        assert told(look(server)) == ("answered", "NXDOMAIN", [])


def test_a_server_that_never_answers() -> None:
    with name_server(lambda ask: []) as server:
        seen = look(server)
    assert (told(seen), seen["ignored"]) == (("silent", "", []), 0)
    assert seen["seconds"] >= SECONDS


def test_a_datagram_may_get_lost() -> None:
    asked: list[bytes] = []

    def second_time(ask: bytes) -> list[bytes]:
        asked.append(ask)
        return [reply(ask, a("10.96.0.1"))] if len(asked) == 2 else []

    with name_server(second_time) as server:
        assert told(look(server)) == ("answered", "NOERROR", ["10.96.0.1"])
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    "lie",
    [
        lambda ask: b"garbage",
        lambda ask: reply(ask, a("10.6.6.6"), number=(ask[0] << 8 | ask[1]) ^ 1),
        lambda ask: reply(ask[:12] + dnsmessage.question(0, "other.example", "A")[12:], a("10.6.6.6")),
        lambda ask: ask,
    ],
)
def test_what_is_no_answer_is_waited_past(lie: Callable[[bytes], bytes]) -> None:
    with name_server(lambda ask: [lie(ask), reply(ask, a("10.96.0.1"))]) as server:
        seen = look(server)
    assert (told(seen), seen["ignored"]) == (("answered", "NOERROR", ["10.96.0.1"]), 1)


def test_a_server_that_answers_garbage_only_gives_no_answer() -> None:
    with name_server(lambda ask: [b"garbage"]) as server:
        seen = look(server)
    assert (seen["outcome"], seen["ignored"]) == ("silent", dns.SENT)


def test_a_server_that_floods_is_left_in_time() -> None:
    with name_server(lambda ask: [b"x"] * 5000) as server:
        assert look(server)["outcome"] == "silent"


def test_an_answer_of_somebody_else_is_not_taken() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, contextlib.ExitStack() as ended:
        server.bind(("127.0.0.1", 0))

        def forge() -> None:
            ask, asking = server.recvfrom(512)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.sendto(reply(ask, a("10.6.6.6")), asking)

        thread = threading.Thread(target=forge)
        thread.start()
        ended.callback(thread.join)
        assert look(f"127.0.0.1:{server.getsockname()[1]}")["outcome"] == "silent"


def test_where_nothing_listens_that_is_known_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    seen = look(f"127.0.0.1:{port}")
    assert (seen["outcome"], seen["error"]) == ("refused", "Connection refused")
    assert seen["seconds"] < SECONDS / 2


class Rejected(socket.socket):
    """Sends, and is told what a packet filter of this node says to whoever sends what it rejects."""

    def send(self, data: Any, flags: int = 0) -> int:
        super().send(data, flags)
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


class Dropped(Rejected):
    """The same where a packet filter drops it."""

    def send(self, data: Any, flags: int = 0) -> int:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


def test_a_question_that_this_node_rejects_is_refused_and_one_that_it_drops_was_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = f"127.0.0.1:{free_port()}"
    monkeypatch.setattr(socket, "socket", Rejected)
    assert look(server)["outcome"] == "refused"
    monkeypatch.setattr(socket, "socket", Dropped)
    with pytest.raises(PermissionError):
        look(server)


@pytest.mark.parametrize(
    ("route", "error"),
    [
        ("", "Network is unreachable"),
        ("unreachable 10.96.0.0/16", "No route to host"),
        ("blackhole 10.96.0.0/16", "its route is a blackhole"),
    ],
)
def test_a_server_to_which_no_way_leads(network: Network, route: str, error: str) -> None:
    network.ip("link set lo up", *([f"route add {route}"] if route else []))
    seen = network.do(lambda: look("10.96.0.10"))
    assert (seen["outcome"], seen["error"]) == ("unreachable", error)


def test_a_server_that_this_node_may_not_send_to_was_not_seen(network: Network) -> None:
    network.ip("link set lo up", "route add prohibit 10.96.0.0/16")
    with pytest.raises(OSError, match="Permission denied"):
        network.do(lambda: look("10.96.0.10"))


# ---- answers that are too large for a datagram


def truncated(ask: bytes) -> list[bytes]:
    return [reply(ask, flags=0x0200)]


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def many(ask: bytes) -> bytes:
    return framed(reply(ask, *(a(f"10.0.0.{number}") for number in range(200))))


@pytest.mark.parametrize("pieces", [1, 1000])
def test_a_large_answer_comes_by_tcp(pieces: int) -> None:
    def in_pieces(ask: bytes) -> list[bytes]:
        data = many(ask)
        size = -(-len(data) // pieces)
        return [data[start : start + size] for start in range(0, len(data), size)]

    with name_server(truncated, in_pieces) as server:
        seen = look(server)
    assert (seen["outcome"], len(seen["answers"])) == ("answered", 200)


@pytest.mark.parametrize(
    ("by_tcp", "error"),
    [
        (None, "Connection refused"),
        (lambda ask: [many(ask)[:100]], "it ended the connection in the middle of its answer"),
        (lambda ask: [b""], "it ended the connection in the middle of its answer"),
        (lambda ask: [framed(b"garbage")], "what came is no message of a name server"),
        (lambda ask: time.sleep(SECONDS + 0.1) or [], "nothing came in time"),  # type: ignore[func-returns-value]  # it sleeps
    ],
)
def test_a_large_answer_that_does_not_come_by_tcp(by_tcp: Callable[[bytes], list[bytes]] | None, error: str) -> None:
    with name_server(truncated, by_tcp) as server:
        seen = look(server)
    assert (seen["outcome"], seen["error"]) == ("truncated", error)


# ---- servers and names, as they are written


@pytest.mark.parametrize(
    ("written", "server"),
    [
        ("10.96.0.10", ("10.96.0.10", 53)),
        ("10.96.0.10:5353", ("10.96.0.10", 5353)),
        ("fd00::10", ("fd00::10", 53)),
        ("::1", ("::1", 53)),
        ("[fd00::10]", ("fd00::10", 53)),
        ("[fd00::10]:5353", ("fd00::10", 5353)),
    ],
)
def test_a_server_is_an_address_with_or_without_a_port(written: str, server: tuple[str, int]) -> None:
    assert dns.parse_server(written) == server


@pytest.mark.parametrize(
    "written",
    ["", "dns.example", "10.96.0.10:", "10.96.0.10:0", "10.96.0.10:65536", "10.96.0.10:dns", "[::1]:x", "1.2.3"],
)
def test_what_is_no_server_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"is no port|does not appear to be"):
        dns.parse_server(written)


def test_an_address_is_asked_for_backwards() -> None:
    asked: list[bytes] = []

    def note(ask: bytes) -> list[bytes]:
        asked.append(ask)
        return [reply(ask, record("PTR", b"\x04node\x00"))]

    with name_server(note) as server:
        assert told(look(server, "10.96.0.1", "PTR")) == ("answered", "NOERROR", ["node"])
    assert b"\x011\x010\x0296\x0210\x07in-addr\x04arpa\x00" in asked[0]


# ---- the resolver of the node: what a real one says depends on the machine


GETADDRINFO = socket.getaddrinfo


def resolver(monkeypatch: pytest.MonkeyPatch, answer: Callable[..., Any]) -> None:
    """A resolver that answers so; addresses that are written as such are read as ever."""

    def resolve(*args: Any, **options: Any) -> Any:
        return GETADDRINFO(*args, **options) if options else answer(*args)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def refuse(code: int, words: str) -> Callable[..., Any]:
    def answer(*_: Any) -> Any:
        raise socket.gaierror(code, words)

    return answer


@pytest.fixture
def resolv_conf(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A resolv.conf of the test's own."""
    path = tmp_path / "resolv.conf"
    monkeypatch.setattr(nameservice, "RESOLV_CONF", str(path))
    return path


@pytest.fixture
def hung() -> Iterator[Callable[..., Any]]:
    """A resolver that hangs until the test is over."""
    awake = threading.Event()
    yield lambda *_: awake.wait(60) and []
    awake.set()


def test_the_resolver_knows_localhost() -> None:
    assert told(look("", "localhost")) == ("answered", "", ["127.0.0.1"])


@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_NODATA])
def test_the_resolver_knows_no_such_name(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    resolver(monkeypatch, refuse(code, "Name or service not known"))
    seen = look("")
    assert (told(seen), seen["error"]) == (("answered", "", []), "Name or service not known")


def test_a_resolver_that_is_broken_otherwise_was_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch, refuse(socket.EAI_MEMORY, "Memory allocation failure"))
    with pytest.raises(Unobserved, match="could not be looked up: Memory allocation failure"):
        look("")


def test_where_the_resolver_hangs_its_servers_are_asked_one_by_one(
    network: Network, monkeypatch: pytest.MonkeyPatch, resolv_conf: pathlib.Path, hung: Callable[..., Any]
) -> None:
    resolv_conf.write_text("# none\nnameserver 127.0.0.2\nnameserver 127.0.0.3\nnameserver 10.0.0.1\nsearch x\n")
    resolver(monkeypatch, hung)
    network.ip("link set lo up")

    def look_within() -> dict[str, Any]:
        with (
            name_server(lambda ask: [reply(ask, rcode=2)], address=("127.0.0.2", 53)),
            name_server(lambda ask: [], address=("127.0.0.3", 53)),
        ):
            return look("", seconds=1.0)

    seen = network.do(look_within)
    assert seen["outcome"] == "silent"
    assert seen["servers"] == [
        {"server": "127.0.0.2", "is_this_node": True, "outcome": "answered", "rcode": "SERVFAIL"},
        {"server": "127.0.0.3", "is_this_node": True, "outcome": "silent", "rcode": ""},
        {"server": "10.0.0.1", "is_this_node": False, "outcome": "unreachable", "rcode": ""},
    ]


def test_where_the_resolver_gives_up_its_servers_are_asked(
    network: Network, monkeypatch: pytest.MonkeyPatch, resolv_conf: pathlib.Path
) -> None:
    resolver(monkeypatch, refuse(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    network.ip("link set lo up")
    seen = network.do(lambda: look(""))
    assert (seen["outcome"], seen["error"]) == ("failed", "Temporary failure in name resolution")
    assert seen["servers"] == [{"server": "127.0.0.1", "is_this_node": True, "outcome": "refused", "rcode": ""}]


def test_a_resolver_that_is_slow_is_heard_in_time(monkeypatch: pytest.MonkeyPatch, resolv_conf: pathlib.Path) -> None:
    resolv_conf.write_text("nameserver no.address\n")

    def slow(*_: Any) -> Any:
        time.sleep(0.8)
        return [(socket.AF_INET, 0, 0, "", ("10.96.0.1", 0))] * 2

    resolver(monkeypatch, slow)
    seen = look("", seconds=1.0)
    assert (told(seen), seen["servers"]) == (("answered", "", ["10.96.0.1"]), [])


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        (None, ["127.0.0.1"]),
        ("", ["127.0.0.1"]),
        ("nameserver\n;nameserver 10.0.0.9\nnameserver 10.0.0.1 # one\nnameserver\t10.0.0.2", ["10.0.0.1", "10.0.0.2"]),
        (" nameserver 10.0.0.1\n\tnameserver 10.0.0.2\nnameserver 10.0.0.3\n", ["10.0.0.3"]),
        ("".join(f"nameserver 10.0.0.{number}\n" for number in range(5)), ["10.0.0.0", "10.0.0.1", "10.0.0.2"]),
    ],
)
def test_the_servers_of_the_resolver(resolv_conf: pathlib.Path, text: str | None, servers: list[str]) -> None:
    if text is not None:
        resolv_conf.write_text(text)
    assert nameservice.servers() == servers


@pytest.mark.parametrize(
    ("server", "own"),
    [("127.0.0.53", True), ("192.0.2.77", False), ("2001:db8::1", False), ("fe80::1%nope", False), ("x y", False)],
)
def test_whether_a_server_is_this_node(server: str, own: bool) -> None:
    assert nameservice.is_this_node(server) is own


@pytest.mark.parametrize("bindable", ["0", "1"])
@pytest.mark.parametrize(
    ("server", "own"),
    [
        ("127.0.0.53", True), ("::1", True), ("10.0.0.2", True), ("10.0.0.1", False), ("10.0.0.255", False),
        ("192.0.2.77", False), ("fd00::2", True), ("fd00::3", False), ("fe80::2%v0", True), ("fe80::3%v0", False),
    ],
)  # fmt: skip
def test_that_one_can_bind_to_any_address_does_not_make_it_this_nodes(
    network: Network, server: str, own: bool, bindable: str
) -> None:
    lines = ("link add v0 type veth peer name v1", "link set v1 up", "link set v0 up", "addr add 10.0.0.2/24 dev v0")
    network.ip(*lines, *(f"addr add {address}::2/64 nodad dev v0" for address in ("fd00", "fe80")))
    for family in ("ipv4", "ipv6"):
        setting = pathlib.Path(f"/proc/sys/net/{family}/ip_nonlocal_bind")
        network.do(partial(setting.write_text, bindable))
    until = time.monotonic() + 2  # the kernel adds addresses of IPv6 by and by: addrconf_dad_work()
    while network.do(lambda: nameservice.is_this_node(server)) is not own:
        assert time.monotonic() < until


@pytest.mark.parametrize(
    ("want", "outcome"), [(DnsWant(NAME, seconds=0.3), "silent"), (TcpWant(f"{NAME}:22", seconds=0.3), "")]
)
def test_a_resolver_that_hangs_leaves_no_helper_behind(
    monkeypatch: pytest.MonkeyPatch, resolv_conf: pathlib.Path, hung: Callable[..., Any], want: Any, outcome: str
) -> None:
    resolver(monkeypatch, hung)
    looks = Looks([want])
    (seen,) = dict(looks.results(time.monotonic() + 5)).values()
    assert looks.close() == ""
    assert (seen.broken is False) if isinstance(seen, Unobserved) else (seen["outcome"] == outcome)


# ---- a real name server


@pytest.fixture(scope="module")
def dnsmasq() -> Iterator[str]:
    """Debian's dnsmasq, which knows of a few names."""
    program = shutil.which("dnsmasq") or shutil.which("dnsmasq", path="/usr/sbin")
    if not program:
        pytest.skip("there is no dnsmasq (dnsmasq-base) here")
    known = [
        "--host-record=kubernetes.default.svc.cluster.local,10.96.0.1,fd00::1",
        "--cname=api.example,kubernetes.default.svc.cluster.local",
        "--txt-record=txt.example,hello,world",
        "--srv-host=_dns._udp.example,ns.example,53,1,2",
        "--mx-host=example,mail.example,10",
        *(f"--host-record=many.example,10.1.{number // 250}.{number % 250}" for number in range(300)),
    ]
    port = str(free_port())
    plain = ["-k", "-C", "/dev/null", "-h", "-R", "--local=/#/", "-z", "-a", "127.0.0.1", "-p", port, "-u", "root"]
    with subprocess.Popen([program, *plain, "-x", "", *known], stderr=subprocess.PIPE, text=True) as started:
        deadline = time.monotonic() + 20
        while look(f"127.0.0.1:{port}")["outcome"] != "answered":
            assert started.poll() is None, started.stderr and started.stderr.read()
            assert time.monotonic() < deadline, "dnsmasq does not answer"
            time.sleep(0.02)
        yield f"127.0.0.1:{port}"
        started.terminate()


def free_port() -> int:
    """Return a port that is free for UDP and for TCP."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                udp.bind(tcp.getsockname())
                return int(tcp.getsockname()[1])


@pytest.mark.parametrize(
    ("name", "type", "answers"),
    [
        (NAME, "A", ["10.96.0.1"]),
        (NAME.upper(), "A", ["10.96.0.1"]),
        (NAME, "AAAA", ["fd00::1"]),
        ("api.example", "A", ["10.96.0.1"]),
        ("api.example", "CNAME", [NAME]),
        ("10.96.0.1", "PTR", [NAME]),
        ("txt.example", "TXT", ["helloworld"]),
        ("_dns._udp.example", "SRV", ["1 2 53 ns.example"]),
        ("example", "MX", ["10 mail.example"]),
    ],
)
def test_what_dnsmasq_answers(dnsmasq: str, name: str, type: str, answers: list[str]) -> None:
    assert told(look(dnsmasq, name, type)) == ("answered", "NOERROR", answers)


def test_what_dnsmasq_does_not_know_and_what_is_too_much_for_a_datagram(dnsmasq: str) -> None:
    assert told(look(dnsmasq, "no.example")) == ("answered", "NXDOMAIN", [])
    assert len(look(dnsmasq, "many.example")["answers"]) == 300
