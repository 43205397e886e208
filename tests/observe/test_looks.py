"""Looks through windows: together, each in its time, and nothing is left behind."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time
import types
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from nodecheck.node import looks as looks_module
from nodecheck.node import shapes, windows
from nodecheck.node.isolated import Helper
from nodecheck.node.looks import MOST_THREADS, Looks
from nodecheck.node.node import Node
from nodecheck.node.record import record
from nodecheck.node.recordfile import BadRecord, replay
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    from collections.abc import Iterator


class SampleWant(NamedTuple):
    """What the sample window is to do."""

    key: str
    seconds: float = 5.0

    @property
    def window(self) -> str:
        return "sample"


class Text(str):
    """A text that marshal does not take."""

    __slots__ = ()


def _look(want: SampleWant) -> Any:
    action, _, detail = want.key.partition(" ")
    if action == "sleep":
        time.sleep(float(detail))
    if action == "refuse":
        raise Unobserved("sample", "may not look", remedy="run as root")
    if action == "open":
        with open(detail, encoding="utf-8") as file:
            return file.read()
    if action == "fail":
        raise RuntimeError(detail)
    if action == "die":
        os._exit(1)
    if action == "pid":
        return {"said": str(os.getpid())}
    if action == "time":
        return {"said": str(want.seconds)}
    return {"said": detail}


@pytest.fixture(autouse=True)
def sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window `sample`: the helper is forked, so it has it too."""
    module = types.ModuleType("nodecheck.node.windows.sample")
    module.look = _look  # type: ignore[attr-defined]  # a module has what one gives it
    module.SHAPE = shapes.fields({"said": shapes.text})  # type: ignore[attr-defined]  # the same
    monkeypatch.setitem(sys.modules, "nodecheck.node.windows.sample", module)


