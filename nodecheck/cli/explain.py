"""nodecheck explain: what a check type takes. All of it comes from the type's dataclass."""

from __future__ import annotations

import dataclasses
import sys
import textwrap
from typing import TYPE_CHECKING

from nodecheck import checks
from nodecheck.checks.base import kind_of
from nodecheck.definitions.errors import DefinitionError, Mistake, did_you_mean
from nodecheck.definitions.expectation import Expectation
from nodecheck.report.style import Style

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from typing import Any

    from nodecheck.checks.base import Check


def command(arguments: Namespace) -> int:
    """Print one check type, or a line for each."""
    if not arguments.type:
        print("\n".join(_overview()))
        return 0
    kind = checks.load(arguments.type)
    if kind is None:
        hint = did_you_mean(arguments.type, checks.names())
        raise DefinitionError([Mistake(None, f"there is no check type {arguments.type!r}", hint)])
    page = markdown if arguments.markdown else _text
    print("\n".join(page(arguments.type, kind)))
    return 0


def _overview() -> Iterator[str]:
    for name in checks.names():
        kind = checks.load(name)
        if kind:
            yield f"{name:<10} {_summary(kind)}"
    yield ""
    yield "nodecheck explain TYPE tells more"


def _summary(kind: type[Check]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _text(name: str, kind: type[Check]) -> Iterator[str]:
    width = Style.of(sys.stdout).width
    yield f"{name}: {_summary(kind)}"
    yield ""
    yield "ARGUMENTS"
    for argument, field in kind.arguments().items():
        yield f"  {argument}  ({takes(field)}; {default(field)})"
        yield textwrap.fill(field.metadata["help"], width, initial_indent="      ", subsequent_indent="      ")
    yield ""
    yield "EXAMPLE"
    yield textwrap.indent(kind.EXAMPLE.rstrip(), "  ")
    if kind.RULES:
        yield ""
        yield "RULES of state: healthy; the first that fits decides"
    for rule in kind.RULES:
        yield f"  {rule.name} -> {rule.status}: {rule.when}"
        yield textwrap.fill(rule.meaning, width, initial_indent="      ", subsequent_indent="      ")


def markdown(name: str, kind: type[Check]) -> Iterator[str]:
    """Yield the lines of the page that lies beside a check type."""
    yield f"# {name}"
    yield ""
    yield _summary(kind)
    yield ""
    yield "## Arguments"
    yield ""
    yield "| argument | takes | default | |"
    yield "| --- | --- | --- | --- |"
    for argument, field in kind.arguments().items():
        cells = (f"`{argument}`", takes(field), default(field).removeprefix("default "), field.metadata["help"])
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""
    yield "## Example"
    yield ""
    yield f"```yaml\n{kind.EXAMPLE.rstrip()}\n```"
    if kind.RULES:
        yield ""
        yield "## Rules of `state: healthy`"
        yield ""
        yield "The first rule that fits decides; its name stands in the finding."
        yield ""
        yield "| rule | status | when | meaning |"
        yield "| --- | --- | --- | --- |"
    for rule in kind.RULES:
        yield f"| {rule.name} | {rule.status} | {rule.when} | {rule.meaning} |"


def takes(field: dataclasses.Field[Any]) -> str:
    """Say in words what an argument takes."""
    metadata = field.metadata
    if metadata["choices"]:
        return " or ".join(map(str, metadata["choices"]))
    words = kind_of(field).words
    if metadata["minimum"] is not None and metadata["maximum"] is not None:
        return f"{words} from {metadata['minimum']} to {metadata['maximum']}"
    return words


def default(field: dataclasses.Field[Any]) -> str:
    """Say in words what holds when an argument is left out."""
    if field.default is dataclasses.MISSING:
        return "required"
    if field.default is None:
        return "not judged" if _is_judged(field) else "optional"
    shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"default {shown}"


def _is_judged(field: dataclasses.Field[Any]) -> bool:
    kind = kind_of(field).read
    return isinstance(kind, type) and issubclass(kind, Expectation)
