"""The report is a promise: published-1.schema.json is what was promised. UPDATE_GOLDEN=1 adds to it what is new."""

from __future__ import annotations

import copy
import json
import os
import pathlib
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from fakes import report, result

from nodecheck.report.result import CHECK, RUN, Finding, Result, Status
from nodecheck.report.schema import OF_FINDING, OF_RESULT, schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commandline import Cli

HERE = pathlib.Path(__file__).parent
PUBLISHED = HERE / "published-1.schema.json"
REPORTS = sorted((HERE / "golden").glob("*.json"))
Schema = dict[str, Any]


def _broken(promised: Schema, kept: Schema, place: str = "report") -> Iterator[str]:
    """Yield what somebody who reads reports by the promised schema would stumble over."""
    for word in ("type", "const", "$ref", "pattern"):
        if promised.get(word) != kept.get(word):
            yield f"{place}: {word} was {promised.get(word)} and is {kept.get(word)}"
    for word in ("enum", "required"):
        missing = [value for value in promised.get(word, ()) if value not in kept.get(word, ())]
        if missing:
            yield f"{place}: {word} lacks {missing}"
    for group in ("properties", "$defs"):
        for name, inner in promised.get(group, {}).items():
            if name in kept.get(group, {}):
                yield from _broken(inner, kept[group][name], f"{place} > {name}")
            else:
                yield f"{place}: {name} vanished"
    if "items" in promised:
        yield from _broken(promised["items"], kept.get("items", {}), f"{place}[]")


def _published() -> Schema:
    found: Schema = json.loads(PUBLISHED.read_text())
    return found


def test_what_was_promised_is_kept() -> None:
    assert list(_broken(_published(), schema())) == []


def test_what_is_new_is_promised_too() -> None:
    if os.environ.get("UPDATE_GOLDEN") and not list(_broken(_published(), schema())):
        PUBLISHED.write_text(json.dumps(schema(), indent=1) + "\n")
    assert _published() == schema()


def _changed(*path: str, **words: Any) -> Schema:
    found = copy.deepcopy(schema())
    inner = found
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = {**inner[path[-1]], **words}
    return found


def _without(*path: str) -> Schema:
    found = copy.deepcopy(schema())
    inner = found
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return found


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (_without("properties", "problems"), ["report: problems vanished"]),
        (_without("$defs", "result", "properties", "since"), ["report > result: since vanished"]),
        (
            _changed("$defs", "result", "properties", "attempts", type="string"),
            ["report > result > attempts: type was integer and is string"],
        ),
        (_changed("$defs", "status", enum=["ok"]), ["report > status: enum lacks"]),
        (_changed("$defs", "result", required=["id"]), ["report > result: required lacks"]),
        (_changed("properties", "schema", const="x"), ["report > schema: const was nodecheck.report/1 and is x"]),
    ],
)
def test_a_field_that_vanishes_or_changes_its_type_is_noticed(changed: Schema, said: list[str]) -> None:
    found = list(_broken(schema(), changed))
    assert said == [told[: len(start)] for told, start in zip(found, said, strict=True)]


def test_a_field_that_is_added_breaks_nothing() -> None:
    more = _changed("$defs", "result", "properties", streak={"type": "integer"})
    assert list(_broken(schema(), more)) == []


@pytest.mark.parametrize("file", REPORTS, ids=lambda file: file.name)
def test_every_report_is_as_the_schema_says(file: pathlib.Path) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(json.loads(file.read_text()))


def test_each_field_is_described_and_in_its_place() -> None:
    assert (list(Result._fields), list(Finding._fields)) == (list(OF_RESULT), list(OF_FINDING))
    full = Finding("state", Status.CRITICAL, "healthy", "failed", "it has failed", "failed", 1.0, "restart it")
    data = report(result("a", Status.CRITICAL, findings=(full,), since=1.0)).to_data()

    assert list(data) == list(schema()["properties"])
    assert list(data["results"][0]) == list(schema()["$defs"]["result"]["properties"])
    assert list(data["results"][0]["findings"][0]) == list(schema()["$defs"]["finding"]["properties"])


@pytest.mark.parametrize(("deadline", "partial"), [("", False), (CHECK, False), (RUN, True)])
def test_a_report_is_partial_when_the_budget_of_the_run_cut_a_look_short(deadline: str, partial: bool) -> None:
    made = report(result("a", Status.OK), result("b", Status.UNKNOWN, deadline=deadline))
    assert partial == made.to_data()["partial"]


@pytest.mark.parametrize("node", sorted((HERE.parent / "packs/nodes").glob("*.json")), ids=lambda node: node.stem)
def test_the_report_of_a_real_node_is_as_the_schema_says(node: pathlib.Path, cli: Cli) -> None:
    ended = cli("run", "--checks", HERE.parents[1] / "checks.d", "--replay", node, "-o", "json")
    jsonschema.Draft202012Validator(schema()).validate(json.loads(ended.stdout))
