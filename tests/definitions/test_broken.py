"""A corpus of mistakes that people make: beside each file stands exactly what the program says about it.

After a message was made better: NODECHECK_WRITE_GOLDEN=1 pytest tests/definitions/test_broken.py, and read the diff.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

CHECKOUT = pathlib.Path(__file__).parents[2]
CORPUS = pathlib.Path(__file__).parent / "broken"
FILES = sorted(path.stem for path in CORPUS.glob("*.yaml"))
SECONDS = 2  # of processor time: none takes more than one, on a machine that is half as fast as most
KIBIBYTES = 200 << 10  # of address space, so of memory too
# Measuring coverage takes several times the time of what is measured.
UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
# Root may read everything; without capabilities it is a user like any other.
AS_USER = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


def lint(folder: pathlib.Path, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """`nodecheck lint`, stopped by the kernel when it takes too much time or memory."""
    limited = f'ulimit -v {KIBIBYTES}; ulimit -t {SECONDS}; exec "$@"'
    return subprocess.run(
        ["/bin/sh", "-c", limited, "sh", *before, sys.executable, "-m", "nodecheck", "lint", *arguments],
        cwd=folder,
        env=UNMEASURED | {"PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=20,
        check=False,
    )


def golden(name: str, said: str) -> str:
    """Return what the program should say."""
    path = CORPUS / f"{name}.txt"
    if os.environ.get("NODECHECK_WRITE_GOLDEN") == "1":
        path.write_text(said, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_what_is_said_about_a_broken_file_is_what_stands_beside_it(name: str, tmp_path: pathlib.Path) -> None:
    shutil.copyfile(CORPUS / f"{name}.yaml", tmp_path / f"{name}.yaml")

    ended = lint(tmp_path, f"{name}.yaml")

    assert (3, "", golden(name, ended.stderr)) == (ended.returncode, ended.stdout, ended.stderr)


def _socket(path: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


def _unreadable(path: pathlib.Path) -> None:
    path.write_text("- name: Play\n  hosts: all\n")
    path.chmod(0)


def _at_the_limit(path: pathlib.Path) -> None:
    path.write_text("[" * (1 << 20))


def _above_the_limit(path: pathlib.Path) -> None:
    path.write_text("#" * ((1 << 20) + 1))


MADE: dict[str, Callable[[pathlib.Path], None]] = {
    "made_directory": pathlib.Path.mkdir,
    "made_fifo": os.mkfifo,
    "made_socket": _socket,
    "made_unreadable": _unreadable,
    "made_link_to_nowhere": lambda path: path.symlink_to("nowhere"),
    "made_link_to_itself": lambda path: path.symlink_to(path.name),
    "made_link_to_device": lambda path: path.symlink_to("/dev/zero"),
    "made_missing": lambda path: None,
    "made_too_large": _above_the_limit,
}


@pytest.mark.parametrize("name", MADE)
def test_what_git_cannot_hold_is_broken_with_the_same_care(
    name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket has at most 107 characters
    MADE[name](tmp_path / f"{name}.yaml")

    ended = lint(tmp_path, f"{name}.yaml", before=AS_USER)

    assert (3, "", golden(name, ended.stderr)) == (ended.returncode, ended.stdout, ended.stderr)


def test_brackets_without_an_end_are_too_deep_whoever_sees_it_first(tmp_path: pathlib.Path) -> None:
    _at_the_limit(tmp_path / "brackets.yaml")
    ended = lint(tmp_path, "brackets.yaml", before=AS_USER)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert re.match(r"brackets\.yaml:1:\d+: nested deeper than 40 levels\n", ended.stderr)


def test_a_directory_with_the_name_of_a_definition_file_is_said(tmp_path: pathlib.Path) -> None:
    (tmp_path / "checks.d" / "folder.yaml").mkdir(parents=True)

    ended = lint(tmp_path, "checks.d")

    said = "checks.d/folder.yaml cannot be read: it is a directory\nnodecheck: 1 mistake\n"
    assert (3, "", said) == (ended.returncode, ended.stdout, ended.stderr)


def test_a_file_full_of_mistakes_is_left_after_the_first_hundreds(tmp_path: pathlib.Path) -> None:
    keys = "".join(f"  key{number}: {number}\n" for number in range(20_000))
    (tmp_path / "full.yaml").write_text(f"- name: Play\n{keys}")

    ended = lint(tmp_path, "full.yaml")

    expected = 3
    assert expected == ended.returncode
    assert "full.yaml:201:3: reading stopped here, after 200 mistakes: there may be more\n" in ended.stderr
    assert "full.yaml:202:" not in ended.stderr


def test_all_mistakes_of_all_files_are_said_at_once(tmp_path: pathlib.Path) -> None:
    for name in ("tabs", "norway", "needs_unknown", "latin1"):
        shutil.copyfile(CORPUS / f"{name}.yaml", tmp_path / f"{name}.yaml")

    ended = lint(tmp_path, "missing.yaml", ".", "also-missing")

    places = [line.partition(": ")[0] for line in ended.stderr.splitlines() if line.startswith("./")]
    assert "missing.yaml does not exist" in ended.stderr
    assert "also-missing does not exist" in ended.stderr
    expected = [
        "./latin1.yaml:4:21",
        "./needs_unknown.yaml:7:15",
        "./needs_unknown.yaml:7:30",
        "./needs_unknown.yaml:7:46",
        "./norway.yaml:5:45",
        "./norway.yaml:5:57",
        "./norway.yaml:7:46",
        "./norway.yaml:7:66",
        "./tabs.yaml:4:1",
    ]
    assert expected == places


@pytest.mark.parametrize(("start", "end"), [("\ufeff", "\n"), ("", "\r\n"), ("\ufeff", "\r\n"), ("---\n", "\n")])
def test_a_byte_order_mark_and_line_ends_of_windows_are_fine(start: str, end: str, tmp_path: pathlib.Path) -> None:
    lines = [
        "- name: Play",
        "  hosts: all",
        "  checks:",
        "    - name: Docker",
        "      unit: {name: docker.service}",
        "",
    ]
    (tmp_path / "good.yaml").write_text(start + end.join(lines), encoding="utf-8", newline="")

    ended = lint(tmp_path, "good.yaml")

    expected = 0, ""
    assert expected == (ended.returncode, ended.stderr)
