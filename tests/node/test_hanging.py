"""What hangs, or is not there: the run ends in time, says which, and judges what it still can see."""

import dataclasses
from collections.abc import Sequence

from . import units
from .node import DEFINITION, Node, Outcome
from .verdicts import definition

DEFAULT_SECONDS = 5.0  # the timeout of a check that names none; the budget of 30 s is not used up
STUCK_BUS = "dbus-daemon accepts connections to the system bus, but does not answer"
STUCK_SYSTEMD = "systemd (PID 1) does not answer on the bus"
DEAD_BUS = "nobody listens on the socket of the system bus: dbus-daemon is dead"
NO_BUS = "the system bus has no socket: dbus is not running"
NO_SYSTEMD = "systemd is not running here"
UNITS = {
    "unit": "unit: {name: tried.service}",
    "main": "process: {name: listener, unit: tried.service, main: true}",
}
OTHERS = {
    "held by unit": "port: {port: 7020, unit: tried.service}",  # control groups tell
    "process": "process: {name: listener, unit: tried.service}",
    "no process": "process: {name: nobody-has-this}",
    "port": "port: {port: 7020, process: listener}",
    "no port": "port: {port: 7021}",
}
SYSTEM = {"systemd": "system: {}"}
SEEN = {"held by unit": "ok", "process": "ok", "no process": "critical", "port": "ok", "no port": "critical"}
SERVER = "import socket\nserver = socket.create_server(('127.0.0.1', 7022))\nwhile True: server.accept()\n"
BUDGET = ("--budget", "3s")


@dataclasses.dataclass(frozen=True)
class Dark:
    """What a run may say and take when systemd cannot be asked."""

    says: str
    seconds: float = 1.0


def listening(node: Node) -> None:
    """A daemon to be judged by its unit, process and port; then what the test does begins."""
    node.unit("tried.service", units.listener(7020, "127.0.0.1"))
    node.start_unit("tried.service", wait=True)
    everything = {**SYSTEM, **UNITS, **OTHERS}
    expected = dict.fromkeys(everything, "ok") | {"no process": "critical", "no port": "critical"}
    assert node.check(definition(**everything)).statuses() == expected


def expect_one_cause(node: Node, dark: Dark, args: Sequence[str] = ()) -> None:
    """With a check of systemd itself, that is the one finding, and blocks what needs systemd."""
    outcome = node.check(definition(**SYSTEM, **UNITS, **OTHERS), *args)
    assert outcome.statuses() == {"systemd": "critical", **dict.fromkeys(UNITS, "blocked"), **SEEN}
    assert dark.says in outcome.result("systemd")["message"]
    for name in UNITS:
        assert outcome.result(name)["causes"] == ["systemd"]
    expect_in_time(outcome, dark, 2)


def expect_unknown(node: Node, dark: Dark, args: Sequence[str] = ()) -> None:
    """Without one, what needs systemd is unknown; nothing is called broken that was not seen."""
    outcome = node.check(definition(**UNITS, process=OTHERS["process"], port=OTHERS["port"]), *args)
    assert outcome.statuses() == {**dict.fromkeys(UNITS, "unknown"), "process": "ok", "port": "ok"}
    for name in UNITS:
        assert dark.says in outcome.result(name)["message"]
        assert outcome.result(name)["causes"] == ["systemd"]
    expect_in_time(outcome, dark, 3)


def expect_in_time(outcome: Outcome, dark: Dark, exit_code: int) -> None:
    """The run ended when it had to, with this code, and left nothing behind."""
    assert (outcome.exit_code, outcome.report["exit_code"]) == (exit_code, exit_code)
    assert outcome.seconds < dark.seconds + 1
    assert outcome.report["duration_seconds"] <= dark.seconds + 0.5
    assert outcome.report["problems"] == []


def expect_dark(node: Node, says: str, *budget: str, seconds: float = 1.0) -> None:
    """Both kinds of definition; the first in the default budget, where a check's own timeout ends the waiting."""
    expect_one_cause(node, Dark(says, DEFAULT_SECONDS if seconds > 1 else 1.0))
    expect_unknown(node, Dark(says, seconds), budget)
    node.expect_nothing_left()


def expect_only_the_bus(node: Node, says: str, seconds: float = 1.0) -> None:
    """Root asks systemd without the bus: that is broken, and all else is judged. Others see nothing of units."""
    outcome = node.check(definition(**SYSTEM, **UNITS, **OTHERS))
    assert outcome.statuses() == {"systemd": "critical", **dict.fromkeys(UNITS, "ok"), **SEEN}
    message = outcome.result("systemd")["message"]
    assert says in message
    assert "; systemd answers by its private socket" in message
    expect_in_time(outcome, Dark(says, seconds), 2)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    found = node.outcome(*nobody, "nodecheck", "run", DEFINITION, "-o", "json").statuses()
    assert {name: found[name] for name in (*SYSTEM, *UNITS)} == {
        "systemd": "critical",
        **dict.fromkeys(UNITS, "blocked"),
    }


def test_a_bus_that_hangs(node: Node) -> None:
    listening(node)
    node.freeze(node.main_pid("dbus.service"))
    expect_only_the_bus(node, STUCK_BUS, DEFAULT_SECONDS)


