"""Expressions: native types, the sandbox, and what is said of one that has no value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.definitions import jinja
from nodecheck.definitions.template import evaluate
from nodecheck.definitions.variables import NotSeen, Undefined, Unfilled, Unseen

NAMES = {
    "facts": {"os": {"id": "debian", "version": "12"}, "items": [1, 2], "mounts": ["/", "/var"], "port": 22},
    "groups": ["all", "docker"],
    "result": {"status": "critical", "observed": {"count": 0}},
    "port": 10250,
    "text": "a,b",
    "flag": True,
}
KNOWN = "items, mounts, os, port"
ANSIBLE = "what is known of this node stands under facts: nodecheck facts"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("facts.os.id == 'debian'", True),
        ("facts.os.id in ['debian', 'ubuntu'] and 'docker' in groups", True),
        ("facts.os.version is version('11', '>=')", True),
        ("'1.10' is version('1.9', '>')", True),
        ("'1.10' is version('1.10.0')", True),
        ("'v1.31.2' is version('1.32', 'lt')", True),
        ("facts.items", [1, 2]),
        ("facts['os']['id']", "debian"),
        ("port + 1", 10251),
        ("port // 100", 102),
        ("-port", -10250),
        ("port / 4", 2562.5),
        ("[port, 1]", [10250, 1]),
        ("(1, 2)", [1, 2]),
        ("{'a': port}", {"a": 10250}),
        ("facts.mounts | first", "/"),
        ("facts.mounts | map('upper')", ["/", "/VAR"]),
        ("facts.mounts | select('search', 'var')", ["/var"]),
        ("range(3)", [0, 1, 2]),
        ("text.split(',')", ["a", "b"]),
        ("text | split(',') | length", 2),
        ("nobody | default('x')", "x"),
        ("facts.nobody is defined", False),
        ("facts.os.id is defined", True),
        ("'yes' | bool", True),
        ("'off' | bool", False),
        ("'/var/lib/docker' | basename", "docker"),
        ("'/var/lib/docker' | dirname", "/var/lib"),
        ("'{\"a\": [1]}' | from_json", {"a": [1]}),
        ("'kubelet v1.31' | regex_search('[0-9.]+')", "1.31"),
        ("'a-b' | regex_replace('-', '_')", "a_b"),
        ("{'b': 1} | dict2items", [{"key": "b", "value": 1}]),
        ("'docker.service' is match('docker')", True),
        ("result is failed", True),
        ("result is ok", False),
        ("result.observed.count < 1", True),
        ("'[1, 2]' ~ ''", "[1, 2]"),
        ("'12'", "12"),
        ("none", None),
    ],
)
def test_an_expression_has_the_value_and_the_type_that_it_has_in_python(expression: str, value: Any) -> None:
    assert (value, type(value)) == ((found := jinja.evaluate(expression, NAMES)), type(found))


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("prot + 1", ("the variable 'prot' is not defined", "did you mean port?")),
        ("facts.os.idd == 'x'", ("the variable 'idd' is not defined in facts.os", "did you mean id?")),
        ("facts.nobody.x is defined", ("the variable 'nobody' is not defined in facts", f"known here: {KNOWN}")),
        ("port.x.y + 1", ("'x' is not defined: what it is asked of has no parts", "")),
        ("ansible_os == 'x'", ("the variable 'ansible_os' is not defined", ANSIBLE)),
    ],
)  # fmt: skip
def test_what_is_undefined_is_named_with_its_nearest_neighbour(expression: str, said: tuple[str, str]) -> None:
    with pytest.raises(Undefined) as raised:
        jinja.evaluate(expression, NAMES)

    assert said == raised.value.args


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("port <", "is not an expression: it ends too early"),
        ("(port", "is not an expression"),
        ("port) + (port", "is not an expression"),
        ("port }} {{ port", "is not an expression"),
        ("port # note", "is not an expression"),
        ("port | nofilter", "there is no filter 'nofilter'"),
        ("port is nowhere", "there is no test 'nowhere'"),
        ("facts.os.id < 3", "has no value: '<' not supported"),
        ("1 / 0", "has no value: division by zero"),
        ("port.__class__", "unsafe"),
        ("''.__class__.__mro__", "unsafe"),
        ("text.format.__globals__", "unsafe"),
        ("groups.append('x')", "unsafe"),
        ("facts.update({'x': 1})", "unsafe"),
        ("range", "is no data: function"),
        ("10 ** 64 * 10 ** 64", "a number without measure"),
        ("1e308 * 10", "a number without measure"),
        ("'%099999999d' % 1", "% is for numbers"),
        ("2 ** 1000000", "a power above 64 is not computed"),
        ("'x' * 10000000", "only numbers can be multiplied"),
        ("range(10000000)", "Range too big"),
        ("'x' | center(100000)", "there is no filter 'center'"),
        ("range(5000) | join(', ')", "longer than 10000 characters"),
        ("'maybe' | bool", "is neither true nor false"),
        ("'x' is version('1')", "it has no number"),
        ("1 is version('1', '~')", "compares nothing"),
        ("1.10 is version('1.9', '>')", "1.1 is a number, and as one 1.1 and 1.10 are the same"),
        ("'1.9' is version(1.10, '<')", "1.1 is a number"),
        ("port is failed", "was given no registered result"),
        ("'(' | regex_search('(')", "unterminated subpattern"),
        ("'x' | from_json", "Expecting value"),
    ],
)
def test_what_has_no_value_says_why(expression: str, said: str) -> None:
    with pytest.raises(Unfilled) as raised:
        jinja.evaluate(expression, NAMES)

    assert said in raised.value.args[0]


def test_the_names_of_an_expression_are_those_that_it_looks_up_itself() -> None:
    expected = {"facts", "port", "nobody"}
    assert expected == jinja.names_in("[facts.os.id, port, nobody | default(range(3))] | map('string')")


@given(st.text())
def test_text_from_the_node_is_never_taken_for_an_expression(text: str) -> None:
    assert text == jinja.evaluate("(x ~ '')[:]", {"x": text[:5000]} if len(text) > 5000 else {"x": text})


def value_or_reason(expression: str) -> object:
    try:
        return evaluate(expression, NAMES)
    except Unfilled as error:
        return error.args[0] or "no reason"


@given(st.text(max_size=40))
def test_any_text_has_a_value_or_a_reason_why_not(expression: str) -> None:
    assert isinstance(value_or_reason(expression.strip()), str | int | float | bool | list | dict | type(None))


WORDS = "facts port . [ ] ( ) + ** * | default ('x') is not defined in 1 'a' {} , :".split()


@given(st.lists(st.sampled_from(WORDS), max_size=8))
def test_any_row_of_words_has_a_value_or_a_reason_why_not(words: list[str]) -> None:
    assert isinstance(value_or_reason(" ".join(words)), str | int | float | bool | list | dict | type(None))


@pytest.mark.parametrize("name", ["namespace", "dict", "cycler", "lipsum", "joiner"])
def test_a_variable_is_not_taken_for_what_jinja_has_under_its_name(name: str) -> None:
    assert jinja.evaluate(f"{name} == 'x'", {name: "x"}) is True


# ---- facts that could not be found out, and those that are known not to be there

UNSEEN = {"facts": {"kubelet": Unseen("it hangs"), "docker": Unseen("it is not in the group docker", absent=True)}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("facts.docker is defined", False),
        ("facts.docker is not defined", True),
        ("facts.docker is undefined", True),
        ("facts.docker is defined and facts.docker.socket == '/run/docker.sock'", False),
    ],
)
def test_what_is_not_there_is_not_defined(expression: str, value: bool) -> None:
    assert value is evaluate(expression, UNSEEN)


@pytest.mark.parametrize(
    "expression",
    [
        "facts.kubelet is defined", "facts.kubelet is undefined", "facts.kubelet is none", "facts.kubelet is mapping",
        "facts.kubelet.port is defined", "facts.kubelet.reason == 'it hangs'", "facts['kubelet']['port'] is defined",
        "facts.docker is mapping", "facts.docker.socket is defined", "facts.docker.absent",
        "[facts.kubelet] | select('none') | list == []", "facts.kubelet is sameas(none)", "1 is in(facts.kubelet)",
    ],
)  # fmt: skip
def test_nothing_is_said_of_what_could_not_be_found_out(expression: str) -> None:
    with pytest.raises(NotSeen, match=r"hangs|not in the group"):
        evaluate(expression, UNSEEN)
