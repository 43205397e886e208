"""Record on the node, judge off it; discover on the node, and what was written passes there at once."""

import json
import pathlib
import subprocess

from . import units
from .conftest import CHECKOUT
from .node import UNITS, Node, Outcome

FOUND = "/run/nodecheck-test/found.yaml"
PYTHON = "/usr/bin/python3"


def with_docker(node: Node) -> None:
    """Docker as its package sets it up."""
    node.run("systemctl", "enable", "--now", "docker.service", "docker.socket")


def serve(node: Node) -> None:
    """A service that holds a port, one that has failed, and a port that the kernel would hand out."""
    node.unit("web.service", units.listener(8080, comm="web"))
    node.unit("far.service", units.listener(50000, comm="far"))
    node.run("systemctl", "enable", "--now", "web.service", "far.service")


def replayed(record: str, folder: pathlib.Path, *arguments: object) -> Outcome:
    """Judge a record here, on this host."""
    (folder / "node.json").write_text(record)
    command = [PYTHON, "-m", "nodecheck", "run", *map(str, arguments), "--replay", "node.json", "-o", "json"]
    environment = {"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return Outcome(json.loads(done.stdout), done.returncode, 0, done.stderr)


def discovered(node: Node, *arguments: str) -> str:
    """Discover on the node, and leave the file there."""
    done = node.run("nodecheck", "discover", *arguments)
    assert done.stderr == ""
    node.machine.write_file(FOUND, done.stdout)
    return done.stdout


def test_what_is_discovered_on_a_docker_node_passes_at_once_and_names_all_of_it(node: Node) -> None:
    with_docker(node)
    node.container("published", "/usr/bin/sleep", "infinity", options=["--publish=127.0.0.1:7000:80"])
    serve(node)
    text = discovered(node)
    outcome = node.nodecheck("run", FOUND, "-o", "json")
    assert (outcome.exit_code, set(outcome.statuses().values())) == (0, {"ok"})
    assert node.nodecheck("run", FOUND, "/usr/share/nodecheck/checks.d", "-o", "json").exit_code == 0
    for name in (
        "docker.service is well", "docker.socket is well", "dockerd is alive", "containerd.service is well",
        "containerd is alive", "docker-proxy listens on port 7000", "web.service is well", "web is alive",
        "web listens on port 8080", "systemd is well and no unit has failed", "dbus.service is well",
    ):  # fmt: skip
        assert name in outcome.statuses()
    assert "#   port 50000 of far: the kernel hands out the ports 32768 to 60999" in text
    assert "getty" not in text


def test_what_is_discovered_finds_one_cause_when_docker_is_stopped(node: Node) -> None:
    with_docker(node)
    discovered(node)
    node.run("systemctl", "stop", "docker.service", "docker.socket")
    outcome = node.nodecheck("run", FOUND, "-o", "json")
    found = {name: status for name, status in outcome.statuses().items() if status not in ("ok", "blocked")}
    assert (found, outcome.exit_code) == ({"docker.service is well": "critical"}, 2)
    assert (outcome.statuses()["docker.socket is well"], outcome.statuses()["dockerd is alive"]) == (
        "blocked",
        "blocked",
    )


def test_a_service_that_failed_is_named_in_a_comment_and_not_checked(node: Node) -> None:
    node.unit("broken.service", units.failing(7))
    node.run("systemctl", "start", "broken.service", check=False)
    node.wait_for("broken.service", ActiveState="failed")
    text = discovered(node)
    assert "#   broken.service has failed: exit code 7" in text
    assert "#   systemd is well and no unit has failed: systemd" in text
    assert "unit: {name: broken.service" not in text
    assert node.nodecheck("run", FOUND, "-o", "json").exit_code == 0


def test_a_record_judged_elsewhere_gives_the_same_statuses(node: Node, tmp_path: pathlib.Path) -> None:
    with_docker(node)
    node.unit("broken.service", units.failing(7))
    node.run("systemctl", "start", "broken.service", check=False)
    node.wait_for("broken.service", ActiveState="failed")
    here = node.nodecheck("run", "-o", "json")
    record = node.run("nodecheck", "record").stdout
    there = replayed(record, tmp_path, CHECKOUT / "checks.d")
    assert here.statuses() == there.statuses()
    assert (here.exit_code, here.report["node"]["groups"]) == (there.exit_code, there.report["node"]["groups"])
    assert there.report["node"]["hostname"] == node.machine.name


def test_a_record_holds_what_no_definition_wanted(node: Node, tmp_path: pathlib.Path) -> None:
    node.unit("later.service", units.running("/usr/bin/sleep infinity"))
    node.unit("named.service", units.running())
    node.run("ln", "-s", "named.service", f"{UNITS}/alias.service")
    node.unit("idle.service", units.running())
    node.unit("masked.service", units.masked())
    node.run("systemctl", "start", "later.service", "alias.service")
    node.run("sh", "-c", "until pgrep -x sleep; do sleep 0.02; done")  # Type=simple: it may not have been executed yet
    record = node.run("nodecheck", "record").stdout
    (tmp_path / "checks.yaml").write_text(
        "- hosts: all\n  checks:\n"
        "    - {name: runs, unit: {name: later.service, enabled: false, restarts: 0, main_process: sleep}}\n"
        "    - name: alive\n"
        "      process: {name: sleep, unit: later.service, user: '0', memory: '< 1GiB', open_files: '< 99'}\n"
        "    - {name: idle, unit: {name: idle.service, state: inactive, enabled: false}}\n"
        "    - {name: masked, unit: {name: masked.service, state: masked}}\n"
        "    - {name: alias, unit: {name: alias.service}}\n"
        "    - {name: free, port: {port: 1, state: free}}\n"
    )
    outcome = replayed(record, tmp_path, tmp_path / "checks.yaml")
    assert set(outcome.statuses().values()) == {"ok"}, [result["message"] for result in outcome.report["results"]]


def test_a_secret_of_a_command_line_is_not_in_the_record(node: Node) -> None:
    node.unit("secret.service", units.running("/usr/bin/python3 -c 'import time; time.sleep(99)' --token sesame-42"))
    node.run("systemctl", "start", "secret.service")
    record = node.run("nodecheck", "record").stdout
    assert ("sesame" in record, "--token <masked>" in record) == (False, True)
