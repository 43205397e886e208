"""Whatever `nodecheck lint` accepts, the schema accepts: an editor never underlines what is right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemafiles import (
    ANYWHERE_GOOD,
    VALUES,
    arguments,
    example,
    fits,
    good_values,
    loads,
    types,
    with_argument,
    with_keyword,
    written,
)

from nodecheck import checks
from nodecheck.checks.base import is_judged
from nodecheck.definitions.keywords import BLOCK, CHECK, KEYWORDS, PLAY

if TYPE_CHECKING:
    import pathlib

SLIPS = st.sampled_from(["nmae", "Name", "unti", "hosts", "tasks", "become", "warn", "when", "7", "all"])
places = st.sampled_from([(place, keyword.name) for keyword in KEYWORDS for place in keyword.places])
bounded = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def value_of(draw: st.DrawFn, good: list[str], slips: bool) -> str:
    """One of the good values; or any, now and then."""
    return draw(st.sampled_from(VALUES if slips and draw(st.integers(0, 3)) == 0 else good))


@st.composite
def keys(draw: st.DrawFn, place: str, slips: bool) -> dict[str, str]:
    """Some keywords of a place, perhaps with a wrong value, or one that it does not know."""
    names = sorted(ANYWHERE_GOOD.keys() - {"name", "warn"})  # what `warn` takes depends on the checks within
    chosen = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    found = {name: draw(value_of(ANYWHERE_GOOD[name], slips)) for name in chosen}
    if "loop_control" in found:
        found.setdefault("loop", "[a, b]")
    if slips and draw(st.integers(0, 9)) == 0:
        found[draw(SLIPS)] = draw(st.sampled_from(VALUES))
    return found


@st.composite
def entries(draw: st.DrawFn, number: list[int], slips: bool, deeper: int = 2) -> str:
    """A check or a block; each has another name."""
    number[0] += 1
    if deeper and draw(st.integers(0, 4)) == 0:
        inner = draw(st.lists(entries(number, slips, deeper - 1), min_size=1, max_size=2))
        return written({"block": f"[{', '.join(inner)}]", **draw(keys(BLOCK, slips))})
    return written({"name": f"'Check {number[0]}'", **draw(typed(slips)), **draw(keys(CHECK, slips))})


@st.composite
def typed(draw: st.DrawFn, slips: bool) -> dict[str, str]:
    """A check type with arguments, and a `warn` of some."""
    name = draw(st.sampled_from(checks.names()))
    known = types()[name].arguments()
    given = {argument: json.dumps(value) for argument, value in example(name).items()}
    optional = sorted(known.keys() - given.keys()) if not slips else sorted(known)
    chosen = st.lists(st.sampled_from(optional), max_size=2, unique=True) if optional else st.just([])
    for argument in draw(chosen):
        given[argument] = draw(value_of(good_values(known[argument]), slips))
    judged = [argument for argument in given if is_judged(known[argument])]
    if draw(st.booleans()) and judged:
        milder = draw(st.sampled_from(judged))
        return {name: written(given), "warn": written({milder: draw(value_of(good_values(known[milder]), slips))})}
    return {name: written(given)}


@st.composite
def files(draw: st.DrawFn) -> str:
    """One or two plays; two of three files without slips."""
    number, slips = [0], draw(st.integers(0, 2)) == 0
    lines = []
    for _ in range(draw(st.integers(1, 2))):
        inner = draw(st.lists(entries(number, slips), min_size=1, max_size=2))
        lines.append(
            f"- {written({'hosts': 'all', 'checks': '[' + ', '.join(inner) + ']', **draw(keys(PLAY, slips))})}\n"
        )
    return "".join(lines)


@given(place=places, value=st.sampled_from(VALUES))
@bounded
def test_any_value_of_a_keyword_that_lint_accepts_fits(
    place: tuple[str, str], value: str, tmp_path: pathlib.Path
) -> None:
    text = with_keyword(*place, value)

    assert fits(text) or not loads(text, tmp_path)


@given(place=st.sampled_from(arguments()), value=st.sampled_from(VALUES), warn=st.booleans())
@bounded
def test_any_value_of_an_argument_that_lint_accepts_fits(
    place: tuple[str, str], value: str, warn: bool, tmp_path: pathlib.Path
) -> None:
    text = with_argument(*place, value, warn=warn)

    assert fits(text) or not loads(text, tmp_path)


# Two things are never made here, since `lint` does not look at them: what stands in a loop without items, and a `warn`
# of a block all of whose checks have their own.
@given(text=files())
@bounded
def test_any_file_that_lint_accepts_fits(text: str, tmp_path: pathlib.Path) -> None:
    assert fits(text) or not loads(text, tmp_path)
