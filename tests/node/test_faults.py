"""A node on which more than one thing is wrong at once, or too much of one: what is seen is right, and in time."""

import time
from collections.abc import Iterator

import pytest

from . import units
from .node import DEFINITION, Node, Outcome
from .verdicts import definition

SECONDS = 5.5  # what hangs costs the timeout of a check that names none, 5 s, and half a second
CHECKS = {
    "systemd": "system: {}",
    "unit": "unit: {name: tried.service}",
    "main": "process: {name: listener, unit: tried.service, main: true}",
    "nobody": "process: {name: nobody-has-this}",
    "command line": 'process: {cmdline: "^/usr/bin/containerd", count: 1}',
    "port": "port: {port: 7020, process: listener, unit: tried.service}",
    "no port": "port: {port: 7021}",
    "room": 'disk: {path: /, free: "> 1 MiB"}',
    "file": "file: {path: /etc/os-release, kind: file}",
    "program": "command: {run: /bin/true}",
}
SEEN = dict.fromkeys(CHECKS, "ok") | {"nobody": "critical", "no port": "critical"}
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
DEAD = "/mnt/dead"


@pytest.fixture
def tried(node: Node) -> Node:
    """A node with a daemon to be judged."""
    node.unit("tried.service", units.listener(7020, "127.0.0.1"))
    node.start_unit("tried.service", wait=True)
    return node


@pytest.fixture
def dead(node: Node) -> Iterator[str]:
    """A mounted file system of the node that answers nobody, as one of a server that is gone."""
    options = "fd=0,rootmode=40000,user_id=0,group_id=0"
    node.run("mkdir", "-p", DEAD)
    with open("/dev/fuse", "r+b", buffering=0) as server:
        node.machine.run("mount", "-i", "-t", "fuse", "-o", options, "dead", DEAD, stdin=server)
        yield DEAD
        node.run("umount", "--lazy", DEAD)
    node.run("rmdir", DEAD)


def busy(node: Node, *programs: str) -> None:
    """Have shells run these over and over, until the test is over."""
    for number, program in enumerate(programs):
        node.unit(f"busy{number}.service", units.running(f"/bin/sh -c 'while :; do {program}; done'"))
        node.start_unit(f"busy{number}.service", wait=True)


def expect(node: Node, seconds: float, *arguments: str, user: tuple[str, ...] = (), **otherwise: str) -> Outcome:
    """Run with all of CHECKS, and find them as they are, but for some; in time, and nothing stays behind."""
    node.write_file(DEFINITION, definition(**CHECKS))
    mounts = node.run("cat", "/proc/self/mounts").stdout
    run = (*user, "/usr/bin/nodecheck", "run", DEFINITION, "-o", "json", "--events", "never", "--state", "none")
    outcome = node.outcome(*run, *arguments)
    assert outcome.statuses() == SEEN | {name.replace("_", " "): status for name, status in otherwise.items()}
    assert outcome.report["duration_seconds"] < seconds
    assert outcome.seconds < seconds + 1
    node.expect_nothing_left()
    assert node.run("cat", "/proc/self/mounts").stdout == mounts
    return outcome


# ---- systemd and its bus


def test_a_bus_that_lets_nobody_in_any_more(tried: Node) -> None:
    """The limit is 256 connections of a user (dbus-daemon(1), max_connections_per_user)."""
    code = (
        "held = []\n"
        "for _ in range(400):\n"
        "    held.append(socket.socket(socket.AF_UNIX))\n"
        "    held[-1].connect('/run/dbus/system_bus_socket')\n"
        "    held[-1].send(b'\\0AUTH EXTERNAL 30\\r\\nBEGIN\\r\\n')\n"
        "ready()\n"
    )
    tried.unit("greedy.service", units.python_service("Takes all connections", code))
    tried.start_unit("greedy.service", wait=True)
    outcome = expect(tried, SECONDS, systemd="critical")
    assert outcome.result("systemd")["message"].endswith("; systemd answers by its private socket")


def test_a_bus_that_lets_nobody_speak_to_systemd(tried: Node) -> None:
    refused = '<deny send_destination="org.freedesktop.systemd1"/>'
    policy = f"<busconfig><policy context='mandatory'>{refused}</policy></busconfig>"
    tried.write_file("/etc/dbus-1/system.d/tried.conf", policy)
    reload = ("busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ReloadConfig")
    tried.run(*reload)
    try:
        expect(tried, SECONDS)  # root asks by the private socket, and that a policy refuses us is no fault of the bus
        unseen = dict.fromkeys(("unit", "main"), "blocked")
        expect(tried, SECONDS, user=NOBODY, systemd="unknown", port="unknown", **unseen)
    finally:
        tried.run("rm", "/etc/dbus-1/system.d/tried.conf")
        tried.run(*reload)


