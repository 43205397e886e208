"""nodecheck schema, and the schema that is installed."""

from __future__ import annotations

import json
import pathlib
import subprocess
from typing import TYPE_CHECKING

import pytest

from nodecheck.definitions import schema
from nodecheck.report import schema as of_report

if TYPE_CHECKING:
    from commandline import Cli

CHECKOUT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], schema.definitions()),
        (["definitions"], schema.definitions()),
        (["settings"], schema.settings()),
        (["report"], of_report.schema()),
    ],
    ids=["without", "definitions", "settings", "report"],
)
def test_schema_prints_a_json_schema(arguments: list[str], expected: object, cli: Cli) -> None:
    ended = cli("schema", *arguments)

    assert (0, "", expected) == (ended.returncode, ended.stderr, json.loads(ended.stdout))


def test_another_schema_is_refused_with_what_there_is(cli: Cli) -> None:
    ended = cli("schema", "setings")

    assert (ended.returncode, ended.stdout, "did you mean settings?" in ended.stderr) == (3, "", True)


def test_what_is_installed_is_uninstalled_but_for_what_others_wrote(tmp_path: pathlib.Path) -> None:
    for target in ("install", "uninstall"):
        if target == "uninstall":
            (tmp_path / "etc/nodecheck/checks.d/own.yaml").write_text("[]")
        subprocess.run(
            ["make", target, f"DESTDIR={tmp_path}"], cwd=CHECKOUT, capture_output=True, timeout=60, check=True
        )

    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"etc/nodecheck/checks.d/own.yaml"}


def test_it_is_installed_where_the_shipped_files_look_for_it(tmp_path: pathlib.Path) -> None:
    make = ["make", "install", f"DESTDIR={tmp_path}", "PREFIX=/opt/nodecheck"]
    subprocess.run(make, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=True)

    shared = tmp_path / "opt/nodecheck/share/nodecheck"
    first_lines = {path.read_text().partition("\n")[0] for path in (shared / "checks.d").iterdir()}
    expected = {"# yaml-language-server: $schema=/opt/nodecheck/share/nodecheck/nodecheck.schema.json"}
    assert (schema.definitions(), expected) == (
        json.loads((shared / "nodecheck.schema.json").read_text()),
        first_lines,
    )
