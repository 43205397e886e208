"""JUnit's XML, which CI systems show: a test suite for each play, a test case for each check.

critical and warning are failures, unknown is an error: it could not be told. blocked and skipped are skipped, and say
why. A fault that is not confirmed counts as what was confirmed before, and passes where that was none.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from nodecheck.report.result import Report, Result, Status, timestamp
from nodecheck.report.style import in_words, markup, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.report.style import Style

EXAMPLE = "junit=nodecheck.xml"
# {status: the element that says so}; info never counts, so it passes.
ELEMENTS = {
    Status.CRITICAL: "failure",
    Status.WARNING: "failure",
    Status.UNKNOWN: "error",
    Status.BLOCKED: "skipped",
    Status.SKIPPED: "skipped",
}
COUNTED = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def render(report: Report, _style: Style) -> str:
    """Return an XML document."""
    return "\n".join(_document(report)) + "\n"


def _document(report: Report) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    seconds = f"{report.duration_seconds:.6f}"
    yield f"<testsuites{_attributes(name='nodecheck', **_counts(report.results), time=seconds)}>"
    for play, results in itertools.groupby(report.results, lambda result: result.play):
        yield from _suite(play, tuple(results), report)
    yield "</testsuites>"


def _suite(play: str, results: tuple[Result, ...], report: Report) -> Iterator[str]:
    attributes = _attributes(
        name=play,
        timestamp=(timestamp(report.seen_at) or "")[:19],  # the schemas know no fractions and no zone
        hostname=str(report.node["hostname"]),
        **_counts(results),
        time=f"{sum(result.duration_seconds for result in results):.6f}",
    )
    yield f"  <testsuite{attributes}>"
    for result in results:
        yield from _case(result)
    yield "  </testsuite>"


def _counts(results: tuple[Result, ...]) -> dict[str, str]:
    elements = [ELEMENTS.get(result.counts_as) for result in results]
    return {"tests": str(len(results))} | {name: str(elements.count(element)) for name, element in COUNTED}


def _case(result: Result) -> Iterator[str]:
    case = _attributes(classname=result.type, name=result.name, time=f"{result.duration_seconds:.6f}")
    element = ELEMENTS.get(result.counts_as)
    if element is None:
        yield f"    <testcase{case}/>"
        return
    yield f"    <testcase{case}>"
    message = _attributes(message=result.message)
    if element == "skipped":
        yield f"      <skipped{message}/>"
    else:
        text = markup("\n".join(_told(result)))
        yield f"      <{element}{message}{_attributes(type=str(result.status))}>{text}</{element}>"
    yield "    </testcase>"


def _told(result: Result) -> Iterator[str]:
    """What a person needs who sees only this test case."""
    for finding in result.findings:
        if finding.status is not Status.OK:
            yield f"{finding.property}: expected {in_words(finding.expected)}, observed {in_words(finding.observed)}"
    if result.since is not None:
        yield f"since {timestamp(result.since)}"
    yield from (f"remedy: {line}" for line in result.remedy.splitlines())
    yield f"at {result.source}"


def _attributes(**attributes: str) -> str:
    return "".join(f' {name}="{markup(printable(value))}"' for name, value in attributes.items())
