"""Variables: who wins, what may be looked up, and that nothing from the node is ever rendered."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.definitions.errors import DefinitionError, Mistakes
from nodecheck.definitions.levels import with_variables
from nodecheck.definitions.scope import Scope
from nodecheck.definitions.template import render
from nodecheck.definitions.variables import plain, written
from nodecheck.definitions.yamlfile import Value, load

FACTS = {"hostname": "w1", "kubelet": {"port": 10248}, "mounts": ("/", "/var"), "nothing": None, "up": True}


def read(text: str) -> Value:
    value = load("x.yaml", text, Mistakes())
    assert value is not None
    return value


def render_variables(
    own: Value, settings: dict[str, Any], option: dict[str, Any], mistakes: Mistakes
) -> dict[str, Any]:
    return with_variables(own, Scope(settings, {}, {}, option, {}), mistakes).names()


def rendered(text: str, variables: dict[str, Any]) -> Any:
    mistakes = Mistakes()
    value = render(Value(text, read("x").mark, text), variables, mistakes)
    mistakes.raise_if_any()
    return plain(value)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("{{ port }}", 22),
        ("{{port}}", 22),
        ("{{\n  port\n}}", 22),
        ("port {{ port }}", "port 22"),
        ("{{ port }}{{ port }}", "2222"),
        (" {{ port }}", " 22"),
        ("{{ flag }}", True),
        ("is {{ flag }}", "is true"),
        ("{{ ratio }}", 0.5),
        ("{{ list }}", ["a", "b"]),
        ("{{ facts.kubelet.port }}", 10248),
        ("{{ facts.kubelet }}", {"port": 10248}),
        ("{{ facts.mounts }}", ["/", "/var"]),
        ("{{ facts.nothing }}", None),
        ("on {{ facts.hostname }} {{ facts.up }}", "on w1 true"),
        ("docker ps --format '{{ '{{' }}.Names{{ '}}' }}'", "docker ps --format '{{.Names}}'"),
        ('{{ "{% x %}" }}', "{% x %}"),
        ("{{ port | int }}", 22),
        ("{{ port + 1 }}", 23),
        ("{{ list[0] }}", "a"),
        ("{{ list.1 }}", "b"),
        ("{{ true }}", True),
        ("{{ none }}", None),
        ("{{ 'x' if flag else 'y' }}", "x"),
        ("port {{ port + 1 }} of {{ list | length }}", "port 23 of 2"),
        ("{{ list | map('upper') }}", ["A", "B"]),
        ("{name}", "{name}"),
        ("}} {", "}} {"),
        ("${name}", "${name}"),
    ],
)
def test_a_variable_is_filled_in_and_alone_it_keeps_its_type(text: str, result: Any) -> None:
    variables = {"port": 22, "flag": True, "ratio": 0.5, "list": ["a", "b"], "facts": FACTS}

    assert result == rendered(text, variables)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ prot }}", "'prot' is not defined\\n.*\\n.*\\n  did you mean port\\?"),
        ("{{ facts.kubelet.prot }}", "'prot' is not defined in facts.kubelet\\n(.|\\n)*did you mean port"),
        ("{{ port.first }}", "port has no parts"),
        ("{{ port", "never closed"),
        ("{{ port }", "never closed"),
        ("{{ it's }}", "never closed"),
        ("{{ port }} {{", "never closed"),
        ("{{ }}", "{{ }} is not a variable"),
        ("{{ port.__class__ }}", "'__class__' is not defined in port"),
        ("{{ ''.join }}", "is no data"),
        ("{% if port %}x{% endif %}", "are not known here"),
        ("{# note #} x", "are not known here"),
        ("see {{ list }}", "is a list, and cannot be a part of a text"),
        ("see {{ facts.kubelet }}", "is a mapping, and cannot"),
        ("see {{ facts.nothing }}", "is nothing, and cannot"),
        ("{{ long }} {{ long }}", "longer than 10000 characters"),
        ("{{ many }}", "more than 1000 values"),
    ],
)
def test_what_cannot_be_filled_in_is_a_mistake(text: str, said: str) -> None:
    variables = {"port": 22, "list": ["a"], "facts": FACTS, "long": "x" * 5000, "many": [0] * 1000}
    mistakes = Mistakes()
    mistakes.know_text("x.yaml", text)
    render(Value(text, read("x").mark, text), variables, mistakes)

    with pytest.raises(DefinitionError, match=said):
        mistakes.raise_if_any()


@pytest.mark.parametrize("name", ["{{ port }}", "{{ facts.hostname }}", "{% raw %}", "{{", "{{ 7*7 }}"])
@pytest.mark.parametrize(("before", "after"), [("", ""), ("on ", " now")])
def test_what_was_read_from_the_node_is_never_rendered(name: str, before: str, after: str) -> None:
    variables = {"port": 22, "facts": {"hostname": name}}

    assert before + name + after == rendered(f"{before}{{{{ facts.hostname }}}}{after}", variables)


def test_a_variable_with_a_value_from_the_node_is_not_rendered_either() -> None:
    own = read('{a: "{{ facts.hostname }}", b: "at {{ a }}"}')
    known = render_variables(own, {"facts": {"hostname": "{{ secret }}"}, "secret": 1}, {}, Mistakes())

    expected = "{{ secret }}", "at {{ secret }}"
    assert expected == (rendered("{{ a }}", known), rendered("{{ b }}", known))


@pytest.mark.parametrize(
    ("given_by", "result"),
    [("settings", "settings"), ("settings play", "play"), ("settings play option", "option"), ("option", "option")],
)
def test_the_option_wins_over_the_play_and_the_play_over_the_settings(given_by: str, result: str) -> None:
    settings = {"x": "settings"} if "settings" in given_by else {}
    own = read("{x: play}" if "play" in given_by else "{}")
    option = {"x": "option"} if "option" in given_by else {}

    assert result == rendered("{{ x }}", render_variables(own, settings, option, Mistakes()))


def test_a_variable_of_a_play_may_use_those_above_it_and_sees_what_the_option_set() -> None:
    own = read('{base: docker, unit: "{{ base }}.service", all: ["{{ unit }}", x]}')

    expected = ["podman.service", "x"]
    assert expected == rendered("{{ all }}", render_variables(own, {}, {"base": "podman"}, Mistakes()))


def test_a_number_in_a_text_stays_as_its_author_wrote_it() -> None:
    known = render_variables(read("{version: 1.10, mode: 0755}"), {}, {}, Mistakes())

    expected = "1.10 0755"
    assert expected == rendered("{{ version }} {{ mode }}", known)


def test_where_a_text_is_wanted_a_number_is_taken_as_it_was_written() -> None:
    expected = ["1.10", "5", True, "x", None]
    assert expected == written(read("[1.10, 5, true, x, ~]"))


def test_a_mistake_in_a_variable_stands_where_it_is_used() -> None:
    mistakes = Mistakes()
    render(read("a:\n  - b: '{{ nobody }}'\n"), {}, mistakes)

    with pytest.raises(DefinitionError, match=r"^x.yaml:2:8: the variable 'nobody' is not defined"):
        mistakes.raise_if_any()


@pytest.mark.parametrize(
    "text", ["{{" * 200_000, "{{ '" * 100_000, "{{ a }}" * 50_000, "{" * 500_000, "{{" + " " * 500_000]
)
def test_a_text_full_of_braces_takes_no_longer_than_others(text: str) -> None:
    started = time.process_time()
    render(Value(text, read("x").mark, text), {"a": ""}, Mistakes())

    assert time.process_time() - started < 1


def test_variables_that_multiply_are_stopped() -> None:
    tenfold = "\n".join(f'v{number + 1}: "{f"{{{{ v{number} }}}}" * 10}"' for number in range(12))
    mistakes = Mistakes()
    render_variables(read(f"v0: xxxxxxxxxx\n{tenfold}\n"), {}, {}, mistakes)

    with pytest.raises(DefinitionError, match="longer than 10000 characters"):
        mistakes.raise_if_any()


@given(st.text(), st.text())
def test_any_text_from_the_node_arrives_as_it_is(value: str, around: str) -> None:
    around = around.replace("{", "")

    assert around + value == rendered(around + "{{ facts.x }}", {"facts": {"x": value}})
