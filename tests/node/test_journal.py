"""The journal of a real node: what is written is counted, and a journald that writes nothing is no silence."""

from .node import Node
from .verdicts import definition, judged

BROKEN = "journal: {identifier: nodecheck-test, pattern: /is broken/, since: 10m}"


def test_entries_are_counted_in_their_time_without_their_secrets(node: Node) -> None:
    judged(node, BROKEN, "ok", "^no entries of nodecheck-test within 10m$")
    node.run("logger", "-t", "nodecheck-test", "this is fine")
    node.run("logger", "-t", "nodecheck-test", "it is broken --password=hunter2")
    node.run("journalctl", "--sync")
    says = '1 entry of nodecheck-test within 10m, .* by nodecheck-test: "it is broken --password=<masked>"$'
    judged(node, BROKEN, "critical", says)
    judged(node, "journal: {identifier: nodecheck-test, count: 2}", "ok")
    judged(node, "journal: {unit: no-such.service, since: 1d}", "ok", "no entries of no-such.service within 1d")
    judged(node, "journal: {unit: no-such*, since: 1d}", "ok", r"no entries of no-such\* within 1d")


def test_a_journald_that_was_stopped_by_a_signal_makes_it_unknown(node: Node) -> None:
    pid = node.main_pid("systemd-journald.service")
    node.freeze(pid)
    judged(node, "journal: {set: oom_killing}", "unknown", "systemd-journald is stopped or dead")
    node.thaw(pid)


def test_an_entry_counts_in_one_run_only(node: Node) -> None:
    check = BROKEN.replace("since: 10m", "since: 10m, new: true").replace("nodecheck-test", "nodecheck-new")
    found: list[str] = []
    for writes in (True, False, True):
        if writes:
            node.run("logger", "-t", "nodecheck-new", "it is broken")
            node.run("journalctl", "--sync")
        found += node.check(definition(new=check), "--state", "/run/nodecheck-test/state").statuses().values()
    assert found == ["critical", "ok", "critical"]


def test_a_damaged_file_may_hold_what_was_not_counted(node: Node) -> None:
    node.run("logger", "-t", "nodecheck-damaged", "it is broken")
    node.run("journalctl", "--rotate")
    node.run("sh", "-c", "for file in /var/log/journal/*/system@*; do cp -p $file $file.kept; : > $file; done")
    check = BROKEN.replace("nodecheck-test", "nodecheck-damaged")
    judged(node, check, "unknown", r"journalctl ignored what may hold more, .*: /var/log/journal/.*/system@.*\.journal")
    node.run("sh", "-c", "for file in /var/log/journal/*/system@*.kept; do mv $file ${file%.kept}; done")
    judged(node, check, "critical")
