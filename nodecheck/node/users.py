"""User names: asked in a helper, since a name service (LDAP, SSSD) may never answer."""

from __future__ import annotations

import errno
import os
import time

from nodecheck.node import interruption
from nodecheck.node.isolated import Channel, Helper, HelperGone, HelperTimeout
from nodecheck.node.unobserved import Unobserved

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


def _ask(name: str) -> tuple[int | None, int]:
    """Return the user id, None where nobody is called so, and why that is not known: an errno.

    The pwd module raises KeyError also where the name service fails: when SSSD is dead, all its users would be gone.
    """
    import ctypes

    class Passwd(ctypes.Structure):
        _fields_ = (
            ("name", ctypes.c_char_p),
            ("password", ctypes.c_char_p),
            ("uid", ctypes.c_uint),
            ("gid", ctypes.c_uint),
            ("rest", ctypes.c_char_p * 3),
        )

    entry, found, room = Passwd(), ctypes.POINTER(Passwd)(), ctypes.create_string_buffer(ENTRY_BYTES)
    asked = os.fsencode(name), ctypes.byref(entry), room, ctypes.c_size_t(ENTRY_BYTES), ctypes.byref(found)
    code = ctypes.CDLL(None).getpwnam_r(*asked)
    return (int(entry.uid) if found else None, 0 if code in NOBODY else code)


def need_an_answer(function: str, number: int) -> None:
    """Raise OSError where the name service fails: of a number without a name, pwd and grp say the same.

    `function` is getpwuid_r or getgrgid_r.
    """
    import ctypes

    # More than struct passwd and struct group have, of which nothing is read.
    entry, room, found = (ctypes.create_string_buffer(size) for size in (1 << 8, ENTRY_BYTES, 1 << 3))
    code = getattr(ctypes.CDLL(None), function)(ctypes.c_uint(number), entry, room, ctypes.c_size_t(ENTRY_BYTES), found)
    if code not in NOBODY:
        raise OSError(code, f"the name service could not say who {number} is: {os.strerror(code)}")
