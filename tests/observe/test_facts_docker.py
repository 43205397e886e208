"""Docker's configuration: daemon.json and the flags of its unit, in their old and new forms."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from nodecheck.node import facts
from nodecheck.node.facts import Fact

UNIT = "lib/systemd/system/docker.service"
# Debian 12's, shortened.
DEBIAN = """\
[Service]
Type=notify
EnvironmentFile=-/etc/default/docker
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS
"""
DEFAULTS = {
    "socket": "/run/docker.sock",
    "data_root": "/var/lib/docker",
    "cgroup_driver": "",
    "storage_driver": "",
    "live_restore": False,
}


def found(root: pathlib.Path, files: dict[str, str]) -> Fact:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return facts.collect(str(root), {"docker"})["docker"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, {}),
        ({UNIT: DEBIAN}, {}),
        ({"etc/docker/daemon.json": "\n"}, {}),
        (
            {
                UNIT: DEBIAN,
                "etc/docker/daemon.json": '{\n\t"data-root": "/srv/docker",\n\t"live-restore": true,\n'
                '\t"exec-opts": ["native.cgroupdriver=systemd"], "storage-driver": "overlay2"}',
            },
            {
                "data_root": "/srv/docker",
                "live_restore": True,
                "cgroup_driver": "systemd",
                "storage_driver": "overlay2",
            },
        ),
        # graph was data-root before 17.05.
        ({"etc/docker/daemon.json": '{"graph": "/old"}'}, {"data_root": "/old"}),
        ({"etc/default/docker": 'DOCKER_OPTS="-g /older -s aufs"'}, {"data_root": "/older", "storage_driver": "aufs"}),
        (
            {
                UNIT: DEBIAN,
                "etc/systemd/system/docker.service.d/10-opts.conf": "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd "
                "--data-root=/data \\\n  --exec-opt native.cgroupdriver=cgroupfs -H unix:///var/run/d.sock\n",
            },
            {"data_root": "/data", "cgroup_driver": "cgroupfs", "socket": "/run/d.sock"},
        ),
        # Docker's own unit does not read what its init script reads; that of Debian does.
        ({UNIT: "[Service]\nExecStart=/usr/bin/dockerd -H fd://", "etc/default/docker": 'DOCKER_OPTS="-g /old"'}, {}),
        ({UNIT: DEBIAN, "etc/default/docker": 'DOCKER_OPTS="-g /old"'}, {"data_root": "/old"}),
        ({"etc/docker/daemon.json": '{"hosts": ["tcp://127.0.0.1:2375"]}'}, {"socket": ""}),
        ({UNIT: DEBIAN, "etc/docker/daemon.json": '{"hosts": ["tcp://127.0.0.1:2375"]}'}, {}),
        ({UNIT: "[Service]\nExecStart=/usr/bin/dockerd -H unix:// -H tcp://127.0.0.1:2375"}, {}),
        (
            {
                UNIT: "[Service]\nExecStart=/usr/bin/dockerd --config-file /srv/docker.json\n",
                "srv/docker.json": '{"data-root": "/srv/docker"}',
                "etc/docker/daemon.json": '{"data-root": "/not/this"}',
            },
            {"data_root": "/srv/docker"},
        ),
        (
            {"etc/docker/daemon.json": '{"hosts": ["tcp://0.0.0.0:2375", "unix:///srv/docker.sock"]}'},
            {"socket": "/srv/docker.sock"},
        ),
    ],
)
def test_how_docker_is_configured(tmp_path: pathlib.Path, files: dict[str, str], expected: dict[str, Any]) -> None:
    assert DEFAULTS | expected == found(tmp_path, files).value


def test_the_parts_are_those_that_are_documented(tmp_path: pathlib.Path) -> None:
    assert DEFAULTS.keys() == facts.subject_named("docker").PARTS.keys()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{,}", "/etc/docker/daemon.json: it is no JSON: Expecting property name enclosed in double quotes"),
        ("[]", "/etc/docker/daemon.json: it holds no mapping"),
    ],
)
def test_a_file_that_dockerd_cannot_read_leaves_docker_unknown(tmp_path: pathlib.Path, text: str, problem: str) -> None:
    seen = found(tmp_path, {"etc/docker/daemon.json": text})

    assert (seen.value, seen.source) == (None, "/etc/docker/daemon.json")
    assert seen.problem.startswith(problem)
