"""Real processes to look at, and ways to be somebody else."""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from nodecheck.node.isolated import Channel, Helper

from .bus import PATIENCE_SECONDS, wait_until

NOBODY = 65534
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000


class Child:
    """A Python process that runs some lines, says that it is ready, and sleeps; killed at the end."""

    def __init__(self, code: str = "", *, user: int | None = None) -> None:
        lines = f"import ctypes, os, signal, sys, threading, time\n{code}\nprint('ready', flush=True)\ntime.sleep(60)"
        self._process = subprocess.Popen(["/usr/bin/python3", "-c", lines], stdout=subprocess.PIPE, user=user)
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def set_name(name: bytes) -> str:
    """Return a line that renames a process, as prctl(PR_SET_NAME) does."""
    return f"ctypes.CDLL(None).prctl(15, {name!r})"


def elsewhere(look: Callable[[], Any], *, user: int | None = None, prepare: Callable[[], None] | None = None) -> Any:
    """Return what `look` sees (plain data) in a process of its own, prepared as root and then perhaps another user."""

    def serve(channel: Channel) -> None:
        try:
            if prepare is not None:
                prepare()
            if user is not None:
                os.setgroups([])
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
            channel.send(("seen", look()))
        except BaseException as error:  # noqa: BLE001  # the test has to know
            channel.send(("error", repr(error)))

    with Helper(serve) as helper:
        kind, seen = helper.channel.receive(time.monotonic() + PATIENCE_SECONDS)
    assert kind == "seen", seen
    return seen


def call(name: str, *arguments: Any) -> None:
    """Call a function of the C library; raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def own_mounts() -> None:
    """Give this process mounts of its own."""
    call("unshare", CLONE_NEWNS)
    call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)


def own_network() -> None:
    """Give this process a network of its own, with nothing but the loopback interface."""
    call("unshare", CLONE_NEWNET)
    with socket.socket() as any_socket:
        import fcntl

        fcntl.ioctl(any_socket, 0x8914, b"lo".ljust(16, b"\0") + (0x49).to_bytes(24, "little"))  # SIOCSIFFLAGS: up


def hang(folder: pathlib.Path) -> int:
    """Mount a file system that never answers on a folder: whoever looks into it hangs, like a dead network mount.

    Returns the descriptor of its server, which is us; closing it ends the hanging.
    """
    server = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
    call("mount", b"dead", str(folder).encode(), b"fuse", 0, options)
    return server


def unhang(folder: pathlib.Path, server: int) -> None:
    """Take it away again."""
    os.close(server)
    call("umount2", str(folder).encode(), 2)  # MNT_DETACH


def zombie() -> int:
    """Return the pid of a child that has ended, and that nobody collects until `os.waitpid`."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    wait_until(lambda: b") Z " in pathlib.Path(f"/proc/{pid}/stat").read_bytes(), "the child ended")
    return pid


def kill(pid: int) -> None:
    """Kill a child and collect it."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
