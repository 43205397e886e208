"""Blocks, loops, includes and imports: a keyword means the same on each level."""

from typing import Any

import pytest
from plays import checks, entries, read

from nodecheck.checks.process import Process
from nodecheck.definitions.check import CheckDefinition
from nodecheck.definitions.errors import DefinitionError
from nodecheck.definitions.levels import Hold

CHECK = "name: A, process: {name: sh}"

# A keyword, and what a check has of it: (written, field, value)
KEYWORDS: list[tuple[str, str, Any]] = [
    ("tags: [x, y]", "tags", frozenset({"x", "y"})),
    ("tags: 'x, y'", "tags", frozenset({"x", "y"})),
    ("severity: warning", "severity", "warning"),
    ("severity: info", "severity", "info"),
    ("timeout: 250ms", "timeout", 0.25),
    ("retries: 7", "retries", 7),
    ("retries: 0, until: result.status == 'ok'", "retries", 0),
    ("until: result.status == 'ok'", "retries", 3),
    ("delay: 2", "delay", 2.0),
    ("delay: 0.5", "delay", 0.5),
    ("delay: 1m", "delay", 60.0),
    ("delay: 0", "delay", 0.0),
    ("for: 3 runs", "hold", Hold(runs=3)),
    ("for: 1 run", "hold", Hold(runs=1)),
    ("for: 2m", "hold", Hold(seconds=120.0)),
    ("remedy: do it", "remedy", "do it"),
    ("docs: https://example.org/x", "docs", "https://example.org/x"),
    ("needs: B", "needs", ("B",)),
    ("needs: [B, b]", "needs", ("B", "b")),
    ("warn: {count: '>= 2'}", "milder_properties", frozenset({"count"})),
    ("when: false", "skipped", "not for this node: false is false"),
]


def _found(text: str, field: str) -> Any:
    return next(getattr(check, field) for check in checks(text) if check.name.startswith("A"))


@pytest.mark.parametrize(("written", "field", "value"), KEYWORDS)
@pytest.mark.parametrize(
    "text",
    [
        "- {hosts: all, checks: [{%s, CHECK}, {name: B, process: {name: sh}}]}",
        "- {hosts: all, checks: [{%s, block: [{CHECK}]}, {name: B, process: {name: sh}}]}",
        "- {hosts: all, checks: [{%s, block: [{block: [{CHECK}]}]}, {name: B, process: {name: sh}}]}",
        "- {hosts: all, %s, checks: [{CHECK}]}\n- {hosts: all, checks: [{name: B, process: {name: sh}}]}",
    ],
    ids=["check", "block", "block of a block", "play"],
)
def test_a_keyword_means_the_same_on_a_check_a_block_and_a_play(
    text: str, written: str, field: str, value: Any
) -> None:
    assert value == _found(text.replace("CHECK", CHECK) % written, field)


@pytest.mark.parametrize(
    ("outer", "inner", "field", "value"),
    [
        ("tags: x", "tags: y", "tags", frozenset({"x", "y"})),
        ("needs: B", "needs: b", "needs", ("B", "b")),
        ("severity: warning", "severity: info", "severity", "info"),
        ("timeout: 1s", "timeout: 2s", "timeout", 2.0),
        ("retries: 1", "retries: 2", "retries", 2),
        ("remedy: x", "remedy: y", "remedy", "y"),
    ],
)
def test_tags_and_needs_are_added_and_of_all_else_the_innermost_counts(
    outer: str, inner: str, field: str, value: Any
) -> None:
    text = f"- {{hosts: all, checks: [{{{outer}, block: [{{{inner}, {CHECK}}}]}}, {{name: B, process: {{name: sh}}}}]}}"

    assert value == _found(text, field)


# ---- loops


def names(text: str, **around: Any) -> list[tuple[str, str]]:
    return [(check.name, check.id) for check in entries(text, **around)]


