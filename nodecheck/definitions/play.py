"""Plays and their checks: the keywords, and the mistakes people make with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck import checks as check_types
from nodecheck.definitions.build import build
from nodecheck.definitions.errors import Mark, Mistakes, did_you_mean
from nodecheck.definitions.template import plain, render
from nodecheck.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodecheck.checks.base import Check
    from nodecheck.definitions.yamlfile import Value

PLAY_KEYWORDS = ("name", "hosts", "vars", "tags", "checks")
CHECK_KEYWORDS = ("name", "tags", "severity", "needs", "timeout", "remedy")
SEVERITIES = ("critical", "warning")
DEFAULT_TIMEOUT_SECONDS = 5.0
FROM_OTHER_TOOLS = {
    "tasks": "a play of nodecheck holds checks:",
    "become": "nodecheck runs as the user who calls it",
    "gather_facts": "facts are always there: nodecheck facts",
    "service": "the type for systemd units is unit",
    "systemd": "the type for systemd units is unit, for systemd itself system",
}


class CheckDefinition(NamedTuple):
    """A check as its author wrote it, with the type's arguments read."""

    name: str
    id: str
    type: str
    check: Check
    tags: frozenset[str]
    severity: str
    needs: tuple[str, ...]
    needs_marks: tuple[Mark, ...]
    timeout: float
    remedy: str
    mark: Mark


class Play(NamedTuple):
    """For which hosts, and what."""

    name: str
    hosts: str
    tags: frozenset[str]
    checks: tuple[CheckDefinition, ...]
    mark: Mark


def read_plays(
    value: Value, variables: Mapping[str, Any], overrides: Mapping[str, Any], mistakes: Mistakes
) -> list[Play]:
    """Return the plays of a file. `overrides` win over the plays' vars, those over `variables`."""
    if not isinstance(value.data, list):
        mistakes.add(
            value.mark,
            f"a definition file is a list of plays, not {value.kind()}",
            "start the play with a dash: - name: ...",
        )
        return []
    if not value.data:
        mistakes.add(value.mark, "an empty list checks nothing", "remove the file, or mask it with a link to /dev/null")
    plays = (_read_play(item, variables, overrides, mistakes) for item in value.data)
    return [play for play in plays if play]


def _read_play(
    value: Value, variables: Mapping[str, Any], overrides: Mapping[str, Any], mistakes: Mistakes
) -> Play | None:
    if not isinstance(value.data, dict):
        mistakes.add(
            value.mark, f"a play is a mapping, not {value.kind()}", "- name: ...\n    hosts: all\n    checks: [...]"
        )
        return None
    _refuse_unknown(value, PLAY_KEYWORDS, "a play", mistakes)
    data = value.data
    own = data.get("vars")
    if own and not isinstance(own.data, dict):
        mistakes.add(own.mark, f"vars is a mapping, not {own.kind()}", "vars: {name: value}")
        own = None
    known = {**variables, **(plain(own) if own else {}), **overrides}
    data = {key: item if key == "checks" else render(item, known, mistakes) for key, item in data.items()}
    pattern = _text(data, "hosts", mistakes) or _missing(value, "hosts", "a play", "hosts: all", mistakes)
    name = _text(data, "name", mistakes) or f"hosts {pattern}"
    tags = _words(data.get("tags"), "tags", mistakes)
    return Play(name, pattern, frozenset(tags), _read_checks(value, known, frozenset(tags), mistakes), value.mark)


def _read_checks(
    play: Value, variables: Mapping[str, Any], tags: frozenset[str], mistakes: Mistakes
) -> tuple[CheckDefinition, ...]:
    checks = play.data.get("checks")
    if checks is None:
        _missing(play, "checks", "a play", "checks: [...]", mistakes)
        return ()
    if not isinstance(checks.data, list) or not checks.data:
        mistakes.add(
            checks.mark, "checks is a list with at least one check", "- name: ...\n    unit: {name: docker.service}"
        )
        return ()
    read = (_read_check(item, variables, tags, mistakes) for item in checks.data)
    return tuple(check for check in read if check)


