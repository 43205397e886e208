"""The report as YAML: what -o json prints, with less to skip for the eye.

It is YAML 1.2 that YAML 1.1 reads the same: a text that either takes for something else stands in quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nodecheck.report.style import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.report.result import Report
    from nodecheck.report.style import Style

EXAMPLE = "yaml=report.yaml"
PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9/_.-]*( [A-Za-z0-9/_.-]+)*")
POINTLESS = re.compile(r"^(-?\d+)e")
ESCAPES = {"\n": "\\n", "\t": "\\t"}
TAKEN = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def render(report: Report, _style: Style) -> str:
    """Return one YAML document."""
    return "\n".join(_mapping(report.to_data(), "")) + "\n"


def _mapping(data: dict[str, Any], indent: str) -> Iterator[str]:
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{_scalar(key)}:"
            yield from _mapping(value, f"{indent}  ")
        elif _is_block(value):
            yield f"{indent}{_scalar(key)}:"
            yield from _items(value, f"{indent}  ")
        else:
            yield f"{indent}{_scalar(key)}: {_flow(value)}"


def _is_block(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value)


def _items(items: Any, indent: str) -> Iterator[str]:
    for item in items:
        first, *rest = _mapping(item, f"{indent}  ")
        yield f"{indent}- {first.strip()}"
        yield from rest


def _flow(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str):
        return _scalar(value)
    # To YAML 1.1, 1e-05 is a text.
    return POINTLESS.sub(r"\1.0e", as_json(value)) if isinstance(value, float) else as_json(value)


def _scalar(text: str) -> str:
    if PLAIN.fullmatch(text) and text.lower() not in TAKEN:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return ESCAPES.get(letter) or (f"\\u{ord(letter):04x}" if ord(letter) < 1 << 16 else f"\\U{ord(letter):08x}")
