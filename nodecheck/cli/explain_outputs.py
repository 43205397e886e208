"""The page about outputs: from the docstring of each format, and what it makes of one report."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from nodecheck.cli.markdown import items, section, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.report.result import Report

MOST_LINES = 24
LONGEST = 240  # of a line; longer ones are cut
SEEN_ONLY = ("html",)  # its text tells nobody what it looks like
RULES = (
    (
        "Without `-o` the report is told as text. `-o` may be given several times: one goes to standard output, the "
        "others to a file each."
    ),
    (
        "A file is written whole or not at all: beside the old one, which it then replaces. A device or a pipe is "
        "written to."
    ),
    "The exit code is the same for every output: 0 ok, 1 warning, 2 critical, 3 unknown.",
    (
        "The names of fields are the same in all of them. `nodecheck schema report` prints the JSON Schema of the "
        "report: fields are added to it, none vanishes or changes its type while it is called nodecheck.report/1."
    ),
    "Events go to standard error beside all this: `--events never` turns them off.",
)


def outputs() -> Iterator[str]:
    """Yield the page about outputs."""
    from nodecheck.report import formats

    names = formats.names()
    yield "# outputs"
    yield ""
    yield "`nodecheck run -o FORMAT[=FILE]` says how the report is told, and where to."
    yield from section("Formats", table(("format", ""), ((f"`{name}`", _about(name)[0]) for name in names)))
    yield from section("Mind", items(RULES))
    for name in names:
        yield from section(name, _page(name))


def _about(name: str) -> list[str]:
    """Return the lines of a format's docstring."""
    return (importlib.import_module(f"nodecheck.report.{name}").__doc__ or "").strip().splitlines()


def _page(name: str) -> Iterator[str]:
    yield from _about(name)
    yield ""
    yield "```console"
    yield f"nodecheck run -o {importlib.import_module(f'nodecheck.report.{name}').EXAMPLE}"
    yield "```"
    if name not in SEEN_ONLY:
        yield ""
        yield "```text"
        yield from _example(name)
        yield "```"


def _example(name: str) -> Iterator[str]:
    from nodecheck.report.formats import parse
    from nodecheck.report.style import Style

    (output,) = parse([name])
    lines = output.render(_sample(), Style()).splitlines()
    yield from (line if len(line) <= LONGEST else f"{line[:LONGEST]}..." for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield "..."


def _sample() -> Report:
    """A small report of a node that is not well."""
    from nodecheck.report.result import Finding, Report, Result, Status

    place = "/usr/share/nodecheck/checks.d/10-container-engine.yaml"
    docker = Result(
        id="docker-service-is-healthy",
        name="docker.service is healthy",
        play="Docker",
        type="unit",
        status=Status.CRITICAL,
        message="docker.service has failed: main process killed by SIGKILL",
        severity="critical",
        findings=(Finding("state", Status.CRITICAL, "healthy", "failed", "docker.service has failed", "failed"),),
        causes=(),
        since=None,  # told in local time by some
        duration_seconds=0.0004,
        tags=("runtime",),
        source=f"{place}:19",
        remedy="journalctl -u docker.service -n 50",
    )
    fine = docker._replace(
        id="containerd-service-is-healthy", name="containerd.service is healthy", status=Status.OK, source=f"{place}:8",
        message="containerd.service is active", findings=(), remedy="",
    )  # fmt: skip
    blocked = docker._replace(
        id="docker-answers", name="Docker answers", type="docker", status=Status.BLOCKED, source=f"{place}:30",
        message=f"not judged: it needs {docker.id}", findings=(), causes=(docker.id,), remedy="",
    )  # fmt: skip
    node = {"hostname": "node01", "machine_id": "4c5f", "boot_id": "9a0b", "groups": ["all", "docker", "systemd"]}
    return Report(
        run_id="0f3c5d", started_at=1763970000.113, duration_seconds=0.14, budget_seconds=30.0, node=node,
        version="0.1.0", files=(place,), digest=lambda: "sha256:5e88", results=(fine, docker, blocked),
    )  # fmt: skip