def test_a_loop_makes_a_check_of_each_item_with_a_name_of_its_own() -> None:
    text = "- {name: '{{ item }} runs', process: {name: '{{ item }}'}, loop: [dockerd, kubelet]}"

    assert names(text) == [("dockerd runs", "dockerd-runs"), ("kubelet runs", "kubelet-runs")]
    assert [check.check.name for check in entries(text)] == ["dockerd", "kubelet"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("loop: [x, 1.10]", [("A (x)", "a-x"), ("A (1.10)", "a-1-10")]),
        ("loop: '{{ facts.mounts }}'", [("A (/)", "a"), ("A (/var)", "a-var")]),
        ("loop: [{name: x, port: 1}, {key: y}, {port: 3}]", [("A (x)", "a-x"), ("A (y)", "a-y"), ("A (3)", "a-3")]),
        ("loop: [{p: 1}, {p: 2}], loop_control: {label: 'p{{ item.p }}'}", [("A (p1)", "a-p1"), ("A (p2)", "a-p2")]),
        ("loop: [x], loop_control: {loop_var: unit}, id: own", [("A (x)", "own-x")]),
        ("loop: [x], id: 'own.{{ item }}'", [("A (x)", "own.x")]),
        ("loop: \"{{ {'a': 1} | dict2items }}\"", [("A (a)", "a-a")]),
        ("loop: [x]", [("A (x)", "a-x")]),
    ],
)
def test_an_item_that_the_name_does_not_hold_is_put_behind_it(loop: str, expected: list[tuple[str, str]]) -> None:
    assert expected == names(f"- {{{CHECK}, {loop}}}")


def test_a_loop_over_a_block_and_one_over_a_play_do_the_same() -> None:
    both = "[{name: A, process: {name: sh}}, {name: B, process: {name: sh}}]"
    block = f"- {{hosts: all, checks: [{{loop: [1, 2], block: {both}}}]}}"
    play = f"- {{name: P, hosts: all, loop: [1, 2], checks: {both}}}"

    expected = ["A (1)", "B (1)", "A (2)", "B (2)"]
    assert expected == [check.name for check in checks(block)] == [check.name for check in checks(play)]
    assert [found.name for found in read(play).plays] == ["P (1)", "P (2)"]


def test_loops_within_loops_have_variables_of_their_own() -> None:
    text = """
    - loop: [a, b]
      loop_control: {loop_var: outer}
      block:
        - {name: "{{ outer }}{{ item }}", process: {name: sh}, loop: [1, 2]}
        - {name: C, process: {name: sh}, loop: [1]}
    """
    expected = ["a1", "a2", "C (a, 1)", "b1", "b2", "C (b, 1)"]
    assert expected == [check.name for check in entries(text)]


def test_when_is_asked_for_each_item() -> None:
    text = "- {name: 'is {{ item }}', process: {name: sh}, loop: [1, 2, 3], when: item > 1}"

    assert [check.name for check in entries(text) if check.skipped] == ["is 1"]


@pytest.mark.parametrize("value", ["'{{ [] }}'", '\'{{ facts.mounts | select("search", "nowhere") }}\''])
def test_a_loop_that_has_no_items_here_is_one_skipped_check(value: str) -> None:
    assert [(check.name, check.skipped) for check in entries(f"- {{{CHECK}, loop: {value}}}")] == [
        ("A", "its loop has no items here")
    ]


