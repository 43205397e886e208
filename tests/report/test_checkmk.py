"""Local checks, read by the grammar of https://docs.checkmk.com/latest/en/localchecks.html."""

from __future__ import annotations

import pathlib
import re
from typing import NamedTuple

import pytest
from fakes import report, result
from readers import GOLDEN, exit_code, golden

from nodecheck.report import checkmk
from nodecheck.report.result import Status
from nodecheck.report.style import Style

LINE = re.compile(r"""([0-3]) (?:"([^"']+)"|([^ "']+)) ([^ ]+)(?: +(.*))?""")
NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
METRIC = re.compile(rf"([A-Za-z_][A-Za-z0-9_]*)=({NUMBER})(?:;({NUMBER})?){{0,4}}")


class Service(NamedTuple):
    """A service as Checkmk takes it."""

    state: int
    metrics: tuple[str, ...]
    lines: tuple[str, ...]


def _read(text: str) -> dict[str, Service]:
    """Return {name: service}. Fails for a line that Checkmk would not take."""
    services: dict[str, Service] = {}
    for line in text.splitlines():
        found = LINE.fullmatch(line)
        assert found, line
        state, quoted, bare, metrics, told = found.groups()
        name = quoted or bare
        assert name not in services
        split = () if metrics == "-" else tuple(metrics.split("|"))
        assert [metric for metric in split if not METRIC.fullmatch(metric)] == []
        services[name] = Service(int(state), split, tuple((told or "").split("\\n")))
    return services


@pytest.mark.parametrize("file", golden("checkmk"), ids=lambda file: file.name)
def test_every_line_is_a_service(file: pathlib.Path) -> None:
    services = _read(file.read_text())
    assert exit_code(file) == services["nodecheck"].state
    assert all(service.lines[0] for service in services.values())


def test_each_check_has_the_state_that_it_counts_as() -> None:
    services = _read((GOLDEN / "one-of-each.2.checkmk").read_text())
    assert {name.removeprefix("nodecheck "): service.state for name, service in services.items()} == {
        "nodecheck": 2,
        "systemd-answers": 0,
        "docker.service-is-healthy": 2,
        "docker-answers": 0,
        "the-kubelet-answers-on-its-health-port": 1,
        "the-memory-is-bounded": 3,
        "no-gpu-here": 0,
    }


def test_a_fault_that_is_not_confirmed_is_told_and_alerts_nobody() -> None:
    made = report(result("a", Status.CRITICAL, "a failed; not confirmed yet: 1 of 3 runs", confirmed=False))
    services = _read(checkmk.render(made, Style()))
    assert [service.state for service in services.values()] == [0, 0]
    assert services["nodecheck a"].lines[0] == "a: critical: a failed; not confirmed yet: 1 of 3 runs"


def test_the_details_tell_what_to_do() -> None:
    docker = _read((GOLDEN / "one-of-each.2.checkmk").read_text())["nodecheck docker.service-is-healthy"]
    assert docker.lines[1:] == (
        "remedy: journalctl -u docker.service -n 50",
        "remedy: systemctl reset-failed docker.service",
        "at /usr/share/nodecheck/checks.d/10-container-engine.yaml:22",
    )


@pytest.mark.parametrize("said", ["a \"b\" 'c'", "a | b=1", "a\n2 evil - b", "C:\\new", "-"])
def test_what_a_node_says_makes_no_other_service(said: str) -> None:
    services = _read(checkmk.render(report(result("a", Status.CRITICAL, said, id=f"id {said}")), Style()))
    assert [service.state for service in services.values()] == [2, 2]
    assert len(list(services.values())[1].lines) == 2
