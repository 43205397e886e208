"""What makes a node a hypervisor: the CPU, /dev/kvm, huge pages and libvirt."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct
import time
from contextlib import suppress
from typing import Any, NamedTuple

from nodecheck.node import shapes
from nodecheck.node.sockets import answers_without_loading, listening_files
from nodecheck.node.unobserved import Unobserved

KVM = "/dev/kvm"
KVM_GET_API_VERSION = 0xAE00  # linux/kvm.h
NOT_LOADED = "the kernel module kvm is not loaded"
CPU_FLAGS = ("vmx", "svm", "sie")  # Intel, AMD, s390
HUGE_PAGES = re.compile(r"^HugePages_(Total|Free|Rsvd):\s+([0-9]+)", re.MULTILINE)
# Sockets of libvirt, and the daemons that serve them; where none of these runs, systemd waits to start one.
SOCKETS = {
    "/run/libvirt/virtqemud-sock": ("virtqemud",),
    "/run/libvirt/libvirt-sock": ("libvirtd", "virtproxyd"),
}
PING_SHARE = 0.8  # of the look's time: to answer in time is what is looked at, so the look says itself that none came

# libvirt's src/rpc/virnetprotocol.x and src/remote/remote_protocol.x; AUTH_LIST is answered before a login.
REMOTE_PROGRAM, REMOTE_VERSION, AUTH_LIST, CALL, SERIAL = 0x20008086, 1, 66, 0, 1
MESSAGE = struct.Struct(">7I")
IDLE, ANSWERS, REFUSES, SILENT = "idle", "answers", "refuses", "silent"

LIBVIRT = shapes.fields(
    {
        "socket": shapes.text,
        "state": shapes.one_of(IDLE, ANSWERS, REFUSES, SILENT),
        "error": shapes.text,
        "seconds": shapes.number,
    }
)
SHAPE = shapes.fields(
    {
        "kvm": shapes.text,
        "nested": shapes.optional(shapes.boolean),
        "cpu": shapes.list_of(shapes.text),
        "hugepages": shapes.mapping_of(shapes.whole),
        "libvirt": shapes.list_of(LIBVIRT),
    }
)


class VirtualizationWant(NamedTuple):
    """The node as a hypervisor; `libvirt` tells whether its daemons are asked too."""

    libvirt: bool = False
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "virtualization"

    @property
    def key(self) -> str:
        """What is looked at."""
        return "KVM and libvirt" if self.libvirt else "KVM"


def look(want: VirtualizationWant) -> dict[str, Any]:
    """Return what was seen; `kvm` is why it cannot be used, "" where it can. Raises Unobserved."""
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        pages = {name.lower(): int(count) for name, count in HUGE_PAGES.findall(meminfo.read())}
    return {
        "kvm": _why_no_kvm(),
        "nested": _nested(),
        "cpu": _cpu_flags(),
        "hugepages": pages,
        "libvirt": _libvirt(want.seconds * PING_SHARE) if want.libvirt else [],
    }


def _why_no_kvm() -> str:
    """Opening /dev/kvm would load its module, where that is not there yet."""
    if not os.path.exists(KVM):
        return f"there is no {KVM}"
    if not answers_without_loading("kvm"):
        return NOT_LOADED
    try:
        descriptor = os.open(KVM, os.O_RDWR | os.O_CLOEXEC)
    except PermissionError as error:
        remedy = "run nodecheck as root, or as a user in the group kvm"
        raise Unobserved("kvm", f"this user may not open {KVM}", remedy=remedy) from error
    except OSError as error:
        return f"{KVM} cannot be opened: {error.strerror}"
    try:
        version = fcntl.ioctl(descriptor, KVM_GET_API_VERSION)
    except OSError as error:
        return f"{KVM} does not answer: {error.strerror}"
    finally:
        os.close(descriptor)
    return "" if version > 0 else f"{KVM} has no version"


def _nested() -> bool | None:
    """None where no module of KVM tells."""
    for module in ("kvm_intel", "kvm_amd", "kvm"):
        with (
            suppress(FileNotFoundError),
            open(f"/sys/module/{module}/parameters/nested", encoding="ascii") as parameter,
        ):
            return parameter.read().strip() in ("Y", "1")
    return None


def _cpu_flags() -> list[str]:
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as cpuinfo:
        found = re.search(r"^(?:flags|features)\s*:(.*)", cpuinfo.read(), re.MULTILINE)
    flags = set(found[1].split()) if found else set()
    return [flag for flag in CPU_FLAGS if flag in flags]


# ---- libvirt


def _libvirt(seconds: float) -> list[dict[str, Any]]:
    """Return each socket of libvirt on which somebody listens; connecting to an idle one would start its daemon."""
    listening = _listening()
    running = _running()
    deadline = time.monotonic() + seconds
    return [
        _ping(path, deadline) if running.intersection(daemons) else _answer(path, IDLE)
        for path, daemons in SOCKETS.items()
        if path in listening
    ]


def _answer(path: str, state: str, error: str = "", seconds: float = 0.0) -> dict[str, Any]:
    return {"socket": path, "state": state, "error": error, "seconds": seconds}


def _listening() -> set[str]:
    return {path.replace("/var/run/", "/run/", 1) for _, path in listening_files()}


def _running() -> set[str]:
    names = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            names.add(comm.read().strip())
    return names


def _ping(path: str, deadline: float) -> dict[str, Any]:
    """Ask a daemon how one may log in, the cheapest thing that it answers to anybody."""
    started = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as client:
        try:
            client.settimeout(max(deadline - started, 0.01))
            client.connect(path)
            client.sendall(MESSAGE.pack(MESSAGE.size, REMOTE_PROGRAM, REMOTE_VERSION, AUTH_LIST, CALL, SERIAL, 0))
            answer = client.recv(MESSAGE.size, socket.MSG_WAITALL)
        except TimeoutError:
            return _answer(path, SILENT, "", time.monotonic() - started)
        except PermissionError as error:
            remedy = "run nodecheck as root, or as a user in the group libvirt"
            raise Unobserved("libvirt", f"this user may not connect to {path}", remedy=remedy) from error
        except OSError as error:
            return _answer(path, REFUSES, error.strerror or str(error), time.monotonic() - started)
    seconds = time.monotonic() - started
    if len(answer) < MESSAGE.size or MESSAGE.unpack(answer)[1] != REMOTE_PROGRAM:
        return _answer(
            path, REFUSES, "it closed the connection" if not answer else "it does not speak libvirt", seconds
        )
    return _answer(path, ANSWERS, "", seconds)
