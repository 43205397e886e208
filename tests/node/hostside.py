"""What a node needs of this host: control groups of its own, and that it can be booted at all."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator

from .roots import missing_host_tools

CONTROL_GROUPS = pathlib.Path("/sys/fs/cgroup")
CAP_SYS_ADMIN = 21
CAP_SYS_RESOURCE = 24


def has_capability(number: int) -> bool:
    """Whether this process, and so what it starts, has the capability."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def why_not() -> str | None:
    """Why no node can be booted here; None when it can."""
    if os.geteuid() != 0:
        return "only root can boot a node"
    if not has_capability(CAP_SYS_ADMIN):
        return "root has no CAP_SYS_ADMIN here, so no node can be booted"
    missing = missing_host_tools()
    if missing and not shutil.which("apt-get"):
        return f"{' and '.join(missing)} are not installed here, and there is no apt-get to do it"
    if not next(own_control_groups(), None):
        return f"no control groups are mounted at {CONTROL_GROUPS}"
    probe = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "true"]
    done = subprocess.run(probe, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return f"no namespaces can be made here: {done.stderr.strip()}" if done.returncode else None


def own_control_groups() -> Iterator[pathlib.Path]:
    """The control group of this process in each hierarchy that is mounted here."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers:
            hierarchy = CONTROL_GROUPS / controllers.removeprefix("name=")
        else:
            unified = CONTROL_GROUPS / "unified"
            hierarchy = unified if unified.is_dir() else CONTROL_GROUPS
        group = hierarchy / path.lstrip("/")
        if (group / "cgroup.procs").exists():
            yield group


def make_control_groups(name: str) -> list[pathlib.Path]:
    """Make a control group of this name in each hierarchy: two nodes in one would share their units' groups."""
    made = []
    for parent in own_control_groups():
        group = parent / name
        group.mkdir()
        made.append(group)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # in version 1 nothing can run in a group without them
            if parent.is_relative_to(CONTROL_GROUPS / "cpuset"):
                (group / setting).write_text((parent / setting).read_text())
    return made


def remove_control_groups(groups: list[pathlib.Path]) -> None:
    """Kill what is left in these control groups and below, and remove them."""
    deadline = time.monotonic() + 5
    while any(group.exists() for group in groups):
        for group in groups:
            for directory, _, _ in os.walk(group, topdown=False):
                _empty_control_group(pathlib.Path(directory))
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)


def _empty_control_group(group: pathlib.Path) -> None:
    """Kill what runs in one control group, and remove it if nothing does."""
    with contextlib.suppress(OSError):
        for process in (group / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                if process != "0":
                    os.kill(int(process), signal.SIGKILL)
        group.rmdir()


# A program: whether the kernel shall take the clock for synchronised (1) or not (0); it says what it was. Nothing else
# of the clock is changed. See adjtimex(2): struct timex, ADJ_STATUS, ADJ_MAXERROR, ADJ_ESTERROR and STA_UNSYNC.
CLOCK = """
import ctypes, struct, sys
library = ctypes.CDLL(None, use_errno=True)
def call(modes, error, status):
    timex = ctypes.create_string_buffer(struct.pack('I4xqqqqi', modes, 0, 0, error, error, status), 256)
    if library.adjtimex(timex) < 0:
        raise OSError(ctypes.get_errno(), 'adjtimex')
    return struct.unpack_from('I4xqqqqi', timex.raw)[-1]
status = call(0, 0, 0)
print(int(not status & 0x40))
wanted = status & ~0x40 if sys.argv[1] == '1' else status | 0x40
call(0x10 | 4 | 8, 1000, wanted)
"""
# A kubelet wants them so, and the kernel has one of each for all: a node of the cluster changes them on this host.
KERNEL_SETTINGS = (
    "vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys "
    "kernel/keys/root_maxbytes fs/inotify/max_user_instances"
).split()
WATCHERS = 1024  # of files, by all of root's processes on all nodes; where there are none left, units and kubelets fail


@contextlib.contextmanager
def kernel_settings_kept() -> Iterator[None]:
    """Let two nodes more run on this host, and put back what their kubelets have changed of its kernel."""
    paths = [pathlib.Path("/proc/sys", name) for name in KERNEL_SETTINGS]
    before = {path: path.read_text() for path in paths if path.exists()}
    watchers = pathlib.Path("/proc/sys/fs/inotify/max_user_instances")
    watchers.write_text(str(max(WATCHERS, int(watchers.read_text()))))
    try:
        yield
    finally:
        for path, text in before.items():
            if path.read_text() != text:
                path.write_text(text)
