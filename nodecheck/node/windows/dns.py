"""What a name server answers; or the node's own resolver, and where that fails, each of the servers that it asks."""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any, NamedTuple

from nodecheck.node import dnsmessage, nameservice
from nodecheck.node.dnsmessage import NotTheAnswer
from nodecheck.node.reach import NO_ROUTE, UNREACHABLE, why
from nodecheck.node.shapes import boolean, fields, list_of, number, one_of, text, whole
from nodecheck.node.unobserved import Unobserved

PORT = 53
SENT = 3  # a datagram may get lost: so often the question is sent within the time there is
REJECTED_SECONDS = 0.1  # what this node itself says of a datagram is there while it is sent
LARGEST = 0xFFFF
RESOLVER_SHARE = 0.6  # of the time: how long the resolver may take before its servers are asked one by one
FAMILIES = dnsmessage.ADDRESSES
OUTCOMES = ("answered", "silent", "refused", "unreachable", "truncated", "failed")
# `rcode` is "" where there was no answer, and for the resolver of the node, which does not tell it: there `error` says
# in its words why there are no answers. `ignored` counts what came and was no answer to the question. `servers` are
# those that the resolver asks, with what each of them said by itself; filled only where it gave no answer.
REPLY = {
    "outcome": one_of(*OUTCOMES), "rcode": text, "answers": list_of(text), "aliases": list_of(text), "ignored": whole,
    "error": text, "seconds": number,
}  # fmt: skip
SERVER = {"server": text, "is_this_node": boolean, "outcome": one_of(*OUTCOMES), "rcode": text}
SHAPE = fields(REPLY | {"servers": list_of(fields(SERVER))})


class DnsWant(NamedTuple):
    """A question of a type, for a server (address or address:port), or "" for the resolver of the node."""

    name: str
    type: str = "A"
    server: str = ""
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "dns"

    @property
    def key(self) -> str:
        """Name this want."""
        return f"{self.name} {self.type}" + (f" of {self.server}" if self.server else "")


def parse_server(server: str) -> tuple[str, int]:
    """Return address and port of a name server. Raises ValueError."""
    host, _, port = server.rpartition(":")
    if "." in host or host.endswith("]"):
        if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
            raise ValueError(f"{port!r} is no port from 1 to 65535")
    else:
        host, port = server, str(PORT)
    address = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    ipaddress.ip_address(address)
    return address, int(port)


def asked_name(name: str, type: str) -> str:
    """Return the name to ask for: of an address with the type PTR, that in in-addr.arpa or ip6.arpa."""
    try:
        return ipaddress.ip_address(name).reverse_pointer if type == "PTR" else name
    except ValueError:
        return name


def look(want: DnsWant) -> dict[str, Any]:
    """Ask, and return what was answered in the time there is. Raises Unobserved where this node could not ask."""
    started = time.monotonic()
    deadline = started + want.seconds
    if want.server:
        seen = _ask(want, parse_server(want.server), deadline) | {"servers": []}
    else:
        seen = _resolve(want, started, deadline)
    return seen | {"seconds": time.monotonic() - started}


def _reply(outcome: str, **told: Any) -> dict[str, Any]:
    return {"outcome": outcome, "rcode": "", "answers": [], "aliases": [], "ignored": 0, "error": ""} | told


# ---- the resolver of the node


def _resolve(want: DnsWant, started: float, deadline: float) -> dict[str, Any]:
    asked = nameservice.Question(want.name, 0, FAMILIES[want.type])
    servers: list[dict[str, Any]] = []
    try:
        try:
            found = asked.answer(started + RESOLVER_SHARE * want.seconds)
        except TimeoutError:
            servers = _each_server(want, deadline)
            found = asked.answer(deadline)
    except TimeoutError:
        return _reply("silent", servers=servers)
    except socket.gaierror as error:
        told = {"error": str(error.strerror), "servers": servers}
        if error.errno in nameservice.NO_SUCH_NAME:
            return _reply("answered", **told)
        if error.errno in (socket.EAI_AGAIN, socket.EAI_FAIL):
            return _reply("failed", **(told | {"servers": servers or _each_server(want, deadline)}))
        raise Unobserved(f"dns {want.key}", f"{want.name} could not be looked up: {error.strerror}") from None
    addresses = dict.fromkeys(str(address[0]) for _, address in found)
    return _reply("answered", answers=list(addresses), servers=[])


