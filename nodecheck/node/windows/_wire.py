"""Connections that keep to a deadline and say how far they came: resolve, connect, tls, verify.

What the other side does is told by Stopped; where we could not even try, it is Unobserved, or an OSError of ours.
"""

from __future__ import annotations

import errno
import functools
import os
import re
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nodecheck.durations import format_duration
from nodecheck.node import nameservice, ondemand
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    import ssl

CLOSED = "it closed the connection"
BETWEEN_TRIES_SECONDS = 0.01
AT_ONCE = 64 << 10  # bytes
# Not the fault of what is connected to: we lack descriptors, memory or the permission.
OURS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EPERM, errno.EACCES}
# How OpenSSL calls it, and what it means.
TLS_REASONS = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a client certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept the client certificate, or that there is none",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not know the issuer of the client certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the client certificate has expired",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not accept the client certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it refuses the handshake",
    "TLSV1_UNRECOGNIZED_NAME": "it does not know the name of the server",
    "KEY_VALUES_MISMATCH": "the private key does not belong to the certificate",
    "KEY_TYPE_MISMATCH": "the private key does not belong to the certificate",
    "NO_CERTIFICATE_ASSIGNED": "the private key does not belong to the certificate",
    "NO_CERTIFICATE_OR_CRL_FOUND": "it holds no certificate",
    "NO_START_LINE": "it holds no certificate",
    "WRONG_VERSION_NUMBER": "what answers there does not speak TLS",
    "UNSUPPORTED_PROTOCOL": "it speaks no version of TLS from 1.2 on",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it speaks no version of TLS that we do",
}

# With these a server stops whom it asked in vain for a certificate: OpenSSL, Go, and TLS 1.3.
WANTS_CERTIFICATE = {
    TLS_REASONS[alert]
    for alert in (
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
    )
}


class Stopped(Exception):
    """The other side did not go on: at which stage, and what happened."""

    def __init__(self, stage: str, error: str) -> None:
        super().__init__(stage, error)
        self.stage = stage
        self.error = error


class Deadline:
    """When something that was begun now has to end; in seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.started = time.monotonic()

    def left(self, share: float = 1.0) -> float:
        """Return the seconds that are left, or a share of them; raises TimeoutError when there are none."""
        left = self.started + self.seconds - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left * share

    def passed(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.started

    def stopped(self, stage: str) -> Stopped:
        """Say that it was not in time."""
        return Stopped(stage, f"it took longer than {format_duration(self.seconds)}")


# ---- resolve and connect


def connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Return a connection to the first address of a host that takes one. Raises Stopped, Unobserved, OSError."""
    addresses = _resolve(host, port, deadline)
    errors = {}
    for number, (family, address) in enumerate(addresses):
        try:
            return _connect_to(family, address, deadline, 1 / (len(addresses) - number))
        except OSError as error:
            if error.errno in OURS or (error.errno, family) == (errno.EADDRNOTAVAIL, socket.AF_INET):
                raise
            errors[address[0]] = _words(error, deadline)
    told = set(errors.values())
    raise Stopped("connect", told.pop() if len(told) == 1 else "; ".join(f"{at}: {why}" for at, why in errors.items()))


def _connect_to(family: int, address: Any, deadline: Deadline, share: float) -> socket.socket:
    ondemand.refuse_to_wake(family, address)
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.settimeout(deadline.left(share))
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made


def connect_unix(path: str, deadline: Deadline) -> socket.socket:
    """Return a connection to a socket in the file system. Raises Stopped, Unobserved and OSError."""
    while True:
        try:
            return _connect_to(socket.AF_UNIX, path, deadline, 1.0)
        except BlockingIOError:  # its queue is full, and a socket with a timeout does not wait for that by itself
            time.sleep(BETWEEN_TRIES_SECONDS)
        except PermissionError as error:
            remedy = "run nodecheck as root, or as a user who may write to the socket"
            raise Unobserved(f"socket {path}", f"{path} may not be connected to by this user", remedy=remedy) from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Stopped("connect", "there is no such socket") from error
        except OSError as error:
            if error.errno in OURS:
                raise
            raise Stopped("connect", _words(error, deadline)) from error


def _words(error: OSError, deadline: Deadline) -> str:
    if isinstance(error, TimeoutError) and error.errno is None:
        return deadline.stopped("connect").error
    return (error.strerror or str(error)).lower()


