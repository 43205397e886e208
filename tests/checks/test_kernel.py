from __future__ import annotations

from typing import Any

import pytest
from fakes import judge, make, node, status_of, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
SEEN: dict[str, Any] = {
    "release": "6.1.0-27-amd64", "architecture": "x86_64", "tainted": [], "cgroup": "v2", "lockdown": "none",
    "command_line": ["BOOT_IMAGE=/vmlinuz", "quiet", "psi=1", "console=tty0", "console=ttyS0", "x.token=<masked>"],
}  # fmt: skip


def _seen(**changed: Any) -> Node:
    made = node()
    made.observed.windows = {"kernel": {"/proc/version": SEEN | changed}}
    return made


@pytest.mark.parametrize(
    ("arguments", "changed", "status"),
    [
        ({}, {}, OK),
        ({}, {"tainted": ["proprietary_module", "out_of_tree_module", "warning"]}, OK),
        ({}, {"tainted": ["died"]}, CRITICAL),
        ({}, {"tainted": ["warning", "soft_lockup"]}, CRITICAL),
        ({"version": ">= 5.4"}, {}, OK),
        ({"version": ">= 5.4"}, {"release": "4.19.0"}, CRITICAL),
        ({"version": ">= 5.4"}, {"tainted": ["died"]}, OK),  # what is expected is judged, and nothing else
        ({"release": "/-amd64$/"}, {}, OK),
        ({"release": "/-rt/"}, {}, CRITICAL),
        ({"architecture": ["x86_64", "aarch64"]}, {}, OK),
        ({"architecture": "aarch64"}, {}, CRITICAL),
        ({"tainted": "untainted"}, {}, OK),
        ({"tainted": "untainted"}, {"tainted": ["warning"]}, CRITICAL),
        ({"tainted": {"not": "warning"}}, {"tainted": ["user", "warning"]}, CRITICAL),
        ({"cgroup": "v2"}, {}, OK),
        ({"cgroup": "v2"}, {"cgroup": "hybrid"}, CRITICAL),
        ({"cgroup": "v2"}, {"cgroup": None}, UNKNOWN),
        ({"lockdown": "none"}, {}, OK),
        ({"lockdown": "none"}, {"lockdown": "integrity"}, CRITICAL),
        ({"lockdown": "none"}, {"lockdown": None}, UNKNOWN),
        ({"parameters": ["quiet", "psi=1", "console=ttyS0", "console=tty0"]}, {}, OK),
        ({}, {"tainted": ["bad_page"]}, CRITICAL),
        ({}, {"tainted": ["machine_check"]}, CRITICAL),
        ({"parameters": "BOOT-IMAGE"}, {}, OK),
        ({"parameters": "BOOT-IMAGE=/vmlinuz"}, {}, OK),
        ({"parameters": "BOOT-IMAGE=/other"}, {}, CRITICAL),
        ({"parameters": "quiet="}, {}, CRITICAL),
        ({"without_parameters": "BOOT-IMAGE=/vmlinuz"}, {}, CRITICAL),
        ({"without_parameters": "BOOT-IMAGE=/other"}, {}, OK),
        ({"parameters": "a_b"}, {"command_line": ["a-b=1"]}, OK),
        ({"parameters": "x.token=abc"}, {"command_line": ["x.token=1", "x.token=<masked>"]}, UNKNOWN),
        ({"parameters": "psi=0"}, {}, CRITICAL),
        ({"parameters": "nosmt"}, {}, CRITICAL),
        ({"parameters": "x.token=abc"}, {}, UNKNOWN),
        ({"parameters": "x.token"}, {}, OK),
        ({"without_parameters": ["nosmt", "psi=0"]}, {}, OK),
        ({"without_parameters": "psi"}, {}, CRITICAL),
        ({"without_parameters": "psi=1"}, {}, CRITICAL),
        ({"without_parameters": "x.token=abc"}, {}, UNKNOWN),
    ],
)
def test_each_property_is_judged_where_it_is_expected(
    arguments: dict[str, Any], changed: dict[str, Any], status: Status
) -> None:
    assert status is status_of(make("kernel", **arguments), _seen(**changed))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"version": ">= 6.6"}, "version of the kernel is 6.1.0-27-amd64, expected >= 6.6"),
        ({"parameters": "psi=0"}, "the kernel command line has psi=1, expected psi=0"),
        ({"parameters": "nosmt"}, "the kernel command line has no nosmt, expected nosmt"),
        ({"without_parameters": "psi"}, "the kernel command line has psi=1, expected to be without psi"),
        (
            {"parameters": "x.token=a"},
            "whether x.token=a is on the kernel command line cannot be told: its value is secret",
        ),
    ],
)
def test_the_message_tells_what_is_there(arguments: dict[str, Any], message: str) -> None:
    assert message == told(make("kernel", **arguments), _seen())


@pytest.mark.parametrize(
    ("arguments", "observed", "message"),
    [
        ({"release": "/amd64/"}, "6.1.0-27-amd64", "release of the kernel is 6.1.0-27-amd64"),
        ({"architecture": "x86_64"}, "x86_64", "architecture of the kernel is x86_64"),
        ({"tainted": "untainted"}, "untainted", "taint of the kernel is untainted"),
        ({"cgroup": "v2"}, "v2", "version of the control groups of the kernel is v2"),
        ({"lockdown": "none"}, "none", "lockdown of the kernel is none"),
        ({"parameters": "psi"}, "psi=1", "the kernel command line has psi=1"),
        ({"without_parameters": "nosmt"}, "none", "the kernel command line has no nosmt"),
    ],
)
def test_what_was_seen_is_in_the_finding_of_its_property(
    arguments: dict[str, Any], observed: str, message: str
) -> None:
    (finding,) = judge(make("kernel", **arguments), _seen())

    assert (*arguments, observed, message) == (finding.property, finding.observed, finding.message)