def test_the_mistakes_of_a_check_whose_loop_has_no_items_here_are_told() -> None:
    with pytest.raises(DefinitionError, match="process has no argument 'nam'") as raised:
        entries("- {name: A, process: {nam: '{{ item.name }}'}, loop: '{{ [] }}'}")
    assert len(raised.value.mistakes) == 1


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("loop: []", "an empty list loops over nothing"),
        ("loop: x", "loop is a list, not text"),
        ("loop: {a: 1}", "loop is a list, not a mapping"),
        ("loop: '{{ facts.os }}'", r"loop is a list, not a mapping\n.*\n.*\n  \{\{ facts.os \| dict2items \}\}"),
        ("loop: '{{ nobody }}'", "'nobody' is not defined"),
        ("loop: '{{ range(1001) }}'", "more than 1000"),
        ("loop: [1, 1]", r"a second check is named 'A \(1\)'"),
        ("loop: [1], loop_control: {labl: x}", r"loop_control has no keyword 'labl'\n.*\n.*\n  did you mean label"),
        ("loop: [1], loop_control: {loop_var: facts}", "'facts' is what nodecheck found out"),
        ("loop: [1], loop_control: {loop_var: a b}", "'a b' is no name for a variable"),
        ("loop: [1], loop_control: {label: '{{ nobody }}'}", "'nobody' is not defined"),
        ("loop: [1], loop_control: x", "loop_control is a mapping, not text"),
        ("loop_control: {label: x}", "loop_control without a loop"),
        ("with_items: [1]", "loop: is a list of items"),
    ],
)
def test_a_loop_that_cannot_be_read_is_a_mistake(written: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        entries(f"- {{{CHECK}, {written}}}")


# ---- needs


def needed(text: str) -> dict[str, tuple[str, ...]]:
    from nodecheck.definitions.errors import Mistakes
    from nodecheck.definitions.needs import resolve

    return resolve(
        read("- hosts: all\n  checks:\n" + "".join(f"    {line}\n" for line in text.splitlines())).plays, Mistakes()
    )


@pytest.mark.parametrize(
    ("need", "ids"),
    [
        ("A", ("a",)),
        ("a", ("a",)),
        ("own", ("own",)),
        ("Named", ("own",)),
        ("Both", ("c", "d")),
        ("both", ("c", "d")),
        ("Loop", ("loop-1", "loop-2")),
        ("loop-2", ("loop-2",)),
        ("Loop (2)", ("loop-2",)),
        ("tagged", ("a", "c", "d")),
        ("[A, a, tagged]", ("a", "c", "d")),
    ],
)
def test_a_need_is_a_name_an_id_or_a_tag_of_checks_of_a_block_or_of_a_loop(need: str, ids: tuple[str, ...]) -> None:
    text = f"""\
- {{name: A, process: {{name: sh}}, tags: tagged}}
- {{name: Named, id: own, process: {{name: sh}}}}
- {{name: Both, tags: tagged, block: [{{name: C, process: {{name: sh}}}}, {{name: D, process: {{name: sh}}}}]}}
- {{name: Loop, process: {{name: sh}}, loop: [1, 2]}}
- {{name: Last, process: {{name: sh}}, needs: {need}, tags: tagged}}"""
    assert ids == needed(text)["last"]


# ---- include and import

INNER = "- {name: 'In {{ x }}', process: {name: sh}}"


def test_an_included_file_is_a_block_of_its_checks() -> None:
    text = "- {include: in/inner.yaml, vars: {x: 1}, tags: t, needs: B}\n- {name: B, process: {name: sh}}"
    found = entries(text, others={"in/inner.yaml": INNER})

    assert [("In 1", {"t"}, ("B",)), ("B", set(), ())] == [(c.name, set(c.tags), c.needs) for c in found]
    assert found[0].source.endswith("in/inner.yaml:1")


def test_an_included_file_may_be_looped_over_and_include_others_beside_it() -> None:
    others = {
        "in/outer.yaml": "- {include: inner.yaml, loop: [1, 2], vars: {x: '{{ y }}{{ item }}'}}",
        "in/inner.yaml": INNER,
    }

    assert [check.name for check in entries("- {include: in/outer.yaml, vars: {y: z}}", others=others)] == [
        "In z1",
        "In z2",
    ]


def test_an_imported_file_is_read_as_if_its_plays_stood_here() -> None:
    inner = "[{name: 'A {{ x }}', process: {name: sh}}]"
    play = f"- {{name: 'P {{{{ x }}}}', hosts: all, tags: own, vars: {{x: its own}}, checks: {inner}}}"
    text = (
        "- {import: in/plays.yaml, vars: {x: given}, tags: t}\n- {hosts: all, checks: [{name: B, process: {name: sh}}]}"
    )
    read_plays = read(text, others={"in/plays.yaml": play}).plays

    assert [("P given", {"own", "t"}), ("hosts all", set())] == [(p.name, set(p.tags)) for p in read_plays]
    assert read_plays[0].checks[0].name == "A given"


def test_the_files_that_were_read_are_all_told() -> None:
    found = read("- {hosts: all, checks: [{include: in/inner.yaml, vars: {x: 1}}]}", others={"in/inner.yaml": INNER})

    assert [path.rpartition("/")[2] for path in found.files] == ["checks.yaml", "inner.yaml"]


@pytest.mark.parametrize(
    ("text", "others", "said"),
    [
        ("include: nowhere.yaml", {}, "nowhere.yaml does not exist"),
        ("include: inn.yaml", {"inner.yaml": INNER}, r"inn.yaml does not exist\n.*\n.*\n  did you mean inner.yaml"),
        ("include: ''", {}, "path of a file"),
        ("include: [x]", {}, "this is the path of a file, not a list"),
        ("include: in.yaml", {"in.yaml": "- {include: in.yaml}"}, "read within itself: .*in.yaml -> .*in.yaml"),
        ("include: checks.yaml", {}, "a file is read within itself"),
        ("include: in.yaml", {"in.yaml": "- {hosts: all, checks: []}"}, "and this one holds plays"),
        ("include: in.yaml", {"in.yaml": ""}, "with at least one check, not nothing"),
        ("include: in.yaml", {"in.yaml": "- [a"}, "in.yaml:2:1: not YAML"),
        ("include: in.yaml", {"in.yaml": "- {name: A, process: {nam: sh}}"}, "in.yaml:1:23: process has no argument"),
        ("include: in.yaml, block: [{name: A, process: {name: sh}}]", {"in.yaml": INNER}, "a block holds checks, or"),
        ("block: []", {}, "block is a list with at least one check, not an empty list"),
        ("block: [], rescue: []", {}, "there is nothing to rescue"),
        ("block: [x]", {}, "a check is a mapping, not text"),
        ("block: [{name: A, process: {name: sh}}], process: {name: sh}", {}, "a block has no keyword 'process'"),
    ],
)  # fmt: skip
def test_a_block_that_cannot_be_read_is_a_mistake(text: str, others: dict[str, str], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        entries(f"- {{{text}}}", others=others)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {import: in.yaml, hosts: all}", "an import has no keyword 'hosts'"),
        ("- {import: in.yaml, checks: []}", "an import has no keyword 'checks'"),
        ("- {import: checks.yaml}", "a file is read within itself"),
        ("- {import: nowhere.yaml}", "nowhere.yaml does not exist"),
    ],
)
def test_an_import_that_cannot_be_read_is_a_mistake(text: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        read(text, others={"in.yaml": "- {hosts: all, checks: [{name: A, process: {name: sh}}]}"})


def test_a_file_that_is_included_twice_with_the_same_names_says_so() -> None:
    with pytest.raises(DefinitionError, match=r"a second check is named 'In 1'(.|\n)*it is read twice"):
        entries(
            "- {include: i/inner.yaml, vars: {x: 1}}\n- {include: i/inner.yaml, vars: {x: 1}}",
            others={"i/inner.yaml": INNER},
        )


def test_an_id_is_what_its_author_wrote() -> None:
    (found,) = entries(f"- {{{CHECK}, id: my.id_1}}")
    assert found.id == "my.id_1"
    with pytest.raises(DefinitionError, match=r"'my id' is no id\n.*\n.*\n  .*my-id"):
        entries(f"- {{{CHECK}, id: my id}}")


def _is_late(check: CheckDefinition) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return check.waits_for, check.uses


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ("process: {name: '{{ r.status }}'}", (("a",), ("a",))),
        ("process: {name: sh}, when: r.status == 'ok'", (("a",), ())),
        ("process: {name: '{{ r.status }}'}, when: r.status == 'ok'", (("a",), ())),
        ("process: {name: sh}, warn: {count: '{{ r.observed.count }}'}", (("a",), ("a",))),
        ("process: {name: '{{ v }}'}, vars: {v: '{{ r.status }}'}", (("a",), ("a",))),
        ("process: {name: '{{ v | upper }}'}, vars: {w: '{{ r.status }}', v: '{{ w }}'}", (("a",), ("a",))),
        ("process: {name: sh}", ((), ())),
        ("process: {name: 'r.status'}", ((), ())),
    ],
)
def test_what_is_written_with_a_result_waits_for_it_and_needs_it_unless_its_when_looks_at_it(
    later: str, expected: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    found = entries(f"- {{{CHECK}, register: r}}\n- {{name: B, {later}}}")

    assert expected == _is_late(found[1])


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ("name: 'B {{ r.status }}', process: {name: sh}", "name cannot depend on the result of a"),
        ("name: B, process: {name: sh}, loop: '{{ r.findings }}'", "loop cannot depend on the result of a"),
        ("name: B, process: {name: sh}, tags: '{{ r.status }}'", "tags cannot depend on the result of a"),
        ("name: B, process: {nam: '{{ r.status }}'}", "process has no argument 'nam'"),
        ("name: B, process: {name: '{{ r.status }}', count: x}", "count: expected a number"),
        ("name: B, process: {name: sh}, register: 'a b'", "'a b' is no name for a variable"),
        ("name: B, process: {name: sh}, register: facts", "'facts' is what nodecheck found out"),
    ],
)
def test_what_a_plan_is_made_of_cannot_depend_on_a_result(later: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        entries(f"- {{{CHECK}, register: r}}\n- {{{later}}}")


def test_of_two_checks_that_register_the_same_name_the_one_before_counts() -> None:
    text = """
    - {name: A, process: {name: sh}, register: r}
    - {name: B, process: {name: "{{ r.status }}"}, register: r}
    - {name: C, process: {name: "{{ r.status }}"}}
    """
    assert [check.waits_for for check in entries(text)] == [(), ("a",), ("b",)]


def test_a_loop_and_a_block_register_the_results_of_all() -> None:
    text = """
    - {name: A, process: {name: sh}, loop: [1, 2], register: r}
    - {register: s, block: [{name: B, process: {name: sh}}, {name: C, process: {name: sh}}]}
    - {name: D, process: {name: "{{ r.results[0].status }}{{ s.status }}"}}
    """
    assert entries(text)[-1].waits_for == ("a-1", "a-2", "b", "c")


def test_needs_and_results_that_run_in_a_circle_are_a_mistake() -> None:
    with pytest.raises(DefinitionError, match="in a circle: A -> B -> A"):
        entries(
            "- {name: A, process: {name: sh}, register: r, needs: B}\n- {name: B, process: {name: '{{ r.status }}'}}"
        )


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ("when: r.rc == 0", r"r has no 'rc': it is a result\n.*\n.*\n  known here: .*status"),
        ("when: r.statsu == 'ok'", "did you mean status"),
        ("when: not r.failed", "r has no 'failed'"),
        ("when: r.observed.cuont == 1", r"r.observed has no 'cuont': it is a result\n.*\n.*\n  did you mean count"),
        ("when: \"r['observed']['cuont'] == 1\"", "r.observed has no 'cuont'"),
        ("when: [true, r.rc == 0]", "r has no 'rc'"),
        ("when: r", r"a condition is true or false, and r is a result\n.*\n.*\n  r is ok"),
        ("when: loop.rc", "loop has no 'rc'"),
        ("vars: {v: '{{ r.rc }}'}, when: v == 0", "r has no 'rc'"),
        ("until: result.rc == 0", "result has no 'rc'"),
        ("until: result.observed.cuont == 0", "did you mean count"),
    ],
)
def test_a_part_that_no_result_has_is_a_mistake(later: str, said: str) -> None:
    text = f"- {{{CHECK}, register: r}}\n- {{name: L, process: {{name: sh}}, loop: [1], register: loop}}\n"
    with pytest.raises(DefinitionError, match=said):
        entries(f"{text}- {{name: B, process: {{name: sh}}, {later}}}")


