"""A written definition file is read as what was meant, and looks as a person would have written it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.definitions import yamlfile
from nodecheck.definitions.errors import Mistakes
from nodecheck.definitions.sources import read_definition_text
from nodecheck.definitions.variables import plain
from nodecheck.definitions.writer import Draft, DraftPlay, scalar, write

WRITTEN = """\
# first line
#
# third line

- name: Docker
  hosts: docker
  tags: [runtime, docker]
  checks:
    - name: docker.service is well
      unit: {name: docker.service, enabled: true}
      remedy: journalctl -u docker.service -n 50

    - name: "dockerd: alive"
      needs: docker.service is well
      process: {name: dockerd, state: "!= D for 1m", count: 0..1}

- name: Ports
  hosts: all
  checks:
    - name: sshd listens on port 22
      needs: [docker.service is well, "dockerd: alive"]
      port: {port: 22}
"""
PLAYS = [
    DraftPlay(
        "Docker",
        "docker",
        ("runtime", "docker"),
        (
            Draft(
                "docker.service is well",
                "unit",
                {"name": "docker.service", "enabled": True},
                remedy="journalctl -u docker.service -n 50",
            ),
            Draft(
                "dockerd: alive",
                "process",
                {"name": "dockerd", "state": "!= D for 1m", "count": "0..1"},
                ("docker.service is well",),
            ),
        ),
    ),
    DraftPlay(
        "Ports",
        "all",
        (),
        (Draft("sshd listens on port 22", "port", {"port": 22}, ("docker.service is well", "dockerd: alive")),),
    ),
]


def test_a_file_looks_as_a_person_would_have_written_it() -> None:
    assert write(PLAYS, ["first line", "", "third line"]) == WRITTEN


def test_what_was_written_is_read() -> None:
    plays = read_definition_text("x.yaml", WRITTEN, {}).plays
    assert [(play.name, play.hosts, len(play.checks)) for play in plays] == [
        ("Docker", "docker", 2),
        ("Ports", "all", 1),
    ]
    assert plays[1].checks[0].needs == ("docker.service is well", "dockerd: alive")
    assert plays[0].checks[0].tags == {"runtime", "docker"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("docker.service", "docker.service"),
        ("sshd listens on port 22", "sshd listens on port 22"),
        ("getty@tty1.service", "getty@tty1.service"),
        ("a\\x2db.service", "a\\x2db.service"),
        ("0..1", "0..1"),
        ("true", '"true"'),
        ("null", '"null"'),
        ("7", '"7"'),
        ("1.5", '"1.5"'),
        ("", '""'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("a, b", '"a, b"'),
        ("{a}", '"{a}"'),
        ("!= D for 1m", '"!= D for 1m"'),
        ("a\nb\x07", '"a\\nb\\u0007"'),
        ('a"b', '"a\\"b"'),
    ],
)
def test_a_text_is_quoted_only_where_it_has_to_be(text: str, written: str) -> None:
    assert scalar(text) == written


@given(st.text(st.characters(codec="utf-8"), max_size=20) | st.text("ab :#,{}[]!&*-?|>'\"%@`~.\\01\n", max_size=8))
def test_any_text_is_read_as_it_was(text: str) -> None:
    mistakes = Mistakes()
    value = yamlfile.load("x.yaml", f"- {{a: {scalar(text)}, b: [{scalar(text)}]}}\n- {scalar(text)}", mistakes)
    mistakes.raise_if_any()
    assert value is not None
    assert plain(value) == [{"a": text, "b": [text]}, text]
