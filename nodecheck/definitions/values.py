"""Reads single values of definitions: texts, words, numbers, times; each mistake is noted where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodecheck.definitions.errors import closest
from nodecheck.durations import parse_duration

if TYPE_CHECKING:
    from nodecheck.definitions.errors import Mistakes
    from nodecheck.definitions.yamlfile import Value

SHORTEST_SECONDS, LONGEST_SECONDS = 0.1, 86400.0


def read_text(key: str, value: Value | None, mistakes: Mistakes) -> str:
    """Return a text without blanks around it; "" when there is none."""
    if value is None:
        return ""
    if not isinstance(value.data, str) or not value.data.strip():
        kind = "an empty one" if isinstance(value.data, str) else value.kind()
        quoted = f'quote it: "{value.text}"' if value.text.strip() else ""
        mistakes.add(value.mark, f"{key} is a text, not {kind}", quoted)
        return ""
    return value.data.strip()


def read_name(value: Value | None, mistakes: Mistakes) -> str:
    """Return a name: it stands in one line of the report."""
    return " ".join(read_text("name", value, mistakes).split())


def read_items(key: str, value: Value | None, mistakes: Mistakes) -> list[tuple[str, Value]]:
    """Return (text, its value) of a list of texts, or of one text; tags may be divided by commas, as in Ansible."""
    if value is None:
        return []
    words: list[tuple[str, Value]] = []
    for item in value.data if isinstance(value.data, list) else [value]:
        if not isinstance(item.data, str) or not item.data.strip():
            kind = "an empty text" if isinstance(item.data, str) else item.kind()
            quoted = f'quote it: "{item.text}"' if item.text.strip() else ""
            mistakes.add(item.mark, f"{key} is a text or a list of texts, and this is {kind}", quoted)
        else:
            words += [(word, item) for word in (item.data.split(",") if key == "tags" else [item.data])]
    return [(word.strip(), item) for word, item in words if word.strip()]


def read_words(key: str, value: Value | None, mistakes: Mistakes) -> list[str]:
    """Return the texts alone."""
    return [word for word, _ in read_items(key, value, mistakes)]


def read_choice(key: str, value: Value, choices: tuple[str, ...], mistakes: Mistakes) -> str:
    """Return one of a few words; the first one when it is none of them."""
    word = read_text(key, value, mistakes)
    if word and word not in choices:
        near = closest(word, choices) or choices[0]
        mistakes.add(value.mark, f"{key} is one of {', '.join(choices)}, not {word!r}", f"did you mean {near}?")
    return word if word in choices else choices[0]


def read_count(key: str, value: Value, mistakes: Mistakes, *, least: int, most: int) -> int:
    """Return a whole number within these bounds; `least` when it is none."""
    data: Any = value.data
    if isinstance(data, bool) or not isinstance(data, int) or not least <= data <= most:
        given = repr(value.text) if value.text else value.kind()
        mistakes.add(value.mark, f"{key} is a whole number from {least} to {most}, not {given}")
        return least
    return data


def is_duration(text: str) -> bool:
    """Tell whether a text is an amount of time with its unit."""
    try:
        return parse_duration(text) >= 0
    except ValueError:
        return False


def read_duration(key: str, value: Value, mistakes: Mistakes, *, bare_seconds: bool = False) -> float | None:
    """Return seconds; None, and a mistake, for what is no time that one could wait for.

    `bare_seconds`: a number without a unit is seconds, as it is in Ansible's `delay`.
    """
    if bare_seconds and isinstance(value.data, int | float) and not isinstance(value.data, bool):
        seconds = float(value.data)
    else:
        try:
            seconds = parse_duration(value.text)
        except ValueError:
            number = isinstance(value.data, int | float) and value.text.isdigit()
            given = repr(value.text) if value.text else value.kind()
            message = f"{key} is a time with its unit such as 30s, 5m or 1h30m, not {given}"
            mistakes.add(value.mark, message, f"did you mean {value.text}s?" if number else "")
            return None
    least = 0.0 if bare_seconds else SHORTEST_SECONDS
    if not least <= seconds <= LONGEST_SECONDS:
        shortest = "" if bare_seconds else "100ms at least, "
        mistakes.add(value.mark, f"{key} is too {'short' if seconds < 1 else 'long'}: {shortest}a day at most")
        return None
    return seconds
