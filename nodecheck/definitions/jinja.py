"""Expressions that are more than a name: Jinja2's, in its sandbox, with native types. The only importer of jinja2.

An expression is compiled and evaluated; its result is data and never rendered again, and never guessed at: Jinja2's own
native environment takes text that looks like Python for Python, and would turn the name of a node into a list.
"""

from __future__ import annotations

import json
import re
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

from nodecheck.definitions.errors import did_you_mean
from nodecheck.definitions.variables import (
    LITERAL_HINT,
    MAXIMUM_TEXT,
    NotSeen,
    Undefined,
    Unfilled,
    Unseen,
    missing,
    plain,
)

try:
    import jinja2
    from jinja2 import meta, nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment
except ImportError as error:  # pragma: no cover  # where it is missing, no expression can be read
    raise Unfilled(
        f"an expression needs Jinja2, and it cannot be loaded: {error}", "apt-get install python3-jinja2"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXAMPLE = "an example: facts.os.id == 'debian'"
SAID_BY_JINJA = {
    "unexpected 'end of template'": "it ends too early",
    "unexpected end of template, expected": "it ends without",
    "chunk after expression": "something stands behind it",
    "expected token 'end of print statement', got": "nobody knows what to do with",
}  # fmt: skip
OF_RESULTS = "of a registered result: ok, failed, skipped, unknown"
LONE_EQUALS = re.compile(r"[^=!<>]=[^=]")
LARGEST_NUMBER = 2**128
LARGEST_POWER = 64
PLAIN = (str, int, float, bool, type(None))


def evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    """Return the plain data that an expression stands for. Raises Unfilled."""
    wanted = names_in(expression)
    known = {name: plain(names[name]) for name in wanted if name in names}
    try:
        found = _compiled(expression)(**known)
        if isinstance(found, jinja2.Undefined):
            str(found)  # raises, in the words of _Missing
        return _as_data(found)
    except jinja2.UndefinedError as error:
        raise _undefined(str(error), names, known) from error
    except Unfilled:
        raise
    except Exception as error:
        mixed = "'str' and 'int'" in str(error) or "'int' and 'str'" in str(error)
        hint = "one is a text: x | int makes a number of it, x is version('11', '>') compares versions" if mixed else ""
        raise Unfilled(f"{expression!r} has no value: {_told(error)}", hint) from error


@cache
def names_in(expression: str) -> set[str]:
    """Return the variables that an expression names. Raises Unfilled for what is no expression."""
    try:
        _compiled(expression)  # a text such as "a }} {{ b" is two, and no expression
        tree = _environment().parse("{{ (" + expression + ") }}")
        return meta.find_undeclared_variables(tree) - _environment().globals.keys()
    except (jinja2.TemplateError, RecursionError) as error:
        raise _no_expression(expression, error) from error


@cache
def chains_in(expression: str) -> set[tuple[str, ...]]:
    """Return what an expression looks up, each by its parts. Raises Unfilled for what is no expression."""
    names_in(expression)
    tree = _environment().parse("{{ (" + expression + ") }}")
    return {tuple(chain) for node in tree.find_all((nodes.Getattr, nodes.Getitem)) if (chain := _chain(node))}


def _chain(node: nodes.Node) -> list[str]:
    """Return the parts of a.b['c']; nothing for what does not begin with a name, or asks for a part by another name."""
    if isinstance(node, nodes.Name):
        return [node.name]
    if isinstance(node, nodes.Getattr):
        before = _chain(node.node)
        return [*before, node.attr] if before else []
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        before = _chain(node.node)
        return [*before, node.arg.value] if before else []
    return []


@cache
def _compiled(expression: str) -> Callable[..., Any]:
    try:
        return _environment().compile_expression(expression, undefined_to_none=False)
    except (jinja2.TemplateError, RecursionError) as error:
        raise _no_expression(expression, error) from error


def _no_expression(expression: str, error: Exception) -> Unfilled:
    said = str(getattr(error, "message", error))
    unknown = re.match(r"No (filter|test) named '(\w+)'", said)
    if unknown:
        return _no_filter_or_test(unknown[1], unknown[2])
    for words, plain_words in SAID_BY_JINJA.items():
        said = said.replace(words, plain_words)
    if LONE_EQUALS.search(expression):
        return Unfilled(f"{expression!r} is not an expression", "== compares")
    hint = LITERAL_HINT if expression.startswith(".") else EXAMPLE
    return Unfilled(f"{expression!r} is not an expression: {said}", hint)


def _no_filter_or_test(kind: str, name: str) -> Unfilled:
    every = _environment().filters if kind == "filter" else _environment().tests
    known = [other for other in every if other.isidentifier()]
    if kind == "test" and name in ("changed", "reachable", "unreachable", "failure", "finished", "started"):
        return Unfilled(f"there is no test {name!r}", OF_RESULTS)
    longer = [other for other in known if len(other) > 2 and name.startswith(other)]  # integer is int
    hint = f"did you mean {max(longer, key=len)}?" if longer else did_you_mean(name, known)
    return Unfilled(f"there is no {kind} {name!r}", hint)


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__


def _as_data(found: Any) -> Any:
    """Filters give generators and other types of Python; definitions know six kinds of data."""
    if isinstance(found, PLAIN):
        if isinstance(found, str) and len(found) > MAXIMUM_TEXT:
            raise Unfilled(f"the value of an expression is longer than {MAXIMUM_TEXT} characters", "write less")
        if isinstance(found, int | float) and not -LARGEST_NUMBER < found < LARGEST_NUMBER:
            raise Unfilled("the value of an expression is a number without measure", "")
        return found
    if isinstance(found, dict):
        return {str(key): _as_data(item) for key, item in found.items()}
    if hasattr(found, "__iter__"):
        return [_as_data(item) for item in found]
    raise Unfilled(f"the value of an expression is no data: {type(found).__name__}", "text, a number, a list, ...")


# ---- what is undefined


class _Missing(jinja2.StrictUndefined):
    """An undefined variable: its message is ours, and hands over what it is about."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        of = self._undefined_obj
        known = list(map(str, of)) if isinstance(of, dict) else None
        top = of is jinja2.utils.missing
        return json.dumps([str(self._undefined_name), top, known])


def _undefined(said: str, names: Mapping[str, Any], known_names: Mapping[str, Any]) -> Unfilled:
    if not said.startswith("["):
        return Undefined(said, "")
    name, top, known = json.loads(said)
    if top:
        return Undefined(*missing(name, dict(names), ""))
    if known is None:
        return Undefined(f"{name!r} is not defined: what it is asked of has no parts", "")
    of = _path_to(set(known), known_names)
    return Undefined(*missing(name, dict.fromkeys(known), of or "a mapping here"))


def _path_to(keys: set[str], data: Any, path: str = "") -> str:
    """Return where in the variables the mapping with these keys is, so that a message can name it."""
    if not isinstance(data, dict):
        return ""
    if path and set(data) == keys:
        return path
    found = (_path_to(keys, item, f"{path}.{name}" if path else str(name)) for name, item in data.items())
    return next(filter(None, found), "")


# ---- the environment


class _Environment(ImmutableSandboxedEnvironment):
    """A part of a mapping is its key before it is a method of Python's: facts.items is a fact."""

    intercepted_binops = frozenset({"**", "*", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Unseen):
            raise NotSeen(obj.reason, "")
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse what takes for ever or makes a text of any length: 9 ** 9 ** 9, a text times a million."""
        if operator == "%" and isinstance(left, str):
            raise Unfilled("% is for numbers; texts are joined with ~", "")
        if operator == "**" and isinstance(right, int | float) and abs(right) > LARGEST_POWER:
            raise Unfilled(f"a power above {LARGEST_POWER} is not computed", "")
        if operator == "*" and any(isinstance(side, str | list | tuple) for side in (left, right)):
            raise Unfilled("only numbers can be multiplied", "")
        return super().call_binop(context, operator, left, right)


@cache
def _environment() -> _Environment:
    environment = _Environment(undefined=_Missing, autoescape=False, cache_size=0)  # this is no HTML
    # dict, cycler, lipsum and so on would silently stand for what a definition has a variable of that name for.
    environment.globals = {"range": environment.globals["range"]}
    for name in UNBOUNDED_FILTERS:
        del environment.filters[name]
    environment.filters |= FILTERS
    environment.tests |= TESTS
    tests: dict[str, Any] = dict(environment.tests)
    environment.tests = {name: _of_what_was_seen(name, test) for name, test in tests.items()}
    return environment


def _of_what_was_seen(name: str, test: Callable[..., bool]) -> Callable[..., bool]:
    """Let a test say nothing of a fact that could not be found out, but whether there is one where that is known."""

    @wraps(test)
    def wrapped(*arguments: Any, **keywords: Any) -> bool:
        for argument in arguments[:2]:  # Jinja2's environment may be the first
            if isinstance(argument, Unseen):
                if argument.absent and name in ("defined", "undefined"):
                    return name == "undefined"
                raise NotSeen(argument.reason, "")
        return test(*arguments, **keywords)

    return wrapped


def _boolean(value: Any) -> bool:
    """Ansible's `bool`, without its guesses: what is neither true nor false is an error."""
    text = str(value).lower()
    if text in ("true", "yes", "on", "1", "y", "t"):
        return True
    if text in ("false", "no", "off", "0", "n", "f"):
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def _regex_search(text: Any, pattern: str) -> str:
    found = re.search(pattern, str(text))
    return found[0] if found else ""


def _regex_replace(text: Any, pattern: str, replacement: str = "") -> str:
    return re.sub(pattern, replacement, str(text))


def _is_version(found: Any, wanted: Any, operator: str = "==") -> bool:
    """Ansible's `version`: the numbers in it are compared one by one, 1.10 is above 1.9."""
    left, right = _numbers(found), _numbers(wanted)
    length = max(len(left), len(right))
    left, right = left + [0] * (length - len(left)), right + [0] * (length - len(right))
    order = (left > right) - (left < right)
    accepted = {
        "==": (0,), "eq": (0,), "=": (0,), "!=": (-1, 1), "ne": (-1, 1), "<": (-1,), "lt": (-1,), "<=": (-1, 0),
        "le": (-1, 0), ">": (1,), "gt": (1,), ">=": (0, 1), "ge": (0, 1),
    }  # fmt: skip
    if operator not in accepted:
        raise ValueError(f"{operator!r} compares nothing: one of == != < <= > >=")
    return order in accepted[operator]


def _numbers(version: Any) -> list[int]:
    if isinstance(version, float):
        raise ValueError(f"{version} is a number, and as one 1.1 and 1.10 are the same; a version stands in quotes")
    found = [int(number) for number in re.findall(r"[0-9]{1,9}", str(version))]
    if not found:
        raise ValueError(f"{version!r} is not a version: it has no number")
    return found


def _has_status(*statuses: str) -> Callable[[Any], bool]:
    def test(result: Any) -> bool:
        if isinstance(result, jinja2.Undefined):
            str(result)  # raises, in the words of _Missing
        if not isinstance(result, dict) or "status" not in result:
            raise ValueError("this asks what became of a check, and was given no registered result")
        return result["status"] in statuses

    return test


UNBOUNDED_FILTERS = ("center", "format", "indent", "wordwrap")  # they make a text of any length out of a short one
# Those of Ansible's that a question about a node needs; Jinja2 has some fifty itself.
FILTERS: dict[str, Callable[..., Any]] = {
    "bool": _boolean,
    "from_json": json.loads,
    "regex_search": _regex_search,
    "regex_replace": _regex_replace,
    "basename": lambda path: str(path).rpartition("/")[2],
    "dirname": lambda path: str(path).rpartition("/")[0],
    "split": lambda text, separator=None: str(text).split(separator),
    "dict2items": lambda data: [{"key": key, "value": value} for key, value in dict(data).items()],
}
TESTS: dict[str, Callable[..., bool]] = {
    "match": lambda text, pattern: re.match(pattern, str(text)) is not None,
    "search": lambda text, pattern: re.search(pattern, str(text)) is not None,
    "version": _is_version,
    "ok": _has_status("ok"),
    "success": _has_status("ok"),
    "succeeded": _has_status("ok"),
    "failed": _has_status("critical", "warning", "info"),
    "skipped": _has_status("skipped"),
    "unknown": _has_status("unknown"),
}
