"""A fact that could not be found out makes unknown what is written with it, and nothing else."""

import time
from pathlib import Path
from typing import Any

import fakes
import pytest

from nodecheck.definitions.errors import DefinitionError
from nodecheck.definitions.sources import read_definitions
from nodecheck.engine.clock import Clock
from nodecheck.engine.known import names_of, variables_of
from nodecheck.engine.plan import Selection, make_plan
from nodecheck.engine.run import run
from nodecheck.node.facts import Fact
from nodecheck.node.node import Node
from nodecheck.report.result import Report

DARK = "facts.kubelet was not found out: /var/lib/kubelet/config.yaml: Permission denied"
PLAY = "- name: Tried\n  hosts: all\n  vars: {port: '{{ facts.kubelet.port }}', own: 1}\n  checks:\n"


def with_fact(name: str, fact: Fact) -> Node:
    node = fakes.node()
    node.facts = {**node.facts, name: fact}
    return node


def facts_of(node: Node) -> Any:
    return variables_of(node)["facts"].now({})


def judged(tmp_path: Path, check: str) -> Report:
    node = with_fact("kubelet", Fact(None, "its files", "/var/lib/kubelet/config.yaml: Permission denied"))
    return judged_on(node, tmp_path, check)


def judged_on(node: Node, tmp_path: Path, check: str) -> Report:
    (tmp_path / "a.yaml").write_text(PLAY + "".join(f"    {line}\n" for line in check.splitlines()))
    definitions = read_definitions([str(tmp_path / "a.yaml")], variables_of(node), {}, names_of(node))
    plan = make_plan(definitions.plays, set(names_of(node)), Selection())
    return run(plan, definitions, node, Clock(time.monotonic(), 30.0), None)


@pytest.mark.parametrize(
    "check",
    [
        "- {name: a, assert: {that: facts.kubelet.port == 1}}",
        "- {name: a, assert: {that: port == 1}}",
        "- {name: a, assert: {that: '{{ port }} == 1'}}",
        "- {name: a, assert: {that: 'facts.kubelet.port in [1] or true'}}",
        "- {name: a, assert: {that: facts.kubelet == none}}",
        "- {name: a, assert: {that: facts.kubelet is defined}}",
        "- {name: a, assert: {that: facts.kubelet is mapping}}",
        "- {name: a, when: facts.kubelet is none, assert: {that: true}}",
        "- {name: a, when: facts.kubelet.port == 1, assert: {that: true}}",
        "- {name: a, when: '(facts.kubelet | default({})) == {}', assert: {that: true}}",
        "- {name: a, timeout: '{{ facts.kubelet.port }}s', assert: {that: true}}",
        "- {name: a, loop: '{{ facts.kubelet.cluster_dns }}', assert: {that: item == 1}}",
        "- {name: 'a', loop: [1], loop_control: {label: '{{ port }}'}, assert: {that: port == item}}",
        "- {name: 'a {{ port }}', assert: {that: port == 1}}",
        "- {name: a, port: {port: '{{ port }}'}}",
        "- {name: a, port: {port: '{{ port + 1 }}'}}",
        "- {name: a, port: {port: '{{ 100 - port }}'}}",
        "- {name: a, port: {port: '{{ port * 2 }}'}}",
        "- {name: a, port: {port: '{{ port | int }}'}}",
        "- {name: a, port: {port: '{{ -port }}'}}",
        "- {name: a, block: [{name: b, assert: {that: port == 1}}]}",
    ],
)
def test_it_is_unknown_and_says_which_fact(tmp_path: Path, check: str) -> None:
    (result,) = judged(tmp_path, check).results

    assert (str(result.status), result.message) == ("unknown", DARK)


@pytest.mark.parametrize(
    "check",
    [
        "- {name: a, assert: {that: facts.hostname is string}}",
        "- {name: a, assert: {that: own == 1}}",
        "- {name: 'a {{ port }}', assert: {that: own == 1}}",
    ],
)
def test_what_is_written_without_it_is_judged(tmp_path: Path, check: str) -> None:
    (result,) = judged(tmp_path, check).results

    assert str(result.status) == "ok"


def test_what_is_not_for_this_node_stays_skipped(tmp_path: Path) -> None:
    check = "- {name: a, when: own == 2, assert: {that: port == 1}}"

    assert [str(result.status) for result in judged(tmp_path, check).results] == ["skipped"]


def test_a_mistake_beside_it_is_still_one(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="port: expected"):
        judged(tmp_path, "- {name: a, port: {port: x, address: '{{ facts.kubelet.address }}'}}")


def test_which_checks_there_are_cannot_depend_on_it(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"include depends on a fact, and facts.kubelet was not found out"):
        judged(tmp_path, "- {name: a, include: '{{ facts.kubelet.port }}.yaml'}")


