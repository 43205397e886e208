"""What the kernel knows of its own clock: adjtimex(2), asked without changing anything. Within a container too."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from nodecheck.node.shapes import boolean, fields, number
from nodecheck.node.unobserved import Unobserved

STA_UNSYNC = 0x0040
STA_NANO = 0x2000  # the offset is in nanoseconds, else in microseconds
TIME_ERROR = 5
SOURCE = "adjtimex(2)"

# Times in seconds; the offset is what is left to be corrected, without its sign.
SHAPE = fields({"synchronised": boolean, "offset": number, "maximum_error": number, "estimated_error": number})


class ClockWant(NamedTuple):
    """All of it: it is one call."""

    call: str = SOURCE
    seconds: float = 10.0

    @property
    def window(self) -> str:
        """The name of this window."""
        return "clock"

    @property
    def key(self) -> str:
        """There is only one."""
        return self.call


def look(_want: ClockWant) -> dict[str, Any]:
    """Return the data that SHAPE describes. Raises Unobserved."""
    state, fields_seen = _adjtimex()
    return told(state, **fields_seen)


def told(state: int, *, offset: int, maxerror: int, esterror: int, status: int) -> dict[str, Any]:
    """Return what the kernel said as SHAPE describes it; its errors are microseconds."""
    unit = 1e-9 if status & STA_NANO else 1e-6
    return {
        "synchronised": state != TIME_ERROR and not status & STA_UNSYNC,
        "offset": abs(offset) * unit,
        "maximum_error": maxerror * 1e-6,
        "estimated_error": esterror * 1e-6,
    }


def _adjtimex() -> tuple[int, dict[str, int]]:
    """Return the state of the clock, and fields of struct timex. Raises Unobserved."""
    import ctypes

    class Timex(ctypes.Structure):
        """The beginning of struct timex: `modes` 0 changes nothing. The rest is room for the kernel."""

        _fields_ = (
            ("modes", ctypes.c_uint),
            ("offset", ctypes.c_long),
            ("freq", ctypes.c_long),
            ("maxerror", ctypes.c_long),
            ("esterror", ctypes.c_long),
            ("status", ctypes.c_int),
            ("rest", ctypes.c_long * 40),
        )

    seen = Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(seen))
    if state < 0:
        raise Unobserved(SOURCE, f"the kernel does not tell of its clock: {os.strerror(ctypes.get_errno())}")
    return state, {name: getattr(seen, name) for name in ("offset", "maxerror", "esterror", "status")}
