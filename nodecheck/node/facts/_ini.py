"""Configuration files with `name = value` lines, as OpenStack and MariaDB have them."""

from __future__ import annotations


def options_of(text: str) -> dict[str, str]:
    """Return {name: value} of all sections; the last one wins. A name is written with _, whatever stands there."""
    options: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";", " ", "\t")):
            options[name.strip().replace("-", "_").lower()] = value.strip()
    return options