def _each_server(want: DnsWant, deadline: float) -> list[dict[str, Any]]:
    """Ask each server of resolv.conf by itself, all at once."""
    servers = list(dict.fromkeys(nameservice.servers()))
    replies: dict[str, dict[str, Any]] = {}
    threads = [threading.Thread(target=_ask_one, args=(want, server, deadline, replies)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [
        {"server": server, "is_this_node": nameservice.is_this_node(server)}
        | {key: replies[server][key] for key in ("outcome", "rcode")}
        for server in servers
    ]


def _ask_one(want: DnsWant, server: str, deadline: float, replies: dict[str, dict[str, Any]]) -> None:
    try:
        replies[server] = _ask(want, (server, PORT), deadline)
    except (OSError, Unobserved, ValueError):  # an address that is none, or that this node may not send to
        replies[server] = _reply("unreachable")


# ---- one name server


def _ask(want: DnsWant, server: tuple[str, int], deadline: float) -> dict[str, Any]:
    """Ask by UDP; by TCP where the answer was too large for a datagram."""
    ask = dnsmessage.question(int.from_bytes(os.urandom(2), "big"), asked_name(want.name, want.type), want.type)
    family, address = _address(server)
    ignored = 0
    try:
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as udp:
            udp.connect(address)  # so the kernel takes datagrams from nobody else, and tells that nobody listens
            answer, ignored = _by_udp(udp, ask, deadline)
        if answer is None:
            return _reply("silent", ignored=ignored)
        if answer.truncated:
            try:
                answer = _by_tcp(family, address, ask, deadline)
            except (OSError, NotTheAnswer) as error:
                return _reply("truncated", ignored=ignored, error=_why(error))
    except ConnectionRefusedError as error:
        return _reply("refused", error=_why(error))
    except OSError as error:
        if error.errno not in NO_ROUTE | UNREACHABLE:
            raise
        return _reply("unreachable", error=why(error.errno))
    answers, aliases = list(answer.records), list(answer.aliases)
    return _reply("answered", rcode=answer.rcode, answers=answers, aliases=aliases, ignored=ignored)


def _address(server: tuple[str, int]) -> tuple[int, Any]:
    """Return (family, address for connect(2)) without asking anybody."""
    family, _, _, _, address = socket.getaddrinfo(*server, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
    return family, address


def _by_udp(udp: socket.socket, ask: bytes, deadline: float) -> tuple[dnsmessage.Answer | None, int]:
    """Return the answer, None when there is none in time; and how much came that was none."""
    ignored = 0
    pause = (deadline - time.monotonic()) / SENT
    for tried in range(SENT):
        _send(udp, ask)
        until = deadline - (SENT - 1 - tried) * pause
        while (left := until - time.monotonic()) > 0:
            udp.settimeout(left)
            try:
                return dnsmessage.answer(ask, udp.recv(LARGEST)), ignored
            except TimeoutError:
                break
            except NotTheAnswer:
                ignored += 1
    return None, ignored


def _send(udp: socket.socket, ask: bytes) -> None:
    """Send a question. Raises OSError.

    A packet filter of this node that rejects it, as kube-proxy's does where a service has no endpoints, says EPERM to
    whoever sends, and to the socket what it rejects with: nf_send_unreach() in the kernel.
    """
    try:
        udp.send(ask)
    except PermissionError as denied:
        udp.settimeout(REJECTED_SECONDS)
        with suppress(TimeoutError):
            udp.recv(LARGEST)
        raise denied from None


def _by_tcp(family: int, address: Any, ask: bytes, deadline: float) -> dnsmessage.Answer:
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as tcp:
        tcp.settimeout(max(0.001, deadline - time.monotonic()))
        tcp.connect(address)
        tcp.sendall(len(ask).to_bytes(2, "big") + ask)
        length = int.from_bytes(_received(tcp, 2, deadline), "big")
        return dnsmessage.answer(ask, _received(tcp, length, deadline))


def _received(tcp: socket.socket, length: int, deadline: float) -> bytes:
    data = b""
    while len(data) < length:
        tcp.settimeout(max(0.001, deadline - time.monotonic()))
        chunk = tcp.recv(length - len(data))
        if not chunk:
            raise NotTheAnswer("it ended the connection in the middle of its answer")
        data += chunk
    return data


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "nothing came in time"
    return str(getattr(error, "strerror", None) or error)
