"""What could not be seen, and why: the honest third answer."""

from __future__ import annotations


class Unobserved(Exception):
    """Something could not be seen.

    `source` is the window that stayed dark ("systemd", "processes", ...): one dark window is one cause for all checks
    that look through it. `broken` is true when the silence is itself a fact about the source (a bus that refuses
    connections), and false when this observer could not look (a missing package, a missing permission).
    """

    def __init__(self, source: str, reason: str, *, remedy: str = "", broken: bool = False) -> None:
        super().__init__(reason)
        self.source = source
        self.reason = reason
        self.remedy = remedy
        self.broken = broken

    def to_data(self) -> dict[str, object]:
        """Plain data, for a record."""
        return {"source": self.source, "reason": self.reason, "remedy": self.remedy, "broken": self.broken}
