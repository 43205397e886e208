from __future__ import annotations

from typing import Any

import pytest
from fakes import judge, make, node, statuses, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL = Status.OK, Status.CRITICAL
KEY = "net.ipv4.ip_forward"


def _seen(value: str | None, boot: str | None = None, path: str = "net/ipv4/ip_forward") -> Node:
    made = node()
    found = {"value": value, "boot": boot and {"source": "/etc/sysctl.d/k8s.conf", "value": boot}}
    made.observed.windows = {"sysctl": {path: found, f"{path} now and at boot": found}}
    return made


@pytest.mark.parametrize(
    ("arguments", "value", "boot", "expected"),
    [
        ({}, "0", None, {"key": OK}),
        ({}, None, None, {"key": CRITICAL}),
        ({"value": 1}, "1", None, {"value": OK}),
        ({"value": 1}, "0", None, {"value": CRITICAL}),
        ({"value": ">= 262144"}, "262144", None, {"value": OK}),
        ({"value": ">= 262144"}, "65530", None, {"value": CRITICAL}),
        ({"value": "4096 1 2"}, "4096 1 2", None, {"value": OK}),
        ({"value": 1, "persistent": True}, "1", "1", {"value": OK, "persistent": OK}),
        ({"value": 1, "persistent": True}, "1", "0", {"value": OK, "persistent": CRITICAL}),
        ({"value": 1, "persistent": True}, "0", "1", {"value": CRITICAL, "persistent": OK}),
        ({"value": 1, "persistent": True}, "1", None, {"value": OK, "persistent": CRITICAL}),
        ({"value": ">= 5", "persistent": True}, "9", "5", {"value": OK, "persistent": OK}),
        # Without a value: the same as now.
        ({"persistent": True}, "1", "1", {"persistent": OK}),
        ({"persistent": True}, "1", "0", {"persistent": CRITICAL}),
        ({"persistent": True}, "a < b", "a < b", {"persistent": OK}),
        ({"persistent": True}, "a.c", "abc", {"persistent": CRITICAL}),
        ({"persistent": True}, "", "x", {"persistent": OK}),
        ({"persistent": True}, "-1", "-1", {"persistent": OK}),
        ({"persistent": True}, "1", "01", {"persistent": OK}),
        ({"persistent": True}, "a 1", "a 1", {"persistent": OK}),
        ({"persistent": True}, "!= 1", "2", {"persistent": CRITICAL}),
        ({"persistent": False}, "1", None, {"persistent": OK}),
        ({"persistent": False}, "1", "1", {"persistent": CRITICAL}),
        ({"value": 1, "persistent": True}, None, "1", {"key": CRITICAL, "persistent": OK}),
    ],
)
def test_now_and_after_the_next_boot_are_judged(
    arguments: dict[str, Any], value: str | None, boot: str | None, expected: dict[str, Status]
) -> None:
    assert expected == statuses(make("sysctl", key=KEY, **arguments), _seen(value, boot))


def test_the_message_tells_which_file_makes_it_otherwise() -> None:
    check = make("sysctl", key=KEY, value=1, persistent=True)

    assert told(check, _seen("0", "0")) == (
        "value of net.ipv4.ip_forward is 0, expected 1; "
        "/etc/sysctl.d/k8s.conf sets net.ipv4.ip_forward to 0 at boot, expected 1"
    )
    assert told(check, _seen("1")) == "no file of sysctl.d sets net.ipv4.ip_forward at boot"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("net.netfilter.nf_conntrack_max", "does not exist: the module nf_conntrack is not loaded"),
        ("net.ipv4.nothing", "does not exist"),
    ],
)
def test_a_setting_that_does_not_exist_is_missing(key: str, message: str) -> None:
    (finding,) = judge(make("sysctl", key=key), _seen(None, path=key.replace(".", "/")))

    assert (finding.observed, finding.message) == ("missing", f"{key} {message}")


def test_a_setting_that_comes_with_a_module_tells_which_one() -> None:
    path = "net/bridge/bridge-nf-call-iptables"
    check = make("sysctl", key="net.bridge.bridge-nf-call-iptables", value=1)

    expected = "net.bridge.bridge-nf-call-iptables does not exist: the module br_netfilter is not loaded"
    assert expected == told(check, _seen(None, path=path))


@pytest.mark.parametrize(
    "key", ["../../etc/shadow", "/etc/shadow", "net..ipv4", "net.*.x", "a b", "a=1", "net/./x", "."]
)
def test_a_key_leads_nowhere_else(key: str) -> None:
    assert [argument for argument, _, _ in make("sysctl", key=key).mistakes()] == ["key"]


@pytest.mark.parametrize("key", ["kernel.pid_max", "net/ipv4/conf/eth0.100/rp_filter", "abi", "fs.inotify.max_user-x"])
def test_names_of_settings_are_no_mistake(key: str) -> None:
    assert list(make("sysctl", key=key).mistakes()) == []
