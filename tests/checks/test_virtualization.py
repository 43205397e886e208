from __future__ import annotations

from typing import Any

import pytest
from fakes import make, node, statuses, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN


def daemon(state: str = "answers", **fields: Any) -> dict[str, Any]:
    """Return a socket of libvirt on which somebody listens."""
    return {"socket": "/run/libvirt/libvirt-sock", "state": state, "error": "", "seconds": 0.002} | fields


def seen(key: str = "KVM", **fields: Any) -> Node:
    made = node()
    well = {"kvm": "", "nested": True, "cpu": ["vmx"], "hugepages": {"total": 8, "free": 4, "rsvd": 1}, "libvirt": []}
    made.observed.windows = {"virtualization": {key: well | fields}}
    return made


@pytest.mark.parametrize(
    ("arguments", "fields", "expected"),
    [
        ({}, {}, {"kvm": OK}),
        ({}, {"kvm": "there is no /dev/kvm"}, {"kvm": CRITICAL}),
        ({"kvm": False}, {"kvm": "there is no /dev/kvm"}, {"kvm": OK}),
        ({"kvm": False}, {}, {"kvm": CRITICAL}),
        ({"cpu": True}, {"kvm": "there is no /dev/kvm"}, {"cpu": OK}),
        ({"cpu": True}, {"cpu": []}, {"cpu": CRITICAL}),
        ({"cpu": False}, {"cpu": []}, {"cpu": OK}),
        ({"nested": True}, {}, {"nested": OK}),
        ({"nested": True}, {"nested": False}, {"nested": CRITICAL}),
        ({"nested": False}, {"nested": None}, {"nested": UNKNOWN}),
        ({"kvm": True, "nested": True}, {}, {"kvm": OK, "nested": OK}),
        ({"hugepages": 8, "hugepages_free": 3}, {}, {"hugepages": OK, "hugepages_free": OK}),
        ({"hugepages": "> 8"}, {}, {"hugepages": CRITICAL}),
        ({"hugepages_free": "> 3"}, {}, {"hugepages_free": CRITICAL}),
        ({"hugepages_free": 0}, {"hugepages": {"total": 8, "free": 4, "rsvd": 9}}, {"hugepages_free": OK}),
        ({"hugepages": 0}, {"hugepages": {}}, {"hugepages": UNKNOWN}),
        ({"hugepages_free": 0}, {"hugepages": {}}, {"hugepages_free": UNKNOWN}),
    ],
)
def test_what_is_asked_for_is_judged(
    arguments: dict[str, Any], fields: dict[str, Any], expected: dict[str, Status]
) -> None:
    assert expected == statuses(make("virtualization", **arguments), seen(**fields))


@pytest.mark.parametrize(
    ("arguments", "fields", "message"),
    [
        ({"cpu": True}, {}, "the CPU has the flag vmx"),
        ({"cpu": False}, {}, "the CPU has the flag vmx"),
        (
            {"cpu": True},
            {"cpu": []},
            (
                "the CPU has no flag for virtual machines (vmx, svm or sie): it is turned off in the firmware, or "
                "by the hypervisor that this node runs on"
            ),
        ),
        ({"cpu": False}, {"cpu": []}, "the CPU has no flag for virtual machines (vmx, svm or sie)"),
        ({}, {}, "KVM is usable"),
        ({}, {"kvm": "there is no /dev/kvm"}, "KVM is not usable: there is no /dev/kvm"),
        ({"nested": True}, {}, "virtual machines may be nested"),
        ({"nested": True}, {"nested": False}, "virtual machines may not be nested"),
        ({"hugepages": 8}, {}, "number of huge pages of this node is 8"),
        ({"hugepages_free": 3}, {}, "number of free huge pages of this node is 3"),
    ],
)
def test_the_message_says_what_is_there(arguments: dict[str, Any], fields: dict[str, Any], message: str) -> None:
    assert message == told(make("virtualization", **arguments), seen(**fields))


@pytest.mark.parametrize(
    ("sockets", "status", "message"),
    [
        (
            [],
            CRITICAL,
            "nobody listens on a socket of libvirt (virtqemud-sock or libvirt-sock in /run/libvirt)",
        ),
        ([daemon()], OK, "libvirt answers on /run/libvirt/libvirt-sock within 2ms"),
        ([daemon("idle")], OK, "libvirt is idle: systemd listens on /run/libvirt/libvirt-sock"),
        (
            [daemon("silent", seconds=4.0)],
            CRITICAL,
            "libvirt does not answer on /run/libvirt/libvirt-sock within 4s, although its daemon runs",
        ),
        (
            [daemon("refuses", error="Connection refused")],
            CRITICAL,
            "libvirt does not answer on /run/libvirt/libvirt-sock: Connection refused",
        ),
        ([daemon(), daemon("silent")], CRITICAL, None),
    ],
)
def test_libvirt_answers_or_is_idle(sockets: list[dict[str, Any]], status: Status, message: str | None) -> None:
    check, made = make("virtualization", libvirt=True), seen("KVM and libvirt", libvirt=sockets)
    assert statuses(check, made) == {"libvirt": status}
    assert message in (None, told(check, made))


def test_that_libvirt_is_not_there_is_not_for_this_type_to_say() -> None:
    assert [name for name, _, _ in make("virtualization", libvirt=False).mistakes()] == ["libvirt"]
    assert [*make("virtualization", libvirt=True).mistakes()] == []
