"""What every host is: its names, its system, its kernel."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

VIRTUAL_VENDORS = {
    "qemu": "qemu", "kvm": "kvm", "vmware": "vmware", "xen": "xen", "innotek gmbh": "oracle", "bochs": "bochs",
    "microsoft corporation": "microsoft", "amazon ec2": "amazon", "google": "google", "parallels": "parallels",
    "openstack foundation": "openstack",
}  # fmt: skip


HOST_PARTS = {
    "hostname": "name of the host, of uname(2)",
    "machine_id": "machine-id(5)",
    "boot_id": "changes with each boot",
    "os.id": "debian, ubuntu, rhel ... of os-release(5)",
    "os.version": "12, 24.04 ...",
    "os.name": "the same for people",
    "kernel": "release of the kernel: 6.1.0-18-amd64",
    "architecture": "x86_64, aarch64 ...",
    "virtualization": "kvm, vmware, systemd-nspawn, docker ...; none on bare metal",
    "init": "name of process 1",
}


class Fact(NamedTuple):
    """Something found out about the node, and where.

    The value is None where there is no such thing, or where it could not be found out; `problem` then says why not.
    `malformed`: that is a fault of a file, which was seen, and does not hold what it should.
    """

    value: Any
    source: str
    problem: str = ""
    malformed: bool = False


def collect(root: str = "") -> dict[str, Fact]:
    """Return all facts by name."""
    release = _os_release(root)
    uname = os.uname()
    return {
        "hostname": Fact(uname.nodename, "uname(2)"),
        "machine_id": Fact(_first_line(root + "/etc/machine-id"), "/etc/machine-id"),
        "boot_id": Fact(
            (_first_line(root + "/proc/sys/kernel/random/boot_id") or "").replace("-", "") or None,
            "/proc/sys/kernel/random/boot_id",
        ),
        "os": Fact(
            {"id": release.get("ID"), "version": release.get("VERSION_ID"), "name": release.get("PRETTY_NAME")},
            "/etc/os-release",
        ),
        "kernel": Fact(uname.release, "uname(2)"),
        "architecture": Fact(uname.machine, "uname(2)"),
        "virtualization": _virtualization(root),
        "init": Fact(_first_line(root + "/proc/1/comm"), "/proc/1/comm"),
    }


def _first_line(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline().strip() or None
    except OSError:
        return None


def _os_release(root: str) -> dict[str, str]:
    """os-release(5): shell assignments, values perhaps quoted."""
    try:
        with open(root + "/etc/os-release", encoding="utf-8", errors="replace") as file:
            pairs = (line.strip().partition("=") for line in file if "=" in line)
            return {key: value.strip("\"'") for key, _, value in pairs}
    except OSError:
        return {}


def _virtualization(root: str) -> Fact:
    """A container if whoever made it says so, else the maker of the (virtual) hardware; "none" on bare metal."""
    container = _first_line(root + "/run/systemd/container")
    if container:
        return Fact(container, "/run/systemd/container")
    for marker, kind in (("/.dockerenv", "docker"), ("/run/.containerenv", "podman")):
        if os.path.exists(root + marker):
            return Fact(kind, marker)
    vendor = "/sys/class/dmi/id/sys_vendor"
    name = _first_line(root + vendor)
    if name is None:
        return Fact(None, vendor)
    kinds = (kind for maker, kind in VIRTUAL_VENDORS.items() if name.lower().startswith(maker))
    return Fact(next(kinds, "none"), vendor)  # "VMware, Inc." is VMware
