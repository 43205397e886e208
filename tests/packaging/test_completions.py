"""Tab in bash, zsh and fish offers what the command line takes, from files alone: no nodecheck is on their path."""

from __future__ import annotations

import pathlib
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
from packages import make_script
from readers import find

from nodecheck import checks
from nodecheck.cli import parser

if TYPE_CHECKING:
    from collections.abc import Callable

    Shell = Callable[[str], set[str]]

BASH = """
source {file}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_nodecheck
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
# A shell at a terminal of its own, which writes down what is offered and ends when that is done.
ZSH = """
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'source {setup}'
zpty -w -n z {line}$'\\t'
while zpty -r z line; do :; done
"""
ZSH_SETUP = """
fpath=({folder} $fpath)
autoload -Uz compinit && compinit -u -D
bindkey '^I' complete-word
exec_end() {{ exit }}
comppostfuncs=(exec_end)
compadd() {{
    if [[ ${{@[1,(i)(-|--)]}} != *-(O|A|D)\\ * ]]; then
        typeset -a __hits
        builtin compadd -A __hits "$@"
        print -l -- $__hits >>{out}
    fi
    builtin compadd "$@"
}}
"""
ASKED = {
    "nodecheck ": set(parser.COMMANDS),
    "nodecheck li": {"lint", "list"},
    "nodecheck run --e": {"--events", "--emit", "--extra-vars"},
    "nodecheck run -q --events ": {"auto", "always", "never"},
    "nodecheck run -o j": {"json", "jsonl", "junit"},
    "nodecheck lint -o s": {"sarif"},
    "nodecheck schema ": {"definitions", "settings", "report"},
    "nodecheck explain ": {*checks.names(), "facts", "expectations", "when"},
    "nodecheck explain kernel": {"kernel", "kernel_module"},
    "nodecheck lint own": {"own.yaml"},
    "nodecheck run --replay own": {"own.yaml"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return make_script("completions", tmp_path_factory.mktemp("completions"))


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, made: pathlib.Path, tmp_path: pathlib.Path) -> Shell:
    """What a shell offers for the beginning of a line, in a folder with one file."""
    (tmp_path / "own.yaml").touch()
    program = find(request.param)
    return {"bash": of_bash, "zsh": of_zsh, "fish": of_fish}[request.param](program, made, tmp_path)


def of_bash(program: str, made: pathlib.Path, folder: pathlib.Path) -> Shell:
    def offer(line: str) -> set[str]:
        *words, last = line.split(" ")
        script = BASH.format(file=made / "nodecheck", words=f"{shlex.join(words)} {shlex.quote(last)}")
        return said([program, "--norc", "-c", script], folder)

    return offer


def of_zsh(program: str, made: pathlib.Path, folder: pathlib.Path) -> Shell:
    def offer(line: str) -> set[str]:
        setup, out = folder / ".setup", folder / ".out"
        setup.write_text(ZSH_SETUP.format(folder=made, out=out))
        said([program, "-f", "-c", ZSH.format(setup=setup, line=shlex.quote(line))], folder)
        return set(out.read_text().splitlines()) if out.exists() else set()

    return offer


def of_fish(program: str, made: pathlib.Path, folder: pathlib.Path) -> Shell:
    def offer(line: str) -> set[str]:
        script = f"source {made / 'nodecheck.fish'}; complete -C {shlex.quote(line)}"
        return {offered.partition("\t")[0] for offered in said([program, "-N", "-c", script], folder)}

    return offer


def said(command: list[str], folder: pathlib.Path) -> set[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TERM": "xterm", "LANG": "C.UTF-8"}
    ended = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert ended.stderr == "", ended.stderr
    return {line for line in ended.stdout.splitlines() if line}


@pytest.mark.parametrize("line", ASKED)
def test_tab_offers_what_fits(line: str, shell: Shell) -> None:
    offered = shell(line)
    assert ASKED[line] - offered == set()
    start = line.rpartition(" ")[2]
    assert [word for word in offered if not word.startswith(start)] == []


def test_a_command_is_offered_its_own_options_alone(shell: Shell) -> None:
    assert {"--tags", "--state"} & shell("nodecheck lint --") == set()
