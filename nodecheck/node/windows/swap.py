"""The window on swap: what is on now, and what turns it on at the next boot. Nothing but plain files is read.

At boot: fstab(5); units that are enabled, systemd.swap(5); what generators made of the partition table, and zram
devices, zram-generator.conf(5); and services of distributions that do nothing else.
"""

from __future__ import annotations

import os
import re
from glob import escape, glob
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node.shapes import fields, list_of, text, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPE = fields(
    {
        "now": list_of(fields({"name": text, "size": whole, "used": whole})),
        "at_boot": list_of(fields({"name": text, "by": text})),
    }
)
UNITS = ("etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
CONFIGURED = ("etc/systemd", "usr/local/lib/systemd", "usr/lib/systemd", "lib/systemd")
SERVICES = ("zramswap", "zram-config", "zram-swap", "dphys-swapfile", "systemd-swap")
BY_TAG = {"UUID": "by-uuid", "LABEL": "by-label", "PARTUUID": "by-partuuid", "PARTLABEL": "by-partlabel"}
ESCAPED = re.compile(r"\\([0-7]{3})")
# The first is for what systemd finds in fstab and on disks, the second for zram-generator; units heed neither.
OFF_BY_KERNEL = re.compile(r"(?<!\S)systemd\.(swap|zram)=(?:0|no|n|false|f|off)(?!\S)")
SECTION = re.compile(r"\[(zram[0-9]+)\]")
NO_UNIT_CHARACTER = re.compile(r"[^A-Za-z0-9:_.]")


class SwapWant(NamedTuple):
    """Swap as a whole."""

    seconds: float = 5.0

    @property
    def window(self) -> str:
        """See windows."""
        return "swap"

    @property
    def key(self) -> str:
        """See windows."""
        return "now and at boot"


def look(_want: SwapWant) -> dict[str, Any]:
    """Return the swap that is on, sizes in bytes, and what will be turned on at the next boot, and by what."""
    return collect("/")


def collect(root: str) -> dict[str, Any]:
    """Return the same of the host whose files lie below a folder."""
    host = _Host(root)
    at_boot = [{"name": name, "by": by} for name, by in dict.fromkeys(host.at_boot())]
    return {"now": list(_now(host.read("proc/swaps"))), "at_boot": at_boot}


def _now(swaps: str) -> Iterator[dict[str, Any]]:
    for line in swaps.splitlines()[1:]:
        name, _kind, size, used, *_ = line.split()
        yield {"name": _plain(name), "size": int(size) << 10, "used": int(used) << 10}


def _plain(word: str) -> str:
    return ESCAPED.sub(lambda found: chr(int(found[1], 8)), word)


class _Host:
    """The files of a host."""

    def __init__(self, root: str) -> None:
        self._root = root

    def read(self, path: str) -> str:
        """Return the text of a file, "" where there is none. Raises OSError where it cannot be read."""
        try:
            with open(os.path.join(self._root, path), encoding="utf-8", errors="replace") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return ""

    def at_boot(self) -> Iterator[tuple[str, str]]:
        """Yield what is turned on at boot, and by what."""
        off = OFF_BY_KERNEL.findall(self.read("proc/cmdline"))
        if not self._is_masked("swap.target"):
            yield from self._in_fstab() if "swap" not in off else ()
            yield from self._enabled_units()
            yield from self._generated_units()
            yield from self._zram_devices() if "zram" not in off else ()
        for name in SERVICES:
            if self._is_enabled(f"{name}.service"):
                yield "swap", f"{name}.service"

    def _in_fstab(self) -> Iterator[tuple[str, str]]:
        for number, line in enumerate(self.read("etc/fstab").splitlines(), 1):
            words = line.split()
            if len(words) < 3 or words[0].startswith("#") or words[2] != "swap":
                continue
            name = _plain(words[0])
            if "noauto" not in (words[3] if len(words) > 3 else "").split(",") and not self._is_masked(_unit_of(name)):
                yield name, f"/etc/fstab line {number}"

    def _enabled_units(self) -> Iterator[tuple[str, str]]:
        paths = [path for folder in UNITS for path in self._glob(folder, "*.*/*.swap")]
        for unit in sorted({os.path.basename(path) for path in paths}):
            if self._is_enabled(unit):
                yield self._what(next(filter(None, map(self.read, self._files(unit))), ""), unit), unit

    def _generated_units(self) -> Iterator[tuple[str, str]]:
        """What fstab and zram-generator are told is looked up where it is told: it may have changed since boot.

        Of the rest the generators have heeded the kernel command line already.
        """
        for path in sorted(self._glob("run/systemd", "generator*/*.swap")):
            unit, content = os.path.basename(path), self.read(path)
            if "/etc/fstab" not in content and "zram-generator" not in content and not self._is_masked(unit):
                by = re.search(r"Automatically generated by (\S+)", content)
                yield self._what(content, unit), by[1] if by else f"/{path}"

    def _zram_devices(self) -> Iterator[tuple[str, str]]:
        generators = (f"{folder}/system-generators/zram-generator" for folder in CONFIGURED)
        found = next((path for path in generators if os.path.lexists(os.path.join(self._root, path))), None)
        if found is None or self._is_null(found):
            return
        for name, settings in self._zram_settings().items():
            if self._is_swap(settings) and not self._is_masked(_unit_of(f"/dev/{name}")):
                yield f"/dev/{name}", "zram-generator.conf"

    def _zram_settings(self) -> dict[str, dict[str, str]]:
        """Return {device: {setting: value}}; a file in the first of the folders hides those of its name in others."""
        files: dict[str, str] = {}
        for folder in reversed(CONFIGURED):
            paths = [f"{folder}/zram-generator.conf", *sorted(self._glob(folder, "zram-generator.conf.d/*.conf"))]
            existing = [path for path in paths if os.path.lexists(os.path.join(self._root, path))]
            files |= {os.path.basename(path): path for path in existing}
        settings: dict[str, dict[str, str]] = {}
        for name in sorted(files, key=lambda name: (name != "zram-generator.conf", name)):
            section: dict[str, str] = {}
            for line in map(str.strip, self.read(files[name]).splitlines()):
                if line.startswith("["):
                    device = SECTION.fullmatch(line)
                    section = settings.setdefault(device[1], {}) if device else {}
                elif "=" in line and not line.startswith(("#", ";")):
                    key, _, value = line.partition("=")
                    section[key.strip()] = value.strip()
        return settings

    def _is_swap(self, settings: dict[str, str]) -> bool:
        limit = settings.get("host-memory-limit", "none")
        memory = re.search(r"MemTotal:\s*([0-9]+) kB", self.read("proc/meminfo"))
        too_large = limit.isdecimal() and memory is not None and int(memory[1]) > int(limit) << 10
        other = "mount-point" in settings or settings.get("fs-type", "swap") != "swap"
        return not other and not too_large and settings.get("zram-size") != "0"

    # ---- units

    def _files(self, unit: str) -> Iterator[str]:
        yield from (f"{folder}/{unit}" for folder in UNITS)

    def _is_enabled(self, unit: str) -> bool:
        """Tell whether another unit pulls it in, and it exists; the first of its files counts."""
        existing = (path for path in self._files(unit) if os.path.lexists(os.path.join(self._root, path)))
        found = next(existing, None)
        pulled = any(self._glob(folder, f"*.{how}/{escape(unit)}") for folder in UNITS for how in ("wants", "requires"))
        return pulled and found is not None and not self._is_null(found)

    def _is_masked(self, unit: str) -> bool:
        """Tell whether it is masked for good: what is masked in /run is not after the next boot."""
        return self._is_null(f"etc/systemd/system/{unit}")

    def _is_null(self, path: str) -> bool:
        whole_path = os.path.join(self._root, path)
        if os.path.islink(whole_path):
            return os.readlink(whole_path) == os.devnull
        return os.path.isfile(whole_path) and os.path.getsize(whole_path) == 0

    def _what(self, content: str, unit: str) -> str:
        found = re.search(r"^\s*What\s*=\s*(\S.*?)\s*$", content, re.MULTILINE)
        return found[1] if found else unit

    def _glob(self, folder: str, pattern: str) -> list[str]:
        below = os.path.join(escape(self._root), folder)
        return [os.path.relpath(path, self._root) for path in glob(os.path.join(below, pattern))]


def _unit_of(name: str) -> str:
    """Return the swap unit of a device or file, see systemd-escape(1)."""
    tag, equals, value = name.partition("=")
    if equals and tag in BY_TAG:
        name = f"/dev/disk/{BY_TAG[tag]}/{value.strip(chr(34))}"
    parts = [NO_UNIT_CHARACTER.sub(_in_hexadecimal, part) for part in name.split("/") if part]
    escaped = "-".join(parts)
    return ("\\x2e" + escaped[1:] if escaped.startswith(".") else escaped) + ".swap"


def _in_hexadecimal(found: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02x}" for byte in found[0].encode())
