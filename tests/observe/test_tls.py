"""Certificates in files, folders and kubeconfigs, and as servers show them."""

from __future__ import annotations

import base64
import calendar
import json
import os
import pathlib
import ssl
import tempfile
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import _x509, tls
from nodecheck.node.windows._address import split_address
from nodecheck.node.windows.tls import TlsWant

from .children import NOBODY, elsewhere
from .pki import EC, FUTURE, PAST, RSA, Authority, Pair, encrypted
from .servers import Handle, close, full, serving, wait, with_tls

LATE = "it took longer than 0.4s"
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.issue("/O=system:masters/CN=web", names="DNS:*.example.com,DNS:web,IP:10.0.0.1,IP:fd00::1")


def look(path: str = "", **parameters: Any) -> dict[str, Any]:
    """Return what was seen; it is what a record holds."""
    seen = tls.look(TlsWant(path, **parameters))
    assert tls.SHAPE(json.loads(json.dumps(seen)), "") == seen
    return seen


def subjects(seen: dict[str, Any]) -> list[str]:
    return [found["common_name"] for source in seen["sources"] for found in source["certificates"]]


def errors(seen: dict[str, Any]) -> list[str]:
    return [source["error"] for source in seen["sources"] if source["error"]]


# ---- in files


def test_all_that_is_judged_is_read_from_a_certificate(pair: Pair) -> None:
    ((found,),) = [source["certificates"] for source in look(pair.cert)["sources"]]
    fingerprint = found.pop("fingerprint")
    assert len(fingerprint) == 64
    assert found == {
        "subject": "O=system:masters, CN=web",
        "common_name": "web",
        "issuer": "CN=test authority",
        "issuer_common_name": "test authority",
        "names": ["*.example.com", "web", "10.0.0.1", "fd00::1"],
        "not_before": calendar.timegm((2020, 1, 1, 0, 0, 0)),
        "not_after": calendar.timegm((2120, 1, 1, 0, 0, 0)),  # as GeneralizedTime: it is after 2049
    }


@pytest.mark.parametrize("kind", [EC, RSA])
@pytest.mark.parametrize(("valid", "begins", "ends"), [(PAST, 2020, 2021), (FUTURE, 2100, 2120)])
def test_when_it_is_valid(
    authority: Authority, kind: tuple[str, ...], valid: tuple[str, str], begins: int, ends: int
) -> None:
    (source,) = look(authority.issue(valid=valid, kind=kind).cert)["sources"]
    (found,) = source["certificates"]
    years = [time.gmtime(found[name]).tm_year for name in ("not_before", "not_after")]
    assert years == [begins, ends]
    assert found["names"] == []


def test_a_file_may_hold_several_and_a_key_and_words(authority: Authority, pair: Pair, tmp_path: pathlib.Path) -> None:
    parts = [pathlib.Path(file).read_text() for file in (pair.key, pair.cert, authority.cert)]
    (tmp_path / "all.pem").write_text("\nSome words\n".join(parts))
    seen = look(f"{tmp_path}/all.pem", private_key=f"{tmp_path}/all.pem")
    assert subjects(seen) == ["web", "test authority"]
    assert seen["key"] == {"matches": True, "error": "", "unseen": ""}


def test_a_file_may_be_in_der(pair: Pair, tmp_path: pathlib.Path) -> None:
    (tmp_path / "x.cer").write_bytes(ssl.PEM_cert_to_DER_cert(pathlib.Path(pair.cert).read_text()))
    assert subjects(look(f"{tmp_path}/x.cer")) == ["web"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, "there is no such file"),
        (b"", "it holds no certificate"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "it holds no certificate"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----\n",
            "it holds a certificate that cannot be read: its base64 is broken",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nMAAwAA==\n-----END CERTIFICATE-----\n",
            "it holds a certificate that cannot be read: it is not what a certificate looks like",
        ),
        (b"users: []\n", "it is no kubeconfig with a client certificate"),
        (b"users: [{user: {token: x}}]\n", "it is no kubeconfig with a client certificate"),
        (b"users: [\n", "it is neither a certificate nor a kubeconfig"),
        (b"users: " + b"[" * 100_000, "it is neither a certificate nor a kubeconfig"),
        (
            b"users: [{name: a, user: {client-certificate-data: '!'}}]\n",
            "its client certificate is none",
        ),
        (
            b"users: [{name: a, user: {client-certificate: x.pem}}]\n",
            "it names {folder}/x.pem, and there is no such file",
        ),
    ],
)  # fmt: skip
def test_what_is_no_certificate_says_so(content: bytes | None, error: str, tmp_path: pathlib.Path) -> None:
    if content is not None:
        (tmp_path / "x.crt").write_bytes(content)
    assert errors(look(f"{tmp_path}/x.crt")) == [error.format(folder=tmp_path)]


