"""The settings of /etc/nodecheck/nodecheck.yaml, and the variables of -e."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from nodecheck.definitions.errors import Mark, Mistakes, did_you_mean
from nodecheck.definitions.event_settings import EventSettings, read_events
from nodecheck.definitions.levels import with_variables
from nodecheck.definitions.scope import Scope
from nodecheck.definitions.searchpath import refusal
from nodecheck.definitions.template import QUOTED
from nodecheck.definitions.values import read_duration
from nodecheck.definitions.variables import plain
from nodecheck.definitions.yamlfile import Value, load, read_text, scalar
from nodecheck.patterns import later
from nodecheck.progress import about_to

SETTINGS_FILE = "/etc/nodecheck/nodecheck.yaml"
SETTINGS = ("groups", "vars", "budget", "events")
DEFAULT_BUDGET_SECONDS = 30.0
GROUP = later(r"[\w][\w.-]*")
ANOTHER = later(r"\s[A-Za-z_]\w*=(?!=)")
NOTHING = Scope({}, {}, {}, {}, {})


class Settings(NamedTuple):
    """What /etc/nodecheck/nodecheck.yaml says; the budget is in seconds."""

    groups: list[str]
    variables: dict[str, Any]
    budget: float
    events: EventSettings = EventSettings()


def read_settings(path: str = SETTINGS_FILE) -> Settings:
    """Read the settings; without a file, the defaults. Raises DefinitionError."""
    mistakes = Mistakes()
    settings = Settings([], {}, DEFAULT_BUDGET_SECONDS)
    if _exists(path):
        settings = _parse_settings(path, mistakes)
    mistakes.raise_if_any()
    return settings


def read_extra_variables(items: list[str]) -> dict[str, Any]:
    """Return the variables of -e: NAME=VALUE, a mapping {a: 1}, or @FILE that holds one. Raises DefinitionError.

    Values are read as those in definitions are, so that 1.10 keeps its zero, and in quotes they are texts.
    """
    mistakes = Mistakes()
    scope = NOTHING
    for item in items:
        value = _extra_variables(item, mistakes)
        if value and value.data is not None:
            scope = with_variables(value, scope, mistakes)
    mistakes.raise_if_any()
    return dict(scope.variables)


def _extra_variables(item: str, mistakes: Mistakes) -> Value | None:
    if item.startswith("@"):
        return _read_mapping(item[1:], mistakes)
    if item.startswith("{"):
        mistakes.know_text("-e", item)
        return load("-e", item, mistakes)
    name, equals, text = item.partition("=")
    if not equals or not name.isidentifier():
        mistakes.add(None, f"-e takes NAME=VALUE or @FILE, not {item!r}")
        return None
    mistakes.know_text("-e", item)
    value = _extra_value(name, text, mistakes)
    return Value({name: value}, value.mark, key_marks={name: Mark("-e", 1, 1)})


def _extra_value(name: str, text: str, mistakes: Mistakes) -> Value:
    mark = Mark("-e", 1, len(name) + 2)
    if QUOTED.fullmatch(text):
        return Value(text[1:-1], mark, text[1:-1])
    if ANOTHER.search(text):  # Ansible divides them at blanks
        hint = f"-e {name}=... for each; what is one text stands in quotes within: -e '{name}=\"...\"'"
        mistakes.add(None, f"-e takes one NAME=VALUE, and {f'{name}={text}'!r} looks like several", hint)
    return Value(scalar(text), mark, text)


def _read_mapping(path: str, mistakes: Mistakes) -> Value | None:
    text = read_text(path, mistakes, refusal)
    return None if text is None else load(path, text, mistakes)


def _exists(path: str) -> bool:
    """Unlike os.path.exists: what this user may not look at is there, and reading it will say why not."""
    try:
        about_to(f"read {path}")
        os.stat(path)
    except FileNotFoundError:
        return os.path.islink(path)
    except OSError:
        return True
    return True


def _parse_settings(path: str, mistakes: Mistakes) -> Settings:
    value = _read_mapping(path, mistakes)
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
        read_events(data.get("events"), mistakes),
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
    return dict(with_variables(value, NOTHING, mistakes).variables)


def _setting_budget(value: Value | None, mistakes: Mistakes) -> float:
    if value is None or value.data is None:
        return DEFAULT_BUDGET_SECONDS
    seconds = read_duration("budget", value, mistakes)
    if seconds is not None and seconds < 1:
        mistakes.add(value.mark, "budget is too short for any run", "at least 1s")
    return seconds or DEFAULT_BUDGET_SECONDS
