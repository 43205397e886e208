"""A module of the kernel: /proc/modules, /sys/module, the tree of modules, and what is loaded at boot. Loads none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node import dropins, kernelfiles
from nodecheck.node.shapes import boolean, fields, list_of, optional, text

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND_LINE = "the kernel command line"
# systemd's own words, and kmod's and the kernel's.
LOADING_PARAMETERS = frozenset({"modules_load", "modules-load"})
BLOCKING_PARAMETERS = frozenset({"modprobe.blacklist", "module_blacklist"})
NOTHING = frozenset({"/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false", "true", "false", ":"})

# null: it cannot be told. `boot` is who loads it at boot, `blacklist` who keeps it from being loaded.
SHAPE = fields(
    {
        "release": text,
        "loaded": boolean,
        "builtin": optional(boolean),
        "available": optional(boolean),
        "boot": list_of(text),
        "blacklist": list_of(text),
    }
)


class KernelModuleWant(NamedTuple):
    """A module by its name, with underscores."""

    name: str
    seconds: float = 10.0

    @property
    def window(self) -> str:
        """The name of this window."""
        return "kernel_module"

    @property
    def key(self) -> str:
        """The module."""
        return self.name


def look(want: KernelModuleWant) -> dict[str, Any]:
    """Return the data that SHAPE describes. Raises OSError."""
    release = os.uname().release
    loaded = _is_loaded(want.name)
    return {
        "release": release,
        "loaded": loaded,
        "builtin": False if loaded else _is_built_in(want.name, release),
        "available": True if loaded else _lists(f"/lib/modules/{release}/modules.dep", want.name),
        "boot": list(dict.fromkeys(_loaded_by(want.name))),
        "blacklist": list(dict.fromkeys(_blocked_by(want.name))),
    }


def spelled(name: str) -> str:
    """Return a name as the kernel spells it: modprobe(8) takes - and _ for the same."""
    return name.replace("-", "_")


def _is_loaded(name: str) -> bool:
    """Tell by the state of what was loaded; a kernel without loadable modules has neither file."""
    if (kernelfiles.read_or_none(f"/sys/module/{name}/initstate") or "").strip() == "live":
        return True
    lines = (line.split() for line in (kernelfiles.read_or_none("/proc/modules") or "").splitlines())
    return any(words[0] == name and "Live" in words for words in lines if words)


def _is_built_in(name: str, release: str) -> bool | None:
    """Modules that are built in stand below /sys/module only where they have parameters or a version."""
    folder = f"{kernelfiles.ROOT}/sys/module/{name}"
    # Only what was loaded has a state there; coming and going, it is in neither list.
    if os.path.isdir(folder) and not os.path.exists(f"{folder}/initstate"):
        return True
    return _lists(f"/lib/modules/{release}/modules.builtin", name)


def _lists(path: str, name: str) -> bool | None:
    """Tell whether a file such as modules.dep names a module; None when there is no such file."""
    listed = kernelfiles.read_or_none(path)
    if listed is None:
        return None
    files = (line.partition(":")[0].rpartition("/")[2] for line in listed.splitlines())
    return any(spelled(file.partition(".")[0]) == name for file in files)


def _loaded_by(name: str) -> Iterator[str]:
    for path, line in dropins.lines("modules-load.d", dropins.AT_BOOT):
        if spelled(line) == name:
            yield path
    if name in _parameters(LOADING_PARAMETERS):
        yield COMMAND_LINE


def _blocked_by(name: str) -> Iterator[str]:
    for path, line in dropins.lines("modprobe.d"):
        command, module, *rest = [*line.split(), "", ""][: len(line.split()) + 2]
        blocks = command == "blacklist" or (command == "install" and rest[:1] and rest[0] in NOTHING)
        if blocks and spelled(module) == name:
            yield path
    if name in _parameters(BLOCKING_PARAMETERS):
        yield COMMAND_LINE


def _parameters(wanted: frozenset[str]) -> set[str]:
    """Return the modules that parameters of the kernel name."""
    words = (word.partition("=") for word in (kernelfiles.read_or_none("/proc/cmdline") or "").split())
    return {spelled(name) for parameter, _, names in words if parameter in wanted for name in names.split(",")}
