from __future__ import annotations

import json
import os
import pathlib
from typing import TYPE_CHECKING

import pytest
from commandline import CRITICAL, UNSEEN, WELL

from nodecheck import __version__
from nodecheck.report import formats

if TYPE_CHECKING:
    from commandline import Cli


# ---- exit codes


@pytest.mark.parametrize(
    ("checks", "exit_code"),
    [
        ([f"a | {WELL}"], 0),
        ([f"a | {CRITICAL} | severity: warning", f"b | {WELL}"], 1),
        ([f"a | {CRITICAL}", f"b | {UNSEEN}"], 2),
        ([f"a | {UNSEEN}", f"b | {CRITICAL} | severity: warning"], 3),
        ([f"a | {CRITICAL} | severity: warning", f"b | {UNSEEN} | needs: a"], 1),
    ],
)
@pytest.mark.parametrize("output", formats.names())
def test_run_ends_with_the_code_of_the_worst_in_every_format(
    checks: list[str], exit_code: int, output: str, cli: Cli
) -> None:
    assert exit_code == cli("run", cli.write(*checks), "-o", output).returncode


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"], ["--help"], ["run", "--help"], ["explain"], ["explain", "unit"],
        ["explain", "port", "--markdown"], ["facts"], ["schema"], ["lint", "checks.yaml"], ["list", "checks.yaml"],
    ],
)  # fmt: skip
def test_a_command_that_only_tells_something_ends_with_0_and_says_nothing_on_stderr(
    arguments: list[str], cli: Cli
) -> None:
    cli.write(f"a | {CRITICAL}")
    ended = cli(*arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["rnu"], "did you mean run?"),
        (["run", "--chekcs", "x"], "did you mean --checks?"),
        (["history", "a", "--checks", "x"], "nodecheck history: unrecognized arguments: --checks x"),
        (["run", "--nonsense"], "usage: nodecheck run"),
        (["run", "broken.yaml"], "nodecheck: 1 mistake, nothing was checked"),
        (["lint", "broken.yaml"], "nodecheck: 1 mistake\n"),
        (["explain", "unti"], "did you mean unit?"),
        (["run", "no-such-file"], "no-such-file does not exist"),
        (["run", "checks.yaml", "-o", "jsno"], "there is no output format 'jsno'; known: checkmk, html, json, "),
        (["run", "checks.yaml", "-o", "text", "-o", "json"], "two outputs go to standard output"),
        (["run", "checks.yaml", "-o", "json="], "names no file"),
        (["run", "checks.yaml", "--budget", "5"], "expected a time with its unit"),
        (["run", "checks.yaml", "--budget", "1ms"], "too short for any run"),
        (["run", "checks.yaml", "-e", "nonsense"], "-e takes NAME=VALUE or @FILE, not 'nonsense'"),
        (["run", "checks.yaml", "-e", "a=1 b=2"], "-e takes one NAME=VALUE, and 'a=1 b=2' looks like several"),
        (["run", "checks.yaml", "-t", "nothing"], "no check has the tag 'nothing'"),
        (["run", "checks.yaml", "--skip-tags", "a"], "no check was selected with --skip-tags a"),
        (["run", "checks.yaml", "--skip-tags", "b"], "no check has the tag 'b'"),
        (["list", "checks.yaml", "--skip-tags", "aa"], "no check has the tag 'aa'\n  did you mean a?"),
        (["run", "checks.yaml", "-l", "dokcer"], "-l dokcer: no group is called 'dokcer'\n  did you mean docker?"),
        (["list", "checks.yaml", "-l", "all:&nosuch"], "-l all:&nosuch: no group is called 'nosuch'\n  known here: "),
        (["run", "checks.yaml", "-l", "all:!all"], "no check was selected with -l all:!all"),
        (["run", "empty"], "no definition file (*.yaml) in empty"),
        (["lint", "empty"], "no definition file (*.yaml) in empty"),
        (["run", "empty"], "name files or directories: nodecheck run FILE|DIR"),
        (["lint", "empty"], "name files or directories: nodecheck lint FILE|DIR"),
        (["list", "empty"], "name files or directories: nodecheck list FILE|DIR"),
        (["explain", "--pack", "--checks", "empty"], "files or directories: nodecheck explain --pack --checks DIR"),
        (["schema", "foo"], "argument definitions|settings|report: invalid choice: 'foo'"),
        (["run", "broken.yaml"], "did you mean process?"),
        (["lint", "broken.yaml"], "broken.yaml:5:7"),
    ],
)
def test_bad_usage_ends_with_3_and_says_plainly_what_is_wrong(arguments: list[str], said: str, cli: Cli) -> None:
    cli.write(f"a | {WELL} | tags: [a]")
    cli.write("a | proces: {name: x}", name="broken.yaml")
    (cli.folder / "empty").mkdir()
    ended = cli(*arguments)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root refuses what others may write")
