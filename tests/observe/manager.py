"""A real systemd to ask: the manager of a user, with a bus, unit files and a control group of its own.

It takes nothing from this host but programs, and leaves nothing on it; the host itself may run any init.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
from types import TracebackType
from typing import Self

from .bus import wait_until

SYSTEMD = "/lib/systemd/systemd"
BUS_UNITS = {
    "dbus.socket": "[Socket]\nListenStream=%t/bus\n[Install]\nWantedBy=sockets.target\n",
    "dbus.service": "[Unit]\nRequires=dbus.socket\n[Service]\nExecStart=dbus-daemon --session --address=systemd: "
    "--nofork --nopidfile --systemd-activation\n",
}
# systemd looks for /run/systemd/system to know that it runs here, and wants the control groups to itself.
INSIDE = """
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
exec {systemd} --user --log-target=null --unit=basic.target
"""


def why_not() -> str:
    """Return why no systemd can be run here, "" when it can."""
    if os.geteuid() != 0:
        return "only root can run a systemd of its own"
    missing = [name for name in ("unshare", "setpriv", "dbus-daemon", "systemctl", SYSTEMD) if not shutil.which(name)]
    if missing:
        return f"not installed here: {', '.join(missing)}"
    return "" if _control_groups() else "the unified control groups are not mounted here"


def _control_groups() -> str:
    folders = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
    return next((folder for folder in folders if os.path.exists(f"{folder}/cgroup.procs")), "")


class Manager:
    """A running systemd, as a context manager."""

    def __init__(self, units: dict[str, str]) -> None:
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="nodecheck-"))  # short: a socket's path has 107 bytes
        self.units = self._folder / "config/systemd/user"
        self.units.mkdir(parents=True)
        for name, text in (units | BUS_UNITS).items():
            self.write(name, text)
        runtime = self._folder / "run"
        runtime.mkdir(mode=0o700)
        self.address = f"unix:path={runtime}/bus"
        self.private = f"{runtime}/systemd/private"
        self._environment = {
            "PATH": os.environ["PATH"], "HOME": str(self._folder), "XDG_CONFIG_HOME": str(self._folder / "config"),
            "XDG_RUNTIME_DIR": str(runtime), "DBUS_SESSION_BUS_ADDRESS": self.address,
        }  # fmt: skip
        # In the topmost group systemd would move each process of this host into a group of its own.
        self._group = pathlib.Path(_control_groups()) / self._folder.name

    @property
    def pid(self) -> int:
        """The process id of systemd: all before it on the command line become the next one."""
        return self._process.pid

    def write(self, name: str, text: str) -> None:
        """Make a unit file; `-> NAME` makes a link."""
        file = self.units / name
        if text.startswith("-> "):
            file.symlink_to(text.removeprefix("-> "))
        else:
            file.write_text(text)

    def __enter__(self) -> Self:
        self._group.mkdir()
        inside = INSIDE.format(systemd=SYSTEMD)
        join = f"echo $$ > {self._group}/cgroup.procs && exec unshare --mount --propagation private sh -c '{inside}'"
        # When the tests are killed, systemd is told to end with all that it runs.
        command = ["setpriv", "--pdeathsig", "TERM", "sh", "-c", join]
        self._process = subprocess.Popen(command, env=self._environment, stderr=subprocess.DEVNULL)
        try:
            self._wait_until_it_runs()
        except BaseException:
            self._end()
            raise
        return self

    def _wait_until_it_runs(self) -> None:
        wait_until((self._folder / "run/systemd/private").exists, "systemd is there", 20)
        wait_until(lambda: "running" in self.control("show", "--property=SystemState"), "systemd runs", 20)
        self.control("start", "dbus.service")
        wait_until(self._is_on_the_bus, "systemd is on the bus", 20)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        end = time.monotonic() + 5
        while (pids := self._pids()) and time.monotonic() < end:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        self._process.wait()
        for folder in sorted(self._group.rglob("*/"), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
        self._group.rmdir()
        shutil.rmtree(self._folder)

    def control(self, *arguments: str) -> str:
        """Run systemctl, and return what it printed, whether it failed or not."""
        command = ["systemctl", "--user", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False, timeout=20)
        return done.stdout

    def show(self, unit: str, properties: list[str]) -> dict[str, str]:
        """Return what systemctl says of a unit."""
        lines = self.control("show", unit, *(f"--property={name}" for name in properties)).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def _is_on_the_bus(self) -> bool:
        names = ["busctl", "--user", "--no-pager", "list", "--acquired"]
        done = subprocess.run(names, env=self._environment, capture_output=True, text=True, check=False, timeout=20)
        return "org.freedesktop.systemd1" in done.stdout

    def _pids(self) -> list[int]:
        files = [self._group / "cgroup.procs", *self._group.rglob("cgroup.procs")]
        return [int(pid) for file in files for pid in file.read_text().split()]