def _resolve(host: str, port: int, deadline: Deadline) -> list[tuple[int, Any]]:
    """Return (family, address) of each address. Raises Stopped for a name that has none.

    A name service that fails says nothing of the server: then this raises Unobserved.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [(family, address) for family, _, _, _, address in found]
    except (socket.gaierror, UnicodeError):
        pass  # a name
    try:
        return list(nameservice.Question(host, port).answer(deadline.started + deadline.seconds))
    except TimeoutError as error:
        raise nameservice.failed(host, error) from None
    except socket.gaierror as error:
        if error.errno in nameservice.NO_SUCH_NAME:
            raise Stopped("resolve", str(error.strerror).lower()) from error
        raise nameservice.failed(host, error) from error


# ---- tls


def load_tls() -> None:
    """Load what TLS needs, and have OpenSSL begin: the first context takes three times as long as others."""
    with suppress(ImportError):
        import ssl

        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


_making: dict[tuple[str, str, str, bool], threading.Lock] = {}


def context(ca: str, cert: str, private_key: str, verify: bool) -> ssl.SSLContext:
    """Return a context with these files; all may be "". Raises Unobserved where one of them cannot be used.

    Making one takes longer than asking a server, so looks with the same files share one; others do not wait for them.
    """
    with _making.setdefault((ca, cert, private_key, verify), threading.Lock()):
        return _context(ca, cert, private_key, verify)


@functools.cache
def _context(ca: str, cert: str, private_key: str, verify: bool) -> ssl.SSLContext:
    import ssl

    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # What is trusted need not be a root, such as kubeadm's ca.crt of an authority above: Go and curl have it so, too.
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif ca:
        _use(ca, lambda: _trust(made, ca))
    else:
        made.set_default_verify_paths()
    if cert:
        # Without a password of ours OpenSSL would ask for one at the terminal.
        _use(cert, lambda: made.load_cert_chain(cert, private_key or None, password=lambda: ""), private_key)
    return made


def _trust(context: ssl.SSLContext, ca: str) -> None:
    """Trust the certificates of a file, or of a folder. Raises OSError and Unobserved."""
    if not os.path.isdir(ca):
        context.load_verify_locations(cafile=ca)
        return
    # Of a folder, OpenSSL opens what is called by the hash of an issuer, and nothing else.
    if not any(re.fullmatch(r"[0-9a-f]{8}\.[0-9]+", name) for name in os.listdir(ca)):
        told = f"{ca} holds no certificates by the names that OpenSSL looks for"
        raise Unobserved(f"folder {ca}", told, remedy=f"openssl rehash {ca}, or name a file")
    context.load_verify_locations(capath=ca)


def _use(file: str, load: Any, other: str = "") -> None:
    import ssl

    named = f"{file} or {other}" if other else file
    try:
        load()
    except ssl.SSLError as error:
        told = f"{named} cannot be used: {_tls_words(error)}"
        raise Unobserved(f"file {file}", told, remedy=f"openssl x509 -noout -text -in {file}") from error
    except OSError as error:
        remedy = "run nodecheck as root" if isinstance(error, PermissionError) else ""
        told = f"{named} cannot be read: {(error.strerror or str(error)).lower()}"
        raise Unobserved(f"file {file}", told, remedy=remedy) from error


def secure(plain: socket.socket, with_context: ssl.SSLContext, name: str, deadline: Deadline) -> ssl.SSLSocket:
    """Return the connection with TLS on it; `name` is that of the server. Raises Stopped."""
    import ssl

    made = with_context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)
    try:
        made.settimeout(deadline.left())
        made.do_handshake()
    except BaseException as error:
        made.close()
        if isinstance(error, ssl.SSLCertVerificationError):
            raise Stopped("verify", error.verify_message.rstrip(".")) from error
        if isinstance(error, OSError):
            raise stopped_by(error, "tls", deadline) from error
        raise
    return made


def stopped_by(error: OSError, stage: str, deadline: Deadline) -> Stopped:
    """Say what became of a connection that was made: no answer in time, reset, closed, an alert of TLS."""
    if isinstance(error, TimeoutError):
        return deadline.stopped(stage)
    if isinstance(error, ConnectionError):
        return Stopped(stage, CLOSED)
    if type(error).__module__ != "ssl":
        return Stopped(stage, _words(error, deadline))
    ended = type(error).__name__ in ("SSLEOFError", "SSLZeroReturnError") or "EOF" in str(getattr(error, "reason", ""))
    return Stopped("tls", CLOSED if ended else _tls_words(error))


def _tls_words(error: Any) -> str:
    reason = error.reason or str(error)
    return TLS_REASONS.get(reason, reason.replace("_", " ").lower())


class Stream:
    """What is sent to and read from the other side before the deadline; `stage` is what is waited for now."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self.stage = "request"
        self._socket = connected
        self.deadline = deadline
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send it all. Raises Stopped."""
        try:
            self._socket.settimeout(self.deadline.left())
            self._socket.sendall(data)
        except OSError as error:
            stopped = stopped_by(error, self.stage, self.deadline)
            if stopped.error != CLOSED:  # it may have said why before it closed the connection: reading tells
                raise stopped from error

    def line(self, most: int) -> bytes | None:
        """Return a line without its end; None when the other side ended before. Raises Stopped for a longer one."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > most:
                raise Stopped(self.stage, f"a line is longer than {most} bytes")
            if not (more := self._receive()):
                return None
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.removesuffix(b"\r")

    def some(self, most: int) -> bytes:
        """Return what is there next, at most so many bytes; nothing at the end. Raises Stopped."""
        data = self._buffer or self._receive()
        self._buffer = data[most:]
        return data[:most]

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _receive(self) -> bytes:
        try:
            self._socket.settimeout(self.deadline.left())
            return self._socket.recv(AT_ONCE)
        except OSError as error:
            raise stopped_by(error, self.stage, self.deadline) from error
