"""A container runtime in a process of its own, and what it says."""

import contextlib
import importlib.util
import json
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from nodecheck.node.windows._protobuf import write_text

HERE = pathlib.Path(__file__).parent
needs_grpc = pytest.mark.skipif(importlib.util.find_spec("grpc") is None, reason="Python's grpc is not installed")


def field(number: int, *parts: bytes) -> bytes:
    """Return a message as a field of another one."""
    data = b"".join(parts)
    assert len(data) < 1 << 14
    return bytes([number << 3 | 2, len(data) & 0x7F | 0x80, len(data) >> 7]) + data


def pairs(number: int, mapping: dict[str, str]) -> bytes:
    """Return a map of texts."""
    return b"".join(field(number, write_text(1, key), write_text(2, value)) for key, value in mapping.items())


def numbers(fields: dict[int, int]) -> bytes:
    """Return fields that hold numbers below 16384."""
    return b"".join(bytes([field << 3, value & 0x7F | 0x80, value >> 7]) for field, value in fields.items())


@contextlib.contextmanager
def serving(path: pathlib.Path, answers: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(HERE / "criserver.py"), str(path), json.dumps(answers)]
    with subprocess.Popen(command) as server:
        try:
            await_socket(path)
            yield server
        finally:
            server.kill()


def await_socket(path: pathlib.Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(str(path))
            return
        time.sleep(0.02)
    raise AssertionError("the server did not start")