@pytest.mark.parametrize("command", ["run", "lint", "list"])
def test_root_refuses_a_definition_file_that_others_may_write(command: str, cli: Cli) -> None:
    file = cli.write(f"a | {WELL}")
    file.chmod(0o666)
    ended = cli(command, file)
    assert ended.returncode == 3
    assert "may be written by others" in ended.stderr
    assert f"chmod go-w {file}" in ended.stderr


# ---- what is selected


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ([], ["x", "y", "z"]),
        (["-t", "red"], ["x", "y"]),
        (["-t", "green"], ["y"]),
        (["-t", "green,blue"], ["y", "z"]),
        (["-t", "green", "-t", "blue"], ["y", "z"]),
        (["--skip-tags", "green"], ["x", "z"]),
        (["--skip-tags", "deep"], ["x", "y", "z"]),
        (["-t", "red", "--skip-tags", "green"], ["x"]),
        (["-l", "all"], ["x", "y", "z"]),
        (["-l", "all:!no_such_group"], ["x", "y", "z"]),
    ],
)
def test_tags_and_limits_select_checks(options: list[str], names: list[str], cli: Cli) -> None:
    file = cli.write(f"x | {WELL} | tags: [red]", f"y | {WELL} | tags: [red, green]", f"z | {WELL} | tags: [blue]")
    data = json.loads(cli("run", file, "-o", "json", *options).stdout)
    assert names == [result["name"] for result in data["results"]]


def test_a_limit_that_is_not_this_node_selects_nothing(cli: Cli) -> None:
    ended = cli("run", cli.write(f"a | {WELL}"), "-l", "!all")
    assert (ended.returncode, ended.stdout) == (3, "")


def test_a_group_that_only_other_hosts_have_is_no_slip(cli: Cli) -> None:
    file = cli.write(f"a | {WELL}", play="hosts: all:!storage")
    assert "no check was selected with -l storage\n" in cli("run", file, "-l", "storage").stderr
    assert cli("list", file, "-l", "storage").returncode == 0


def test_an_extra_variable_wins_over_the_play(cli: Cli) -> None:
    file = cli.write('a | process: {name: no-such-name, count: "{{ count }}"}', play="hosts: all\n  vars: {count: 1}")
    assert (cli("run", file).returncode, cli("run", file, "-e", "count=0").returncode) == (2, 0)


# ---- outputs


def test_json_on_stdout_is_the_whole_report_and_nothing_else(cli: Cli) -> None:
    data = json.loads(cli("run", cli.write(f"a | {WELL}"), "-o", "json").stdout)
    assert (data["schema"], data["exit_code"], data["summary"]["ok"]) == ("nodecheck.report/1", 0, 1)


def test_text_on_stdout_and_json_in_a_file(cli: Cli) -> None:
    ended = cli("run", cli.write(f"a | {CRITICAL}"), "-o", "text", "-o", "json=report.json")
    assert ended.stdout.splitlines()[-1].endswith("s")
    assert json.loads((cli.folder / "report.json").read_text())["exit_code"] == 2
    assert sorted(file.name for file in cli.folder.iterdir()) == ["checks.yaml", "report.json"]


def test_a_file_that_cannot_be_written_is_said_plainly_and_the_report_still_printed(cli: Cli) -> None:
    ended = cli("run", cli.write(f"a | {WELL}"), "-o", "json=no/such/report.json", "-o", "text", "--events", "never")
    assert ended.returncode == 3
    assert "ok=1" in ended.stdout
    assert ended.stderr == "nodecheck: no/such/report.json cannot be written: No such file or directory\n"


