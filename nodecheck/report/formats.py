"""The output formats: report/<format>.py has a function render(report, style) -> str. The file's name is the format."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, NamedTuple

from nodecheck.report.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable

    from nodecheck.report.result import Report

HELPERS = frozenset({"__init__", "formats", "result", "style"})


class BadOutput(Exception):
    """An output that does not exist, or cannot be written."""


class Output(NamedTuple):
    """A format, and where it goes: "-" is standard output."""

    render: Callable[[Report, Style], str]
    file: str


def names() -> list[str]:
    """Return the names of all formats."""
    files = (os.path.splitext(file) for file in os.listdir(os.path.dirname(__file__)))
    return sorted(name for name, suffix in files if suffix == ".py" and name not in HELPERS)


def parse(options: list[str]) -> list[Output]:
    """Read FORMAT[=FILE] each. Raises BadOutput."""
    outputs = [_parse(option) for option in options]
    if sum(output.file == "-" for output in outputs) > 1:
        raise BadOutput("two outputs go to standard output: give one a file, such as -o json=report.json")
    return outputs


def _parse(option: str) -> Output:
    name, _, file = option.partition("=")
    if name not in names():
        raise BadOutput(f"there is no output format {name!r}; known: {', '.join(names())}")
    module = importlib.import_module(f"nodecheck.report.{name}")
    return Output(module.render, file or "-")


def write(output: Output, report: Report, style: Style) -> None:
    """Write a report to a file: whole or not at all. Raises BadOutput."""
    partial = f"{output.file}.{os.getpid()}"
    try:
        with open(partial, "w", encoding="utf-8") as file:
            file.write(output.render(report, style))
        os.replace(partial, output.file)
    except OSError as error:
        raise BadOutput(f"{output.file} cannot be written: {error.strerror}") from error
