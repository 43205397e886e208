"""The shipped definitions, on recorded nodes to which something has happened: packs/ holds the cases."""

from __future__ import annotations

import pathlib
import re
from typing import TYPE_CHECKING

import pytest

from nodecheck.definitions.sources import read_definitions
from nodecheck.engine.cases import judge, read_cases
from nodecheck.engine.known import names_of, variables_of
from nodecheck.node.recordfile import read

if TYPE_CHECKING:
    from nodecheck.engine.cases import Case

CHECKOUT = pathlib.Path(__file__).parents[1]
CASES = [case for path in sorted((CHECKOUT / "tests/packs").glob("*.yaml")) for case in read_cases(str(path))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_shipped_check_says_what_its_case_expects(case: Case) -> None:
    assert judge(case, [str(CHECKOUT / "checks.d")], {}).differences == ()


def test_each_shipped_check_is_quick_or_deep_or_only_made_when_asked_for() -> None:
    node = read(str(CHECKOUT / "tests/packs/nodes/control-plane.json"))
    plays = read_definitions([str(CHECKOUT / "checks.d")], variables_of(node), {}, names_of(node)).plays
    found = {check.name: check.tags & {"quick", "deep", "never"} for play in plays for check in play.checks}
    assert len(found) > 200
    assert [name for name, depth in found.items() if not depth or {"quick", "deep"} <= depth] == []


@pytest.mark.parametrize("file", sorted(path.name for path in (CHECKOUT / "checks.d").glob("*.yaml")))
def test_each_shipped_file_has_a_check_that_a_case_breaks(file: str) -> None:
    names = {
        expected.check.partition(" (")[0]  # of a loop, without the item
        for case in CASES
        for expected in case.expected
        if expected.status in ("critical", "warning")
    }
    text = (CHECKOUT / "checks.d" / file).read_text()
    assert [name for name in names if name in text]


def test_no_remedy_overwrites_what_another_one_writes() -> None:
    """A person types one after the other, in any order: the second must not undo the first."""
    text = "".join(path.read_text() for path in sorted((CHECKOUT / "checks.d").glob("*.yaml")))
    written = re.findall(r"\S (>>?) (/etc/[a-z-]+\.d/\S+[a-z])", text)
    assert len(written) > 3
    assert [file for how, file in written if how == ">"] == []
