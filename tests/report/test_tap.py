"""TAP, read by Perl's TAP::Parser, which is what prove is made of."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from fakes import report, result
from readers import GOLDEN, exit_code, golden, run

from nodecheck.report import tap
from nodecheck.report.result import Status
from nodecheck.report.style import Style

# What TAP::Parser says of a stream, as JSON.
PARSE = """
use TAP::Parser; use JSON::PP; use Encode;
local $/;
my $parser = TAP::Parser->new({tap => decode('UTF-8', <STDIN>)});
my (@tests, @other);
while (my $line = $parser->next) {
    if ($line->is_test) {
        push @tests, {number => $line->number, ok => $line->is_ok ? 1 : 0, directive => $line->directive,
                      name => $line->description, because => $line->explanation};
    } elsif ($line->is_yaml) { $tests[-1]{told} = $line->data }
    elsif ($line->is_unknown) { push @other, $line->as_string }
}
print encode_json({tests => \\@tests, errors => [$parser->parse_errors], unknown => \\@other,
                   plan => $parser->is_good_plan ? 1 : 0});
"""
# Perl 5.36 knows no 14, and reads it all the same.
TOO_NEW = "TAP specified version 14 but we don't know about versions later than 13"


def _read(text: str) -> dict[str, Any]:
    ended = run("perl", "-e", PARSE, given=text)
    assert (ended.returncode, ended.stderr) == (0, "")
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("file", golden("tap"), ids=lambda file: file.name)
def test_every_line_is_understood(file: pathlib.Path) -> None:
    read = _read(file.read_text())

    assert [error for error in read["errors"] if error != TOO_NEW] == []
    assert (read["unknown"], read["plan"]) == ([], 1)


@pytest.mark.parametrize("file", golden("tap"), ids=lambda file: file.name)
def test_a_harness_fails_when_the_run_does(file: pathlib.Path) -> None:
    as_13 = file.read_text().replace("TAP version 14", "TAP version 13")
    ended = run("prove", "--exec", "cat", "/dev/stdin", given=as_13)
    assert (exit_code(file) == 0) == (ended.returncode == 0), ended.stdout


@pytest.mark.parametrize(
    ("status", "ok", "directive"),
    [
        (Status.CRITICAL, 0, ""),
        (Status.UNKNOWN, 0, ""),
        (Status.WARNING, 0, ""),
        (Status.BLOCKED, 1, "SKIP"),
        (Status.SKIPPED, 1, "SKIP"),
        (Status.INFO, 1, "TODO"),
        (Status.OK, 1, ""),
    ],
)
def test_each_status_is_read_as_it_counts(status: Status, ok: int, directive: str) -> None:
    (read,) = _read(tap.render(report(result("a", status, "b")), Style()))["tests"]
    assert (ok, directive, "b" if directive else "") == (read["ok"], read["directive"], read["because"])


def test_a_fault_that_is_not_confirmed_is_told_and_fails_nothing() -> None:
    (read,) = _read(tap.render(report(result("a", Status.CRITICAL, "b", confirmed=False)), Style()))["tests"]
    assert (read["ok"], read["directive"], read["told"]["status"]) == (1, "TODO", "critical")


def test_what_is_not_ok_is_told_below_it() -> None:
    docker = _read((GOLDEN / "one-of-each.2.tap").read_text())["tests"][1]
    assert docker["name"] == "- docker.service is healthy"
    assert docker["told"].pop("message").startswith("docker.service has failed: main process killed by SIGKILL; ")
    assert docker["told"] == {
        "status": "critical",
        "expected": {"state": "healthy", "enabled": "true"},
        "observed": {"state": "failed", "enabled": "false"},
        "since": "2025-11-24T07:31:55.000Z",
        "remedy": "journalctl -u docker.service -n 50\nsystemctl reset-failed docker.service",
        "source": "/usr/share/nodecheck/checks.d/10-container-engine.yaml:22",
    }


@pytest.mark.parametrize("name", ["a # SKIP b", "a #todo", "1..3", "ok 2 - b", "Bail out!", "a\nnot ok 2"])
def test_a_name_is_never_a_directive(name: str) -> None:
    read = _read(tap.render(report(result(name, Status.CRITICAL)), Style()))
    assert (len(read["tests"]), read["tests"][0]["ok"], read["tests"][0]["directive"]) == (1, 0, "")
