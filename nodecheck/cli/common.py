"""What several commands do: read variables, settings and definitions, and choose from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nodecheck.definitions import hosts
from nodecheck.definitions.errors import DefinitionError, Mistake, did_you_mean
from nodecheck.definitions.settings import SETTINGS_FILE, read_extra_variables, read_settings
from nodecheck.definitions.sources import Definitions, read_definitions
from nodecheck.engine.known import names_of, variables_of
from nodecheck.engine.plan import Selection, make_plan
from nodecheck.node import looks
from nodecheck.node.node import Node

if TYPE_CHECKING:
    from argparse import Namespace

    from nodecheck.definitions.settings import Settings
    from nodecheck.engine.plan import Plan
    from nodecheck.node.groups import Look


class Loaded(NamedTuple):
    """A node, and what is wanted of it."""

    node: Node
    settings: Settings
    definitions: Definitions


def load(arguments: Namespace, begun: Look | None = None, settings_file: str = SETTINGS_FILE) -> Loaded:
    """Find out what this node is, and read the definitions. Raises DefinitionError."""
    settings = read_settings(settings_file)
    node = load_node(arguments, settings, begun)
    overrides = read_extra_variables(arguments.extra_vars)
    paths = arguments.paths + arguments.checks
    variables = {**settings.variables, **variables_of(node)}
    announce = looks.expect if arguments.command == "run" and node.recorded_at is None else None
    by_name = f"nodecheck {arguments.command} FILE|DIR"
    found = read_definitions(paths, variables, overrides, names_of(node), announce, by_name=by_name)
    return Loaded(node, settings, found)


def load_node(arguments: Namespace, settings: Settings, begun: Look | None = None) -> Node:
    """Return this very host, or the recorded node of --replay. Raises DefinitionError."""
    if arguments.replay is None:
        return Node.here(settings.groups, SETTINGS_FILE, begun)
    from nodecheck.node import recordfile

    try:
        return recordfile.read(arguments.replay)
    except recordfile.BadRecord as error:
        raise DefinitionError([Mistake(None, str(error), error.hint)]) from error


def plan(arguments: Namespace, loaded: Loaded) -> Plan:
    """Return what the options -t, --skip-tags and -l select. Raises DefinitionError."""
    selection = _selection(arguments)
    names = names_of(loaded.node)
    made = make_plan(loaded.definitions.plays, set(names), selection)
    if selection.limit and not hosts.matches(selection.limit, set(names)):
        _refuse_unknown_groups(selection.limit, names, loaded.definitions)
    return made


def _refuse_unknown_groups(limit: str, names: frozenset[str], definitions: Definitions) -> None:
    """A slip in -l selects nothing. That other hosts have a group of their own some play tells."""
    from nodecheck.node import groups

    of_plays = {term.lstrip("&!") for play in definitions.plays for term in hosts.terms(play.hosts)}
    known = {*names, *groups.known(), *of_plays}
    wanted = [term.lstrip("&") for term in hosts.terms(limit) if not term.startswith("!")]
    unknown = [name for name in wanted if not hosts.matches(name, known)]
    if unknown:
        raise DefinitionError(
            [Mistake(None, f"-l {limit}: no group is called {name!r}", did_you_mean(name, known)) for name in unknown]
        )


def _selection(arguments: Namespace) -> Selection:
    return Selection(_tags(arguments.tags), _tags(arguments.skip_tags), arguments.limit)


def _tags(options: list[str]) -> frozenset[str]:
    return frozenset(tag.strip() for option in options for tag in option.split(",") if tag.strip())