def test_the_parts_that_a_result_has_are_none() -> None:
    text = "r.status == 'ok' and r.observed.count > 0 and r.findings | length > 0 and r.since and r.message"
    entries(f"- {{{CHECK}, register: r}}\n- {{name: B, process: {{name: sh}}, when: {text}}}")


# ---- what differs between nodes

HERE, THERE = "all", "nosuch"


def test_a_loop_with_a_fact_in_its_name_is_read_for_another_node_too() -> None:
    text = "- {hosts: %s, checks: [{name: '{{ item }} on {{ facts.hostname }}', process: {name: sh}, loop: [a, b]}]}"
    assert len(checks(text % HERE)) == len(checks(text % THERE)) == 2


@pytest.mark.parametrize("label", ["{{ facts.hostname }} {{ item }}", "{{ item }}"])
def test_a_label_with_a_fact_is_read_for_another_node_too(label: str) -> None:
    loop = f"{{name: A, process: {{name: sh}}, loop: [a, b], loop_control: {{label: '{label}'}}}}"
    assert len(checks(f"- {{hosts: {THERE}, checks: [{loop}]}}")) == 2


def test_a_label_cannot_depend_on_a_result() -> None:
    loop = "loop: [1], loop_control: {label: '{{ r.status }}'}"
    with pytest.raises(DefinitionError, match="loop_control cannot depend on the result of a"):
        entries(f"- {{{CHECK}, register: r}}\n- {{name: B, process: {{name: sh}}, {loop}}}")


