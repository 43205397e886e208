"""HTTP servers behind TLS: what verifies, what does not, and which files are ours."""

from __future__ import annotations

import pathlib
import ssl
import subprocess
from typing import Any

import pytest

from nodecheck.node.unobserved import Unobserved

from .asking import CLOSED, LATE, OK, SECONDS, look, outcome, redirecting
from .pki import EC, PAST, RSA, Authority, encrypted
from .servers import Handle, close, says, serving, wait, with_tls


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def ask_secured(handle: Handle, authority: Authority, **parameters: Any) -> dict[str, Any]:
    with serving(handle) as port:
        return look(f"https://127.0.0.1:{port}/", **({"ca": authority.cert, "seconds": 5} | parameters))


def test_a_server_with_tls_verifies(authority: Authority) -> None:
    for kind in (EC, RSA):
        pair = authority.issue(names="IP:127.0.0.1", kind=kind)
        assert ask_secured(with_tls(says(OK), *pair), authority)["status"] == 200


def test_what_is_trusted_need_not_be_a_root(authority: Authority, tmp_path: pathlib.Path) -> None:
    between = Authority(tmp_path, "between", signed_by=authority)
    handle = with_tls(says(OK), *between.issue(names="IP:127.0.0.1"))
    assert outcome(ask_secured(handle, between)) == ("done", "")
    assert outcome(ask_secured(handle, authority)) == ("verify", "unable to get local issuer certificate")


def test_a_folder_of_certificates_is_trusted_where_openssl_finds_them(
    authority: Authority, tmp_path: pathlib.Path
) -> None:
    handle = with_tls(says(OK), *authority.issue(names="IP:127.0.0.1"))
    (tmp_path / "ca.crt").write_bytes(pathlib.Path(authority.cert).read_bytes())
    with pytest.raises(Unobserved, match="holds no certificates by the names that OpenSSL looks for"):
        ask_secured(handle, authority, ca=str(tmp_path))
    subprocess.run(["openssl", "rehash", tmp_path], check=True)
    assert outcome(ask_secured(handle, authority, ca=str(tmp_path))) == ("done", "")


def test_a_certificate_that_does_not_verify_says_why(authority: Authority, tmp_path: pathlib.Path) -> None:
    good = with_tls(says(OK), *authority.issue(names="IP:127.0.0.1"))
    expired = with_tls(says(OK), *authority.issue(names="IP:127.0.0.1", valid=PAST))
    other = with_tls(says(OK), *authority.issue(names="DNS:www.example.com"))
    stranger = Authority(tmp_path, "another authority")
    unknown = "unable to get local issuer certificate"
    mismatch = "IP address mismatch, certificate is not valid for '127.0.0.1'"
    assert outcome(ask_secured(expired, authority)) == ("verify", "certificate has expired")
    assert outcome(ask_secured(good, stranger)) == ("verify", unknown)
    assert outcome(ask_secured(good, authority, ca="")) == ("verify", unknown)
    assert outcome(ask_secured(other, authority)) == ("verify", mismatch)
    assert outcome(ask_secured(other, authority, host="www.example.com")) == ("done", "")
    assert outcome(ask_secured(expired, authority, ca="", verify=False)) == ("done", "")


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_may_want_a_client_certificate(authority: Authority, newest: ssl.TLSVersion) -> None:
    pair, client = authority.issue(names="IP:127.0.0.1"), authority.issue("/CN=client")
    handle = with_tls(says(OK), *pair, clients=authority.cert, newest=newest)
    assert ask_secured(handle, authority, cert=client.cert, private_key=client.key)["status"] == 200
    assert ask_secured(handle, authority)["stage"] == "tls"


def test_the_client_certificate_is_shown_to_the_first_server_only(authority: Authority) -> None:
    pair, client = authority.issue(names="IP:127.0.0.1"), authority.issue("/CN=client")
    demanding = with_tls(says(OK), *pair, clients=authority.cert)
    with serving(demanding) as port:
        handle = with_tls(redirecting(f"https://127.0.0.1:{port}/"), *pair)
        seen = ask_secured(handle, authority, cert=client.cert, private_key=client.key, follow=1)
    assert outcome(seen) == ("tls", "it wants a client certificate")


def test_no_redirect_leads_out_of_tls(authority: Authority) -> None:
    pair = authority.issue(names="IP:127.0.0.1")
    seen = ask_secured(with_tls(redirecting("http://127.0.0.1:1/"), *pair), authority, follow=1)
    assert outcome(seen) == ("redirect", "it redirects to http://127.0.0.1:1/, which is not followed")


@pytest.mark.parametrize(
    ("handle", "error"),
    [
        (wait, LATE),
        (close, CLOSED),
        (lambda connection: connection.sendall(OK), "what answers there does not speak TLS"),
    ],
)
def test_a_server_that_stops_within_tls(authority: Authority, handle: Handle, error: str) -> None:
    assert outcome(ask_secured(handle, authority, seconds=SECONDS)) == ("tls", error)


def test_files_that_cannot_be_used_say_nothing_of_the_server(authority: Authority) -> None:
    pair, other = authority.issue(), authority.issue()
    url = "https://127.0.0.1:1/"
    with pytest.raises(Unobserved, match="/nowhere cannot be read: no such file or directory"):
        look(url, ca="/nowhere")
    with pytest.raises(Unobserved, match=r"ca\.key cannot be used: it holds no certificate"):
        look(url, ca=authority.cert.replace(".crt", ".key"))
    with pytest.raises(Unobserved, match="cannot be used: the private key does not belong to the certificate"):
        look(url, cert=pair.cert, private_key=other.key)
    with pytest.raises(Unobserved, match="cannot be used: "):  # and nobody is asked for a password
        look(url, cert=pair.cert, private_key=encrypted(pair.key))
