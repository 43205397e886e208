"""What a node tells arrives in the central place, through real collectors on a second node: found there by a query."""

import collections
import json
import pathlib
import subprocess
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from observe.pki import Authority

from .conftest import CHECKOUT
from .machine import Machine
from .verdicts import definition

EXAMPLES = CHECKOUT / "systemd/examples"
NODE, CENTRAL = "10.9.0.1", "10.9.0.2"
SETTINGS = f"""
events:
  to:
    - journal
    - syslog:
        address: tls://{CENTRAL}:6514
        ca: /etc/nodecheck/ca.pem
        certificate: /etc/nodecheck/node.pem
        key: /etc/nodecheck/node.key
"""
FORWARDED = "/var/log/nodecheck.jsonl"
REMOTE = "/var/log/journal/remote"
KEYS = "ServerKeyFile={0}.key\nServerCertificateFile={0}.pem\nTrustedCertificateFile=/etc/nodecheck/ca.pem\n"


class Pair:
    """A node with nodecheck, and the central place that gathers what it tells."""

    def __init__(self, node: Machine, central: Machine) -> None:
        self.node = node
        self.central = central

    def connect(self) -> None:
        """Lay a cable between the two."""
        name = self.node.name[-6:]
        ends = {self.node: (f"n{name}", NODE), self.central: (f"c{name}", CENTRAL)}
        first, second = (end for end, _ in ends.values())
        subprocess.run(["ip", "link", "add", first, "type", "veth", "peer", "name", second], check=True)
        for machine, (end, address) in ends.items():
            subprocess.run(["ip", "link", "set", end, "netns", str(machine.leader)], check=True)
            machine.run("ip", "address", "add", f"{address}/24", "dev", end)
            machine.run("ip", "link", "set", end, "up")

    def run_service(self) -> str:
        """Run the service; return the id of the run."""
        self.node.run("systemctl", "start", "nodecheck.service", check=False)
        self.node.run("journalctl", "--sync")
        found = self.node.run("journalctl", "NODECHECK_EVENT=run", "-n", "1", "-o", "json", "--no-pager").stdout
        return str(json.loads(found)["NODECHECK_RUN_ID"])

    def forwarded(self) -> list[dict[str, str]]:
        """The events that have come by syslog."""
        text = self.central.run("cat", FORWARDED, check=False).stdout
        *whole, _ = text.split("\n")  # what follows the last end of a line is being written
        return [json.loads(line) for line in whole]


