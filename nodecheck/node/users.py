"""User names: asked in a helper, since a name service (LDAP, SSSD) may never answer."""

from __future__ import annotations

import time

from nodecheck.node import interruption
from nodecheck.node.isolated import Channel, Helper, HelperGone, HelperTimeout
from nodecheck.node.unobserved import Unobserved

SOURCE = "name service"


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
                answer: dict[str, int | Unobserved | None] = helper.channel.receive(deadline)
                return answer
        except (HelperTimeout, HelperGone):
            within = f"within {time.monotonic() - self._asked:.1f} s"
            late = f"the name service did not say who {', '.join(self._names)} is {within}"
            reason = interruption.reason() or late
            return dict.fromkeys(self._names, Unobserved(SOURCE, reason, remedy="getent passwd"))

    def _serve(self, channel: Channel) -> None:
        import pwd

        known: dict[str, int | None] = {}
        for name in self._names:
            try:
                known[name] = pwd.getpwnam(name).pw_uid
            except KeyError:
                known[name] = None
        channel.send(known)
