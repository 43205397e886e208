"""Where definitions and settings come from, and who may have written them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.definitions.errors import DefinitionError, Mark, Mistake, Mistakes, did_you_mean
from nodecheck.definitions.play import read_plays
from nodecheck.definitions.template import plain
from nodecheck.definitions.yamlfile import load, read_text
from nodecheck.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nodecheck.definitions.play import Play
    from nodecheck.definitions.yamlfile import Value

SHIPPED_CHECKS = "/usr/share/nodecheck/checks.d"
LOCAL_CHECKS = "/etc/nodecheck/checks.d"
SETTINGS_FILE = "/etc/nodecheck/nodecheck.yaml"
SETTINGS = ("groups", "vars", "budget")
DEFAULT_BUDGET_SECONDS = 30.0


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
        return f"sha256:{hashlib.sha256(both.encode()).hexdigest()}"


def read_settings(path: str = SETTINGS_FILE) -> Settings:
    """Read the settings; without a file, the defaults. Raises DefinitionError."""
    mistakes = Mistakes()
    settings = Settings([], {}, DEFAULT_BUDGET_SECONDS)
    if os.path.exists(path):
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
    for path in find_files(paths):
        value, texts[path] = _read_file(path, mistakes)
        if value:
            plays += read_plays(value, variables, overrides, mistakes)
    _refuse_duplicates(plays, mistakes)
    mistakes.raise_if_any()
    return Definitions(plays, texts)


def find_files(paths: list[str]) -> list[str]:
    """Return the definition files, in the order of their names within each directory. Raises DefinitionError."""
    if not paths:
        return _merged([SHIPPED_CHECKS, LOCAL_CHECKS])
    found: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            found += _merged([path])
        elif os.path.lexists(path):
            found.append(path)
        else:
            raise DefinitionError([Mistake(None, f"{path} does not exist")])
    return found


def _merged(folders: list[str]) -> list[str]:
    """The same name in a later folder replaces the earlier file, a link to /dev/null masks it: as with systemd."""
    files: dict[str, str] = {}
    for folder in folders:
        names = _list_folder(folder)
        files |= {name: os.path.join(folder, name) for name in names}
    kept = [files[name] for name in sorted(files) if os.path.realpath(files[name]) != os.devnull]
    if not kept:
        where = " or ".join(folders)
        raise DefinitionError(
            [
                Mistake(
                    None, f"no definition file (*.yaml) in {where}", "name files or directories: nodecheck run FILE|DIR"
                )
            ]
        )
    return kept


def _list_folder(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.endswith((".yaml", ".yml")) and not name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DefinitionError([Mistake(None, f"{folder} cannot be read: {error.strerror}")]) from error


def _read_file(path: str, mistakes: Mistakes) -> tuple[Value | None, str]:
    refusal = _refusal(path)
    if refusal:
        mistakes.add(None, *refusal)
        return None, ""
    text = read_text(path, mistakes)
    return (load(path, text, mistakes), text) if text is not None else (None, "")


def _refusal(path: str) -> tuple[str, str] | None:
    """Definitions decide what root does: refuse a file that someone who is not root could have written.

    Whoever called sudo may become root anyway, so that user's own files are fine.
    """
    if os.geteuid() != 0:
        return None
    try:
        found = os.stat(path)
        folder = os.stat(os.path.dirname(os.path.realpath(path)) or ".")
    except OSError:
        return None  # reading it will say why
    hint = f"chown root: {path}; chmod go-w {path}"
    if str(found.st_uid) not in ("0", os.environ.get("SUDO_UID")):
        return f"{path} belongs to uid {found.st_uid}, and nodecheck runs as root: refused", hint
    if _others_may_write(found):
        return (
            f"{path} may be written by others ({stat.filemode(found.st_mode)}), and nodecheck runs as root: refused",
            hint,
        )
    if _others_may_write(folder) and not folder.st_mode & stat.S_ISVTX:
        return (
            f"the directory of {path} may be written by others, and nodecheck runs as root: refused",
            f"chmod go-w {os.path.dirname(path)}",
        )
    return None


def _others_may_write(found: os.stat_result) -> bool:
    trusted_group = str(found.st_gid) in ("0", os.environ.get("SUDO_GID"))
    return bool(found.st_mode & stat.S_IWOTH) or (bool(found.st_mode & stat.S_IWGRP) and not trusted_group)


def _refuse_duplicates(plays: Iterable[Play], mistakes: Mistakes) -> None:
    """A check's id is what others need it by, and what a history knows it by."""
    places: dict[str, Mark] = {}
    for play in plays:
        for check in play.checks:
            if check.id in places:
                mistakes.add(
                    check.mark,
                    f"a second check has the id {check.id!r}",
                    f"the first is at {places[check.id]}; give one another name",
                )
            places.setdefault(check.id, check.mark)


def _parse_settings(path: str, mistakes: Mistakes) -> Settings:
    value, _ = _read_file(path, mistakes)
    data = value.data if value else {}
    if value and not isinstance(data, dict):
        mistakes.add(value.mark, f"the settings are a mapping, not {value.kind()}", f"known: {', '.join(SETTINGS)}")
        data = {}
    for key in data:
        if value and key not in SETTINGS:
            mistakes.add(value.key_marks[key], f"there is no setting {key!r}", did_you_mean(key, SETTINGS))
    return Settings(
        _setting_groups(data.get("groups"), mistakes),
        _setting_variables(data.get("vars"), mistakes),
        _setting_budget(data.get("budget"), mistakes),
    )


def _setting_groups(value: Value | None, mistakes: Mistakes) -> list[str]:
    if value is None:
        return []
    groups = plain(value)
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        mistakes.add(value.mark, "groups is a list of names", "groups: [storage, gpu]")
        return []
    return groups


def _setting_variables(value: Value | None, mistakes: Mistakes) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value.data, dict):
        mistakes.add(value.mark, f"vars is a mapping, not {value.kind()}", "vars: {name: value}")
        return {}
    variables: dict[str, Any] = plain(value)
    return variables


def _setting_budget(value: Value | None, mistakes: Mistakes) -> float:
    try:
        return parse_duration(value.text) if value else DEFAULT_BUDGET_SECONDS
    except ValueError as error:
        mistakes.add(value.mark if value else None, f"budget: {error}")
        return DEFAULT_BUDGET_SECONDS
