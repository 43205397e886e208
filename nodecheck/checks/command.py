"""Commands: what a program of the definition's author says, by its exit code, its output, or a plugin's protocol."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks._command_protocols import STATUSES, Local, local_lines, measures
from nodecheck.checks.base import Check, Words, arg
from nodecheck.durations import format_duration
from nodecheck.node.unobserved import MASK
from nodecheck.node.windows.command import CommandWant
from nodecheck.patterns import later
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Number, Text
    from nodecheck.node.node import Node, Want

MOST_SHOWN = 200  # characters of what a command said
MOST_LINES = 200  # of a local check; each is a finding
MOST_MEASURES = 50
QUOTED = later(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.""", re.DOTALL)
# sh(1): what stands between commands, and where from and to a command reads and writes.
FOR_THE_SHELL = later(r"\|\|?|&&?|<|[0-9]?>>?(?:&[0-9]|/\S*)?|\S*;")
PROTOCOLS = ("nagios", "checkmk", "npd")
NOT_STARTED_BY_SHELL = {126: "it may not be executed", 127: "there is no such command"}


class Command(Check):
    """A command ends well: by its exit code and output, or by what a Nagios, Checkmk or NPD plugin says."""

    run: Words = arg(
        "The command, as a list of words, or as one text that is split into words as a shell would. It runs without "
        "a shell, input and terminal, with only PATH, LANG and HOME set, and is killed with all its processes after "
        "the check's timeout; 64 KiB of each output are kept. nodecheck changes nothing on the host: see that your "
        "command does not either, since it runs with nodecheck's rights. A command that could not be started, or did "
        "not end in time, is unknown."
    )
    shell: bool = arg("Whether the text of run is for /bin/sh, with pipes and variables.", default=False)
    user: str = arg(
        "User to run it as, with that user's groups; only root may. As nodecheck, when left out.", default=None
    )
    protocol: str = arg(
        "How it tells its verdict. nagios: exit codes 0 to 3 are ok, warning, critical and unknown, the first line is "
        "the message, each number behind the | a finding. checkmk: a local check, each line a finding. npd: 0 is ok, "
        "1 is not, all else unknown. By exit_code, stdout and stderr, when left out.",
        default=None,
        choices=PROTOCOLS,
    )
    exit_code: Number = arg("Exit code it has to end with; 0, when left out.", default=None)
    stdout: Text = arg("What it has to say: all of its output, or one line of it.", default=None)
    stderr: Text = arg("What it has to say on its error output: all of it, or one line.", default=None)

    ACTS: ClassVar[bool] = True
    EXAMPLE: ClassVar[str] = """\
- name: The load is as Debian's plugin wants it
  command:
    run: /usr/lib/nagios/plugins/check_load -r -w 2,2,2 -c 4,4,4
    protocol: nagios
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """A command has words, and one way to tell its verdict."""
        yield from self._mistakes_of_run()
        if self.protocol is not None and self.exit_code is not None:
            yield "exit_code", f"with protocol: {self.protocol} the exit code has its meaning already", ""

    def _mistakes_of_run(self) -> Iterator[tuple[str, str, str]]:
        try:
            words = self._words
        except ValueError as error:
            yield "run", f"this cannot be split into words: {error}", "close the quotation, or write a list of words"
            return
        if self.shell and len(self.run) > 1:
            yield "run", "a command for the shell is one text", "write it as one text, or leave out shell"
        elif not words or not words[0].strip() or "\0" in "".join(words):
            yield "run", "this names no command", ""
        elif not self.shell and "/" in words[0] and not words[0].startswith("/"):
            hint = "write the whole path, or the bare name of something in the usual places"
            yield "run", f"{words[0]} is relative, and a command has no directory to start from", hint

    def suspicions(self) -> Iterator[tuple[str, str, str]]:
        """A pipe that no shell reads is one more word; who quotes it, or writes a list of words, means a word."""
        if self.shell or len(self.run) > 1:
            return
        for word in QUOTED.sub("'", self.run[0]).split():
            if FOR_THE_SHELL.fullmatch(word):
                yield "run", f"{word} is for a shell, and none reads this", "shell: true"
                return

    def wants(self) -> Iterator[Want]:
        """What becomes of the command."""
        yield CommandWant(self._words, self.shell, self.user or "")

    @property
    def _words(self) -> tuple[str, ...]:
        """One text that is not for the shell is split as a shell would."""
        return tuple(self.run) if self.shell or len(self.run) > 1 else tuple(shlex.split(self.run[0]))

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last: started, ended in time, and what it said."""
        want = CommandWant(self._words, self.shell, self.user or "")
        seen = node.look(want)
        if unseen := _why_unseen(seen):
            yield Finding("run", Status.UNKNOWN, "an end", seen["outcome"], f"{want.called} {unseen}{_excerpt(seen)}")
            return
        if seen["stuck"]:
            message = f"{_processes(seen['stuck'])} of {want.called} cannot be ended, and stays"
            yield Finding("run", Status.UNKNOWN, "no process left", seen["stuck"], message)
        if self.protocol == "checkmk":
            yield from _judge_checkmk(want.called, seen)
        elif self.protocol is not None:
            yield from _judge_plugin(self.protocol, want.called, seen)
        else:
            yield self._judge_exit(want.called, seen)
        for name, expected in (("stdout", self.stdout), ("stderr", self.stderr)):
            if expected is not None:
                yield _judge_stream(name, expected, want.called, seen)

    def _judge_exit(self, called: str, seen: dict[str, Any]) -> Finding:
        expected: Any = "0" if self.exit_code is None else str(self.exit_code)
        code, ended_by = seen["exit_code"], seen["signal"]
        as_wanted = code is not None and (code == 0 if self.exit_code is None else self.exit_code.matches(code))
        if as_wanted:
            return Finding("exit_code", Status.OK, expected, code, f"{called} ended with exit code {code}{_left(seen)}")
        if self.shell and code in NOT_STARTED_BY_SHELL:
            why = f"the shell could not start what it names: {NOT_STARTED_BY_SHELL[code]} (exit code {code})"
            return Finding("exit_code", Status.UNKNOWN, expected, code, f"{called}: {why}{_excerpt(seen)}")
        how = f"was ended by {ended_by}" if ended_by else f"ended with exit code {code}"
        message = f"{called} {how}, expected {expected}{_left(seen)}{_excerpt(seen)}"
        return Finding("exit_code", Status.CRITICAL, expected, ended_by or code, message)


