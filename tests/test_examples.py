"""The examples below systemd/ are read by what they are for, where that is to be had; else their syntax is checked."""

from __future__ import annotations

import pathlib

import pytest
import yaml

from nodecheck.definitions.settings import read_settings
from nodecheck.events.journal import MESSAGE_IDS

CHECKOUT = pathlib.Path(__file__).parents[1]
EXAMPLES = CHECKOUT / "systemd/examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.y*ml")), ids=lambda path: path.name)
def test_an_example_in_yaml_is_yaml(path: pathlib.Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_the_settings_of_the_example_are_understood(tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "nodecheck.yaml"
    copy.write_text((EXAMPLES / "nodecheck.yaml").read_text())
    assert [sink.kind for sink in read_settings(str(copy)).events.sinks] == ["journal", "syslog"]


def test_every_kind_of_message_has_a_text_in_the_catalog() -> None:
    lines = (CHECKOUT / "systemd/nodecheck.catalog").read_text().splitlines()
    assert {line.removeprefix("-- ") for line in lines if line.startswith("-- ")} == set(MESSAGE_IDS.values())
