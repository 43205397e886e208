"""The journal: entries that must not be there, or have to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks._journal_sets import KERNEL, SETS
from nodecheck.checks.base import Check, Words, arg
from nodecheck.durations import format_duration, parse_duration
from nodecheck.node.node import CounterWant
from nodecheck.node.windows.journal import JournalWant, Pattern
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Number, Regex
    from nodecheck.node.node import Node, Want

PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
MANY_MORE = (*range(200), 10**6, 10**9)  # what a count that may be higher is tried with
EVERY_RUN = 0.0  # seconds within which a sample tells nothing new: statefile.py keeps each, and the latest older one
CLOCK_STEP = 5e-7  # journald tells microseconds
MOST_SHOWN = 150  # characters of a message


class Journal(Check):
    """Entries of this boot in the journal: none that match, or as many as wanted."""

    unit: str = arg("Unit whose entries count, and systemd's about it; may be a pattern such as docker*.", default=None)
    identifier: str = arg("Name that the entries carry, such as sshd: the syslog identifier.", default=None)
    priority: str = arg("Only entries of this priority, or a worse one.", default=None, choices=PRIORITIES)
    pattern: Regex = arg("Regular expression that has to be found in the message.", default=None)
    kernel: bool = arg("Whether only messages of the kernel count.", default=False)
    set: Words = arg(
        "Named patterns, most of node-problem-detector, with where they come from, each counted by itself: "
        f"{', '.join(SETS)}.",
        default=None,
    )
    since: str = arg(
        "How far to look back, in this boot. Each run looks anew: what was written is told until that time has passed.",
        default="1h",
    )
    new: bool = arg(
        "Whether only entries count that came since the last run looked, so that none counts twice: the place in the "
        "journal is remembered (--state), by runs by hand, too. Where none is, all within `since` count.",
        default=False,
    )
    count: Number = arg("Entries that match; 0, when left out.", default=None)

    EXAMPLE: ClassVar[str] = """\
- name: The kernel killed nothing for want of memory
  journal: {set: oom_killing}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """Something has to be chosen, and a set chooses by itself."""
        chosen = [self.unit, self.identifier, self.pattern, self.kernel or None]
        if self.set is not None:
            for name in self.set:
                if name not in SETS:
                    yield "set", f"there is no set {name!r}", f"one of {', '.join(SETS)}"
            if any(choice is not None for choice in chosen):
                yield "set", "a set has its own pattern and source", "make two checks"
        elif self.priority is None and all(choice is None for choice in chosen):
            yield "count", "nothing is said of the entries that are to be counted", "give a unit, a pattern or a set"
        if self.kernel and (self.unit is not None or self.identifier is not None):
            yield "kernel", "messages of the kernel have no unit, and kernel as their identifier", ""
        yield from self._mistakes_of_since()

    def _mistakes_of_since(self) -> Iterator[tuple[str, str, str]]:
        try:
            if parse_duration(self.since) <= 0:
                yield "since", "in no time nothing is written", 'such as "10m"'
        except ValueError as error:
            yield "since", str(error), ""

    def wants(self) -> Iterator[Want]:
        """The entries, and where the last run has ended."""
        yield self._want
        if self.new:
            yield self._place

    def counters(self, node: Node) -> Iterator[tuple[CounterWant, float]]:
        """Where the next run begins: the time at which journald took the newest entry.

        What is newest and yet later than now came before the clock was set back: what comes from now on is earlier.
        """
        newest = node.look(self._want)["newest"] if self.new else None
        if newest is not None:
            yield self._place, min(newest, node.observed.clocks["realtime"])

    @property
    def _place(self) -> CounterWant:
        """Of each run, for entries since the one before it count: a sample of every so often would be too old."""
        return CounterWant(f"place in the journal: {self._want.key}", EVERY_RUN)

    @property
    def _want(self) -> JournalWant:
        given = {"--unit": self.unit, "--identifier": self.identifier, "--priority": self.priority}
        options = [f"{option}={value}" for option, value in given.items() if value is not None]
        if self.set is not None:
            patterns = [SETS[name] for name in self.set]
        else:
            patterns = [Pattern("", KERNEL if self.kernel else "", self.pattern or "")]
        return JournalWant(tuple(options), tuple(patterns), parse_duration(self.since), self.new)

    def judge(self, node: Node) -> Iterator[Finding]:
        """What was found is a fact; that nothing was found is one only where all of the journal could be read."""
        seen = self._seen(node)
        unsure = [name for name, found in seen["found"].items() if self._is_open(found["count"], seen["gap"])]
        for name, found in seen["found"].items():
            if name not in unsure:
                yield self._judge_count(name, found, node)
        if unsure:
            of = f"{', '.join(unsure)}: " if any(unsure) else ""
            message = f"{of}not all entries{self._where} within {self.since} could be counted: {seen['gap']}"
            yield Finding("count", Status.UNKNOWN, self._expected, None, message)

    def _seen(self, node: Node) -> dict[str, Any]:
        """Return what was looked at, of that only what is new where an earlier run has looked.

        Where that was later than it is now, the clock was set back, and what came since has earlier times: all counts.
        """
        seen: dict[str, Any] = node.look(self._want)
        now = node.observed.clocks["realtime"]
        places = node.samples(self._place.name) if self.new else []
        if not places or places[-1].value > now:
            return seen
        found = {}
        for name, each in seen["found"].items():
            count = sum(places[-1].value + CLOCK_STEP < time <= now for time in each["times"])
            found[name] = each | {"count": count}
        return seen | {"found": found}

    @property
    def _expected(self) -> str:
        return "0" if self.count is None else str(self.count)

    @property
    def _where(self) -> str:
        return f" of {self.unit or self.identifier}" if self.unit or self.identifier else ""

    def _is_open(self, count: int, gap: str) -> bool:
        """Tell whether entries that could not be read may change the verdict."""
        return bool(gap) and len({self._is_wanted(count + more) for more in MANY_MORE}) > 1

    def _judge_count(self, name: str, found: dict[str, Any], node: Node) -> Finding:
        count, message = found["count"], self._message(name, found, node)
        if self._is_wanted(count):
            return Finding("count", Status.OK, self._expected, count, message)
        wanted = "" if self._expected == "0" else f", expected {self._expected}"
        return Finding("count", Status.CRITICAL, self._expected, count, f"{message}{wanted}", since=found["last"])

    def _is_wanted(self, count: int) -> bool:
        return count == 0 if self.count is None else self.count.matches(count)

    def _message(self, name: str, found: dict[str, Any], node: Node) -> str:
        count = found["count"]
        what = f"{name}: " if name else ""
        when = f"{'since the last run, ' if self.new else ''}within {self.since}"
        entries = f"{count or 'no'} {'entry' if count == 1 else 'entries'}{self._where} {when}"
        if not count:
            return f"{what}{entries}"
        ago = format_duration(max(node.observed.clocks["realtime"] - found["last"], 0.0))
        text = " ".join(found["message"].split())
        cut = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."
        return f'{what}{entries}, the latest {ago} ago by {found["by"]}: "{cut}"'
