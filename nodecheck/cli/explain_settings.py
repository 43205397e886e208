"""The page about the settings of a host, made from the schema that editors check them by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodecheck.cli.markdown import items, section, table
from nodecheck.definitions.settings import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = """\
groups: [web, storage]
vars: {web_port: 8443, disk_used_critical: 95%}
budget: 20s
events: {repeat: 4h, to: [journal]}"""
TAKES = {
    "groups": "a list of names: letters, digits, `_`, `-` and `.`",
    "vars": "a mapping of names to values",
    "budget": "a time with its unit, at least `1s`",
    "events": "a mapping of these three",
    "events.emit": "`changes` or `all`",
    "events.repeat": "a time with its unit",
    "events.to": "a list of places: `nodecheck explain events` tells which",
}
OTHERWISE = {"events.to": "by where a run is started"}
MIND = (
    "`hosts:` and `when:` know the groups, as they know those that are found out: `nodecheck facts` lists both.",
    "Variables of plays, blocks, checks and of `-e` win over these: `nodecheck explain variables`.",
    "`run --budget TIME` wins over the budget.",
    "systemd ends a run of nodecheck.service after 45 s: a budget above 40 s needs a longer TimeoutStartSec= there.",
    "A mistake in the file is told with its place, and nothing runs until it is mended.",
    "As root, a file that somebody else may write is refused.",
    "A node that is replayed has the groups that were recorded of it.",
    "`nodecheck lint --settings FILE` looks at a file before it becomes that of this host.",
    "`nodecheck schema settings` is the JSON Schema, for editors.",
)


def settings_page() -> Iterator[str]:
    """Yield the page about the settings."""
    yield "# settings"
    yield ""
    yield f"What holds for a whole host: {SETTINGS_FILE}. The file may be missing, and so may each key of it."
    yield from section("Example", ["```yaml", *EXAMPLE.splitlines(), "```"])
    yield from section("Keys", table(("key", "takes", "default", ""), _rows()))
    yield from section("Mind", items(MIND))


def _rows() -> Iterator[tuple[str, str, str, str]]:
    from nodecheck.definitions import schema  # only for this page

    for name, setting in _flat(schema.settings()["properties"]):
        default = f"`{setting['default']}`" if "default" in setting else OTHERWISE.get(name, "none")
        yield f"`{name}`", TAKES[name], default, setting["description"]


def _flat(properties: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, setting in properties.items():
        yield f"{above}{name}", setting
        yield from _flat(setting.get("properties", {}), f"{above}{name}.")
