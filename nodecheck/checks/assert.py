"""Expressions over what is known of this node: two facts that have to agree, say."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nodecheck.checks.base import Check, arg
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nodecheck.checks.base import Condition, Conditions
    from nodecheck.node.node import Node, Want


class Assert(Check):
    """Expressions over facts, variables and results of earlier checks are true."""

    that: Conditions = arg("Expressions as in `when`, without braces: each of them has to be true.")
    message: str = arg(
        "What is wrong where one of them is false. Without it, the values that it looks at.", default=None
    )

    EXAMPLE: ClassVar[str] = """\
- name: This is a Debian that we support
  assert: {that: [facts.os.id == 'debian', "facts.os.version is version('12', '>=')"]}
"""

    def wants(self) -> Iterable[Want]:
        """Nothing: expressions are evaluated as the definition is read."""
        return ()

    def judge(self, node: Node) -> Iterator[Finding]:  # noqa: ARG002  # all is known already
        """One finding for each expression."""
        for condition in self.that:
            yield self._judge(condition)

    def _judge(self, condition: Condition) -> Finding:
        if condition.holds:
            return Finding("that", Status.OK, condition.expression, True, f"{condition.expression} is true")
        told = f": {condition.values}" if condition.values else ""
        message = self.message or f"{condition.expression} is false{told}"
        return Finding("that", Status.CRITICAL, condition.expression, condition.values or False, message)
