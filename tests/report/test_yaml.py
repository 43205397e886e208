"""YAML and lines of JSON say what JSON says."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
import yaml
from fakes import report, result
from readers import golden

from nodecheck.report import jsonl
from nodecheck.report import yaml as yaml_format
from nodecheck.report.result import Finding, Status
from nodecheck.report.style import Style

# Texts that some reader of YAML takes for something else.
TRICKY = (
    "yes", "No", "on", "y", "null", "Null", "~", "true", "1", "1.0", "1e3", "0x1f", "0o17", "0755", "22:22", ".inf",
    "2026-11-24", "2026-11-24T07:40:02Z", "<<", "=", "- a", "a: b", "a #b", "*a", "&a", "!a", "|", ">", "%a", "@a",
    "`a", "'a'", '"a"', "{a}", "[a]", "", " a", "a ", "a\n", "a\nb", "\ta", "\u2028", "\ufeff", "\x00", "\x85",
    "\x1b[0m", "容器", "\U0001f600", "\U000e0041", "...", "---", "a\\nb", "?", "? a", ":", "a:", "/a b/c",
    "-1", "+1", "1_000", "nan",
)  # fmt: skip


@pytest.mark.parametrize("file", golden("yaml"), ids=lambda file: file.name)
def test_yaml_says_what_json_says(file: pathlib.Path) -> None:
    beside = file.with_suffix(".json")
    read = yaml.safe_load(file.read_text())
    assert read["schema"] == "nodecheck.report/1"
    assert not beside.exists() or json.loads(beside.read_text()) == read


@pytest.mark.parametrize("text", TRICKY)
def test_a_text_stays_the_text_that_it_is(text: str) -> None:
    finding = Finding("a", Status.OK, text, [text, 1, None, True, 0.5], text)
    made = report(result("a", Status.OK, findings=(finding,), tags=(text, text)), node={text: text})
    assert json.loads(json.dumps(made.to_data())) == yaml.safe_load(yaml_format.render(made, Style()))


@pytest.mark.parametrize("number", [1e-05, 5.1e-05, 1e22, 0.5, 7, -2e-05])
def test_a_number_stays_a_number(number: float) -> None:
    made = report(result("a", Status.OK, duration_seconds=number, findings=(Finding("a", Status.OK, 1, number, "m"),)))
    (read,) = yaml.safe_load(yaml_format.render(made, Style()))["results"]
    assert (read["duration_seconds"], read["findings"][0]["observed"]) == (number, number)


@pytest.mark.parametrize("file", golden("jsonl"), ids=lambda file: file.name)
def test_lines_of_json_say_what_json_says(file: pathlib.Path) -> None:
    whole = json.loads(file.with_suffix(".json").read_text())
    *checks, run = [json.loads(line) for line in file.read_text().splitlines()]
    of_run = {"event", "run_id", "started_at", "hostname"}

    assert whole["results"] == [{name: told for name, told in check.items() if name not in of_run} for check in checks]
    assert {"event": "run"} | {name: told for name, told in whole.items() if name != "results"} == run
    assert all((whole["run_id"], "check") == (check["run_id"], check["event"]) for check in checks)


def test_a_line_is_one_line_whatever_a_node_says() -> None:
    text = jsonl.render(report(result("a", Status.OK, "".join(TRICKY))), Style())
    read: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert [event["event"] for event in read] == ["check", "run"]
