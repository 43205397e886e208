"""The sinks: the journal, syslog, files and streams, with servers that answer as the real ones do, or do not."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import resource
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from observe.pki import Authority
from records import change, check, run

from nodecheck.events import _stream, journal, syslog
from nodecheck.events.journal import MESSAGE_IDS
from nodecheck.events.sinks import Down, Sink
from nodecheck.report.result import Status

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

NATIVE = {"dialect": "native"}


def until(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


# ---- the journal


def fields(record: dict[str, Any]) -> dict[str, str]:
    return dict(journal.fields(record))


def test_an_entry_says_all_in_its_message_and_has_fields_to_search_by() -> None:
    found = fields(check())
    names = (
        "MESSAGE PRIORITY SYSLOG_IDENTIFIER NODECHECK_EVENT NODECHECK_CHECK NODECHECK_STATUS NODECHECK_RUN_ID".split()
    )
    expected = ["critical: b: b has failed", "3", "nodecheck", "check", "b", "critical", "0f3c"]
    assert expected == [found[name] for name in names]


def test_the_journal_of_a_unit_shows_what_was_found_about_it() -> None:
    assert [fields(check())[name] for name in ("UNIT", "OBJECT_SYSTEMD_UNIT")] == ["b.service"] * 2


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (run(), "run"),
        (check(), "check"),
        (check(Status.UNKNOWN), "unseen"),
        (change(), "change"),
        (change(Status.OK, Status.UNKNOWN), "unseen"),
        (change(Status.CRITICAL, Status.OK), "recovery"),
    ],
)
def test_each_kind_has_an_id_of_its_own(record: dict[str, Any], kind: str) -> None:
    assert MESSAGE_IDS[kind] == fields(record)["MESSAGE_ID"]


def test_names_are_such_as_the_journal_takes() -> None:
    names = {name for record in (run(), check(), change()) for name, _ in journal.fields(record)}
    assert [name for name in names if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", name)] == []
    assert {"NODECHECK_SUMMARY_CRITICAL", "NODECHECK_NODE_HOSTNAME"} <= names


def test_a_list_of_texts_is_a_field_several_times() -> None:
    found = [value for name, value in journal.fields(check(tags=("x", "y"))) if name == "NODECHECK_TAGS"]
    assert found == ["x", "y"]


def test_a_value_of_several_lines_goes_with_its_length() -> None:
    encoded = journal.encode([("A", "b"), ("C", "d\ne")])
    assert encoded == b"A=b\nC\n\x03\0\0\0\0\0\0\0d\ne\n"


@contextmanager
def journald(path: pathlib.Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        server.settimeout(5)
        yield server


def test_an_entry_is_a_datagram(tmp_path: pathlib.Path) -> None:
    records = [check(), run()]
    with journald(tmp_path / "socket") as server:
        assert list(journal.send(records, {"socket": str(tmp_path / "socket")}, until())) == [1, 2]
        received = [server.recv(1 << 16) for _ in records]
    assert received == [journal.encode(journal.fields(record)) for record in records]


def test_many_entries_are_waited_for_once(tmp_path: pathlib.Path) -> None:
    # Failed first: 20 ms for each of 600 events was more than a run has for delivering.
    with journald(tmp_path / "socket") as server:
        reader = threading.Thread(target=lambda: [server.recv(1 << 16) for _ in range(100)])
        reader.start()
        sent = list(journal.send([run()] * 100, {"socket": str(tmp_path / "socket")}, until(1)))
        reader.join()
    assert sent == list(range(1, 101))


def test_an_entry_that_is_too_long_goes_as_a_sealed_file(tmp_path: pathlib.Path) -> None:
    record = check() | {"message": "x" * 1_000_000}
    with journald(tmp_path / "socket") as server:
        assert list(journal.send([record], {"socket": str(tmp_path / "socket")}, until())) == [1]
        _, [descriptor], *_ = socket.recv_fds(server, 1, 1)
    with os.fdopen(descriptor, "rb") as file:
        assert fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) == journal.SEALS
        assert os.pread(descriptor, 1 << 21, 0) == journal.encode(journal.fields(record))
        assert not file.closed


def test_a_journal_that_is_not_there_is_down(tmp_path: pathlib.Path) -> None:
    with pytest.raises(Down, match="journald is not there"):
        list(journal.send([run()], {"socket": str(tmp_path / "none")}, until()))


def test_a_journal_that_does_not_read_is_left_in_time(tmp_path: pathlib.Path) -> None:
    with journald(tmp_path / "socket"), pytest.raises(Down, match="journald does not read"):
        list(journal.send([run()] * 100_000, {"socket": str(tmp_path / "socket")}, until(0.2)))


# ---- files and streams


def test_lines_are_added_to_a_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("before\n")
    sink = Sink("file", {"path": str(path), **NATIVE})
    assert list(sink.send([check(), run()], until())) == [2]
    before, *lines = path.read_text().splitlines()
    assert (before, [json.loads(line)["event"] for line in lines]) == ("before", ["check", "run"])


@pytest.mark.parametrize(("kind", "said"), [("fifo", "No such device"), ("folder", "directory"), ("absent", "No such")])
def test_what_is_no_file_is_down_at_once(kind: str, said: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / kind / "x" if kind == "absent" else tmp_path / kind
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(Down, match=said):
        list(Sink("file", {"path": str(path), **NATIVE}).send([run()], until()))


def test_a_disk_that_is_full_leaves_no_half_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("x" * 1000 + "\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1100, limits[1]))
    try:
        with pytest.raises(Down):
            list(Sink("file", {"path": str(path), **NATIVE}).send([run()], until()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.stat().st_size == 1001


def test_a_file_that_is_locked_is_left_in_time(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "events.jsonl"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Down, match="lock"):
            list(Sink("file", {"path": str(path), **NATIVE}).send([run()], until(0.2)))


def test_a_pipe_that_nobody_reads_is_left_in_time() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, pytest.raises(Down, match="nobody reads it"):
        list(_stream.send(stream, [run()] * 1000, NATIVE, until(0.2)))
    os.close(reader)


# ---- syslog

FRAME = re.compile(
    rb"<(?P<priority>\d+)>1 (?P<time>\S+) (?P<host>\S+) nodecheck \d+ (?P<kind>\w+) "
    rb"\[nodecheck@32473(?P<data>.*)\] @cee:(?P<json>.*)"
)


def parsed(message: bytes) -> dict[str, bytes]:
    found = FRAME.fullmatch(message)
    assert found, message
    return found.groupdict()


def test_a_message_has_its_parts() -> None:
    found = parsed(syslog.encode(check(), "native"))
    expected = [b"27", b"node01", b"check"]  # daemon.err
    assert expected == [found[name] for name in ("priority", "host", "kind")]
    assert b'event_id="0f3c/check/b"' in found["data"]
    assert json.loads(found["json"]) == json.loads(json.dumps(check() | {"timestamp": found["time"].decode()}))


def test_what_could_end_structured_data_is_escaped() -> None:
    assert rb'unit="a\]\"\\b"' in syslog.encode(check() | {"unit": 'a]"\\b'}, "native")


@pytest.mark.parametrize("most", [2048, 8000])
@pytest.mark.parametrize("dialect", ["native", "ecs", "otel"])
def test_a_message_that_is_too_long_is_cut_and_still_json(dialect: str, most: int) -> None:
    record = check(message="x" * 50_000, tags=tuple(f"tag{number}" for number in range(500)))
    message = syslog.encode(record, dialect, most)
    assert len(message) <= most
    assert isinstance(json.loads(parsed(message)["json"]), dict)


@pytest.mark.parametrize("dialect", ["native", "ecs", "otel"])
def test_what_names_the_check_is_never_cut_and_a_message_is_never_waited_for(dialect: str) -> None:
    """An id may be as long as the name that it is made of."""
    named = "x" * 600
    message = syslog.encode(check(message="y" * 3000) | {"id": named, "event_id": f"0f3c/check/{named}"}, dialect, 2048)
    found = parsed(message)
    assert f'id="{named}"'.encode() in found["data"]
    told = found["json"].decode()
    assert json.loads(told)
    assert (named in told, "truncated" in told, "yyy" in told) == (True, True, False)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("unix:/dev/log", ("unix", "/dev/log")),
        ("udp://logs", ("udp", ("logs", 514))),
        ("tcp://[::1]:1000", ("tcp", ("::1", 1000))),
        ("tls://logs.example", ("tls", ("logs.example", 6514))),
    ],
)
def test_addresses_are_read(address: str, expected: tuple[str, object]) -> None:
    assert expected == syslog.place(address)


class Receiver:
    """A receiver of streams: reads all, and closes when the other side has; `answers` is false for one that hangs."""

    def __init__(self, answers: bool = True, context: ssl.SSLContext | None = None) -> None:
        self.received: list[bytes] = []
        self._answers = answers
        self._context = context
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        kept = []
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                kept.append(connection)
                if self._answers:
                    self._read(connection)

    def _read(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                data = b""
                while chunk := connection.recv(1 << 16):
                    data += chunk
                self.received.append(data)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.close()


def frames(data: bytes) -> list[bytes]:
    """Take octet counting apart."""
    found = []
    while data:
        length, _, rest = data.partition(b" ")
        found.append(rest[: int(length)])
        data = rest[int(length) :]
    return found


def test_a_stream_counts_octets_and_has_arrived_when_the_other_side_closes(receiver: Receiver) -> None:
    sink = Sink("syslog", {"address": f"tcp://127.0.0.1:{receiver.port}", **NATIVE})
    assert list(sink.send([check(), run()], until())) == [2]
    assert [parsed(frame)["kind"] for frame in frames(receiver.received[0])] == [b"check", b"run"]


def test_a_receiver_that_never_reads_has_got_nothing() -> None:
    receiver = Receiver(answers=False)
    sink = Sink("syslog", {"address": f"tcp://127.0.0.1:{receiver.port}", **NATIVE})
    with pytest.raises(Down, match="does not answer in time"):
        list(sink.send([run()], until(0.3)))


def test_an_address_that_does_not_answer_leaves_time_for_the_other(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of IPv6, say, where a firewall drops what goes there."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as waiting:
        for _ in range(2):  # the kernel drops what comes when nobody takes these
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        places = [full.getsockname(), ("127.0.0.1", receiver.port)]
        monkeypatch.setattr(syslog, "_resolved", lambda *_: [(socket.AF_INET, place) for place in places])
        assert list(Sink("syslog", {"address": "tcp://logs", **NATIVE}).send([run()], until(1.0))) == [1]


def test_nobody_there_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Down, match="Connection refused"):
        list(Sink("syslog", {"address": f"tcp://127.0.0.1:{port}", **NATIVE}).send([run()], until()))


@pytest.mark.parametrize("scheme", ["unix", "udp"])
def test_a_datagram_is_a_message(scheme: str, tmp_path: pathlib.Path) -> None:
    family = socket.AF_UNIX if scheme == "unix" else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log") if scheme == "unix" else ("127.0.0.1", 0))
        address = f"unix:{tmp_path}/log" if scheme == "unix" else f"udp://127.0.0.1:{server.getsockname()[1]}"
        server.settimeout(5)
        assert list(Sink("syslog", {"address": address, **NATIVE}).send([run()], until())) == [1]
        assert parsed(server.recv(1 << 16))["kind"] == b"run"


def test_tls_sends_to_whom_it_trusts_and_to_nobody_else(tmp_path: pathlib.Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("/CN=localhost", names="DNS:localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    receiver = Receiver(context=context)
    options = {"address": f"tls://127.0.0.1:{receiver.port}", "server_name": "localhost", **NATIVE}
    trusting = Sink("syslog", {**options, "ca": authority.cert})
    assert list(trusting.send([check(), run()], until())) == [2]
    assert len(frames(receiver.received[0])) == 2
    with pytest.raises(Down, match="certificate verify failed"):
        list(Sink("syslog", options).send([run()], until()))
    assert len(receiver.received) == 1
    absent = Sink("syslog", {**options, "ca": authority.cert, "certificate": "/nowhere/node.pem"})
    with pytest.raises(Down, match=rf"{authority.cert}, /nowhere/node\.pem: No such file or directory"):
        list(absent.send([run()], until()))
