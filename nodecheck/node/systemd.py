"""Asks systemd over D-Bus, by a forked helper, which is in systemdbus.py.

Importing gi takes as long as all the rest of a run, and a bus that hangs is a process that can be left behind.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any

from nodecheck.node import interruption, stuck
from nodecheck.node.isolated import Channel, Helper, HelperGone, HelperTimeout, Interrupted
from nodecheck.node.unobserved import Unobserved

SOURCE = "systemd"


def booted_with_systemd() -> bool:
    """Tell whether systemd is PID 1 here, as sd_booted(3) does."""
    return os.path.isdir("/run/systemd/system")


class Collector:
    """The parent's side: start it first of all, ask it once, leave it. Each scope has a helper of its own."""

    def __init__(self) -> None:
        self._helpers = {"system": _ScopeHelper("system")} if booted_with_systemd() else {}
        self._asked: list[str] = []
        self._deadline = 0.0
        self._left = False

    def ask(self, requests: dict[str, dict[str, Any]], deadline: float) -> None:
        """Ask the managers of the scopes `system` and `user`, and do not wait.

        `requests` is {scope: request}, see units.collect for its shape. `deadline` is a time of the monotonic clock in
        seconds; it covers connecting, authentication and all calls.
        """
        self._asked, self._deadline = list(requests), deadline
        for scope, request in requests.items():
            if scope not in self._helpers:
                self._helpers[scope] = _ScopeHelper(scope)
            self._helpers[scope].ask(request, deadline)

    def answers(self) -> dict[str, dict[str, Any] | Unobserved]:
        """Wait for what was asked: for each scope the answer, or why there is none."""
        return {scope: self._helpers[scope].answer(self._deadline) for scope in self._asked}

    def leave(self) -> str:
        """End the helpers, once; return a description of those that cannot be ended, "" otherwise."""
        left = [] if self._left else [helper.pid for helper in self._helpers.values() if not helper.leave()]
        self._left = True
        who = "; ".join(map(stuck.who, left))
        return f"the helper that asks systemd ({who}) hangs in the kernel and was left behind" if left else ""


class _ScopeHelper:
    """The helper that asks one manager."""

    def __init__(self, scope: str) -> None:
        self._helper = Helper(lambda channel: _serve(channel, scope))
        self._asked = 0.0
        self._answered = False

    @property
    def pid(self) -> int:
        return self._helper.pid

    def ask(self, request: dict[str, Any], deadline: float) -> None:
        self._asked = time.monotonic()
        with suppress(BrokenPipeError):  # the helper is gone: receiving says so
            self._helper.channel.send((request, deadline))

    def answer(self, deadline: float) -> dict[str, Any] | Unobserved:
        stage = "import"
        try:
            while True:
                kind, detail = self._helper.channel.receive(deadline)
                if kind != "stage":
                    self._answered = kind == "answer"  # else a thread of it may still wait for the bus
                    return _refused(detail) if kind == "error" else detail
                stage = detail
        except HelperGone:
            return Unobserved(
                SOURCE, "the process that asks systemd ended without an answer", remedy="nodecheck doctor"
            )
        except Interrupted:
            return Unobserved(SOURCE, interruption.reason())
        except HelperTimeout:
            return _silent(stage, time.monotonic() - self._asked)

    def leave(self) -> bool:
        if not self._answered:
            return self._helper.leave()
        self._helper.end()
        return True


def _silent(stage: str, seconds: float) -> Unobserved:
    within = f"within {seconds:.1f} s"
    if stage == "import":
        reason = f"pydbus was not loaded {within}: this host is too slow or its disk does not answer"
    else:
        reason = f"the process that asks systemd did not get to the end {within}: this host is too slow"
    return Unobserved(SOURCE, reason, late=True)


def _refused(detail: dict[str, Any]) -> Unobserved:
    return Unobserved(SOURCE, **detail)


def _serve(channel: Channel, scope: str) -> None:
    """In the helper: what is slow to load is loaded there."""
    from nodecheck.node import systemdbus

    systemdbus.serve(channel, scope)