@pytest.fixture(scope="module")
def pair(node_possible: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two nodes with a cable, and certificates of one authority."""
    authority = Authority(tmp_path_factory.mktemp("pki"))
    with Machine("collectors", "node") as node, Machine("collectors", "central") as central:
        made = Pair(node, central)
        made.connect()
        node.install_nodecheck(CHECKOUT)
        for machine, name, address in ((node, "node", NODE), (central, "central", CENTRAL)):
            cert, key = authority.issue(f"/CN={name}", names=f"DNS:{name},IP:{address}")
            for path, text in ((f"{name}.pem", cert), (f"{name}.key", key), ("ca.pem", authority.cert)):
                for folder in ("/etc/nodecheck", "/etc/rsyslog.d"):
                    machine.write_file(f"{folder}/{path}", pathlib.Path(text).read_text())
        node.write_file("/etc/nodecheck/nodecheck.yaml", SETTINGS)
        node.write_file("/etc/nodecheck/checks.d/50-tried.yaml", definition(absent="process: {name: no-such-name}"))
        central.put(EXAMPLES / "rsyslog-central.conf", "/etc/rsyslog.d/nodecheck.conf", 0o644)
        central.run("systemctl", "restart", "rsyslog")
        yield made


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_examples_for_rsyslog_are_understood(pair: Pair) -> None:
    assert "error" not in pair.central.run("rsyslogd", "-N1").stderr
    pair.node.put(EXAMPLES / "rsyslog-node.conf", "/run/node.conf", 0o644)
    pair.node.run("sed", "-i", "s|/etc/rsyslog.d/|/etc/nodecheck/|", "/run/node.conf")
    assert "error" not in pair.node.run("rsyslogd", "-N1", "-f", "/run/node.conf").stderr


def test_events_arrive_at_rsyslog_by_tls(pair: Pair) -> None:
    run = pair.run_service()
    wait_for(lambda: any(event["event_id"] == f"{run}/run" for event in pair.forwarded()))
    assert {event["id"]: event["status"] for event in pair.forwarded() if event["event"] == "check"}[
        "absent"
    ] == "critical"


def test_after_an_outage_each_event_arrives_once_and_in_order(pair: Pair) -> None:
    pair.central.run("systemctl", "stop", "rsyslog.service", "syslog.socket")
    during = [pair.run_service() for _ in range(3)]
    pair.central.run("systemctl", "start", "rsyslog.service")
    after = pair.run_service()
    wait_for(lambda: any(event["event_id"] == f"{after}/run" for event in pair.forwarded()))
    events = pair.forwarded()
    assert max(collections.Counter(event["event_id"] for event in events).values()) == 1
    runs = [event["run_id"] for event in events if event["event"] == "run"]
    assert runs[-4:] == [*during, after]
    [last] = [event for event in events if event["event_id"] == f"{after}/run"]
    assert "events of 3 runs since" in str(last["problems"])


def test_the_journal_of_the_node_is_searched_in_the_central_place(pair: Pair) -> None:
    pair.central.write_file("/etc/systemd/journal-remote.conf", "[Remote]\n" + KEYS.format("/etc/nodecheck/central"))
    upload = f"[Upload]\nURL=https://{CENTRAL}:19532\n" + KEYS.format("/etc/nodecheck/node")
    pair.node.write_file("/etc/systemd/journal-upload.conf", upload)
    pair.central.run("install", "-d", "-o", "systemd-journal-remote", REMOTE)
    pair.central.run("systemctl", "start", "systemd-journal-remote.socket")
    pair.node.run("systemctl", "start", "systemd-journal-upload.service")
    run = pair.run_service()
    query = ["journalctl", "-D", REMOTE, "--no-pager", "-o", "json", "NODECHECK_STATUS=critical"]
    wait_for(lambda: pair.central.run(*query, f"NODECHECK_RUN_ID={run}", check=False).stdout != "")
    found = [json.loads(line) for line in pair.central.run(*query).stdout.splitlines()]
    assert {entry["_HOSTNAME"] for entry in found} == {pair.node.name}


FETCH = "import sys, urllib.request\nprint(urllib.request.urlopen(sys.argv[1]).read().decode())"


def alerts(pair: Pair) -> set[str]:
    """What Alertmanager has to tell of our alerts."""
    said = pair.central.run("python3", "-c", FETCH, "http://127.0.0.1:9093/api/v2/alerts", check=False).stdout
    return {one["annotations"]["summary"] for one in json.loads(said or "[]") if "summary" in one["annotations"]}


def shown(pair: Pair, panel: str) -> list[dict[str, Any]]:
    """What a panel of the dashboard shows for Grafana, which asks Prometheus for it."""
    panels = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())["panels"]
    [asked] = [one["targets"][0]["expr"] for one in panels if one["title"] == panel]
    query = urllib.parse.urlencode({"query": asked.replace("$instance", ".*")})
    said = pair.central.run("python3", "-c", FETCH, f"http://127.0.0.1:9090/api/v1/query?{query}").stdout
    found: list[dict[str, Any]] = json.loads(said)["data"]["result"]
    return found


def test_a_critical_check_becomes_an_alert_and_ends_with_its_cause(pair: Pair) -> None:
    """The textfile collector of node_exporter on the node; Prometheus with our rules and Alertmanager in the other."""
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["/etc/prometheus/nodecheck.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["127.0.0.1:9093"]}]}]},
        "scrape_configs": [{"job_name": "node", "static_configs": [{"targets": [f"{NODE}:9100"]}]}],
    }
    pair.central.write_file("/etc/prometheus/prometheus.yml", json.dumps(settings))
    pair.central.put(EXAMPLES / "prometheus-alerts.yaml", "/etc/prometheus/nodecheck.yaml", 0o644)
    pair.central.run("systemctl", "restart", "prometheus", "prometheus-alertmanager")
    pair.node.run("mkdir", "-p", "/etc/systemd/system/nodecheck.service.d")
    pair.node.put(EXAMPLES / "textfile.conf", "/etc/systemd/system/nodecheck.service.d/textfile.conf", 0o644)
    pair.node.run("systemctl", "daemon-reload")
    pair.run_service()
    wait_for(lambda: f"{NODE}:9100: the check absent is critical" in alerts(pair))
    assert [one["value"][1] for one in shown(pair, "Nodes with a critical check")] == ["1"]
    assert [one["value"][1] for one in shown(pair, "The worst status of each node")] == ["4"]
    named = {one["metric"]["check"]: float(one["value"][1]) for one in shown(pair, "What is not well now")}
    assert 0.0 < named["absent"] < 600.0
    pair.node.run("rm", "/etc/nodecheck/checks.d/50-tried.yaml")
    pair.run_service()
    wait_for(lambda: f"{NODE}:9100: the check absent is critical" not in alerts(pair))


def test_a_node_that_forwards_its_journal_by_rsyslog_is_heard_in_the_central_place(pair: Pair) -> None:
    """rsyslog on both ends, with TLS: what nodecheck tells the journal is all that the node's one needs."""
    example = (EXAMPLES / "rsyslog-node.conf").read_text()
    told = example.replace('target="logs.example.com"', f'target="{CENTRAL}"').replace("logs.example.com", "central")
    pair.node.write_file("/etc/rsyslog.d/nodecheck.conf", told)
    pair.node.write_file("/etc/nodecheck/nodecheck.yaml", "events: {to: [journal]}\n")
    pair.node.run("systemctl", "restart", "rsyslog")
    run = pair.run_service()
    wanted = {"NODECHECK_RUN_ID": run, "NODECHECK_EVENT": "run"}
    wait_for(lambda: any(wanted.items() <= event.items() for event in pair.forwarded()))
