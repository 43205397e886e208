"""How the etcd of a node is configured, as its manifest, unit, environment or file says."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest

from nodecheck.node import facts

STATIC_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: etcd, namespace: kube-system}
spec:
  containers:
  - command:
    - etcd
    - --cert-file=/etc/kubernetes/pki/etcd/server.crt
    - --data-dir=/var/lib/etcd
    - --key-file=/etc/kubernetes/pki/etcd/server.key
    - --listen-client-urls=https://10.77.0.216:2379,https://127.0.0.1:2379
    - --listen-metrics-urls=http://127.0.0.1:2381
    - --listen-peer-urls=https://10.77.0.216:2380
    - --name=cp1
    - --peer-cert-file=/etc/kubernetes/pki/etcd/peer.crt
    - --peer-key-file=/etc/kubernetes/pki/etcd/peer.key
    - --peer-trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt
    - --quota-backend-bytes=8589934592
    image: k8s.gcr.io/etcd:3.4.13-0
    name: etcd
"""
UNIT = """\
[Service]
Environment=DAEMON_ARGS=
Environment=ETCD_NAME=%H ETCD_DATA_DIR=/var/lib/etcd/default
EnvironmentFile=-/etc/default/%p
ExecStart=/usr/bin/etcd $DAEMON_ARGS
"""
OF_FILE = """\
name: s1
data-dir: /srv/etcd
listen-client-urls: https://0.0.0.0:2379
client-transport-security: {cert-file: /etc/etcd/s.crt, key-file: /etc/etcd/s.key, trusted-ca-file: /etc/etcd/ca.crt}
peer-transport-security: {cert-file: /etc/etcd/p.crt, key-file: /etc/etcd/p.key}
"""


def found(root: pathlib.Path, files: dict[str, str]) -> dict[str, Any]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    fact = facts.collect(str(root), {"etcd"})["etcd"]
    assert fact.problem == ""
    assert fact.value.keys() == facts.subject_named("etcd").PARTS.keys()
    return dict(fact.value)


def test_a_static_pod_says_so_in_its_manifest(tmp_path: pathlib.Path) -> None:
    seen = found(tmp_path, {"etc/kubernetes/manifests/etcd.yaml": STATIC_POD})

    assert (seen["form"], seen["version"], seen["name"]) == ("static_pod", "3.4.13", "cp1")
    assert (seen["client_url"], seen["plain_url"]) == ("https://127.0.0.1:2379", "http://127.0.0.1:2381")
    assert (seen["peer_url"], seen["peer_port"], seen["quota"]) == ("https://10.77.0.216:2380", 2380, 8 << 30)
    assert seen["client_certificate"] == "/etc/kubernetes/pki/etcd/server.crt"


def test_where_kubeadm_made_a_certificate_for_asking_that_is_used(tmp_path: pathlib.Path) -> None:
    healthcheck = "etc/kubernetes/pki/etcd/healthcheck-client.crt"
    seen = found(tmp_path, {"etc/kubernetes/manifests/etcd.yaml": STATIC_POD, healthcheck: ""})

    assert seen["client_certificate"] == f"/{healthcheck}"


def test_a_manifest_that_is_gone_is_still_known_by_its_place(tmp_path: pathlib.Path) -> None:
    seen = found(tmp_path, {"lib/systemd/system/etcd.service": UNIT})

    assert (seen["form"], seen["manifest"]) == ("static_pod", "/etc/kubernetes/manifests/etcd.yaml")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ("/var/lib/etcd/default", "http://127.0.0.1:2379", "http://127.0.0.1:2379", "")),
        (
            {"etc/default/etcd": "# ETCD_DATA_DIR=/no\nETCD_DATA_DIR=/srv/etcd\nETCD_LISTEN_CLIENT_URLS='http://[::]:4001'\n"},
            ("/srv/etcd", "http://[::1]:4001", "http://[::1]:4001", ""),
        ),
        (
            {"etc/default/etcd": 'DAEMON_ARGS="--data-dir /var/a --cert-file=/a.crt --listen-client-urls https://10.0.0.1:2379"\n'},
            ("/var/a", "https://10.0.0.1:2379", "", "/a.crt"),
        ),
        (
            {"etc/default/etcd": "DAEMON_ARGS=--config-file=/etc/etcd.yml\n", "etc/etcd.yml": OF_FILE},
            ("/srv/etcd", "https://127.0.0.1:2379", "", "/etc/etcd/s.crt"),
        ),
    ],
)  # fmt: skip
def test_a_service_says_so_in_its_unit_its_environment_or_its_file(
    tmp_path: pathlib.Path, files: dict[str, str], expected: tuple[str, ...]
) -> None:
    wanted = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wanted.mkdir(parents=True)
    (wanted / "etcd.service").symlink_to("/lib/systemd/system/etcd.service")
    (tmp_path / "lib/systemd/system").mkdir(parents=True)
    (tmp_path / "lib/systemd/system/etcd.service").write_text(UNIT)
    seen = found(tmp_path, files)

    assert (seen["form"], seen["name"] in (os.uname().nodename, "s1")) == ("service", True)
    assert expected == tuple(seen[part] for part in ("data_dir", "client_url", "plain_url", "certificate"))
