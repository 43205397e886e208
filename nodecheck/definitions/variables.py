"""What a name in a definition stands for: a fact, a variable, a result; and what is said of one that is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from nodecheck.definitions.errors import did_you_mean
from nodecheck.definitions.scope import Pending
from nodecheck.definitions.yamlfile import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    Names = Mapping[str, Any]

CONSTANTS = {
    "true": True, "True": True, "false": False, "False": False, "none": None, "None": None, "null": None,
}  # fmt: skip
# Variables that Ansible has under another name.
ELSEWHERE = {
    "inventory_hostname": "facts.hostname", "ansible_hostname": "facts.hostname", "ansible_host": "facts.hostname",
    "group_names": "groups", "ansible_distribution": "facts.os.id", "ansible_kernel": "facts.kernel",
    "ansible_distribution_version": "facts.os.version", "ansible_architecture": "facts.architecture",
}  # fmt: skip
MAXIMUM_TEXT = 10_000  # characters
LITERAL_HINT = "braces that are text are written {{ '{{' }}"


class Unfilled(Exception):
    """A text whose expressions have no value: (message, hint)."""


class Undefined(Unfilled):
    """The same, since a variable or a part of one does not exist."""


class NotSeen(Unfilled):
    """The same, since it could not be found out what this node is: nobody's mistake."""


class FromNode(Value):
    """The value of a variable that is made of what was found out about this node."""

    __slots__ = ()


class Unseen:
    """A fact that could not be found out. Whatever an expression asks of it raises NotSeen: nothing is known of it.

    With `absent` it is known that there is none, and `is defined` may be asked.
    """

    def __init__(self, reason: str, *, absent: bool = False) -> None:
        self.reason = reason
        self.absent = absent

    def _refuse(self, *_: object) -> NoReturn:
        raise NotSeen(self.reason, "")

    __getattr__ = __getitem__ = __contains__ = __iter__ = __len__ = __bool__ = __str__ = __hash__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __call__ = __int__ = __float__ = __format__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = __abs__ = _refuse


def look_up(expression: str, names: Names) -> Any:
    """Return what a name with its parts stands for, as in facts.os.id.

    Raises Undefined for what there is not, NotSeen for what could not be found out, Unfilled for a result to come.
    """
    if expression in CONSTANTS and expression not in names:
        return CONSTANTS[expression]
    known: Any = names
    path: list[str] = []
    for part in expression.split("."):
        known = _seen(_bare(known))
        if isinstance(known, list | tuple) and part.isdecimal() and int(part) < len(known):
            known = known[int(part)]
        elif not isinstance(known, dict) or part not in known:
            raise Undefined(*missing(part, known, ".".join(path)))
        else:
            known = known[part]
        path.append(part)
    return _seen(_now(known) if isinstance(known, Pending) else known)


def pending_checks(names: Names) -> dict[str, frozenset[str]]:
    """Return {name: the ids of the checks that it waits for} of those that wait."""
    return {name: item.checks for name, item in names.items() if isinstance(item, Pending)}


def _seen(known: Any) -> Any:
    """Return the same. Raises NotSeen for a fact that could not be found out."""
    if isinstance(known, Unseen):
        raise NotSeen(known.reason, "")
    return known


def _bare(known: Any) -> Any:
    known = _now(known) if isinstance(known, Pending) else known
    return known.data if isinstance(known, Value) else known


def _now(pending: Pending) -> Any:
    """Return what a pending variable stands for. Raises Unfilled where it waits for a result that is not there."""
    if pending.checks:
        raise Unfilled(f"the result of {', '.join(sorted(pending.checks))} is not there")
    return pending.now({})


def missing(name: str, known: Any, of: str) -> tuple[str, str]:
    """Return what is wrong with a name that is not in `known`, a part of the variable `of`, and the nearest one."""
    if not of and name in ELSEWHERE:
        return f"the variable {name!r} is not defined", f"here it is {ELSEWHERE[name]}"
    if not of and isinstance(known, dict) and name in _groups(known):
        return f"the variable {name!r} is not defined", f"it is a group: '{name}' in groups"
    if not of and name in ("yes", "no", "on", "off"):
        return f"the variable {name!r} is not defined", "only true and false are booleans"
    if not of and name.startswith("ansible_"):
        return f"the variable {name!r} is not defined", "what is known of this node stands under facts: nodecheck facts"
    where = f" in {of}" if of else ""
    if isinstance(known, dict):
        hint = did_you_mean(name, map(str, known))
    else:
        listed = f"{of} is a list: '{name}' in {of}" if isinstance(known, list | tuple) else ""
        hint = listed or f"{of} has no parts"
    return f"the variable {name!r} is not defined{where}", hint


def _groups(known: dict[str, Any]) -> list[str]:
    groups = known.get("groups")
    return [str(group) for group in groups] if isinstance(groups, list) else []


def plain(data: Any) -> Any:
    """Return the bare data of a value, as expressions see them. Raises Unfilled for a variable that has none."""
    data = _bare(data)
    if isinstance(data, dict):
        return {key: plain(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [plain(item) for item in data]
    return data


def written(value: Value) -> Any:
    """Return the same, with numbers as their author wrote them."""
    if isinstance(value.data, dict):
        return {key: written(item) for key, item in value.data.items()}
    if isinstance(value.data, list):
        return [written(item) for item in value.data]
    return value.text if isinstance(value.data, int | float) and not isinstance(value.data, bool) else plain(value)
