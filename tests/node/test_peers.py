"""Beside other tools, on units that are well and units that are not: where they disagree, nodecheck is right."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest

from . import units
from .conftest import CHECKOUT
from .derived import ensure_derived_root
from .machine import Machine
from .node import Node
from .peers import NO_ANSWER, NOT_WELL, PEERS, SUITE, WELL, Subject, recipe
from .verdicts import judge

UNIT = Subject("tried.service")
SERVER = Subject("tried.service", "listener", 7020)
ASKED = {UNIT: "unit: {name: tried.service}", SERVER: "port: {port: 7020, unit: tried.service, connect: true}"}
ACCEPTING = units.python_service(
    "A server",
    "import threading\nname('listener')\nserver = socket.create_server(('127.0.0.1', 7020))\n"
    "threading.Thread(target=lambda: [server.accept() for _ in iter(int, 1)], daemon=True).start()\nready()\n",
)


@pytest.fixture(scope="module")
def peers_machine(node_possible: None, say: Callable[[str], None]) -> Iterator[Machine]:
    with Machine(SUITE, name="peers", base=ensure_derived_root(recipe(), say)) as booted:
        booted.install_nodecheck(CHECKOUT)
        yield booted


@pytest.fixture
def peers_node(peers_machine: Machine) -> Iterator[Node]:
    node = Node(peers_machine)
    yield node
    node.restore()


def start(node: Node) -> None:
    node.start_unit("tried.service")
    node.run("sleep", "1")


def crash_loop(node: Node) -> None:
    node.start_unit("tried.service")
    node.wait_for("tried.service", SubState="auto-restart")


def stop_by_signal(node: Node) -> None:
    start(node)
    node.freeze(node.main_pid("tried.service"))


def delete_file(node: Node) -> None:
    start(node)
    node.run("rm", "/etc/systemd/system/tried.service")
    node.run("systemctl", "daemon-reload")


def idle_by_socket(node: Node) -> None:
    node.unit("tried.socket", units.socket_unit("/run/tried.sock"))
    node.start_unit("tried.socket", wait=True)


def enabled(node: Node) -> None:
    node.run("systemctl", "enable", "tried.service")


def enabled_and_started(node: Node) -> None:
    enabled(node)
    start(node)


def port_of_another(node: Node) -> None:
    node.unit("other.service", units.listener(7020, "127.0.0.1", comm="other"))
    node.start_unit("other.service", wait=True)
    start(node)


def hung_systemd(node: Node) -> None:
    start(node)
    node.freeze(1)


@dataclasses.dataclass(frozen=True)
class Scene:
    """A unit that is as it should be, or not; and the tools that see it otherwise, with the reason."""

    text: str
    make: Callable[[Node], None]
    truth: str
    subject: Subject = UNIT
    others: tuple[tuple[str, str], ...] = ()  # (reason, names of tools)


ACTIVE = "wants each service to be active, and does not ask what it is meant to be"
ACTIVE_TOOLS = "systemctl is-active, goss, testinfra, check_systemd"
FAILED = "knows broken as failed only"
FAILED_TOOLS = "systemctl is-failed, node_exporter"
UNLOADED = "has no state of a unit that systemd does not keep in memory"
STATE = "believes the state of systemd, and does not look at the process"
LISTENS = "asks whether anybody listens: not who, nor whether somebody is let in"
SCENES = {
    "a daemon that runs": Scene(units.running(), start, WELL),
    "a server that runs": Scene(ACCEPTING, start, WELL, SERVER),
    "a oneshot that has ended": Scene(
        units.finished_oneshot(), start, WELL, others=((ACTIVE, ACTIVE_TOOLS), (UNLOADED, "node_exporter"))
    ),
    "a service that waits for its socket": Scene(
        units.running(), idle_by_socket, WELL, others=((ACTIVE, ACTIVE_TOOLS),)
    ),
    "a condition that is not met": Scene(
        units.condition_not_met(), enabled_and_started, WELL, others=((ACTIVE, ACTIVE_TOOLS),)
    ),
    "a service that failed": Scene(units.failing(), start, NOT_WELL),
    "a service that restarts for ever": Scene(
        units.crash_looping(restart_seconds=5), crash_loop, NOT_WELL, others=((FAILED, FAILED_TOOLS),)
    ),
    "an enabled service that never ran": Scene(units.running(), enabled, NOT_WELL, others=((FAILED, FAILED_TOOLS),)),
    "a service that never gets ready": Scene(
        units.stuck_activating(), start, NOT_WELL, others=((FAILED, FAILED_TOOLS),)
    ),
    "a service whose file is gone": Scene(
        units.running(),
        delete_file,
        NOT_WELL,
        others=((STATE, "systemctl is-active, systemctl is-failed, goss, testinfra, check_systemd"),),
    ),
    "a server that a signal has stopped": Scene(
        ACCEPTING,
        stop_by_signal,
        NOT_WELL,
        SERVER,
        (
            (STATE, "systemctl is-active, systemctl is-failed, check_systemd, node_exporter, monit"),
            (LISTENS, "ss, goss, testinfra"),
        ),
    ),
    "a server whose queue is full": Scene(
        units.full_listener(7020),
        start,
        NOT_WELL,
        SERVER,
        (
            (STATE, "systemctl is-active, systemctl is-failed, check_systemd, node_exporter"),
            (LISTENS, "ss, testinfra"),
        ),
    ),
    "a port that another one holds": Scene(
        units.running(),
        port_of_another,
        NOT_WELL,
        SERVER,
        (
            (STATE, "systemctl is-active, systemctl is-failed, check_systemd, node_exporter"),
            (LISTENS, "ss, goss, testinfra"),
        ),
    ),
    "a systemd that hangs": Scene(units.running(), hung_systemd, NO_ANSWER),
}


@pytest.mark.parametrize("name", SCENES)
def test_beside_other_tools(name: str, peers_node: Node, record_property: Callable[[str, object], None]) -> None:
    scene = SCENES[name]
    peers_node.unit("tried.service", scene.text)
    scene.make(peers_node)
    status = judge(peers_node, ASKED[scene.subject], "--budget", "5s").statuses()["the check"]
    own = {"ok": WELL, "unknown": NO_ANSWER}.get(status, NOT_WELL)
    seen = {peer: verdict for peer, ask in PEERS.items() if (verdict := ask(peers_node, scene.subject))}
    record_property("verdicts", seen)
    assert own == scene.truth
    wrong = {peer for peer, verdict in seen.items() if verdict != scene.truth}
    assert wrong == {peer for _, peers in scene.others for peer in peers.split(", ")}
