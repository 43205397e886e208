"""Processes of a real kernel: dead, stuck, stopped, cut and counted."""

import pytest

from . import units
from .node import UNITS, Node
from .verdicts import definition, expect, finding, judge, judged

FIFO = "/run/nodecheck-test.fifo"
# A parent that waits for its vfork(2) to end is in state D, as it would be in front of a disk that is gone: here its
# child hangs when it opens a FIFO that nobody writes to.
UNINTERRUPTIBLE = f"""
name("diskwaiter")
os.path.exists("{FIFO}") or os.mkfifo("{FIFO}")
ready()
os.posix_spawn("/bin/true", ["true"], {{}}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, "{FIFO}", os.O_RDONLY, 0)])
"""


def started(node: Node, text: str) -> None:
    """Write a unit and start it."""
    node.unit("tried.service", text)
    node.start_unit("tried.service", wait=True)


def wait_for_state(node: Node, name: str, state: str) -> None:
    """Wait until a process of this name is in this state."""
    node.run("sh", "-c", f"until ps -e -o state=,comm= | grep -q '^{state} {name}'; do sleep 0.02; done", timeout=10)


def test_a_process_that_lives_is_found_by_each_selector(node: Node) -> None:
    started(node, units.running("/usr/bin/sleep 86400.5"))
    pid = node.main_pid("tried.service")
    node.write_file("/run/tried.pid", f"{pid}\n")
    selectors = {
        "cmdline": 'cmdline: "sleep 86400[.]5$"',
        "pidfile": "pidfile: /run/tried.pid",
        "unit": "unit: tried.service, main: true, age: < 1h",
        "name": "name: sleep, unit: tried.service, user: root, exe: /usr/bin/sleep",
        "parent": "name: sleep, parent: systemd, unit: tried.service",
    }
    checks = {name: f"process: {{{text}, count: 1, state: sleeping}}" for name, text in selectors.items()}
    outcome = node.check(definition(**checks))
    assert outcome.statuses() == dict.fromkeys(selectors, "ok")
    assert outcome.exit_code == 0
    for name in selectors:
        assert outcome.result(name)["message"].endswith(f"alive (pid {pid})")


def test_a_process_is_found_by_an_alias_of_its_unit(node: Node) -> None:
    """As ssh.service on Debian, which is sshd.service too: the control group has one name only."""
    node.run("ln", "-s", "tried.service", f"{UNITS}/alias.service")
    started(node, units.running("/usr/bin/sleep 86400.5"))
    judged(node, "process: {name: sleep, unit: alias.service, main: true, count: 1}", "ok", "^1 of ")
    says = r"^sleep, unit sysinit.target is not running: sleep \(pid \d+\) is in tried.service$"
    judged(node, "process: {name: sleep, unit: sysinit.target}", "critical", says)


def test_a_process_that_is_not_there_is_critical(node: Node) -> None:
    judged(node, "process: {name: tried}", "critical", "^tried is not running$")


def test_a_zombie_is_not_alive(node: Node) -> None:
    started(node, units.with_zombie())
    says = r"^only a zombie is left of deadworker: pid \d+ for .*; its parent \d+ does not collect it"
    result = judged(node, "process: {name: deadworker}", "critical", says)
    assert finding(result, "count")["observed"] == 0
    assert f"its parent {node.main_pid('tried.service')} " in result["message"]
    judged(node, "process: {name: deadworker, count: 0}", "ok", "0 of deadworker alive")


def test_a_zombie_is_told_by_its_state(node: Node) -> None:
    started(node, units.with_zombie())
    says = r"deadworker \(pid \d+\) is zombie for "
    judged(node, 'process: {name: deadworker, count: 0, state: "!= zombie"}', "critical", says)
    judged(node, 'process: {name: deadworker, count: 0, state: "!= Z for 1h"}', "ok")


def test_an_uninterruptible_process_is_critical_once_it_is_so_for_long(node: Node) -> None:
    started(node, units.python_service("Waits for a disk", UNINTERRUPTIBLE))
    try:
        wait_for_state(node, "diskwaiter", "D")
        node.run("sleep", "1.4")  # the kernel's clocks of two processors may differ by a tenth of a second
        check = 'process: {name: diskwaiter, unit: tried.service, main: true, count: 2, state: "!= D for %s"}'
        result = judged(node, check % "1s", "critical", r"^diskwaiter \(pid \d+\) is uninterruptible for [1-9]")
        assert finding(result, "state")["observed"] == "uninterruptible"
        assert f"(pid {node.main_pid('tried.service')})" in result["message"]
        judged(node, check % "1h", "ok", "2 of diskwaiter")
    finally:
        node.run("rm", FIFO)


def test_a_command_line_is_judged_beside_a_process_that_hangs(node: Node) -> None:
    started(node, units.python_service("Waits for a disk", UNINTERRUPTIBLE))
    try:
        wait_for_state(node, "diskwaiter", "D")
        judged(node, 'process: {cmdline: "^/usr/bin/containerd", count: 1}', "ok", "1 of command line")
    finally:
        node.run("rm", FIFO)


