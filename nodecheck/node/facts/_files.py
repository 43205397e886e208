"""Files that facts are read off: YAML, JSON, TOML, and the command lines in environment files and manifests."""

from __future__ import annotations

import json
import shlex
import tomllib
from typing import TYPE_CHECKING, Any

from nodecheck.node.facts import Unreadable
from nodecheck.node.foreignyaml import first_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGEST = 4 << 20  # bytes


def text_of(path: str) -> str:
    """Return what a file holds, up to LARGEST. Raises OSError."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(LARGEST)


def text_if_there(path: str) -> str:
    """Return what a file holds; "" where there is none. Raises OSError."""
    try:
        return text_of(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""


def mapping_of(path: str) -> dict[str, Any]:
    """Return the mapping that a YAML (or JSON) file holds. Raises OSError, Unreadable."""
    try:
        data = first_document(text_of(path))
    except ValueError as error:
        raise Unreadable(path, str(error)) from error
    if not isinstance(data, dict):
        raise Unreadable(path, "it holds no mapping")
    return data


def json_of(path: str) -> dict[str, Any]:
    """Return the mapping that a JSON file holds; none where there is no such file. Raises OSError, Unreadable."""
    text = text_if_there(path)
    try:
        data = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise Unreadable(path, f"it is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise Unreadable(path, "it holds no mapping")
    return data


def toml_of(path: str) -> dict[str, Any]:
    """Return what a TOML file holds; nothing where there is no such file. Raises OSError, Unreadable."""
    try:
        return tomllib.loads(text_if_there(path))
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(path, f"it is no TOML: {error}") from error


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return two nested mappings as one; of two values that of `above` wins."""
    both = {key: merged(below[key], value) for key, value in above.items() if _are_mappings(below.get(key), value)}
    return below | above | both


def _are_mappings(*values: Any) -> bool:
    return all(isinstance(value, dict) for value in values)


def value_at(data: dict[str, Any], *keys: str) -> Any:
    """Return a value of nested mappings; None where there is none."""
    value: Any = data
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def as_path(address: str) -> str:
    """Return the path of a socket without its scheme, and where /var/run leads today."""
    path = address.removeprefix("unix://")
    return path.removeprefix("/var") if path.startswith("/var/run/") else path


def flags_of(words: Iterable[str]) -> dict[str, str]:
    """Return {name: value} of the flags of a command line, as Go's programs take them: the last one wins.

    --name=value, --name value; --name alone is "true".
    """
    flags: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("-"):
            name, equals, value = word.lstrip("-").partition("=")
            flags[name] = value if equals else "true"
            name = "" if equals else name
        elif name:
            flags[name] = word
            name = ""
    return flags


def environment_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names and values of an environment file, as they stand there: systemd.exec(5), EnvironmentFile=."""
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith(("#", ";")):
            yield name.strip(), value


def words_of(value: str) -> list[str]:
    """Return the words of a command line, or of a variable: what is quoted may be more than one."""
    return [word for part in split(value) for word in part.split()]


def split(value: str) -> list[str]:
    """Return what a shell would take for words."""
    try:
        return shlex.split(value)
    except ValueError:  # a quote that is never closed: systemd takes the line as it is
        return value.split()
