"""What is shipped for Prometheus and Grafana as examples, tried by promtool."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import yaml
from fakes import report, result
from readers import GOLDEN, run

from nodecheck.report import prometheus
from nodecheck.report.result import Status
from nodecheck.report.style import Style

EXAMPLES = pathlib.Path(__file__).parent.parent.parent / "systemd/examples"
RULES = EXAMPLES / "prometheus-alerts.yaml"


def rule_test(series: str, alerts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": series, "values": "0 1 1"}],
        "alert_rule_test": alerts,
    }


def test_the_alert_rules_fire_when_they_should(tmp_path: pathlib.Path) -> None:
    series = 'nodecheck_check_status{check="docker",status="critical",instance="w1"}'
    fires = {
        "exp_labels": {"severity": "critical", "check": "docker", "status": "critical", "instance": "w1"},
        "exp_annotations": {"summary": "w1: the check docker is critical"},
    }
    alerts: list[dict[str, Any]] = [
        {"eval_time": "0m", "alertname": "NodecheckCritical", "exp_alerts": []},
        {"eval_time": "1m", "alertname": "NodecheckCritical", "exp_alerts": [fires]},
    ]
    tests = {"rule_files": [str(RULES)], "tests": [rule_test(series, alerts)]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests))
    ended = run("promtool", "test", "rules", tmp_path / "tests.yaml")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_fault_that_is_not_confirmed_alerts_nobody(tmp_path: pathlib.Path) -> None:
    made = report(result("docker", Status.CRITICAL, confirmed=False), result("kubelet", Status.CRITICAL))
    told = prometheus.render(made, Style()).splitlines()
    series = [line.rpartition(" ")[::2] for line in told if line.startswith("nodecheck_check_")]
    fires = {
        "exp_labels": {"severity": "critical", "check": "kubelet", "type": "unit", "status": "critical"},
        "exp_annotations": {"summary": ": the check kubelet is critical"},
    }
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": value} for name, value in series],
        "alert_rule_test": [{"eval_time": "0m", "alertname": "NodecheckCritical", "exp_alerts": [fires]}],
    }
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [test]}))
    ended = run("promtool", "test", "rules", tmp_path / "tests.yaml")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def expressions() -> list[str]:
    panels = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())["panels"]
    return [target["expr"].replace("$instance", ".*") for panel in panels for target in panel["targets"]]


def test_prometheus_understands_what_the_dashboard_asks(tmp_path: pathlib.Path) -> None:
    rules = [{"record": f"asked:{number}", "expr": asked} for number, asked in enumerate(expressions())]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    ended = run("promtool", "check", "rules", tmp_path / "rules.yaml")
    assert (ended.returncode, len(rules)) == (0, 10), ended.stdout + ended.stderr


def test_the_dashboard_asks_for_what_a_report_tells() -> None:
    asked = {name for text in expressions() for name in re.findall(r"nodecheck_\w+", text)}
    told = set(re.findall(r"^nodecheck_\w+", (GOLDEN / "one-of-each.2.prometheus").read_text(), re.MULTILINE))
    assert asked
    assert asked <= told
