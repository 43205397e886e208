"""The real node for the tests: booted once a session, mended after each test."""

import os
import pathlib
from collections.abc import Iterator

import pytest

from .machine import Machine, why_not
from .node import Node

HERE = pathlib.Path(__file__).parent
CHECKOUT = HERE.parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this directory with `node`: pytest -m 'not node' leaves them out."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("node")


@pytest.fixture(scope="session")
def node_possible() -> None:
    """Skip where no node can be booted; fail instead where NODECHECK_REQUIRE_NODE=1 says that one has to be."""
    reason = why_not()
    if reason and os.environ.get("NODECHECK_REQUIRE_NODE") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def machine(node_possible: None) -> Iterator[Machine]:
    """One booted node with nodecheck: Debian 12, or what NODECHECK_SUITE names."""
    with Machine(os.environ.get("NODECHECK_SUITE") or "bookworm") as booted:
        booted.install_nodecheck(CHECKOUT)
        yield booted


@pytest.fixture
def node(machine: Machine) -> Iterator[Node]:
    """The node, to be broken: after the test it is as before."""
    node = Node(machine)
    yield node
    node.restore()
