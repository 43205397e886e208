"""Certificates: in a file, in the files of a folder, in a kubeconfig, or as a server shows it.

Of a private key only is said whether it belongs to the certificate.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node.shapes import boolean, fields, list_of, one_of, optional, text, whole
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows._address import split_address

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

DONE = "done"
STAGES = ("resolve", "connect", "tls", DONE)
LARGEST_FILE = 4 << 20  # bytes
MOST_FILES = 1000  # of one folder, and the folders in it
# The files of a folder: in these there has to be a certificate, in those there may be one.
CERTIFICATE_ENDINGS = (".crt", ".cer", ".cert")
OTHER_ENDINGS = (".pem",)
CERTIFICATE = fields(
    {
        "subject": text,
        "common_name": text,
        "issuer": text,
        "issuer_common_name": text,
        "names": list_of(text),
        "not_before": whole,
        "not_after": whole,
        "fingerprint": text,
    }
)
SOURCE = fields({"place": text, "error": text, "unseen": text, "certificates": list_of(CERTIFICATE)})
SHAPE = fields(
    {
        "stage": one_of(*STAGES),
        "error": text,
        "sources": list_of(SOURCE),
        "key": optional(fields({"matches": optional(boolean), "error": text, "unseen": text})),
        "same_as": optional(SOURCE),
    }
)
# How OpenSSL says that a private key is another one, the last of them when it is even of another kind.
MISMATCHES = {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"}
UNREADABLE = {None}  # "PEM lib": ERR_R_PEM_LIB has no name of its own in Python's ssl
AS_ROOT = "run nodecheck as root"


class TlsWant(NamedTuple):
    """The certificates at a path, or of an address (host:port); `private_key` and `same_as` are files, "" for none."""

    path: str = ""
    address: str = ""
    server_name: str = ""
    private_key: str = ""
    same_as: str = ""
    seconds: float = 10.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "tls"

    @property
    def key(self) -> str:
        """Where it is, and what it is compared with."""
        told = {"server_name": self.server_name, "key": self.private_key, "same_as": self.same_as}
        differs = "; ".join(f"{name} {value}" for name, value in told.items() if value)
        return (self.path or self.address) + (f" ({differs})" if differs else "")


class Pieces(NamedTuple):
    """What one place holds: certificates in DER and a private key in PEM, or why not."""

    place: str
    ders: tuple[bytes, ...] = ()
    private_key: bytes = b""
    error: str = ""
    unseen: str = ""


# ---- what follows runs in the helper


def look(want: TlsWant) -> dict[str, Any]:
    """Return the certificates; see SHAPE. Raises Unobserved where the server wants one of us first."""
    from nodecheck.node.windows._wire import Stopped

    stage, error, pieces = DONE, "", []
    try:
        pieces = [_served(want)] if want.address else list(_at(want.path))
    except Stopped as stop:
        stage, error = stop.stage, stop.error
    ders = next((piece.ders for piece in pieces if piece.ders), ())
    return {
        "stage": stage,
        "error": error,
        "sources": [_source(piece) for piece in pieces],
        "key": _matches(ders[0], want.private_key) if want.private_key and ders else None,
        "same_as": _source(next(_at(want.same_as))) if want.same_as else None,
    }


def _source(pieces: Pieces) -> dict[str, Any]:
    from nodecheck.node.windows._x509 import BadCertificate, read

    told: dict[str, Any] = {"place": pieces.place, "error": pieces.error, "unseen": pieces.unseen, "certificates": []}
    try:
        return told | {"certificates": [read(der) for der in pieces.ders]}
    except BadCertificate as bad:
        return told | {"error": f"it holds a certificate that cannot be read: {bad}"}


# ---- as it is served


def _served(want: TlsWant) -> Pieces:
    """Return the certificate that a server shows, whether it verifies or not. Raises Stopped and Unobserved."""
    import ssl

    from nodecheck.node.windows import _wire

    deadline = _wire.Deadline(want.seconds)
    host, port = split_address(want.address) or ("", 0)
    context = _of_any_strength()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    try:
        made = _wire.secure(_wire.connect(host, port, deadline), context, want.server_name or host, deadline)
    except _wire.Stopped as stop:
        if stop.error in _wire.WANTS_CERTIFICATE:
            reason = f"{want.address} shows its certificate only to clients that have one: {stop.error}"
            raise Unobserved(f"tls {want.address}", reason, remedy="judge the file of its certificate") from stop
        raise
    with made:
        return Pieces(want.address, (made.getpeercert(binary_form=True) or b"",))


def _of_any_strength() -> ssl.SSLContext:
    """Return what also takes weak keys: they have a certificate that ends, too (SSL_CTX_set_security_level(3))."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


