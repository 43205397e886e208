"""Plays and checks as they are read."""

from typing import Any

import pytest

from nodecheck.definitions.block import Reading
from nodecheck.definitions.check import CheckDefinition
from nodecheck.definitions.errors import DefinitionError, Mistakes
from nodecheck.definitions.play import Play, read_plays
from nodecheck.definitions.scope import Scope
from nodecheck.definitions.yamlfile import load

SYSTEM = "checks: [{name: A, system: {}}]"


def reading(mistakes: Mistakes) -> Reading:
    return Reading(mistakes, lambda _path: None, frozenset({"all"}))


def plays(text: str, **variables: Any) -> list[Play]:
    mistakes = Mistakes()
    mistakes.know_text("x.yaml", text)
    value = load("x.yaml", text, mistakes)
    read = read_plays(value, Scope(variables, {}, {}, {}, {}), reading(mistakes)) if value else []
    mistakes.raise_if_any()
    return read


def check(text: str, **variables: Any) -> CheckDefinition:
    (play,) = plays(f"- hosts: all\n  tags: [play]\n  checks:\n    - {text}\n", **variables)
    return play.checks[0]


def test_what_is_left_out_has_its_default() -> None:
    found = check("{name: A, system: {}}")

    expected = ("A", "a", "system", frozenset({"play"}), "critical", (), 5.0, "")
    assert expected == (
        found.name,
        found.id,
        found.type,
        found.tags,
        found.severity,
        found.needs,
        found.timeout,
        found.remedy,
    )


def test_what_is_said_is_read() -> None:
    found = check(
        "{name: A, system: {}, tags: 'x, y,', severity: warning, needs: [B, c], timeout: 250ms, remedy: ' do it '}"
    )

    expected = (frozenset({"play", "x", "y"}), "warning", ("B", "c"), 0.25, "do it")
    assert expected == (found.tags, found.severity, found.needs, found.timeout, found.remedy)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("docker.service is running", "docker-service-is-running"),
        ("  Docker   is\n up ", "docker-is-up"),
        ("Größe_2", "größe-2"),
        ("節點", "節點"),
        ("!?", "check"),
        ("-- a --", "a"),
    ],
)
def test_the_id_of_a_check_is_its_name_in_small_letters_with_dashes(name: str, identifier: str) -> None:
    assert identifier == check("{name: '{{ name }}', system: {}}", name=name).id


def test_a_name_stands_in_one_line() -> None:
    expected = "two lines"
    assert expected == check('{name: "two\\n  lines", system: {}}').name


def test_a_play_without_a_name_is_called_by_its_hosts() -> None:
    expected = "hosts docker:&kubelet"
    assert expected == plays(f"- hosts: docker:&kubelet\n  {SYSTEM}\n")[0].name


@pytest.mark.parametrize(
    ("hosts", "pattern"), [("docker", "docker"), ("[docker, '!etcd']", "docker:!etcd"), ("'{{ role }}'", "worker")]
)
def test_hosts_may_be_a_list_as_in_ansible(hosts: str, pattern: str) -> None:
    assert pattern == plays(f"- hosts: {hosts}\n  {SYSTEM}\n", role="worker")[0].hosts


@pytest.mark.parametrize(
    ("argument", "value", "read"),
    [
        ("user: 1000", "user", "1000"),
        ("name: 0755", "name", "0755"),
        ("exe: 1.10", "exe", "1.10"),
        ("{name: a, main: true, unit: b.service}", "main", True),
        ("{name: '{{ flag }}'}", "name", "yes"),
    ],
)
def test_an_argument_is_what_its_author_wrote(argument: str, value: str, read: Any) -> None:
    arguments = argument if argument.startswith("{") else f"{{{argument}}}"

    assert read == getattr(check(f"{{name: A, process: {arguments}}}", flag="yes").check, value)


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("{name: '{{ nobody }}', unit: {name: '{{ nobody }}'}, timeout: '{{ nobody }}'}", 3),
        ("{name: A, unit: {nmae: docker.service}}", 1),
        ("{Name: A, unit: {name: docker.service}}", 1),
        ("{name: A, unti: {name: docker.service}}", 1),
        ("{name: A, unit: {name: !tag x}}", 1),
        ("{name: A, unit: {name: {{ x }}}}", 1),
        ("{name: A, process: {name: a, count: >1}}", 1),
    ],
)
def test_one_slip_is_one_mistake(text: str, mistakes: int) -> None:
    with pytest.raises(DefinitionError) as raised:
        check(text)

    assert mistakes == len(raised.value.mistakes)


def test_checks_with_mistakes_are_known_by_name() -> None:
    mistakes = Mistakes()
    value = load("x.yaml", "- hosts: all\n  checks: [{name: Good, system: {}}, {name: Bad, unit: {}}]", mistakes)
    assert value is not None
    (play,) = read_plays(value, Scope({}, {}, {}, {}, {}), reading(mistakes))

    expected = ["Good"], ("Bad",)
    assert expected == ([found.name for found in play.checks], play.unread)
