"""Writes the man pages into a folder, from what `nodecheck explain` and --help tell: manpages.py FOLDER."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import roff

from nodecheck import __version__, checks
from nodecheck.cli import explain, parser
from nodecheck.cli.topics import TOPICS
from nodecheck.definitions import schema

if TYPE_CHECKING:
    from argparse import Action
    from collections.abc import Callable, Iterable, Iterator

HERE = os.path.dirname(os.path.abspath(__file__))
EXITS = {
    "0": "All is ok.",
    "1": "A warning is the worst.",
    "2": "Something is critical.",
    "3": "Something could not be seen (unknown), or the definitions or the command line are unusable.",
    "130": "Interrupted: the report tells what had been seen by then. By another signal it is 128 and its number.",
}
FILES = {
    "/etc/nodecheck/nodecheck.yaml": "What holds for the whole host: nodecheck.yaml(5).",
    "/etc/nodecheck/checks.d/*.yaml": "Definitions of your own. One replaces the shipped one of the same name, and "
    "a link to /dev/null masks it: nodecheck-checks(5).",
    "/usr/share/nodecheck/checks.d/*.yaml": "The shipped definitions.",
    "/usr/share/nodecheck/nodecheck.schema.json": "The JSON Schema of definitions, for editors.",
    "/usr/share/nodecheck/examples/": "Drop-ins for systemd, and settings of those who take events and metrics.",
    "/var/lib/nodecheck/": "What runs remember.",
}
ENVIRONMENT = {
    "STATE_DIRECTORY": "Where runs are remembered; systemd sets it for a service.",
    "XDG_STATE_HOME": "Where those of a user who is not root are: in its folder nodecheck.",
    "NO_COLOR": "When it is set, the report has no colours: https://no-color.org.",
}
DEFINITIONS = (
    "A definition file is a list of plays, each for some groups of nodes, with a list of checks; a check has one type, "
    "and keywords beside it. Files lie in /etc/nodecheck/checks.d and /usr/share/nodecheck/checks.d, and end in .yaml."
)
SETTINGS = (
    "The settings of a host, in YAML. All of them are optional, and so is the file. "
    "`nodecheck schema settings` prints their JSON Schema."
)
OF_LANGUAGE = ("keywords", "variables", "expectations")


def main(folder: str) -> None:
    """Write all pages."""
    for name, lines in PAGES.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in roff.without_idle_requests(lines()))


def _head(name: str, number: int, summary: str) -> Iterator[str]:
    moment = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()))
    yield '.\\" Made by .packaging/manpages.py from what nodecheck explain tells.'
    yield ".nr HY 0"  # a name that is to be typed may not be hyphenated
    yield f'.TH {roff.escaped(name.upper())} {number} {time.strftime("%Y-%m-%d", moment)} "nodecheck {__version__}"'
    yield ".ad l"  # what is long and has no blank in it, as a path, tears holes into lines that are all of one length
    yield ".SH NAME"
    yield f"{roff.escaped(name)} \\- {roff.escaped(summary)}"


def nodecheck_1() -> Iterator[str]:
    """Yield the page of the program."""
    yield from _head("nodecheck", 1, "whether this node is healthy, why not, and since when")
    yield roff.section("synopsis")
    commands = {name: _filled(name) for name in parser.COMMANDS}
    for number, (name, command) in enumerate(commands.items()):
        if number:
            yield ".br"
        yield from roff.text(f"`nodecheck {name}` {_operands(command)}")
    yield roff.section("description")
    yield from roff.text(parser.DESCRIPTION)
    yield roff.section("commands")
    for name, command in commands.items():
        yield from _command(name, command)
    yield roff.section("exit status")
    yield from _items(EXITS)
    yield roff.section("outputs")
    yield from roff.page(_until(TOPICS["outputs"].page(), "## checkmk"))
    yield roff.section("state")
    yield from roff.page(TOPICS["state"].page())
    yield roff.section("security")
    yield from roff.page(TOPICS["security"].page())
    yield roff.section("environment")
    yield from _items(ENVIRONMENT)
    yield roff.section("files")
    yield from _items(FILES)
    yield roff.section("examples")
    yield from roff.code(line.strip() for line in _until(parser.EXAMPLES.splitlines()[1:], ""))
    yield from _see_also("nodecheck.yaml(5)", "nodecheck-checks(5)", "systemd.timer(5)", "journalctl(1)")


def nodecheck_yaml_5() -> Iterator[str]:
    """Yield the page of the settings."""
    yield from _head("nodecheck.yaml", 5, "settings of nodecheck for a whole host")
    yield roff.section("synopsis")
    yield from roff.text("`/etc/nodecheck/nodecheck.yaml`")
    yield roff.section("description")
    yield from roff.text(SETTINGS)
    yield roff.section("settings")
    for name, setting in schema.settings()["properties"].items():
        default = f"default: {setting['default']}" if "default" in setting else ""
        yield from roff.item(name, setting["description"], default)
    yield roff.section("events")
    yield from roff.page(TOPICS["events"].page())
    yield roff.section("example")
    with open(os.path.join(HERE, "nodecheck.yaml"), encoding="utf-8") as file:
        yield from roff.code(line.removeprefix("# ") for line in file if ":  " in line or " #" in line[1:])
    yield from _see_also("nodecheck(1)", "nodecheck-checks(5)")


def nodecheck_checks_5() -> Iterator[str]:
    """Yield the page of definitions, with each check type."""
    yield from _head("nodecheck-checks", 5, "definitions of what is healthy, and all check types")
    yield roff.section("description")
    yield from roff.text(DEFINITIONS)
    for name in OF_LANGUAGE:
        yield roff.section(name)
        yield from roff.page(TOPICS[name].page())
    yield roff.section("check types")
    for name in checks.names():
        kind = checks.type_named(name)
        assert kind is not None  # noqa: S101  # it was listed
        yield roff.subsection(name)
        yield from roff.page(explain.markdown(name, kind), within=True)
    for name in ("facts", "cases"):
        yield roff.section(name)
        yield from roff.page(TOPICS[name].page())
    yield from _see_also("nodecheck(1)", "nodecheck.yaml(5)")


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "nodecheck.1": nodecheck_1,
    "nodecheck.yaml.5": nodecheck_yaml_5,
    "nodecheck-checks.5": nodecheck_checks_5,
}


def _filled(name: str) -> parser.Parser:
    command = parser.Parser(prog=f"nodecheck {name}")
    parser.COMMANDS[name][1](command)
    return command


def _actions(command: parser.Parser) -> list[Action]:
    """Return the options and operands of a command, but for --help."""
    return [action for action in command._actions if action.dest != "help"]  # noqa: SLF001  # argparse has no other way


def _operands(command: parser.Parser) -> str:
    found = ["[OPTION...]"] if any(action.option_strings for action in _actions(command)) else []
    for action in _actions(command):
        if not action.option_strings:
            name = _value(action) + ("..." if action.nargs in ("*", "+") else "")
            found.append(name if action.nargs == "+" else f"[{name}]")
    return " ".join(found)


def _value(action: Action) -> str:
    if action.metavar or not action.choices:
        return str(action.metavar or action.dest.upper())
    return "|".join(map(str, action.choices))


def _command(name: str, command: parser.Parser) -> Iterator[str]:
    yield roff.subsection(f"nodecheck {name} {_operands(command)}".rstrip())
    says = parser.COMMANDS[name][0]
    yield from roff.text(f"{says[0].upper()}{says[1:]}.")
    if command.description:
        yield from roff.paragraph(command.description)
    if command.late_epilog:
        for part in command.late_epilog().split("\n\n"):
            yield from roff.code(part.splitlines()) if part.startswith(" ") else roff.paragraph(part)
    for action in _actions(command):
        told = action.help or ""
        yield from roff.item(_spelled(action), f"{told[:1].upper()}{told[1:]}.")


def _spelled(action: Action) -> str:
    if not action.option_strings:
        return f"`{_value(action)}`"
    value = "" if action.nargs == 0 else f" [{_value(action)}]" if action.nargs == "?" else f" {_value(action)}"
    return ", ".join(f"`{option}`" for option in action.option_strings) + value


def _items(told: dict[str, str]) -> Iterator[str]:
    for name, says in told.items():
        yield from roff.item(name, says)


def _until(lines: Iterable[str], end: str) -> Iterator[str]:
    for line in lines:
        if line == end:
            return
        yield line


def _see_also(*names: str) -> Iterator[str]:
    yield roff.section("see also")
    yield from roff.text(", ".join(f"`{name.partition('(')[0]}`({name.partition('(')[2]}" for name in names))


if __name__ == "__main__":
    main(*sys.argv[1:])
