"""Does a listening socket accept? Connections to many at once, begun early and looked at late.

The kernel completes a connection by itself; that the process takes it shows in the queue, which empties. What keeps us
from trying (no route, a packet filter, no such address) is no verdict on the listener.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from contextlib import ExitStack, suppress
from typing import Any

from nodecheck.node import interruption, ondemand, sockets
from nodecheck.node.sockets import Connection, Listener
from nodecheck.node.unobserved import Unobserved

ACCEPT_POLL_SECONDS = 0.01
ANY = {4: "0.0.0.0", 6: "::"}  # compared, not bound
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
LOOPBACK_INTERFACE = 1
# With these the other side has spoken, or kept silent; all other errors are our own.
VERDICTS = {errno.ECONNREFUSED, errno.ETIMEDOUT}
# It has the connection and has ended it: we are late to look, and it waits for nobody who says nothing.
MADE = {0, errno.ECONNRESET}


class Connections:
    """Tries to connect to TCP sockets. Making one begins them; `results` waits for them and ends them."""

    def __init__(self, listeners: list[Listener]) -> None:
        self._listeners = listeners
        self._started = time.monotonic()
        self._results: dict[int, Connection | Unobserved] = {}
        self._open = ExitStack()
        self._selector = self._open.enter_context(selectors.EpollSelector())
        for listener in listeners:
            self._begin(listener)

    def results(self, deadline: float) -> dict[int, Connection | Unobserved]:
        """Return {inode: what it came to}; `deadline` is a time of the monotonic clock in seconds."""
        with self._open:
            while self._selector.get_map() and (events := self._wait(deadline)):
                for key, _ in events:
                    self._selector.unregister(key.fileobj)
                    code = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # type: ignore[union-attr]  # we registered sockets
                    _say_no_more(key.fileobj)
                    self._keep(key.data, code)
            for listener in self._listeners:
                self._results.setdefault(listener.inode, self._unanswered(listener))
            self._see_accepted(deadline)
        if self._started >= deadline:
            return {listener.inode: _untried(listener, "no time was left") for listener in self._listeners}
        return self._results

    def close(self) -> None:
        """Give all of them up."""
        self._open.close()

    def _begin(self, listener: Listener) -> None:
        if listener.interface > LOOPBACK_INTERFACE and not _is_link_local(listener.address):
            reason = "it serves one network interface only, and a connection from this host comes over another one"
            self._results[listener.inode] = _untried(listener, reason)
            return
        if ondemand.is_systemds_alone(listener.inode):
            self._results[listener.inode] = _untried(listener, ondemand.NOT_TRIED)
            return
        code = errno.EADDRNOTAVAIL
        for family, address in _reachable(listener):
            attempt = self._open.enter_context(socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC))
            attempt.setblocking(False)  # the standard library's signature
            code = attempt.connect_ex(address)
            if code in (0, errno.EINPROGRESS):
                self._selector.register(attempt, selectors.EVENT_WRITE, listener)
                return
        self._keep(listener, code)

    def _keep(self, listener: Listener, code: int) -> None:
        if code not in MADE | VERDICTS:
            self._results[listener.inode] = _untried(listener, os.strerror(code))
        else:
            error = "" if code in MADE else os.strerror(code)
            self._results[listener.inode] = Connection(error, self._elapsed(), None)

    def _wait(self, deadline: float) -> list[tuple[selectors.SelectorKey, int]]:
        """Return which attempts have come to something; none where time is up, or where the run is to end."""
        interruption.wait(max(0.0, deadline - time.monotonic()), self._selector.fileno())
        return self._selector.select(0)

    def _unanswered(self, listener: Listener) -> Connection | Unobserved:
        ended = interruption.reason()
        return _untried(listener, ended) if ended else Connection("no answer", self._elapsed(), None)

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _see_accepted(self, deadline: float) -> None:
        """Look into the queues until they are empty, or time is up; a socket that is gone meanwhile stays undecided."""
        waiting = {
            inode: made for inode, made in self._results.items() if isinstance(made, Connection) and not made.error
        }
        while waiting and not interruption.came():
            late = time.monotonic() >= deadline
            try:
                queues = {listener.inode: listener.queued for listener in sockets.collect({"tcp"})}
            except Unobserved:
                return
            for inode in list(waiting):
                if late or not queues.get(inode):
                    accepted = queues[inode] == 0 if inode in queues else None
                    self._results[inode] = waiting.pop(inode)._replace(accepted=accepted, seconds=self._elapsed())
            if waiting:
                time.sleep(ACCEPT_POLL_SECONDS)


def _say_no_more(attempt: Any) -> None:
    """Have the kernel queue a connection also where it would wait for data first: tcp(7), TCP_DEFER_ACCEPT (Apache).

    An end to what we say is as good (tcp_check_req() in the kernel); without one, an empty queue says nothing.
    """
    with suppress(OSError):  # it was refused, or has been reset
        attempt.shutdown(socket.SHUT_WR)


def _untried(listener: Listener, reason: str) -> Unobserved:
    return Unobserved(
        sockets.SOURCE, f"no connection to {listener.address} port {listener.port} could be tried: {reason}"
    )


def _is_link_local(address: str) -> bool:
    return address[:3] in ("fe8", "fe9", "fea", "feb")  # fe80::/10: such a socket is bound to its interface


def _reachable(listener: Listener) -> list[tuple[socket.AddressFamily, tuple[str | int, ...]]]:
    """Where to connect to, the best first. Where IPv6 is switched off, a socket on :: still serves IPv4."""
    address = listener.address
    if address in ANY.values():
        address = LOOPBACK[listener.family]
    targets: list[tuple[socket.AddressFamily, tuple[str | int, ...]]] = []
    if listener.family == 4:
        targets.append((socket.AF_INET, (address, listener.port)))
    else:
        targets.append((socket.AF_INET6, (address, listener.port, 0, listener.interface)))
        if listener.address == ANY[6] and not listener.v6only:
            targets.append((socket.AF_INET, (LOOPBACK[4], listener.port)))
    return targets
