"""The kernel of this host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks.base import Check, arg, judge_expectation
from nodecheck.definitions.expectation import Text
from nodecheck.node.unobserved import MASK
from nodecheck.node.windows.kernel import KernelWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.checks.base import Words
    from nodecheck.definitions.expectation import Version
    from nodecheck.node.node import Node, Want

# After these it is not to be trusted any more; the other taints tell what it is made of.
UNDAMAGED = Text({"not": ["died", "bad_page", "machine_check", "soft_lockup"]})


class Kernel(Check):
    """The kernel that runs is of a version, was booted as wanted, and has not been damaged."""

    version: Version = arg('Its version: "6.1" of 6.1.0-27-amd64.', default=None)
    release: Text = arg("Its release, as uname -r says: 6.1.0-27-amd64.", default=None)
    architecture: Text = arg("Its architecture, as uname -m says: x86_64, aarch64.", default=None)
    parameters: Words = arg("Words that stand on its command line: quiet, or psi=1.", default=None)
    without_parameters: Words = arg("Words that do not: quiet, or panic for one with any value.", default=None)
    tainted: Text = arg(
        "What taints it: untainted, or some of proprietary_module, out_of_tree_module, unsigned_module, warning, died, "
        "bad_page, machine_check, soft_lockup, user ... When nothing at all is expected: neither died (an oops) nor "
        "bad_page nor machine_check nor soft_lockup.",
        default=None,
    )
    cgroup: Text = arg("Version of the control groups: v1, v2 or hybrid.", default=None)
    lockdown: Text = arg("Lockdown: none, integrity or confidentiality.", default=None)

    EXAMPLE: ClassVar[str] = """\
- name: The kernel is recent enough, and has not crashed
  kernel: {version: ">= 5.4", tainted: {not: [died, soft_lockup]}}
"""

    def wants(self) -> Iterator[Want]:
        """All at once."""
        yield KernelWant()

    def judge(self, node: Node) -> Iterator[Finding]:
        """Each property by itself."""
        seen = node.look(KernelWant())
        nothing_expected = all(getattr(self, name) is None for name in self.arguments())
        properties: dict[str, tuple[Any, Any]] = {
            "version": (self.version, seen["release"]),
            "release": (self.release, seen["release"]),
            "architecture": (self.architecture, seen["architecture"]),
            "tainted": (UNDAMAGED if nothing_expected else self.tainted, frozenset(seen["tainted"] or ["untainted"])),
            "cgroup": (self.cgroup, seen["cgroup"]),
            "lockdown": (self.lockdown, seen["lockdown"]),
        }
        words = {"tainted": "taint", "cgroup": "version of the control groups"}
        for name, (expectation, observed) in properties.items():
            yield from judge_expectation(name, expectation, observed, subject="the kernel", unit=words.get(name, name))
        yield from self._judge_parameters(seen["command_line"])

    def _judge_parameters(self, line: list[str]) -> Iterator[Finding]:
        judged = (
            ("parameters", self.parameters or (), True),
            ("without_parameters", self.without_parameters or (), False),
        )
        for name, words, wanted in judged:
            for word in words:
                found = _find(line, word)
                masked = any(MASK in parameter for parameter in found) and "=" in word
                there = any("=" not in word or _value(parameter) == _value(word) for parameter in found)
                status = Status.UNKNOWN if masked else Status.OK if there == wanted else Status.CRITICAL
                yield Finding(name, status, word, ", ".join(found) or "none", _told(word, found, status, wanted))


def _find(line: list[str], word: str) -> list[str]:
    """Return what stands there of this name; in names - and _ are the same."""
    name = word.partition("=")[0].replace("-", "_")
    return [parameter for parameter in line if parameter.partition("=")[0].replace("-", "_") == name]


def _value(parameter: str) -> tuple[str, ...]:
    return parameter.partition("=")[1:]


def _told(word: str, found: list[str], status: Status, wanted: bool) -> str:
    if status is Status.UNKNOWN:
        return f"whether {word} is on the kernel command line cannot be told: its value is secret"
    there = f"the kernel command line has {', '.join(found)}" if found else f"the kernel command line has no {word}"
    if status is Status.OK:
        return there
    return f"{there}, expected {word}" if wanted else f"{there}, expected to be without {word}"
