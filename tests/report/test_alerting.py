"""The alert rules that are shipped as an example, tried by promtool."""

from __future__ import annotations

import pathlib
from typing import Any

import yaml
from readers import run

RULES = pathlib.Path(__file__).parent.parent.parent / "systemd/examples/prometheus-alerts.yaml"


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
