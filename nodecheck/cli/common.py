"""What several commands do: read variables, settings and definitions, and choose from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.definitions.errors import DefinitionError, Mistake
from nodecheck.definitions.sources import SETTINGS_FILE, Definitions, read_definitions, read_settings
from nodecheck.engine.plan import Selection
from nodecheck.node import facts
from nodecheck.node.node import Node

if TYPE_CHECKING:
    from argparse import Namespace

    from nodecheck.definitions.sources import Settings


class Loaded(NamedTuple):
    """A node, and what is wanted of it."""

    node: Node
    settings: Settings
    definitions: Definitions


def load(arguments: Namespace) -> Loaded:
    """Find out what this node is, and read the definitions. Raises DefinitionError."""
    settings = read_settings()
    node = Node.here(settings.groups, SETTINGS_FILE)
    variables = {**settings.variables, "facts": facts.values(node.facts), "groups": sorted(node.groups)}
    overrides = read_extra_variables(arguments.extra_vars)
    definitions = read_definitions(arguments.paths + arguments.checks, variables, overrides)
    return Loaded(node, settings, definitions)


def read_extra_variables(items: list[str]) -> dict[str, Any]:
    """Return the variables of -e K=V; the value is read as YAML would read it. Raises DefinitionError."""
    variables = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name.isidentifier():
            raise DefinitionError([Mistake(None, f"-e takes NAME=VALUE, not {item!r}")])
        variables[name] = _scalar(value)
    return variables


def _scalar(text: str) -> Any:
    from nodecheck.definitions.yamlfile import scalar

    return scalar(text)


def selection(arguments: Namespace) -> Selection:
    """Return what the options -t, --skip-tags and -l select."""
    return Selection(_tags(arguments.tags), _tags(arguments.skip_tags), arguments.limit)


def _tags(options: list[str]) -> frozenset[str]:
    return frozenset(tag.strip() for option in options for tag in option.split(",") if tag.strip())