def test_a_check_that_waits_for_a_result_says_it_too(tmp_path: Path) -> None:
    checks = (
        "- {name: a, register: r, assert: {that: true}}\n"
        "- {name: b, when: r is ok, port: {port: '{{ facts.kubelet.port }}'}}"
    )
    first, second = judged(tmp_path, checks).results

    assert [str(first.status), str(second.status)] == ["ok", "unknown"]
    assert DARK in second.message


def test_a_part_that_an_older_version_did_not_record_is_not_known() -> None:
    node = with_fact("kubelet", Fact({"port": 10250}, "/var/lib/kubelet/config.yaml"))
    kubelet = facts_of(node)["kubelet"]

    assert kubelet["port"] == 10250
    assert kubelet["cgroup_driver"].reason == "facts.kubelet.cgroup_driver was not recorded"


def test_a_subject_that_this_node_does_not_have_makes_unknown_what_is_written_with_it(tmp_path: Path) -> None:
    node = with_fact("docker", Fact(None, "not in the group docker"))

    assert facts_of(node)["docker"].reason == "facts.docker is not known: this node is not in the group docker"


def test_a_fact_that_is_no_good_argument_makes_that_check_unknown(tmp_path: Path) -> None:
    # Failed first: one odd value in a file of the node, and nothing at all was checked.
    node = with_fact("kubelet", Fact({"port": 99999}, "/var/lib/kubelet/config.yaml"))
    checks = "- {name: A, port: {port: '{{ facts.kubelet.port }}'}}\n- {name: B, assert: {that: 1 == 1}}"
    first, second = judged_on(node, tmp_path, checks).results

    assert [str(first.status), str(second.status)] == ["unknown", "ok"]
    assert "what was found out about this node cannot be used here: port: 99999 is above 65535" in first.message


@pytest.mark.parametrize(
    ("check", "status"),
    [
        ("- {name: A, port: {port: '{{ port }}'}}", "unknown"),
        ("- {name: A, vars: {twice: '{{ port * 2 }}'}, port: {port: '{{ twice }}'}}", "unknown"),
        ("- {name: A, loop: ['{{ facts.kubelet.port }}'], port: {port: '{{ item }}'}}", "unknown"),
        ("- {name: A, loop: '{{ [facts.kubelet.port] }}', port: {port: '{{ item }}'}}", "unknown"),
        ("- {name: A, when: before is ok, port: {port: '{{ port }}'}}", "unknown"),
        ("- {name: A, when: port == 1, port: {port: '{{ port }}'}}", "skipped"),
    ],
)
def test_a_variable_that_is_made_of_such_a_fact_is_no_mistake_either(tmp_path: Path, check: str, status: str) -> None:
    # Failed first: the author was blamed, and nothing at all was checked.
    node = with_fact("kubelet", Fact({"port": 99999}, "/var/lib/kubelet/config.yaml"))
    before = "- {name: before, register: before, assert: {that: 1 == 1}}\n"
    results = judged_on(node, tmp_path, before + check).results

    assert [str(result.status) for result in results] == ["ok", status]


@pytest.mark.parametrize(
    "check", ["port: {porrt: 1, port: '{{ port }}'}", "when: b is ok, port: {porrt: 1, port: '{{ port }}'}"]
)
def test_a_mistake_of_the_author_beside_such_a_variable_stays_one(tmp_path: Path, check: str) -> None:
    node = with_fact("kubelet", Fact({"port": 99999}, "/var/lib/kubelet/config.yaml"))
    with pytest.raises(DefinitionError, match="porrt"):
        judged_on(node, tmp_path, f"- {{name: b, register: b, assert: {{that: 1 == 1}}}}\n- {{name: A, {check}}}")


def test_a_mistake_of_the_author_beside_a_fact_stays_one(tmp_path: Path) -> None:
    node = with_fact("kubelet", Fact({"port": 99999}, "/var/lib/kubelet/config.yaml"))
    with pytest.raises(DefinitionError, match="porrt"):
        judged_on(node, tmp_path, "- {name: A, port: {porrt: 1, port: '{{ facts.kubelet.port }}'}}")


@pytest.mark.parametrize("fact", ["facts.kublet.port", "facts.kubelet.prot"])
def test_a_slip_in_the_name_of_a_fact_stays_a_mistake(tmp_path: Path, fact: str) -> None:
    node = with_fact("kubelet", Fact({"port": 99999}, "/var/lib/kubelet/config.yaml"))
    with pytest.raises(DefinitionError, match="is not defined"):
        judged_on(node, tmp_path, f"- {{name: A, port: {{port: '{{{{ {fact} }}}}'}}}}")