def _children() -> set[str]:
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
        return set(children.read().split())


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No helper is left behind."""
    before = _children()
    yield
    deadline = time.monotonic() + 2
    while (left := _children() - before) and time.monotonic() < deadline:
        time.sleep(0.01)
        Helper(lambda _channel: None).leave()  # collects those that have ended
    assert left == set()


def look(*keys: str, seconds: float = 5.0, budget: float = 10.0) -> dict[str, Any]:
    """Return what was seen, by key."""
    looks = Looks([SampleWant(key, seconds) for key in keys])
    try:
        return {want.key: seen for want, seen in looks.results(time.monotonic() + budget)}
    finally:
        assert looks.close() == ""


def test_wants_of_two_windows_with_the_same_fields_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    class OtherWant(SampleWant):
        @property
        def window(self) -> str:
            return "other"

    other = types.ModuleType("nodecheck.node.windows.other")
    other.look = lambda _want: "other"  # type: ignore[attr-defined]  # a module has what one gives it
    monkeypatch.setitem(sys.modules, "nodecheck.node.windows.other", other)
    looks = Looks([SampleWant("say x"), OtherWant("say x"), SampleWant("say x")])
    try:
        seen = [(want.window, answer) for want, answer in looks.results(time.monotonic() + 5)]
    finally:
        looks.close()
    assert seen == [("sample", {"said": "x"}), ("other", "other")]


def test_what_is_seen_is_plain_data() -> None:
    assert look("say hello", "say") == {"say hello": {"said": "hello"}, "say": {"said": ""}}


def test_many_looks_take_no_longer_than_one() -> None:
    started = time.monotonic()
    seen = look(*(f"sleep 0.2{number:04}" for number in range(MOST_THREADS)))
    assert len(seen) == MOST_THREADS
    assert time.monotonic() - started < 2


def test_one_that_takes_too_long_is_late_and_the_others_are_not() -> None:
    seen = look("say hello", "sleep 60", seconds=0.3)
    late = seen["sleep 60"]
    assert seen["say hello"] == {"said": "hello"}
    assert (late.source, late.broken, late.late) == ("sample sleep 60", True, True)
    assert late.reason.startswith("looking at sleep 60 did not end within ")


def test_the_time_of_a_look_that_had_to_wait_runs_from_the_start_of_all() -> None:
    seen = look(*(f"sleep 0.3{number:04}" for number in range(MOST_THREADS)), "time")
    assert 0 < float(seen["time"]["said"]) < 5 - 0.3


def test_a_look_whose_turn_comes_too_late_to_be_fair_says_nothing_of_who_is_looked_at() -> None:
    seen = look(*[f"sleep 0.9{number:02}" for number in range(MOST_THREADS)], "time left", seconds=1.0)
    assert not seen["time left"].broken
    assert "could not be looked at in time: this node is busy" in seen["time left"].reason


def test_no_look_outlasts_the_deadline_of_the_run() -> None:
    started = time.monotonic()
    assert look("sleep 60", seconds=60, budget=0.3)["sleep 60"].broken
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("key", "source", "reason"),
    [
        ("refuse", "sample", "may not look"),
        ("open /nowhere", "sample open /nowhere", "open /nowhere cannot be looked at: No such file or directory"),
        ("fail oh", "sample fail oh", "an error in nodecheck itself while looking at fail oh: RuntimeError: oh"),
    ],
)
def test_what_could_not_be_seen_says_why_and_is_no_fault(key: str, source: str, reason: str) -> None:
    dark = look(key)[key]
    assert (dark.source, dark.reason, dark.broken) == (source, reason, False)


def test_where_the_helper_dies_nothing_was_seen() -> None:
    seen = look("die", "sleep 1")
    assert {dark.reason for dark in seen.values()} == {"the process that looks ended without an answer"}


def test_a_node_keeps_what_was_seen_in_each_round() -> None:
    node = Node.here([], "")
    node.observe([SampleWant("say 1")], time.monotonic() + 5, None)
    node.observe([SampleWant("say 2"), SampleWant("refuse")], time.monotonic() + 5, None)
    assert [node.look(SampleWant(key)) for key in ("say 1", "say 2")] == [{"said": "1"}, {"said": "2"}]
    with pytest.raises(Unobserved, match="may not look"):
        node.look(SampleWant("refuse"))
    with pytest.raises(Unobserved, match="not collected"):
        node.look(SampleWant("say 3"))


def test_a_record_holds_what_was_seen_and_what_was_not() -> None:
    node = Node.here([], "")
    node.observe([SampleWant("say 1"), SampleWant("refuse")], time.monotonic() + 5, None)
    data = record(node, "0.1.0")
    again = replay(data, "x.json")
    assert again.observed.windows == node.observed.windows
    assert again.look(SampleWant("say 1")) == {"said": "1"}
    with pytest.raises(Unobserved, match=r"the record x\.json says nothing of sample say 2"):
        again.look(SampleWant("say 2"))


@pytest.mark.parametrize(
    ("windows", "said"),
    [
        ({"nowhere": {}}, "windows > nowhere: there is no such window"),
        ({"sample": {"say 1": {"said": 1}}}, "windows > sample > say 1 > said: expected a text, not 1"),
        ({"sample": []}, "windows > sample"),
        ([], "windows"),
    ],
)
def test_a_record_that_holds_something_else_is_refused(windows: Any, said: str) -> None:
    data = record(Node.here([], ""), "0.1.0") | {"windows": windows}
    with pytest.raises(BadRecord, match=said):
        replay(data, "x.json")


def test_a_window_that_runs_programs_says_so_before_the_threads_begin() -> None:
    folder = pathlib.Path(windows.__file__).parent
    texts = {file.stem: file.read_text() for file in folder.glob("*.py")}
    running = {name for name, text in texts.items() if "programs.run(" in text}
    assert running == {name for name in texts if getattr(windows.window_named(name), "RUNS_PROGRAMS", False)}


# ---- a helper that was begun before


@pytest.fixture
def expected() -> Iterator[Helper]:
    """A helper that loads what takes long, as the text of a definition file asks for."""
    looks_module.expect("http: {url: 'https://127.0.0.1/'}")
    (helper,) = looks_module._expecting
    yield helper
    looks_module._expecting.clear()


def test_looks_are_made_by_the_helper_that_was_begun_before(expected: Helper) -> None:
    seen = look("pid", "say x", "refuse")
    assert (seen["pid"], seen["say x"]) == ({"said": str(expected.pid)}, {"said": "x"})
    assert seen["refuse"].reason == "may not look"


def test_a_helper_that_was_begun_before_answers_once(expected: Helper) -> None:
    look("say x")
    assert look("pid")["pid"] != {"said": str(expected.pid)}


def test_who_runs_programs_is_begun_anew_since_no_thread_may_be_there(
    expected: Helper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["nodecheck.node.windows.sample"], "RUNS_PROGRAMS", True, raising=False)
    seen = look("pid")
    expected.leave()
    assert seen["pid"] != {"said": str(expected.pid)}


def test_where_the_helper_that_was_begun_before_has_died_nothing_was_seen(expected: Helper) -> None:
    os.kill(expected.pid, signal.SIGKILL)
    os.waitid(os.P_PID, expected.pid, os.WEXITED | os.WNOWAIT)
    assert look("say x")["say x"].reason == "the process that looks ended without an answer"


@pytest.mark.parametrize("text", ["- name: x\n  unit: {name: x}", ""])
def test_for_definitions_that_need_nothing_that_takes_long_no_helper_is_begun(text: str) -> None:
    looks_module.expect(text)
    assert looks_module._expecting == []


def test_looks_that_hang_do_not_hold_up_those_that_come_after_them() -> None:
    hanging = [f"sleep 60.{number:04}" for number in range(MOST_THREADS - 1)]
    started = time.monotonic()
    looks = Looks([*(SampleWant(key, 1.0) for key in hanging), *(SampleWant(f"say {n}", 1.0) for n in range(100))])
    seen = [answer for want, answer in looks.results(started + 5) if want.key.startswith("say")]
    looks.close()
    assert seen == [{"said": str(number)} for number in range(100)]


def test_what_is_wanted_may_be_more_than_plain_data(expected: Helper) -> None:
    wants = [SampleWant(Text("pid"))]
    looks = Looks(wants)
    try:
        ((_, seen),) = looks.results(time.monotonic() + 5)
    finally:
        looks.close()
    assert seen not in ({"said": str(expected.pid)}, {"said": str(os.getpid())})