def test_a_certificate_that_is_cut_off_is_none(pair: Pair, tmp_path: pathlib.Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(pathlib.Path(pair.cert).read_text())
    text = pathlib.Path(pair.cert).read_bytes()
    for content in (der[:-20], text + text[: len(text) // 2]):
        (tmp_path / "x.crt").write_bytes(content)
        (error,) = errors(look(f"{tmp_path}/x.crt"))
        assert error.startswith("it holds a certificate that cannot be read: ")


def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "x.crt")
    assert errors(look(f"{tmp_path}/x.crt")) == ["it is no regular file"]


# ---- in folders


def test_a_folder_holds_those_of_its_files_and_folders(
    authority: Authority, pair: Pair, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "etcd").mkdir()
    for name, file in {"etcd/ca.crt": authority.cert, "a.crt": pair.cert, "b.pem": pair.key, "c.key": pair.key}.items():
        (tmp_path / name).write_bytes(pathlib.Path(file).read_bytes())
    seen = look(str(tmp_path))
    assert subjects(seen) == ["web", "test authority"]
    assert errors(seen) == []
    (tmp_path / "d.crt").write_text("no more")
    assert errors(look(str(tmp_path))) == ["it holds no certificate"]


def test_a_folder_without_any_says_so(pair: Pair, tmp_path: pathlib.Path) -> None:
    assert errors(look(str(tmp_path))) == ["no file in it ends with .crt, .cer, .cert, .pem"]
    (tmp_path / "key.pem").write_bytes(pathlib.Path(pair.key).read_bytes())
    assert errors(look(str(tmp_path))) == ["no file in it holds a certificate"]
    assert look(pair.cert, same_as=str(tmp_path))["same_as"]["error"] == "no file in it holds a certificate"


@root
def test_what_this_user_may_not_read_was_not_seen(pair: Pair) -> None:
    with tempfile.TemporaryDirectory() as folder:  # not below that of pytest, which is for its user only
        os.chmod(folder, 0o755)
        for name, mode in (("a.crt", 0o644), ("b.crt", 0o600)):
            pathlib.Path(folder, name).write_bytes(pathlib.Path(pair.cert).read_bytes())
            pathlib.Path(folder, name).chmod(mode)
        seen = elsewhere(lambda: look(folder), user=NOBODY)
    assert (subjects(seen), errors(seen)) == (["web"], [])
    assert [source["unseen"] for source in seen["sources"]] == [
        "",
        f"{folder}/b.crt cannot be read: permission denied: run nodecheck as root",
    ]


# ---- in kubeconfigs


def kubeconfig(folder: pathlib.Path, users: dict[str, dict[str, str]]) -> str:
    """Return the file of a kubeconfig."""
    config = {"kind": "Config", "users": [{"name": name, "user": user} for name, user in users.items()]}
    (folder / "x.conf").write_text(json.dumps(config))
    return f"{folder}/x.conf"


def test_a_kubeconfig_embeds_its_certificate_or_names_its_file(pair: Pair, tmp_path: pathlib.Path) -> None:
    cert, key = (base64.b64encode(pathlib.Path(file).read_bytes()).decode() for file in pair)
    (tmp_path / "client.pem").write_bytes(b"".join(pathlib.Path(file).read_bytes() for file in pair))
    users = {
        "embedded": {"client-certificate-data": cert, "client-key-data": key},
        "named": {"client-certificate": "client.pem", "client-key": f"{tmp_path}/client.pem"},
        "token": {"token": "x"},
    }
    for name in ("embedded", "named"):
        path = kubeconfig(tmp_path, {"token": users["token"], name: users[name]})
        seen = look(path, private_key=path)
        assert [source["place"] for source in seen["sources"]] == [f"{path} (user {name})"]
        assert (subjects(seen), seen["key"]["matches"]) == (["web"], True)


# ---- the private key


def test_whether_a_key_belongs_to_it(authority: Authority, pair: Pair) -> None:
    other, unlike = authority.issue(), authority.issue(kind=RSA)
    keys = {
        file: look(pair.cert, private_key=file)["key"]
        for file in (pair.key, other.key, unlike.key, pair.cert, "/nowhere", encrypted(other.key))
    }
    assert [key["matches"] for key in keys.values()] == [True, False, False, None, None, None]
    assert [key["error"] for key in keys.values()] == [
        "", "", "", "it holds no private key", "there is no such file", "",
    ]  # fmt: skip
    assert [key["unseen"] for key in keys.values()][-1].endswith("is encrypted")


def test_the_key_of_a_weak_certificate_belongs_to_it_all_the_same(authority: Authority, tmp_path: pathlib.Path) -> None:
    weak, other = authority.issue(kind=("-newkey", "rsa:1024")), authority.issue(kind=("-newkey", "rsa:1024"))
    (tmp_path / "x.key").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    keys = [look(weak.cert, private_key=file)["key"] for file in (weak.key, other.key, f"{tmp_path}/x.key")]
    assert [(key["matches"], key["error"]) for key in keys] == [
        (True, ""), (False, ""), (None, "it holds no private key that can be read"),
    ]  # fmt: skip


def test_a_key_that_openssl_refuses_for_another_reason_was_not_seen(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    weak = authority.issue(kind=("-newkey", "rsa:1024"))
    monkeypatch.setattr(tls, "_of_any_strength", lambda: of_strength(2))
    assert look(weak.cert, private_key=weak.key)["key"] == {
        "matches": None, "error": "", "unseen": "OpenSSL does not load the two: EE_KEY_TOO_SMALL",
    }  # fmt: skip


def of_strength(level: int) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(f"ALL:@SECLEVEL={level}")
    return context


def test_no_private_key_is_in_what_was_seen(pair: Pair) -> None:
    assert "PRIVATE" not in json.dumps(look(pair.cert, private_key=pair.key, same_as=pair.cert))


# ---- as it is served


def served(handle: Handle, **parameters: Any) -> dict[str, Any]:
    with serving(handle) as port:
        return look(address=f"127.0.0.1:{port}", **({"seconds": 5} | parameters))


def test_the_certificate_of_a_server_is_seen_though_it_does_not_verify(authority: Authority) -> None:
    expired = authority.issue("/CN=old", valid=PAST)
    seen = served(with_tls(wait, *expired), same_as=expired.cert, private_key=expired.key)
    assert (subjects(seen), seen["key"]["matches"]) == (["old"], True)
    assert seen["same_as"]["certificates"] == seen["sources"][0]["certificates"]


def test_a_server_that_wants_a_client_certificate_shows_its_own_before_or_was_not_seen(
    authority: Authority, pair: Pair
) -> None:
    newest = with_tls(wait, *pair, clients=authority.cert)
    older = with_tls(wait, *pair, clients=authority.cert, newest=ssl.TLSVersion.TLSv1_2)
    assert subjects(served(newest)) == ["web"]
    with pytest.raises(Unobserved, match="shows its certificate only to clients that have one"):
        served(older)


def test_a_server_is_asked_by_a_name(authority: Authority, pair: Pair) -> None:
    names = []

    def serve(connection: Any) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        context.sni_callback = lambda _connection, name, _context: names.append(name)
        context.wrap_socket(connection, server_side=True).close()

    served(serve, server_name="web.example.com")
    assert names == ["web.example.com"]


@pytest.mark.parametrize(
    ("handle", "error"),
    [
        (wait, LATE),
        (close, "it closed the connection"),
        (lambda connection: connection.sendall(b"220 hello\r\n"), "what answers there does not speak TLS"),
    ],
)
def test_a_server_that_stops_within_tls(handle: Handle, error: str) -> None:
    started = time.monotonic()
    seen = served(handle, seconds=0.4)
    assert (seen["stage"], seen["error"], seen["sources"]) == ("tls", error, [])
    assert time.monotonic() - started < 1


def test_a_server_that_takes_no_connection() -> None:
    refused = look(address="127.0.0.1:1")
    assert (refused["stage"], refused["error"]) == ("connect", "connection refused")
    with full() as port:
        late = look(address=f"127.0.0.1:{port}", seconds=0.4)
    assert (late["stage"], late["error"]) == ("connect", LATE)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("a:1", ("a", 1)), ("[::1]:443", ("::1", 443)), ("10.0.0.1:65535", ("10.0.0.1", 65535)), ("a", None),
        ("a:", None), (":1", None), ("::1:443", None), ("a:0", None), ("a:65536", None), ("a:1000000443", None),
        ("https://a:1", None),
        ("a b:1", None), ("a\n:1", None), ("[a:1", None),
    ],
)  # fmt: skip
def test_what_an_address_is(address: str, parts: tuple[str, int] | None) -> None:
    assert split_address(address) == parts


# ---- whatever stands in a file


@given(st.data())
def test_whatever_is_broken_in_a_certificate_it_is_read_or_is_none(authority: Authority, data: st.DataObject) -> None:
    der = bytearray(ssl.PEM_cert_to_DER_cert(pathlib.Path(authority.cert).read_text()))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    with suppress(_x509.BadCertificate):
        assert set(_x509.read(bytes(der))) >= {"subject", "not_after"}


def test_keys_of_wants_differ_where_the_wants_do() -> None:
    wants = [
        TlsWant("/x"), TlsWant("/y"), TlsWant(address="x:1"), TlsWant(address="x:1", server_name="y"),
        TlsWant("/x", private_key="/k"), TlsWant("/x", same_as="/k"),
    ]  # fmt: skip
    assert len({want.key for want in wants}) == len(wants)
