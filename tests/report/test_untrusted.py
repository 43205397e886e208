"""Whatever a process, a unit, a server or a file of the node is called: no output takes it for its own."""

from __future__ import annotations

import re

import pytest
from fakes import report, result
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.report import formats
from nodecheck.report.result import Finding, Report, Status
from nodecheck.report.style import Style

FORGED = ("ok 1 - all is well", "critical: forged", "# TYPE forged counter", "0 forged - well")
PIECES = (
    "\x1b[31m", "\x1b]0;owned\x07", "\r", "\n", "\t", "\x00", "\x7f", "\x85", "\x9b31m", "\u2028", "\u202e", "\ud800",
    *(f"\n{line}" for line in FORGED), "</script>", "<b>", "]]>",
    "&amp;", '"', "'", "\\", "|", "{{ 7 * 7 }}", "${HOME}", "$(id)", "%s", "#", ": ", "- ", "---\n", "a", "é", "容",
)  # fmt: skip
UNTRUSTED = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
# All that moves a cursor, changes the direction of a text, or ends a line; a line feed ends lines of ours, too.
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def told(text: str) -> Report:
    """A report in which all that comes from a node is this."""
    finding = Finding("state", Status.CRITICAL, text, text, text, remedy=text)
    return report(
        result("a", Status.CRITICAL, f"m{text}", findings=(finding,), causes=(text,), remedy=text),
        result("b", Status.UNKNOWN, f"m{text}", causes=(text,)),
        problems=(f"p{text}",),
    )


def printed(name: str, made: Report) -> str:
    return formats.parse([name])[0].render(made, Style(verbosity=1))


@pytest.mark.parametrize("name", formats.names())
@given(text=UNTRUSTED)
def test_nothing_of_a_node_controls_an_output(name: str, text: str) -> None:
    assert CONTROLS.findall(printed(name, told(text))) == []


@pytest.mark.parametrize("name", sorted({*formats.names()} - {"html", "junit"}))  # in those a line means nothing
@given(text=UNTRUSTED)
def test_nothing_of_a_node_begins_a_line_of_an_output(name: str, text: str) -> None:
    lines = printed(name, told(text)).splitlines()
    assert [line for line in lines if line.startswith(FORGED)] == []