def test_a_stopped_process_is_critical_and_alive(node: Node) -> None:
    started(node, units.named("tried"))
    pid = node.main_pid("tried.service")
    node.freeze(pid)
    result = judged(node, "process: {name: tried}", "critical", rf"^tried \(pid {pid}\) has been stopped by a signal")
    assert finding(result, "count")["status"] == "ok"
    node.thaw(pid)
    judged(node, "process: {name: tried}", "ok", rf"^1 of tried alive \(pid {pid}\)$")


def test_a_name_is_known_by_the_15_characters_that_the_kernel_keeps(node: Node) -> None:
    node.run("install", "/usr/bin/sleep", "/run/a-name-of-more-than-15-letters")
    try:
        started(node, units.running("/run/a-name-of-more-than-15-letters infinity"))
        for name in ("a-name-of-more-than-15-letters", "a-name-of-more-"):
            judged(node, f"process: {{name: {name}, count: 1}}", "ok", f"1 of {name} alive")
        judged(node, "process: {name: a-name-of-more-than-15-others}", "critical", "is not running")
    finally:
        node.run("rm", "/run/a-name-of-more-than-15-letters")


def test_an_executable_that_was_replaced_is_still_its_own(node: Node) -> None:
    node.run("install", "/usr/bin/sleep", "/run/replaced")
    started(node, units.running("/run/replaced infinity"))
    node.run("rm", "/run/replaced")
    judged(node, "process: {exe: /run/replaced, count: 1}", "ok", "1 of executable /run/replaced alive")


@pytest.mark.parametrize(
    ("count", "status", "says"),
    [
        ("2", "ok", r"^2 of worker alive \(pid \d+, \d+\)$"),
        ('"> 1"', "ok", "^2 of worker alive"),
        ("1", "critical", r"^2 of worker alive \(pid \d+, \d+\), expected 1$"),
        ('"3..9"', "critical", "expected 3..9$"),
        ("0", "critical", "expected 0$"),
    ],
)
def test_processes_are_counted(node: Node, count: str, status: str, says: str) -> None:
    started(node, units.python_service("Two", 'name("worker")\nos.fork()\nready()\n'))
    judged(node, f"process: {{name: worker, count: {count}}}", status, says)


def test_a_process_that_is_not_the_main_process(node: Node) -> None:
    code = 'if os.fork():\n    name("manager")\nelse:\n    name("worker")\n    time.sleep(0.1)\n    ready()\n'
    text = units.python_service("Two", code).replace("Type=notify", "Type=notify\nNotifyAccess=all")
    started(node, text)
    says = rf"the main process of tried.service has pid {node.main_pid('tried.service')}: none of these"
    judged(node, "process: {name: worker, unit: tried.service, main: true}", "critical", says)
    judged(node, "process: {name: manager, unit: tried.service, main: true}", "ok")


def test_a_process_of_the_right_name_in_another_unit(node: Node) -> None:
    started(node, units.named("worker"))
    judged(node, "process: {name: worker, unit: containerd.service}", "critical", "worker, .*containerd.* not running")


def test_a_pid_file_that_is_stale(node: Node) -> None:
    started(node, units.running())
    pid = node.main_pid("tried.service")
    node.write_file("/run/tried.pid", f"{pid}\n")
    node.run("systemctl", "stop", "tried.service")
    judged(
        node,
        "process: {pidfile: /run/tried.pid}",
        "critical",
        rf"the pid file /run/tried.pid is stale: there is no process {pid}",
    )


def test_a_pid_file_that_names_another_program(node: Node) -> None:
    node.write_file("/run/tried.pid", "1\n")
    judged(node, "process: {pidfile: /run/tried.pid, name: tried}", "critical", "process 1 is systemd, not tried")


def test_a_pid_file_that_does_not_exist(node: Node) -> None:
    judged(node, "process: {pidfile: /run/tried.pid}", "critical", "the pid file /run/tried.pid does not exist")


def test_a_pid_file_that_nobody_ever_writes_does_not_hang_the_run(node: Node) -> None:
    node.run("mkfifo", FIFO)
    try:
        outcome = judge(node, f"process: {{pidfile: {FIFO}}}")
        expect(outcome, "critical", f"the pid file {FIFO} holds no process id")
        assert outcome.seconds < 3
    finally:
        node.run("rm", FIFO)


@pytest.mark.parametrize(
    ("expectation", "status", "says"),
    [
        ('threads: "1"', "ok", "alive"),
        ('threads: "> 5"', "critical", r"threads of tried \(pid \d+\) is 1, expected > 5"),
        ('memory: "< 1GiB"', "ok", "alive"),
        ('memory: "< 1MiB"', "critical", r"memory of tried \(pid \d+\) is [\d.]+ ?MiB, expected < 1 ?MiB"),
        ('open_files: "3..20"', "ok", "alive"),
        ('cpu: "< 50%"', "ok", "alive"),
        ('age: "> 1h"', "critical", r"age of tried \(pid \d+\) is .*, expected > 1h"),
    ],
)
def test_a_property_of_a_process(node: Node, expectation: str, status: str, says: str) -> None:
    started(node, units.named("tried"))
    judged(node, f"process: {{name: tried, {expectation}}}", status, says)


def test_a_process_that_is_busy(node: Node) -> None:
    started(node, units.python_service("Busy", 'name("busy")\nready()\nwhile True: pass\n'))
    judged(node, 'process: {name: busy, state: running, cpu: "< 20%"}', "critical", r"cpu of busy .* expected < 20%")
