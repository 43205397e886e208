"""Plays and their checks: the keywords, and the mistakes people make with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck import checks as check_types
from nodecheck.definitions import hosts
from nodecheck.definitions.build import build
from nodecheck.definitions.errors import Mark, Mistakes, closest, did_you_mean
from nodecheck.definitions.template import LOOKUP, render, render_variables
from nodecheck.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodecheck.checks.base import Check
    from nodecheck.definitions.yamlfile import Value

PLAY_KEYWORDS = ("name", "hosts", "vars", "tags", "checks")
CHECK_KEYWORDS = ("name", "tags", "severity", "needs", "timeout", "remedy")
SEVERITIES = ("critical", "warning")
MASK_HINT = "to mask a shipped file, link its name to /dev/null"
TAKEN = ("facts", "groups")
CHECK_SHAPE = "- name: ...\n    unit: {name: docker.service}"
DEFAULT_TIMEOUT_SECONDS = 5.0
SHORTEST_SECONDS, LONGEST_SECONDS = 0.1, 86400.0
LATER = "this version does not know it"
WHOLE_FILE = "name several files or directories on the command line"
FROM_OTHER_TOOLS = {
    "tasks": "a play of nodecheck holds checks:",
    "hosts": "the hosts are chosen for a whole play",
    "become": "nodecheck runs as the user who calls it",
    "gather_facts": "facts are always there: nodecheck facts",
    "service": "the type for systemd units is unit",
    "systemd": "the type for systemd units is unit, for systemd itself system",
    "systemd_service": "the type for systemd units is unit, for systemd itself system",
    "wait_for": "the type for ports is port",
    "command": "this version runs no commands",
    "shell": "this version runs no commands",
    "notify": "nodecheck changes nothing, so there is nothing to notify of",
    "handlers": "nodecheck changes nothing, so there is nothing to handle",
    "ignore_errors": "severity: warning is for what may fail",
    "roles": WHOLE_FILE,
    "import_playbook": WHOLE_FILE,
    "<<": "YAML 1.2 has no merge keys: write the keys out, or use vars",
    **dict.fromkeys(("when", "loop", "with_items", "register", "until", "retries", "delay", "block"), LATER),
}
# Who writes these will be told of them, and misses nothing else.
MEANT = {"tasks": {"checks"}, "roles": {"checks"}, "import_playbook": {"checks", "hosts"}}


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
    """For which hosts, and what. `unread` are the names of checks that have mistakes."""

    name: str
    hosts: str
    tags: frozenset[str]
    checks: tuple[CheckDefinition, ...]
    mark: Mark
    unread: tuple[str, ...] = ()


def read_plays(
    value: Value, variables: Mapping[str, Any], overrides: Mapping[str, Any], mistakes: Mistakes
) -> list[Play]:
    """Return the plays of a file. `overrides` win over the plays' vars, those over `variables`."""
    if value.data is None:
        mistakes.add(
            value.mark,
            "there is no play in this file",
            f"a definition file is a list of plays; {MASK_HINT}",
        )
        return []
    if not isinstance(value.data, list):
        mistakes.add(
            value.mark,
            f"a definition file is a list of plays, not {value.kind()}",
            "start the play with a dash: - name: ...",
        )
        return []
    if not value.data:
        mistakes.add(
            value.mark,
            "an empty list checks nothing",
            MASK_HINT,
        )
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
    meant = _refuse_unknown(value, PLAY_KEYWORDS, "a play", mistakes)
    known = _variables(value.data.get("vars"), variables, overrides, mistakes)
    data = {key: render(value.data[key], known, mistakes) for key in ("name", "hosts", "tags") if key in value.data}
    pattern = _hosts(data.get("hosts"), mistakes)
    for keyword, hint in (("hosts", "hosts: all"), ("checks", "checks: [...]")):
        if keyword not in meant:
            _missing(value, keyword, "a play", hint, mistakes)
    name = _name(data, mistakes) or f"hosts {pattern}"
    tags = frozenset(_words(data.get("tags"), "tags", mistakes))
    checks = _read_checks(value, known, tags, mistakes)
    good = tuple(check for check in checks if isinstance(check, CheckDefinition))
    return Play(name, pattern, tags, good, value.mark, tuple(check for check in checks if isinstance(check, str)))


def _variables(
    own: Value | None, variables: Mapping[str, Any], overrides: Mapping[str, Any], mistakes: Mistakes
) -> dict[str, Any]:
    """All variables of a play: its own win over `variables`, and `overrides` over both."""
    known = {**variables, **overrides}
    if own is None or own.data is None:
        return known
    if not isinstance(own.data, dict):
        mistakes.add(own.mark, f"vars is a mapping, not {own.kind()}", "vars: {name: value}")
        return known
    refuse_names(own, mistakes)
    return render_variables(own, variables, overrides, mistakes)


def refuse_names(variables: Value, mistakes: Mistakes) -> None:
    """Note names of variables that nothing could look up."""
    for name, mark in variables.key_marks.items():
        if name in TAKEN:
            mistakes.add(mark, f"the variable {name!r} is what nodecheck found out: it cannot be set", "rename it")
        elif not LOOKUP.fullmatch(name) or "." in name:
            mistakes.add(mark, f"{name!r} is no name for a variable", "A to Z, digits and _, a letter first")


def _hosts(value: Value | None, mistakes: Mistakes) -> str:
    if value is None:
        return ""
    pattern = ":".join(_words(value, "hosts", mistakes))
    message, hint = hosts.mistake(pattern)
    if message and isinstance(value.data, str | list):
        mistakes.add(value.mark, message, hint)
    return pattern