def test_a_systemd_that_is_reloaded_all_the_time(tried: Node) -> None:
    busy(tried, "systemctl daemon-reload", "systemctl daemon-reload")
    for _ in range(5):
        expect(tried, SECONDS)


def test_a_systemd_that_starts_and_stops_units_all_the_time(tried: Node) -> None:
    without_limit = {"StartLimitIntervalSec": 0}  # or they fail, for which systemd is degraded
    tried.unit("many@.service", units.service("One of many", without_limit, ExecStart="/bin/sleep 60"))
    busy(tried, *(f"systemctl restart --no-block many@{number}.service" for number in range(4)))
    for _ in range(5):
        outcome = expect(tried, SECONDS)
        assert outcome.report["problems"] == []


def test_a_systemd_with_five_thousand_units(tried: Node) -> None:
    tried.unit("many@.target", "[Unit]\nDescription=One of many\n")
    tried.run("sh", "-c", "seq 5000 | sed 's/.*/many@&.target/' | xargs systemctl start")
    try:
        listed = tried.run("sh", "-c", "systemctl list-units --no-legend 'many@*' | wc -l").stdout
        assert int(listed) == 5000
        expect(tried, SECONDS)
    finally:
        tried.run("systemctl", "stop", "many@*.target")


def test_a_logind_that_is_dead(tried: Node) -> None:
    tried.run("systemctl", "stop", "systemd-logind.service")
    expect(tried, SECONDS)


# ---- processes


def test_twenty_thousand_processes(tried: Node) -> None:
    tried.unit(
        "crowd.service", units.running("/usr/bin/perl -e 'fork or do { sleep 600; exit } for 1..20000; sleep 600'")
    )
    tried.run("mkdir", "-p", "/etc/systemd/system/crowd.service.d")
    tried.start_unit("crowd.service")
    deadline = time.monotonic() + 120
    while int(tried.run("sh", "-c", "ls -d /proc/[0-9]* | wc -l").stdout) < 20000:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    outcome = expect(tried, SECONDS)
    assert outcome.report["problems"] == []


def test_processes_that_come_and_go_while_they_are_counted(tried: Node) -> None:
    busy(tried, *(["/bin/true & /bin/true & /bin/true & wait"] * 3))
    for _ in range(10):
        expect(tried, SECONDS)


def test_processes_with_names_that_are_none(tried: Node) -> None:
    code = (
        "import os, sys\n"
        "for name in (b'a\\nb c) S 1', b'\\xff\\xfe\\x1b[31m', b'', b') R 0 0'):\n"
        "    if not os.fork():\n"
        "        open('/proc/self/comm', 'wb').write(name)\n"
        "        signal.pause()\n"
        "if not os.fork():\n"
        "    os.execv('/usr/bin/sleep', ['sleep'] + ['600'] + ['0' * 131071] * 15)\n"
        "ready()\n"
    )
    tried.unit("strange.service", units.python_service("Strange names", code))
    tried.start_unit("strange.service", wait=True)
    expect(tried, SECONDS)


# ---- storage


def test_a_mount_that_is_dead_hangs_only_what_looks_there(tried: Node, dead: str) -> None:
    checks = {
        "a file": f"file: {{path: {dead}/file}}",
        "files": f"file: {{path: '{dead}/*.yaml', count: 0}}",
        "the mount": f"mount: {{path: {dead}}}",
        "its room": f"disk: {{path: {dead}, free: '> 1 MiB'}}",
        "a certificate": f"tls: {{path: {dead}/tls.crt}}",
        "a pid file": f"process: {{pidfile: {dead}/pid}}",
    }
    tried.write_file(DEFINITION, definition(**checks))
    outcome = tried.nodecheck("run", DEFINITION, "-o", "json", "--events", "never")
    statuses = outcome.statuses()
    assert set(statuses.values()) <= {"unknown", "critical"}, statuses
    assert [name for name, status in statuses.items() if status == "critical"] == ["the mount"], statuses
    assert outcome.seconds < SECONDS + 1
    expect(tried, SECONDS)


@pytest.mark.parametrize("arguments", [("{dead}/checks.d",), ("-e", "@{dead}/vars.yaml"), ("-o", "json={dead}/report")])
def test_a_run_whose_own_files_are_on_a_dead_mount(tried: Node, dead: str, arguments: tuple[str, ...]) -> None:
    given = [argument.format(dead=dead) for argument in arguments]
    before = time.monotonic()
    ended = tried.run("nodecheck", "run", "--budget", "3s", "--events", "never", *given, check=False)
    assert time.monotonic() - before < 4
    assert (ended.returncode, ended.stderr.startswith("nodecheck: the run did not end within 3.")) == (3, True)
    assert f"{dead}/" in ended.stderr


