"""Records have a largest size: what is too long is cut where it can be seen, and never split into two."""

from __future__ import annotations

import json
from typing import Any

MOST_BYTES = 16_000  # of a record as JSON; many log shippers take 16 KiB as one line
# From mild to hard: of so many characters of a text, of so many items of a list or a mapping.
STEPS = ((4000, 200), (1000, 50), (300, 20), (100, 8), (40, 3))
UNCUT = frozenset({"timestamp", "level", "event", "event_id", "run_id", "id", "status"})


def cut(record: dict[str, Any], most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """Return a record of at most so many bytes as JSON; one that was cut says so by `truncated`."""
    if size(record) <= most_bytes:
        return record
    for characters, items in STEPS:
        shorter = {name: value if name in UNCUT else _cut(value, characters, items) for name, value in record.items()}
        shorter["truncated"] = True
        if size(shorter) <= most_bytes:
            return shorter
    kept = UNCUT | {"hostname", "name", "message", "before", "after", "since"}
    return {name: value for name, value in shorter.items() if name in kept} | {"truncated": True}


def size(record: dict[str, Any]) -> int:
    """Return how many bytes a record takes as JSON."""
    return len(json.dumps(record, ensure_ascii=False).encode(errors="replace"))


def _cut(value: Any, characters: int, items: int) -> Any:
    if isinstance(value, str) and len(value) > characters:
        return f"{value[:characters]}... ({len(value) - characters} more characters)"
    if isinstance(value, list | tuple):
        more = [f"... ({len(value) - items} more)"] if len(value) > items else []
        return [_cut(item, characters, items) for item in value[:items]] + more
    if isinstance(value, dict):
        kept = {key: _cut(item, characters, items) for key, item in list(value.items())[:items]}
        return kept | ({"...": f"{len(value) - items} more"} if len(value) > items else {})
    return value
