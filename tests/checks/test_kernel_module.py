from __future__ import annotations

from typing import Any

import pytest
from fakes import judge, make, node, statuses, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
FILE = "/etc/modules-load.d/k8s.conf"
LOADED = {"loaded": True, "builtin": False, "available": True}
BUILT_IN = {"loaded": False, "builtin": True, "available": False}
AVAILABLE = {"loaded": False, "builtin": False, "available": True}
ABSENT = {"loaded": False, "builtin": False, "available": False}
UNTOLD = {"loaded": False, "builtin": None, "available": None}
NO_TREE = {"loaded": False, "builtin": False, "available": None}


def _seen(found: dict[str, Any], **changed: Any) -> Node:
    made = node()
    plain = {"release": "6.1.0-27-amd64", "boot": [], "blacklist": []}
    made.observed.windows = {"kernel_module": {"br_netfilter": plain | found | changed}}
    return made


@pytest.mark.parametrize(
    ("found", "loaded", "available", "absent"),
    [
        (LOADED, OK, OK, CRITICAL),
        (BUILT_IN, OK, OK, CRITICAL),
        (AVAILABLE, CRITICAL, OK, OK),
        (ABSENT, CRITICAL, CRITICAL, OK),
        (UNTOLD, UNKNOWN, UNKNOWN, UNKNOWN),
        (NO_TREE, CRITICAL, UNKNOWN, OK),
    ],
)
def test_the_state_is_judged(found: dict[str, Any], loaded: Status, available: Status, absent: Status) -> None:
    states = ("loaded", "available", "absent")
    made = [judge(make("kernel_module", name="br-netfilter", state=state), _seen(found)) for state in states]

    assert [loaded, available, absent] == [finding.status for (finding,) in made]


@pytest.mark.parametrize(
    ("found", "boot", "blacklist", "persistent", "status"),
    [
        (LOADED, [FILE], [], True, OK),
        (LOADED, [], [], True, CRITICAL),
        (LOADED, [FILE], ["/etc/modprobe.d/x.conf"], True, CRITICAL),
        (BUILT_IN, [], [], True, OK),
        (UNTOLD, [FILE], [], True, OK),
        (UNTOLD, [], [], True, UNKNOWN),
        (LOADED, [], [], False, OK),
        (LOADED, [FILE], [], False, CRITICAL),
    ],
)
def test_what_happens_at_boot_is_judged(
    found: dict[str, Any], boot: list[str], blacklist: list[str], persistent: bool, status: Status
) -> None:
    check = make("kernel_module", name="br_netfilter", persistent=persistent)

    assert status is statuses(check, _seen(found, boot=boot, blacklist=blacklist))["persistent"]


@pytest.mark.parametrize(
    ("blacklist", "blacklisted", "status"),
    [([], True, CRITICAL), ([], False, OK), (["/etc/modprobe.d/x.conf"], True, OK), ([FILE], False, CRITICAL)],
)
def test_a_blacklist_is_judged(blacklist: list[str], blacklisted: bool, status: Status) -> None:
    check = make("kernel_module", name="br_netfilter", state="absent", blacklisted=blacklisted)

    assert status is statuses(check, _seen(ABSENT, blacklist=blacklist))["blacklisted"]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (AVAILABLE, "br_netfilter is not loaded, but could be, expected loaded"),
        (ABSENT, "br_netfilter is no module of Linux 6.1.0-27-amd64, expected loaded"),
        (NO_TREE, "br_netfilter is not loaded, expected loaded"),
        (BUILT_IN, "br_netfilter is built into the kernel"),
        (
            UNTOLD,
            (
                "br_netfilter is not loaded, and whether it is built in or available cannot be told: "
                "there is no list of the modules of this kernel (/lib/modules/6.1.0-27-amd64)"
            ),
        ),
    ],
)
def test_the_message_tells_where_the_module_is(found: dict[str, Any], message: str) -> None:
    assert message == told(make("kernel_module", name="br_netfilter"), _seen(found))


@pytest.mark.parametrize(
    ("arguments", "found", "seen"),
    [
        ({}, LOADED, ("state", "loaded", "")),
        ({}, AVAILABLE, ("state", "available", "modprobe br_netfilter")),
        ({}, ABSENT, ("state", "absent", "")),
        ({}, UNTOLD, ("state", "not loaded", "")),
        ({"state": "available"}, AVAILABLE, ("state", "available", "")),
        ({"state": "absent"}, LOADED, ("state", "loaded", "")),
        ({"persistent": True}, LOADED, ("persistent", False, "put br_netfilter into a file of /etc/modules-load.d")),
        ({"persistent": True}, BUILT_IN, ("persistent", True, "")),
        ({"persistent": False}, BUILT_IN, ("persistent", True, "")),
        ({"persistent": False}, LOADED | {"boot": [FILE]}, ("persistent", True, "")),
        ({"persistent": True}, LOADED | {"boot": [FILE], "blacklist": ["/x"]}, ("persistent", False, "")),
        ({"persistent": True}, LOADED | {"blacklist": ["/x"]}, ("persistent", False, ("put br_netfilter into a file of "
         "/etc/modules-load.d"))),
        ({"blacklisted": True}, LOADED, ("blacklisted", False, "")),
    ],
)  # fmt: skip
def test_what_was_seen_is_in_the_finding_with_what_helps(
    arguments: dict[str, Any], found: dict[str, Any], seen: tuple[str, Any, str]
) -> None:
    finding = judge(make("kernel_module", name="br_netfilter", **arguments), _seen(found))[-1]

    assert seen == (finding.property, finding.observed, finding.remedy)


@pytest.mark.parametrize(
    ("blacklist", "message"), [([], "nothing forbids to load br_netfilter"), (["/x"], "/x forbids br_netfilter")]
)
def test_what_forbids_a_module_is_told(blacklist: list[str], message: str) -> None:
    check = make("kernel_module", name="br_netfilter", blacklisted=bool(blacklist))

    assert message == judge(check, _seen(LOADED, blacklist=blacklist))[-1].message


def test_what_forbids_a_module_that_is_to_be_loaded_at_boot_is_told() -> None:
    seen = _seen(LOADED, boot=[FILE], blacklist=["/etc/modprobe.d/x.conf"])

    expected = f"{FILE} loads br_netfilter at boot, but /etc/modprobe.d/x.conf forbids it"
    assert expected == told(make("kernel_module", name="br_netfilter", persistent=True), seen)


@pytest.mark.parametrize(
    ("arguments", "mistaken"),
    [
        ({"name": "br-netfilter"}, []),
        ({"name": "../x"}, ["name"]),
        ({"name": "x.ko"}, ["name"]),
        ({"name": "x", "state": "absent", "persistent": True}, ["persistent"]),
        ({"name": "x", "state": "absent", "persistent": False}, []),
        ({"name": "x", "state": "absent"}, []),
    ],
)
def test_mistakes(arguments: dict[str, Any], mistaken: list[str]) -> None:
    assert mistaken == [argument for argument, _, _ in make("kernel_module", **arguments).mistakes()]
