"""assert: expressions over facts, variables and results."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from fakes import node, process
from plays import entries, judged

from nodecheck import checks
from nodecheck.cli.explain import markdown
from nodecheck.definitions.errors import DefinitionError
from nodecheck.report.result import Result, Status

VARS = "vars: {a: systemd, b: cgroupfs, c: systemd}"


def one(arguments: str, more: str = "") -> Result:
    (found,) = judged(f"- {{name: A, {VARS}, assert: {arguments}{more}}}", node()).results
    return found


@pytest.mark.parametrize(
    ("that", "status", "message"),
    [
        ("a == c", "ok", "a == c is true"),
        ("a == b", "critical", "a == b is false: a is systemd, b is cgroupfs"),
        ("[a == c, a != b]", "ok", "a == c is true"),
        ("[a == c, a == b]", "critical", "a == b is false: a is systemd, b is cgroupfs"),
        ("facts.os.id == 'debian'", "ok", "facts.os.id == 'debian' is true"),
        ("\"facts.os.version is version('13', '>=')\"", "critical", "is false: facts.os.version is 12"),
        ("facts.nothing is not none", "critical", "facts.nothing is nothing"),
        ("\"'docker' in groups\"", "critical", "'docker' in groups is false"),
        ("true", "ok", "true is true"),
        ("false", "critical", "false is false"),
    ],
)
def test_expressions_are_true_or_the_values_say_why_not(that: str, status: str, message: str) -> None:
    found = one(f"{{that: {that}}}")
    assert (str(found.status), message in found.message) == (status, True), found.message


@pytest.mark.parametrize(
    ("that", "observed"), [("a == c", True), ("a == b", "a is systemd, b is cgroupfs"), ("false", False)]
)
def test_each_expression_is_a_finding(that: str, observed: Any) -> None:
    (finding,) = one(f"{{that: {that}}}").findings

    assert ("that", that, observed) == (finding.property, finding.expected, finding.observed)


def test_what_is_wrong_may_be_said_in_words() -> None:
    assert one("{that: a == b, message: the drivers differ}").message == "the drivers differ"


def test_severity_counts_here_too() -> None:
    assert one("{that: a == b}", ", severity: info").status is Status.INFO


def test_results_of_earlier_checks_may_be_asked() -> None:
    text = """
    - {name: P, process: {name: dockerd}, register: p}
    - {name: A, assert: {that: [p is ok, p.observed.count == 1]}}
    - {name: B, assert: {that: p.observed.count == 2}}
    """
    report = judged(text, node(processes=[process()]))
    assert [str(result.status) for result in report.results] == ["ok", "ok", "critical"]
    assert report.results[2].message == "p.observed.count == 2 is false: p.observed.count is 1"


def test_what_an_expression_looked_at_is_never_rendered() -> None:
    text = (
        "- {name: P, process: {name: nobody}, register: p, severity: info}\n- {name: A, assert: {that: p.message == v}}"
    )
    evil = {"v": "{{ 7 * 7 }}"}
    report = judged(text, node(processes=[]), settings=evil)
    assert "v is {{ 7 * 7 }}" in report.results[1].message


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{that: facts.nope == 1}", "the variable 'nope' is not defined in facts"),
        ("{that: []}", "that is an expression, and an empty list asks nothing"),
        ("{that: a}", "a condition is true or false, and this is the text 'systemd'"),
        ("{that: [a == c, b]}", "this is the text 'cgroupfs'"),
        ("{}", "assert needs the argument 'that'"),
        ("a == b", "the arguments of assert are a mapping, not text"),
        ("{that: a ==}", "is not an expression"),
        ("{taht: a == b}", "did you mean that"),
    ],
)
def test_an_expression_that_is_wrong_is_a_mistake(arguments: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        entries(f"- {{name: A, {VARS}, assert: {arguments}}}")


def test_where_the_check_is_skipped_what_is_undefined_does_not_matter() -> None:
    assert one("{that: facts.nope == 1}", ", when: false").status is Status.SKIPPED


def test_the_page_is_what_explain_prints() -> None:
    kind: Any = checks.type_named("assert")
    page = pathlib.Path(checks.__file__).parent / "assert.md"
    assert page.read_text() == "\n".join(markdown("assert", kind)) + "\n"
