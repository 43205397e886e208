"""The checks of the host itself, on a real node: the kernel is the machine's, settings and files are its own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .node import Node
from .verdicts import judged

PLAY = "- {hosts: all, checks: [%s]}\n"
# As sysctl.d(5) has it: by name over by pattern, - takes out of a pattern, /etc over /usr/lib, the last one wins.
FILES = {
    "/etc/sysctl.d/10-a.conf": """\
net.ipv4.conf.*.rp_filter = 2
net.ipv4.conf.lo.rp_filter = 0
-net.ipv4.conf.default.rp_filter
net/ipv4/conf/lo/log_martians = 1
net.ipv4.ip_forward = 1
kernel.no_such_setting = 1
this is no assignment
""",
    "/etc/sysctl.d/20-b.conf": "net.ipv4.ip_forward = 0\nnet.ipv4.conf.[a]ll.log_martians=1\n",
    "/usr/lib/sysctl.d/15-c.conf": "net.ipv4.ip_forward = 1\nnet.ipv4.conf.*.log_martians = 0\n",
    "/usr/lib/sysctl.d/20-b.conf": "net.ipv4.conf.lo.rp_filter = 1\n",
}
SETTINGS = [
    *(f"net.ipv4.conf.{interface}.rp_filter" for interface in ("lo", "all", "default")),
    *(f"net.ipv4.conf.{interface}.log_martians" for interface in ("lo", "all", "default")),
    "net.ipv4.ip_forward",
]


@pytest.fixture
def settings(node: Node) -> Iterator[dict[str, str]]:
    """The settings as they are; after the test they are so again."""
    before = _values(node)
    yield before
    for name, value in before.items():
        node.run("sysctl", "-w", f"{name}={value}")


def _values(node: Node) -> dict[str, str]:
    return {name: node.run("sysctl", "-n", name).stdout.strip() for name in SETTINGS}


def _findings(node: Node, *checks: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The findings of these checks, each a mapping of a type to its arguments."""
    named = (json.dumps({"name": f"check {number}", **check}) for number, check in enumerate(checks))
    outcome = node.check(PLAY % ", ".join(named))
    assert outcome.report["summary"], outcome.stderr
    return [result["findings"] for result in sorted(outcome.report["results"], key=lambda result: result["name"])]


def test_a_setting_becomes_at_boot_what_systemd_makes_it(node: Node, settings: dict[str, str]) -> None:
    for path, text in FILES.items():
        node.write_file(path, text)
    checks = [{"sysctl": {"key": name, "persistent": True, "value": "/never/"}} for name in SETTINGS]
    said = {name: findings[-1]["observed"] for name, findings in zip(SETTINGS, _findings(node, *checks), strict=True)}
    node.run("/lib/systemd/systemd-sysctl", check=False)  # it tells of the lines that are wrong on purpose

    assert _values(node) == {name: settings[name] if boot is False else str(boot) for name, boot in said.items()}
    assert (said["net.ipv4.conf.lo.rp_filter"], said["net.ipv4.conf.default.rp_filter"]) == ("0", False)


def test_a_setting_that_was_changed_by_hand_is_well_now_and_not_after_the_next_boot(
    node: Node, settings: dict[str, str]
) -> None:
    node.write_file("/etc/sysctl.d/50-x.conf", "net.ipv4.ip_forward = 0\n")
    node.run("sysctl", "-w", "net.ipv4.ip_forward=1")
    ((now, at_boot),) = _findings(node, {"sysctl": {"key": "net.ipv4.ip_forward", "value": 1, "persistent": True}})

    assert (now["status"], at_boot["status"]) == ("ok", "critical")
    assert at_boot["message"] == "/etc/sysctl.d/50-x.conf sets net.ipv4.ip_forward to 0 at boot, expected 1"


@pytest.mark.parametrize(
    ("running", "status", "observed"),
    [
        ((), "critical", "none"),
        (("chrony.service",), "ok", "chrony"),
        (("chrony.service", "systemd-timesyncd.service"), "critical", "chrony, timesyncd"),
    ],
)
def test_one_service_keeps_the_clock(node: Node, running: tuple[str, ...], status: str, observed: str) -> None:
    for name in running:
        node.unit(name, "[Service]\nExecStart=/bin/sleep infinity\n")
        node.start_unit(name, wait=True)
    ((synchronised, source),) = _findings(node, {"clock": {"synchronised": True, "source": "chrony"}})

    assert (status, observed) == (source["status"], source["observed"])
    assert synchronised["status"] in ("ok", "critical")  # it is the clock of this machine; the service proves nothing


def test_what_the_kernel_counts_is_seen_on_a_node(node: Node) -> None:
    found = _findings(
        node,
        {"memory": {"total": "> 64MiB"}},
        {"load": {"tasks": "> 1"}},
        {"limits": {"pids": "< 100%", "files": "< 100%"}},
        {"kernel": {"version": ">= 4"}},
    )

    assert [finding["message"] for findings in found for finding in findings if finding["status"] != "ok"] == []


def test_inotify_is_unknown_within_a_container_which_does_not_see_who_else_uses_it(node: Node) -> None:
    ((finding,),) = _findings(node, {"limits": {"inotify_instances": "< 100%"}})

    assert (finding["status"], "not seen from here" in finding["message"]) == ("unknown", True)


UNPACKED = r"""
set -e
mkdir -p /run/tried/DEBIAN && cd /run
printf '%s\n' 'Package: tried' 'Version: 1:2.3-1' 'Architecture: all' 'Maintainer: nobody' 'Description: tried' \
  >tried/DEBIAN/control
dpkg-deb --build tried tried.deb
dpkg --unpack tried.deb
"""


def test_a_package_that_was_only_unpacked_is_not_installed(node: Node) -> None:
    node.run("sh", "-c", UNPACKED)
    try:
        judged(node, "package: {name: tried}", "critical", "tried .*unpacked")
        node.run("dpkg", "--configure", "tried")
        judged(node, 'package: {name: tried, at_least: "2.3", held: false}', "ok")
        judged(node, 'package: {name: tried, older_than: "2.3"}', "critical", "2.3")
    finally:
        node.run("dpkg", "--purge", "tried")
    judged(node, "package: {name: tried}", "critical", "tried is not installed")
