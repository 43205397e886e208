"""Interfaces, routes, name servers and connections of a node, looked at by nodecheck as it is installed there."""

from collections.abc import Iterator

import pytest

from . import units
from .node import Node
from .verdicts import judged


@pytest.fixture
def overlay(node: Node) -> Iterator[None]:
    """What flannel makes, with a veth pair instead of a network between nodes."""
    made = (
        "link add under0 type veth peer name under1; link set under0 up; link set under1 up; "
        "link add cni0 type bridge; link set cni0 up; addr add 10.244.1.1/24 dev cni0; "
        "addr add 10.77.9.1/24 dev under0; route add 10.244.2.0/24 via 10.77.9.2"
    )
    for line in made.split("; "):
        node.run("ip", *line.split())
    yield
    for name in ("under0", "cni0"):
        node.run("ip", "link", "del", name, check=False)


@pytest.mark.usefixtures("overlay")
def test_interfaces_and_routes_that_break(node: Node) -> None:
    judged(node, "interface: {name: cni0, kind: bridge, addresses: 10.244.0.0/16}", "ok", "^cni0 is up")
    judged(node, "route: {to: 10.244.2.7, device: under0, gateway: 10.77.9.2}", "ok")
    node.run("ip", "link", "set", "under1", "down")
    judged(node, "interface: {name: under0}", "critical", "^under0 is switched on and has no carrier")
    judged(
        node, "route: {to: 10.244.2.7}", "critical", "^the route to 10.244.2.7 leads nowhere: under0 has no carrier$"
    )
    node.run("ip", "link", "del", "cni0")
    judged(node, "interface: {name: cni0}", "critical", "^there is no interface cni0; there are ")
    judged(node, "route: {to: 10.244.0.0/16}", "critical", "to parts of it there are: 10.244.2.0/24$")


def test_a_node_whose_name_server_is_not_there(node: Node) -> None:
    node.write_file("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    says = "of /etc/resolv.conf, 127.0.0.1 .* is not there: nothing listens$"
    judged(node, "dns: {name: db.example}", "critical", says)
    judged(node, "dns: {name: db.example, server: 127.0.0.1}", "critical", "^nothing listens on 127.0.0.1 ")
    judged(node, "tcp: {address: 'db.example:5432'}", "unknown", "could not be looked up")


def test_connections_to_a_daemon(node: Node) -> None:
    judged(node, "tcp: {address: '127.0.0.1:7010'}", "critical", "the connection is refused, nothing listens there$")
    node.unit("tried.service", units.listener(7010))
    node.start_unit("tried.service", wait=True)
    judged(node, "tcp: {address: '127.0.0.1:7010', time: < 1s}", "ok", "^127.0.0.1:7010 takes connections within ")
    judged(node, "tcp: {address: '127.0.0.1:7010', state: closed}", "critical", ", expected closed$")
