"""The examples below systemd/ are read by what they are for, where that is to be had; else their syntax is checked."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest
import yaml

from nodecheck.definitions.settings import read_settings
from nodecheck.events.journal import MESSAGE_IDS

CHECKOUT = pathlib.Path(__file__).parents[1]
EXAMPLES = CHECKOUT / "systemd/examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.y*ml")), ids=lambda path: path.name)
def test_an_example_in_yaml_is_yaml(path: pathlib.Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_the_settings_of_the_example_are_understood(tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "nodecheck.yaml"
    copy.write_text((EXAMPLES / "nodecheck.yaml").read_text())
    assert [sink.kind for sink in read_settings(str(copy)).events.sinks] == ["journal", "syslog"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not here: apt-get install prometheus")
def test_the_alert_rules_fire_when_they_should(tmp_path: pathlib.Path) -> None:
    series = 'nodecheck_check_status{check="docker",status="critical",instance="w1"}'
    alert = {
        "eval_time": "1m",
        "alertname": "NodecheckCritical",
        "exp_alerts": [
            {
                "exp_labels": {"severity": "critical", "check": "docker", "status": "critical", "instance": "w1"},
                "exp_annotations": {"summary": "w1: the check docker is critical"},
            }
        ],
    }
    silent = {"eval_time": "0m", "alertname": "NodecheckCritical", "exp_alerts": []}
    tests = {
        "rule_files": [str(EXAMPLES / "prometheus-alerts.yaml")],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": series, "values": "0 1 1"}],
                "alert_rule_test": [silent, alert],
            }
        ],
    }
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests))
    command = ["promtool", "test", "rules", str(tmp_path / "tests.yaml")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_kind_of_message_has_a_text_in_the_catalog() -> None:
    lines = (CHECKOUT / "systemd/nodecheck.catalog").read_text().splitlines()
    assert {line.removeprefix("-- ") for line in lines if line.startswith("-- ")} == set(MESSAGE_IDS.values())
