"""nodecheck lint: exit codes, and what it says in each of its formats."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import pathlib

    from commandline import Cli

GOOD = "- {name: P, hosts: all, checks: [{name: A, process: {name: sh}}]}\n"
SUSPICIOUS = "- name: P\n  hosts: all\n  checks:\n    - {name: 'A, 50%: x', process: {name: sh, count: '>= 0'}}\n"
BROKEN = "- name: P\n  hosts: all\n  checks:\n    - {name: A, proces: {name: sh}}\n"


@pytest.fixture
def files(cli: Cli) -> pathlib.Path:
    for name, text in {"good": GOOD, "suspicious": SUSPICIOUS, "broken": BROKEN}.items():
        (cli.folder / f"{name}.yaml").write_text(text)
    return cli.folder


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("name", "code"), [("good", 0), ("suspicious", 1), ("broken", 3), ("nowhere", 3)])
@pytest.mark.parametrize("output", ["text", "json", "sarif", "github"])
def test_lint_ends_with_3_on_mistakes_and_with_1_on_warnings(cli: Cli, name: str, code: int, output: str) -> None:
    assert cli("lint", f"{name}.yaml", "-o", output).returncode == code


@pytest.mark.usefixtures("files")
def test_a_warning_is_shown_with_its_line_and_the_sum_comes_last(cli: Cli) -> None:
    assert cli("lint", "suspicious.yaml").stdout == (
        "suspicious.yaml:4:54: warning: count: >= 0 is always so, and can never fail [expectation]\n"
        "     4 |     - {name: 'A, 50%: x', process: {name: sh, count: '>= 0'}}\n"
        "       |                                                      ^\n"
        "  a bound that something can break\n\n"
        "1 file, 1 play, 1 check: 1 warning\n"
    )


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("good", (1, 1, 1, 0, 0, [])),
        ("suspicious", (1, 1, 1, 0, 1, [("warning", "expectation", "suspicious.yaml", 4, 54)])),
        ("broken", (0, 0, 0, 1, 0, [("error", "definition", "broken.yaml", 4, 17)])),
        ("nowhere", (0, 0, 0, 1, 0, [("error", "definition", None, None, None)])),
    ],
)
def test_json_tells_places_and_counts(cli: Cli, name: str, expected: tuple[Any, ...]) -> None:
    told = json.loads(cli("lint", f"{name}.yaml", "-o", "json").stdout)
    remarks = [(r["level"], r["rule"], r["file"], r["line"], r["column"]) for r in told["remarks"]]
    counts = [told[key] for key in ("files", "plays", "checks", "errors", "warnings")]
    assert (*counts, remarks) == expected


@pytest.mark.usefixtures("files")
def test_sarif_has_one_run_whose_rules_are_those_of_its_results(cli: Cli) -> None:
    told = json.loads(cli("lint", "broken.yaml", "-o", "sarif").stdout)
    (run,) = told["runs"]
    (result,) = run["results"]
    location = result["locations"][0]["physicalLocation"]
    assert (told["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "nodecheck")
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [result["ruleId"]] == ["definition"]
    assert (result["level"], result["message"]["text"].splitlines()[1]) == ("error", "did you mean process?")
    assert location == {"artifactLocation": {"uri": "broken.yaml"}, "region": {"startLine": 4, "startColumn": 17}}


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("path", "uri"), [("a b%.yaml", "a%20b%25.yaml"), ("{folder}/broken.yaml", "file://{folder}/broken.yaml")]
)
def test_sarif_names_files_by_uri(cli: Cli, files: pathlib.Path, path: str, uri: str) -> None:
    (files / "a b%.yaml").write_text(BROKEN)
    told = json.loads(cli("lint", path.format(folder=files), "-o", "sarif").stdout)
    location = told["runs"][0]["results"][0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == uri.format(folder=files)


@pytest.mark.usefixtures("files")
def test_github_gets_a_command_a_line_with_what_would_end_it_escaped(cli: Cli) -> None:
    (cli.folder / "a,b.yaml").write_text(BROKEN.replace("proces", '"100%\\nx"'))
    told = cli("lint", "a,b.yaml", "-o", "github").stdout
    assert told.startswith("::error title=nodecheck definition,file=a%2Cb.yaml,line=4,col=17::'100%25\\nx' is neither")
    assert told.count("\n") == 1


@pytest.mark.usefixtures("files")
def test_github_gets_nothing_where_there_is_nothing_to_say(cli: Cli) -> None:
    assert cli("lint", "good.yaml", "-o", "github").stdout.strip() == ""


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("settings", "code", "says"),
    [
        ("groups: [web]\n", 0, "no mistakes"),
        ("groups: []\n", 1, "no group is called 'web'"),
        ("grups: [web]\n", 3, "did you mean groups?"),
        (None, 3, "new.yaml does not exist"),
    ],
)
def test_settings_are_looked_at_before_they_become_those_of_the_host(
    cli: Cli, settings: str | None, code: int, says: str
) -> None:
    (cli.folder / "web.yaml").write_text(GOOD.replace("all", "web"))
    if settings is not None:
        (cli.folder / "new.yaml").write_text(settings)
    ended = cli("lint", "web.yaml", "--settings", "new.yaml")
    assert (ended.returncode, says in ended.stdout + ended.stderr) == (code, True)