def test_loops_that_are_empty_here_do_not_collide() -> None:
    text = """
    - {name: "{{ item }} is well", process: {name: sh}, loop: "{{ [] }}", tags: [never]}
    - {name: "{{ item }} is well", process: {name: bash}, loop: "{{ [] }}"}
    - {block: [{name: A, process: {name: sh}}], loop: "{{ [] }}"}
    - {block: [{name: B, process: {name: sh}}], loop: "{{ [] }}"}
    - loop: [1, 2]
      block: [{name: C, process: {name: sh}, loop: "{{ [] }}", loop_control: {loop_var: inner}}]
    """
    found = entries(text)
    assert len({check.id for check in found}) == len(found) == 6
    assert found[0].tags == {"never"}


def test_a_loop_is_needed_by_its_id_whatever_its_name_is() -> None:
    text = """\
- {name: "disk {{ item }}", id: disks, process: {name: sh}, loop: [a, b]}
- {name: Last, process: {name: sh}, needs: disks}"""
    assert needed(text)["last"] == ("disks-a", "disks-b")


def test_what_is_registered_for_another_node_hides_nothing_here() -> None:
    text = """
    - {hosts: nosuch, checks: [{name: A, process: {name: sh}, register: kubelet}]}
    - {hosts: all, vars: {kubelet: bash}, checks: [{name: B, process: {name: "{{ kubelet }}"}}]}
    """
    last = checks(text)[-1]
    assert (last.skipped, last.waits_for, last.check) == ("", (), Process(name="bash"))


