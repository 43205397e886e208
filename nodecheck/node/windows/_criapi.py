"""What a container runtime tells over its CRI socket: gRPC, each call with its deadline."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from nodecheck.node.unobserved import NO_PACKAGE, Unobserved
from nodecheck.node.windows import _unixsocket
from nodecheck.node.windows._protobuf import Message
from nodecheck.node.windows._rungs import BROKEN, FAILED, MISSING, Refusal

if TYPE_CHECKING:
    from nodecheck.node.windows._rungs import Ladder

VERSIONS = ("v1", "v1alpha2")  # the newest first; before Kubernetes 1.20 there was no v1
LARGEST_ANSWER = 64 << 20  # bytes
NO_CRI = "it speaks gRPC, but no CRI: the cri plugin is disabled (disabled_plugins in its config.toml) or did not load"


class Unimplemented(Exception):
    """The runtime does not know this call."""


class Api:
    """A runtime on one socket, asked rung by rung."""

    def __init__(self, path: str, ladder: Ladder) -> None:
        self._path = path
        self._ladder = ladder
        self._grpc = _import_grpc()
        self._channel: Any = None
        self.version = VERSIONS[0]

    def connect(self, share: float) -> None:
        """Connect. Raises Stopped."""
        self._ladder.climb("connect", share, lambda end: _unixsocket.connect(self._path, end).close())
        options = [("grpc.max_receive_message_length", LARGEST_ANSWER), ("grpc.enable_http_proxy", 0)]
        self._channel = self._grpc.insecure_channel(f"unix://{self._path}", options=options)

    def ask_version(self, share: float) -> Message:
        """Return its VersionResponse, and remember which version of the CRI it speaks. Raises Stopped."""
        return self._ladder.climb("version", share, self._ask_version)

    def ask(self, rung: str, share: float, method: str, request: bytes = b"", service: str = "Runtime") -> Message:
        """Return what it answers to a call. Raises Stopped."""
        return self._ladder.climb(rung, share, lambda end: self._call_known(method, request, service, end))

    def ask_perhaps(self, method: str, seconds: float) -> Message | None:
        """Return what it answers to a call that not every runtime knows; None where there is no answer."""
        try:
            return self._call(method, b"", "Runtime", time.monotonic() + seconds)
        except (Unimplemented, Refusal, TimeoutError):
            return None

    def close(self) -> None:
        """Close the connection."""
        if self._channel is not None:
            self._channel.close()

    def _ask_version(self, deadline: float) -> Message:
        for version in VERSIONS:
            self.version = version
            try:
                return self._call("Version", b"", "Runtime", deadline)
            except Unimplemented:
                continue
        raise Refusal(FAILED, NO_CRI)

    def _call_known(self, method: str, request: bytes, service: str, deadline: float) -> Message:
        try:
            return self._call(method, request, service, deadline)
        except Unimplemented as error:
            raise Refusal(FAILED, f"it does not know the call {method}") from error

    def _call(self, method: str, request: bytes, service: str, deadline: float) -> Message:
        """Raises Unimplemented, Refusal, TimeoutError and Unobserved."""
        call = self._channel.unary_unary(f"/runtime.{self.version}.{service}Service/{method}")
        try:
            return Message(call(request, timeout=max(0.001, deadline - time.monotonic())))
        except self._grpc.RpcError as error:
            raise self._in_words(error) from error
        except ValueError as error:
            raise Refusal(BROKEN, f"what it says is no answer to {method}: {error}") from error

    def _in_words(self, error: Any) -> Exception:
        codes = self._grpc.StatusCode
        said = " ".join(str(error.details()).split())
        if error.code() is codes.DEADLINE_EXCEEDED:
            return TimeoutError()
        if error.code() is codes.UNIMPLEMENTED:
            return Unimplemented()
        if error.code() in (codes.PERMISSION_DENIED, codes.UNAUTHENTICATED):
            return Unobserved(f"cri {self._path}", f"the runtime does not let this user look: {said}")
        kinds = {codes.UNAVAILABLE: BROKEN, codes.NOT_FOUND: MISSING}
        return Refusal(kinds.get(error.code(), FAILED), said)


def _import_grpc() -> Any:
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it would write to stderr
    try:
        import grpc
    except ImportError as error:
        reason = "the CRI is spoken over gRPC, for which Python's grpc is missing here"
        raise Unobserved(NO_PACKAGE, reason, remedy="apt install python3-grpcio") from error
    return grpc
