"""User names: asked in a helper, since a name service (LDAP, SSSD) may never answer."""

from __future__ import annotations

import time

from nodecheck.node.isolated import Channel, Helper, HelperGone, HelperTimeout
from nodecheck.node.unobserved import Unobserved

SOURCE = "name service"


def collect(names: list[str], deadline: float) -> dict[str, int | None]:
    """Return the user id of each name, None for a user that does not exist. Raises Unobserved."""

    def serve(channel: Channel) -> None:
        import pwd

        known: dict[str, int | None] = {}
        for name in names:
            try:
                known[name] = pwd.getpwnam(name).pw_uid
            except KeyError:
                known[name] = None
        channel.send(known)

    helper = Helper(serve)
    started = time.monotonic()
    try:
        answer: dict[str, int | None] = helper.channel.receive(deadline)
    except (HelperTimeout, HelperGone) as error:
        helper.leave()
        reason = f"the name service did not say who {', '.join(names)} is within {time.monotonic() - started:.1f} s"
        raise Unobserved(SOURCE, reason, remedy="getent passwd") from error
    helper.end()
    return answer
