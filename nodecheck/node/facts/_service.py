"""What the files of a service of systemd give its program: a command line with variables in it, and an environment."""

from __future__ import annotations

import glob
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from nodecheck.node.facts._files import environment_of, split, text_if_there, words_of
from nodecheck.node.groups import UNIT_FOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTING = re.compile(r"\s*(Environment|EnvironmentFile|ExecStart)\s*=(.*)")
VARIABLE = re.compile(r"\$\{?(\w+)\}?")


class Service(NamedTuple):
    """The unit file that counts, the variables of its program, and the words that this is started with."""

    path: str
    environment: dict[str, str]
    words: list[str]


def service(root: str, unit: str) -> Service | None:
    """Return the service of a unit file and its drop-ins, None where there is no such file. Raises OSError."""
    paths = [f"{folder}/{unit}" for folder in UNIT_FOLDERS if text_if_there(f"{root}{folder}/{unit}")]
    if not paths:
        return None
    told: dict[str, list[str]] = {"Environment": [], "EnvironmentFile": [], "ExecStart": []}
    for name, value in _settings(root, unit, paths[0]):
        told[name] = [*told[name], value] if value else []  # an empty one takes back what came before
    environment = dict(_variables(root, unit, told["Environment"], told["EnvironmentFile"]))
    started = VARIABLE.sub(lambda found: environment.get(found[1], ""), " ".join(told["ExecStart"][-1:]))
    return Service(paths[0], environment, words_of(started)[1:])


def command_line_of(root: str, unit: str, files: tuple[str, ...] = ()) -> list[str]:
    """Return the words that a service gives its program. Raises OSError.

    Where it gives none, they are those in these files: a script that it starts may read them.
    """
    found = service(root, unit)
    if found and found.words:
        return found.words
    return [
        word for path in files for _, value in environment_of(text_if_there(root + path)) for word in words_of(value)
    ]


def _settings(root: str, unit: str, path: str) -> Iterator[tuple[str, str]]:
    r"""Yield (name, value) of the unit file, and then of its drop-ins by their names: see systemd.unit(5).

    A line that ends with \ goes on.
    """
    pieces = [piece for folder in reversed(UNIT_FOLDERS) for piece in glob.glob(f"{root}{folder}/{unit}.d/*.conf")]
    counting = {os.path.basename(piece): piece for piece in pieces}
    for file in (root + path, *(counting[name] for name in sorted(counting))):
        for line in text_if_there(file).replace("\\\n", " ").splitlines():
            if found := SETTING.fullmatch(line):
                yield found[1], found[2].strip()


def _variables(root: str, unit: str, inline: list[str], files: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (name, value); files win over what stands in the unit."""
    host = os.uname().nodename
    for setting in (part for value in inline for part in split(value.replace("%H", host))):
        name, _, told = setting.partition("=")
        yield name, told
    for file in files:
        path = file.removeprefix("-").replace("%p", unit.rpartition(".")[0])
        yield from ((name, " ".join(words_of(told))) for name, told in environment_of(text_if_there(root + path)))
