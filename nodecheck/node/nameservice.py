"""The node's own name service: getaddrinfo(3), which knows no time limit, so it is asked in a thread of its own."""

from __future__ import annotations

import queue
import socket
import threading
import time
from typing import Any

from nodecheck.node import ownaddress
from nodecheck.node.unobserved import Unobserved

Address = tuple[int, tuple[Any, ...]]
SOURCE = "name service"
RESOLV_CONF = "/etc/resolv.conf"
# What getaddrinfo(3) returns where the name service has answered, and there is no such name or address.
NO_SUCH_NAME = (socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_ADDRFAMILY)
SERVERS_AT_MOST = 3  # MAXNS: the C library heeds no more


class Question:
    """What are the addresses of a host? Making one begins to ask. A thread that hangs is left: use it in a helper."""

    def __init__(self, host: str, port: int, family: int = socket.AF_UNSPEC) -> None:
        self._host, self._port, self._family = host, port, family
        self._answers: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()
        threading.Thread(target=self._ask, daemon=True).start()

    def answer(self, deadline: float) -> list[Address]:
        """Return (family, address for connect(2)) of each address, in the order in which to try them.

        `deadline` is a time of the monotonic clock in seconds; when it has passed, one may ask again. Raises
        TimeoutError, and socket.gaierror where the name service says no.
        """
        try:
            answer = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError(f"the name service did not answer about {self._host}") from None
        if isinstance(answer, OSError):
            raise answer
        return answer

    def _ask(self) -> None:
        try:
            found = socket.getaddrinfo(self._host, self._port, self._family, socket.SOCK_STREAM)
            self._answers.put([(kind, address) for kind, _, _, _, address in found])
        except OSError as error:
            self._answers.put(error)
        except UnicodeError as error:
            self._answers.put(socket.gaierror(socket.EAI_NONAME, f"this can be no name: {error}"))


def failed(host: str, error: OSError) -> Unobserved:
    """Return what to say where the name service fails, or does not answer: that tells nothing of the host."""
    late = isinstance(error, TimeoutError)
    reason = str(error) if late else f"the name {host} could not be looked up: {error.strerror}"
    return Unobserved(SOURCE, reason, remedy=f"getent ahosts {host}", late=late)


def servers() -> list[str]:
    """Return the addresses of the name servers that the C library asks, in their order."""
    return named(RESOLV_CONF)[:SERVERS_AT_MOST] or ["127.0.0.1"]  # resolv.conf(5): without one, this host


def named(path: str) -> list[str]:
    """Return the name servers that a resolv.conf(5) names; none where there is no such file. Raises OSError."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            # The C library takes no line for one that begins with a blank: MATCH() in glibc's resolv/res_init.c.
            lines = [line.split() for line in file if not line[:1].isspace()]
    except FileNotFoundError:
        lines = []
    return [words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1]


def is_this_node(server: str) -> bool:
    """Tell whether an address is one of this node's own, as far as that can be seen."""
    host, _, scope = server.partition("%")
    try:
        return ownaddress.is_own(host, socket.if_nametoindex(scope) if scope else 0)
    except (OSError, ValueError):  # no such interface, or no address
        return False
