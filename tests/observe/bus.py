"""A bus of our own: a real dbus-daemon on a socket in a temporary folder, and a fake systemd on it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/>
  </policy>
  <limit name="max_replies_per_connection">128</limit>
</busconfig>
"""
PATIENCE_SECONDS = 10


class Bus:
    """A dbus-daemon, as a context manager; a fake systemd joins it on demand."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.socket = folder / "bus"
        self.address = f"unix:path={self.socket}"
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        configuration = self.folder / "bus.conf"
        configuration.write_text(CONFIGURATION.format(socket=self.socket))
        arguments = ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile", "--nosyslog"]
        self.daemon = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        self._started.append(self.daemon)
        wait_until(self.socket.exists, "dbus-daemon made its socket")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._started):
            process.kill()  # a stopped process dies of it too
            process.wait()

    def systemd(self, **plan: Any) -> "FakeSystemd":
        """Start a fake systemd that behaves as planned; fake_systemd.py says what a plan may hold."""
        fake = FakeSystemd(self, plan)
        self._started.append(fake.process)
        wait_until((self.folder / "ready").exists, "the fake systemd owns its name")
        return fake

    def stop(self) -> None:
        """Stop dbus-daemon: it still has its socket, and answers nobody."""
        stop(self.daemon.pid)

    def kill(self) -> None:
        """Kill dbus-daemon: its socket stays behind."""
        self.daemon.kill()
        self.daemon.wait()


class FakeSystemd:
    """The fake systemd's process, and what it was asked."""

    def __init__(self, bus: Bus, plan: dict[str, Any]) -> None:
        self._calls = bus.folder / "calls"
        (bus.folder / "plan.json").write_text(json.dumps(plan))
        program = pathlib.Path(__file__).with_name("fake_systemd.py")
        environment = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": bus.address}
        self.process = subprocess.Popen([sys.executable, program, bus.folder], env=environment)

    def calls(self, method: str) -> list[Any]:
        """Return the arguments of all calls of a method."""
        return [arguments for called, arguments, _, _ in self._lines() if called == method]

    def most_pending(self) -> int:
        """Return how many properties were asked for and not yet answered, at most."""
        return max(int(pending) for _, _, pending, _ in self._lines())

    def _lines(self) -> list[Any]:
        return [json.loads(line) for line in self._calls.read_text().splitlines()]


def stop(pid: int) -> None:
    """Send SIGSTOP, and wait until it has worked."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: state(pid) == "T", f"process {pid} is stopped")


def state(pid: int) -> str:
    """Return the state letter of a process, "" when there is none."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_until(reached: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something that has to happen soon; fails when it does not."""
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.005)
