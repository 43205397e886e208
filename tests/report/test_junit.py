"""JUnit's XML, read by junitparser."""

from __future__ import annotations

import pathlib
from xml.etree import ElementTree as ET

import junitparser
import pytest
from fakes import report, result
from readers import GOLDEN, golden

from nodecheck.report import junit
from nodecheck.report.result import Status
from nodecheck.report.style import Style

KINDS = {"Failure": "failure", "Error": "error", "Skipped": "skipped"}


def _read(file: pathlib.Path) -> junitparser.JUnitXml:
    found = junitparser.JUnitXml.fromfile(str(file))
    assert isinstance(found, junitparser.JUnitXml)
    return found


def _outcomes(text: str) -> dict[str, str]:
    """Return {name of a test case: what came of it}."""
    suites = junitparser.JUnitXml.fromstring(text.encode())
    return {case.name: _outcome(case) for suite in suites for case in suite}


def _outcome(case: junitparser.TestCase) -> str:
    return next((KINDS[type(found).__name__] for found in case.result), "passed")


@pytest.mark.parametrize("file", golden("junit"), ids=lambda file: file.name)
def test_what_the_file_counts_is_what_is_in_it(file: pathlib.Path) -> None:
    read = _read(file)
    told = (read.tests, read.failures, read.errors, read.skipped)
    read.update_statistics()  # type: ignore[no-untyped-call]  # junitparser has types for most

    assert told == (read.tests, read.failures, read.errors, read.skipped)
    assert all(suite.hostname and suite.timestamp and suite.name for suite in read)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (Status.CRITICAL, "failure"),
        (Status.WARNING, "failure"),
        (Status.UNKNOWN, "error"),
        (Status.BLOCKED, "skipped"),
        (Status.SKIPPED, "skipped"),
        (Status.INFO, "passed"),
        (Status.OK, "passed"),
    ],
)
def test_failure_error_and_skipped_are_told_apart(status: Status, outcome: str) -> None:
    assert {"a": outcome} == _outcomes(junit.render(report(result("a", status)), Style()))


def test_a_fault_that_is_not_confirmed_fails_nothing() -> None:
    made = report(result("a", Status.CRITICAL, confirmed=False), result("b", Status.CRITICAL))
    assert _outcomes(junit.render(made, Style())) == {"a": "passed", "b": "failure"}


def test_a_failure_tells_what_was_expected_and_what_to_do() -> None:
    docker = next(case for suite in _read(GOLDEN / "one-of-each.2.junit") for case in suite if case.result)
    (failure,) = docker.result

    assert (failure.type, failure.message.partition(":")[0]) == ("critical", "docker.service has failed")
    assert "state: expected healthy, observed failed" in failure.text
    assert "remedy: journalctl -u docker.service -n 50" in failure.text


def test_what_looks_like_markup_is_text() -> None:
    name = "<b>&amp; \"two\" 'one' ]]> --></b>"
    assert [name] == list(_outcomes(junit.render(report(result(name, Status.CRITICAL, name)), Style())))


def test_what_xml_cannot_write_is_replaced() -> None:
    ugly = "a\x00b\x1bc\ufffed\udcffe"
    rendered = junit.render(report(result(ugly, Status.UNKNOWN, ugly)), Style())
    (case,) = ET.fromstring(rendered).iter("testcase")
    assert case.get("name") == "a\ufffdb\ufffdc\ufffdd\ufffde"
