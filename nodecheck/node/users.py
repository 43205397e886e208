"""User names: asked in a helper, since a name service (LDAP, SSSD) may never answer."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING, Any

from nodecheck.node import interruption
from nodecheck.node.isolated import Channel, Helper, HelperGone, HelperTimeout
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = "name service"
# What getpwnam_r(3) returns where nobody is called so; ENOENT also where a service of nsswitch.conf is not installed.
NOBODY = (0, errno.ENOENT, errno.ESRCH)
ENTRY_BYTES = 1 << 16


class Question:
    """Who are these users? Making one asks, and does not wait."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._asked = time.monotonic()
        self._helper = Helper(self._serve)

    def answer(self, deadline: float) -> dict[str, int | Unobserved | None]:
        """Return the user id of each name, None for a user that does not exist."""
        try:
            with self._helper as helper:
                answers = helper.channel.receive(deadline)
                return {name: _failed(name, code) if code else uid for name, (uid, code) in answers.items()}
        except (HelperTimeout, HelperGone):
            within = f"within {time.monotonic() - self._asked:.1f} s"
            late = f"the name service did not say who {', '.join(self._names)} is {within}"
            reason = interruption.reason() or late
            return dict.fromkeys(self._names, Unobserved(SOURCE, reason, remedy="getent passwd"))

    def _serve(self, channel: Channel) -> None:
        channel.send({name: _ask(name) for name in self._names})


def _failed(name: str, code: int) -> Unobserved:
    reason = f"the name service could not say who {name} is: {os.strerror(code)}"
    return Unobserved(SOURCE, reason, remedy=f"getent passwd {name}")


def name_of(number: int, look_up: Callable[[int], Any], function: str) -> str | None:
    """Return the name of a user or group, None where it has none; it may take any time. Raises OSError.

    `look_up` is getpwuid of pwd or getgrgid of grp, and `function` what the C library calls it, getpwuid_r.
    """
    try:
        return str(look_up(number)[0])
    except KeyError:
        _, code = _entry(function, number)
    if code:
        raise OSError(code, f"the name service could not say who {number} is: {os.strerror(code)}")
    return None


def _ask(name: str) -> tuple[int | None, int]:
    """Return the user id, None where nobody is called so, and why that is not known: an errno."""
    return _entry("getpwnam_r", os.fsencode(name))


def _entry(function: str, key: bytes | int) -> tuple[int | None, int]:
    """Call getpwnam_r(3), or one like it; return the id of the entry, None where there is none, and an errno.

    The pwd and grp modules raise KeyError also where the name service fails: when SSSD is dead, all its users would be
    gone.
    """
    import ctypes

    class Entry(ctypes.Structure):  # struct passwd and, as far as it goes, struct group
        _fields_ = (
            ("name", ctypes.c_char_p),
            ("password", ctypes.c_char_p),
            ("id", ctypes.c_uint),
            ("rest", ctypes.c_char_p * 4),
        )

    entry, found, room = Entry(), ctypes.POINTER(Entry)(), ctypes.create_string_buffer(ENTRY_BYTES)
    asked = key if isinstance(key, bytes) else ctypes.c_uint(key)
    call = getattr(ctypes.CDLL(None), function)
    code = call(asked, ctypes.byref(entry), room, ctypes.c_size_t(ENTRY_BYTES), ctypes.byref(found))
    return (int(entry.id) if found else None, 0 if code in NOBODY else code)
