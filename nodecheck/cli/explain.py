"""nodecheck explain: what a check type takes, from its arguments; and topics, from tables in the code."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from nodecheck import checks
from nodecheck.checks.base import REQUIRED, kind_of
from nodecheck.cli.explain_language import of_keyword
from nodecheck.cli.markdown import as_text, table
from nodecheck.cli.topics import TOPICS
from nodecheck.definitions.errors import DefinitionError, Mistake, closest, did_you_mean
from nodecheck.definitions.expectation import Expectation
from nodecheck.definitions.keywords import KEYWORDS
from nodecheck.report.style import Style

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from nodecheck.checks.base import Argument, Check

ALL_KEYWORDS = frozenset(keyword.name for keyword in KEYWORDS)


def command(arguments: Namespace) -> int:
    """Print one check type, topic or pack, or a line for each."""
    print("\n".join(_asked_for(arguments)))
    return 0


def _asked_for(arguments: Namespace) -> Iterator[str]:
    if arguments.pack is not None:
        from nodecheck.cli.explain_pack import pages

        return _shown(pages(arguments.pack, arguments.checks), markdown_wanted=arguments.markdown)
    return _page(arguments.type, markdown_wanted=arguments.markdown) if arguments.type else _overview()


def _shown(page: Iterator[str], *, markdown_wanted: bool) -> Iterator[str]:
    return page if markdown_wanted else as_text(page, Style.of(sys.stdout).width)


def _page(name: str, *, markdown_wanted: bool) -> Iterator[str]:
    if name in TOPICS:
        return _shown(TOPICS[name].page(), markdown_wanted=markdown_wanted)
    if name in ALL_KEYWORDS:
        return _shown(of_keyword(name), markdown_wanted=markdown_wanted)
    kind = checks.type_named(name)
    if kind is None:
        pages = [*checks.names(), *TOPICS]
        near = closest(name, pages) or closest(name, ALL_KEYWORDS)
        hint = f"did you mean {near}?" if near else did_you_mean(name, pages)
        raise DefinitionError([Mistake(None, f"there is no check type and no topic {name!r}", hint)])
    return markdown(name, kind) if markdown_wanted else _text(name, kind)


def _overview() -> Iterator[str]:
    width = max(map(len, [*checks.names(), *TOPICS]))
    for name in checks.names():
        kind = checks.type_named(name)
        if kind:
            yield f"{name:<{width}} {_summary(kind)}"
    yield ""
    yield "TOPICS"
    for name, topic in TOPICS.items():
        yield f"{name:<{width}} {topic.summary}"
    yield ""
    yield "nodecheck explain TYPE or TOPIC tells more; nodecheck explain --pack, what the definition files look at"


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
    yield from table(
        ("argument", "takes", "default", ""),
        (
            (f"`{argument}`", takes(field), default(field).removeprefix("default "), field.metadata["help"])
            for argument, field in kind.arguments().items()
        ),
    )
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


def takes(field: Argument) -> str:
    """Say in words what an argument takes."""
    metadata = field.metadata
    if metadata["choices"]:
        return " or ".join(map(str, metadata["choices"]))
    words = kind_of(field).words
    if metadata["minimum"] is not None and metadata["maximum"] is not None:
        return f"{words} from {metadata['minimum']} to {metadata['maximum']}"
    return words


def default(field: Argument) -> str:
    """Say in words what holds when an argument is left out."""
    if field.default is REQUIRED:
        return "required"
    if field.metadata["otherwise"]:
        return f"default {field.metadata['otherwise']}"
    if field.default is None:
        return "not judged" if _is_judged(field) else "optional"
    shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"default {shown}"


def _is_judged(field: Argument) -> bool:
    kind = kind_of(field).read
    return isinstance(kind, type) and issubclass(kind, Expectation)
