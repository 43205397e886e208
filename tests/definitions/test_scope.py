"""Who wins: one row of the table of precedence after the other."""

import itertools
from typing import Any

import pytest
from plays import checks

from nodecheck.definitions.scope import PRECEDENCE

SOURCES = tuple(source for source, _ in PRECEDENCE)


def _name_seen(*given_by: str) -> str:
    """Return which x a check sees, when x is set in each of these places to the place's name."""

    def vars_of(place: str, indent: int) -> str:
        return f"{' ' * indent}vars: {{x: {place}}}\n" if place in given_by else ""

    loop = "{loop: [loop], loop_control: {loop_var: x}}" if "loop" in given_by else "{}"
    inner = (
        f"- name: Seen {{{{ x }}}}\n  process: {{name: sh}}\n{vars_of('check', 2)}"
        if "registered" not in given_by or {"option", "loop"} & set(given_by)
        else f'- name: Late\n  process: {{name: "{{{{ x.status }}}}"}}\n{vars_of("check", 2)}'
    )
    if loop != "{}":
        inner += "  loop: [loop]\n  loop_control: {loop_var: x}\n"
    included = f"- block:\n{_indented(inner)}{vars_of('block', 2)}"
    register = "    - {name: First, process: {name: sh}, register: x}\n" if "registered" in given_by else ""
    text = f"- hosts: all\n{vars_of('play', 2)}  checks:\n{register}    - include: in/inner.yaml\n{vars_of('given', 6)}"
    settings: dict[str, Any] = {"x": "settings"} if "settings" in given_by else {}
    extra = ["x=option"] if "option" in given_by else []
    last = checks(text, settings=settings, extra=extra, others={"in/inner.yaml": included})[-1]
    return "registered" if last.waits_for else last.name.removeprefix("Seen ")


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


@pytest.mark.parametrize("count", range(1, len(SOURCES) + 1))
def test_each_row_of_the_table_wins_over_all_before_it(count: int) -> None:
    assert SOURCES[count - 1] == _name_seen(*SOURCES[:count])


@pytest.mark.parametrize(("weaker", "stronger"), list(itertools.pairwise(SOURCES)))
def test_each_row_of_the_table_wins_over_the_one_before_it_alone(weaker: str, stronger: str) -> None:
    assert stronger == _name_seen(weaker, stronger)


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        (["x=1", "x=2"], "2"),
        (["x=1.10"], "1.10"),
        (["x=0755"], "0755"),
        (["{x: a, y: b}"], "a"),
        (["x=1", "@vars.yaml"], "file"),
        (["@vars.yaml", "x=1"], "1"),
        (["y=deep", "x={{ y }}"], "deep"),
        (["x=a=b"], "a=b"),
        (["x='a b=c'"], "a b=c"),
        (['x="1.10"', "y={{ x is version('1.9', '>') }}", "x={{ y }}"], "true"),
        (["x={{ 'same' if 1==1 else 'other' }}"], "same"),
        (["x=it's"], "it's"),
    ],
)
def test_the_option_takes_values_mappings_and_files_and_the_last_one_wins(
    extra: list[str], name: str, tmp_path: Any, monkeypatch: Any
) -> None:
    (tmp_path / "vars.yaml").write_text("x: file\n")
    monkeypatch.chdir(tmp_path)
    (check,) = checks("- {hosts: all, checks: [{name: 'is {{ x }}', process: {name: sh}}]}", extra=extra)

    assert f"is {name}" == check.name
