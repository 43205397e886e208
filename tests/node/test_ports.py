"""Ports of a real kernel: where, by whom, and whether anybody accepts."""

import pytest

from . import units
from .node import Node
from .verdicts import definition, expect, finding, judge, judged

# Accepts every connection, and answers nothing.
ACCEPTS = """
server = socket.create_server(("127.0.0.1", 7010))
ready()
while True:
    server.accept()
"""


def listening(node: Node, text: str) -> None:
    """Start a daemon that listens."""
    node.unit("tried.service", text)
    node.start_unit("tried.service", wait=True)


def test_a_port_that_is_open_and_one_that_is_not(node: Node) -> None:
    judged(node, "port: {port: 7010}", "critical", "^nothing listens on port 7010/tcp$")
    judged(node, "port: {port: 7010, state: free}", "ok", "^port 7010/tcp is free$")
    listening(node, units.listener(7010))
    judged(node, "port: {port: 7010}", "ok", "^port 7010/tcp is open on 0.0.0.0$")
    says = r"is not free: it is held on 0.0.0.0 by listener \(pid \d+\)"
    judged(node, "port: {port: 7010, state: free}", "critical", says)


def test_a_port_held_by_the_wrong_process(node: Node) -> None:
    listening(node, units.listener(7010, comm="intruder"))
    pid = node.main_pid("tried.service")
    says = rf"^port 7010/tcp is held by intruder \(pid {pid}\), expected kubelet$"
    result = judged(node, "port: {port: 7010, process: kubelet}", "critical", says)
    assert finding(result, "process")["observed"] == f"intruder (pid {pid})"
    judged(node, "port: {port: 7010, process: intruder, unit: tried.service}", "ok")


def test_a_port_held_by_the_wrong_unit(node: Node) -> None:
    listening(node, units.listener(7010))
    says = r"held by listener \(pid \d+\) of tried.service, expected containerd.service"
    judged(node, "port: {port: 7010, unit: containerd.service}", "critical", says)


@pytest.mark.parametrize(
    ("bound", "v6_only", "wanted", "status"),
    [
        ("127.0.0.1", None, "127.0.0.1", "ok"),
        ("127.0.0.1", None, "0.0.0.0", "critical"),
        ("127.0.0.1", None, "127.0.0.2", "critical"),
        ("127.0.0.1", None, "loopback", "ok"),
        ("127.0.0.1", None, "everywhere", "critical"),
        ("127.0.0.1", None, "'::ffff:127.0.0.1'", "ok"),
        ("::1", None, "loopback", "ok"),
        ("::ffff:127.0.0.1", False, "127.0.0.1", "ok"),
        ("0.0.0.0", None, "0.0.0.0", "ok"),
        ("0.0.0.0", None, "loopback", "critical"),
        ("0.0.0.0", None, "everywhere", "critical"),
        ("0.0.0.0", None, "'::'", "critical"),
        ("::", False, "0.0.0.0", "ok"),
        ("::", False, "'::'", "ok"),
        ("::", False, "everywhere", "ok"),
        ("::", False, "loopback", "critical"),
        ("::", True, "0.0.0.0", "critical"),
        ("::", True, "'::'", "ok"),
        ("::", True, "everywhere", "critical"),
    ],
)
def test_the_address_of_a_port(node: Node, bound: str, v6_only: bool | None, wanted: str, status: str) -> None:
    listening(node, units.listener(7010, bound, v6_only=v6_only))
    result = judged(node, f"port: {{port: 7010, address: {wanted}, unit: tried.service}}", status)
    assert finding(result, "address")["status"] == status
    assert finding(result, "unit")["status"] == "ok"
    if status == "critical":
        assert result["message"].endswith(f"expected {wanted.strip(chr(39))}")


def test_two_sockets_on_one_port_serve_everywhere(node: Node) -> None:
    listening(node, units.listener(7010, "::", v6_only=True))
    node.unit("other.service", units.listener(7010, "0.0.0.0", comm="other"))
    node.start_unit("other.service", wait=True)
    judged(node, "port: {port: 7010, address: everywhere}", "ok", r"is open on 0.0.0.0, :: \(IPv6 only\)$")
    judged(node, "port: {port: 7010, address: 0.0.0.0, process: other}", "ok")
    judged(node, "port: {port: 7010, address: 0.0.0.0, process: listener}", "critical", r"held by other \(pid \d+\)")


