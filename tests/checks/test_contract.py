"""What holds for every check type there is: nothing here has to be changed when one is added."""

from __future__ import annotations

import copy
import json
import pathlib
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from fakes import dark, judge, judge_odd, make, node, process, service
from hypothesis import given, settings
from hypothesis import strategies as st

from nodecheck import checks
from nodecheck.checks.base import Check
from nodecheck.cli.explain import markdown
from nodecheck.definitions.sources import read_definitions
from nodecheck.node.node import Node
from nodecheck.node.record import record
from nodecheck.node.recordfile import BadRecord, replay
from nodecheck.node.sockets import Connection, Listener
from nodecheck.report.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

# The expressions of assert are evaluated as a definition is read: test_assert.py reads definitions.
TYPES = [name for name in checks.names() if name != "assert"]
# That a look did not end in time is what these judge: to answer in time is what they are about.
JUDGE_SILENCE = frozenset({"mount"})
PAGES = pathlib.Path(checks.__file__).parent


def _kind(name: str) -> type[Check]:
    kind = checks.type_named(name)
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
# For a type that looks through another window, what is seen there when its example is well:
# well/<type>.json is {window: {key of a want: data}}.
WELL = pathlib.Path(__file__).parent / "well"


def _node(name: str = "", /, **changed: Any) -> Node:
    seen = node(**(WINDOWS | changed), connections={1: Connection("", 0.001, accepted=True)})
    seen.observed.windows = _well(name)
    return seen


def _well(name: str) -> dict[str, Any]:
    file = WELL / f"{name}.json"
    if not file.exists():
        return {}
    seen: dict[str, Any] = json.loads(file.read_text())
    return seen


def _darkened(name: str) -> Iterator[Node]:
    """Yield a node for each look through another window that failed, by itself and because it did not end."""
    for window, seen in _well(name).items():
        for key in seen:
            for broken in (False, True):
                made = _node(name)
                made.observed.windows[window][key] = dark("it was dark", f"{window} {key}", broken=broken)
                yield made


def test_the_three_types_of_the_main_job_are_found() -> None:
    assert {"unit", "process", "port", "system"} <= set(TYPES)


@pytest.mark.parametrize("name", ["", "base", "_unit_rules", "no_such_type", "os.path", "../unit"])
def test_what_is_no_check_type_is_not_loaded(name: str) -> None:
    assert checks.type_named(name) is None


def test_each_file_that_is_no_helper_is_a_type() -> None:
    files = {path.stem for path in PAGES.glob("*.py") if not path.stem.startswith("_")}

    assert checks.names() == sorted(files - {"base"})


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
    assert {finding.status for finding in judge(_example(name), _node(name))} == {Status.OK}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_that_stays_dark_makes_it_unknown_or_is_none_that_it_looks_through(name: str, window: str) -> None:
    statuses = [finding.status for finding in judge(_example(name), _node(name, **{window: dark()}))]
    assert set(statuses) <= {Status.OK, Status.UNKNOWN}
    assert statuses == [Status.OK] * len(statuses) or statuses[-1] is Status.UNKNOWN


@pytest.mark.parametrize("name", TYPES)
def test_a_look_that_failed_makes_it_unknown_and_never_ok(name: str) -> None:
    for seen in _darkened(name):
        statuses = {finding.status for finding in judge(_example(name), seen)}
        allowed = {Status.CRITICAL} if name in JUDGE_SILENCE else set()
        assert statuses & ({Status.UNKNOWN} | allowed)
        assert Status.CRITICAL not in statuses or name in JUDGE_SILENCE


@pytest.mark.parametrize("name", TYPES)
def test_what_a_type_wants_is_what_it_judges(name: str) -> None:
    wants: list[Any] = list(_example(name).wants())
    wanted = {(want.window, want.key) for want in wants if hasattr(want, "window")}
    seen = {(window, key) for window, seen in _well(name).items() for key in seen}
    assert wanted == seen


@pytest.mark.parametrize("name", TYPES)
def test_what_is_well_can_be_recorded_and_replayed(name: str) -> None:
    again = replay(json.loads(json.dumps(record(_node(name), "0"))), "x.json")
    assert judge(_example(name), again) == judge(_example(name), _node(name))


@pytest.mark.parametrize("name", TYPES)
def test_where_all_windows_are_dark_nothing_is_well_and_nothing_critical(name: str) -> None:
    darkness: dict[str, Any] = dict.fromkeys(WINDOWS, dark())
    seen = _node(**darkness)  # and nothing was seen through any other window
    assert {finding.status for finding in judge(_example(name), seen)} == {Status.UNKNOWN}


@pytest.mark.parametrize("name", TYPES)
def test_judging_the_same_observation_twice_gives_the_same(name: str) -> None:
    check, seen = _example(name), _node(name)
    assert judge(check, seen) == judge(check, seen)


@pytest.mark.parametrize("name", TYPES)
def test_nothing_observed_at_all_is_unknown(name: str) -> None:
    assert {Status.UNKNOWN} == {finding.status for finding in judge(_example(name), node())}


def test_importing_a_type_replaces_no_function_of_the_package() -> None:
    assert callable(_kind("load"))
    assert (callable(checks.type_named), callable(checks.names)) == (True, True)


# ---- a record that somebody has written into

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    | st.sampled_from(["0", "/", "::1", -1, 2**64, 1e308, "unobserved"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    for key, item in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        found += _places(item, (*path, key))
    return found


def _changed(data: Any, path: tuple[Any, ...], value: Any, *, drop: bool) -> Any:
    data = copy.deepcopy(data)
    at = data
    for key in path[:-1]:
        at = at[key]
    if drop:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return data


LOOKING = [name for name in TYPES if (WELL / f"{name}.json").exists()]


@pytest.mark.parametrize("name", LOOKING)
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_whatever_a_record_holds_is_judged_or_refused(name: str, data: st.DataObject) -> None:
    written = record(_node(name), "0")
    path = data.draw(st.sampled_from(_places(written["windows"])))
    written["windows"] = _changed(written["windows"], path, data.draw(ODD), drop=data.draw(st.booleans()))
    try:
        seen = replay(json.loads(json.dumps(written)), "x.json")
    except BadRecord as error:
        assert str(error)  # noqa: PT017  # either is fine
        return
    assert {finding.status for finding in judge_odd(_example(name), seen)} <= set(Status)


@pytest.mark.parametrize("name", LOOKING)
@pytest.mark.parametrize("value", [None, "", 0, []])
def test_a_record_with_nothing_in_any_one_place_is_judged_or_refused(name: str, value: Any) -> None:
    written = record(_node(name), "0")
    for path in _places(written["windows"]):
        changed = written | {"windows": _changed(written["windows"], path, value, drop=False)}
        try:
            seen = replay(json.loads(json.dumps(changed)), "x.json")
        except BadRecord:
            continue
        assert {finding.status for finding in judge(_example(name), seen)} <= set(Status), path


def test_a_recorded_answer_that_is_done_has_a_status() -> None:
    # The test above found it: judging it looked for a rung of the ladder that there is none of.
    written = record(_node("http"), "0")
    for answers in written["windows"]["http"].values():
        answers["status"] = None
    with pytest.raises(BadRecord, match="an answer that is done has a status"):
        replay(json.loads(json.dumps(written)), "x.json")
