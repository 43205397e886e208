"""KVM and libvirt, as the kernel and sockets of libvirt's protocol tell of them."""

from __future__ import annotations

import os
import pathlib
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from nodecheck.node.windows import virtualization
from nodecheck.node.windows.virtualization import MESSAGE, NOT_LOADED, SHAPE, VirtualizationWant, look

if TYPE_CHECKING:
    from collections.abc import Callable

REPLY = MESSAGE.pack(MESSAGE.size + 8, 0x20008086, 1, 66, 1, 1, 0) + struct.pack(">2I", 1, 0)


def test_this_machine_can_be_looked_at() -> None:
    seen = look(VirtualizationWant(libvirt=True))
    assert SHAPE(seen, "") == seen
    assert seen["hugepages"].keys() == {"total", "free", "rsvd"}


def test_without_its_device_kvm_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtualization, "KVM", "/nowhere/kvm")
    assert virtualization._why_no_kvm() == "there is no /nowhere/kvm"


def test_a_device_whose_module_is_not_loaded_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtualization, "KVM", "/dev/null")
    monkeypatch.setattr(virtualization, "answers_without_loading", lambda _module: False)
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
    assert virtualization._why_no_kvm() == NOT_LOADED


def test_a_device_that_is_not_kvm_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtualization, "KVM", "/dev/null")
    monkeypatch.setattr(virtualization, "answers_without_loading", lambda _module: True)
    assert virtualization._why_no_kvm().startswith("/dev/null does not answer: ")


# ---- libvirt


@pytest.fixture
def listener(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes | None], str]:
    """Make a socket, whose daemon runs and sends this to whoever connects; nothing for None."""
    path = str(tmp_path / "sock")
    monkeypatch.setattr(virtualization, "SOCKETS", {path: (pathlib.Path("/proc/self/comm").read_text().strip(),)})

    def listen(answer: bytes | None) -> str:
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen()

        def serve() -> None:
            client, _ = server.accept()
            if answer is None:
                time.sleep(2)
            elif client.recv(MESSAGE.size) == MESSAGE.pack(28, 0x20008086, 1, 66, 0, 1, 0):
                client.sendall(answer)
            client.close()
            server.close()

        threading.Thread(target=serve, daemon=True).start()
        return path

    return listen


def _libvirt(seconds: float = 5.0) -> dict[str, Any]:
    (seen,) = virtualization._libvirt(seconds)
    return seen


@pytest.mark.parametrize(
    ("answer", "state", "error"),
    [
        (REPLY, "answers", ""),
        (b"", "refuses", "it closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "refuses", "it does not speak libvirt"),
    ],
)
def test_a_daemon_that_runs_is_asked(
    listener: Callable[[bytes | None], str], answer: bytes, state: str, error: str
) -> None:
    path = listener(answer)
    seen = _libvirt()
    assert (seen["socket"], seen["state"], seen["error"]) == (path, state, error)


def test_a_daemon_that_says_nothing_is_silent(listener: Callable[[bytes | None], str]) -> None:
    listener(None)
    started = time.monotonic()
    assert _libvirt(0.3)["state"] == "silent"
    assert time.monotonic() - started < 1


def test_a_socket_whose_daemon_does_not_run_is_idle_and_not_connected_to(
    listener: Callable[[bytes | None], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = listener(REPLY)
    monkeypatch.setattr(virtualization, "SOCKETS", {path: ("no-such-daemon",)})
    monkeypatch.setattr(virtualization, "_ping", lambda *_: pytest.fail("it was connected to"))
    assert _libvirt()["state"] == "idle"


def test_a_socket_on_which_nobody_listens_is_not_there(listener: Callable[[bytes | None], str]) -> None:
    assert virtualization._libvirt(1.0) == []