def test_a_loopback_check_sees_the_second_socket_too(node: Node) -> None:
    listening(node, units.listener(7010, "127.0.0.1"))
    node.unit("other.service", units.listener(7010, "::", v6_only=True))
    node.start_unit("other.service", wait=True)
    says = r"open on 127.0.0.1, :: \(IPv6 only\), expected loopback"
    judged(node, "port: {port: 7010, address: loopback}", "critical", says)


def test_no_kernel_module_is_loaded_to_see_more(node: Node) -> None:
    """Where tcp_diag is a module that is not loaded, what only it could tell is unknown, and the rest is judged."""
    if node.run("test", "-e", "/proc/modules", check=False).returncode:
        pytest.skip("this kernel was built without modules")
    listening(node, units.listener(7010, "::", v6_only=True))
    release = node.run("uname", "-r").stdout.strip()
    assert node.run("test", "-e", "/lib/modules", check=False).returncode == 1
    node.write_file(f"/lib/modules/{release}/modules.builtin", "kernel/net/ipv4/other.ko\n")
    try:
        unseen = judged(node, "port: {port: 7010, address: 0.0.0.0}", "unknown", "module tcp_diag is not loaded")
        judged(node, "port: {port: 7010, address: '::', process: listener}", "ok", "port 7010/tcp is open on ::$")
        judged(node, "port: {port: 7010, address: 127.0.0.2}", "critical", "is open on ::, expected 127.0.0.2")
        assert unseen["remedy"].startswith("modprobe tcp_diag")
    finally:
        node.run("rm", "-r", "/lib/modules")


def test_a_server_that_accepts(node: Node) -> None:
    listening(node, units.python_service("Accepts", ACCEPTS))
    result = judged(node, "port: {port: 7010, connect: true, process: python3}", "ok")
    assert "accepts within" in finding(result, "connect")["message"]


def test_a_server_that_was_stopped_by_a_signal_accepts_no_more(node: Node) -> None:
    listening(node, units.python_service("Accepts", ACCEPTS))
    node.freeze(node.main_pid("tried.service"))
    outcome = judge(node, "port: {port: 7010, connect: true}, timeout: 1s")
    result = expect(outcome, "critical", "listens, but its process does not take connections")
    assert finding(result, "connect")["observed"] == "not accepted"
    assert outcome.seconds < 2
    node.thaw(node.main_pid("tried.service"))
    judged(node, "port: {port: 7010, connect: true}", "ok")


def test_a_full_queue_is_seen(node: Node) -> None:
    listening(node, units.full_listener(7010))
    outcome = judge(node, "port: {port: 7010, connect: true}, timeout: 1s")
    result = expect(outcome, "critical", r"no answer within 1s: its queue is full \(2 wait, 1 may\)")
    assert finding(result, "state")["status"] == "ok"
    assert outcome.seconds < 2


def test_a_port_is_judged_by_the_timeout_of_its_own_check(node: Node) -> None:
    """Also when another check of the run may take longer."""
    listening(node, units.full_listener(7010))
    checks = {"slow": "port: {port: 7010, connect: true}, timeout: 1s", "unit": "unit: {name: tried.service}"}
    outcome = node.check(definition(**checks, other="port: {port: 7011, state: free}"))
    assert outcome.statuses() == {"slow": "critical", "unit": "ok", "other": "ok"}
    assert outcome.result("slow")["message"].startswith(
        "port 7010/tcp on 127.0.0.1 cannot be connected to: no answer within 1s"
    )
    assert outcome.seconds < 2


