"""Who waits for what: /proc/pressure, see Documentation/accounting/psi.rst of the kernel."""

from __future__ import annotations

import errno
import re
from typing import Any, NamedTuple

from nodecheck.node import kernelfiles
from nodecheck.node.shapes import fields, number, optional
from nodecheck.node.unobserved import Unobserved

FOLDER = "/proc/pressure"
LINE = re.compile(r"(some|full) avg10=([0-9.]+) avg60=([0-9.]+) avg300=([0-9.]+) ")
ENABLE = "boot with psi=1 on the kernel command line"

_AVERAGES = fields({"avg10": number, "avg60": number, "avg300": number})
# In percent of the time; irq has no `some`, and cpu has no `full` before Linux 5.13.
SHAPE = fields({"some": optional(_AVERAGES), "full": optional(_AVERAGES)})


class PressureWant(NamedTuple):
    """The pressure on cpu, memory, io or irq."""

    resource: str
    seconds: float = 10.0

    @property
    def window(self) -> str:
        """The name of this window."""
        return "pressure"

    @property
    def key(self) -> str:
        """The file."""
        return f"{FOLDER}/{self.resource}"


def look(want: PressureWant) -> dict[str, Any]:
    """Return the data that SHAPE describes. Raises Unobserved, OSError."""
    try:
        text = kernelfiles.read(want.key)
    except FileNotFoundError:
        raise _not_measured(want) from None
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:  # what kernels of old said with psi=0
            raise
        raise _not_measured(want) from None
    lines = LINE.findall(text)
    if not lines:
        raise kernelfiles.unreadable(want.key, text)
    seen = {kind: dict(zip(("avg10", "avg60", "avg300"), map(float, means), strict=True)) for kind, *means in lines}
    return {"some": seen.get("some"), "full": seen.get("full")}


def _not_measured(want: PressureWant) -> Unobserved:
    if want.resource == "irq":
        reason = "this kernel does not measure the pressure of interrupts: that takes Linux 6.1"
        return Unobserved(want.key, f"{reason} with CONFIG_IRQ_TIME_ACCOUNTING", remedy=ENABLE)
    return Unobserved(want.key, "this kernel does not measure pressure (PSI)", remedy=ENABLE)
