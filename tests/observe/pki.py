"""A certificate authority for tests: real certificates, made by openssl, also such as nobody wants."""

from __future__ import annotations

import pathlib
import subprocess
from typing import NamedTuple

CONFIGURATION = """
[ca]
default_ca = tests
[tests]
new_certs_dir = {folder}
database = {folder}/index.txt
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
organizationName = optional
commonName = optional
"""
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
RSA = ("-newkey", "rsa:2048")
PAST = ("20200101000000Z", "20210101000000Z")
NOW = ("20200101000000Z", "21200101000000Z")
FUTURE = ("21000101000000Z", "21200101000000Z")


class Pair(NamedTuple):
    """The files of a certificate and its private key."""

    cert: str
    key: str


class Authority:
    """Issues certificates; `cert` is the file of its own, which another authority may have signed."""

    def __init__(self, folder: pathlib.Path, name: str = "test authority", signed_by: Authority | None = None) -> None:
        self._folder = folder
        self.cert = str(folder / "ca.crt")
        self._key = str(folder / "ca.key")
        (folder / "index.txt").touch()
        (folder / "ca.cnf").write_text(CONFIGURATION.format(folder=folder))
        if signed_by:
            self.cert, self._key = signed_by.issue(f"/CN={name}", extensions=("basicConstraints=critical,CA:TRUE",))
            return
        made = ("-x509", "-days", "3650", "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.cert)
        _openssl("req", *EC, "-nodes", *made)

    def issue(
        self,
        subject: str = "/CN=web",
        *,
        names: str = "",
        valid: tuple[str, str] = NOW,
        kind: tuple[str, ...] = EC,
        extensions: tuple[str, ...] = (),
    ) -> Pair:
        """Return a new certificate; `names` are alternative ones as openssl takes them, `valid` is from and until."""
        number = len(list(self._folder.glob("*.csr")))
        request, cert, key = (str(self._folder / f"{number}.{ending}") for ending in ("csr", "crt", "key"))
        every = (*extensions, f"subjectAltName={names}") if names else extensions
        added = [word for extension in every for word in ("-addext", extension)]
        _openssl("req", *kind, "-nodes", "-subj", subject, *added, "-keyout", key, "-out", request)
        signing = ("-config", str(self._folder / "ca.cnf"), "-cert", self.cert, "-keyfile", self._key)
        dates = ("-startdate", valid[0], "-enddate", valid[1])
        _openssl("ca", "-batch", "-notext", *signing, *dates, "-in", request, "-out", cert)
        return Pair(cert, key)


def encrypted(key: str) -> str:
    """Return the file of the same key, with a password."""
    _openssl("pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", f"{key}.encrypted")
    return f"{key}.encrypted"


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
