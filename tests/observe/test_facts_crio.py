"""CRI-O's configuration, in one file and in pieces."""

from __future__ import annotations

import pathlib

from nodecheck.node import facts
from nodecheck.node.facts import Fact

DEFAULTS = {
    "socket": "/run/crio/crio.sock",
    "root": "/var/lib/containers/storage",
    "cgroup_driver": "systemd",
    "storage_driver": "",
}


def found(root: pathlib.Path, files: dict[str, str]) -> Fact:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return facts.collect(str(root), {"crio"})["crio"]


def test_without_a_file_the_defaults_hold(tmp_path: pathlib.Path) -> None:
    assert Fact(DEFAULTS, "/etc/crio/crio.conf") == found(tmp_path, {})
    assert DEFAULTS.keys() == facts.subject_named("crio").PARTS.keys()


def test_a_piece_wins_over_the_file_and_a_later_one_over_an_earlier(tmp_path: pathlib.Path) -> None:
    files = {
        "etc/crio/crio.conf": '[crio]\nroot = "/a"\nstorage_driver = "overlay"\n'
        '[crio.api]\nlisten = "/var/run/crio/crio.sock"\n[crio.runtime]\nlog_level = "info"\n',
        "etc/crio/crio.conf.d/10.conf": '[crio]\nroot = "/b"\n[crio.runtime]\ncgroup_manager = "systemd"\n',
        "etc/crio/crio.conf.d/20.conf": '[crio.runtime]\ncgroup_manager = "cgroupfs"\n',
    }
    expected = {
        "socket": "/run/crio/crio.sock",
        "root": "/b",
        "cgroup_driver": "cgroupfs",
        "storage_driver": "overlay",
    }
    assert expected == found(tmp_path, files).value


def test_a_file_that_is_no_toml_leaves_it_unknown(tmp_path: pathlib.Path) -> None:
    seen = found(tmp_path, {"etc/crio/crio.conf.d/10.conf": "[crio\n"})

    assert seen.problem.startswith("/etc/crio/crio.conf.d/10.conf: it is no TOML: ")