# ---- in files


def _at(path: str) -> Iterator[Pieces]:
    """Yield what is at a path: one for a file, several for a kubeconfig and for a folder."""
    if not os.path.isdir(path):
        yield from _in_file(path, must=True)
        return
    files = _files(path)
    found = [piece for file in files for piece in _in_file(file, must=file.lower().endswith(CERTIFICATE_ENDINGS))]
    yield from found
    if not files:
        yield Pieces(path, error=f"no file in it ends with {', '.join((*CERTIFICATE_ENDINGS, *OTHER_ENDINGS))}")
    elif not found:
        yield Pieces(path, error="no file in it holds a certificate")


def _files(folder: str) -> list[str]:
    """Return the certificate files in a folder, and in those in it. Raises Unobserved and OSError."""
    found: list[str] = []
    for where, _folders, names in os.walk(folder, onerror=_raise):
        found += [
            os.path.join(where, name) for name in names if name.lower().endswith((*CERTIFICATE_ENDINGS, *OTHER_ENDINGS))
        ]
        if len(found) > MOST_FILES:
            raise Unobserved(f"tls {folder}", f"{folder} holds more than {MOST_FILES} certificate files")
    return sorted(found)


def _raise(error: OSError) -> None:
    named = f"{error.filename} cannot be read: {(error.strerror or str(error)).lower()}"
    raise Unobserved(f"folder {error.filename}", named, remedy=AS_ROOT if isinstance(error, PermissionError) else "")


def _in_file(path: str, *, must: bool) -> Iterator[Pieces]:
    from nodecheck.node.windows import _x509

    pieces = _read_file(path)
    if pieces.error or pieces.unseen:
        yield pieces
        return
    data = pieces.private_key
    try:
        ders = _x509.all_in(data)
    except _x509.BadCertificate as bad:
        yield Pieces(path, error=f"it holds a certificate that cannot be read: {bad}")
        return
    if ders:
        yield Pieces(path, tuple(ders), data if b"PRIVATE KEY-----" in data else b"")
    elif b"-----BEGIN " not in data and b"users" in data:
        yield from _in_kubeconfig(path, data)
    elif must:
        yield Pieces(path, error="it holds no certificate", private_key=data if b"PRIVATE KEY-----" in data else b"")


def _read_file(path: str) -> Pieces:
    """Return the whole file as the private key that it may hold, or why not."""
    import stat

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return Pieces(path, error="it is no regular file")
            data = file.read(LARGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return Pieces(path, error="there is no such file")
    except OSError as error:
        remedy = f": {AS_ROOT}" if isinstance(error, PermissionError) else ""
        return Pieces(path, unseen=f"{path} cannot be read: {(error.strerror or str(error)).lower()}{remedy}")
    if len(data) > LARGEST_FILE:
        return Pieces(path, unseen=f"{path} is larger than {LARGEST_FILE >> 20}MiB")
    return Pieces(path, private_key=data)


# ---- in a kubeconfig


def _in_kubeconfig(path: str, data: bytes) -> Iterator[Pieces]:
    """Yield the client certificate of each user that has one."""
    import yaml  # noqa: TID251  # this is no definition: it is somebody else's file, and read in the helper only

    try:
        config = yaml.safe_load(
            data
        )  # not libyaml's: that overflows the stack of a thread where a file is nested deeply
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError):
        yield Pieces(path, error="it is neither a certificate nor a kubeconfig")
        return
    users = [entry for entry in _list(config, "users") if isinstance(entry, dict)]
    found = [(str(entry.get("name", "")), entry["user"]) for entry in users if isinstance(entry.get("user"), dict)]
    having = [(name, user) for name, user in found if "client-certificate" in "".join(map(str, user))]
    for name, user in having:
        yield _of_user(path, f"{path} (user {name})", user)
    if not having:
        yield Pieces(path, error="it is no kubeconfig with a client certificate")


