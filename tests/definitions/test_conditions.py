"""`when`: true or false and nothing else; what is not for this node is skipped, and not judged by what it lacks."""

import pytest
from plays import checks, entries

from nodecheck.definitions.errors import DefinitionError


def skipped(when: str, arguments: str = "name: sh", more: str = "") -> str:
    (found,) = entries(f"- {{name: A, process: {{{arguments}}}, when: {when}{more}}}")
    return found.skipped


@pytest.mark.parametrize(
    "when",
    [
        "true", '"facts.os.id == \'debian\'"', '"\'all\' in groups"', '[true, "1 < 2"]', '"facts.x is not defined"',
        '"not false"', '"facts.os.version is version(\'11\', \'>\')"',
    ],
)  # fmt: skip
def test_a_check_whose_condition_is_true_is_judged(when: str) -> None:
    assert skipped(when) == ""


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("false", "false"),
        ("\"facts.os.id == 'suse'\"", "facts.os.id == 'suse'"),
        ('[true, "1 > 2", "facts.nobody.x"]', "1 > 2"),
        ('["facts.kubelet is defined", "facts.kubelet.port == 1"]', "facts.kubelet is defined"),
    ],
)
def test_a_check_whose_condition_is_false_is_skipped_and_says_which_one(when: str, said: str) -> None:
    assert skipped(when) == f"not for this node: {said} is false"


def test_a_bare_variable_is_a_condition_when_it_is_a_boolean() -> None:
    play = "- {hosts: all, vars: {x: true, y: false}, checks: [%s, %s]}"
    read = checks(play % ("{name: A, process: {name: sh}, when: x}", "{name: B, process: {name: sh}, when: y}"))

    assert [check.skipped for check in read] == ["", "not for this node: y is false"]


@pytest.mark.parametrize(
    "arguments",
    [
        "name: '{{ facts.kubelet.name }}'", "name: 'x{{ nobody }}'", "name: sh, count: '{{ 1 + nobody }}'",
        "name: sh, count: ['< {{ nobody }}', 7]", "name: sh, count: {all: ['> {{ nobody }}', '!= 7']}",
    ],
)  # fmt: skip
def test_what_is_undefined_does_not_matter_where_the_check_is_skipped(arguments: str) -> None:
    assert skipped("false", arguments)


def test_nor_does_what_was_found_out_and_is_no_argument() -> None:
    assert skipped("false", "name: '{{ facts.hostname[:0] }}'")


@pytest.mark.parametrize("variable", ["{{ facts.kubelet.port }}", "{{ nobody }}"])
def test_nor_does_a_variable_of_it_that_is_undefined(variable: str) -> None:
    assert skipped("false", "name: '{{ x }}'", f", vars: {{x: '{variable}'}}")


@pytest.mark.parametrize(
    "keyword",
    [
        "id: 'x{{ nobody }}'", "remedy: 'ls {{ nobody }}'", "timeout: '{{ nobody }}s'", "severity: '{{ nobody }}'",
        "needs: '{{ nobody }}'", "loop: '{{ nobody }}'", "loop: [1, '{{ nobody }}']",
    ],
)  # fmt: skip
def test_nor_does_a_keyword_of_it(keyword: str) -> None:
    check = "{name: 'A {{ nobody }}', process: {name: sh}, %s}"
    (found,) = entries("- " + check % f"{keyword}, when: nobody is defined")
    assert (found.name, bool(found.skipped)) == ("A {{ nobody }}", True)
    (within,) = entries(f"- block: [{check % keyword}]\n  when: [nobody is defined]")
    assert within.skipped
    with pytest.raises(DefinitionError, match="the variable 'nobody' is not defined"):
        entries("- " + check % f"{keyword}, when: nobody is not defined")
    with pytest.raises(DefinitionError, match="the variable 'nobody' is not defined"):
        entries("- " + check % f"{keyword}, when: 3 + 4")


def test_nor_does_the_name_of_a_play() -> None:
    (found,) = checks("- {name: '{{ x }}', hosts: all, when: x is defined, checks: [{name: A, process: {name: sh}}]}")
    assert found.skipped


def test_but_a_variable_that_is_undefined_is_a_mistake_where_the_check_is_judged() -> None:
    with pytest.raises(DefinitionError, match="the variable 'nobody' is not defined"):
        skipped("true", "name: '{{ x }}'", ", vars: {x: '{{ nobody }}'}")


def test_other_mistakes_in_a_check_that_is_skipped_are_told() -> None:
    with pytest.raises(DefinitionError, match=r"process has no argument 'nmae'(.|\n)*did you mean name"):
        skipped("false", "nmae: sh")


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (
            "facts.os.id",
            r"a condition is true or false, and this is the text 'debian'\n.*\n.*\n  facts.os.id == 'debian'",
        ),
        ("facts.os", r"this is a mapping\n.*\n.*\n  facts.os \| length > 0"),
        ("facts.mounts", "this is a list"),
        ("facts.nothing", r"this is nothing\n.*\n.*\n  facts.nothing is not none"),
        ("'1 + 1'", "this is the number 2"),
        ("1", "when is an expression, not a number"),
        ("'yes'", "the variable 'yes' is not defined"),
        ("'\"true\"'", "this is the text 'true'"),
        (
            "'{{ facts.os.id == \"debian\" }}'",
            r"when is an expression already\n.*\n.*\n  write it without braces: facts.os.id == \"debian\"",
        ),
        ("''", "when is an expression, not an empty text"),
        ("[]", "an empty list asks nothing"),
        ("{a: b}", "when is an expression, not a mapping"),
        ("~", "when is an expression, not nothing"),
        ("'facts.oss is failed'", "'oss' is not defined"),
        ("'a ='", "is not an expression"),
    ],
)
def test_a_condition_that_is_neither_true_nor_false_is_a_mistake(when: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        skipped(when)


def test_conditions_of_play_block_and_check_all_have_to_be_true() -> None:
    text = """
    - hosts: all
      when: facts.os.id == 'debian'
      checks:
        - when: "'all' in groups"
          block:
            - {name: A, process: {name: sh}}
            - {name: B, process: {name: sh}, when: false}
        - when: 1 > 2
          block:
            - {name: C, process: {name: sh}}
            - {name: D, process: {name: sh}, when: true}
    """
    read = {check.name: check.skipped for check in checks(text)}

    expected = {
        "A": "",
        "B": "not for this node: false is false",
        **dict.fromkeys("CD", "not for this node: 1 > 2 is false"),
    }
    assert expected == read


def test_a_condition_of_a_play_for_another_node_is_not_asked_here() -> None:
    text = (
        "- {hosts: kubelet, checks: [{name: A, port: {port: '{{ facts.kubelet.port }}'}, when: facts.kubelet.ready}]}"
    )

    (check,) = checks(text)
    assert check.skipped == ""


def test_but_its_other_mistakes_are_told() -> None:
    text = "- {hosts: kubelet, checks: [{name: A, port: {prot: '{{ facts.kubelet.port }}'}, when: nobody}]}"

    with pytest.raises(DefinitionError) as raised:
        checks(text)
    assert {mistake.message for mistake in raised.value.mistakes} == {
        "the variable 'nobody' is not defined",
        "port has no argument 'prot'",
    }
