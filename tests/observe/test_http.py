"""HTTP servers that are well, that are not, and that stop at each stage."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import socket
import tempfile
import time
from collections.abc import Callable
from typing import Any

import pytest
from commandline import Cli

from nodecheck.node import secrets
from nodecheck.node.looks import Looks
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows._address import Url, parse_url
from nodecheck.node.windows._masked import mask
from nodecheck.node.windows.http import HttpWant

from .asking import CLOSED, LATE, OK, look, outcome, redirecting
from .children import NOBODY, elsewhere
from .servers import Handle, close, full, read_request, says, serving, wait
from .test_secrets import SECRETS

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def ask(handle: Handle, path: str = "/", **parameters: Any) -> dict[str, Any]:
    """Return what was seen of a server that does this."""
    with serving(handle) as port:
        return look(f"http://127.0.0.1:{port}{path}", **parameters)


def unseen(url: str) -> str:
    """Return why it could not be seen."""
    with pytest.raises(Unobserved) as dark:
        look(url)
    return dark.value.reason


# ---- an answer


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, "ok"),
        (b"HTTP/1.0 200 OK\n\nto the end", "to the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n", "abcde"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, "ok"),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", None),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\n\r\n\xff", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_an_answer_is_read_to_its_end_however_that_is_told(answer: bytes, body: str | None) -> None:
    seen = ask(says(answer), body=True)
    assert (outcome(seen), seen["body"]) == (("done", ""), body)


def test_an_answer_in_small_pieces_is_one() -> None:
    def slowly(connection: socket.socket) -> None:
        for octet in OK:
            connection.sendall(bytes([octet]))
            time.sleep(0.001)

    seen = ask(says(then=slowly), body=True, seconds=5)
    assert (seen["status"], seen["reason"], seen["body"]) == (200, "OK", "ok")


def test_a_head_has_no_body_whatever_its_length_says() -> None:
    assert ask(says(OK, then=wait), method="HEAD")["stage"] == "done"


def test_only_what_is_wanted_is_kept() -> None:
    answer = b"HTTP/1.1 200 OK\r\nServer: x\r\nX-A: 1\r\nx-a: 2\r\n\r\n" + json.dumps({"a": {"b": [True]}}).encode()
    plain = ask(says(answer))
    assert (plain["headers"], plain["body"], plain["values"]) == ({}, None, None)
    seen = ask(says(answer), headers=("x-a", "x-b"), paths=("a.b[0]", "c"))
    assert seen["headers"] == {"x-a": ["1", "2"]}
    assert (seen["body"], seen["values"]) == (None, {"a.b[0]": ["true"], "c": []})


def test_metrics_are_kept_by_their_names() -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\n# TYPE up gauge\nup 1\nups 2\n"
    assert ask(says(answer), metrics=("up", "down"))["values"] == {"up": ["1"], "down": []}


def test_of_an_error_the_lines_are_kept_that_say_what_failed() -> None:
    told = b"[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\n[-]informer-sync failed\nreadyz check failed\n"
    kept = "[-]etcd failed: reason withheld\n[-]informer-sync failed"
    assert ask(says(b"HTTP/1.1 500 x\r\n\r\n" + told))["excerpt"] == kept
    assert ask(says(b"HTTP/1.1 503 x\r\n\r\nno leader"))["excerpt"] == "no leader"
    assert ask(says(b"HTTP/1.1 200 x\r\n\r\nok"))["excerpt"] == ""


def test_the_request_is_plain_and_goes_to_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    requests = []
    ask(lambda connection: requests.append(read_request(connection)), "/a?b=c", host="www.example.com:81")
    first, *headers = requests[0].decode().split("\r\n")
    assert first == "GET /a?b=c HTTP/1.1"
    assert {"Host: www.example.com:81", "Accept-Encoding: identity", "Connection: close"} <= set(headers)


def test_a_compressed_body_is_not_unpacked() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b"
    assert ask(says(answer))["bytes"] == 2


def test_secrets_are_masked_in_what_is_kept() -> None:
    answer = b'HTTP/1.1 200 OK\r\nSet-Cookie: session=abc\r\n\r\n{"password": "abc", "said": "token=abc"}'
    seen = ask(says(answer), "/?token=abc", headers=("set-cookie",), body=True, paths=("said",))
    assert "abc" not in json.dumps(seen)


@pytest.mark.parametrize("rule", SECRETS)
def test_what_a_rule_masks_is_looked_at_by_all_rules(rule: str) -> None:
    for text, secret in SECRETS[rule]:
        assert mask(text.replace("###", secret)) == secrets.mask(text.replace("###", secret))


# ---- how far it came


def test_nobody_listens() -> None:
    assert outcome(look("http://127.0.0.1:1/")) == ("connect", "connection refused")


def test_the_queue_is_full() -> None:
    with full() as port:
        assert outcome(look(f"http://127.0.0.1:{port}/")) == ("connect", LATE)


def name_service(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], Any]) -> None:
    """A name service that answers so; addresses that are written as such are read as ever."""
    real = socket.getaddrinfo

    def asked(*arguments: Any, **options: Any) -> Any:
        return real(*arguments, **options) if options.get("flags") else answer()

    monkeypatch.setattr(socket, "getaddrinfo", asked)


def refuse(code: int, told: str) -> Callable[[], Any]:
    def answer() -> Any:
        raise socket.gaierror(code, told)

    return answer


def test_there_is_no_such_name(monkeypatch: pytest.MonkeyPatch) -> None:
    name_service(monkeypatch, refuse(socket.EAI_NONAME, "Name or service not known"))
    assert outcome(look("http://there-is-no.invalid/")) == ("resolve", "name or service not known")


def test_a_name_service_that_fails_says_nothing_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    name_service(monkeypatch, refuse(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    told = "the name db.example could not be looked up: Temporary failure in name resolution"
    with pytest.raises(Unobserved, match=told):
        look("http://db.example/")


def test_the_name_service_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs() -> Any:
        time.sleep(1)
        return []

    name_service(monkeypatch, hangs)
    with pytest.raises(Unobserved, match=r"the name service did not answer about db\.example") as raised:
        look("https://db.example/")
    assert raised.value.late


def test_the_first_address_of_a_name_does_not_have_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(says(OK)) as port:
        both = [(socket.AF_INET, 0, 0, "", ("127.0.0.1", 1)), (socket.AF_INET, 0, 0, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: both)
        assert look("http://www.example.com/")["status"] == 200


def _drips(connection: socket.socket) -> None:
    for number in itertools.count():
        connection.sendall(b"x" if number else b"HTTP/1.1 200 OK\r\n\r\n")
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("handle", "stage", "error"),
    [
        (wait, "headers", LATE),
        (says(b"HTTP/1.1 200 OK\r\nServer: x\r\n", then=wait), "headers", LATE),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", then=wait), "body", LATE),
        (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n", then=wait), "body", LATE),
        (_drips, "body", LATE),
        (close, "headers", CLOSED),
        (says(), "headers", CLOSED),
        (says(b"HTTP/1.1 200 OK\r\nSer"), "headers", "it closed the connection within its headers"),
        (
            says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), "body",
            "it closed the connection 6 bytes before the end of its body",
        ),
        (
            says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"), "body",
            "it does not tell the length of its body: 'nonsense'",
        ),
        (
            says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"), "body",
            "it closed the connection before the end of its body",
        ),
        (
            says(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), "body",
            "it does not tell the length of its body: '-1'",
        ),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "headers", "what answers there does not speak HTTP/1"),
        (says(b"HTTP/1.1 99 Odd\r\n\r\n"), "headers", "what answers there does not speak HTTP/1"),
        (says(b"x" * 40_000, then=wait), "headers", "a line is longer than 16384 bytes"),
        (
            says(b"HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 9_000 + b"\r\n", b"X: " + b"x" * 9_000 + b"\r\n",
                 *[b"X: " + b"x" * 9_000 + b"\r\n"] * 6, then=wait),
            "headers", "its headers are larger than 64KiB",
        ),
    ],
)  # fmt: skip
def test_where_a_server_stops_is_told(handle: Handle, stage: str, error: str) -> None:
    assert outcome(ask(handle)) == (stage, error)


def test_a_server_that_resets_the_connection_closed_it() -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    assert outcome(ask(says(then=reset))) == ("headers", CLOSED)


@pytest.mark.parametrize("head", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_without_an_end_is_read_to_the_limit(head: bytes) -> None:
    def endless(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    seen = ask(says(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n", then=endless), limit=100_000, body=True, seconds=5)
    assert (seen["stage"], seen["cut"], seen["body"]) == ("done", True, None)
    assert 100_000 < seen["bytes"] < 200_000


# ---- redirects


def test_a_redirect_is_followed_only_when_that_is_wanted() -> None:
    with serving(says(OK)) as port:
        target = f"http://127.0.0.1:{port}/there"
        seen = ask(redirecting(target))
        assert (seen["status"], seen["location"], seen["redirects"]) == (302, target, 0)
        seen = ask(redirecting(target), follow=1)
        assert (seen["status"], seen["location"], seen["redirects"], seen["url"]) == (200, "", 1, target)


def test_a_redirect_loop_ends() -> None:
    seen = ask(redirecting("/again"), follow=5)
    assert (seen["stage"], seen["status"], seen["redirects"]) == ("done", 302, 5)


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("ftp://x/", "it redirects to ftp://x/, which is not followed"),
        ("http://user:abc@x/", "it redirects to http://x/, which is not followed"),
        ("http://a b/", "it redirects to http://a b/, which is not followed"),
        ("http://[x/", "it redirects to http://[x/, which is not followed"),
    ],
)
def test_where_nobody_goes_a_redirect_is_not_followed(location: str, error: str) -> None:
    assert outcome(ask(redirecting(location), follow=1)) == ("redirect", error)


# ---- sockets in the file system


def test_a_socket_in_the_file_system(tmp_path: pathlib.Path) -> None:
    requests = []

    def handle(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(OK)

    with serving(handle, path=f"{tmp_path}/x.sock"):
        assert look(f"unix://{tmp_path}/x.sock/_ping")["status"] == 200
    with serving(handle, path=f"{tmp_path}/plain"):
        assert look(f"unix://{tmp_path}/plain:/_ping")["status"] == 200
    assert all(request.startswith(b"GET /_ping HTTP/1.1\r\nHost: localhost\r\n") for request in requests)


def test_a_redirect_does_not_lead_away_from_a_socket(tmp_path: pathlib.Path) -> None:
    with serving(redirecting("http://127.0.0.1:1/"), path=f"{tmp_path}/x.sock"):
        seen = look(f"unix://{tmp_path}/x.sock/", follow=3)
    assert outcome(seen) == ("redirect", "it redirects away from its socket, to http://127.0.0.1:1/")


def test_a_socket_whose_queue_is_full(tmp_path: pathlib.Path) -> None:
    with full(f"{tmp_path}/x.sock"):
        assert outcome(look(f"unix://{tmp_path}/x.sock/")) == ("connect", LATE)


@pytest.mark.parametrize(("made", "error"), [("nothing", "there is no such socket"), ("file", "connection refused")])
def test_a_socket_that_is_none(tmp_path: pathlib.Path, made: str, error: str) -> None:
    if made == "file":
        (tmp_path / "x.sock").touch()
    assert outcome(look(f"unix://{tmp_path}/x.sock/")) == ("connect", error)


@root
def test_a_socket_that_is_not_for_us_says_nothing_of_the_server() -> None:
    with tempfile.TemporaryDirectory() as folder, serving(says(OK), path=f"{folder}/x.sock"):
        os.chmod(folder, 0o755)  # not below the folder of pytest, which is for its user only
        os.chmod(f"{folder}/x.sock", 0o600)
        assert elsewhere(lambda: unseen(f"unix://{folder}/x.sock/"), user=NOBODY).endswith("by this user")
        os.chmod(f"{folder}/x.sock", 0o666)
        assert elsewhere(lambda: look(f"unix://{folder}/x.sock/"), user=NOBODY)["status"] == 200


# ---- wants


def test_looks_that_hang_take_no_time_from_each_other() -> None:
    with serving(wait) as silent, serving(says(OK)) as well:
        urls = [f"http://127.0.0.1:{silent}/{number}" for number in range(8)] + [f"http://127.0.0.1:{well}/"]
        looks = Looks([HttpWant(url, seconds=1) for url in urls])
        seen = dict(looks.results(time.monotonic() + 5))
        assert looks.close() == ""
    assert [want.key for want, answer in seen.items() if answer["status"] == 200] == [f"GET {urls[-1]}"]
    assert {outcome(answer) for answer in seen.values()} == {("headers", "it took longer than 1s"), ("done", "")}


def test_a_check_whose_timeout_is_the_longest_of_the_run_still_tells_where_the_server_stopped(
    tmp_path: pathlib.Path,
) -> None:
    nodecheck = Cli(tmp_path)
    with serving(wait) as port:
        file = nodecheck.write(f"Web | http: {{url: 'http://127.0.0.1:{port}/'}} | timeout: 1s")
        run = nodecheck("run", "--checks", file)
    assert run.returncode == 2
    assert "does not answer" in run.stdout


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://a", Url("http", "a", 80, "/")),
        ("https://a:1?b", Url("https", "a", 1, "/?b")),
        ("http://[::1]:80/a#b", None),
        ("http://[::1]:80/a", Url("http", "::1", 80, "/a")),
        ("unix:///run/docker.sock", Url("unix", "localhost", 0, "/", "/run/docker.sock")),
        ("unix:///run/docker.sock/a/b.sock", Url("unix", "localhost", 0, "/a/b.sock", "/run/docker.sock")),
        ("unix:///run/docker.sock:/a", Url("unix", "localhost", 0, "/a", "/run/docker.sock")),
        ("unix:///run/web:/a", Url("unix", "localhost", 0, "/a", "/run/web")),
        ("unix:///run/web/a", None),
        ("http://user:x@a/", None),
        ("http://a:0/", None),
        ("http://a:70000/", None),
        ("http://a/\r\nX: y", None),
        ("http:///", None),
        ("ftp://a/", None),
        ("a", None),
    ],
)
def test_what_an_url_says(url: str, parts: Url | None) -> None:
    assert parse_url(url) == parts


def test_the_key_of_a_want_tells_what_differs_and_no_secret() -> None:
    plain = HttpWant("http://a/")
    changes: dict[str, Any] = {
        "method": "HEAD", "host": "b", "headers": ("x",), "body": True, "paths": ("x",), "ca": "/x", "cert": "/x",
        "private_key": "/x", "verify": False, "follow": 1, "limit": 2,
    }  # fmt: skip
    others = [plain._replace(**{name: value}) for name, value in changes.items()]
    assert plain.key == "GET http://a/"
    assert len({want.key for want in (plain, *others)}) == 12
    assert "abc" not in HttpWant("http://a/?token=abc").key
