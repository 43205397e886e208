"""What could not be seen, and why: the honest third answer."""

from __future__ import annotations

MASK = "<masked>"  # stands where a secret was that is not shown to anybody, see secrets.py
# Sources that are no windows: what nodecheck lacks here, an optional package or a permission, says nothing of the node.
NO_PACKAGE, NO_PERMISSION = "missing package", "missing permission"


class Unobserved(Exception):
    """Something could not be seen.

    `source` is the window that stayed dark ("systemd", "processes", ...): one dark window is one cause for all checks
    that look through it. `broken` is true when the silence is itself a fact about the source (a bus that refuses
    connections), and false when this observer could not look (a missing package, a missing permission). `late` is true
    when the time of the look was over before it was.
    """

    def __init__(self, source: str, reason: str, *, remedy: str = "", broken: bool = False, late: bool = False) -> None:
        super().__init__(reason)
        self.source = source
        self.reason = reason
        self.remedy = remedy
        self.broken = broken
        self.late = late

    def to_data(self) -> dict[str, object]:
        """Plain data, for a record."""
        data = {"source": self.source, "reason": self.reason, "remedy": self.remedy, "broken": self.broken}
        return data | {"late": True} if self.late else data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unobserved) and self.to_data() == other.to_data()

    def __hash__(self) -> int:
        return hash((self.source, self.reason))
