"""What is legal in definitions and surely not meant: what `nodecheck lint` warns of."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from nodecheck.definitions import hosts
from nodecheck.definitions.errors import Mark, did_you_mean
from nodecheck.definitions.expectation import Expectation, Regex
from nodecheck.definitions.needs import Known
from nodecheck.definitions.scope import Pending
from nodecheck.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nodecheck.definitions.check import CheckDefinition
    from nodecheck.definitions.play import Play
    from nodecheck.definitions.searchpath import Source
    from nodecheck.definitions.yamlfile import Value

SELECTORS = ("all", "tagged", "untagged")


class Suspicion(NamedTuple):
    """Something to look at: the rule that found it, where, what, and what to do."""

    rule: str
    mark: Mark
    message: str
    hint: str


class Context(NamedTuple):
    """What the rules know: all plays and files, the groups that a node can have, and a run's budget in seconds."""

    plays: list[Play]
    groups: frozenset[str]
    budget: float
    sources: tuple[Source, ...] = ()


def find(context: Context) -> list[Suspicion]:
    """Return all suspicions, each once, in the order of the files."""
    found = (suspicion for rule in RULES.values() for suspicion in rule(context))
    return sorted(dict.fromkeys(found), key=lambda suspicion: suspicion.mark)


def _checks(context: Context) -> Iterator[tuple[Play, CheckDefinition]]:
    return ((play, check) for play in context.plays for check in play.checks)


# ---- expectations


def expectation(context: Context) -> Iterator[Suspicion]:
    """An expectation that nothing can break, or nothing can meet, or that looks like another kind of pattern."""
    for _, check in _checks(context):
        for built, written in ((check.check, _arguments(check)), (check.milder, _warn(check))):
            for argument, value in written.items() if built else ():
                yield from _of_argument(argument, getattr(built, argument), value)


def _arguments(check: CheckDefinition) -> dict[str, Value]:
    data = check.written.arguments.data if check.written else None
    return data if isinstance(data, dict) else {}


def _warn(check: CheckDefinition) -> dict[str, Value]:
    return check.written.warn.data if check.written and check.written.warn else {}


def _of_argument(name: str, expected: object, value: Value) -> Iterator[Suspicion]:
    if isinstance(expected, Expectation):
        if not expected.can_fail():
            message, hint = f"{name}: {expected} is always so, and can never fail", "a bound that something can break"
            yield Suspicion("expectation", value.mark, message, hint)
        elif not expected.can_hold():
            message, hint = f"{name}: {expected} is never so, and always fails", "a bound that something can keep"
            yield Suspicion("expectation", value.mark, message, hint)
    if isinstance(expected, Expectation | Regex):
        for doubt in expected.suspicions():
            yield Suspicion("expectation", value.mark, f"{name}: {doubt}", "")


def argument(context: Context) -> Iterator[Suspicion]:
    """Arguments that their own check type takes for a slip."""
    for _, check in _checks(context):
        for name, message, hint in check.check.suspicions() if check.check else ():
            value = _arguments(check).get(name)
            yield Suspicion("argument", value.mark if value else check.mark, f"{name}: {message}", hint)


# ---- what is chosen by


def tag(context: Context) -> Iterator[Suspicion]:
    """A tag that no -t can choose by, or that was meant to be several."""
    for _, check in _checks(context):
        for name in sorted(check.tags.intersection(SELECTORS)):
            message = f"the tag {name!r} cannot be selected: -t {name} means other checks"
            yield Suspicion("tag", check.mark, message, "name it otherwise")
        for name in sorted(tag for tag in check.tags if " " in tag):
            yield Suspicion(
                "tag", check.mark, f"{name!r} is one tag", f"several are a list: [{', '.join(name.split())}]"
            )


def group(context: Context) -> Iterator[Suspicion]:
    """A host pattern with a group that no node has."""
    for play in context.plays:
        for term in hosts.terms(play.hosts):
            name = term.lstrip("&!")
            if not any(hosts.matches(name, {known}) for known in context.groups):
                hint = did_you_mean(name, context.groups)
                if " and " in name or " or " in name:
                    hint = "a:&b is both, a:b is either"
                message = f"no group is called {name!r}; own ones stand in /etc/nodecheck/nodecheck.yaml"
                yield Suspicion("group", play.hosts_mark or play.mark, message, hint)


def need(context: Context) -> Iterator[Suspicion]:
    """A need of a check that is not there on some of the hosts of the one that needs it."""
    known = Known(context.plays)
    patterns = {check.id: play.hosts for play, check in _checks(context)}
    for play, check in _checks(context):
        for name, mark in zip(check.needs, check.needs_marks, strict=True):
            others = {patterns[other] for other in known.named(name)}
            for other in sorted(pattern for pattern in others if not hosts.implies(play.hosts, pattern)):
                message = f"{name!r} is for hosts {other} only: on others of {play.hosts} this need is ignored"
                yield Suspicion("need", mark, message, "need a tag: that means whatever has it on this node")


# ---- single checks


def waiver(context: Context) -> Iterator[Suspicion]:
    """A waiver past its date."""
    today = time.strftime("%Y-%m-%d")
    for _, check in _checks(context):
        if check.waiver and check.waiver.until < today:
            message = f"this waiver ended on {check.waiver.until}: {check.waiver.reason}"
            yield Suspicion("waiver", check.waiver.mark, message, "take it out, or give it a new date")


def name(context: Context) -> Iterator[Suspicion]:
    """A name that two checks have, so that nobody can tell them apart in a report."""
    first: dict[str, CheckDefinition] = {}
    for _, check in _checks(context):
        other = first.setdefault(check.name, check)
        if other is not check:
            message = f"a second check is named {check.name!r}, with another id"
            yield Suspicion("name", check.mark, message, f"the first is at {other.mark}")


def register(context: Context) -> Iterator[Suspicion]:
    """A result that hides a variable of the same name."""
    for _, check in _checks(context):
        hidden = check.written.names.get(check.register) if check.written and check.register else None
        if hidden is not None and not isinstance(hidden, Pending):
            message = f"register: {check.register} hides the variable of that name in all later checks"
            yield Suspicion("register", check.mark, message, "name one of them otherwise")


def retry(context: Context) -> Iterator[Suspicion]:
    """Retries that a run has no time for."""
    for _, check in _checks(context):
        waits = check.retries * check.delay
        if waits > context.budget:
            message = f"{check.retries} retries every {format_duration(check.delay)} take {format_duration(waits)}"
            budget = format_duration(context.budget)
            yield Suspicion(
                "retry", check.mark, f"{message}, and a run ends after {budget}", "fewer, or a longer budget"
            )


def mask(context: Context) -> Iterator[Suspicion]:
    """A link to /dev/null that masks nothing."""
    for source in context.sources:
        if source.masked and not source.replaces:
            message = f"{os.path.basename(source.path)} is masked, and there is no other file of this name"
            yield Suspicion("mask", Mark(source.path, 1, 1), message, "nodecheck list --where shows the names")


RULES: dict[str, Callable[[Context], Iterator[Suspicion]]] = {
    rule.__name__: rule for rule in (expectation, argument, tag, group, need, waiver, name, register, retry, mask)
}
