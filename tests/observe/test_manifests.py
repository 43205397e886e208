"""Manifests of static pods: what the kubelet reads in its folder, and what it cannot use."""

import pathlib
from typing import Any

import pytest

from nodecheck.node.windows._manifests import read

POD = """\
apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: null
  name: {name}
  namespace: kube-system
spec:
  initContainers: [{{name: first}}]
  containers:
  - command: [etcd, --name=cp1]
    name: etcd
  - name: side
"""
ETCD = {"name": "etcd", "namespace": "kube-system", "containers": ["etcd", "side"], "problem": ""}


def write(folder: pathlib.Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / name).write_text(text)


def only(folder: pathlib.Path) -> dict[str, Any]:
    (found,) = read(str(folder)) or []
    return found


def test_every_file_is_read_that_does_not_begin_with_a_dot(tmp_path: pathlib.Path) -> None:
    for name in ("etcd.yaml", "etcd.yaml.backup", ".etcd.yaml.swp"):
        (tmp_path / name).write_text(POD.format(name="etcd"))
    (tmp_path / "folder").mkdir()
    assert read(str(tmp_path)) == [{"file": name} | ETCD for name in ("etcd.yaml", "etcd.yaml.backup")]


def test_a_manifest_may_be_json_and_without_a_namespace(tmp_path: pathlib.Path) -> None:
    text = '{"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "b"}]}}'
    write(tmp_path, a=text)
    assert only(tmp_path) == {"file": "a", "name": "a", "namespace": "default", "containers": ["b"], "problem": ""}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it holds no pod"),
        ("hello\n", "it holds no pod"),
        ("kind: Deployment\n", "it holds no pod"),
        ("kind: Pod\n", "it holds a pod without a name or without containers"),
        (
            "kind: Pod\nmetadata: {name: a}\nspec: {containers: [b]}\n",
            "it holds a pod without a name or without containers",
        ),
        ("kind: [\n", "it is no YAML: while parsing a flow node"),
        ("\0", "it is no YAML: "),
    ],
)
def test_a_file_that_the_kubelet_cannot_use_says_why(tmp_path: pathlib.Path, text: str, problem: str) -> None:
    write(tmp_path, a=text)
    assert only(tmp_path)["problem"].startswith(problem)


def test_a_folder_that_is_not_there_is_none_and_an_empty_one_holds_nothing(tmp_path: pathlib.Path) -> None:
    assert read(str(tmp_path / "nowhere")) is None
    assert read(str(tmp_path)) == []


def test_a_link_to_nowhere_holds_nothing(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.yaml").symlink_to("nowhere")
    assert read(str(tmp_path)) == []
