"""A setting of the kernel: its value now, from /proc/sys, and what sysctl.d(5) makes it at the next boot."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from nodecheck.node import dropins, kernelfiles
from nodecheck.node.shapes import fields, optional, text
from nodecheck.patterns import later

GLOB = later(r"[*?\[]")
COMMAND_LINE = "the kernel command line"
# Settings with two names: who writes one has written the other (net/ipv4/devinet.c).
OTHER_NAMES = {"net/ipv4/conf/all/forwarding": "net/ipv4/ip_forward"}

# `boot` is where the setting is made at the next boot and to what; null where it is not, or was not asked for.
SHAPE = fields({"value": optional(text), "boot": optional(fields({"source": text, "value": text}))})


class SysctlWant(NamedTuple):
    """A setting by its path below /proc/sys; with `boot`, the files are read too."""

    path: str
    boot: bool
    seconds: float = 10.0

    @property
    def window(self) -> str:
        """The name of this window."""
        return "sysctl"

    @property
    def key(self) -> str:
        """The path, and what is looked at."""
        return f"{self.path} now and at boot" if self.boot else self.path


def path_of(name: str) -> str:
    """Return the path below /proc/sys: the first separator tells whether points or slashes are meant, sysctl.d(5)."""
    first = re.search(r"[./]", name)
    return name.translate(str.maketrans("./", "/.")) if first and first[0] == "." else name


def look(want: SysctlWant) -> dict[str, Any]:
    """Return the data that SHAPE describes. Raises OSError."""
    value = kernelfiles.read_or_none(f"/proc/sys/{want.path}")
    return {
        "value": None if value is None else one_line(value),
        "boot": _at_boot(want.path) if want.boot else None,
    }


def one_line(value: str) -> str:
    """Return a value as it is compared: the kernel divides numbers by tabs, people by blanks."""
    return " ".join(value.split())


def _at_boot(path: str) -> dict[str, str] | None:
    """Return what systemd-sysctl(8) does: a setting by its name wins over patterns, and the last one of a kind wins."""
    first = _first_name(path)
    names = [first, *(other for other, of in OTHER_NAMES.items() if of == first)]
    named: dict[str, dict[str, str] | None] = {}
    of_patterns = None
    for source, line in dropins.lines("sysctl.d", dropins.AT_BOOT):
        name, assigned, value = line.partition("=")
        key = _first_name(path_of(name.removeprefix("-").strip()))
        if not assigned and not name.startswith("-"):
            continue  # it is no assignment, and systemd passes over it
        made = {"source": source, "value": one_line(value)} if assigned else None
        if not GLOB.search(key):
            named[key] = made
        elif made and any(_fits(known, key) for known in names):
            of_patterns = made
    return named[first] if first in named else of_patterns or _on_command_line(first)


def _first_name(path: str) -> str:
    return OTHER_NAMES.get(path, path)


def _fits(path: str, pattern: str) -> bool:
    """Compare as glob(7) does: a * never stands for a slash."""
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _on_command_line(path: str) -> dict[str, str] | None:
    """`sysctl.vm.swappiness=1`, since Linux 5.8: Documentation/admin-guide/kernel-parameters.txt."""
    for word in (kernelfiles.read_or_none("/proc/cmdline") or "").split():
        name, _, value = word.partition("=")
        if name.startswith("sysctl.") and _first_name(path_of(name.removeprefix("sysctl."))) == path:
            return {"source": COMMAND_LINE, "value": value.strip('"')}
    return None
