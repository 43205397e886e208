"""What the name service of this machine says of users, and that it fails."""

from __future__ import annotations

import errno
import os
import pwd
import time

import pytest

from nodecheck.node import users
from nodecheck.node.unobserved import Unobserved


def answers(*names: str) -> dict[str, int | Unobserved | None]:
    return users.Question([*names]).answer(time.monotonic() + 5)


def test_users_have_their_ids_and_who_does_not_exist_has_none() -> None:
    me = pwd.getpwuid(os.getuid())

    assert {"root": 0, me.pw_name: me.pw_uid, "no-such-user": None} == answers("root", me.pw_name, "no-such-user")


def test_a_name_service_that_fails_does_not_say_that_there_is_no_such_user(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = users._ask
    monkeypatch.setattr(users, "_ask", lambda name: (None, errno.EIO) if name == "bob" else ask(name))
    reason = "the name service could not say who bob is: Input/output error"
    dark = Unobserved("name service", reason, remedy="getent passwd bob")

    assert {"root": 0, "bob": dark, "no-such-user": None} == answers("root", "bob", "no-such-user")
