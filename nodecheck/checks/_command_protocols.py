"""What the plugins of other monitoring systems say, by their protocols: Nagios' and Checkmk's local checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nodecheck.report.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://nagios-plugins.org/doc/guidelines.html: 'label'=value[UOM];[warn];[crit];[min];[max]
PERFDATA = re.compile(r"(?:'((?:[^']|'')+)'|([^\s='|]+))=([-+]?[0-9.,]+(?:[eE][-+]?[0-9]+)?|U)([^\s;]*)((?:;[^\s;]*)*)")
# https://docs.checkmk.com/latest/en/localchecks.html: STATUS "NAME" VALUES TEXT
LOCAL_LINE = re.compile(r"(?:cached\([0-9]+,[0-9]+\)\s+)?([0-3P])\s+(?:\"([^\"]+)\"|(\S+))\s+(\S+)(?:\s+(.*))?")
STATUSES = {0: Status.OK, 1: Status.WARNING, 2: Status.CRITICAL, 3: Status.UNKNOWN}
WORST_FIRST = (Status.CRITICAL, Status.UNKNOWN, Status.WARNING, Status.OK)


class Measure(NamedTuple):
    """A number that a plugin tells, with its unit; None where the plugin could not tell it itself."""

    label: str
    value: float | None
    unit: str
    levels: tuple[str, ...]  # warn, crit, min, max, as far as they were told

    @property
    def shown(self) -> str | None:
        """As a person writes it."""
        return None if self.value is None else f"{self.value:.15g}{self.unit}"


class Local(NamedTuple):
    """One line of a local check: the status, what it is about, and what it says."""

    status: Status
    name: str
    text: str


def measures(output: str) -> Iterator[Measure]:
    """Yield what stands behind the | of the first line, and behind a second one to the end, of a Nagios plugin."""
    first, _, rest = output.partition("\n")
    for part in (first.partition("|")[2], rest.partition("|")[2]):
        yield from map(_measure, PERFDATA.finditer(part))


def _measure(found: re.Match[str]) -> Measure:
    label = found[1].replace("''", "'") if found[1] else found[2]
    return Measure(label, _number(found[3]), found[4], tuple(found[5].split(";")[1:]))


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:  # U: the plugin does not know
        return None


def local_lines(output: str) -> Iterator[Local | str]:
    """Yield each line of a local check; as a text where it is none."""
    for line in filter(None, map(str.strip, output.splitlines())):
        found = LOCAL_LINE.fullmatch(line)
        if not line.startswith("<<<"):
            yield _local(found) if found else line


def _local(found: re.Match[str]) -> Local:
    text = (found[5] or "").replace("\\n", "; ")
    values = [] if found[4] == "-" else list(measures(f"|{found[4].replace('|', ' ')}"))
    status = _by_levels(values) if found[1] == "P" else STATUSES[int(found[1])]
    return Local(status, found[2] or found[3], text or ", ".join(f"{value.label} {value.shown}" for value in values))


def _by_levels(values: list[Measure]) -> Status:
    """P leaves it to whoever reads: the worst of all values decides."""
    statuses = {_level(value) for value in values} or {Status.UNKNOWN}
    return next(status for status in WORST_FIRST if status in statuses)


def _level(value: Measure) -> Status:
    warn, crit = (*value.levels, "", "")[:2]
    try:
        if _beyond(value.value, crit):
            return Status.CRITICAL
        return Status.WARNING if _beyond(value.value, warn) else Status.OK
    except ValueError:
        return Status.UNKNOWN


def _beyond(value: float | None, level: str) -> bool:
    """Tell whether a value has reached its upper level, or lies below the lower one: UPPER or LOWER:UPPER."""
    if value is None:
        raise ValueError("no value")
    lower, _, upper = level.rpartition(":")
    return (bool(lower) and value < float(lower)) or (bool(upper) and value >= float(upper))
