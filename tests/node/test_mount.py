"""Mounts, disks and sockets as the service sees them, which has mounts of its own (ProtectSystem=)."""

import json

from .node import DEFINITION, Node
from .verdicts import definition

CHECKS = {
    "etc": "mount: {path: /etc, state: absent}",
    "etc is writable": "disk: {path: /etc, read_only: false}",
    "usr": "disk: {path: /usr, used: '< 100%'}",
    "root": "mount: {path: /, read_only: false}",
    "run": "mount: {path: /run, type: tmpfs, options: [nosuid, nodev]}",
    "bus": "file: {path: /run/dbus/system_bus_socket, kind: socket, listening: true}",
    "shadow": "file: {path: /etc/shadow, owner: root, group: shadow, mode_at_most: '0640', lines: '/^root:/'}",
    "swap": "swap: {at_boot: false}",
}


def test_the_hardened_service_sees_the_mounts_and_files_of_the_host(node: Node) -> None:
    root = node.check(definition(**CHECKS))
    assert root.statuses() == dict.fromkeys(CHECKS, "ok")
    output = "/run/nodecheck-test/hardened.json"
    command = f"ExecStart=\nExecStart=/usr/bin/nodecheck run {DEFINITION} -o json\n"
    node.unit("nodecheck.service.d/tried.conf", f"[Service]\n{command}StandardOutput=truncate:{output}\n")
    node.run("systemctl", "start", "nodecheck.service")
    hardened = json.loads(node.run("cat", output).stdout)
    assert {result["name"]: result["status"] for result in hardened["results"]} == root.statuses()
