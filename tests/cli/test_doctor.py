"""doctor says the one command that brings what is missing, in the words of each distribution."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any
from unittest.mock import Mock

import pytest

from nodecheck.cli import doctor
from nodecheck.node import systemd

RELEASES = {
    "debian": ({"ID": "debian"}, "apt-get install python3-gi python3-yaml"),
    "ubuntu": ({"ID": "ubuntu", "ID_LIKE": "debian"}, "apt-get install python3-gi python3-yaml"),
    "alma": ({"ID": "almalinux", "ID_LIKE": "rhel centos fedora"}, "dnf install python3-gobject-base python3-pyyaml"),
    "leap": ({"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "zypper install python3-gobject python3-PyYAML"),
    "another": ({"ID": "guix"}, "the packages of this distribution: PyGObject, PyYAML"),
}


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests run in an environment of Python, too."""
    monkeypatch.setattr(sys, "prefix", "/usr")
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    monkeypatch.setattr("site.PREFIXES", ["/usr"])


@pytest.mark.parametrize("name", RELEASES)
@pytest.mark.parametrize(("uid", "sudo"), [(0, ""), (1000, "sudo ")])
def test_the_command_is_that_of_the_distribution(
    name: str, uid: int, sudo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, command = RELEASES[name]
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    monkeypatch.setattr(os, "geteuid", lambda: uid)

    expected = command if command.startswith("the packages") else sudo + command
    assert expected == doctor.remedy(["PyGObject", "PyYAML"])


def test_a_host_that_does_not_say_what_it_is_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> dict[str, str]:
        raise FileNotFoundError

    monkeypatch.setattr(platform, "freedesktop_os_release", missing)
    assert doctor.remedy(["PyGObject"]) == "the packages of this distribution: PyGObject"


@pytest.mark.parametrize(
    ("bus", "said"),
    [
        ({}, (True, "systemd 257 answers on the system bus in 0 ms")),
        (
            {"bus": {"reason": "dbus-daemon is dead", "remedy": "systemctl status dbus.service"}},
            (False, "dbus-daemon is dead; systemd 257 answers by its private socket. systemctl status dbus.service"),
        ),
    ],
)
def test_which_way_systemd_answers_is_told(
    bus: dict[str, Any], said: tuple[bool, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = Mock(answers=lambda: {"system": {"manager": {"Version": "257"} | bus, "units": {}}})
    monkeypatch.setattr(systemd, "Collector", lambda: collector)
    monkeypatch.setattr(systemd, "booted_with_systemd", lambda: True)
    monkeypatch.setattr("time.monotonic", lambda: 1.0)
    assert doctor._systemd() == said
