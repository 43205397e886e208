"""Events that wait on disk: in order, bounded, and each sent once."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from records import check, run

from nodecheck.events import spool
from nodecheck.events.sinks import Down, Sink

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator


class Place(Sink):
    """A sink of this test: takes so many records and is down then."""

    __slots__ = ()

    @property
    def key(self) -> str:
        return "place"

    def send(self, records: list[dict[str, Any]], deadline: float) -> Iterator[int]:
        for number, record in enumerate(records, 1):
            if len(self.options["taken"]) >= self.options["room"]:
                raise Down("it is full")
            self.options["taken"].append(record["event_id"])
            yield number


def place(room: int = 1_000_000) -> Place:
    return Place("place", {"taken": [], "room": room})


def kept(directory: pathlib.Path, runs: int, each: int = 1) -> list[str]:
    """Keep the events of some runs; return their ids."""
    ids = []
    for number in range(runs):
        records = [run() | {"event_id": f"{number}/{part}"} for part in range(each)]
        spool.add(str(directory), place(), records, "it was down")
        ids += [record["event_id"] for record in records]
    return ids


def test_nothing_waits_at_first(tmp_path: pathlib.Path) -> None:
    assert spool.backlog(str(tmp_path), place()) is None
    assert spool.drain(str(tmp_path), place(), 0.0)


def test_what_waits_is_told(tmp_path: pathlib.Path) -> None:
    kept(tmp_path, 3)
    waiting = spool.backlog(str(tmp_path), place())
    assert waiting
    assert (waiting.runs, waiting.reason, waiting.dropped) == (3, "it was down", 0)


def test_what_waits_is_sent_in_order_and_once(tmp_path: pathlib.Path) -> None:
    ids = kept(tmp_path, 250, each=2)
    sink = place()
    assert spool.drain(str(tmp_path), sink, 0.0)
    assert sink.options["taken"] == ids
    assert spool.backlog(str(tmp_path), sink) is None


@pytest.mark.parametrize("room", [1, 2, 3, 4, 5])
def test_what_was_sent_half_way_is_not_sent_again(room: int, tmp_path: pathlib.Path) -> None:
    ids = kept(tmp_path, 3, each=2)
    sink = place(room)
    with pytest.raises(Down):
        spool.drain(str(tmp_path), sink, 0.0)
    assert sink.options["taken"] == ids[:room]
    sink.options["room"] = 1_000_000
    assert spool.drain(str(tmp_path), sink, 0.0)
    assert sink.options["taken"] == ids


def test_a_clock_that_goes_back_changes_no_order(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.add(str(tmp_path), place(), [run() | {"event_id": "first"}], "")
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    spool.add(str(tmp_path), place(), [run() | {"event_id": "second"}], "")
    sink = place()
    spool.drain(str(tmp_path), sink, 0.0)
    assert sink.options["taken"] == ["first", "second"]


def test_the_oldest_are_dropped_when_there_is_no_more_room_and_counted(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MOST_BYTES", 5 * len(json.dumps(run())))
    ids = kept(tmp_path, 9)
    waiting = spool.backlog(str(tmp_path), place())
    assert waiting
    sink = place()
    spool.drain(str(tmp_path), sink, 0.0)
    assert sink.options["taken"] == ids[waiting.dropped :]
    assert 3 <= waiting.dropped <= 6


def test_the_count_of_what_was_dropped_goes_when_all_is_sent(tmp_path: pathlib.Path) -> None:
    kept(tmp_path, 1)
    (tmp_path / "events/place/status.json").write_text('{"reason": "", "dropped": 7}')
    spool.drain(str(tmp_path), place(), 0.0)
    kept(tmp_path, 1)
    waiting = spool.backlog(str(tmp_path), place())
    assert waiting
    assert waiting.dropped == 0


def test_a_line_that_is_no_record_stops_nothing(tmp_path: pathlib.Path) -> None:
    kept(tmp_path, 1)
    [file] = (tmp_path / "events/place").glob("*.jsonl")
    file.write_text(f'{{"half": \n[]\n{{}}\n{json.dumps(check())}\n')
    sink = place()
    assert spool.drain(str(tmp_path), sink, 0.0)
    assert sink.options["taken"] == ["0f3c/check/b"]


def test_two_runs_do_not_send_the_same(tmp_path: pathlib.Path) -> None:
    kept(tmp_path, 1)
    with spool._only_one(str(tmp_path / "events/place")) as alone:
        assert alone
        assert not spool.drain(str(tmp_path), place(), 0.0)


def test_two_places_do_not_share_a_folder() -> None:
    addresses = ("tcp://a", "tcp://b")
    assert len({Sink("syslog", {"address": address}).key for address in addresses}) == 2


def test_what_a_killed_run_has_left_half_written_does_not_pile_up(tmp_path: pathlib.Path) -> None:
    for name, age in (("old.jsonl.1.partial", 3600), ("of-another-run.jsonl.2.partial", 1)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    spool.write(str(tmp_path / "told.json"), "{}")
    assert sorted(os.listdir(tmp_path)) == ["of-another-run.jsonl.2.partial", "told.json"]
