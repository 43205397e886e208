"""Where definitions and settings come from, and who may have written them."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.definitions.errors import Mark, Mistakes, did_you_mean
from nodecheck.definitions.needs import resolve
from nodecheck.definitions.play import read_duration, read_plays, refuse_names
from nodecheck.definitions.template import plain, render_variables
from nodecheck.definitions.yamlfile import load, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nodecheck.definitions.play import Play
    from nodecheck.definitions.yamlfile import Value

SHIPPED_CHECKS = "/usr/share/nodecheck/checks.d"
LOCAL_CHECKS = "/etc/nodecheck/checks.d"
SETTINGS_FILE = "/etc/nodecheck/nodecheck.yaml"
SETTINGS = ("groups", "vars", "budget")
DEFAULT_BUDGET_SECONDS = 30.0
GROUP = re.compile(r"[\w][\w.-]*")


class Settings(NamedTuple):
    """What /etc/nodecheck/nodecheck.yaml says; the budget is in seconds."""

    groups: list[str]
    variables: dict[str, Any]
    budget: float


class Definitions(NamedTuple):
    """All plays, and the texts of the files that they come from."""

    plays: list[Play]
    texts: dict[str, str]

    @property
    def files(self) -> list[str]:
        """The paths of the files, in the order in which they were read."""
        return list(self.texts)

    def digest(self) -> str:
        """Return a hash over all files: two reports with the same one were judged by the same definitions."""
        import hashlib  # 2.5 ms, and not every output tells it

        both = "".join(f"{path}\0{text}\0" for path, text in self.texts.items())
        digest = hashlib.sha256(both.encode(errors="surrogateescape")).hexdigest()
        return f"sha256:{digest}"


def read_settings(path: str = SETTINGS_FILE) -> Settings:
    """Read the settings; without a file, the defaults. Raises DefinitionError."""
    mistakes = Mistakes()
    settings = Settings([], {}, DEFAULT_BUDGET_SECONDS)
    if _exists(path):
        settings = _parse_settings(path, mistakes)
    mistakes.raise_if_any()
    return settings


def read_definitions(paths: list[str], variables: Mapping[str, Any], overrides: Mapping[str, Any]) -> Definitions:
    """Read all definition files below `paths` (default: /etc over /usr). Raises DefinitionError with all mistakes.

    `variables` are those of the settings and the facts; `overrides` (-e) win over all others.
    """
    mistakes = Mistakes()
    plays: list[Play] = []
    texts: dict[str, str] = {}
    for path in _find_files(paths, mistakes):
        value, texts[path] = _read_file(path, mistakes)
        if value:
            plays += read_plays(value, variables, overrides, mistakes)
    _refuse_duplicates(plays, mistakes)
    resolve(plays, mistakes)
    mistakes.raise_if_any()
    return Definitions(plays, texts)


def _exists(path: str) -> bool:
    """Unlike os.path.exists: what this user may not look at is there, and reading it will say why not."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return os.path.islink(path)
    except OSError:
        return True
    return True


def _find_files(paths: list[str], mistakes: Mistakes) -> list[str]:
    """Return the definition files, in the order of their names within each directory, each once."""
    if not paths:
        return _merged([SHIPPED_CHECKS, LOCAL_CHECKS], mistakes)
    found: dict[str, str] = {}
    for path in paths:
        files = [path]
        if os.path.isdir(path):
            files = _merged([path], mistakes)
        elif not os.path.lexists(path):
            mistakes.add(None, f"{path} does not exist", "name a definition file, or a directory of them")
            files = []
        for file in files:
            found.setdefault(os.path.realpath(file), file)
    return list(found.values())


def _merged(folders: list[str], mistakes: Mistakes) -> list[str]:
    """The same name in a later folder replaces the earlier file, a link to /dev/null masks it: as with systemd."""
    files: dict[str, str] = {}
    before = len(mistakes)
    for folder in folders:
        files |= {name: os.path.join(folder, name) for name in _list_folder(folder, mistakes)}
    kept = [files[name] for name in sorted(files) if os.path.realpath(files[name]) != os.devnull]
    if not kept and len(mistakes) == before:
        hint = "name files or directories: nodecheck run FILE|DIR"
        mistakes.add(None, f"no definition file (*.yaml) in {' or '.join(folders)}", hint)
    return kept


