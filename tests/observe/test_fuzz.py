"""Whatever the kernel says: it is data of the known shape, or it was not seen."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import yaml
from fakes import make, node
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodecheck import checks
from nodecheck.node import kernelfiles, processes, units, windows
from nodecheck.node.unobserved import Unobserved

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterable
    from typing import Any

    from nodecheck.node.node import Want

WORDS = st.sampled_from(
    ["0", "-1", "max", "some", "full", "avg10=", "avg10=1e999", "total=x", "kB", "MemTotal:", "1" * 12, "\0", ":", "=",
     "/", "[a] b", "nodev", " ", "\n", "\t", "(", ")", "Z", "é", "1.5", "NaN", "inf", "0x1", "root=UUID=1", "tmpfs / x"]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=40).map("".join) | st.text(max_size=80)
FUZZED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _wants(name: str) -> list[Want]:
    """What the example of a check type wants to know."""
    kind = checks.type_named(name)
    assert kind is not None
    (definition,) = yaml.safe_load(kind.EXAMPLE)
    return list(make(name, **definition[name]).wants())


@pytest.mark.parametrize("name", ["memory", "pressure", "limits", "load", "kernel", "sysctl", "kernel_module"])
@given(added=TEXTS, at=st.integers(0, 1 << 12), whole=st.booleans())
@FUZZED
def test_any_file_of_the_kernel(name: str, added: str, at: int, whole: bool) -> None:
    window, real = windows.window_named(name), kernelfiles.read
    assert window is not None

    def read(path: str) -> str:
        text = real(path)
        return added if whole else text[:at] + added + text[at + len(added) :]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kernelfiles, "read", read)
        for want in _wants(name):
            with suppress(Unobserved, OSError):
                seen = window.look(want)
                assert window.SHAPE(json.loads(json.dumps(seen)), "") == json.loads(json.dumps(seen))


@given(stat=TEXTS, other=TEXTS)
@FUZZED
def test_any_file_of_a_process(stat: str, other: str, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "7"
    folder.mkdir(exist_ok=True)
    for file in ("stat", "status", "cgroup", "cmdline", "sched"):
        (folder / file).write_text(stat if file == "stat" else other, newline="")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(processes, "PROC", str(tmp_path))
        want = processes.ProcessWant(frozenset({"uid", "unit", "exe"}), frozenset(), lambda _: None)
        found = processes.collect([want], time.monotonic() + 1).processes
    assert [process.pid for process in found if process.pid != os.getpid()] in ([], [7])


NAMES = st.sampled_from(["a.service", "b.socket", "c@.service", "", "\0", "dd"])
ROWS = st.lists(
    st.tuples(NAMES, *[TEXTS] * 5, st.sampled_from(["/a", "/b", "/"]), st.integers(0, 9), TEXTS, st.just("/")),
    max_size=4,
)
VALUES = dict.fromkeys(("TriggeredBy", "Names"), st.lists(NAMES, max_size=3)) | dict.fromkeys(
    ("NRestarts", "NFailedUnits", "NJobs", "StateChangeTimestampMonotonic", "StateChangeTimestamp"),
    st.integers(0, 2**64 - 1),
)


class AnySystemd:
    """A systemd that answers anything of the right types, and any value of any property."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self.refused: dict[str, str] = {}

    def call(self, method: str, _signature: str = "()", _arguments: tuple[Any, ...] = ()) -> Any:
        if method == "ListJobs":
            return ([(7, "a.service", "start", "waiting", "/", "/")],)
        rows = self._data.draw(ROWS)
        return ([(row[0], row[1]) for row in rows],) if method == "ListUnitFiles" else (rows,)

    def properties(self, asked: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], Any]:
        keys = list(asked)
        kept = self._data.draw(st.lists(st.sampled_from(keys), unique=True)) if keys else []
        return {key: self._data.draw(VALUES.get(key[2], TEXTS)) for key in kept}


@given(data=st.data())
@FUZZED
def test_any_answer_of_systemd(data: st.DataObject) -> None:
    wanted = {
        name: {"always": ["Id", "NRestarts", "TriggeredBy"], "troubled": ["Result"]} for name in ("a.service", "dd")
    }
    seen = node(manager={})
    answer = units.collect(AnySystemd(data), {"manager": True, "units": wanted})
    seen.observed.keep_units("system", set(wanted), json.loads(json.dumps(answer)))
    for name in wanted:
        with suppress(Unobserved):
            assert all(finding.message for finding in make("unit", name=f"{name}.service").judge(seen))
