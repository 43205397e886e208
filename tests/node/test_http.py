"""dockerd answers by HTTP on its socket, until it hangs."""

from .node import Node
from .verdicts import expect, finding, judge, judged

PING = "http: {url: 'unix:///run/docker.sock/_ping', body: OK}"


def test_dockerd_that_answers_that_hangs_and_that_is_not_there(node: Node) -> None:
    judged(
        node,
        PING,
        "critical",
        r"^unix:///run/docker\.sock/_ping cannot be connected to: (there is no such socket|connection refused)$",
    )
    node.run("systemctl", "start", "docker")
    judged(node, PING, "ok", r"answers 200 OK")
    judged(node, "http: {url: 'unix:///run/docker.sock/info', json: {CgroupDriver: /^(systemd|cgroupfs)$/}}", "ok")
    node.freeze(node.main_pid("docker.service"))
    result = expect(judge(node, f"{PING}, timeout: 1s"), "critical", "does not answer: it took longer than 1s$")
    assert finding(result, "url")["rule"] == "headers"
