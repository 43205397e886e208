"""How a record is written as JSON: with the names of the report (native), of the Elastic Common Schema, or of OTel.

* ecs: https://www.elastic.co/guide/en/ecs/current/ecs-field-reference.html. What ECS has no name for is below
  `nodecheck`; findings are one text there, since their values are of many types, and an index has one type for a name;
  so is `not_ok`, since an index has a limit of names.
* otel: the log record of https://opentelemetry.io/docs/specs/otel/logs/data-model/, as an event with a name.
"""

from __future__ import annotations

import json
from typing import Any

from nodecheck import __version__

ECS_VERSION = "8.11.0"
NUMBERS = {"info": 9, "warning": 13, "error": 17}  # SeverityNumber of the data model
OUTCOMES = {"ok": "success", "warning": "failure", "critical": "failure"}
# What has a place of its own in both dialects.
PLACED = frozenset({"timestamp", "level", "event", "event_id", "message", "hostname", "node", "agent", "schema"})


def render(record: dict[str, Any], dialect: str) -> str:
    """Return a record as one line of JSON."""
    return json.dumps(DIALECTS[dialect](record), ensure_ascii=False, default=str)


def _native(record: dict[str, Any]) -> dict[str, Any]:
    return record


def _ecs(record: dict[str, Any]) -> dict[str, Any]:
    own = {name: _plain(name, value) for name, value in record.items() if name not in PLACED}
    rule = {"rule.id": record["id"], "rule.name": record["name"]} if "name" in record and "id" in record else {}
    node = record.get("node", {})
    host = {"host.id": node["machine_id"], "host.boot.id": node["boot_id"]} if node else {}
    duration = record.get("duration_seconds")
    return {
        "@timestamp": record["timestamp"],
        "log.level": record["level"],
        "message": record.get("message", ""),
        "ecs.version": ECS_VERSION,
        "event.id": record["event_id"],
        "event.kind": "event" if record["event"] == "change" else "state",
        "event.category": ["host"],
        "event.type": ["change"] if record["event"] == "change" else ["info"],
        "event.action": record["event"],
        "event.module": "nodecheck",
        "event.dataset": f"nodecheck.{record['event']}",
        "event.outcome": OUTCOMES.get(record["status"], "unknown"),
        **({"event.duration": round(duration * 1e9)} if duration is not None else {}),
        "service.name": "nodecheck",
        "service.type": "nodecheck",
        "service.version": __version__,
        "host.name": record["hostname"],
        **host,
        **rule,
        "nodecheck": own,
    }


def _plain(name: str, value: Any) -> Any:
    """Lists of mappings become one text, and so does what has ids of checks for names: each would be another field."""
    mapped = isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value)
    mapped = mapped or name == "not_ok"
    return json.dumps(value, ensure_ascii=False, default=str) if mapped else value


def _otel(record: dict[str, Any]) -> dict[str, Any]:
    node = record.get("node", {})
    named = {"unit": "systemd.unit.name"}
    attributes = {
        named.get(name, f"nodecheck.{name}"): _plain(name, value)
        for name, value in record.items()
        if name not in PLACED
    }
    return {
        "Timestamp": record["timestamp"],
        "SeverityText": record["level"].upper(),
        "SeverityNumber": NUMBERS[record["level"]],
        "EventName": f"nodecheck.{record['event']}",
        "Body": record.get("message", ""),
        "Resource": {
            "service.name": "nodecheck",
            "service.version": __version__,
            "host.name": record["hostname"],
            **({"host.id": node["machine_id"]} if node else {}),
        },
        "Attributes": {"nodecheck.event_id": record["event_id"], **attributes},
    }


DIALECTS = {"native": _native, "ecs": _ecs, "otel": _otel}