def test_of_two_plays_that_register_a_name_the_one_that_is_for_this_node_counts() -> None:
    text = """
    - {hosts: all, checks: [{name: A, process: {name: sh}, register: engine}]}
    - {hosts: nosuch, checks: [{name: B, process: {name: sh}, register: engine}]}
    - {hosts: all, checks: [{name: C, process: {name: sh}, when: engine is ok}]}
    """
    assert checks(text)[-1].waits_for == ("a",)


def test_a_mistake_is_told_though_the_file_was_read_for_another_node_before() -> None:
    play = (
        "- {hosts: '{{ item }}', checks: [{name: 'A {{ item }}', process: {name: sh}, severity: '{{ facts.level }}'}]}"
    )
    with pytest.raises(DefinitionError, match="'level' is not defined"):
        read("- {import: in.yml, loop: [nosuch, all]}", others={"in.yml": play})


def test_files_within_files_have_an_end() -> None:
    others = {f"f{n}.yml": f"- {{include: f{n + 1}.yml}}" for n in range(200)}
    with pytest.raises(DefinitionError, match="more than 20 files are read within each other"):
        entries("- {include: f0.yml}", others=others)


@pytest.mark.parametrize("path", ['"a\\0/b.yaml"', '"a\\0.yaml"'])
def test_a_path_with_a_nul_does_not_exist(path: str) -> None:
    with pytest.raises(DefinitionError):
        entries(f"- {{include: {path}}}")
