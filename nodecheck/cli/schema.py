"""nodecheck schema: what an editor needs to know of definition files and of the settings, a reader of reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nodecheck.definitions import schema

if TYPE_CHECKING:
    from argparse import Namespace


def command(arguments: Namespace) -> int:
    """Print a JSON Schema."""
    print(json.dumps(_schema(arguments.of), indent=2, ensure_ascii=False))
    return 0


def _schema(of: str) -> dict[str, Any]:
    if of == "report":
        from nodecheck.report import schema as of_report

        return of_report.schema()
    return schema.settings() if of == "settings" else schema.definitions()
