"""The arguments of all commands. Nothing heavy is imported here, so that --help is there at once."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from nodecheck import __version__
from nodecheck.report.result import EXIT_UNUSABLE

DESCRIPTION = "Says whether this node is healthy, why not, and since when. It changes nothing on the host."
EXAMPLES = """\
examples:
  nodecheck run                          judge this host by the installed definitions
  nodecheck run my-checks.yaml -v        judge it by your own, and show what is ok too
  nodecheck run -t runtime -o json       only checks with a tag, as JSON
  nodecheck explain unit                 what the check type `unit` takes, with an example

exit codes: 0 ok, 1 warning, 2 critical, 3 unknown or unusable, 130 interrupted
"""


class Parser(argparse.ArgumentParser):
    """argparse ends with 2 for bad usage, and that means critical here."""

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
        known = re.findall(r"'([^']+)'", message)[1:] if wrong[1] else self._all_options()
        hint = did_you_mean(wrong[1] or wrong[2], known)
        return hint if hint.startswith("did you mean") else ""

    def _all_options(self) -> list[str]:
        """The options of all commands: argparse tells about a wrong one only here, above them."""
        parsers: list[argparse.ArgumentParser] = [self]
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  # argparse has no other way
                parsers += action.choices.values()
        options = (option for parser in parsers for action in parser._actions for option in action.option_strings)  # noqa: SLF001  # the same
        return sorted({option for option in options if option.startswith("--")})


def make_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(
        prog="nodecheck", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"nodecheck {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    _add_run(commands)
    _add_lint(commands)
    _add_list(commands)
    explain = commands.add_parser("explain", help="what a check type takes: arguments, defaults, an example")
    explain.add_argument("type", nargs="?", metavar="TYPE", help="a check type; without it, all are listed")
    explain.add_argument("--markdown", action="store_true", help="as the page that lies beside the type")
    commands.add_parser("facts", help="groups and facts of this node, and where each comes from")
    commands.add_parser("doctor", help="what is installed, what this user may see, which bus answers")
    return parser


def _add_run(commands: argparse._SubParsersAction[Parser]) -> None:
    run = commands.add_parser("run", help="look at this node and judge it")
    _add_selection(run)
    run.add_argument(
        "-o",
        "--output",
        metavar="FORMAT[=FILE]",
        action="append",
        default=[],
        help="text (default) or json; may be repeated",
    )
    run.add_argument("-q", "--quiet", action="store_true", help="print problems only")
    run.add_argument("-v", "--verbose", action="store_true", help="print what was seen for what is ok, too")
    run.add_argument("--budget", metavar="TIME", help="the run ends within this time, whatever hangs (default 30s)")
    run.add_argument(
        "--events", choices=("auto", "always", "never"), default="auto",
        help="events on standard error; auto: where it is neither a terminal nor /dev/null",
    )  # fmt: skip


def _add_lint(commands: argparse._SubParsersAction[Parser]) -> None:
    lint = commands.add_parser("lint", help="find the mistakes in definitions, without looking at the node")
    _add_sources(lint)


def _add_list(commands: argparse._SubParsersAction[Parser]) -> None:
    listing = commands.add_parser("list", help="plays and checks, their tags and where they stand")
    _add_selection(listing)


def _add_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="FILE|DIR",
        help="definition files (default: /etc/nodecheck/checks.d over /usr/share/nodecheck/checks.d)",
    )
    parser.add_argument(
        "--checks", metavar="DIR", action="append", default=[], help="a directory of definition files; may be repeated"
    )
    parser.add_argument(
        "-e", "--extra-vars", metavar="K=V", action="append", default=[], help="set a variable; wins over all others"
    )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    _add_sources(parser)
    parser.add_argument(
        "-t", "--tags", metavar="TAGS", action="append", default=[], help="only checks with one of these tags"
    )
    parser.add_argument(
        "--skip-tags", metavar="TAGS", action="append", default=[], help="no checks with one of these tags"
    )
    parser.add_argument(
        "-l", "--limit", metavar="PATTERN", default="", help="only if this node is in these groups: a:b  a:&b  a:!b"
    )
