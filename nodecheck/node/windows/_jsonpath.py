"""Paths to values in JSON: a.b[0].c, and a["b.c"] for a name that has a dot in it."""

from __future__ import annotations

import re
from typing import Any

STEP = r"\.?([^.\[\]\"]+)|\[(-?[0-9]{1,9})\]|\[\"([^\"]+)\"\]"


def steps(path: str) -> list[str | int] | None:
    """Return the names and numbers of a path; None for what is none."""
    found: list[str | int] = []
    at = 0
    pattern = re.compile(STEP)
    while step := pattern.match(path, at):
        found.append(int(step[2]) if step[2] else step[1] or step[3])
        at = step.end()
    return found if found and at == len(path) else None


def values(body: str, paths: tuple[str, ...]) -> dict[str, list[str]] | None:
    """Return what is at each path, as text: a list of one, or of nothing. None for a body that is no JSON."""
    import json

    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return {path: _values_at(data, steps(path) or []) for path in paths}


def _values_at(data: Any, path: list[str | int]) -> list[str]:
    import json

    for step in path:
        if not isinstance(data, dict if isinstance(step, str) else list):
            return []
        try:
            data = data[step]  # type: ignore[index]  # a name in a mapping, or a number in a list
        except (KeyError, IndexError):
            return []
    return [data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)]
