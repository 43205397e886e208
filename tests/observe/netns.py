"""A network of the test's own: a thread in a new network namespace, with ip(8) to furnish it."""

from __future__ import annotations

import ctypes
import os
import queue
import shutil
import subprocess
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CLONE_NEWNET = 0x40000000


class Network:
    """A network namespace that begins with a loopback interface that is down, and ends with the test."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        code = self._answers.get()
        if code:
            _cannot(f"no network namespace can be made here: {os.strerror(code)}")
        return self

    def __exit__(self, *_: object) -> None:
        self._jobs.put(None)
        self._thread.join()

    def do(self, job: Callable[[], Any]) -> Any:
        """Do something within: a socket that is made there is of that network."""
        self._jobs.put(job)
        answer = self._answers.get()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def ip(self, *lines: str) -> None:
        """Call ip with each of these; what the kernel has no module for skips the test."""
        for line in lines:
            done = self.do(partial(_call, "ip", *line.split()))
            if "Unknown device type" in done.stderr:
                pytest.skip(f"this kernel cannot: ip {line}")
            assert done.returncode == 0, f"ip {line}: {done.stderr}"

    def _work(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._answers.put(ctypes.get_errno() if libc.unshare(CLONE_NEWNET) else 0)
        while job := self._jobs.get():
            try:
                self._answers.put(job())
            except BaseException as error:  # noqa: BLE001  # it is raised where the job came from
                self._answers.put(error)


def _call(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def needs_ip() -> None:
    """Skip where there is no ip(8)."""
    if not shutil.which("ip"):
        _cannot("there is no ip (iproute2) here")


def _cannot(reason: str) -> NoReturn:
    """Skip; or fail, where a machine is required that can do all."""
    if os.environ.get("NODECHECK_REQUIRE_NODE") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
