"""The mounts of this host, as mountinfo tells: proc_pid_mountinfo(5). Reading it waits for no file system."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node.unobserved import Unobserved
from nodecheck.patterns import later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

unanswered: set[int] = set()  # threads of this process that have left a call hanging; see looks.py
# Local and real, although the kernel knows no block device of theirs; and on one, but nobody can fill them.
LOCAL_TOO = frozenset({"zfs"})
FULL_BY_NATURE = frozenset({"squashfs", "erofs", "iso9660", "udf", "cramfs", "romfs"})
ESCAPED = later(r"\\([0-7]{3})")
# After an error ext4 stays rw by its flags since Linux 6.12, and says one of the others since 6.15 (fs/ext4/super.c).
READ_ONLY = frozenset({"ro", "emergency_ro", "shutdown"})
# systemd may give nodecheck mounts of its own (ProtectSystem= shows /etc as a read-only mount): PID 1 has the host's.
OF_THE_HOST, OF_US = "/proc/1/mountinfo", "/proc/self/mountinfo"


class Mount(NamedTuple):
    """One mount. `device` is major:minor, `options` those of the mount and of its file system."""

    id: int
    parent: int
    device: str
    point: str
    options: tuple[str, ...]
    type: str
    source: str

    @property
    def read_only(self) -> bool:
        """Whether nobody can write to it by this mount; after an error it is the file system that says so."""
        return not READ_ONLY.isdisjoint(self.options)


def parse(text: str) -> list[Mount]:
    """Return the mounts of a mountinfo file, in its order."""
    # Of what ends a line elsewhere, the kernel escapes in a name only this: a user's mount may have a \r in it.
    return [_parse_line(line) for line in text.split("\n") if line]


def _parse_line(line: str) -> Mount:
    own, _, of_system = line.partition(" - ")
    number, parent, device, _root, point, options = own.split(" ")[:6]
    # A source may be empty, or hold spaces that nobody escaped; the options of the file system are the last word.
    kind, _, rest = of_system.partition(" ")
    source, _, super_options = rest.rpartition(" ")
    every = dict.fromkeys([*options.split(","), *map(_plain, super_options.split(","))])
    if "ro" in every:
        every.pop("rw", None)
    return Mount(int(number), int(parent), device, _plain(point), tuple(every), kind, _plain(source))


def _plain(text: str) -> str:
    return text if "\\" not in text else ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)


def of_host() -> list[Mount]:
    """Return the mounts of the host; where PID 1 cannot be seen, those that we see."""
    with suppress(OSError):
        return parse(_read(OF_THE_HOST))
    return parse(_read(OF_US))


def local_types() -> frozenset[str]:
    """Return the types of file systems on disks of this host that can fill up."""
    lines = (line.split("\t") for line in _read("/proc/filesystems").splitlines())
    return frozenset({line[-1] for line in lines if line[0] != "nodev"} | LOCAL_TOO) - FULL_BY_NATURE


def are_ours(mounts: Iterable[Mount]) -> bool:
    """Tell whether these mounts are those that we see, too."""
    return {mount.id for mount in mounts} == {mount.id for mount in parse(_read(OF_US))}


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        return file.read()


def topmost(mounts: Iterable[Mount], point: str) -> Mount | None:
    """Return the mount that is seen at a path; others may lie below it."""
    there = [mount for mount in mounts if mount.point == point]
    covered = {mount.parent for mount in there}
    return next((mount for mount in reversed(there) if mount.id not in covered), None)


def behind(descriptor: int, path: str, mounts: list[Mount]) -> Mount | None:
    """Return the host's mount by which a path (without links) is reached that we have opened.

    Where the host has none, it is ours; None where that is not listed either.
    """
    number = _mount_id(descriptor)
    ours = next((mount for mount in parse(_read(OF_US)) if mount.id == number), None)
    if ours is None or ours in mounts:
        return ours
    same = [mount for mount in mounts if mount.device == ours.device and _is_within(path, mount.point)]
    points = sorted((mount.point for mount in same), key=len)
    return topmost(same, points[-1]) if points else ours


def in_place_of(mount: Mount, descriptor: int, mounts: list[Mount]) -> str:
    """Return what is seen at the path of the host's mount, which we have opened; "" where it is that mount."""
    if _mount_id(descriptor) == mount.id:
        return ""
    seen = behind(descriptor, mount.point, mounts)
    if seen is None:
        return "something else"
    return "" if seen.device == mount.device else f"what is mounted on {seen.point}"


def _mount_id(descriptor: int) -> int:
    fields = (line.partition(":") for line in _read(f"/proc/self/fdinfo/{descriptor}").splitlines())
    return next(int(value) for name, _, value in fields if name == "mnt_id")


def _is_within(path: str, point: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")


def answer_of(call: Callable[[], Any], seconds: float) -> Any:
    """Return what a call returns, None where it has not after so many seconds: it hangs on in its thread.

    Raises what the call raises, and Unobserved where it cannot even be begun.
    """
    import threading  # looks have it, and who only imports this does not need it

    came: list[tuple[Any, OSError | None]] = []

    def work() -> None:
        try:
            came.append((call(), None))
        except OSError as error:
            came.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
    except RuntimeError as refused:
        more = "raise TasksMax= of nodecheck.service, or pids.max of its control group"
        raise Unobserved("mounts", "not one more thread may be started here", remedy=more) from refused
    thread.join(seconds)
    if not came:
        unanswered.add(threading.get_ident())
        return None
    answer, error = came[0]
    if error:
        raise error
    return answer


def has_shut_down(descriptor: int, mount: Mount) -> bool:
    """Tell whether XFS has given up after an error: it stays rw and answers statvfs, and has EIO for all else."""
    if mount.type != "xfs":
        return False
    try:
        os.fstat(descriptor)
    except OSError as error:
        return error.errno == errno.EIO
    return False


def open_place(path: str) -> int:
    """Open a path for nothing but to ask where it lies; waits for its file system, and raises OSError."""
    return os.open(path, os.O_PATH | os.O_CLOEXEC)
