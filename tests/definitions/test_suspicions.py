"""What lint warns of: legal, and surely not meant. For each rule what it finds, and what it lets pass."""

from __future__ import annotations

import pytest
from plays import read

from nodecheck.definitions import hosts
from nodecheck.definitions.suspicions import Context, find
from nodecheck.node import groups

CHECK = "name: A, process: {name: sh}"
OTHER = "{name: B, process: {name: sh}}"


STAR = "letter, and * stands for nothing else; write /^exit-/"
NOTHING = "stands for nothing else"
ANY = "any text is .*: write /^docker/"


def warned(text: str, budget: float = 30.0) -> list[tuple[str, str]]:
    """Return (rule, message) of all that is warned of in a file."""
    definitions = read(text)
    known = frozenset({"all", "w1", "web", *groups.known()})
    found = find(Context(definitions.plays, known, budget, tuple(definitions.sources)))
    return [(suspicion.rule, suspicion.message) for suspicion in found]


def one(check: str, budget: float = 30.0) -> list[tuple[str, str]]:
    """Return the same of one check for all hosts."""
    return warned(f"- {{hosts: all, checks: [{{{check}}}]}}", budget)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("process: {name: sh, count: '>= 0'}", ["count: >= 0 is always so, and can never fail"]),
        ("process: {name: sh, count: ['< 5', '>= 5']}", ["count: < 5 or >= 5 is always so, and can never fail"]),
        ("process: {name: sh, count: '< 0'}", ["count: < 0 is never so, and always fails"]),
        ("process: {name: sh}, warn: {count: '>= 0'}", ["count: >= 0 is always so, and can never fail"]),
        ("unit: {name: a.service, state: /.*/}", ["state: /.*/ is always so, and can never fail"]),
        ("unit: {name: a.service, main_process: 'exit-*'}", ["main_process: exit-* is compared letter by " + STAR]),
        ("process: {cmdline: 'docker*'}", ["cmdline: * repeats the letter before it in docker*; " + ANY]),
        ("process: {name: sh, count: '>= 1'}, warn: {count: '< 100'}", []),
        ("unit: {name: a.service, state: /^run/}", []),
        ("unit: {name: a.service}", []),
    ],
)  # fmt: skip
def test_an_expectation_that_nothing_breaks_or_that_looks_like_a_glob(check: str, expected: list[str]) -> None:
    assert [message for rule, message in one(f"name: A, {check}") if rule == "expectation"] == expected


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("process: {name: 'sh*'}", ["name: sh* is compared letter by letter, and * " + NOTHING]),
        ("process: {name: 'sh*'}, warn: {count: '> 5'}", ["name: sh* is compared letter by letter, and * " + NOTHING]),
        ("process: {cmdline: '^sh'}", []),
    ],
)
def test_an_argument_that_its_check_type_takes_for_a_slip(check: str, expected: list[str]) -> None:
    assert [message for rule, message in one(f"name: A, {check}") if rule == "argument"] == expected


def test_a_check_that_is_skipped_here_or_waits_for_a_result_is_looked_at_as_far_as_it_is_known() -> None:
    text = f"""
    - hosts: all
      checks:
        - {{{CHECK}, register: r}}
        - {{name: B, process: {{name: "{{{{ r.status }}}}", count: ">= 0"}}}}
        - {{name: C, process: {{name: sh, count: ">= 0"}}, when: false}}
        - {{name: D, process: {{name: sh, count: ">= 0"}}, when: r is ok}}
    """
    assert warned(text) == [("expectation", "count: >= 0 is always so, and can never fail")] * 2  # of C and D


@pytest.mark.parametrize(
    ("tags", "expected"),
    [("all", ["all"]), ("[tagged, untagged]", ["tagged", "untagged"]), ("[always, never, x]", []), ("allx", [])],
)
def test_a_tag_that_nobody_can_select(tags: str, expected: list[str]) -> None:
    found = one(f"{CHECK}, tags: {tags}")
    assert found == [("tag", f"the tag '{tag}' cannot be selected: -t {tag} means other checks") for tag in expected]