def test_quiet_says_nothing_when_all_is_well_and_the_problems_else(cli: Cli) -> None:
    assert cli("run", cli.write(f"a | {WELL}"), "-q").stdout == ""
    assert cli("run", cli.write(f"a | {CRITICAL}"), "-q").stdout.startswith("PROBLEMS ***")


def test_verbose_says_what_was_seen_of_what_is_well(cli: Cli) -> None:
    assert "0 of no-such-name alive" in cli("run", cli.write(f"a | {WELL}"), "-v").stdout


def test_a_pipe_gets_no_colour(cli: Cli) -> None:
    assert "\x1b" not in cli("run", cli.write(f"a | {CRITICAL}"), TERM="xterm").stdout


# ---- what the other commands tell


def test_version_is_that_of_the_package(cli: Cli) -> None:
    assert cli("--version").stdout == f"nodecheck {__version__}\n"


def test_lint_counts_what_it_read(cli: Cli) -> None:
    ended = cli("lint", cli.write(f"a | {WELL}", f"b | {WELL}"))
    assert "2 checks" in ended.stdout


def test_lint_tells_all_mistakes_of_all_files_at_once(cli: Cli) -> None:
    cli.write("a | proces: {name: x}", name="1.yaml")
    cli.write("b | process: {nmae: x}", name="2.yaml")
    ended = cli("lint", cli.folder)
    assert ended.returncode == 3
    assert ("1.yaml:5:7" in ended.stderr, "2.yaml:5" in ended.stderr) == (True, True)
    assert ended.stderr.count("did you mean") == 2


def test_list_marks_what_would_run_and_says_where_it_stands(cli: Cli) -> None:
    lines = cli("list", cli.write(f"x | {WELL} | tags: [red]", f"y | {WELL}"), "-t", "red").stdout.splitlines()
    told = [line.split() for line in lines]
    assert (told[0][0], told[0][-1].rpartition("/")[2]) == ("PLAY", "checks.yaml:1")
    assert told[1] == ["*", "process", "x", "[red]", ":4"]
    assert (told[2][:2], told[2][-1][0]) == (["process", "y"], ":")


def test_list_marks_nothing_that_is_not_for_this_node(cli: Cli) -> None:
    file = cli.write(f"x | {WELL} | when: false", f"y | {WELL} | when: true", f"z | {WELL} | loop: '{{{{ [] }}}}'")
    told = [line.split()[:3] for line in cli("list", file).stdout.splitlines()]
    assert [words[0] for words in told[1:4]] == ["process", "*", "loop"]


def test_explain_lists_every_type_and_every_argument(cli: Cli) -> None:
    overview = cli("explain").stdout
    assert [name for name in ("port", "process", "system", "unit") if f"\n{name} " not in f"\n{overview}"] == []
    page = cli("explain", "unit").stdout
    for word in ("last_trigger  (a time", "EXAMPLE", "RULES", "stuck-starting -> critical"):
        assert word in page


def test_explain_has_two_columns(cli: Cli) -> None:
    rows = [line for line in cli("explain").stdout.splitlines()[:-1] if line[:1].islower()]
    assert len({len(line) - len(line.partition(" ")[2].lstrip()) for line in rows}) == 1


def test_facts_tell_where_each_comes_from(cli: Cli) -> None:
    told = cli("facts").stdout
    assert [
        word for word in ("GROUPS", "all  ", "every node", "FACTS", "hostname", "/etc/machine-id") if word not in told
    ] == []


def test_doctor_says_what_is_installed_and_what_this_user_may_see(cli: Cli) -> None:
    ended = cli("doctor")
    assert ended.returncode == (3 if "!!" in ended.stdout else 0)
    assert [word for word in ("PyYAML", "THIS USER", "uid ", "sockets: read from") if word not in ended.stdout] == []


def test_another_python_first_on_the_path_does_not_matter(cli: Cli, tmp_path: pathlib.Path) -> None:
    other = tmp_path / "bin"
    other.mkdir()
    (other / "python3").write_text("#!/bin/sh\nexit 99\n")
    (other / "python3").chmod(0o755)
    assert cli("run", cli.write(f"a | {WELL}"), PATH=f"{other}:{os.environ['PATH']}").returncode == 0