def test_a_systemd_that_hangs(node: Node) -> None:
    listening(node)
    node.freeze(1)
    expect_dark(node, STUCK_SYSTEMD, *BUDGET, seconds=3)


def test_a_bus_and_a_systemd_that_hang(node: Node) -> None:
    listening(node)
    node.freeze(node.main_pid("dbus.service"))
    node.freeze(1)
    expect_dark(node, STUCK_BUS, *BUDGET, seconds=3)


def test_with_a_short_budget_systemd_that_hangs_is_still_the_one_cause(node: Node) -> None:
    listening(node)
    node.freeze(1)
    expect_one_cause(node, Dark(STUCK_SYSTEMD, 2), ["--budget", "2s"])


def test_what_hung_is_well_again_when_it_goes_on(node: Node) -> None:
    listening(node)
    bus = node.main_pid("dbus.service")
    node.freeze(bus)
    node.thaw(bus)
    assert node.check(definition(**SYSTEM, **UNITS)).statuses() == dict.fromkeys([*SYSTEM, *UNITS], "ok")


def test_a_bus_that_is_dead_and_left_its_socket(node: Node) -> None:
    listening(node)
    node.run("systemctl", "stop", "dbus.socket", "dbus.service")
    assert node.run("stat", "-c", "%F", "/run/dbus/system_bus_socket").stdout == "socket\n"
    expect_only_the_bus(node, DEAD_BUS)


def test_a_bus_without_a_socket(node: Node) -> None:
    listening(node)
    node.run("systemctl", "stop", "dbus.socket", "dbus.service")
    node.run("rm", "-f", "/run/dbus/system_bus_socket")
    expect_only_the_bus(node, NO_BUS)


def test_a_bus_that_cannot_be_started_again(node: Node) -> None:
    """systemd holds the socket, and what it would start for it is masked."""
    listening(node)
    bus = node.main_pid("dbus.service")
    node.unit("dbus.service", units.masked())
    node.run("kill", "-KILL", str(bus))
    expect_only_the_bus(node, "bus", DEFAULT_SECONDS)


def test_a_killed_bus_that_systemd_starts_again_hides_nothing(node: Node) -> None:
    listening(node)
    node.run("kill", "-KILL", str(node.main_pid("dbus.service")))
    node.wait_for("dbus.service", ActiveState="failed")
    outcome = node.check(definition(unit=UNITS["unit"], process=OTHERS["process"]))
    assert (outcome.exit_code, outcome.statuses()) == (0, {"unit": "ok", "process": "ok"})
    assert node.show("dbus.service", "ActiveState") == {"ActiveState": "active"}


def test_a_bus_that_is_dead_while_systemd_hangs(node: Node) -> None:
    listening(node)
    bus = node.main_pid("dbus.service")
    node.freeze(1)
    node.run("kill", "-KILL", str(bus))
    expect_one_cause(node, Dark("does not answer", 2), ["--budget", "2s"])


def without_systemd(node: Node, text: str, *args: str) -> Outcome:
    """Run where another process is PID 1, and nothing of systemd or its bus is in /run."""
    node.write_file("/etc/tried.yaml", text)
    node.write_file("/etc/tried.py", SERVER)
    script = "mount -t tmpfs tmpfs /run; python3 /etc/tried.py & "
    script += "until ss -Hltn sport = 7022 | grep -q .; do sleep 0.02; done; "
    script += 'nodecheck run "$@"; exit $?'
    shell = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script, "sh"]
    return node.outcome(*shell, *args)


def test_without_systemd_the_rest_is_judged(node: Node) -> None:
    checks = {"python": "process: {name: python3}", "port": "port: {port: 7022, process: python3, connect: true}"}
    text = definition(**SYSTEM, unit="unit: {name: dbus.service}", **checks, gone=OTHERS["no port"])
    outcome = without_systemd(node, text, "/etc/tried.yaml", "-o", "json")
    expected = {"systemd": "unknown", "unit": "blocked", "python": "ok", "port": "ok", "gone": "critical"}
    assert outcome.statuses() == expected
    assert outcome.result("systemd")["message"] == NO_SYSTEMD
    assert outcome.result("unit")["causes"] == ["systemd"]
    assert (outcome.exit_code, outcome.report["problems"]) == (2, [])
    assert "systemd" not in outcome.report["node"]["groups"]
    assert outcome.seconds < 3


def test_without_systemd_the_shipped_checks_are_unknown_by_one_cause(node: Node) -> None:
    outcome = without_systemd(node, "", "-o", "json")
    unknown = [result for result in outcome.report["results"] if result["status"] == "unknown"]
    # Without systemd there is no journal either, and nobody says that this is a container.
    assert [result["message"] for result in unknown].count(NO_SYSTEMD) == 1
    assert set(outcome.statuses().values()) <= {"unknown", "blocked", "ok", "skipped", "warning"}
    assert outcome.exit_code == 3


def test_the_report_for_people_names_the_cause_once(node: Node) -> None:
    listening(node)
    node.freeze(1)
    node.machine.write_file(DEFINITION, definition(**UNITS))
    done = node.run("nodecheck", "run", DEFINITION, "--budget", "2s", check=False)
    assert done.returncode == 3
    assert done.stdout.count(STUCK_SYSTEMD) == 1
    assert "unknown: 2 checks could not be judged" in done.stdout
