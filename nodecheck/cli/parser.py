"""The arguments of all commands. Nothing heavy is imported here, so that --help is there at once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

from nodecheck import __version__
from nodecheck.patterns import all_later
from nodecheck.report import style
from nodecheck.report.result import EXIT_UNUSABLE

if TYPE_CHECKING:
    from collections.abc import Callable

with all_later():  # some are for plural forms, others for help
    import argparse

DESCRIPTION = "Says whether this node is healthy, why not, and since when. It changes nothing on the host."
EXAMPLES = """\
examples:
  nodecheck run                          judge this host by the installed definitions
  nodecheck run my-checks.yaml -v        judge it by your own, and show what is ok too
  nodecheck run -t runtime -o json       only checks with a tag, as JSON
  nodecheck explain unit                 what the check type `unit` takes, with an example

exit codes: 0 ok, 1 warning, 2 critical, 3 unknown or unusable, 130 interrupted (or 128 and another signal)
"""


# Options of ansible-playbook, and what they are here.
ELSEWHERE = {
    "--list-tasks": "nodecheck list", "--list-tags": "nodecheck list", "--list-hosts": "nodecheck facts",
    "--syntax-check": "nodecheck lint", "--check": "nodecheck run, which changes nothing",
    "--diff": "nodecheck run, which shows what is expected and observed",
}  # fmt: skip


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Knows the width: argparse makes a formatter for each argument, and would load shutil to find it out."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=style.terminal_width() - 2)


class Parser(argparse.ArgumentParser):
    """argparse ends with 2 for bad usage, and that means critical here."""

    fill: Callable[[Parser], None] | None = None  # adds the arguments, once they are needed: each costs 0.1 ms
    late_epilog: Callable[[], str] | None = None  # one that costs an import

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, formatter_class=Formatter)

    def be_filled(self) -> None:
        """Add the arguments, if they are not there."""
        fill, self.fill = self.fill, None
        if fill:
            fill(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return what was given, and what is not known of it: of that a command tells itself, with its own usage."""
        self.be_filled()
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown

    def format_help(self) -> str:
        """Return the whole help."""
        self.be_filled()
        if self.late_epilog is not None:
            self.epilog = self.late_epilog()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with 3."""
        self.print_usage(sys.stderr)
        hint = self._did_you_mean(message)
        self.exit(EXIT_UNUSABLE, f"{self.prog}: {message}\n" + (f"  {hint}\n" if hint else ""))

    def _did_you_mean(self, message: str) -> str:
        import re  # only for whoever made a mistake

        from nodecheck.definitions.errors import did_you_mean

        wrong = re.search(r"invalid choice: '([^']+)'|unrecognized arguments: (--[a-z-]+)", message)
        if wrong is None:
            return ""
        if wrong[2] in ELSEWHERE:
            return f"here it is {ELSEWHERE[wrong[2]]}"
        known = re.findall(r"'([^']+)'", message)[1:] if wrong[1] else self._options()
        hint = did_you_mean(wrong[1] or wrong[2], known)
        return hint if hint.startswith("did you mean") else ""

    def _options(self) -> list[str]:
        return [option for action in self._actions for option in action.option_strings if option.startswith("--")]


@all_later()
def make_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(prog="nodecheck", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"nodecheck {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands", prog="nodecheck"
    )
    for name, (says, fill) in COMMANDS.items():
        commands.add_parser(name, help=says).fill = fill
    return parser


def _fill_run(run: Parser) -> None:
    _add_selection(run)
    run.add_argument(
        "-o",
        "--output",
        metavar="FORMAT[=FILE]",
        action="append",
        default=[],
        help="how the report is told, and where to; may be repeated. nodecheck explain outputs tells all formats",
    )
    run.add_argument("-q", "--quiet", action="store_true", help="print problems only")
    run.add_argument("-v", "--verbose", action="store_true", help="print what was seen for what is ok, too")
    run.add_argument("--budget", metavar="TIME", help="the run ends within this time, whatever hangs (default 30s)")
    _add_state(run, "where runs are remembered, or none: then nothing is known of earlier ones")
    run.add_argument(
        "--events", choices=("auto", "always", "never"), default="auto",
        help="tell events; auto: unless standard error is a terminal, or /dev/null and no sink is set",
    )  # fmt: skip
    run.add_argument(
        "--emit", choices=("changes", "all"),
        help="which events: changes, and now and then what is not ok (default); or all results of each run",
    )  # fmt: skip


def _fill_lint(lint: Parser) -> None:
    _add_sources(lint)
    lint.add_argument(
        "-o", "--output", choices=("text", "json", "sarif", "github"), default="text",
        help="how what was found is told (default: text)",
    )  # fmt: skip
    lint.add_argument(
        "--settings", metavar="FILE",
        help="settings that are about to become those of this host (default: /etc/nodecheck/nodecheck.yaml)",
    )  # fmt: skip
    _add_replay(lint)


def _fill_list(listing: Parser) -> None:
    _add_selection(listing)
    listing.add_argument("--where", action="store_true", help="which file counts where several have the same name")


def _fill_explain(explain: Parser) -> None:
    about = explain.add_mutually_exclusive_group()
    about.add_argument("type", nargs="?", metavar="TYPE|TOPIC", help="without it, all are listed")
    about.add_argument(
        "--pack", nargs="?", const="", metavar="NAME", help="what a definition file looks at, and why: kubelet"
    )
    explain.add_argument(
        "--checks", metavar="DIR", action="append", default=[],
        help="where packs lie, in place of where they are installed",
    )  # fmt: skip
    explain.add_argument("--markdown", action="store_true", help="as the page that lies beside the code")


def _fill_record(record: Parser) -> None:
    record.description = (
        "Looks at all units, processes and listening sockets, and at what the definitions want,\n"
        "and prints it as JSON: `nodecheck run --replay FILE` judges it. Of processes it leaves out the\n"
        "share of processor time, unless a definition wants it."
    )
    _add_sources(record)
    record.set_defaults(replay=None)
    record.late_epilog = _masked_by


def _masked_by() -> str:
    from nodecheck.node import secrets

    return f"{(secrets.__doc__ or '').strip()}\n\n{secrets.table()}"


def _fill_discover(discover: Parser) -> None:
    discover.add_argument(
        "--type", metavar="TYPES", default="", help="only these check types: unit, process, port, system (default: all)"
    )
    _add_replay(discover)


def _fill_test(test: Parser) -> None:
    test.description = (
        "Each case is a recorded node, changes to it, and the statuses expected of its checks.\n"
        "`nodecheck explain cases` shows how to write one. Ends with 0, with 2 when a case failed, with 3 when\n"
        "one cannot be judged."
    )
    test.add_argument("cases", nargs="+", metavar="FILE|DIR", help="files of cases, or directories of them")
    _add_checks(test)


def _fill_schema(schema: Parser) -> None:
    schema.add_argument(
        "of", nargs="?", metavar="definitions|settings|report", choices=("definitions", "settings", "report"),
        default="definitions", help="default: definitions",
    )  # fmt: skip


def _fill_history(history: Parser) -> None:
    history.add_argument("check", nargs="?", metavar="CHECK", help="the name or id of one: its changes, too")
    history.add_argument("--last", metavar="TIME", default="24h", help="how far back, at the most (default: 24h)")
    _add_state(history, "where runs are remembered")


def _add_state(parser: argparse.ArgumentParser, help: str) -> None:
    where = "/var/lib/nodecheck for root, else ~/.local/state/nodecheck"
    parser.add_argument("--state", metavar="DIR", help=f"{help} (default: $STATE_DIRECTORY, {where})")


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--replay", metavar="FILE", help="a node that nodecheck record wrote down, in place of this one"
    )


def _add_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="FILE|DIR",
        help="definition files (default: those in /etc/nodecheck/checks.d over the shipped ones)",
    )
    _add_checks(parser)


def _add_checks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checks", metavar="DIR", action="append", default=[], help="a directory of definition files; may be repeated"
    )
    parser.add_argument(
        "-e", "--extra-vars", metavar="K=V", action="append", default=[],
        help="set a variable, or several by {a: 1, b: [x]} or @FILE; wins over all others",
    )  # fmt: skip


def _add_selection(parser: argparse.ArgumentParser) -> None:
    _add_sources(parser)
    _add_replay(parser)
    parser.add_argument(
        "-t", "--tags", metavar="TAGS", action="append", default=[], help="only checks with one of these tags"
    )
    parser.add_argument(
        "--skip-tags", metavar="TAGS", action="append", default=[], help="no checks with one of these tags"
    )
    parser.add_argument(
        "-l", "--limit", metavar="PATTERN", default="", help="only if this node is in these groups: a:b  a:&b  a:!b"
    )


# What stands in the list of commands, and what adds the options of each.
COMMANDS: dict[str, tuple[str, Callable[[Parser], None]]] = {
    "run": ("look at this node and judge it", _fill_run),
    "lint": ("find the mistakes in definitions, without looking at the node", _fill_lint),
    "list": ("plays and checks, their tags and where they stand", _fill_list),
    "explain": ("what a check type takes, or what a topic is about", _fill_explain),
    "record": ("write down what can be seen of this node, to be judged elsewhere or later", _fill_record),
    "discover": ("write checks from this node, which is healthy", _fill_discover),
    "test": ("judge recorded nodes, and compare with what is expected", _fill_test),
    "schema": ("the JSON Schema of definition files, of the settings, or of reports", _fill_schema),
    "facts": ("groups and facts of this node, and where each comes from", _add_replay),
    "history": ("what was remembered of earlier runs, as a strip over time", _fill_history),
    "doctor": ("what is installed, what this user may see, which bus answers", lambda _doctor: None),
}
