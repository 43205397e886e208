"""iptables: which backend holds the rules, and are the chains there?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, Words, arg, judge_expectation
from nodecheck.node.windows.iptables import IptablesWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Text
    from nodecheck.node.node import Node, Want

BACKENDS = ("nft", "legacy")
MIXED, NONE = "mixed", "none"


class Iptables(Check):
    """The rules of iptables are in one backend, the one that its command works on, and chains are there."""

    family: str = arg("Whose rules: those for IPv4 or for IPv6.", default="ipv4", choices=("ipv4", "ipv6"))
    backend: Text = arg(
        "Where rules are: nft (as iptables-nft makes them), legacy, mixed (in both, and the kernel obeys both) or "
        "none; a policy DROP is a rule, too. When left out, mixed is not well.",
        default=None,
    )
    command: Text = arg(
        "Backend that the command iptables of this node works on: nft or legacy. Without it, the one that holds rules.",
        default=None,
    )
    chains: Words = arg(
        "Chains that have to be there: KUBE-SERVICES in any table, or nat/KUBE-SERVICES in that one. Where rules are "
        "mixed, in the backend of the command.",
        default=None,
    )

    EXAMPLE: ClassVar[str] = """\
- name: kube-proxy has written its rules, where iptables finds them
  iptables: {chains: [nat/KUBE-SERVICES, KUBE-FORWARD]}
"""

    def wants(self) -> Iterator[Want]:
        """Both backends, as far as they are there."""
        yield self._want

    @property
    def _want(self) -> IptablesWant:
        return IptablesWant(self.family, tuple(self.chains or ()))

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last: one backend, the right one, and the chains."""
        seen = node.look(self._want)
        used = [name for name in BACKENDS if seen[name] and seen[name]["used"]]
        held = MIXED if len(used) > 1 else used[0] if used else NONE
        yield self._judge_backend(held, seen)
        yield from self._judge_command(held, seen["command"])
        where = seen["command"] if held == MIXED else held
        found = seen[where]["found"] if where in BACKENDS and seen[where] else []
        for chain in self.chains or ():
            yield self._judge_chain(chain, chain in found, held if held != MIXED else f"the backend {where}")

    @property
    def _called(self) -> str:
        return "iptables" if self.family == "ipv4" else "ip6tables"

    def _judge_backend(self, held: str, seen: dict[str, Any]) -> Finding:
        places = [
            f"{name} ({seen[name]['chains']} own chains)" for name in BACKENDS if seen[name] and seen[name]["used"]
        ]
        told = f"{self._called} has {'rules in ' if places else 'no rules'}{' and '.join(places)}"
        if self.backend is not None:
            good, expected = self.backend.matches(held), str(self.backend)
        else:
            good, expected = held != MIXED, "not mixed"
        message = told if good else f"{told}, expected {expected}"
        if held == MIXED:
            message += ": the kernel obeys both, and each command shows only one"
        return Finding("backend", Status.OK if good else Status.CRITICAL, expected, held, message)

    def _judge_command(self, held: str, command: str) -> Iterator[Finding]:
        """Without an expectation: a command that works on the backend without rules will put new ones beside them."""
        if self.command is not None:
            observed = command or "missing"
            unit = f"backend of the command {self._called}"
            yield from judge_expectation("command", self.command, observed, subject="this node", unit=unit)
        elif held in BACKENDS and command and command != held:
            message = f"the rules are in {held}, but the command {self._called} works on {command}"
            yield Finding("command", Status.CRITICAL, held, command, f"{message}: it does not see them")

    def _judge_chain(self, chain: str, there: bool, where: str) -> Finding:
        status = Status.OK if there else Status.CRITICAL
        message = f"the chain {chain} is {'' if there else 'not '}in {where}"
        if where == NONE:
            message = f"there is no chain {chain}: there are no rules"
        return Finding("chains", status, chain, chain if there else "missing", message)
