"""The JSON Schema knows the whole language."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import pytest
from jsonschema import Draft7Validator
from schemafiles import (
    DEFINITIONS,
    GOOD,
    VALIDATOR,
    arguments,
    field,
    fits,
    good_values,
    loads,
    play,
    read,
    types,
    with_argument,
    with_keyword,
)

from nodecheck import checks
from nodecheck.checks.base import KINDS, is_judged
from nodecheck.definitions import schema, schemakinds
from nodecheck.definitions.errors import DefinitionError
from nodecheck.definitions.expectation import EXPECTATIONS
from nodecheck.definitions.keywords import FROM_OTHER_TOOLS, KEYWORDS, OF_BLOCK, OF_CHECK, OF_IMPORT, OF_PLAY
from nodecheck.definitions.settings import read_settings

CHECKOUT = pathlib.Path(__file__).parents[2]
SHIPPED = sorted((CHECKOUT / "checks.d").glob("*.yaml"))
BROKEN = sorted((pathlib.Path(__file__).parent / "broken").glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema=/usr/share/nodecheck/nodecheck.schema.json\n"
SETTINGS = Draft7Validator(schema.settings())


# ---- the schema itself


@pytest.mark.parametrize("found", [schema.definitions(), schema.settings()], ids=["definitions", "settings"])
def test_it_is_a_schema_of_draft_07_and_can_be_written_as_json(found: dict[str, Any]) -> None:
    Draft7Validator.check_schema(found)

    assert found == json.loads(json.dumps(found))


def test_every_reference_leads_somewhere_and_every_definition_is_used() -> None:
    names = [name.removeprefix("#/definitions/") for name in _references(DEFINITIONS)]

    assert set(DEFINITIONS["definitions"]) == set(names)


def _references(found: Any) -> list[str]:
    if isinstance(found, list):
        return [name for item in found for name in _references(item)]
    if not isinstance(found, dict):
        return []
    return [*([found["$ref"]] if "$ref" in found else []), *_references(list(found.values()))]


def test_whatever_a_keyword_takes_has_a_schema_and_no_schema_is_left_over() -> None:
    assert set(schema.TAKES) == {keyword.takes for keyword in KEYWORDS}


def test_every_kind_of_argument_has_a_schema() -> None:
    assert set(KINDS) == {kind.__name__ for kind in EXPECTATIONS} | set(schemakinds.PLAIN)


@pytest.mark.parametrize(
    ("level", "keywords"),
    [("play", OF_PLAY), ("import", ("import", *OF_IMPORT)), ("check", (*OF_BLOCK, *OF_CHECK, *checks.names()))],
)
def test_a_level_knows_its_keywords_and_refuses_all_others(level: str, keywords: tuple[str, ...]) -> None:
    found = DEFINITIONS["definitions"][level]

    known = {name for name, of in found["properties"].items() if of is not True}  # True: refused with a hint
    assert (set(keywords), False) == (known, found["additionalProperties"])


@pytest.mark.parametrize("name", checks.names())
def test_a_type_knows_its_arguments_with_their_help_and_warn_those_that_are_judged(name: str) -> None:
    found, warn = DEFINITIONS["definitions"][f"type.{name}"], DEFINITIONS["definitions"][f"warn.{name}"]
    known = types()[name].arguments()

    judged = {argument for argument, of in known.items() if is_judged(of)}
    assert (set(known), judged) == (set(found["properties"]), set(warn["properties"]))
    assert all(
        of["description"].startswith(known[argument].metadata["help"]) for argument, of in found["properties"].items()
    )


@pytest.mark.parametrize("keyword", KEYWORDS, ids=lambda keyword: keyword.name)
def test_a_keyword_is_explained_by_its_help(keyword: Any) -> None:
    found = DEFINITIONS["definitions"][f"keyword.{keyword.name}"]

    assert found["description"].startswith(keyword.help)


# ---- what is good


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_file_fits_and_names_the_schema_to_editors(path: pathlib.Path) -> None:
    text = path.read_text()

    assert (text[: len(MODELINE)], [error.message for error in VALIDATOR.iter_errors(read(text))]) == (MODELINE, [])


def test_the_example_in_the_readme_fits() -> None:
    examples = re.findall(r"```yaml\n(- .*?)```", (CHECKOUT / "README.md").read_text(), re.DOTALL)

    assert [(example, True) for example in examples] == [(example, fits(example)) for example in examples] != []


@pytest.mark.parametrize("name", checks.names())
def test_the_example_of_a_type_fits_as_a_file_that_is_included_and_within_a_play(name: str) -> None:
    text = types()[name].EXAMPLE

    assert (fits(text), VALIDATOR.is_valid([{"hosts": "all", "checks": read(text)}])) == (True, True)


SNIPPETS = [(*place, value) for place, values in GOOD.items() for value in values]


def test_the_good_snippets_cover_each_keyword_at_each_place() -> None:
    assert set(GOOD) == {(place, keyword.name) for keyword in KEYWORDS for place in keyword.places}


@pytest.mark.parametrize(("place", "keyword", "value"), SNIPPETS)
def test_what_a_keyword_takes_fits(place: str, keyword: str, value: str, tmp_path: pathlib.Path) -> None:
    text = with_keyword(place, keyword, value)

    assert (fits(text), loads(text, tmp_path)) == (True, True)


@pytest.mark.parametrize(("type_name", "argument"), arguments())
def test_what_an_argument_takes_fits(type_name: str, argument: str) -> None:
    of = field(type_name, argument)
    values = [*good_values(of), "'{{ x }}'"]
    texts = [with_argument(type_name, argument, value) for value in values]
    texts += [with_argument(type_name, argument, value, warn=True) for value in values if is_judged(of)]

    assert [text for text in texts if not fits(text)] == []


# ---- what is bad

BAD = {
    "name": ["5", "''", "[a]", ""],
    "hosts": ["5", "'!'", "':'", "~web", "a:~b", "docker[0]", "[]", "''", "[a, ~b]"],
    "checks": ["[]", "", "{name: A}", "[5]", "[{}]"],
    "block": ["[]", "", "[5]"],
    "include": ["5", "", "[a]"],
    "import": ["5", "", "[a]"],
    "id": ["a b", "a/b", "5", "'-'"],
    "vars": ["[a]", "{a-b: 1}", "{facts: 1}", "'{{ map }}'", "{1a: 2}"],
    "tags": ["5", "[1]", "{a: b}", "", "''"],
    "when": ["'{{ yes }}'", "5", "[]", "''", "{a: b}", ""],
    "loop": ["[]", "a", "5", "{a: b}"],
    "loop_control": ["{lable: a}", "{loop_var: facts}", "{loop_var: a.b}", "", "[a]", "{label: 5}", "{label: }"],
    "register": ["a.b", "5", "facts", "a-b", "[a]"],
    "needs": ["5", "{a: b}", ""],
    "severity": ["fatal", "Warning", "[warning]", "5", ""],
    "warn": ["{}", "[a]", "", "{nmae: a}", "5"],
    "for": ["5", "0 runs", "runs", "5 parsecs", "12345 runs", ""],
    "timeout": ["5", "5 parsecs", "-5s", "true", "5s x", ""],
    "until": ["'{{ yes }}'", "[]", "5", "[true, 1]"],
    "retries": ["-1", "1001", "1.5", "true", "many"],
    "delay": ["-1", "true", "soon", "'5'"],
    "waive": ["{until: 2026-12-31}", "{until: soon, reason: a}", "{until: 2026-12-31, reason: a, by: me}", "a"],
    "remedy": ["5", "''", "[a]"],
    "docs": ["5", "''"],
}


@pytest.mark.parametrize(
    ("place", "keyword", "value"),
    [(place, keyword.name, value) for keyword in KEYWORDS for place in keyword.places for value in BAD[keyword.name]],
)
def test_what_a_keyword_does_not_take_does_not_fit(
    place: str, keyword: str, value: str, tmp_path: pathlib.Path
) -> None:
    text = with_keyword(place, keyword, value)

    assert (fits(text), loads(text, tmp_path)) == (False, False)


@pytest.mark.parametrize(
    ("type_name", "argument", "value"),
    [
        ("unit", "enabled", "no"),
        ("unit", "enabled", "'true'"),
        ("unit", "name", "[a.service]"),
        ("unit", "scope", "sytem"),
        ("unit", "restarts", "few"),
        ("unit", "restarts", "'=> 5'"),
        ("unit", "restarts", "'> 1 and < 5'"),
        ("unit", "restarts", "1.."),
        ("unit", "restarts", "{below: 5}"),
        ("unit", "restarts", "{}"),
        ("unit", "restarts", "{all: [1], not: 2}"),
        ("unit", "restarts", "[1, many]"),
        ("unit", "restarts", "[1, [2]]"),
        ("unit", "restarts", "{not: ''}"),
        ("unit", "restarts", "{all: 5}"),
        ("unit", "restarts", "[]"),
        ("unit", "restarts", "5%"),
        ("unit", "state", "true"),
        ("unit", "state", "'!='"),
        ("unit", "state", "'< 5'"),
        ("unit", "state", "//"),
        ("unit", "state", "['!= a', '!= b']"),
        ("unit", "memory", "500"),
        ("unit", "memory", "'< 2Gi'"),
        ("unit", "uptime", "'> 10'"),
        ("process", "cpu", "0.9"),
        ("process", "state", "'!= D for 1'"),
        ("process", "cmdline", "''"),
        ("port", "port", "0"),
        ("port", "port", "65536"),
        ("port", "port", "'22'"),
        ("port", "port", "ssh"),
        ("port", "protocol", "TCP"),
    ],
)
def test_what_an_argument_does_not_take_does_not_fit(
    type_name: str, argument: str, value: str, tmp_path: pathlib.Path
) -> None:
    text = with_argument(type_name, argument, value)

    assert (fits(text), loads(text, tmp_path)) == (False, False)


@pytest.mark.parametrize(
    "text",
    [
        "5",
        "",
        "[]",
        "- 5\n",
        "- {name: A}\n",
        "- {name: A, hosts: all}\n",
        "- {hosts: all, checks: [{name: A, system: {}}], import: x.yaml}\n",
        "- {hosts: all, checks: [{name: A, system: {}}], id: a}\n",
        "- {import: x.yaml, name: A}\n",
        play("{name: A}"),
        play("{system: {}}"),
        play("{name: A, system: {}, port: {port: 1}}"),
        play("{name: A, unti: {name: a.service}}"),
        play("{name: A, unit: }"),
        play("{name: A, unit: {}}"),
        play("{name: A, unit: a.service}"),
        play("{name: A, unit: {name: a.service, enable: true}}"),
        play("{name: A, unit: {name: a.service}, severty: info}"),
        play("{name: A, unit: {name: a.service}, warn: {name: b.service}}"),
        play("{name: A, unit: {name: a.service}, warn: {threads: 1}}"),
        play("{name: A, system: {}, loop_control: {}}"),
        play("{name: A, block: [{name: A, system: {}}], system: {}}"),
        play("{name: A, block: [{name: A, system: {}}], include: x.yaml}"),
        *(play(f"{{name: A, system: {{}}, {key!r}: x}}") for key in FROM_OTHER_TOOLS if key not in OF_CHECK),
    ],
)
def test_what_cannot_stand_there_does_not_fit(text: str, tmp_path: pathlib.Path) -> None:
    assert (fits(text), loads(text, tmp_path)) == (False, False)


NOT_FOR_A_SCHEMA = {
    "byte_order_mark": "the name of a unit is checked by the type",
    "line_ends_windows": "the name of a unit is checked by the type",
    "plays_are_checks": "a list of checks is what include takes",
    "names_twice": "it sees one check at a time",
    "needs_circle": "it sees one check at a time",
    "needs_unknown": "it sees one check at a time",
    "process_without_selector": "which arguments go together is for the type",
    "quotes_curly": "the name of a unit is checked by the type",
    "variables_unknown": "what variables there are is known on the node",
}


def _yaml_of(path: pathlib.Path) -> Any:
    try:
        return read(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None


@pytest.mark.parametrize("path", [path for path in BROKEN if _yaml_of(path) is not None], ids=lambda path: path.stem)
def test_a_broken_file_does_not_fit_unless_only_lint_can_know(path: pathlib.Path) -> None:
    assert (path.stem in NOT_FOR_A_SCHEMA) == VALIDATOR.is_valid(_yaml_of(path))


# ---- the settings


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("", True),
        ("groups: [storage, gpu, größe.1]\nvars: {port: 22, url: 'http://x:{{ port }}'}\nbudget: 1m\n", True),
        ("groups:\nvars:\nbudget:\n", True),
        ("groups: storage", False),
        ("groups: [1]", False),
        ("groups: [a b]", False),
        ("group: [a]", False),
        ("vars: [a]", False),
        ("vars: {facts: 1}", False),
        ("budget: 30", False),
        ("budget: soon", False),
        ("[a]", False),
        ("events: {emit: all, repeat: 30m, to: [journal, {stderr: {dialect: ecs}}]}", True),
        ("events: {to: [{file: {path: /a}}, {syslog: {address: 'tls://a:1', ca: /b, server_name: c}}]}", True),
        ("events: {emit: , repeat: , to: }", True),
        ("events: [journal]", False),
        ("events: {emit: none}", False),
        ("events: {repeat: 60}", False),
        ("events: {to: journal}", False),
        ("events: {to: []}", False),
        ("events: {to: [journald]}", False),
        ("events: {to: [file]}", False),
        ("events: {to: [{file: {path: a}}]}", False),
        ("events: {to: [{file: {}}]}", False),
        ("events: {to: [{journal: , stderr: }]}", False),
        ("events: {to: [{journal: {dialect: ecs}}]}", False),
        ("events: {to: [{syslog: {address: logs}}]}", False),
        ("events: {to: [{stderr: {dialect: elastic}}]}", False),
    ],
)
def test_the_schema_of_the_settings_fits_what_is_read(text: str, good: bool, tmp_path: pathlib.Path) -> None:
    (tmp_path / "nodecheck.yaml").write_text(text)
    try:
        reads = bool(read_settings(str(tmp_path / "nodecheck.yaml")))
    except DefinitionError:
        reads = False

    assert (good, good) == (reads, SETTINGS.is_valid(read(text)))