def _read_checks(
    play: Value, variables: Mapping[str, Any], tags: frozenset[str], mistakes: Mistakes
) -> list[CheckDefinition | str]:
    """Return the checks; of those with mistakes the name."""
    checks = play.data.get("checks")
    if checks is None:
        return []
    if not isinstance(checks.data, list) or not checks.data:
        kind = "an empty list" if checks.data == [] else checks.kind()
        mistakes.add(checks.mark, f"checks is a list with at least one check, not {kind}", CHECK_SHAPE)
        return []
    return [_read_check(item, variables, tags, mistakes) for item in checks.data]


def _read_check(
    value: Value, variables: Mapping[str, Any], play_tags: frozenset[str], mistakes: Mistakes
) -> CheckDefinition | str:
    if not isinstance(value.data, dict):
        mistakes.add(value.mark, f"a check is a mapping, not {value.kind()}", CHECK_SHAPE)
        return ""
    value = render(value, variables, mistakes)
    data = value.data
    type_name = _type_of(value, mistakes)
    name = _name(data, mistakes)
    if not data.keys() & {"Name", "block"}:
        _missing(value, "name", "a check", "name: what should be so", mistakes)
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
        return name
    return CheckDefinition(name=name, id=_identifier(name), type=type_name, check=check, mark=value.mark, **keywords)


def _type_of(value: Value, mistakes: Mistakes) -> str:
    """The one key that is no keyword; "" when there is none or it is not known."""
    others = [key for key in value.data if key not in CHECK_KEYWORDS]
    types = [key for key in others if check_types.load(key)]
    for key in others:
        if key not in types:
            mistakes.add(
                value.key_marks.get(key, value.mark), f"{key!r} is neither a keyword nor a check type", _key_hint(key)
            )
    if len(types) > 1:
        marks = sorted(value.key_marks[key] for key in types)
        mistakes.add(marks[1], f"a check has one type, this one has {' and '.join(types)}", "make two checks of it")
    elif not types and not others:
        mistakes.add(value.mark, "this check has no type", f"known types: {', '.join(check_types.names())}")
    return types[0] if len(types) == 1 else ""


def _key_hint(key: str) -> str:
    """What to write in a check instead of this key."""
    known = FROM_OTHER_TOOLS.get(key.rpartition(".")[2])
    if known:
        return known
    types = check_types.names()
    near = closest(key, [*CHECK_KEYWORDS, *types])
    return (
        f"did you mean {near}?" if near else f"keywords: {', '.join(CHECK_KEYWORDS)}; check types: {', '.join(types)}"
    )


def _refuse_unknown(value: Value, keywords: tuple[str, ...], what: str, mistakes: Mistakes) -> set[str]:
    """Note unknown keywords; return those that were probably meant."""
    meant: set[str] = set()
    for key in value.data:
        if key not in keywords:
            hint = FROM_OTHER_TOOLS.get(key) or did_you_mean(key, keywords)
            mistakes.add(value.key_marks.get(key, value.mark), f"{what} has no keyword {key!r}", hint)
            meant |= MEANT.get(key) or {closest(key, keywords)}
    return meant


def _missing(value: Value, key: str, what: str, hint: str, mistakes: Mistakes) -> None:
    if key not in value.data:
        mistakes.add(value.mark, f"{what} needs the keyword {key!r}", hint)


def _name(data: dict[str, Value], mistakes: Mistakes) -> str:
    """A name stands in one line of the report."""
    return " ".join(_text(data, "name", mistakes).split())


def _text(data: dict[str, Value], key: str, mistakes: Mistakes) -> str:
    value = data.get(key)
    if value is None:
        return ""
    if not isinstance(value.data, str) or not value.data.strip():
        kind = "an empty one" if isinstance(value.data, str) else value.kind()
        quoted = f'quote it: "{value.text}"' if value.text.strip() else ""
        mistakes.add(value.mark, f"{key} is a text, not {kind}", quoted)
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
            kind = "an empty text" if isinstance(item.data, str) else item.kind()
            quoted = f'quote it: "{item.text}"' if item.text.strip() else ""
            mistakes.add(item.mark, f"{key} is a text or a list of texts, and this is {kind}", quoted)
        else:
            words += item.data.split(",") if key == "tags" else [item.data]
    return [word.strip() for word in words if word.strip()]


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
            f"did you mean {closest(severity, SEVERITIES) or SEVERITIES[0]}?",
        )
        return "critical"
    return severity


def _timeout(data: dict[str, Value], mistakes: Mistakes) -> float:
    value = data.get("timeout")
    if value is None:
        return DEFAULT_TIMEOUT_SECONDS
    return read_duration("timeout", value, mistakes) or DEFAULT_TIMEOUT_SECONDS


def read_duration(key: str, value: Value, mistakes: Mistakes) -> float | None:
    """Return seconds; None, and a mistake, for what is no time that one could wait for."""
    try:
        seconds = parse_duration(value.text)
    except ValueError:
        meant = f"did you mean {value.text}s?" if isinstance(value.data, int | float) and value.text.isdigit() else ""
        given = repr(value.text) if value.text else value.kind()
        mistakes.add(value.mark, f"{key} is a time with its unit such as 30s, 5m or 1h30m, not {given}", meant)
        return None
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        mistakes.add(value.mark, f"{key} is too {'short' if seconds < 1 else 'long'}: 100ms at least, a day at most")
        return None
    return seconds


def _identifier(name: str) -> str:
    """The id of a check: its name in lower case, with dashes for all that is neither letter nor digit."""
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-") or "check"
