"""The real node for the tests: booted once a session, mended after each test."""

import os
import pathlib
import sys
from collections.abc import Callable, Iterator

import pytest

from .cluster import Cluster
from .machine import Machine, why_not
from .node import Node
from .openstack import OpenStack
from .scenarios import Proving, markdown, of_cluster

HERE = pathlib.Path(__file__).parent
CHECKOUT = HERE.parent.parent
REQUIRED = os.environ.get("NODECHECK_REQUIRE_NODE") == "1"
SKIPPED = "no cluster was booted, and what is proven on one was not: NODECHECK_CLUSTER=0 says so"
PROVINGS = pytest.StashKey[list[Proving]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this directory with `node`, and with `cluster` what needs one; see pyproject.toml."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("node")
        if {"cluster", "proving"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def node_possible() -> None:
    """Skip where no node can be booted; fail instead where NODECHECK_REQUIRE_NODE=1 says that one has to be."""
    reason = why_not()
    if reason and REQUIRED:
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


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Tell whoever waits at the terminal, at once."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def to_terminal(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", file=sys.stderr, flush=True)

    return to_terminal


@pytest.fixture(scope="session")
def cluster_wanted() -> None:
    """Skip where NODECHECK_CLUSTER=0 says so."""
    if skips_cluster():
        pytest.skip(SKIPPED)


@pytest.fixture(scope="session")
def cluster(cluster_wanted: None, node_possible: None, say: Callable[[str], None]) -> Iterator[Cluster]:
    """A real cluster with nodecheck on both of its nodes."""
    with Cluster(CHECKOUT, say) as booted:
        yield booted


@pytest.fixture(scope="session")
def proving(cluster: Cluster, say: Callable[[str], None], pytestconfig: pytest.Config) -> Proving:
    """The cluster, to be broken by scenarios."""
    return shown_at_the_end(pytestconfig, Proving(of_cluster(cluster), say))


@pytest.fixture(scope="module")
def openstack(node_possible: None, say: Callable[[str], None], pytestconfig: pytest.Config) -> Iterator[Proving]:
    """A node that carries OpenStack, to be broken by scenarios."""
    with OpenStack(CHECKOUT, say) as booted:
        yield shown_at_the_end(pytestconfig, Proving(booted.place(), say))


def shown_at_the_end(config: pytest.Config, proving: Proving) -> Proving:
    """Keep it, for what it proves is shown when all tests have run."""
    config.stash.setdefault(PROVINGS, []).append(proving)
    return proving


def skips_cluster() -> bool:
    """Whether the tests of the cluster are left out."""
    return os.environ.get("NODECHECK_CLUSTER") == "0"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what nodecheck said of each scenario; or that there was no cluster."""
    if skips_cluster():
        terminalreporter.write_line(SKIPPED)
    for proving in config.stash.get(PROVINGS, []):
        if proving.rows:
            terminalreporter.section(f"scenarios on {' and '.join(proving.nodes)}")
            terminalreporter.write_line(markdown(proving.rows))
