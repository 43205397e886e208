"""Where definition files lie, which of two of the same name counts, and whom root trusts to write them."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from nodecheck.definitions.errors import Mistakes
from nodecheck.progress import about_to


def shipped_with(module: str) -> str:
    """Return where the definitions are that were installed with this module of ours: by pip, below its own prefix."""
    modules = module.rpartition("/nodecheck/")[0]
    prefix = "/usr"
    if os.path.basename(modules) in ("site-packages", "dist-packages"):  # PREFIX/lib/python3.11/site-packages
        prefix = modules.rsplit("/", 3)[0]
    return os.path.join(prefix, "share/nodecheck/checks.d")


SHIPPED_CHECKS = shipped_with(os.path.abspath(__file__))
LOCAL_CHECKS = "/etc/nodecheck/checks.d"
BY_NAME = "nodecheck run FILE|DIR"  # how a call names definition files
SUFFIXES = (".yaml", ".yml")


class Source(NamedTuple):
    """A definition file that was found; `replaces` are those of the same name that it wins over.

    `masked`: it is a link to /dev/null, so that nothing of this name is read.
    """

    path: str
    replaces: tuple[str, ...] = ()
    masked: bool = False


def find(paths: list[str], mistakes: Mistakes, by_name: str = BY_NAME) -> list[Source]:
    """Return the definition files below `paths` (default: /etc over /usr), by name within each directory, each once.

    `by_name` is how the command that was called has them named.
    """
    if not paths:
        return _merged([SHIPPED_CHECKS, LOCAL_CHECKS], mistakes, by_name)
    found: dict[str, Source] = {}
    for path in paths:
        for source in _named(path, mistakes, by_name):
            found.setdefault(source.path if source.masked else os.path.realpath(source.path), source)
    return list(found.values())


def _named(path: str, mistakes: Mistakes, by_name: str) -> list[Source]:
    try:
        about_to(f"read {path}")
    except OSError as error:
        mistakes.add(None, f"{path} cannot be read: {error.strerror}")
        return []
    if os.path.isdir(path):
        return _merged([path], mistakes, by_name)
    if os.path.lexists(path):
        return [Source(path)]
    mistakes.add(None, f"{path} does not exist", "name a definition file, or a directory of them")
    return []


def are_installed() -> bool:
    """Tell whether there are definition files where a call that names none looks for them."""
    return any(_list_folder(folder, Mistakes()) for folder in (SHIPPED_CHECKS, LOCAL_CHECKS))


def _merged(folders: list[str], mistakes: Mistakes, by_name: str) -> list[Source]:
    """The same name in a later folder replaces the earlier file, a link to /dev/null masks it: as with systemd."""
    files: dict[str, list[str]] = {}
    before = len(mistakes)
    for folder in folders:
        for name in _list_folder(folder, mistakes):
            files.setdefault(name, []).insert(0, os.path.join(folder, name))
    found = [_source(*files[name]) for name in sorted(files)]
    for source in found:
        if source.masked:
            _refuse_mask(source.path, mistakes)
    if all(source.masked for source in found) and len(mistakes) == before:
        message = f"no definition file (*.yaml) in {' or '.join(folders)}"
        mistakes.add(None, message, f"name files or directories: {by_name}")
    return found


def _refuse_mask(path: str, mistakes: Mistakes) -> None:
    """Who may not write a definition may not take one away either."""
    refused = None
    if os.geteuid() == 0 and os.path.islink(path):
        owner = str(os.lstat(path).st_uid)
        refused = _folder_refusal(path, os.path.dirname(path) or ".")
        if owner not in _trusted_users():
            refused = f"the link {path} belongs to uid {owner}, and nodecheck runs as root: refused", f"rm {path}"
    if refused:
        mistakes.add(None, *refused)


def _source(path: str, *replaces: str) -> Source:
    return Source(path, replaces, masked=os.path.realpath(path) == os.devnull)


def _list_folder(folder: str, mistakes: Mistakes) -> list[str]:
    try:
        about_to(f"read {folder}")
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        mistakes.add(None, f"{folder} cannot be read: {error.strerror}", "run nodecheck as a user who may read it")
        return []
    return [name for name in names if name.endswith(SUFFIXES) and not name.startswith(".")]


# ---- trust


def refusal(path: str, found: os.stat_result) -> tuple[str, str] | None:
    """Definitions decide what root does: refuse a file that someone who is not root could have written.

    Whoever called sudo may become root anyway, so that user's own files are fine. `found` is the opened file. Returns
    (why, what to do), or None.
    """
    if os.geteuid() != 0:
        return None
    refused = _distrust(path, found)
    if refused:
        return refused
    return _folder_refusal(path, os.path.dirname(os.path.realpath(path)))


def _trusted_users() -> set[str | None]:
    return {"0", os.environ.get("SUDO_UID")}


def _folder_refusal(path: str, folder: str) -> tuple[str, str] | None:
    status = os.stat(folder)
    if status.st_mode & stat.S_ISVTX and status.st_uid == 0:
        return None  # /tmp: everybody may add a file, nobody may replace that of another
    return _distrust(folder, status, f"the directory of {path}")


def _distrust(path: str, found: os.stat_result, name: str = "") -> tuple[str, str] | None:
    """Return why root should not trust a file or directory, and what to do about it."""
    trusted_groups = {"0", os.environ.get("SUDO_GID")}
    if str(found.st_uid) not in _trusted_users():
        return (
            f"{name or path} belongs to uid {found.st_uid}, and nodecheck runs as root: refused",
            f"chown root: {path}",
        )
    by_group = found.st_mode & stat.S_IWGRP and str(found.st_gid) not in trusted_groups
    if found.st_mode & stat.S_IWOTH or by_group:
        mode = stat.filemode(found.st_mode)
        return f"{name or path} may be written by others ({mode}), and nodecheck runs as root: refused", (
            f"chmod go-w {path}"
        )
    return None
