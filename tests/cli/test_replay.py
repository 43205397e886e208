"""A node that is recorded in one place is judged in another, by any user: record, discover and --replay."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
from commandline import CHECKOUT, PYTHON, WELL
from fakes import node, process, service

from nodecheck import __main__ as program
from nodecheck.definitions.sources import read_definitions
from nodecheck.engine.known import variables_of
from nodecheck.node import recordfile, systemd
from nodecheck.node.record import record
from nodecheck.node.sockets import Listener

if TYPE_CHECKING:
    from commandline import Cli

NOBODY = 65534
UNITS = "unit: {name: docker.service}"


def recorded(folder: pathlib.Path, **changed: Any) -> pathlib.Path:
    """Write the record of a node with docker, an hour after it was started, with some properties changed."""
    units = [
        service("docker.service", MainPID=91, TriggeredBy=["docker.socket"], **changed),
        service("docker.socket", SubState="listening", MainPID=0, Listen=[["Stream", "/run/docker.sock"]]),
    ]
    manager = {"SystemState": "running", "Version": "252", "NJobs": 0, "failed": [], "jobs": []}
    dockerd = process(91, "dockerd", unit="docker.service")
    seen = node(
        units=units,
        manager=manager,
        processes=[dockerd],
        listeners=[Listener("tcp", 4, "0.0.0.0", 2375, 5, owners=(91,))],
    )
    seen.groups["docker"] = "made up"
    file = folder / "node.json"
    file.write_text(json.dumps(record(seen, "0.1.0")))
    return file


# ---- record


def test_a_record_is_json_and_can_be_judged(cli: Cli) -> None:
    file = cli.write(f"a | {WELL}", "b | unit: {name: x.service, scope: user}", play="hosts: no_such_group")
    ended = cli("record", file)
    data = json.loads(ended.stdout)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (data["schema"], data["processes"]["complete"], "user_units" in data) == ("nodecheck.record/1", True, True)
    (cli.folder / "node.json").write_text(ended.stdout)
    replayed = cli("run", cli.write(f"a | {WELL}"), "--replay", "node.json", "-o", "json")
    report = json.loads(replayed.stdout)
    assert (replayed.returncode, report["node"]["machine_id"]) == (0, data["facts"]["machine_id"]["value"])
    assert report["node"]["recorded_at"].partition(".")[0] + "Z" == data["recorded_at"]


def test_a_record_needs_no_definitions_where_none_are_installed(cli: Cli) -> None:
    if os.path.exists("/usr/share/nodecheck/checks.d"):
        pytest.skip("definitions are installed here")
    assert json.loads(cli("record").stdout)["clocks"]["realtime"] > 0


def test_a_record_of_broken_definitions_says_what_is_broken(cli: Cli) -> None:
    ended = cli("record", cli.write("a | proces: {name: x}"))
    assert (ended.returncode, ended.stdout, "did you mean process?" in ended.stderr) == (3, "", True)


def test_the_help_of_record_tells_what_is_masked(cli: Cli) -> None:
    told = cli("record", "--help").stdout
    assert [
        word
        for word in ("The environment of processes is never read", "bootstrap token", "mysql -px")
        if word not in told
    ] == []


def test_a_command_line_with_a_secret_is_not_in_a_record(cli: Cli) -> None:
    with subprocess.Popen([PYTHON, "-c", "import time; time.sleep(60)", "--password", "sesame 42"]) as other:
        text = cli("record").stdout
        other.kill()
    assert ("sesame" in text, "--password <masked>" in text) == (False, True)


# ---- replay


@pytest.mark.parametrize("option", [["--replay", "node.json"], ["--replay=node.json"], ["--rep", "node.json"]])
def test_a_record_is_judged_in_place_of_this_node(option: list[str], cli: Cli) -> None:
    recorded(cli.folder)
    ended = cli("run", cli.write(f"a | {UNITS}", play="hosts: docker"), *option, TZ="UTC")
    assert (ended.returncode, ended.stdout.splitlines()[-1].partition(" : ")[0]) == (
        0,
        "hostname, recorded 2025-11-24 07:40:00",
    )


def test_since_when_is_told_as_of_the_record(cli: Cli) -> None:
    recorded(cli.folder, ActiveState="failed", SubState="failed", Result="signal", ExecMainStatus=9)
    ended = cli("run", cli.write(f"a | {UNITS}"), "--replay", "node.json", TZ="UTC")
    assert ended.returncode == 2
    assert "since     2025-11-24 06:40:00 (1h ago)" in ended.stdout


def test_what_the_record_does_not_hold_is_unknown(cli: Cli) -> None:
    recorded(cli.folder)
    ended = cli("run", cli.write("a | unit: {name: kubelet.service}"), "--replay", "node.json")
    assert ended.returncode == 3
    assert "the record node.json says nothing of the unit kubelet.service" in ended.stdout


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["list", "checks.yaml"], " * unit          a"),
        (["lint", "checks.yaml"], "1 check: "),
        (["facts"], "docker  made up"),
        (["discover"], "docker.socket is well"),
    ],
)
def test_other_commands_take_the_recorded_node_too(command: list[str], told: str, cli: Cli) -> None:
    recorded(cli.folder)
    cli.write('a | unit: {name: "{{ facts.hostname }}.service"}', play="hosts: docker:&hostname")
    ended = cli(*command, "--replay", "node.json")
    assert (ended.returncode, told in ended.stdout) == (0, True), ended.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "the record node.json is not JSON"),
        ("[]", "node.json is no record of nodecheck: it holds a list"),
        ('{"schema": "nodecheck.record/9"}', "replay it with the nodecheck that recorded it"),
        (None, "the record node.json cannot be read: No such file or directory"),
    ],
)
@pytest.mark.parametrize(
    "command", [["run", "checks.yaml"], ["list", "checks.yaml"], ["lint", "checks.yaml"], ["facts"], ["discover"]]
)
def test_a_record_that_is_broken_ends_with_3_and_what_to_do(
    command: list[str], content: str | None, said: str, cli: Cli
) -> None:
    cli.write(f"a | {WELL}")
    if content is not None:
        (cli.folder / "node.json").write_text(content)
    ended = cli(*command, "--replay", "node.json")
    assert (ended.returncode, ended.stdout, "Traceback" in ended.stderr) == (3, "", False)
    assert said in ended.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("command", ["run", "lint", "list"])
def test_a_record_in_the_place_of_definitions_is_sent_to_the_option_that_takes_one(command: str, cli: Cli) -> None:
    recorded(cli.folder)
    ended = cli(command, "node.json")
    assert ended.returncode == 3
    assert "this is the record of a node, not a definition file\n" in ended.stderr
    assert "\n  nodecheck run --replay node.json judges that node\n" in ended.stderr


def test_any_user_may_replay() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        recorded(folder).chmod(0o644)
        (folder / "checks.yaml").write_text(f"- hosts: docker\n  checks:\n    - {{name: a, {UNITS}}}\n")
        command = [PYTHON, "-m", "nodecheck", "run", "checks.yaml", "--replay", "node.json"]
        environment = {"PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
        ended = subprocess.run(command, cwd=folder, env=environment, user=NOBODY, group=NOBODY, extra_groups=[],
                               capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert (ended.returncode, "ok=1" in ended.stdout) == (0, True), ended.stderr


@pytest.mark.parametrize(
    ("arguments", "started"),
    [(["run"], True), (["run", "--replay", "x"], False), (["run", "--replay=x"], False), (["list"], False)],
)
def test_for_a_replay_nobody_is_started_to_ask_systemd(
    arguments: list[str], started: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "booted_with_systemd", lambda: True)
    helpers = program._start_helpers(arguments)
    if helpers.collector:
        helpers.collector.leave()
    assert {(helpers.collector is not None), (helpers.groups is not None)} == {started}


# ---- discover


def test_what_is_discovered_passes_at_once_and_finds_what_breaks(cli: Cli) -> None:
    recorded(cli.folder)
    ended = cli("discover", "--replay", "node.json")
    (cli.folder / "found.yaml").write_text(ended.stdout)
    judged = cli("run", "found.yaml", "--replay", "node.json", "-o", "json")
    assert (ended.returncode, ended.stderr, judged.returncode) == (0, "", 0)
    assert json.loads(judged.stdout)["summary"]["ok"] == 5
    recorded(cli.folder, ActiveState="failed", SubState="failed", Result="signal", ExecMainStatus=9)
    broken = json.loads(cli("run", "found.yaml", "--replay", "node.json", "-o", "json").stdout)
    assert broken["summary"] | {"ok": 0} == {
        "ok": 0,
        "warning": 0,
        "critical": 1,
        "unknown": 0,
        "blocked": 3,
        "skipped": 0,
        "info": 0,
    }


def test_what_is_not_well_is_a_comment_with_all_that_needs_it(cli: Cli) -> None:
    recorded(cli.folder, LoadState="masked")
    text = cli("discover", "--replay", "node.json").stdout
    assert (
        "# Not well now, so not checked:\n#   docker.service is well: docker.service is masked, but still running"
        in text
    )
    assert "#   dockerd is alive: not judged: it needs docker-service-is-well" in text
    assert "unit: {" not in text


def test_the_names_are_not_those_of_the_shipped_definitions(cli: Cli) -> None:
    """Both may be installed side by side, and two checks of one id would be a mistake."""
    recorded(cli.folder)
    (cli.folder / "found.yaml").write_text(cli("discover", "--replay", "node.json").stdout)
    found_out = variables_of(recordfile.read(str(cli.folder / "node.json")))
    definitions = read_definitions([str(CHECKOUT / "checks.d"), str(cli.folder / "found.yaml")], found_out, {})
    assert len(definitions.files) > 1


def test_only_some_types_are_discovered(cli: Cli) -> None:
    recorded(cli.folder)
    text = cli("discover", "--type", "unit, port", "--replay", "node.json").stdout
    assert ("unit: {" in text, "port: {" in text, "process: {" in text, "system: {" in text) == (
        True,
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("types", "said"),
    [
        ("unti", "did you mean unit?"),
        ("http", "nothing is discovered for 'http'"),
        ("unit,x", "nothing is discovered for 'x'"),
    ],
)
def test_a_type_that_is_not_discovered_is_a_mistake(types: str, said: str, cli: Cli) -> None:
    ended = cli("discover", "--type", types)
    assert (ended.returncode, ended.stdout, said in ended.stderr) == (3, "", True)


def test_where_nothing_is_found_that_is_said_and_why(cli: Cli) -> None:
    (cli.folder / "node.json").write_text(json.dumps(record(node(), "0")))
    ended = cli("discover", "--replay", "node.json")
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "nodecheck: nothing was found here to check\n")
