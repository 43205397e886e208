"""The output formats: report/<format>.py has a function render(report, style) -> str. The file's name is the format.

It also has EXAMPLE, how one asks for it, and MODE where its file is for other users, too. A format is imported only
when it is asked for.
"""

from __future__ import annotations

import importlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from nodecheck.progress import about_to
from nodecheck.report.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable

    from nodecheck.report.result import Report

HELPERS = frozenset({"__init__", "formats", "htmlstyle", "result", "schema", "style"})
DEVICES = ("/dev/", "/proc/")


class BadOutput(Exception):
    """An output that does not exist, or cannot be written."""


class Output(NamedTuple):
    """A format, and where it goes: "-" is standard output.

    `mode` is that of the file; the umask's where it is None. `shows_history`: it draws what is remembered.
    """

    render: Callable[[Report, Style], str]
    file: str
    mode: int | None = None
    shows_history: bool = False


def names() -> list[str]:
    """Return the names of all formats."""
    files = (os.path.splitext(file) for file in os.listdir(os.path.dirname(__file__)))
    return sorted(name for name, suffix in files if suffix == ".py" and name not in HELPERS)


def parse(options: list[str]) -> list[Output]:
    """Read FORMAT[=FILE] each. Raises BadOutput."""
    outputs = [_parse(option) for option in options]
    files = [output.file for output in outputs if output.file != "-"]
    if len(outputs) - len(files) > 1:
        raise BadOutput("two outputs go to standard output: give one a file, such as -o json=report.json")
    places = [os.path.abspath(file) for file in files]
    for file, place in zip(files, places, strict=True):
        if places.count(place) > 1:
            raise BadOutput(f"two outputs go to {file}: the second would replace the first")
    return outputs


def _parse(option: str) -> Output:
    name, equals, file = option.partition("=")
    if name not in names():
        raise BadOutput(f"there is no output format {name!r}; known: {', '.join(names())}")
    if equals and not file:
        raise BadOutput(f"-o {option} names no file: write -o {name}=report.{name}, or -o {name} for standard output")
    module = importlib.import_module(f"nodecheck.report.{name}")
    return Output(module.render, file or "-", getattr(module, "MODE", None), getattr(module, "SHOWS_HISTORY", False))


def write(output: Output, report: Report, style: Style) -> None:
    """Write a report to a file: whole or not at all. Raises BadOutput."""
    text = output.render(report, style)
    try:
        _write(output.file, text, output.mode)
    except OSError as error:
        raise BadOutput(f"{output.file} cannot be written: {error.strerror}") from error


def _write(path: str, text: str, mode: int | None) -> None:
    """A device or a pipe is written to, never replaced: /dev/stdout must stay what it is."""
    about_to(f"write {path}")
    if path.startswith(DEVICES) or (os.path.exists(path) and not os.path.isfile(path)):
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as device:
            device.write(text)
        return
    path = os.path.realpath(path)
    # "x": in a directory that others may write to, a link that waits there is not followed.
    partial = f"{path}.{os.urandom(4).hex()}"
    with open(partial, "x", encoding="utf-8", errors="backslashreplace") as file:
        try:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            os.replace(partial, path)
        except OSError:
            with suppress(OSError):
                os.unlink(partial)
            raise
