"""Records with the names of the report, of ECS and of OpenTelemetry."""

import json
from typing import Any

import pytest
from records import change, check, run

from nodecheck.events.dialects import DIALECTS, render
from nodecheck.report.result import Finding, Status

CHECK = check(findings=(Finding("state", Status.CRITICAL, "ok", "failed", "m"),))


def ecs(record: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(render(record, "ecs")))


def otel(record: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(render(record, "otel")))


def test_native_is_the_record_itself() -> None:
    assert json.loads(json.dumps(CHECK)) == json.loads(render(CHECK, "native"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_tells_the_id_of_the_event_and_the_status(dialect: str) -> None:
    for record in (CHECK, change(), run()):
        line = render(record, dialect)
        assert [record["event_id"] in line, record["status"] in line, "\n" in line] == [True, True, False]


def test_ecs_has_what_it_requires() -> None:
    found = ecs(CHECK)
    required = ("@timestamp", "log.level", "message", "event.kind", "event.outcome", "rule.name", "host.name")
    expected = [CHECK["timestamp"], "error", "b has failed", "state", "failure", "b", "node01"]
    assert expected == [found[name] for name in required]
    assert isinstance(found["ecs.version"], str)


def test_ecs_has_one_type_for_a_name() -> None:
    assert json.loads(ecs(CHECK)["nodecheck"]["findings"]) == [dict(finding) for finding in CHECK["findings"]]


def test_no_check_has_a_field_of_its_own() -> None:
    """An index has a thousand fields at most, and `docker` cannot be a text where `docker.service` is below it."""
    not_ok = run()["not_ok"]
    assert json.loads(ecs(run())["nodecheck"]["not_ok"]) == not_ok
    assert json.loads(otel(run())["Attributes"]["nodecheck.not_ok"]) == not_ok
    assert ecs(run())["nodecheck"]["summary"]["critical"] == 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(Status.OK, "success"), (Status.CRITICAL, "failure"), (Status.UNKNOWN, "unknown"), (Status.BLOCKED, "unknown")],
)
def test_the_outcome_of_what_could_not_be_seen_is_unknown(status: Status, outcome: str) -> None:
    assert outcome == ecs(check(status))["event.outcome"]


def test_a_duration_of_ecs_is_in_nanoseconds() -> None:
    assert ecs(run())["event.duration"] == 213_400_000


def test_otel_is_a_log_record_with_a_name_and_a_severity() -> None:
    found = otel(CHECK)
    expected = ["nodecheck.check", "ERROR", 17, "b has failed"]
    assert expected == [found[name] for name in ("EventName", "SeverityText", "SeverityNumber", "Body")]
    assert (found["Resource"]["host.name"], found["Attributes"]["systemd.unit.name"]) == ("node01", "b.service")


def test_the_node_of_a_run_is_the_host_of_both() -> None:
    assert (ecs(run())["host.id"], otel(run())["Resource"]["host.id"]) == ("ab", "ab")
