"""Lines of JSON on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from nodecheck.events import _stream

if TYPE_CHECKING:
    from collections.abc import Iterator


def send(records: list[dict[str, Any]], options: dict[str, Any], deadline: float) -> Iterator[int]:
    """Write records, and yield after each how many are written. Raises Down."""
    return _stream.send(sys.stderr, records, options, deadline)
