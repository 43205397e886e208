"""What is said of a daemon that is asked rung by rung, and of many things that are judged alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.durations import format_duration
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nodecheck.definitions.expectation import Expectation

SHOWN = 5  # things that are named before the rest is counted
ANSWERS, EXPECTED = "answers", "at each rung"


class Rung(NamedTuple):
    """What a daemon does at a rung, and what is said of one that does not; `{}` there is the thing asked for."""

    does: str
    does_not: str
    hint: str = ""


def judge_rungs(called: str, rungs: dict[str, Rung], seen: dict[str, Any], *, remedy: str, about: str = "") -> Finding:
    """Return the finding of how far a daemon answered; `about` is the thing it was asked for last."""
    stopped = seen["stopped"]
    reached = [entry["rung"] for entry in seen["rungs"] if entry["rung"] in rungs]
    if stopped:
        message = f"{called} {_so_far(rungs, reached)}{_stopped(rungs, stopped, about)}"
        observed = f"{stopped['kind']} at {stopped['rung']}"
        return Finding(ANSWERS, Status.CRITICAL, EXPECTED, observed, message, remedy=remedy)
    done = " and ".join(rungs[name].does for name in dict.fromkeys(reached[-2:]))
    message = f"{called} {done} within {format_duration(seconds_taken(seen))}"
    return Finding(ANSWERS, Status.OK, EXPECTED, ", ".join(dict.fromkeys(reached)), message)


def seconds_taken(seen: dict[str, Any]) -> float:
    """Return how long all rungs took together."""
    return float(sum(entry["seconds"] for entry in seen["rungs"]))


def _so_far(rungs: dict[str, Rung], reached: list[str]) -> str:
    return f"{rungs[reached[-1]].does}, but " if reached else ""


def _stopped(rungs: dict[str, Rung], stopped: dict[str, Any], about: str) -> str:
    rung = rungs[stopped["rung"]]
    told = rung.does_not.format(about)
    if stopped["kind"] == "silent":
        hint = f": {rung.hint}" if rung.hint else ""
        return f"{told} within {format_duration(stopped['seconds'])}{hint}"
    return f"{told}: {stopped['detail']}"


def judge_each(
    name: str, expectation: Expectation, seen: Sequence[tuple[str, Any, str]], *, unit: str = ""
) -> Iterator[Finding]:
    """Yield one finding of a property of many things: (thing, what was observed, what else to say of it).

    Yields nothing where there is no such thing.
    """
    if not seen:
        return
    wrong = [(thing, value, note) for thing, value, note in seen if value is None or not expectation.matches(value)]
    observed = ", ".join(dict.fromkeys(_shown(expectation, value) for _, value, _ in wrong or seen))
    if not wrong:
        message = f"{unit or name} of {things([thing for thing, _, _ in seen])} is {observed}"
        yield Finding(name, Status.OK, str(expectation), observed, message)
        return
    told = [
        f"{thing} is {_shown(expectation, value)}{f' ({note})' if note else ''}" for thing, value, note in wrong[:SHOWN]
    ]
    told += [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    message = f"{unit or name} of {'; '.join(told)}, expected {expectation}"
    yield Finding(name, Status.CRITICAL, str(expectation), observed, message)


def _shown(expectation: Expectation, value: Any) -> str:
    return "none" if value is None else str(expectation.show(value))


def things(names: Sequence[str], separator: str = ", ") -> str:
    """Name some things, and count those that are too many to name."""
    shown = separator.join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def counted(count: int, thing: str) -> str:
    """Say how many things there are: `is no pod`, `is 1 pod`, `are 2 pods`."""
    return f"are {count} {thing}s" if count > 1 else f"is {count or 'no'} {thing}"


def path_mistakes(argument: str, path: str | None) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with the path of a socket or a folder."""
    if path is not None and not path.removeprefix("unix://").startswith("/"):
        yield argument, f"{path!r} is no path: it does not begin with /", ""


def why_no_pattern(text: str | None) -> str:
    """Return what is wrong with a selector that is a name or /a regular expression/, "" where nothing is."""
    from nodecheck.definitions.expectation import Text

    try:
        Text(text or "any")
    except ValueError as error:
        return str(error)
    return ""