def _read_check(
    value: Value, variables: Mapping[str, Any], play_tags: frozenset[str], mistakes: Mistakes
) -> CheckDefinition | None:
    if not isinstance(value.data, dict):
        mistakes.add(
            value.mark, f"a check is a mapping, not {value.kind()}", "- name: ...\n    unit: {name: docker.service}"
        )
        return None
    value = render(value, variables, mistakes)
    data = value.data
    type_name = _type_of(value, mistakes)
    name = _text(data, "name", mistakes) or _missing(value, "name", "a check", "name: what should be so", mistakes)
    needs = data.get("needs")
    keywords: dict[str, Any] = {
        "tags": play_tags | frozenset(_words(data.get("tags"), "tags", mistakes)),
        "severity": _severity(data, mistakes),
        "needs": tuple(_words(needs, "needs", mistakes)),
        "needs_marks": _item_marks(needs),
        "timeout": _timeout(data, mistakes),
        "remedy": _text(data, "remedy", mistakes),
    }
    kind = check_types.load(type_name) if type_name else None
    check = build(kind, type_name, data[type_name], mistakes) if kind else None
    if not check or not name:
        return None
    return CheckDefinition(name=name, id=_identifier(name), type=type_name, check=check, mark=value.mark, **keywords)


def _type_of(value: Value, mistakes: Mistakes) -> str:
    """The one key that is no keyword; "" when there is none or it is not known."""
    others = [key for key in value.data if key not in CHECK_KEYWORDS]
    types = [key for key in others if check_types.load(key)]
    for key in others:
        if key not in types:
            hint = FROM_OTHER_TOOLS.get(key) or did_you_mean(key, [*CHECK_KEYWORDS, *check_types.names()])
            mistakes.add(value.key_marks.get(key, value.mark), f"{key!r} is neither a keyword nor a check type", hint)
    if len(types) > 1:
        marks = sorted(value.key_marks[key] for key in types)
        mistakes.add(marks[1], f"a check has one type, this one has {' and '.join(types)}", "make two checks of it")
    elif not types and not others:
        mistakes.add(value.mark, "this check has no type", f"known types: {', '.join(check_types.names())}")
    return types[0] if len(types) == 1 else ""


def _refuse_unknown(value: Value, keywords: tuple[str, ...], what: str, mistakes: Mistakes) -> None:
    for key in value.data:
        if key not in keywords:
            hint = FROM_OTHER_TOOLS.get(key) or did_you_mean(key, keywords)
            mistakes.add(value.key_marks.get(key, value.mark), f"{what} has no keyword {key!r}", hint)


def _missing(value: Value, key: str, what: str, hint: str, mistakes: Mistakes) -> str:
    if key not in value.data:
        mistakes.add(value.mark, f"{what} needs the keyword {key!r}", hint)
    return ""


def _text(data: dict[str, Value], key: str, mistakes: Mistakes) -> str:
    value = data.get(key)
    if value is None:
        return ""
    if not isinstance(value.data, str) or not value.data.strip():
        mistakes.add(value.mark, f"{key} is a text, not {value.kind() if value.data != '' else 'nothing'}", "")
        return ""
    return value.data.strip()


def _words(value: Value | None, key: str, mistakes: Mistakes) -> list[str]:
    """A list of texts, or one text; tags may be divided by commas, as in Ansible."""
    if value is None:
        return []
    items = value.data if isinstance(value.data, list) else [value]
    words = []
    for item in items:
        if not isinstance(item.data, str) or not item.data.strip():
            mistakes.add(item.mark, f"{key} is a text or a list of texts, and this is {item.kind()}", "")
        else:
            words += [part.strip() for part in item.data.split(",")] if key == "tags" else [item.data.strip()]
    return words


def _item_marks(value: Value | None) -> tuple[Mark, ...]:
    if value is None:
        return ()
    return tuple(item.mark for item in value.data) if isinstance(value.data, list) else (value.mark,)


def _severity(data: dict[str, Value], mistakes: Mistakes) -> str:
    severity = _text(data, "severity", mistakes) or "critical"
    if severity not in SEVERITIES:
        mistakes.add(
            data["severity"].mark,
            f"severity is one of {', '.join(SEVERITIES)}, not {severity!r}",
            did_you_mean(severity, SEVERITIES),
        )
        return "critical"
    return severity


def _timeout(data: dict[str, Value], mistakes: Mistakes) -> float:
    value = data.get("timeout")
    if value is None:
        return DEFAULT_TIMEOUT_SECONDS
    try:
        seconds = parse_duration(value.text)
    except ValueError as error:
        mistakes.add(value.mark, f"timeout: {error}")
        return DEFAULT_TIMEOUT_SECONDS
    if seconds <= 0:
        mistakes.add(value.mark, "timeout: must be longer than nothing")
    return seconds


def _identifier(name: str) -> str:
    """The id of a check: its name in lower case, with dashes for all that is neither letter nor digit."""
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-") or "check"
