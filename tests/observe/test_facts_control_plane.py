"""How the components of a control plane are configured, as the manifests of old and new versions say."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from nodecheck.node import facts

MANIFESTS = "etc/kubernetes/manifests"


def manifest(name: str, image: str, flags: str, probe: str = "", ports: str = "[]") -> str:
    command = "".join(f"\n    - {word}" for word in (name, *flags.split()))
    liveness = f"\n    livenessProbe: {{httpGet: {probe}}}" if probe else ""
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: kube-system}}\nspec:\n  containers:\n"
        f"  - command:{command}\n    image: {image}\n    name: {name}\n    ports: {ports}{liveness}\n"
    )


def found(root: pathlib.Path, subject: str, text: str = "") -> dict[str, Any]:
    name = subject.replace("_", "-")
    if text:
        (root / MANIFESTS).mkdir(parents=True)
        (root / MANIFESTS / f"{name}.yaml").write_text(text)
    fact = facts.collect(str(root), {"control_plane"})[subject]
    assert (fact.problem, fact.source) == ("", f"/{MANIFESTS}/{name}.yaml")
    assert fact.value.keys() == facts.subject_named(subject).PARTS.keys()
    return dict(fact.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", "127.0.0.1", 6443, "/livez", "/readyz", True)),
        (
            manifest("kube-apiserver", "k8s.gcr.io/kube-apiserver:v1.20.2", "--advertise-address=10.0.0.5",
                     "{host: 10.0.0.5, path: /livez, port: 6443, scheme: HTTPS}"),
            ("1.20.2", "10.0.0.5", 6443, "/livez", "/readyz", True),
        ),
        (
            manifest("kube-apiserver", "gcr.io/google_containers/kube-apiserver-amd64:v1.9.11", "--secure-port=8443",
                     "{host: 127.0.0.1, path: /healthz, port: 8443, scheme: HTTPS}"),
            ("1.9.11", "127.0.0.1", 8443, "/healthz", "/healthz", True),
        ),
        (
            manifest("kube-apiserver", "localhost:5000/kube-apiserver:v1.34.1@sha256:ab",
                     "--bind-address=fd00::5 --anonymous-auth=false",
                     "{host: 10.0.0.5, path: /livez, port: probe-port, scheme: HTTPS}",
                     "[{name: probe-port, containerPort: 6443}]"),
            ("1.34.1", "[fd00::5]", 6443, "/livez", "/readyz", False),
        ),
    ],
)  # fmt: skip
def test_the_kube_apiserver(tmp_path: pathlib.Path, text: str, expected: tuple[Any, ...]) -> None:
    seen = found(tmp_path, "kube_apiserver", text)

    assert expected == tuple(seen[part] for part in ("version", "host", "port", "live_path", "ready_path", "anonymous"))


@pytest.mark.parametrize(
    ("subject", "text", "expected"),
    [
        ("kube_scheduler", "", ("https://127.0.0.1:10259/healthz", True, "/etc/kubernetes/scheduler.conf")),
        (
            "kube_scheduler",
            manifest("kube-scheduler", "registry.k8s.io/kube-scheduler:v1.34.1", "--kubeconfig=/etc/kubernetes/s.conf",
                     "{host: 127.0.0.1, path: /livez, port: probe-port, scheme: HTTPS}",
                     "[{name: probe-port, containerPort: 10259}]"),
            ("https://127.0.0.1:10259/livez", True, "/etc/kubernetes/s.conf"),
        ),
        (
            "kube_controller_manager",
            manifest("kube-controller-manager", "kube-controller-manager:v1.9.11", "--address=127.0.0.1",
                     "{host: 127.0.0.1, path: /healthz, port: 10252, scheme: HTTP}"),
            ("http://127.0.0.1:10252/healthz", False, "/etc/kubernetes/controller-manager.conf"),
        ),
        (
            "kube_controller_manager",
            manifest("kube-controller-manager", "kube-controller-manager:v1.20.2",
                     "--bind-address=0.0.0.0 --secure-port 10357"),
            ("https://127.0.0.1:10357/healthz", True, "/etc/kubernetes/controller-manager.conf"),
        ),
    ],
)  # fmt: skip
def test_those_of_which_one_leads(tmp_path: pathlib.Path, subject: str, text: str, expected: tuple[Any, ...]) -> None:
    seen = found(tmp_path, subject, text)

    assert expected == (seen["url"], seen["secure"], seen["kubeconfig"])


def test_a_manifest_that_holds_no_pod_leaves_the_subject_unknown(tmp_path: pathlib.Path) -> None:
    (tmp_path / MANIFESTS).mkdir(parents=True)
    (tmp_path / MANIFESTS / "kube-scheduler.yaml").write_text("kind: List\n")

    seen = facts.collect(str(tmp_path), {"control_plane"})["kube_scheduler"]
    assert f"/{MANIFESTS}/kube-scheduler.yaml: it holds no pod with a container" == seen.problem


def test_the_folder_is_the_one_that_the_kubelet_looks_into(tmp_path: pathlib.Path) -> None:
    (tmp_path / "var/lib/kubelet").mkdir(parents=True)
    (tmp_path / "var/lib/kubelet/config.yaml").write_text("staticPodPath: /srv/manifests\n")

    seen = facts.collect(str(tmp_path), {"control_plane"})["kube_apiserver"]
    assert seen.value["manifest"] == "/srv/manifests/kube-apiserver.yaml"
