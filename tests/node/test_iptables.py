"""iptables on a real node: rules in one backend, then in both."""

from .node import Node
from .verdicts import judged


def test_rules_in_both_backends_are_seen_and_none_is_made_by_looking(node: Node) -> None:
    chains = "iptables: {chains: [filter/NODECHECK-TEST], backend: nft}"
    for table in ("filter", "nat"):  # an earlier test's dockerd leaves its rules behind
        node.run("iptables-nft", "-t", table, "-F")
        node.run("iptables-nft", "-t", table, "-X")
    node.run("iptables-nft", "-P", "FORWARD", "ACCEPT")
    judged(node, "iptables: {backend: none}", "ok")
    node.run("iptables-nft", "-N", "NODECHECK-TEST")
    try:
        judged(node, chains, "ok")
        judged(node, "iptables: {chains: [nat/NODECHECK-TEST]}", "critical", "nat/NODECHECK-TEST is not in nft")
        node.run("iptables-legacy", "-N", "NODECHECK-OTHER")
        judged(node, "iptables: {}", "critical", "rules in nft .* and legacy .*: the kernel obeys both")
        node.run("iptables-legacy", "-X", "NODECHECK-OTHER")
        judged(node, chains, "ok")
    finally:
        node.run("iptables-nft", "-X", "NODECHECK-TEST")
