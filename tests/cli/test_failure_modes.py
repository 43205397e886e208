"""The page of failure modes keeps what it promises: each check that it names is shipped."""

from __future__ import annotations

import pathlib
import re

import nodecheck
from nodecheck.cli.topics import TOPICS

CHECKOUT = pathlib.Path(__file__).parents[2]
TEXT = (pathlib.Path(nodecheck.__file__).parent / TOPICS["failure-modes"].file).read_text()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TEXT.splitlines() if line.startswith("| ")][2:]
NAME = re.compile(r"^ *- name: (.*)$", re.MULTILINE)


def shipped() -> set[str]:
    texts = [path.read_text() for path in (CHECKOUT / "checks.d").glob("*.yaml")]
    return {name.strip("\"'") for text in texts for name in NAME.findall(text)}


def test_each_failure_mode_has_its_row() -> None:
    assert [str(number) for number in range(1, 41)] == [row[0] for row in ROWS]


def test_each_check_that_is_named_is_shipped() -> None:
    named = {name for row in ROWS for name in re.findall(r"`([^`]*)`", row[2])}
    assert named - shipped() == set()


def test_each_row_names_a_check_or_says_why_there_is_none() -> None:
    reasons = [row[2] for row in ROWS if "`" not in row[2]]
    assert [reason for reason in reasons if not reason.startswith("not told: ")] == []
