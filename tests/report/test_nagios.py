"""A plugin's line, read by the guidelines' grammar and by `negate`, which runs plugins."""

from __future__ import annotations

import pathlib
import re
import shlex

import pytest
from fakes import report, result
from readers import GOLDEN, exit_code, golden, run

from nodecheck.report import nagios
from nodecheck.report.nagios import MOST_BYTES, STATES
from nodecheck.report.result import Status
from nodecheck.report.style import Style

# https://www.monitoring-plugins.org/doc/guidelines.html#AEN201: 'label'=value[UOM];[warn];[crit];[min];[max]
NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
LABEL, UNIT = "(?:'[^'=]+'|[^ '=]+)", "(?:s|us|ms|%|B|KB|MB|TB|c)?"
DATUM = re.compile(rf"{LABEL}={NUMBER}{UNIT}(?:;[^; ]*){{0,2}}(?:;(?:{NUMBER})?){{0,2}}")


@pytest.mark.parametrize("file", golden("nagios"), ids=lambda file: file.name)
def test_it_is_one_short_line_with_performance_data(file: pathlib.Path) -> None:
    text = file.read_text()
    line, end, rest = text.partition("\n")
    told, bar, data = line.partition("|")

    assert (end, rest, bar, "|" in data) == ("\n", "", "|", False)
    assert told.startswith(f"NODECHECK {STATES[exit_code(file)]} - ")
    assert len(text.encode()) <= MOST_BYTES
    assert [datum for datum in data.split() if not DATUM.fullmatch(datum)] == []


@pytest.mark.parametrize("file", golden("nagios"), ids=lambda file: file.name)
def test_a_runner_of_plugins_takes_state_and_line(file: pathlib.Path) -> None:
    plugin = f"cat {shlex.quote(str(file))}; exit {exit_code(file)}"
    same = ("-o", "OK", "-w", "WARNING", "-c", "CRITICAL", "-u", "UNKNOWN")
    ended = run("negate", *same, "/bin/sh", "-c", plugin)

    assert (exit_code(file), file.read_text()) == (ended.returncode, ended.stdout)


def test_the_worst_is_told_first() -> None:
    told = (GOLDEN / "one-of-each.2.nagios").read_text()
    assert re.findall("(critical|unknown|warning): ", told) == ["critical", "unknown", "warning"]


@pytest.mark.parametrize("message", ["a | b=1", "a\nb | c=2", "|", "x" * 5000 + "|"])
def test_what_a_node_says_is_no_performance_data(message: str) -> None:
    line = nagios.render(report(result("a", Status.CRITICAL, message)), Style())
    assert (line.count("|"), line.count("\n"), line.partition("| ")[2][:5]) == (1, 1, "ok=0;")


def test_a_character_is_not_cut_in_half() -> None:
    lines = [nagios.render(report(result("a" * n, Status.CRITICAL, "容" * 999)), Style()) for n in range(4)]
    assert [line for line in lines if "容..." not in line or len(line.encode()) > MOST_BYTES] == []
