"""containerd's configuration, in the versions 1, 2 and 3 of its form."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from nodecheck.node import facts
from nodecheck.node.facts import Fact

CONFIG = "etc/containerd/config.toml"
DEFAULTS = {
    "socket": "/run/containerd/containerd.sock",
    "root": "/var/lib/containerd",
    "state": "/run/containerd",
    "disabled_plugins": [],
    "cri": True,
    "cgroup_driver": "cgroupfs",
}
# That of Debian 12.
DEBIAN = """\
version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
"""
# That of Docker's package containerd.io, without its comments.
FROM_DOCKER = 'disabled_plugins = ["cri"]\n'
OPTIONS = "[plugins.{}.containerd.runtimes.runc.options]\nSystemdCgroup = true\n"


def found(root: pathlib.Path, files: dict[str, str]) -> Fact:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return facts.collect(str(root), {"containerd"})["containerd"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, {}),
        ({CONFIG: DEBIAN}, {}),
        ({CONFIG: FROM_DOCKER}, {"disabled_plugins": ["cri"], "cri": False}),
        (
            {CONFIG: 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'},
            {"disabled_plugins": ["io.containerd.grpc.v1.cri"], "cri": False},
        ),
        ({CONFIG: 'disabled_plugins = ["io.containerd.internal.v1.opt"]\n'},
         {"disabled_plugins": ["io.containerd.internal.v1.opt"]}),
        ({CONFIG: "version = 3\n" + OPTIONS.format("'io.containerd.cri.v1.runtime'")}, {"cgroup_driver": "systemd"}),
        ({CONFIG: "version = 2\n" + OPTIONS.format('"io.containerd.grpc.v1.cri"')}, {"cgroup_driver": "systemd"}),
        ({CONFIG: OPTIONS.format("cri")}, {"cgroup_driver": "systemd"}),
        ({CONFIG: "[plugins.cri]\nsystemd_cgroup = true\n"}, {"cgroup_driver": "systemd"}),
        (
            {CONFIG: 'root = "/srv/c"\nstate = "/run/c"\n[grpc]\naddress = "/var/run/c/c.sock"\n'},
            {"root": "/srv/c", "state": "/run/c", "socket": "/run/c/c.sock"},
        ),
        (
            {
                CONFIG: 'root = "/a"\nimports = ["conf.d/*.toml"]\n',
                "etc/containerd/conf.d/1.toml": 'root = "/b"\n',
                "etc/containerd/conf.d/2.toml": OPTIONS.format('"io.containerd.grpc.v1.cri"'),
            },
            {"root": "/b", "cgroup_driver": "systemd"},
        ),
        (
            {
                "lib/systemd/system/containerd.service": "[Service]\nExecStart=/bin/containerd --config /opt/c.toml",
                "opt/c.toml": 'root = "/opt/root"\n',
            },
            {"root": "/opt/root"},
        ),
    ],
)  # fmt: skip
def test_how_containerd_is_configured(tmp_path: pathlib.Path, files: dict[str, str], expected: dict[str, Any]) -> None:
    assert DEFAULTS | expected == found(tmp_path, files).value


def test_the_parts_are_those_that_are_documented(tmp_path: pathlib.Path) -> None:
    assert DEFAULTS.keys() == facts.subject_named("containerd").PARTS.keys()


@pytest.mark.parametrize("text", ["root = \n", "disabled_plugins = 1\n"])
def test_a_file_that_containerd_cannot_read_leaves_it_unknown(tmp_path: pathlib.Path, text: str) -> None:
    seen = found(tmp_path, {CONFIG: text})

    assert (seen.value, seen.source) == (None, "/etc/containerd/config.toml")
    assert seen.problem.startswith("/etc/containerd/config.toml: ")
