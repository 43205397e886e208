"""The entry point: start what takes longest, then hand over to a command."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, NoReturn

OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)
JUDGING = ("run", "lint", "test")  # their exit codes are verdicts: what nobody judged to the end is no success
# What a node can have run out of, so that we cannot even look.
SHORTAGES = {
    errno.EMFILE: "too many files are open in this process (ulimit -n)",
    errno.ENFILE: "too many files are open on this host (/proc/sys/fs/file-nr)",
    errno.EAGAIN: "no process can be started any more (ulimit -u, pids.max of the control group, kernel.pid_max)",
    errno.ENOMEM: "there is no memory left",
}

if TYPE_CHECKING:
    from nodecheck.node.groups import Look
    from nodecheck.node.systemd import Collector


class Helpers(NamedTuple):
    """What looks at this node while we read the definitions."""

    collector: Collector | None = None
    groups: Look | None = None


def main() -> NoReturn:
    """Run the command line, and end with its exit code."""
    started = time.monotonic()
    gc.disable()  # a run is over before there is anything worth collecting
    try:
        _prepare_streams()
        if sys.argv[1:2] == ["run"]:
            from nodecheck.cli import guard

            guard.enter()
        exit_code = _with_helpers(started)
    except KeyboardInterrupt:
        exit_code = _ended(128 + signal.SIGINT, "interrupted")
    except SystemExit as ended:  # what argparse says of a wrong command line
        exit_code = ended.code if isinstance(ended.code, int) else 0
    except Exception as error:  # noqa: BLE001  # Python would end with 1, and that means warning
        lacking = _lacking(error)
        exit_code = _ended(3, f"cannot go on: {lacking}") if lacking else _own_error()
    _exit(exit_code)


def _with_helpers(started: float) -> int:
    helpers = _start_helpers(sys.argv[1:])
    try:
        return _dispatch(helpers, started)
    finally:
        if helpers.collector:
            helpers.collector.leave()


def _prepare_streams() -> None:
    """A closed stream, or one of an odd encoding, must not stop a report half way."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # it was closed; nothing else may get its number, for helpers close these three
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # for the rest of the program
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _exit(exit_code: int) -> NoReturn:
    """End at once: taking the interpreter apart takes longer than judging a node."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # whoever read our output has seen enough
    except OSError as error:
        exit_code = _unwritable(error)
    with suppress(OSError):  # the verdict is the same, whoever hears what else there is to say
        sys.stderr.flush()
    os._exit(exit_code)


def _unwritable(error: OSError) -> int:
    """A full disk is what a node has when it is looked at."""
    return _ended(3, f"standard output cannot be written: {error.strerror}")


def _start_helpers(arguments: list[str]) -> Helpers:
    """Fork the process that asks systemd first of all: it imports gi while we read the definitions."""
    if arguments[:1] != ["run"] or {"-h", "--help"} & set(arguments):
        return Helpers()
    if any(argument.startswith("--r") for argument in arguments):  # --replay, or a part of the word
        return Helpers()
    from nodecheck.node import groups, systemd

    return Helpers(systemd.Collector() if systemd.booted_with_systemd() else None, groups.look())


def _dispatch(helpers: Helpers, started: float) -> int:
    from nodecheck.cli.parser import make_parser
    from nodecheck.definitions.errors import DefinitionError
    from nodecheck.report.formats import BadOutput
    from nodecheck.report.result import EXIT_UNUSABLE

    arguments = make_parser().parse_args()
    command = importlib.import_module(f"nodecheck.cli.{arguments.command}").command
    try:
        exit_code: int = command(arguments, helpers, started) if arguments.command == "run" else command(arguments)
    except DefinitionError as error:
        so = ", nothing was checked" if arguments.command == "run" else ""
        _say(f"{error}\nnodecheck: {_count(len(error.mistakes))}{so}")
        return EXIT_UNUSABLE
    except BadOutput as error:
        _say(f"nodecheck: {error}")
        return EXIT_UNUSABLE
    except BrokenPipeError:  # whoever read our output has seen enough
        return EXIT_UNUSABLE if arguments.command in JUDGING else 0
    except OSError as error:
        if error.errno not in OUTPUT_ERRORS:
            raise
        return _unwritable(error)
    return exit_code


def _ended(exit_code: int, why: str) -> int:
    """Say it by a system call: whatever else it takes may be lacking, too."""
    with suppress(OSError):
        os.write(2, f"nodecheck: {why}\n".encode())
    return exit_code


def _lacking(error: Exception) -> str:
    """Return what this node or this process lacks to go on, "" where the error is ours."""
    if isinstance(error, FileNotFoundError) and not _has_working_directory():
        return "the directory that it was called in was removed; cd to another one, or name all files from /"
    number = errno.ENOMEM if isinstance(error, MemoryError) else getattr(error, "errno", None)
    return SHORTAGES.get(number or 0, "")


def _has_working_directory() -> bool:
    try:
        return bool(os.getcwd())
    except FileNotFoundError:
        return False


def _say(text: str) -> None:
    """A standard error that takes nothing, such as a file on a full disk, must not make it another exit code."""
    with suppress(OSError):
        print(text, file=sys.stderr)


def _own_error() -> int:
    """Say that this is our fault; the traceback is for the report of it."""
    import traceback

    from nodecheck.report.result import EXIT_UNUSABLE

    _say(traceback.format_exc().rstrip("\n"))
    _say("nodecheck: an error in nodecheck itself, nothing was judged; please report the lines above")
    return EXIT_UNUSABLE


def _count(mistakes: int) -> str:
    return "1 mistake" if mistakes == 1 else f"{mistakes} mistakes"


if __name__ == "__main__":
    main()
