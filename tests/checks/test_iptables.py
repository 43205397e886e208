from __future__ import annotations

from typing import Any

import pytest
from fakes import judge, make, node, statuses, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL = Status.OK, Status.CRITICAL
MIXED = (
    "ip6tables has rules in nft (5 own chains) and legacy (1 own chains), expected not mixed: the kernel obeys both, "
    "and each command shows only one"
)
EMPTY: dict[str, Any] = {"used": False, "chains": 0, "found": []}


def used(chains: int = 3, *found: str) -> dict[str, Any]:
    """Return a backend with rules."""
    return {"used": True, "chains": chains, "found": [*found]}


def seen(key: str, nft: Any, legacy: Any, command: str = "nft") -> Node:
    made = node()
    made.observed.windows = {"iptables": {key: {"command": command, "nft": nft, "legacy": legacy}}}
    return made


@pytest.mark.parametrize(
    ("arguments", "nft", "legacy", "command", "status"),
    [
        ({}, used(), EMPTY, "nft", OK),
        ({}, used(), None, "nft", OK),
        ({}, None, used(), "legacy", OK),
        ({}, EMPTY, EMPTY, "nft", OK),
        ({}, None, None, "", OK),
        ({}, used(), used(), "nft", CRITICAL),
        ({}, used(), EMPTY, "legacy", CRITICAL),
        ({}, EMPTY, used(), "nft", CRITICAL),
        ({}, used(), EMPTY, "", OK),
        ({"backend": "nft"}, used(), EMPTY, "nft", OK),
        ({"backend": "nft"}, EMPTY, EMPTY, "nft", CRITICAL),
        ({"backend": ["nft", "none"]}, EMPTY, EMPTY, "nft", OK),
        ({"backend": "mixed"}, used(), used(), "nft", OK),
        ({"backend": "none"}, used(), None, "nft", CRITICAL),
        ({"command": "nft"}, EMPTY, EMPTY, "nft", OK),
        ({"command": "legacy"}, used(), EMPTY, "legacy", OK),
        ({"command": "!= missing"}, EMPTY, EMPTY, "", CRITICAL),
    ],
)
def test_rules_are_in_one_backend_and_the_command_works_on_it(
    arguments: dict[str, Any], nft: Any, legacy: Any, command: str, status: Status
) -> None:
    found = judge(make("iptables", **arguments), seen("ipv4", nft, legacy, command))
    assert status == max((finding.status for finding in found), key=[*Status].index)


@pytest.mark.parametrize(
    ("nft", "legacy", "command", "message"),
    [
        (
            used(5),
            used(1),
            "nft",
            MIXED,
        ),
        (
            used(),
            EMPTY,
            "legacy",
            "the rules are in nft, but the command ip6tables works on legacy: it does not see them",
        ),
        (EMPTY, EMPTY, "nft", "ip6tables has no rules"),
    ],
)
def test_what_is_wrong_is_told(nft: Any, legacy: Any, command: str, message: str) -> None:
    assert message == told(make("iptables", family="ipv6"), seen("ipv6", nft, legacy, command))


@pytest.mark.parametrize(
    ("nft", "legacy", "status", "message"),
    [
        (used(2, "A"), EMPTY, OK, "the chain A is in nft"),
        (used(2), EMPTY, CRITICAL, "the chain A is not in nft"),
        (EMPTY, EMPTY, CRITICAL, "there is no chain A: there are no rules"),
        (used(2), used(1, "A"), CRITICAL, "the chain A is not in the backend nft"),
        (used(2, "A"), used(1), OK, "the chain A is in the backend nft"),
    ],
)
def test_chains_are_there_where_the_command_sees_them(nft: Any, legacy: Any, status: Status, message: str) -> None:
    check = make("iptables", chains="A", backend="/./")
    assert statuses(check, seen("ipv4 A", nft, legacy))["chains"] is status
    assert message in [finding.message for finding in judge(check, seen("ipv4 A", nft, legacy))]