def _why_unseen(seen: dict[str, Any]) -> str:
    if seen["outcome"] == "not_started":
        return f"could not be started: {seen['error']}"
    if seen["outcome"] == "timeout":
        return f"did not end within {format_duration(seen['seconds'])} and was killed"
    if seen["outcome"] == "flood":
        size = max(seen[stream]["size"] for stream in ("stdout", "stderr"))
        return f"said more than {size >> 20} MiB and was killed"
    return ""


# ---- plugins


def _judge_plugin(protocol: str, called: str, seen: dict[str, Any]) -> Iterator[Finding]:
    """Yield the verdict of a plugin for Nagios or for node-problem-detector, and the numbers it told."""
    code, output = seen["exit_code"], seen["stdout"]["text"]
    statuses = STATUSES if protocol == "nagios" else {0: Status.OK, 1: Status.CRITICAL}
    line = output.lstrip("\n").partition("\n")[0].partition("|" if protocol == "nagios" else "\n")[0].strip()
    said = _cut(line) or f"{called} said nothing{_excerpt(seen)}"
    if code not in statuses:
        how = f"was ended by {seen['signal']}" if code is None else f"ended with exit code {code}"
        said = f"{called} {how}, which says nothing about the node: {said}"
    status = statuses.get(code, Status.UNKNOWN)
    yield Finding("exit_code", status, 0, seen["signal"] or code, said + _left(seen))
    if protocol == "nagios":
        for measure in [*measures(output)][:MOST_MEASURES]:
            name = f"perfdata.{measure.label}"
            yield Finding(name, Status.OK, None, measure.shown, f"{measure.label} is {measure.shown or 'not known'}")


def _judge_checkmk(called: str, seen: dict[str, Any]) -> Iterator[Finding]:
    """Yield a finding for each line; what is no such line, and what was cut off, could not be judged."""
    lines = [*local_lines(seen["stdout"]["text"])]
    for line in lines[:MOST_LINES]:
        if isinstance(line, Local):
            text = f": {_cut(line.text)}" if line.text else f" is {line.status}"
            yield Finding(line.name, line.status, "ok", str(line.status), f"{line.name}{text}")
        else:
            message = f"{called} said what is no line of a local check: {_cut(line)}"
            yield Finding("stdout", Status.UNKNOWN, "lines of a local check", _cut(line), message)
    if missing := _missing(lines, seen):
        code = seen["signal"] or seen["exit_code"]
        yield Finding("stdout", Status.UNKNOWN, "lines of a local check", code, f"{called} {missing}{_excerpt(seen)}")


def _missing(lines: list[Any], seen: dict[str, Any]) -> str:
    if seen["signal"]:
        return f"was ended by {seen['signal']}: what it had still to say is not known"
    if not lines:
        return f"said nothing, and ended with exit code {seen['exit_code']}"
    if len(lines) > MOST_LINES or not seen["stdout"]["whole"]:
        return f"said more than is judged: {len(lines)} lines were kept, {MOST_LINES} are judged"
    return ""


# ---- output


def _judge_stream(name: str, expected: Text, called: str, seen: dict[str, Any]) -> Finding:
    """Where a part was left out or masked, that part could be what is looked for, or what must not be there."""
    stream = seen[name]
    text = stream["text"].strip()
    shown = _cut(text)
    heading = f"{name} of {called}"
    if not stream["whole"] or MASK in text:
        why = "holds a secret, which was masked" if stream["whole"] else f"has {stream['size']} bytes, too many to keep"
        return Finding(name, Status.UNKNOWN, str(expected), shown, f"{heading} {why}: it cannot be judged")
    lines = text.splitlines()
    if expected.matches((text, *lines, *map(str.rstrip, lines))):  # tables have blanks at the ends of lines
        return Finding(name, Status.OK, str(expected), shown, f"{heading} is {_quoted(shown)}")
    return Finding(name, Status.CRITICAL, str(expected), shown, f"{heading} is {_quoted(shown)}, expected {expected}")


def _excerpt(seen: dict[str, Any]) -> str:
    """What it said, of its errors first, in a few words."""
    text = seen["stderr"]["text"].strip() or seen["stdout"]["text"].strip()
    return f'; it said "{_cut(text)}"' if text else ""


def _cut(text: str) -> str:
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 2 * MOST_SHOWN]).split())
    return plain if len(plain) <= MOST_SHOWN else f"{plain[:MOST_SHOWN]}..."


def _quoted(text: str) -> str:
    return f'"{text}"' if not text or " " in text else text


def _left(seen: dict[str, Any]) -> str:
    left = seen["left"]
    return f"; it left {_processes(left)} behind, which {'was' if left == 1 else 'were'} killed" if left else ""


def _processes(count: int) -> str:
    return f"{count} process{'es' if count > 1 else ''}"
