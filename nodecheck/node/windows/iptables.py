"""Netfilter's rules, in both of its backends: the legacy tables, and nf_tables, where iptables-nft puts its own.

Looking must load no kernel module: `iptables-legacy -L` loads the legacy tables, and whoever looks next finds both
backends. So each is asked only where it is there, and of the legacy tables only those in /proc/net/ip_tables_names.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node import shapes
from nodecheck.node.sockets import answers_without_loading
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = "netfilter"
REMEDY = "run nodecheck as root with CAP_NET_ADMIN"
FAMILIES = {"ipv4": (socket.AF_INET, "ip"), "ipv6": (socket.AF_INET6, "ip6")}
# The tables of nf_tables that iptables-nft makes; others belong to firewalld, nft or kube-proxy's nftables mode.
TABLES = ("filter", "nat", "mangle", "raw", "security")
PLACES = ("/usr/sbin", "/sbin", "/usr/local/sbin")
SAVED_BYTES = 16 << 20
WHY_NOT = {"timeout": "it did not end in time", "flood": "it says too much"}
SAVE_SECONDS = 0.1  # less than the look has, to say itself what happened

# linux/netlink.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
NETLINK_NETFILTER = 12
NFT_MSG_NEWCHAIN, NFT_MSG_GETCHAIN = 0x0A03, 0x0A04
NLM_F_REQUEST_DUMP, NLM_F_DUMP_INTR = 0x301, 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, NFTA_CHAIN_HOOK, NFTA_CHAIN_POLICY, NFTA_CHAIN_USE = 1, 3, 4, 5, 6
NF_DROP = b"\0" * 4
HEADER = struct.Struct("=LHHLL")
FAMILY_HEADER = struct.Struct("=BBH")
ATTRIBUTE = struct.Struct("=HH")
NO_NF_TABLES = (errno.EPROTONOSUPPORT, errno.EINVAL, errno.EOPNOTSUPP, errno.EAFNOSUPPORT)
TYPE_MASK = 0x3FFF  # the upper bits of an attribute's type are flags
INTERRUPTED_AT_MOST = 5  # how often chains are read that change while they are read: kube-proxy may be writing them

BACKEND = shapes.fields({"used": shapes.boolean, "chains": shapes.whole, "found": shapes.list_of(shapes.text)})
RUNS_PROGRAMS = True
SHAPE = shapes.fields(
    {"command": shapes.one_of("nft", "legacy", ""), "nft": shapes.optional(BACKEND), "legacy": shapes.optional(BACKEND)}
)


class IptablesWant(NamedTuple):
    """The backends of a family of addresses, ipv4 or ipv6, and which of these chains are there."""

    family: str
    chains: tuple[str, ...] = ()
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "iptables"

    @property
    def key(self) -> str:
        """The family, and the chains."""
        return " ".join((self.family, *self.chains))


class Chain(NamedTuple):
    """A chain: `own` is one that somebody made, `used` one with rules, or that rules lead to, or whose policy drops."""

    table: str
    name: str
    own: bool
    used: bool


def look(want: IptablesWant) -> dict[str, Any]:
    """Return what each backend holds, None for one that is not there. Raises Unobserved."""
    number, family = FAMILIES[want.family]
    return {
        "command": _command(family),
        "nft": _summary(_nft_chains(number) if _has_nf_tables() else None, want),
        "legacy": _summary(_legacy_chains(family, time.monotonic() + want.seconds - SAVE_SECONDS), want),
    }


def _command(family: str) -> str:
    """Which backend the command of this name works on: Debian links it by /etc/alternatives."""
    for place in PLACES:
        path = os.path.join(place, f"{family}tables")
        if os.path.exists(path):
            return "legacy" if "legacy" in os.path.basename(os.path.realpath(path)) else "nft"
    return ""


def _summary(chains: list[Chain] | None, want: IptablesWant) -> dict[str, Any] | None:
    if chains is None:
        return None
    own = [chain for chain in chains if chain.own]
    known = {chain.name for chain in chains} | {f"{chain.table}/{chain.name}" for chain in chains}
    found = [name for name in want.chains if name in known]
    return {"used": any(chain.used or chain.own for chain in chains), "chains": len(own), "found": found}


# ---- nf_tables


def _has_nf_tables() -> bool:
    """Tell whether there is somebody to ask. Raises Unobserved where it may be built in, and that cannot be seen."""
    if answers_without_loading("nf_tables"):
        return True
    builtin = f"/lib/modules/{os.uname().release}/modules.builtin"
    if not os.access(builtin, os.R_OK):
        reason = f"whether this kernel has nf_tables built in could not be seen: {builtin} cannot be read"
        raise Unobserved(SOURCE, reason, remedy="run nodecheck outside of its service, and on the host itself")
    return False


def _nft_chains(family: int) -> list[Chain] | None:
    """None where this kernel has no nf_tables. Raises Unobserved."""
    for _ in range(INTERRUPTED_AT_MOST):
        with suppress(InterruptedError):
            return _dumped_chains(family)
    raise Unobserved(SOURCE, "the rules of nf_tables changed each time while they were read")


def _dumped_chains(family: int) -> list[Chain] | None:
    body = FAMILY_HEADER.pack(family, 0, 0)
    request = HEADER.pack(HEADER.size + len(body), NFT_MSG_GETCHAIN, NLM_F_REQUEST_DUMP, 0, 0) + body
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER) as kernel:
            kernel.settimeout(5)
            kernel.send(request)
            return [chain for chain in _answered(kernel) if chain.table in TABLES]
    except PermissionError as error:
        raise Unobserved(SOURCE, "this user may not see the rules of nf_tables", remedy=REMEDY) from error
    except OSError as error:
        if error.errno in NO_NF_TABLES:
            return None
        raise


def _answered(kernel: socket.socket) -> Iterator[Chain]:
    """Yield the chains. Raises InterruptedError: the kernel goes on by number, past what moved up meanwhile."""
    while True:
        data = kernel.recv(1 << 18)
        offset = 0
        while offset < len(data):
            length, kind, flags, *_ = HEADER.unpack_from(data, offset)
            body = data[offset + HEADER.size : offset + length]
            offset += (length + 3) & ~3
            if flags & NLM_F_DUMP_INTR:
                raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR:
                number = -struct.unpack_from("=i", body)[0]
                raise OSError(number, os.strerror(number))
            if kind == NFT_MSG_NEWCHAIN:
                yield _chain(dict(_attributes(body[FAMILY_HEADER.size :])))


def _chain(attributes: dict[int, bytes]) -> Chain:
    table, name = (attributes[kind].rstrip(b"\0").decode() for kind in (NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME))
    used = bool(int.from_bytes(attributes.get(NFTA_CHAIN_USE, b""), "big"))
    drops = attributes.get(NFTA_CHAIN_POLICY) == NF_DROP
    return Chain(table, name, NFTA_CHAIN_HOOK not in attributes, used or drops)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, offset)
        yield kind & TYPE_MASK, data[offset + ATTRIBUTE.size : offset + length]
        offset += max(ATTRIBUTE.size, (length + 3) & ~3)


# ---- legacy


def _legacy_chains(family: str, deadline: float) -> list[Chain] | None:
    """None where the kernel has no legacy tables, or none of them is there."""
    try:
        with open(f"/proc/net/{family}_tables_names", encoding="ascii") as names:
            tables = names.read().split()
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise Unobserved(SOURCE, "this user may not see the legacy tables", remedy=REMEDY) from error
    return [chain for table in tables for chain in _saved(family, table, deadline)]


def _saved(family: str, table: str, deadline: float) -> list[Chain]:
    from nodecheck.node import programs

    command = f"{family}tables-legacy-save"
    seconds = max(deadline - time.monotonic(), 0.0)
    run = programs.run(programs.Program((command, "-t", table), seconds, None, SAVED_BYTES))
    if run.outcome != programs.ENDED or run.exit_code != 0:
        why = run.error or " ".join(run.stderr.text.split()) or WHY_NOT.get(run.outcome, "it says nothing")
        raise Unobserved(SOURCE, f"the legacy table {table} cannot be read with {command}: {why}")
    lines = run.stdout.text.splitlines()
    used = {line.split(" ", 2)[1] for line in lines if line.startswith("-A ")}
    heads = [line[1:].split() for line in lines if line.startswith(":")]
    return [Chain(table, name, policy == "-", name in used or policy == "DROP") for name, policy, *_ in heads]