def _list(config: Any, name: str) -> list[Any]:
    found = config.get(name) if isinstance(config, dict) else None
    return found if isinstance(found, list) else []


def _of_user(path: str, place: str, user: dict[str, Any]) -> Pieces:
    from nodecheck.node.windows import _x509

    certificate = _embedded(path, user, "client-certificate")
    private_key = _embedded(path, user, "client-key")
    if certificate.error or certificate.unseen:
        return certificate._replace(place=place)
    try:
        ders = tuple(_x509.all_in(certificate.private_key))
    except _x509.BadCertificate as bad:
        return Pieces(place, error=f"its client certificate cannot be read: {bad}")
    return Pieces(place, ders, private_key.private_key, error="" if ders else "its client certificate is none")


def _embedded(path: str, user: dict[str, Any], name: str) -> Pieces:
    """Return what stands in a kubeconfig in base64, or in the file that it names, which counts less."""
    import base64

    if data := user.get(f"{name}-data"):
        try:
            return Pieces(path, private_key=base64.b64decode(str(data)))
        except ValueError:
            return Pieces(path, error=f"its {name}-data is no base64")
    file = os.path.join(os.path.dirname(path), str(user.get(name, "")))
    read = _read_file(file)
    return read._replace(error=f"it names {file}, and {read.error}" if read.error else "")


# ---- does the key belong to it?


def _matches(der: bytes, path: str) -> dict[str, Any]:
    """Return whether the private key at a path belongs to a certificate."""
    pieces = next(_at(path), Pieces(path, error="it holds no private key"))
    if not pieces.private_key:
        error = "" if pieces.unseen else pieces.error or "it holds no private key"
        return {"matches": None, "error": error, "unseen": pieces.unseen}
    if b"ENCRYPTED" in pieces.private_key:
        return {"matches": None, "error": "", "unseen": f"the private key in {path} is encrypted"}
    return _load_together(der, pieces.private_key)


def _load_together(der: bytes, private_key: bytes) -> dict[str, Any]:
    """OpenSSL refuses to load a certificate with the key of another one."""
    import ssl

    certificate = ssl.DER_cert_to_PEM_cert(der).encode()
    with _in_memory(certificate) as first, _in_memory(private_key) as second:
        try:
            _of_any_strength().load_cert_chain(_path(first), _path(second), password=lambda: "")
        except ssl.SSLError as error:
            if error.reason in MISMATCHES:
                return {"matches": False, "error": "", "unseen": ""}
            if error.reason in UNREADABLE:
                return {"matches": None, "error": "it holds no private key that can be read", "unseen": ""}
            return {"matches": None, "error": "", "unseen": f"OpenSSL does not load the two: {error.reason}"}
    return {"matches": True, "error": "", "unseen": ""}


def _in_memory(data: bytes) -> Any:
    """Return an open file that is on no disk: ssl takes nothing but paths."""
    file = os.fdopen(os.memfd_create("nodecheck", os.MFD_CLOEXEC), "wb")
    file.write(data)
    file.flush()
    return file


def _path(file: Any) -> str:
    return f"/proc/self/fd/{file.fileno()}"
