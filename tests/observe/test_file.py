"""Looks at real files, links, sockets and pipes, at those that nobody may read, and at those that hang."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import pathlib
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from nodecheck.node import record, users
from nodecheck.node.looks import Looks
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import file as window
from nodecheck.node.windows.file import LISTENING, OWNERS, SHA256, TEXT, PathWant

from .children import NOBODY, elsewhere


def look(path: pathlib.Path | str, *details: str, seconds: float = 5.0) -> Any:
    """Return what lies there, as a run sees it."""
    want = PathWant(str(path), details, seconds)
    looks = Looks([want])
    try:
        seen = dict(looks.results(time.monotonic() + 10))[want]
    finally:
        assert looks.close() == ""
    return seen if isinstance(seen, Unobserved) else window.SHAPE(seen, "")


def one(path: pathlib.Path | str, *details: str, **want: Any) -> Any:
    """Return the one file that lies there."""
    seen = look(path, *details, **want)
    assert seen["count"] == 1
    return seen["files"][0]


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[socket.socket]:
    """A socket that listens at tmp_path/socket, and nobody accepts."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        listening.listen(0)
        yield listening


def test_a_file_is_told_as_it_is(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    path.write_text("hello\n")
    path.chmod(0o4640)
    os.utime(path, (1, 1_700_000_000))
    seen = one(path)
    assert (seen["kind"], seen["mode"], seen["size"], seen["link"]) == ("file", 0o4640, 6, None)
    assert (seen["modified"], seen["uid"], seen["gid"]) == (1_700_000_000_000_000, os.getuid(), os.getgid())


def test_what_is_not_there_is_no_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    assert look(tmp_path / "nowhere") == {"count": 0, "files": []}
    assert look(tmp_path / "file" / "below") == {"count": 0, "files": []}
    assert look(tmp_path / "nowhere" / "*") == {"count": 0, "files": []}


def test_kinds_are_told_and_none_is_waited_for(tmp_path: pathlib.Path, server: socket.socket) -> None:
    os.mkfifo(tmp_path / "fifo")
    everything = (OWNERS, TEXT, SHA256, LISTENING)
    named = {"directory": tmp_path, "fifo": tmp_path / "fifo", "socket": tmp_path / "socket"}
    paths = named | {"device": pathlib.Path("/dev/null")}
    for kind, path in paths.items():
        seen = one(path, *everything)
        assert (seen["kind"], seen["unseen"]) == (kind, {})
        assert TEXT not in seen


def test_of_a_link_it_is_told_what_it_leads_to(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("hello")
    (tmp_path / "link").symlink_to("file")
    seen = one(tmp_path / "link", TEXT)
    assert (seen["kind"], seen["link"], seen["size"], seen[TEXT]) == ("file", "file", 5, "hello")


@pytest.mark.parametrize("target", ["missing", "link"])
def test_a_link_that_leads_nowhere_or_in_a_circle_is_there(tmp_path: pathlib.Path, target: str) -> None:
    (tmp_path / "link").symlink_to(target)
    seen = one(tmp_path / "link", TEXT, SHA256)
    assert (seen["kind"], seen["link"], seen["unseen"]) == ("nowhere", target, {})


def test_patterns_are_those_of_a_shell(tmp_path: pathlib.Path) -> None:
    for name in ("a/x.yaml", "a/.hidden.yaml", "a/y.yaml.bak", "b/x.yaml", "b/[z].yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def found(pattern: str) -> list[str]:
        return [file["path"].removeprefix(f"{tmp_path}/") for file in look(f"{tmp_path}/{pattern}")["files"]]

    assert found("a/*") == ["a/x.yaml", "a/y.yaml.bak"]
    assert found("*/x.yaml") == ["a/x.yaml", "b/x.yaml"]
    assert found("a/.*") == ["a/.hidden.yaml"]
    assert found("b/[[]z].yaml") == ["b/[z].yaml"]
    assert found("?/[xy].yaml") == ["a/x.yaml", "b/x.yaml"]
    assert found("*/none") == []
    assert found("*/") == ["a", "b"]
    assert found("a/*/") == []


def test_of_many_files_all_are_counted_and_the_first_are_looked_at(tmp_path: pathlib.Path) -> None:
    for number in range(window.MOST_FILES + 5):
        (tmp_path / f"{number:05}").touch()
    seen = look(tmp_path / "*")
    assert (seen["count"], len(seen["files"])) == (window.MOST_FILES + 5, window.MOST_FILES)


def test_what_fits_a_pattern_and_is_not_there_neither_counts_nor_hides_what_is(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "MOST_FILES", 2)
    for number in range(5):
        (tmp_path / str(number)).mkdir()
    assert look(tmp_path / "*" / "x") == {"count": 0, "files": []}
    (tmp_path / "4" / "x").touch()
    seen = look(tmp_path / "*" / "x")
    assert (seen["count"], [file["path"] for file in seen["files"]]) == (1, [f"{tmp_path}/4/x"])


def test_owners_have_names_or_only_numbers(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "other").touch()
    os.chown(tmp_path / "other", 61234, 61235)
    assert one("/etc/passwd", OWNERS)["owner"] == "root"
    assert "owner" not in one(tmp_path / "file")
    seen = one(tmp_path / "other", OWNERS)
    assert (seen["owner"], seen["group"], seen["uid"], seen["gid"]) == (None, None, 61234, 61235)


def test_a_name_service_that_fails_does_not_say_that_a_number_has_no_name(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    os.chown(tmp_path / "file", 61234, 61235)
    monkeypatch.setattr(users, "_entry", lambda *_: (None, errno.EIO))
    seen = one(tmp_path / "file", OWNERS)
    assert "owner" not in seen
    assert seen["unseen"][OWNERS].startswith("the name service could not say who 61234 is: ")
    assert one("/etc/passwd", OWNERS)["owner"] == "root"


def test_texts_are_read_and_what_is_too_long_is_not(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff\nhello\n")
    (tmp_path / "long").write_bytes(b"x" * (window.MOST_BYTES + 1))
    (tmp_path / "just").write_bytes(b"x" * window.MOST_BYTES)
    assert one(tmp_path / "file", TEXT)[TEXT] == "\ufffd\nhello\n"
    assert len(one(tmp_path / "just", TEXT)[TEXT]) == window.MOST_BYTES
    seen = one(tmp_path / "long", TEXT)
    assert TEXT not in seen
    assert seen["unseen"][TEXT].startswith("no more than 256 KiB of a file are read")


def test_all_texts_together_have_an_end(tmp_path: pathlib.Path) -> None:
    for number in range(6):
        (tmp_path / str(number)).write_bytes(b"x" * window.MOST_BYTES)
    seen = look(tmp_path / "*", TEXT)["files"]
    assert [TEXT in file for file in seen] == [True, True, True, True, False, False]


def test_what_has_no_size_is_read_to_its_end() -> None:
    assert one("/proc/sys/kernel/ostype", TEXT)[TEXT] == "Linux\n"


def test_reading_leaves_no_trace(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    path.write_text("hello")
    os.utime(path, (1_000_000_000, 1_700_000_000))
    assert one(path, TEXT, SHA256)[TEXT] == "hello"
    assert path.stat().st_atime == 1_000_000_000


def test_a_checksum_is_that_of_all_of_it(tmp_path: pathlib.Path) -> None:
    content = b"hello" * 1_000_000
    (tmp_path / "file").write_bytes(content)
    assert one(tmp_path / "file", SHA256)[SHA256] == hashlib.sha256(content).hexdigest()


def test_a_checksum_that_takes_too_long_is_not_seen_and_all_else_is(tmp_path: pathlib.Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(64 << 30)
    seen = one(tmp_path / "file", SHA256, seconds=0.5)
    assert seen["unseen"] == {SHA256: "reading all of it takes longer than the timeout of the check"}
    assert seen["size"] == 64 << 30


def test_somebody_listens_or_nobody_does(tmp_path: pathlib.Path, server: socket.socket) -> None:
    assert one(tmp_path / "socket", LISTENING)[LISTENING] == "yes"
    server.close()
    assert one(tmp_path / "socket", LISTENING)[LISTENING] == "no"


def test_a_socket_that_is_bound_and_does_not_listen_takes_nobody(tmp_path: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        assert one(tmp_path / "socket", LISTENING)[LISTENING] == "no"


def test_where_too_many_wait_nobody_is_taken(tmp_path: pathlib.Path, server: socket.socket) -> None:
    with contextlib.ExitStack() as waiting:
        for _ in range(2):
            client = waiting.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
            with contextlib.suppress(BlockingIOError):
                client.connect(str(tmp_path / "socket"))
        assert one(tmp_path / "socket", LISTENING)[LISTENING] == "full"


def test_a_queue_that_is_full_for_a_moment_is_none_that_takes_nobody(
    tmp_path: pathlib.Path, server: socket.socket
) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "socket"))
        taker = threading.Timer(0.2, server.accept)
        taker.start()
        assert one(tmp_path / "socket", LISTENING)[LISTENING] == "yes"
        taker.join()


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
def test_sockets_of_every_type_are_asked(tmp_path: pathlib.Path, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_UNIX, kind) as other:
        other.bind(str(tmp_path / "socket"))
        if kind == socket.SOCK_SEQPACKET:
            other.listen()
        assert one(tmp_path / "socket", LISTENING)[LISTENING] == "yes"
    assert one(tmp_path / "socket", LISTENING)[LISTENING] == "no"


def test_a_socket_may_lie_deep(tmp_path: pathlib.Path, server: socket.socket) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    (tmp_path / "socket").rename(deep / "socket")
    assert one(deep / "socket", LISTENING)[LISTENING] == "yes"


def test_what_hangs_was_not_seen_in_time(dead_folder: pathlib.Path) -> None:
    started = time.monotonic()
    for path in (dead_folder / "file", dead_folder / "*"):
        assert look(path, seconds=0.3).broken
    assert time.monotonic() - started < 1.5


def test_who_may_not_read_says_so() -> None:
    folder = pathlib.Path(tempfile.mkdtemp())  # a path that everybody may go
    try:
        folder.chmod(0o755)
        (folder / "file").write_text("secret")
        (folder / "file").chmod(0o600)
        (folder / "closed").mkdir(mode=0o700)
        want = PathWant(str(folder / "file"), (TEXT, SHA256))
        seen = elsewhere(lambda: window.look(want), user=NOBODY)["files"][0]
        assert seen["unseen"] == {TEXT: "Permission denied", SHA256: "Permission denied"}
        assert (seen["mode"], seen["size"]) == (0o600, 6)
        for path in (folder / "closed" / "x", folder / "closed" / "*"):
            dark = elsewhere(lambda path=path: _refused(PathWant(str(path))), user=NOBODY)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            assert dark == "Permission denied"
    finally:
        shutil.rmtree(folder)


def _refused(want: PathWant) -> str:
    try:
        window.look(want)
    except OSError as error:
        return str(error.strerror)
    return "it was seen"


def test_a_record_holds_no_secret_of_a_text(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("a: 1\ntoken: abcdef.0123456789abcdef\n")
    data = record._window_data("file", {"x": look(tmp_path / "file", TEXT), "y": look("/proc/self/mem/x")})
    assert data["x"]["files"][0][TEXT] == "a: 1\ntoken: <masked>\n"
