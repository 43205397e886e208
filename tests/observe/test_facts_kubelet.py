"""The kubelet's configuration: what is worked out of it, beyond single settings."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from nodecheck.node import facts
from nodecheck.node.facts import Fact

CONFIG = "var/lib/kubelet/config.yaml"
UNIT = "etc/systemd/system/kubelet.service"
FLAGS = "var/lib/kubelet/kubeadm-flags.env"
# That of kubeadm's package.
DROP_IN = """\
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/b.conf --kubeconfig=/srv/k.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/srv/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS
"""


def found(root: pathlib.Path, files: dict[str, str]) -> Fact:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return facts.collect(str(root), {"kubelet"})["kubelet"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({FLAGS: 'KUBELET_KUBEADM_ARGS="--network-plugin=cni"'}, "docker"),
        ({FLAGS: 'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///var/run/cri-dockerd.sock"'}, "docker"),
        ({FLAGS: 'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=/run/containerd/containerd.sock"'}, "containerd"),
        ({CONFIG: "containerRuntimeEndpoint: unix:///run/crio/crio.sock"}, "crio"),
        ({CONFIG: "containerRuntimeEndpoint: unix:///run/frakti.sock"}, "other"),
        # What a kubelet of 1.27 and later uses that is told nothing; an older one has Docker, and that has containerd.
        ({CONFIG: "port: 10250", "run/containerd/containerd.sock": ""}, "containerd"),
        ({CONFIG: "port: 10250", "etc/systemd/system/multi-user.target.wants/containerd.service": ""}, "containerd"),
        ({CONFIG: "port: 10250", "run/containerd/containerd.sock": "", "run/docker.sock": ""}, "docker"),
        (
            {
                CONFIG: "port: 10250",
                "run/containerd/containerd.sock": "",
                "etc/systemd/system/multi-user.target.wants/docker.service": "",
            },
            "docker",
        ),
    ],
)
def test_the_runtime_is_known_by_its_endpoint(tmp_path: pathlib.Path, files: dict[str, str], expected: str) -> None:
    assert expected == found(tmp_path, files).value["runtime"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({CONFIG: "port: 10250"}, {"nodefs": (0, 10), "imagefs": (0, 15), "memory": (104857600, 0)}),
        # What is configured stands in place of all defaults.
        ({CONFIG: "evictionHard: {nodefs.available: 5%}"}, {"nodefs": (0, 5), "imagefs": (0, 0), "memory": (0, 0)}),
        (
            {CONFIG: "evictionHard: {nodefs.available: 5%}\nmergeDefaultEvictionSettings: true\n"},
            {"nodefs": (0, 5), "imagefs": (0, 15), "memory": (104857600, 0)},
        ),
        (
            {CONFIG: 'evictionHard: {memory.available: 1Gi, nodefs.available: "10G", imagefs.available: "0%"}'},
            {"nodefs": (10**10, 0), "imagefs": (0, 0), "memory": (1 << 30, 0)},
        ),
        (
            {FLAGS: 'A="--eviction-hard=imagefs.available<12.5%,memory.available<200Mi"', CONFIG: "evictionHard: {}"},
            {"nodefs": (0, 0), "imagefs": (0, 12.5), "memory": (200 << 20, 0)},
        ),
    ],
)
def test_what_has_to_be_left(tmp_path: pathlib.Path, files: dict[str, str], expected: dict[str, Any]) -> None:
    seen = found(tmp_path, files).value

    assert expected == {name: (seen[f"{name}_free_bytes"], seen[f"{name}_free_percent"]) for name in expected}


@pytest.mark.parametrize("text", ["evictionHard: [1]", "evictionHard: {nodefs.available: much}"])
def test_what_is_no_amount_leaves_it_unknown(tmp_path: pathlib.Path, text: str) -> None:
    assert found(tmp_path, {CONFIG: text}).problem.startswith("/var/lib/kubelet/config.yaml: evictionHard ")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({CONFIG: "port: 10250"}, ("/etc/kubernetes/pki/ca.crt", "/etc/kubernetes/pki")),
        (
            {CONFIG: "authentication: {x509: {clientCAFile: /var/lib/minikube/certs/ca.crt}}"},
            ("/var/lib/minikube/certs/ca.crt", "/var/lib/minikube/certs"),
        ),
        ({FLAGS: "A=--client-ca-file=/srv/kubernetes/ca.crt"}, ("/srv/kubernetes/ca.crt", "/srv/kubernetes")),
    ],
)
def test_the_authority_of_the_cluster_is_the_one_that_lets_clients_in(
    tmp_path: pathlib.Path, files: dict[str, str], expected: tuple[str, str]
) -> None:
    seen = found(tmp_path, files).value

    assert (seen["client_ca"], seen["pki"]) == expected


def test_a_unit_may_have_blanks_around_what_it_says(tmp_path: pathlib.Path) -> None:
    unit = "[Service]\n  Environment = A=--port=10350\n  ExecStart = /usr/bin/kubelet $A --fail-swap-on=false\n"
    seen = found(tmp_path, {UNIT: unit}).value

    assert (seen["port"], seen["fail_swap_on"]) == (10350, False)


def test_the_variables_of_its_unit_count(tmp_path: pathlib.Path) -> None:
    files = {
        "lib/systemd/system/kubelet.service": "[Service]\nExecStart=/usr/bin/kubelet\n",
        "etc/systemd/system/kubelet.service.d/10-kubeadm.conf": DROP_IN,
        "srv/config.yaml": "port: 10350\n",
    }
    seen = found(tmp_path, files)

    assert (seen.source, seen.value["port"]) == ("/srv/config.yaml", 10350)
    assert seen.value["kubeconfig"] == "/srv/k.conf"


READS_FLAGS = "Environment=KUBELET_KUBEADM_ARGS=--root-dir=/c\nEnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\n"


@pytest.mark.parametrize(
    ("unit", "root"),
    [
        ("ExecStart=/usr/bin/kubelet --root-dir=/a", "/a"),  # it does not read the file
        (f"{READS_FLAGS}ExecStart=/usr/bin/kubelet --root-dir=/a $KUBELET_KUBEADM_ARGS", "/b"),
        (f"{READS_FLAGS}ExecStart=/usr/bin/kubelet $KUBELET_KUBEADM_ARGS --root-dir=/a", "/a"),
        (f"{READS_FLAGS}EnvironmentFile=\nExecStart=/usr/bin/kubelet $KUBELET_KUBEADM_ARGS", "/c"),
        ("ExecStart=/opt/start-kubelet", "/b"),  # a script, which may read it
    ],
)
def test_of_flags_the_last_wins_wherever_the_unit_has_them_from(tmp_path: pathlib.Path, unit: str, root: str) -> None:
    files = {
        "lib/systemd/system/kubelet.service": f"[Service]\n{unit}\n",
        FLAGS: "KUBELET_KUBEADM_ARGS=--root-dir=/b\n",
    }
    assert found(tmp_path, files).value["root"] == root


@pytest.mark.parametrize(
    ("kubeconfig", "expected"),
    [
        ("users: [{name: a, user: {client-certificate: /a.pem, client-key: /a.pem}}]", True),
        ("users: [{name: a, user: {client-certificate-data: YQ==, token: x}}]", True),
        ("users: [{name: a, user: {exec: {command: aws, args: [eks, get-token]}}}]", False),
        ("users: [{name: a, user: {token: x}}]", False),
        ("users: [{name: a, user: {tokenFile: /x, client-certificate: ''}}]", False),
        ("users: [{name: a, user: {token: x}}, {name: b, user: {client-certificate: /a.pem}}]", True),
        ("users: [{name: a, user: {}}]", True),
        ("users: [", True),
        ("users: {a: b}", True),
        ("users: [a, {user: b}]", True),
        (None, True),
    ],
)
def test_it_logs_in_with_a_certificate_unless_its_kubeconfig_says_otherwise(
    tmp_path: pathlib.Path, kubeconfig: str | None, expected: bool
) -> None:
    files = {CONFIG: "port: 1\n"} | ({"etc/kubernetes/kubelet.conf": kubeconfig} if kubeconfig else {})
    assert found(tmp_path, files).value["client_certificate"] is expected


def test_drop_ins_of_its_configuration_count_in_their_order(tmp_path: pathlib.Path) -> None:
    files = {
        FLAGS: 'A="--config-dir=/etc/kubelet.d"',
        CONFIG: "failSwapOn: true\nport: 10250\nhealthzPort: 10248",
        "etc/kubelet.d/10-swap.conf": "failSwapOn: false\nport: 1",
        "etc/kubelet.d/more/20-port.conf": "port: 10251",
        "etc/kubelet.d/30.yaml": "healthzPort: 0",
    }
    seen = found(tmp_path, files).value
    assert (seen["fail_swap_on"], seen["port"], seen["healthz_port"]) == (False, 10251, 10248)


def test_the_files_of_the_environment_of_its_unit_count(tmp_path: pathlib.Path) -> None:
    files = {
        UNIT: "[Service]\nEnvironmentFile=-/etc/eks/environment\nExecStart=/usr/bin/kubelet $ARGS\n",
        "etc/eks/environment": "ARGS='--config /etc/eks/config.yaml --v=2'\n",
        "etc/eks/config.yaml": "failSwapOn: false",
    }
    assert not found(tmp_path, files).value["fail_swap_on"]
