"""The kernel that runs: uname(2), its command line, its taint, the version of its control groups."""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from nodecheck.node import kernelfiles
from nodecheck.node.shapes import fields, list_of, one_of, optional, text

LOCKDOWN = "/sys/kernel/security/lockdown"  # of kernel_lockdown(7): "[none] integrity confidentiality"
TAINTED = "/proc/sys/kernel/tainted"
# By their bits: Documentation/admin-guide/tainted-kernels.rst
TAINTS = (
    "proprietary_module forced_module out_of_specification forced_unload machine_check bad_page user died "
    "acpi_table_overridden warning staging_driver firmware_bug out_of_tree_module unsigned_module soft_lockup "
    "live_patched auxiliary randomised_structures in_kernel_test mutating_debug"
).split()

# What of a word of the command line is secret is masked.
SHAPE = fields(
    {
        "release": text,
        "architecture": text,
        "command_line": list_of(text),
        "tainted": list_of(text),
        "cgroup": one_of("v1", "v2", "hybrid", None),
        "lockdown": optional(text),
    }
)


class KernelWant(NamedTuple):
    """All of it: it is little."""

    path: str = "/proc/version"
    seconds: float = 10.0

    @property
    def window(self) -> str:
        """The name of this window."""
        return "kernel"

    @property
    def key(self) -> str:
        """There is only one."""
        return self.path


def look(_want: KernelWant) -> dict[str, Any]:
    """Return the data that SHAPE describes. Raises OSError, Unobserved."""
    from nodecheck.node.secrets import mask_arguments

    version = os.uname()
    words = re.findall(r'(?:[^\s"]|"[^"]*")+', kernelfiles.read("/proc/cmdline"))
    return {
        "release": version.release,
        "architecture": version.machine,
        "command_line": mask_arguments([word.replace('"', "") for word in words]) if words else [],
        "tainted": _taints(kernelfiles.number(TAINTED)),
        "cgroup": _cgroup(kernelfiles.read("/proc/self/mounts")),
        "lockdown": _chosen(kernelfiles.read_or_none(LOCKDOWN)),
    }


def _taints(bits: int) -> list[str]:
    """Return the taints by name; those that are newer than this list by their number."""
    set_bits = (bit for bit in range(bits.bit_length()) if bits >> bit & 1)
    return [TAINTS[bit] if bit < len(TAINTS) else f"bit_{bit}" for bit in set_bits]


def _cgroup(mounts: str) -> str | None:
    """Return how systemd mounted the control groups, in the words of its own documentation."""
    kinds = {(words[1], words[2]) for line in mounts.splitlines() if len(words := line.split()) > 2}
    if ("/sys/fs/cgroup", "cgroup2") in kinds:
        return "v2"
    # Others mount version 2 for themselves, at a path of their own: Cilium, say, for its programs.
    second = ("/sys/fs/cgroup/unified", "cgroup2") in kinds
    first = any(kind == "cgroup" for _, kind in kinds)
    return ("hybrid" if second else "v1") if first else None


def _chosen(choices: str | None) -> str | None:
    found = re.search(r"\[(\w+)\]", choices or "")
    return found[1] if found else None
