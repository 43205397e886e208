"""The setting `events`: which events a run tells, and where they go."""

import pathlib

import pytest

from nodecheck.definitions.errors import DefinitionError
from nodecheck.definitions.event_settings import DIALECTS, SINKS, EventSettings, SinkSetting
from nodecheck.definitions.settings import read_settings
from nodecheck.events import dialects, sinks

ALL = """
events:
  emit: all
  repeat: 30m
  to:
    - journal
    - stderr: {dialect: ecs}
    - file: {path: /var/log/nodecheck.jsonl}
    - syslog: {address: "tls://logs.example:6514", ca: /etc/ca.pem, dialect: otel}
"""


def read(path: pathlib.Path, text: str) -> EventSettings:
    (path / "nodecheck.yaml").write_text(text)
    return read_settings(str(path / "nodecheck.yaml")).events


def test_events_are_read(tmp_path: pathlib.Path) -> None:
    syslog = {"address": "tls://logs.example:6514", "dialect": "otel", "ca": "/etc/ca.pem"}
    expected = EventSettings(
        "all",
        1800.0,
        (
            SinkSetting("journal", {}),
            SinkSetting("stderr", {"dialect": "ecs"}),
            SinkSetting("file", {"path": "/var/log/nodecheck.jsonl", "dialect": "native"}),
            SinkSetting("syslog", syslog),
        ),
    )
    assert expected == read(tmp_path, ALL)


@pytest.mark.parametrize("text", ["", "events:", "events: {}", "events: {emit: , repeat: , to: }"])
def test_events_that_say_nothing_are_the_defaults(text: str, tmp_path: pathlib.Path) -> None:
    assert EventSettings() == read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("events: journal", "1:9: events is a mapping, not text"),
        ("events: {too: [journal]}", "1:10: events has no key 'too'\n.*\n.*\n  did you mean to\\?"),
        ("events: {to: journal}", "1:14: to is a list of sinks: journal, stdout, stderr, file, syslog"),
        ("events: {to: []}", "1:14: to is a list of sinks"),
        ("events: {to: [journald]}", "1:15: there is no sink 'journald'\n.*\n.*\n  did you mean journal\\?"),
        ("events: {to: [3]}", "1:15: a sink is a name, or one name with its options"),
        ("events: {to: [{journal: , stderr: }]}", "1:15: a sink is a name, or one name with its options"),
        ("events: {to: [journal, journal]}", "1:24: events would go there twice"),
        (
            "events: {to: [{journal: {dialect: ecs}}]}",
            "1:26: journal has no option 'dialect'\n.*\n.*\n  known here: none",
        ),
        (
            "events: {to: [{stderr: {dialekt: ecs}}]}",
            "1:25: stderr has no option 'dialekt'\n.*\n.*\n  did you mean dial",
        ),
        ("events: {to: [{stderr: {dialect: elastic}}]}", "dialect is one of native, ecs, otel, not 'elastic'"),
        ("events: {to: [{stderr: [ecs]}]}", "1:24: stderr takes a mapping of options, not a list"),
        ("events: {to: [file]}", "1:15: file needs path"),
        ("events: {to: [{file: {path: log.jsonl}}]}", "1:29: path is an absolute path, not 'log.jsonl'"),
        ("events: {to: [{syslog: {address: 'logs:514'}}]}", "1:34: 'logs:514' is no address"),
        ("events: {to: [{syslog: {address: 'tcp://'}}]}", "1:34: 'tcp://' is no address"),
        ("events: {to: [{syslog: {address: 'tcp://logs:port'}}]}", "1:34: 'tcp://logs:port' is no address"),
        ("events: {to: [{syslog: {address: 'tcp://logs', ca: /a}}]}", "1:15: ca is of TLS, and tcp://logs is not"),
        ("events: {emit: everything}", "emit is one of changes, all, not 'everything'"),
        ("events: {repeat: 60}", "1:18: repeat is a time with its unit.*\n.*\n.*\n  did you mean 60s\\?"),
    ],
)
def test_mistakes_in_events_have_their_place(text: str, said: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(DefinitionError, match=said):
        read(tmp_path, text)


@pytest.mark.parametrize("kind", SINKS)
def test_a_sink_that_can_be_set_is_a_file_that_can_send(kind: str) -> None:
    sending = sinks.Sink(kind, {"dialect": "native", "path": "/nonexistent", "address": "unix:/nonexistent"})
    assert hasattr(sending.send([], 0.0), "__next__")


def test_the_dialects_that_can_be_set_are_those_that_there_are() -> None:
    assert tuple(dialects.DIALECTS) == DIALECTS
