"""The figures of `explain fleet` are those of real records: 80 of the shipped checks, an outage with three faults."""

from __future__ import annotations

import pathlib

import pytest
from fakes import report, result

from nodecheck.cli.explain_events import FLEET_BYTES
from nodecheck.definitions.sources import read_definitions
from nodecheck.engine.known import names_of, variables_of
from nodecheck.events import choice, log, syslog
from nodecheck.node.recordfile import read
from nodecheck.report.result import Finding, Report, Result, Status, Transition

CHECKOUT = pathlib.Path(__file__).parents[2]
CHECKS, FAULTS, BLOCKED = 80, 3, 6
TOLERANCE = 0.15


@pytest.fixture(scope="module")
def healthy() -> Report:
    node = read(str(CHECKOUT / "tests/packs/nodes/control-plane.json"))
    plays = read_definitions([str(CHECKOUT / "checks.d")], variables_of(node), {}, names_of(node)).plays
    checks = [check for play in plays for check in play.checks][:CHECKS]
    return report(
        *(
            result(
                check.name, Status.OK, f"{check.name}, within the bounds", id=check.id, tags=tuple(sorted(check.tags)),
                source=f"/usr/share/nodecheck/checks.d/20-kubelet.yaml:{100 + at}", remedy=check.remedy,
            )
            for at, check in enumerate(checks)
        ),
        run_id="8a22f1fd66694e866d0ff524124aeb93",
        node={
            "hostname": "node-0042", "machine_id": "21985b6cad134e729bb33c4d06ba5ad4",
            "boot_id": "7483828554fd46fca07ca74cdf28f1e2",
            "groups": "all containerd control_plane docker etcd kubeadm kubelet systemd".split(),
        },
    )  # fmt: skip


def failed(seen: Result) -> Result:
    message = f"{seen.name.lower()}: it is not active, after 5 restarts in the last hour: exit code 255"
    finding = Finding("state", Status.CRITICAL, "healthy", "activating auto-restart", message)
    return seen._replace(status=Status.CRITICAL, message=message, findings=(finding,), since=1e9, streak=3)


def blocked(seen: Result, by: str) -> Result:
    return seen._replace(status=Status.BLOCKED, message=f"not judged: it needs {by}", causes=(by,))


@pytest.fixture(scope="module")
def outage(healthy: Report) -> Report:
    cause = healthy.results[0].id
    last = FAULTS + BLOCKED
    faults = tuple(failed(seen) for seen in healthy.results[:FAULTS])
    behind = tuple(blocked(seen, cause) for seen in healthy.results[FAULTS:last])
    return healthy._replace(results=faults + behind + healthy.results[last:])


def tell(made: Report, told: choice.Told | None = None) -> tuple[list[int], choice.Told]:
    """Return how many bytes each event takes by syslog, and what has been told then."""
    chosen, told = choice.choose(made, told or choice.Told({}, {}), "changes", 3600.0)
    return [len(syslog.encode(record, "native")) for record in log.make(made, chosen, {})], told


def test_a_healthy_run(healthy: Report) -> None:
    [run], _ = tell(healthy)
    assert run == pytest.approx(FLEET_BYTES["healthy"], rel=TOLERANCE)


def test_the_first_run_of_an_outage_the_next_ones_and_an_hour_later(healthy: Report, outage: Report) -> None:
    changes = tuple(
        Transition(seen.id, seen.name, Status.OK, seen.status, outage.started_at, seen.since, seen.message)
        for seen in outage.results[:FAULTS]
    )
    first, told = tell(outage._replace(transitions=changes))
    lasting, told = tell(outage, told)
    later, _ = tell(outage._replace(started_at=outage.started_at + 3700.0), told)
    assert (len(first), len(lasting), len(later)) == (FAULTS + 1, 1, FAULTS + 1)
    assert sum(first) == pytest.approx(FLEET_BYTES["first"], rel=TOLERANCE)
    assert sum(lasting) == pytest.approx(FLEET_BYTES["lasting"], rel=TOLERANCE)
    assert sum(later[:FAULTS]) / FAULTS == pytest.approx(FLEET_BYTES["repeated"], rel=TOLERANCE)