def _list_folder(folder: str, mistakes: Mistakes) -> list[str]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        mistakes.add(None, f"{folder} cannot be read: {error.strerror}", "run nodecheck as a user who may read it")
        return []
    return [name for name in names if name.endswith((".yaml", ".yml")) and not name.startswith(".")]


def _read_file(path: str, mistakes: Mistakes) -> tuple[Value | None, str]:
    text = read_text(path, mistakes, _refusal)
    return (load(path, text, mistakes), text) if text is not None else (None, "")


def _refusal(path: str, found: os.stat_result) -> tuple[str, str] | None:
    """Definitions decide what root does: refuse a file that someone who is not root could have written.

    Whoever called sudo may become root anyway, so that user's own files are fine. `found` is the opened file.
    """
    if os.geteuid() != 0:
        return None
    refusal = _distrust(path, found)
    if refusal:
        return refusal
    folder = os.path.dirname(os.path.realpath(path))
    status = os.stat(folder)
    if status.st_mode & stat.S_ISVTX and status.st_uid == 0:
        return None  # /tmp: everybody may add a file, nobody may replace that of another
    return _distrust(folder, status, f"the directory of {path}")


def _distrust(path: str, found: os.stat_result, name: str = "") -> tuple[str, str] | None:
    """Return why root should not trust a file or directory, and what to do about it."""
    trusted_users = {"0", os.environ.get("SUDO_UID")}
    trusted_groups = {"0", os.environ.get("SUDO_GID")}
    if str(found.st_uid) not in trusted_users:
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


def _refuse_duplicates(plays: Iterable[Play], mistakes: Mistakes) -> None:
    """A check's id is what others need it by, and what a history knows it by."""
    places: dict[str, Mark] = {}
    for play in plays:
        for check in play.checks:
            if check.id in places:
                mistakes.add(
                    check.mark,
                    f"a second check is named {check.name!r}, or nearly so: both have the id {check.id!r}",
                    f"the first is at {places[check.id]}; give one another name",
                )
            places.setdefault(check.id, check.mark)


def _parse_settings(path: str, mistakes: Mistakes) -> Settings:
    value, _ = _read_file(path, mistakes)
    data: dict[str, Value] = {}
    if value and isinstance(value.data, dict):
        data = value.data
    elif value and value.data is not None:
        mistakes.add(value.mark, f"the settings are a mapping, not {value.kind()}", f"known: {', '.join(SETTINGS)}")
    for key in data:
        if value and key not in SETTINGS:
            mistakes.add(value.key_marks[key], f"there is no setting {key!r}", did_you_mean(key, SETTINGS))
    return Settings(
        _setting_groups(data.get("groups"), mistakes),
        _setting_variables(data.get("vars"), mistakes),
        _setting_budget(data.get("budget"), mistakes),
    )


def _setting_groups(value: Value | None, mistakes: Mistakes) -> list[str]:
    if value is None or value.data is None:
        return []
    groups = plain(value)
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        mistakes.add(value.mark, "groups is a list of names", "groups: [storage, gpu]")
        return []
    for item in value.data:
        if not GROUP.fullmatch(item.data):
            mistakes.add(item.mark, f"{item.data!r} is no name for a group", "letters, digits, _ - and .")
    return groups


def _setting_variables(value: Value | None, mistakes: Mistakes) -> dict[str, Any]:
    if value is None or value.data is None:
        return {}
    if not isinstance(value.data, dict):
        mistakes.add(value.mark, f"vars is a mapping, not {value.kind()}", "vars: {name: value}")
        return {}
    refuse_names(value, mistakes)
    return render_variables(value, {}, {}, mistakes)


def _setting_budget(value: Value | None, mistakes: Mistakes) -> float:
    if value is None or value.data is None:
        return DEFAULT_BUDGET_SECONDS
    seconds = read_duration("budget", value, mistakes)
    if seconds is not None and seconds < 1:
        mistakes.add(value.mark, "budget is too short for any run", "at least 1s")
    return seconds or DEFAULT_BUDGET_SECONDS
