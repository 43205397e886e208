"""Writes completions for bash, zsh and fish into a folder, from the arguments of all commands: completions.py FOLDER.

They are made when nodecheck is packaged, so that no Python starts at Tab.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from nodecheck import checks
from nodecheck.cli import parser
from nodecheck.cli.explain import ALL_KEYWORDS
from nodecheck.cli.topics import TOPICS
from nodecheck.report import formats

if TYPE_CHECKING:
    from argparse import Action
    from collections.abc import Callable, Iterator

FILES, FOLDERS = "files", "folders"
KINDS = {"DIR": FOLDERS, "FILE": FILES, "FILE|DIR": FILES}  # by what stands for a value in the help

ZSH_KINDS = {FILES: "_files", FOLDERS: "_files -/", "": " "}


class Word(NamedTuple):
    """An option, by all its names, or an operand, which has none; and its values: words, or FILES or FOLDERS."""

    names: tuple[str, ...]
    help: str
    takes_value: bool
    values: tuple[str, ...] = ()
    kind: str = ""


def main(folder: str) -> None:
    """Write a file for each shell."""
    for name, lines in SHELLS.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines())


def words(command: str) -> list[Word]:
    """Return what a command takes."""
    filled = parser.Parser(prog=command)
    parser.COMMANDS[command][1](filled)
    return [_word(action) for action in filled._actions]  # noqa: SLF001  # argparse has no other way


def _word(action: Action) -> Word:
    values = tuple(map(str, action.choices or ()))
    if action.metavar == "FORMAT[=FILE]":
        values = tuple(formats.names())
    elif action.metavar == "TYPE|TOPIC":
        values = (*checks.names(), *TOPICS, *sorted(ALL_KEYWORDS))
    help_text = (action.help or "").partition(";")[0].partition(" (default")[0]
    return Word(tuple(action.option_strings), help_text, action.nargs != 0, values, KINDS.get(str(action.metavar), ""))


def bash() -> Iterator[str]:
    """Yield the lines for bash."""
    yield "# Made by .packaging/completions.py."
    yield '_nodecheck_offer() { mapfile -t COMPREPLY < <(compgen "$@" -- "$word"); }'
    yield "_nodecheck() {"
    yield "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} values= kind= options="
    yield "    COMPREPLY=()"
    yield '    if [ "$COMP_CWORD" = 1 ]; then'
    yield f"        _nodecheck_offer -W '{' '.join([*parser.COMMANDS, '--help', '--version'])}'"
    yield "        return"
    yield "    fi"
    yield "    case ${COMP_WORDS[1]} in"
    for command in parser.COMMANDS:
        yield from _bash_command(command)
    yield "    esac"
    yield "    case $word in"
    yield '    -*) [ -n "$values$kind" ] || { _nodecheck_offer -W "$options"; return; } ;;'
    yield "    esac"
    yield "    case $kind in"
    yield "    files) compopt -o filenames 2>/dev/null; _nodecheck_offer -f ;;"
    yield "    folders) compopt -o filenames 2>/dev/null; _nodecheck_offer -d ;;"
    yield "    '') _nodecheck_offer -W \"$values\" ;;"
    yield "    esac"
    yield "}"
    yield "complete -F _nodecheck nodecheck"


def _bash_command(command: str) -> Iterator[str]:
    known = words(command)
    yield f"    {command})"
    yield f"        options='{' '.join(name for word in known for name in word.names)}'"
    yield "        case $before in"
    for word in known:
        if word.names and word.takes_value:
            yield f"        {'|'.join(word.names)}) {_bash_values(word) or 'kind=none'} ;;"
    operand = " ".join(_bash_values(word) for word in known if not word.names)
    yield f"        *) [[ $word == -* ]] || {{ {operand or 'values=$options'}; }} ;;"
    yield "        esac"
    yield "        ;;"


def _bash_values(word: Word) -> str:
    if word.values:
        return f"values='{' '.join(word.values)}'"
    return f"kind={word.kind}" if word.kind else ""


def zsh() -> Iterator[str]:
    """Yield the lines for zsh."""
    yield "#compdef nodecheck"
    yield "# Made by .packaging/completions.py."
    yield "_nodecheck() {"
    yield "    local -a commands=("
    for command, (says, _) in parser.COMMANDS.items():
        yield f"        {_quoted(f'{command}:{says}')}"
    yield "    )"
    yield "    if (( CURRENT == 2 )); then"
    yield "        _describe command commands"
    yield "        _arguments '--help[show the help]' '--version[show the version]'"
    yield "        return"
    yield "    fi"
    yield "    local command=$words[2]"
    yield "    shift words; (( CURRENT-- ))"
    yield "    case $command in"
    for command in parser.COMMANDS:
        yield f"    {command}) _arguments -s \\"
        specs = [_zsh_spec(word, name) for word in words(command) for name in word.names or ("",)]
        yield from (f"        {_quoted(spec)} \\" for spec in specs)
        yield "        ;;"
    yield "    esac"
    yield "}"
    yield '_nodecheck "$@"'


def _zsh_spec(word: Word, name: str) -> str:
    action = f"({' '.join(word.values)})" if word.values else ZSH_KINDS[word.kind]
    if not name:
        return f"*:{_zsh_plain(word.help)}:{action}"
    value = f":value:{action}" if word.takes_value else ""
    return f"*{name}[{_zsh_plain(word.help)}]{value}"


def _zsh_plain(text: str) -> str:
    return text.replace("[", "(").replace("]", ")").replace(":", "\\:")


def fish() -> Iterator[str]:
    """Yield the lines for fish."""
    yield "# Made by .packaging/completions.py."
    yield "complete -c nodecheck -f"
    for command, (says, _) in parser.COMMANDS.items():
        yield f"complete -c nodecheck -n __fish_use_subcommand -a {command} -d {_quoted(says)}"
    yield "complete -c nodecheck -n __fish_use_subcommand -s h -l help -d 'show the help'"
    yield "complete -c nodecheck -n __fish_use_subcommand -l version -d 'show the version'"
    for command in parser.COMMANDS:
        for word in words(command):
            yield f"complete -c nodecheck -n '__fish_seen_subcommand_from {command}' {_fish_word(word)}"


def _fish_word(word: Word) -> str:
    parts = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in word.names]
    if word.names and word.takes_value:
        parts.append("-x" if word.kind != FILES else "-r -F")
    if word.values:
        parts.append(f"-a {_quoted(' '.join(word.values))}")
    elif word.kind == FOLDERS:
        parts.append("-a '(__fish_complete_directories)'")
    elif word.kind == FILES and not word.names:
        parts.append("-F")
    return " ".join([*parts, f"-d {_quoted(word.help)}"])


def _quoted(text: str) -> str:
    """Quote for a shell, each of the three: no help text has both kinds of quotes."""
    return f'"{text}"' if "'" in text else f"'{text}'"


SHELLS: dict[str, Callable[[], Iterator[str]]] = {"nodecheck": bash, "_nodecheck": zsh, "nodecheck.fish": fish}

if __name__ == "__main__":
    main(*sys.argv[1:])
