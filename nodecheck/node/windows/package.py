"""Installed packages: of dpkg by its status file, of rpm by asking it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.durations import format_duration
from nodecheck.node import shapes
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Iterator

DPKG = "/var/lib/dpkg"
RPM_FORMAT = r"%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\n"
RPM_ROOTS = ("/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm")
# Words of the second field in dpkg's Status line (dpkg(1), PACKAGE INFORMATION).
NEEDS_REINSTALL = "reinstreq"
PACKAGE = shapes.fields(
    {
        "version": shapes.text,
        "architecture": shapes.text,
        "state": shapes.text,
        "broken": shapes.boolean,
        "held": shapes.optional(shapes.boolean),
    }
)
RUNS_PROGRAMS = True
SHAPE = shapes.fields({"manager": shapes.one_of("dpkg", "rpm"), "packages": shapes.mapping_of(shapes.list_of(PACKAGE))})


class PackageWant(NamedTuple):
    """Packages by their names."""

    names: tuple[str, ...]
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "package"

    @property
    def key(self) -> str:
        """The names."""
        return " ".join(self.names)


def look(want: PackageWant) -> dict[str, Any]:
    """Return what is known of each package: an entry for each architecture or version. Raises Unobserved."""
    status = os.path.join(DPKG, "status")
    if os.path.exists(status) and os.path.getsize(status):
        return {"manager": "dpkg", "packages": _of_dpkg(status, want.names)}
    if any(os.path.isdir(root) for root in RPM_ROOTS):
        return {"manager": "rpm", "packages": _of_rpm(want)}
    raise Unobserved("packages", "this node has neither dpkg nor rpm, the package managers that nodecheck knows")


def _of_dpkg(status: str, names: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    """What dpkg is about to do, or was when it was interrupted, stands in updates/ and counts more."""
    found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in names}
    updates = os.path.join(DPKG, "updates")
    waiting = []
    with suppress(FileNotFoundError):
        waiting = [os.path.join(updates, file) for file in sorted(os.listdir(updates)) if file.isdigit()]
    for path in (status, *waiting):
        for paragraph in _paragraphs(path, found.keys()):
            package = _package(paragraph)
            found[paragraph["Package"]][package["architecture"]] = package
    return {name: list(by_architecture.values()) for name, by_architecture in found.items()}


def _paragraphs(path: str, names: Any) -> Iterator[dict[str, str]]:
    """Yield the fields of the packages with these names."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    for paragraph in text.split("\n\n"):
        lines = paragraph.strip().splitlines()
        fields = dict(line.split(": ", 1) for line in lines if line[:1] not in (" ", "\t") and ": " in line)
        if fields.get("Package") in names:
            yield fields


def _package(fields: dict[str, str]) -> dict[str, Any]:
    wanted, flag, state = (*fields.get("Status", "").split(), "", "", "")[:3]
    return {
        "version": fields.get("Version", ""),
        "architecture": fields.get("Architecture", ""),
        "state": state,
        "broken": flag == NEEDS_REINSTALL,
        "held": wanted == "hold",
    }


def _of_rpm(want: PackageWant) -> dict[str, list[dict[str, Any]]]:
    from nodecheck.node import programs

    words = ("rpm", "--query", "--queryformat", RPM_FORMAT, "--", *want.names)
    run = programs.run(programs.Program(words, want.seconds))
    if run.outcome == programs.NOT_STARTED:
        raise Unobserved("packages", f"rpm could not be started: {run.error}")
    if run.outcome != programs.ENDED:
        raise Unobserved("packages", f"rpm did not end within {format_duration(run.seconds)}, and was killed")
    if run.signal:
        raise Unobserved("packages", f"rpm was ended by {run.signal}")
    lines = [line.split("\t") for line in run.stdout.text.splitlines()]
    rows = [line for line in lines if len(line) == 3]
    said = " ".join(run.stderr.text.split())
    # Where it cannot read its database, it says of each package that it is not installed, and why only beside that.
    sure = "error: " not in said
    missing = [name for name in want.names if sure and f"package {name} is not installed" in run.stdout.text]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in want.names}
    for name, version, architecture in rows:
        found.setdefault(name, []).append(
            {"version": version, "architecture": architecture, "state": "installed", "broken": False, "held": None}
        )
    if unsaid := [name for name in want.names if not found[name] and name not in missing]:
        raise Unobserved("packages", f"rpm cannot tell of {', '.join(unsaid)}: {said or 'it says nothing'}")
    return {name: found[name] for name in want.names}
