"""A real node: Debian with systemd as PID 1, booted by systemd-nspawn over an overlay that is forgotten."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO, Self

from .hostside import (
    CAP_SYS_RESOURCE,
    has_capability,
    make_control_groups,
    own_control_groups,
    remove_control_groups,
    why_not,
)
from .roots import cache_directory, ensure_root, locked

__all__ = ["Machine", "MachineError", "why_not"]

BOOT_SECONDS = 90.0
POWEROFF_SECONDS = 10.0
UP = ("running", "degraded")
INIT = ("systemd", "init")  # before that PID 1 is systemd-nspawn, which may still see this host
ON_DISK = ("/var/lib/docker", "/var/lib/containerd")  # they keep their layers in overlays, which cannot stack on ours
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
# Without CAP_SYS_RESOURCE nobody lowers an OOM score, and containers that ask for that or the capability do not start.
RUNC = r"""#!/bin/bash
bundle=$PWD; arguments=("$@")
for ((i = 0; i < $#; i++)); do case ${arguments[i]} in --bundle|-b) bundle=${arguments[i+1]} ;; esac; done
[ -f "$bundle/config.json" ] && sed -i -E \
  's/"oomScoreAdj":-[0-9]+/"oomScoreAdj":0/; s/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g' "$bundle/config.json"
exec "$0.real" "$@"
"""
# Enters its control groups and then becomes systemd-nspawn, which must not outlive the session that started it.
ENTER = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit; shift; done; shift; exec "$@"'
# The control groups of version 1 are mounted read-only, but dockerd makes groups of its own.
WRITABLE = 'for group in /sys/fs/cgroup/*; do mount -o remount,bind,rw "$group" 2>/dev/null; done; true'


class MachineError(Exception):
    """A node does not do what it was told; the message has what it said."""


class Machine:
    """A node that can be broken in every way a node breaks. A context manager: booted inside, gone afterwards.

    All process ids in its interface are those that the node itself sees.
    """

    writable = "network"  # what of /proc/sys and /sys: as systemd-nspawn's SYSTEMD_NSPAWN_API_VFS_WRITABLE

    def __init__(
        self, suite: str = "bookworm", name: str = "node", hostname: str = "", base: pathlib.Path | None = None
    ) -> None:
        self.suite = suite
        self._base = base  # another root than that of the suite
        self.name = f"{name}-{uuid.uuid4().hex[:6]}"
        self.hostname = hostname or self.name
        self.directory = pathlib.Path()  # everything of this node; gone at stop()
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader: int | None = None
        self._background: list[subprocess.Popen[str]] = []
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.boot()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def root(self) -> pathlib.Path:
        """The node's root directory on this host: its disk, without what it mounts itself (/run, /tmp, /proc)."""
        return self.directory / "root"

    @property
    def leader(self) -> int:
        """The process id that the node's PID 1 has on this host."""
        if self._leader is None:
            raise MachineError(f"{self.name} does not run")
        return self._leader

    def prepare(self) -> None:
        """Make the node's disk: it can be written to before the node boots."""
        lower = self.base()
        self._undo.enter_context(locked(lower, shared=True))
        self._make_directory()
        for part in ("root", "upper", "work", "disk"):
            (self.directory / part).mkdir()
        self._mount(lower)
        for path in ON_DISK:
            (self.directory / "disk" / pathlib.Path(path).name).mkdir()
            (self.root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        (self.root / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")
        (self.root / "etc/hostname").write_text(self.hostname + "\n")
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost {self.hostname}\n::1 localhost\n")
        if not has_capability(CAP_SYS_RESOURCE):
            self._wrap_runc()

    def base(self) -> pathlib.Path:
        """The root that this node's disk begins as."""
        return self._base or ensure_root(self.suite)

    def _make_directory(self) -> None:
        """Make a directory, ours while we hold its lock, and sweep up after sessions that were killed."""
        nodes = cache_directory() / "nodes"
        nodes.mkdir(parents=True, exist_ok=True)
        with locked(nodes):
            for other in nodes.iterdir():
                with locked(other, wait=False) as abandoned:
                    if abandoned:
                        remove_control_groups([group / other.name for group in own_control_groups()])
                        remove_disk(other)
            self.directory = nodes / self.name
            self.directory.mkdir(mode=0o700)
            self._undo.enter_context(locked(self.directory))
        self._undo.callback(remove_disk, self.directory)

    def _mount(self, lower: pathlib.Path) -> None:
        """Lay an overlay over the root; where overlays do not stack, copy the root."""
        layers = f"lowerdir={lower},upperdir={self.directory}/upper,workdir={self.directory}/work"
        mount = ["mount", "-t", "overlay", "overlay", "-o", layers, str(self.root)]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            subprocess.run(["cp", "-a", "--reflink=auto", f"{lower}/.", str(self.root)], check=True)

    def _wrap_runc(self) -> None:
        """Take out of each container's configuration what this host cannot give."""
        for runc in (self.root / "usr/sbin/runc", self.root / "usr/bin/runc"):
            if runc.is_file() and not runc.is_symlink():
                runc.rename(runc.with_name("runc.real"))
                runc.write_text(RUNC)
                runc.chmod(0o755)

    def boot(self, timeout: float = BOOT_SECONDS) -> None:
        """Boot the node and wait until systemd has started everything."""
        groups = make_control_groups(self.name)
        self._undo.callback(remove_control_groups, groups)
        self._undo.callback(self._power_off)
        console = self.directory / "console.log"
        command = ["sh", "-c", ENTER, "sh", *map(str, groups), "--"]
        command += ["setpriv", "--pdeathsig", "TERM", *self._nspawn_command()]
        environment = {**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": self.writable}
        with console.open("wb") as output:
            self._nspawn = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait(self._is_up, timeout, "does not come up")
        self.run("sh", "-c", WRITABLE)

    def _nspawn_command(self) -> list[str]:
        """The command that boots the node."""
        command = ["systemd-nspawn", f"--directory={self.root}", "--boot", "--register=no", "--keep-unit"]
        command += [f"--machine={self.name}", f"--hostname={self.hostname}", "--private-network", "--capability=all"]
        command += ["--system-call-filter=add_key keyctl bpf", "--resolv-conf=off"]
        for path in ON_DISK:
            command.append(f"--bind={self.directory}/disk/{pathlib.Path(path).name}:{path}")
        return command

    def _wait(self, condition: Callable[[], bool], timeout: float, otherwise: str) -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert self._nspawn is not None
            ended = self._nspawn.poll()
            if ended is not None or time.monotonic() > deadline:
                why = f"systemd-nspawn ended with {ended}" if ended is not None else f"not within {timeout:g} s"
                raise MachineError(f"{self.name} {otherwise}: {why}; its console:\n{self.console()}")
            time.sleep(0.05)

    def _is_up(self) -> bool:
        """Whether systemd has done all that it does at boot."""
        if self._leader is None:
            self._leader = self._find_leader()
        if self._leader is None:
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.run("systemctl", "is-system-running", check=False, timeout=5).stdout.strip() in UP
        return False

    def _find_leader(self) -> int | None:
        """The child of systemd-nspawn that is PID 1 of a namespace of its own."""
        assert self._nspawn is not None
        for child in children(self._nspawn.pid):
            numbers = process_numbers(child)
            if len(numbers) > 1 and numbers[-1] == 1 and command_name(child) in INIT:
                return child
        return None

    def console(self, size: int = 3000) -> str:
        """The end of what the node wrote to its console."""
        return (self.directory / "console.log").read_text(errors="replace")[-size:]

    def _inside(self, argv: tuple[str, ...]) -> list[str]:
        """The command that runs this one in the node; on its disk only, before it is booted."""
        if self._leader is None:
            return ["chroot", str(self.root), *argv]
        return ["nsenter", "--target", str(self._leader), "--all", "--", *argv]

    def start(self, *argv: str, stdin: IO[str] | IO[bytes] | None = None) -> subprocess.Popen[str]:
        """Start a command in the node and leave it running; it ends with the node at the latest."""
        process = subprocess.Popen(
            self._inside(argv),
            env=ENVIRONMENT,
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._background = [other for other in self._background if other.poll() is None] + [process]
        return process

    def run(
        self,
        *argv: str,
        timeout: float = 60,
        check: bool = True,
        text: str | None = None,
        stdin: IO[str] | IO[bytes] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the node, with this text or file as its input.

        On timeout all that runs in its session is killed, and subprocess.TimeoutExpired raised.
        """
        if text is not None:
            with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
                file.write(text)
                file.seek(0)
                return self.run(*argv, timeout=timeout, check=check, stdin=file)
        process = self.start(*argv, stdin=stdin)
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException:
            end_session(process)
            raise
        if check and process.returncode != 0:
            raise MachineError(f"{' '.join(argv)} ended with {process.returncode} in {self.name}:\n{output}{errors}")
        return subprocess.CompletedProcess(argv, process.returncode, output, errors)

    def write_file(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file in the node, owned by root, and make the directories above it."""
        self.run("install", "-D", "-m", f"{mode:o}", "/dev/stdin", path, text=text)

    def put(self, source: str | os.PathLike[str], path: str, mode: int = 0o755) -> None:
        """Copy a file of this host into the node."""
        with open(source, "rb") as file:
            self.run("install", "-D", "-m", f"{mode:o}", "/dev/stdin", path, stdin=file)

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        """Send a signal from outside: it reaches PID 1 too."""
        os.kill(self.host_pid(pid), number)

    def host_pid(self, pid: int) -> int:
        """The process id on this host of a process of the node."""
        namespace = os.readlink(f"/proc/{self.leader}/ns/pid")
        for candidate in host_processes():
            with contextlib.suppress(OSError):
                numbers = process_numbers(candidate)
                if numbers[-1:] == [pid] and os.readlink(f"/proc/{candidate}/ns/pid") == namespace:
                    return candidate
        raise MachineError(f"{self.name} has no process {pid}")

    def install_nodecheck(self, checkout: str | os.PathLike[str]) -> None:
        """Install nodecheck as its package would: below /usr, byte-compiled for the node's own Python."""
        command = ["make", "-C", str(checkout), "install", "PREFIX=/usr", f"DESTDIR={self.root}"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise MachineError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        compileall = ["-I", "-m", "compileall", "-q", "--invalidation-mode=timestamp", "/usr/lib/nodecheck"]
        self.run("/usr/bin/python3", *compileall)
        if self._leader is not None:
            self.run("systemctl", "daemon-reload")

    def stop(self) -> None:
        """Power the node off and forget what it wrote. Stopping twice does no harm."""
        self._undo.close()

    def _power_off(self) -> None:
        """Ask PID 1 to power off, and kill the node if it does not."""
        leader, self._leader = self._leader, None
        for process in self._background:
            if process.poll() is None:
                end_session(process)
        if self._nspawn is None:
            return
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            if leader is not None and self._nspawn.poll() is None:
                os.kill(leader, signal.SIGCONT)
                os.kill(leader, signal.SIGRTMIN + 4)  # systemd(1): starts poweroff.target
                self._nspawn.wait(POWEROFF_SECONDS)
        for child in children(self._nspawn.pid) if self._nspawn.poll() is None else ():
            os.kill(child, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._nspawn.wait(POWEROFF_SECONDS)  # it ends when PID 1 has
        self._nspawn.kill()
        self._nspawn.wait()


def end_session(process: subprocess.Popen[str]) -> None:
    """Kill what is left of a command's session, and let go of it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


def remove_disk(directory: pathlib.Path) -> None:
    """Remove a node's directory, and what is mounted on it."""
    root = directory / "root"
    while root.is_mount():
        subprocess.run(["umount", "--lazy", str(root)], check=True)
    shutil.rmtree(directory, ignore_errors=True)


def host_processes() -> Iterator[int]:
    """The process ids of this host."""
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def children(pid: int) -> list[int]:
    """The process ids of the children of a process."""
    with contextlib.suppress(OSError):
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def command_name(pid: int) -> str:
    """The name of a process; nothing if it is gone."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def process_numbers(pid: int) -> list[int]:
    """The ids of a process in each namespace that sees it, from ours to its own."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return [int(number) for number in line.split()[1:]]
    return []
