"""Commands on a real node: they end with the run, however that ends."""

import time

from .node import Node
from .verdicts import judge, judged

STAYS = '(setsid sleep 7654 &); trap "" TERM; sleep 7653'


def _sleeping(node: Node) -> str:
    return node.run("pgrep", "-f", "sleep 765[34]", check=False).stdout


def test_a_command_that_hangs_is_killed_with_what_it_hid(node: Node) -> None:
    outcome = judge(node, f"command: {{run: '{STAYS}', shell: true}}, timeout: 1s")
    assert outcome.exit_code == 3
    assert outcome.seconds < 2
    assert _sleeping(node) == ""


def test_a_run_that_is_killed_leaves_no_command(node: Node) -> None:
    node.write_file(
        "/run/nodecheck-test/killed.yaml",
        f"- hosts: all\n  checks:\n    - {{name: a, command: {{run: '{STAYS}', shell: true}}, timeout: 1s}}\n",
    )
    node.run("timeout", "-s", "KILL", "0.7", "nodecheck", "run", "/run/nodecheck-test/killed.yaml", check=False)
    deadline = time.monotonic() + 5
    while _sleeping(node) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _sleeping(node) == ""


def test_a_command_as_another_user_may_not_do_what_root_may(node: Node) -> None:
    judged(node, "command: {run: cat /etc/shadow, user: nobody}", "critical", "ended with exit code 1, .*denied")
    judged(node, "command: {run: cat /etc/shadow, user: nobodyatall}", "unknown", "there is no user nobodyatall")
