"""Small files that the kernel and its administrators keep: below /proc, /sys and /etc."""

from __future__ import annotations

from nodecheck.node.unobserved import Unobserved

ROOT = ""  # in front of every path; a test has a folder of its own
LARGEST = 4 << 20  # bytes
DIGITS = 19  # of 2^63
AT_ONCE = 64 << 10  # /proc/sys takes as much memory as is asked for, and has no 4 MiB


def read(path: str) -> str:
    """Return what is in a file. Raises OSError."""
    with open(ROOT + path, "rb", buffering=0) as file:
        parts = [file.read(AT_ONCE)]
        while parts[-1] and sum(map(len, parts)) < LARGEST:
            parts.append(file.read(AT_ONCE))
    return b"".join(parts).decode("utf-8", "replace")


def read_or_none(path: str) -> str | None:
    """Return what is in a file, None when it does not exist. Raises OSError."""
    try:
        return read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def number_or_none(path: str) -> int | None:
    """Return the number in a file; None when there is no file, or it says `max`. Raises OSError."""
    return whole((read_or_none(path) or "").strip())


def number(path: str) -> int:
    """Return the number in a file. Raises OSError, and Unobserved where there is something else in it."""
    text = read(path)
    found = whole(text.strip())
    if found is None:
        raise unreadable(path, text)
    return found


def whole(text: str) -> int | None:
    """Return the number that a text is; None where it is none, or larger than any of the kernel's."""
    return int(text) if text.isdecimal() and len(text) <= DIGITS else None


def unreadable(path: str, text: str) -> Unobserved:
    """Return what to raise for a file that is not written as we know it."""
    return Unobserved(path, f"{path} is not as expected: {text.strip()[:60]!r}")
