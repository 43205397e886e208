"""Packages of dpkg as its status file has them, of rpm as it tells them."""

from __future__ import annotations

import os
import pathlib
import subprocess
import time
from typing import Any

import pytest

from nodecheck.node import programs
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import package
from nodecheck.node.windows.package import SHAPE, PackageWant, look

STATUS = """\
Package: kubelet
Status: hold ok installed
Architecture: amd64
Version: 1.20.2-00
Description: Node agent
 Package: kubeadm
 .
 Version: 9

Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Version: 2.36-9

Package: libc6
Status: install ok unpacked
Architecture: i386
Multi-Arch: same
Version: 2.36-8

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1

Package: hurt
Status: install reinstreq half-installed
Architecture: all
Version: 1
"""


@pytest.fixture
def dpkg(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A dpkg of its own."""
    (tmp_path / "updates").mkdir()
    (tmp_path / "status").write_text(STATUS)
    monkeypatch.setattr(package, "DPKG", str(tmp_path))
    return tmp_path


def found(*names: str) -> dict[str, list[dict[str, Any]]]:
    """Return what is seen of these packages."""
    seen = look(PackageWant(names))
    assert SHAPE(seen, "") == seen
    packages: dict[str, list[dict[str, Any]]] = seen["packages"]
    return packages


def test_packages_have_version_state_and_whether_they_are_held(dpkg: pathlib.Path) -> None:
    assert found("kubelet", "gone", "hurt", "kubeadm") == {
        "kubelet": [
            {"version": "1.20.2-00", "architecture": "amd64", "state": "installed", "broken": False, "held": True}
        ],
        "gone": [{"version": "1", "architecture": "all", "state": "config-files", "broken": False, "held": False}],
        "hurt": [{"version": "1", "architecture": "all", "state": "half-installed", "broken": True, "held": False}],
        "kubeadm": [],
    }


def test_a_package_of_two_architectures_is_two(dpkg: pathlib.Path) -> None:
    assert [entry["version"] for entry in found("libc6")["libc6"]] == ["2.36-9", "2.36-8"]


def test_what_dpkg_was_about_to_write_counts(dpkg: pathlib.Path) -> None:
    (dpkg / "updates" / "0000").write_text(STATUS.partition("\n\n")[0].replace("installed", "half-configured"))
    (dpkg / "updates" / "tmp.i").write_text("Package: kubelet\n")
    assert [entry["state"] for entry in found("kubelet")["kubelet"]] == ["half-configured"]


def test_a_status_file_that_may_not_be_read_is_no_missing_package(dpkg: pathlib.Path) -> None:
    (dpkg / "status").unlink()
    (dpkg / "status").mkdir()
    with pytest.raises(OSError, match="directory"):
        found("kubelet")


@pytest.mark.skipif(not os.path.exists("/var/lib/dpkg/status"), reason="there is no dpkg")
def test_this_machine_has_what_dpkg_says_it_has() -> None:
    told = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", "dpkg"], capture_output=True, text=True, check=True
    )
    (entry,) = found("dpkg")["dpkg"]
    assert f"{entry['version']} {entry['state']}" == told.stdout


# ---- rpm


@pytest.fixture
def rpm(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A node with rpm: the path of what stands for it."""
    monkeypatch.setattr(package, "DPKG", str(tmp_path / "nowhere"))
    monkeypatch.setattr(package, "RPM_ROOTS", (str(tmp_path),))
    monkeypatch.setattr(programs, "PATH", f"{tmp_path}:{programs.PATH}")
    return tmp_path / "rpm"


def _script(path: pathlib.Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_rpm_tells_its_packages(rpm: pathlib.Path) -> None:
    _script(
        rpm,
        "printf 'kubelet\\t1.20.2-0\\tx86_64\\nkernel\\t5.14.0-1\\tx86_64\\nkernel\\t2:5.14.0-2\\tx86_64\\n"
        "package kubeadm is not installed\\n'; exit 1",
    )
    packages = found("kubelet", "kernel", "kubeadm")
    versions = {name: [entry["version"] for entry in entries] for name, entries in packages.items()}
    assert versions == {"kubelet": ["1.20.2-0"], "kernel": ["5.14.0-1", "2:5.14.0-2"], "kubeadm": []}
    assert packages["kubelet"][0]["held"] is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("echo 'error: cannot open Packages database' >&2; exit 1", "rpm cannot tell of kubelet: error: cannot open"),
        (
            "echo 'package kubelet is not installed'; echo 'error: cannot open Packages database' >&2; exit 1",
            "rpm cannot tell of kubelet: error: cannot open Packages database",
        ),
        ("kill -SEGV $$", "rpm was ended by SIGSEGV"),
    ],
)
def test_an_rpm_that_cannot_tell_is_no_missing_package(rpm: pathlib.Path, text: str, reason: str) -> None:
    _script(rpm, text)
    with pytest.raises(Unobserved, match=reason):
        found("kubelet")


def test_what_rpm_only_warns_of_is_no_doubt(rpm: pathlib.Path) -> None:
    _script(rpm, "echo 'package kubelet is not installed'; echo 'warning: Found bdb_ro Packages database' >&2; exit 1")
    assert found("kubelet") == {"kubelet": []}


@pytest.mark.skipif(not os.path.exists("/usr/bin/rpm"), reason="there is no rpm")
def test_the_real_rpm_with_a_broken_database_is_no_missing_package(rpm: pathlib.Path) -> None:
    database = rpm.parent / "database"
    database.mkdir()
    (database / "rpmdb.sqlite").write_bytes(b"broken" * 1000)
    _script(rpm, f'exec /usr/bin/rpm --dbpath {database} "$@"')
    with pytest.raises(Unobserved, match="rpm cannot tell of kubelet: error: "):
        found("kubelet")


def test_an_rpm_that_waits_for_its_lock_is_ended(rpm: pathlib.Path) -> None:
    _script(rpm, "sleep 60")
    started = time.monotonic()
    with pytest.raises(Unobserved, match="rpm did not end within"):
        look(PackageWant(("kubelet",), 0.3))
    assert time.monotonic() - started < 1.5


def test_a_missing_rpm_is_no_missing_package(rpm: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "PATH", "/nowhere")
    with pytest.raises(Unobserved, match="rpm could not be started"):
        found("kubelet")


def test_a_node_with_neither_is_unobserved(rpm: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "RPM_ROOTS", ())
    with pytest.raises(Unobserved, match="neither dpkg nor rpm"):
        found("kubelet")
