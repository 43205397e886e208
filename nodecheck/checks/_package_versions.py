"""Which version of a package is newer: by the rules of dpkg (deb-version(7)) and of rpm (rpm-version(7))."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import NamedTuple

VERSION = re.compile(r"(?:([0-9]+):)?([A-Za-z0-9.+~^_-]+)")
DPKG_PARTS = re.compile(r"([^0-9]*)([0-9]*)")
RPM_PARTS = re.compile(r"([0-9]+|[A-Za-z]+|~|\^)")


class Version(NamedTuple):
    """The parts of a version; `epoch` is None where none is written."""

    epoch: int | None
    upstream: str
    revision: str

    @property
    def minor(self) -> tuple[int, int] | None:
        """The first two numbers, such as 1 and 20; None where there are none."""
        found = re.match(r"v?([0-9]+)\.([0-9]+)", self.upstream)
        return (int(found[1]), int(found[2])) if found else None


def parse(text: str) -> Version | None:
    """Return the parts of a version; None where it is none."""
    found = VERSION.fullmatch(text)
    if not found:
        return None
    upstream, dash, revision = found[2].rpartition("-")
    return Version(int(found[1]) if found[1] else None, *((upstream, revision) if dash else (revision, "")))


def compare(manager: str, installed: Version, bound: Version) -> int:
    """Return a number below 0, 0, or above 0, as the installed version is older, the same, or newer than the bound.

    Epochs count where the bound has one: who writes 20.10 does not know that the package says 5:20.10. So do revisions.
    """
    if bound.epoch is not None and (installed.epoch or 0) != bound.epoch:
        return (installed.epoch or 0) - bound.epoch
    rule = _compare_dpkg if manager == "dpkg" else _compare_rpm
    return rule(installed.upstream, bound.upstream) or (
        rule(installed.revision, bound.revision) if bound.revision else 0
    )


def _compare_dpkg(one: str, other: str) -> int:
    """Turn by turn a part without digits, by letters, and a number."""
    for (text, number), (other_text, other_number) in zip_longest(
        DPKG_PARTS.findall(one), DPKG_PARTS.findall(other), fillvalue=("", "")
    ):
        for left, right in zip_longest(text, other_text, fillvalue=""):
            if difference := _order(left) - _order(right):
                return difference
        if difference := int(number or 0) - int(other_number or 0):
            return difference
    return 0


def _order(letter: str) -> int:
    """A tilde comes before the end, the end before letters, and letters before all else."""
    if letter == "~":
        return -1
    if not letter:
        return 0
    return ord(letter) if letter.isalpha() else ord(letter) + 256


def _compare_rpm(one: str, other: str) -> int:
    """Numbers and words, whatever divides them; the longer one is newer, unless it goes on with a tilde."""
    for left, right in zip_longest(RPM_PARTS.findall(one), RPM_PARTS.findall(other), fillvalue=""):
        if left == right:
            continue
        if difference := _rank(left) - _rank(right):
            return difference
        if left.isdigit() and int(left) != int(right):
            return int(left) - int(right)
        if not left.isdigit():
            return 1 if left > right else -1
    return 0


def _rank(part: str) -> int:
    """A tilde comes before the end; after it a caret, words, and numbers."""
    ranks = {"~": 0, "": 1, "^": 2}
    return ranks.get(part, 4 if part.isdigit() else 3)
