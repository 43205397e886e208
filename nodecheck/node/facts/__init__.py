"""Facts: what this node is. Each one costs a file read or less, and says where it comes from.

A fact about one subject is one file, <subject>.py, and nothing else: the file's name is the fact. Each has GROUP, the
group of nodes that have the subject, PARTS, {part: what it is}, and `find(root)`, which returns those parts, {part:
plain data}, and where they stand; it raises OSError or Unreadable. All but PARTS are asked in a helper process, since
these files may lie on a disk that hangs.
"""

from __future__ import annotations

import functools
import importlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from nodecheck.modules import names_beside
from nodecheck.node import isolated
from nodecheck.node.facts import _host
from nodecheck.node.facts._host import HOST_PARTS, Fact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["HOST_PARTS", "Fact", "Subject", "Unreadable", "collect", "subject_named", "subjects"]
SECONDS = 2  # for all subjects
HANGS = "looking at its files hangs"


class Unreadable(Exception):
    """A file is there, and does not hold what it should: (the file, why)."""


class Subject(Protocol):
    """The module of a subject."""

    GROUP: str
    PARTS: Mapping[str, str]

    def find(self, root: str) -> tuple[dict[str, Any], str]:
        """Return the parts, and where they come from."""


def collect(root: str = "", groups: Collection[str] = ()) -> Mapping[str, Fact]:
    """Return all facts by name; a subject that this node does not have, by its groups, is None."""
    return _Collected(root, groups)


class _Collected(Mapping[str, Fact]):
    """Facts by name. The subjects are asked when the first of them is used: many definitions use none."""

    def __init__(self, root: str, groups: Collection[str]) -> None:
        self._host = _host.collect(root)
        self._root = root
        self._groups = groups

    def __getitem__(self, name: str) -> Fact:
        return self._host[name] if name in self._host else self._subjects[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._host
        yield from subjects()

    def __len__(self) -> int:
        return len(self._host) + len(subjects())

    @functools.cached_property
    def _subjects(self) -> dict[str, Fact]:
        of_group = {name: subject_named(name).GROUP for name in subjects()}
        here = [name for name, group in of_group.items() if group in self._groups]
        answers = isolated.each(lambda name: _find(name, self._root), here, time.monotonic() + SECONDS) if here else {}
        absent = {name: Fact(None, f"not in the group {group}") for name, group in of_group.items()}
        hanging = dict.fromkeys(here, Fact(None, "its files", HANGS))
        return absent | hanging | {name: Fact(*fact) for name, fact in answers.items()}


def _find(name: str, root: str) -> tuple[dict[str, Any] | None, str, str, bool]:
    """Return what a Fact has, as plain data."""
    try:
        return *subject_named(name).find(root), "", False
    except OSError as error:
        path = str(error.filename or name).removeprefix(root)
        return None, path, f"{path}: {error.strerror or error}", False
    except Unreadable as error:
        path, why = error.args
        return None, path.removeprefix(root), f"{path.removeprefix(root)}: {why}", True


@functools.cache  # asked for each fact
def subjects() -> list[str]:
    """Return the names of all subjects."""
    return names_beside(__file__)


def subject_named(name: str) -> Subject:
    """Return the subject of this name."""
    module: Any = importlib.import_module(f"nodecheck.node.facts.{name}")
    subject: Subject = module
    return subject