@pytest.mark.parametrize("by", ["tried.socket", "tried.service"])
def test_systemd_holds_a_port_for_a_socket_unit(node: Node, by: str) -> None:
    node.unit("tried.service", units.running())
    node.unit("tried.socket", units.socket_unit("127.0.0.1:7010"))
    node.start_unit("tried.socket", wait=True)
    result = judged(node, f"port: {{port: 7010, unit: {by}}}", "ok")
    assert finding(result, "unit")["message"] == "port 7010/tcp is held by systemd for tried.socket"
    says = r"held by systemd \(pid 1\), expected tried; systemd holds it for a socket unit: name that with unit"
    judged(node, "port: {port: 7010, process: tried}", "critical", says)


@pytest.mark.parametrize(
    "check",
    [
        "port: {port: 7010, connect: true}",
        "tcp: {address: 127.0.0.1:7010}",
        "http: {url: 'http://127.0.0.1:7010/'}",
        "tls: {address: 127.0.0.1:7010}",
    ],
)
def test_a_service_that_waits_to_be_asked_is_not_woken_by_looking(node: Node, check: str) -> None:
    node.unit("tried.service", units.running())
    node.unit("tried.socket", units.socket_unit("127.0.0.1:7010"))
    node.start_unit("tried.socket", wait=True)
    judged(node, check, "unknown", "only systemd listens on it, and would start the service for whoever connects")
    assert node.show("tried.service", "ActiveState", "InvocationID") == {"ActiveState": "inactive", "InvocationID": ""}


def test_systemd_holds_a_port_for_another_socket_unit(node: Node) -> None:
    node.unit("tried.service", units.running())
    node.unit("tried.socket", units.socket_unit("127.0.0.1:7010"))
    node.start_unit("tried.socket", wait=True)
    judged(node, "port: {port: 7010, unit: containerd.service}", "critical", r"held by systemd .* containerd.service$")


def test_a_service_that_took_over_its_socket_holds_it_too(node: Node) -> None:
    node.unit("tried.service", units.named("tried"))
    node.unit("tried.socket", units.socket_unit("127.0.0.1:7010"))
    node.start_unit("tried.socket", wait=True)
    node.start_unit("tried.service", wait=True)
    judged(node, "port: {port: 7010, process: tried, unit: tried.service}", "ok")


def test_a_published_port_is_held_by_docker_proxy(node: Node) -> None:
    node.run("systemctl", "start", "docker")
    node.container("published", "/usr/bin/sleep", "infinity", options=["--publish=127.0.0.1:7010:80"])
    judged(node, "port: {port: 7010, process: docker-proxy, unit: docker.service, address: loopback}", "ok")
    judged(node, "port: {port: 7010, process: sleep}", "critical", r"held by docker-proxy \(pid \d+\), expected sleep")


def test_udp_and_tcp_are_two_things(node: Node) -> None:
    listening(node, units.listener(7010, protocol="udp"))
    judged(node, "port: {port: 7010}", "critical", "nothing listens on port 7010/tcp")
    judged(node, "port: {port: 7010, protocol: udp, address: 0.0.0.0, process: listener}", "ok", "7010/udp is open")
    judged(node, "port: {port: 7010, protocol: udp, state: free}", "critical", "port 7010/udp is not free")


def test_an_udp_socket_that_has_a_peer_does_not_listen(node: Node) -> None:
    code = 'client = socket.socket(type=socket.SOCK_DGRAM)\nclient.bind(("127.0.0.1", 7010))\n'
    listening(node, units.python_service("Asks", code + 'client.connect(("127.0.0.1", 53))\nready()\n'))
    judged(node, "port: {port: 7010, protocol: udp}", "critical", "nothing listens on port 7010/udp")


def test_a_connection_from_a_port_does_not_listen_on_it(node: Node) -> None:
    listening(node, units.listener(7011, "127.0.0.1"))
    code = 'client = socket.create_connection(("127.0.0.1", 7011), source_address=("127.0.0.1", 7012))\nready()\n'
    node.unit("client.service", units.python_service("A client", code))
    node.start_unit("client.service", wait=True)
    assert "127.0.0.1:7012" in node.run("ss", "-Htn", "sport = 7012").stdout
    judged(node, "port: {port: 7012}", "critical", "nothing listens on port 7012/tcp")