def test_words_that_are_one_tag() -> None:
    assert one(f"{CHECK}, tags: docker runtime") == [("tag", "'docker runtime' is one tag")]


@pytest.mark.parametrize(
    ("pattern", "unknown"),
    [
        ("kublet", ["kublet"]),
        ("docker:&kublet", ["kublet"]),
        ("all:!kublet", ["kublet"]),
        ("kube*", []),
        ("kubx*", ["kubx*"]),
        ("docker:containerd:!control_plane", []),
        ("web", []),
        ("w1", []),
    ],
)
def test_a_host_pattern_with_a_group_that_no_node_has(pattern: str, unknown: list[str]) -> None:
    found = warned(f"- {{hosts: '{pattern}', checks: [{OTHER}]}}")
    assert [message for _, message in found] == [
        f"no group is called {name!r}; own ones stand in /etc/nodecheck/nodecheck.yaml" for name in unknown
    ]


@pytest.mark.parametrize(
    ("hosts_of_need", "hosts_of_check", "warns"),
    [
        ("docker", "kubelet", True),
        ("docker", "all", True),
        ("all", "docker", False),
        ("docker", "docker", False),
        ("docker:containerd", "docker", False),
        ("docker", "docker:&kubelet", False),
        ("docker:&kubelet", "docker", True),
        ("worker", "control_plane", True),
        ("kubelet", "worker", False),
        ("all:!docker", "docker", True),
    ],
)
def test_a_need_of_a_check_for_other_hosts(hosts_of_need: str, hosts_of_check: str, *, warns: bool) -> None:
    text = f"""
    - {{hosts: '{hosts_of_need}', tags: t, checks: [{{{CHECK}}}]}}
    - {{hosts: '{hosts_of_check}', checks: [{{name: B, process: {{name: sh}}, needs: A}}]}}
    """
    assert [rule for rule, _ in warned(text)] == ["need"] * warns
    assert warned(text.replace("needs: A", "needs: t")) == []


@pytest.mark.parametrize(
    ("pattern", "other", "implied"),
    [
        ("docker", "all", True), ("all", "docker", False), ("a:b", "b:a", True), ("a:&b", "a", True),
        ("a", "a:&b", False), ("a:!b", "a", True), ("a", "a:!b", False), ("web*", "web*", True),
        ("webx", "web*", True), ("web*", "webx", False),
        ("a1:a2:a3:a4:a5:a6:a7", "b1:b2:b3:b4:b5:b6:b7", True),
    ],
)  # fmt: skip
def test_what_a_pattern_implies(pattern: str, other: str, *, implied: bool) -> None:
    assert hosts.implies(pattern, other) is implied


@pytest.mark.parametrize(
    ("until", "expected"), [("2020-01-01", ["this waiver ended on 2020-01-01: x"]), ("2999-01-01", [])]
)
def test_a_waiver_past_its_date(until: str, expected: list[str]) -> None:
    assert [message for _, message in one(f"{CHECK}, waive: {{until: {until}, reason: x}}")] == expected


def test_a_name_used_twice() -> None:
    text = f"- {{hosts: all, checks: [{{{CHECK}}}, {{{CHECK}, id: other}}]}}\n"
    assert warned(text) == [("name", "a second check is named 'A', with another id")]


@pytest.mark.parametrize(
    ("keywords", "warns"),
    [("retries: 100", True), ("retries: 5", False), ("retries: 2, delay: 1h", True), ("until: result is ok", False)],
)
def test_retries_that_outlast_a_run(keywords: str, *, warns: bool) -> None:
    assert [rule for rule, _ in one(f"{CHECK}, {keywords}")] == ["retry"] * warns


def test_a_mistake_in_a_loop_is_told_once() -> None:
    assert len(one("name: 'A {{ item }}', process: {name: sh, count: '>= 0'}, loop: [1, 2, 3]")) == 1
