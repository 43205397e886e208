"""What holds for every check type there is: nothing here has to be changed when one is added."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import yaml
from fakes import dark, judge, make, node, process, service

from nodecheck import checks
from nodecheck.checks.base import Check
from nodecheck.cli.explain import markdown
from nodecheck.definitions.sources import read_definitions
from nodecheck.node.node import Node
from nodecheck.node.sockets import Connection, Listener
from nodecheck.report.result import Status

TYPES = checks.names()
PAGES = pathlib.Path(checks.__file__).parent


def _kind(name: str) -> type[Check]:
    kind = checks.load(name)
    assert kind is not None
    return kind


def _example(name: str) -> Check:
    (definition,) = yaml.safe_load(_kind(name).EXAMPLE)
    return make(name, **definition[name])


WINDOWS: dict[str, Any] = {
    "units": [service("docker.service"), service("kubelet.service")],
    "manager": {"SystemState": "running", "Version": "252", "NJobs": 0, "failed": [], "jobs": []},
    "processes": [process(name="kubelet")],
    "listeners": [Listener("tcp", 4, "0.0.0.0", 10250, 1, owners=(100,))],
}


def _node(**changed: Any) -> Node:
    return node(**(WINDOWS | changed), connections={1: Connection("", 0.001, accepted=True)})


def test_the_three_types_of_the_main_job_are_found() -> None:
    assert {"unit", "process", "port", "system"} <= set(TYPES)


@pytest.mark.parametrize("name", ["", "base", "_unit_rules", "no_such_type", "os.path", "../unit"])
def test_what_is_no_check_type_is_not_loaded(name: str) -> None:
    assert checks.load(name) is None


@pytest.mark.parametrize("name", TYPES)
def test_the_page_of_a_type_is_what_explain_prints(name: str) -> None:
    assert (PAGES / f"{name}.md").read_text() == "\n".join(markdown(name, _kind(name))) + "\n"


@pytest.mark.parametrize("name", TYPES)
def test_the_example_of_a_type_has_no_mistakes(name: str, tmp_path: pathlib.Path) -> None:
    play = "- hosts: all\n  checks:\n" + "".join(f"    {line}\n" for line in _kind(name).EXAMPLE.splitlines())
    (tmp_path / "example.yaml").write_text(play)
    definitions = read_definitions([str(tmp_path / "example.yaml")], {}, {})
    assert [name] == [check.type for play in definitions.plays for check in play.checks]


@pytest.mark.parametrize("name", TYPES)
def test_every_argument_is_explained_in_sentences(name: str) -> None:
    helps = [field.metadata["help"] for field in _kind(name).arguments().values()]
    assert [text for text in helps if not text.endswith((".", '".'))] == []


@pytest.mark.parametrize("name", TYPES)
def test_the_example_of_a_type_is_well_on_a_node_that_is_well(name: str) -> None:
    assert {finding.status for finding in judge(_example(name), _node())} == {Status.OK}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_that_stays_dark_makes_it_unknown_or_is_none_that_it_looks_through(name: str, window: str) -> None:
    statuses = [finding.status for finding in judge(_example(name), _node(**{window: dark()}))]
    assert set(statuses) <= {Status.OK, Status.UNKNOWN}
    assert statuses == [Status.OK] * len(statuses) or statuses[-1] is Status.UNKNOWN


@pytest.mark.parametrize("name", TYPES)
def test_where_all_windows_are_dark_nothing_is_well_and_nothing_critical(name: str) -> None:
    seen = _node(**dict.fromkeys(WINDOWS, dark()))
    assert {finding.status for finding in judge(_example(name), seen)} == {Status.UNKNOWN}


@pytest.mark.parametrize("name", TYPES)
def test_judging_the_same_observation_twice_gives_the_same(name: str) -> None:
    check, seen = _example(name), _node()
    assert judge(check, seen) == judge(check, seen)


@pytest.mark.parametrize("name", TYPES)
def test_nothing_observed_at_all_is_unknown(name: str) -> None:
    assert {Status.UNKNOWN} == {finding.status for finding in judge(_example(name), node())}
