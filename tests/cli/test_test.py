"""nodecheck test: cases pass, fail with what is different, and say what is wrong with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fakes import node, process, service

from nodecheck.node.record import record

if TYPE_CHECKING:
    import pathlib
    import subprocess

    from commandline import Cli

CHECKS = """\
- name: Docker
  hosts: all
  tags: [docker]
  vars: {name: dockerd}
  checks:
    - name: docker.service is healthy
      unit: {name: docker.service}
      waive: {until: 2020-01-01, reason: old}
    - name: dockerd is alive
      needs: docker.service is healthy
      process: {name: "{{ name }}"}
      tags: [quick]
"""
FAILED = "units: {docker.service: {ActiveState: failed, SubState: failed}}"


@pytest.fixture
def folder(cli: Cli) -> pathlib.Path:
    """A folder with definitions, and a recorded node that is well."""
    seen = node(units=[service("docker.service")], processes=[process()])
    (cli.folder / "node.json").write_text(json.dumps(record(seen, "0.1.0")))
    (cli.folder / "checks.d").mkdir()
    (cli.folder / "checks.d" / "docker.yaml").write_text(CHECKS)
    return cli.folder


def run_cases(cli: Cli, *cases: str) -> subprocess.CompletedProcess[str]:
    """Run nodecheck test on these cases, each the keywords beside name, node and checks."""
    lines = [
        f"- {{name: Case {number}, node: node.json, checks: checks.d, {case}}}\n"
        for number, case in enumerate(cases, 1)
    ]
    (cli.folder / "cases.yaml").write_text("".join(lines))
    return cli("test", "cases.yaml")


DEPENDENT = "docker.service is healthy: {message: /has failed/}, dockerd is alive: {causes: docker.service is healthy}"
WRONG_CAUSE = "docker.service is healthy: critical, dockerd is alive: {causes: dockerd is alive}"
PASSING = (
    "expect: {dockerd is alive: ok}",
    "expect: {dockerd-is-alive: {status: ok}}",
    "expect: {dockerd is alive: {message: /pid 100/}}",
    f"change: {{{FAILED}}}, expect: {{docker.service is healthy: critical, dockerd is alive: blocked}}",
    f"change: {{{FAILED}}}, expect: {{docker.service is healthy: critical}}, others: blocked",
    f"change: {{{FAILED}}}, expect: {{{DEPENDENT}}}",
    "change: {processes: {dockerd: absent}}, expect: {dockerd is alive: {status: critical, causes: []}}",
    "change: {unobserved: {processes: no /proc}}, expect: {dockerd is alive: unknown}",
    "tags: quick, expect: {dockerd is alive: ok}",
    "vars: {name: nobody}, expect: {dockerd is alive: critical}",
)


@pytest.mark.usefixtures("folder")
def test_cases_that_are_as_expected_end_with_0(cli: Cli) -> None:
    ended = run_cases(cli, *PASSING)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == f"{len(PASSING)} cases: {len(PASSING)} as expected, 0 failed"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("expect: {dockerd is alive: critical}", "expected critical, and it is ok: 1 of dockerd"),
        ("expect: {dockerd is aliv: ok}", "no check 'dockerd is aliv' was judged; did you mean dockerd is alive?"),
        (f"change: {{{FAILED}}}, expect: {{dockerd is alive: blocked}}", "expected ok or skipped or info, and it is"),
        ("expect: {dockerd is alive: {message: /nobody/}}", "expected the message /nobody/, and it says: 1 of"),
        (
            f"change: {{{FAILED}}}, expect: {{{WRONG_CAUSE}}}",
            "expected the causes dockerd-is-alive, and they are docker-service-is-healthy",
        ),
        ("tags: quick, expect: {docker.service is healthy: ok}", "no check 'docker.service is healthy' was judged"),
    ],
)  # fmt: skip
def test_a_case_that_is_not_as_expected_says_what_is_different(cli: Cli, case: str, said: str) -> None:
    ended = run_cases(cli, case)
    assert ended.returncode == 2
    assert said in " ".join(ended.stdout.split())
    assert "failed:   Case 1  cases.yaml:1\n" in ended.stdout


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("expect: {x: fine}", "cases.yaml:1:65: 'fine' is no status"),
        ("expect: {x: {stauts: ok}}", "did you mean status?"),
        ("expect: {x: {message: ''}}", "message: expected a text"),
        ("expect: [x]", "expect is a mapping of names to statuses, not a list"),
        ("expect: {x: ok}, chnage: {}", "did you mean change?"),
        ("change: {}", "a case needs the keyword 'expect'"),
        ("expect: {x: ok}, others: good", "'good' is no status"),
        ("expect: {x: ok}, change: [x]", "change is a mapping, not a list"),
        ("expect: {x: ok}, change: {unit: {}}", "the change of unit: expected one of facts, groups, units"),
        ("expect: {x: ok}, change: {units: {docker.service: {ActivState: failed}}}", "ActivState"),
    ],
)
def test_a_case_that_cannot_be_judged_says_why_and_ends_with_3(cli: Cli, case: str, said: str) -> None:
    ended = run_cases(cli, case)
    assert (ended.returncode, "Traceback" in ended.stderr) == (3, False)
    assert said in ended.stderr


@pytest.mark.parametrize(
    ("checks", "by_name"), [("", "nodecheck test --checks DIR"), ("checks: empty, ", "checks: DIR")]
)
def test_where_there_are_no_definitions_it_is_told_how_a_case_gets_some(
    folder: pathlib.Path, cli: Cli, checks: str, by_name: str
) -> None:
    (folder / "empty").mkdir()
    (folder / "cases.yaml").write_text(f"- {{name: A, node: node.json, {checks}expect: {{x: ok}}}}")
    ended = cli("test", "cases.yaml", "--checks", "empty")
    assert f"name files or directories: {by_name}\n" in ended.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this is a list of cases, not nothing"),
        ("[]", "this is a list of cases, not an empty list"),
        ("a: b", "this is a list of cases, not a mapping"),
        ("- x", "a case is a mapping, not text"),
        ("- {name: A, node: nowhere.json, expect: {x: ok}}", "nowhere.json cannot be read: No such file"),
        ("- {name: A, node: checks.d/docker.yaml, expect: {x: ok}}", "is not JSON"),
        ("- {name: A, node: node.json, checks: nowhere, expect: {x: ok}}", "nowhere does not exist"),
        ("- {name: A, node: node.json, checks: node.json, expect: {x: ok}}", "node.json"),
        ("- {name: A\n", "not YAML"),
    ],
)
def test_a_file_of_cases_that_cannot_be_read_says_why(cli: Cli, text: str, said: str) -> None:
    (cli.folder / "cases.yaml").write_text(text)
    ended = cli("test", "cases.yaml")
    assert (ended.returncode, "Traceback" in ended.stderr) == (3, False)
    assert said in ended.stderr


def test_all_files_of_a_folder_and_below_are_read_with_the_definitions_of_the_option(
    cli: Cli, folder: pathlib.Path
) -> None:
    (folder / "t" / "deep").mkdir(parents=True)
    (folder / "t" / "a.yaml").write_text("- {name: A, node: ../node.json, expect: {dockerd is alive: ok}}")
    (folder / "t" / "deep" / "b.yaml").write_text("- {name: B, node: ../../node.json, expect: {dockerd is alive: ok}}")
    ended = cli("test", "t", "--checks", "checks.d", "-e", "name=dockerd")
    assert ended.stdout == "ok:       A\nok:       B\n2 cases: 2 as expected, 0 failed\n"


@pytest.mark.parametrize("path", ["nowhere", "empty"])
def test_where_there_are_no_cases_nothing_passes(cli: Cli, path: str) -> None:
    (cli.folder / "empty").mkdir()
    assert cli("test", path).returncode == 3


def test_a_case_of_which_nothing_was_judged_does_not_pass(folder: pathlib.Path, cli: Cli) -> None:
    (folder / "checks.d" / "docker.yaml").write_text(CHECKS.replace("hosts: all", "hosts: storage"))
    ended = run_cases(cli, "expect: {}")
    assert (ended.returncode, ended.stdout.splitlines()[1].strip()) == (2, "no check was judged: none is for this node")