def test_a_memory_that_is_on_a_dead_mount(tried: Node, dead: str) -> None:
    (problem,) = expect(tried, SECONDS, "--state", f"{dead}/state").report["problems"]
    assert problem.startswith(f"{dead}/state did not answer within 2s, so what this run saw is not remembered")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("ro", "it, or its disk, is read-only"),
        ("size=4k", "the disk is full"),
        ("nr_inodes=1", "the disk is full"),
    ],
)
def test_a_memory_for_which_there_is_no_room(tried: Node, options: str, words: str) -> None:
    tried.run("mkdir", "-p", "/mnt/full")
    tried.run("mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "tmpfs", "/mnt/full")
    try:
        outcome = expect(tried, SECONDS, "--state", "/mnt/full")
        assert words in outcome.report["problems"][0]
    finally:
        tried.run("umount", "/mnt/full")


@pytest.mark.parametrize("make", ["mkfifo /run/tried.yaml", "ln -s /dev/zero /run/tried.yaml", "mkdir /run/tried.yaml"])
def test_what_is_no_file_is_neither_waited_for_nor_read_without_end(tried: Node, make: str) -> None:
    tried.run("sh", "-c", make)
    try:
        checks = definition(
            content="file: {path: /run/tried.yaml, content: anything}", pid="process: {pidfile: /run/tried.yaml}"
        )
        outcome = tried.check(checks, "--events", "never")
        assert outcome.statuses().keys() == {"content", "pid"}
        assert set(outcome.statuses().values()) <= {"unknown", "critical"}
        assert outcome.seconds < 2
        ended = tried.run("nodecheck", "run", "/run/tried.yaml", timeout=10, check=False)
        assert (ended.returncode, ended.stdout) == (3, "")
    finally:
        tried.run("rm", "-rf", "/run/tried.yaml")


# ---- network


def test_sixty_thousand_sockets(tried: Node) -> None:
    code = (
        "for process in range(120):\n"
        "    if os.fork():\n"
        "        continue\n"
        "    held = []\n"
        "    for port in range(500):\n"
        "        held.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM))\n"
        "        held[-1].bind((f'127.1.{process}.1', 20000 + port))\n"
        "        held[-1].listen(1)\n"
        "    signal.pause()\n"
        "ready()\n"
    )
    tried.unit("sockets.service", units.python_service("Many sockets", code))
    tried.start_unit("sockets.service", wait=True)
    deadline = time.monotonic() + 60
    while int(tried.run("sh", "-c", "ss -Hltn | wc -l").stdout) < 60000:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    expect(tried, SECONDS)


# ---- nodecheck itself


def test_two_runs_at_once_and_eight_more(tried: Node) -> None:
    tried.write_file(DEFINITION, definition(**CHECKS))
    run = ("nodecheck", "run", DEFINITION, "-o", "json", "--events", "never")
    started = [tried.machine.start(*run) for _ in range(10)]
    reports = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [2] * 10
    assert all(report.count('"status": "critical"') == reports[0].count('"status": "critical"') for report in reports)


@pytest.mark.parametrize(
    "environment",
    [
        ("-i",),
        ("-i", "LANG=C", "LC_ALL=C"),
        ("-i", "PATH=/nowhere"),
        ("HOME=/nowhere", "PYTHONPATH=/mnt", "PYTHONHOME=/mnt"),
    ],
)
def test_the_environment_of_the_caller_changes_nothing(tried: Node, environment: tuple[str, ...]) -> None:
    expect(tried, SECONDS, user=("/usr/bin/env", *environment))


def test_a_root_that_is_read_only(tried: Node) -> None:
    script = 'mount -o remount,bind,ro / && exec "$@"'
    expect(tried, SECONDS, user=("unshare", "--mount", "sh", "-c", script, "sh"))


def test_a_proc_that_hides_the_processes_of_others(tried: Node) -> None:
    script = 'mount -t proc -o hidepid=invisible proc /proc && exec "$@"'
    unseen = dict.fromkeys(("main", "nobody", "command_line", "port"), "unknown")
    expect(tried, SECONDS, user=("unshare", "--mount", "sh", "-c", script, "sh", *NOBODY), **unseen)


def test_within_a_container_that_is_judged_and_systemd_is_unknown(node: Node) -> None:
    node.start_unit("docker.service", wait=True)
    checks = {name: CHECKS[name] for name in ("systemd", "unit", "nobody", "no port", "program")}
    node.write_file(DEFINITION, definition(**checks))
    node.container("sleeper", "sleep", "1")  # makes the image
    mounts = ("--volume=/usr:/usr:ro", "--volume=/run/nodecheck-test:/checks:ro")
    outcome = node.outcome(
        "docker", "run", "--rm", *mounts, "nodecheck-test", "nodecheck", "run", "/checks/check.yaml", "-o", "json",
        "--events", "never", "--state", "none",
    )  # fmt: skip
    assert outcome.statuses() == {
        "systemd": "unknown",
        "unit": "blocked",
        "nobody": "critical",
        "no port": "critical",
        "program": "ok",
    }
    assert outcome.result("systemd")["message"] == "systemd is not running here"
