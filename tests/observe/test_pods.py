"""The window `pods`, over the sockets of Docker and of a CRI."""

from __future__ import annotations

import json
import pathlib
import sys
import time
import urllib.parse
from typing import Any

import pytest

from nodecheck.node.looks import Looks
from nodecheck.node.windows import _dockerapi, _kubelet, _podsources, pods
from nodecheck.node.windows._protobuf import write_text

from .criruntime import field, needs_grpc, numbers, pairs, serving
from .unixserver import Server, http

STATIC, DYNAMIC = "0123456789abcdef0123456789abcdef", "11111111-2222-3333-4444-555555555555"


def entry(name: str, uid: str, container: str, **fields: Any) -> dict[str, Any]:
    """What Docker lists of a container that dockershim made."""
    pod = {"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "kube-system", "io.kubernetes.pod.uid": uid}
    restarts = {"annotation.io.kubernetes.container.restartCount": str(fields.pop("restarts", 0))}
    labels = pod | {"io.kubernetes.container.name": container} | restarts
    plain = {"Image": "sha256:1", "ImageID": "sha256:1", "State": "running", "Status": "Up 1 hour", "Created": 5}
    return plain | {"Labels": labels} | fields


LISTED = [
    entry("etcd-cp1", STATIC, "etcd"),
    entry("etcd-cp1", STATIC, "POD"),
    entry("web", DYNAMIC, "POD", State="exited", Created=1),
    entry("web", DYNAMIC, "POD", Created=4),
    entry("web", DYNAMIC, "app", State="exited", Status="Exited (255) 2 hours ago", Created=2, restarts=1),
    entry("web", DYNAMIC, "app", State="exited", Status="Exited (3) 2 minutes ago", Created=3, restarts=2),
    entry("web", DYNAMIC, "init", State="exited", Status="Exited (0) 2 hours ago"),
]
IMAGES = [{"Id": "sha256:1", "RepoTags": ["etcd:3"], "RepoDigests": None}, {"Id": "sha256:2", "RepoTags": None}]


def docker(path: str) -> bytes | None:
    if path.startswith("/containers/json"):
        return http(json.dumps(LISTED))
    return http(json.dumps(IMAGES)) if path == "/images/json" else http("OK")


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "docker.sock"


def ask(path: pathlib.Path, **wanted: Any) -> dict[str, Any]:
    seen = pods.look(pods.PodsWant(str(path), seconds=1.0, **wanted))
    assert pods.SHAPE(json.loads(json.dumps(seen)), "") == seen
    return seen


@pytest.mark.parametrize(
    ("status", "ago"),
    [
        ("Exited (1) Less than a second ago", 0),
        ("Exited (1) 1 second ago", 1),
        ("Exited (137) 59 seconds ago", 59),
        ("Exited (0) About a minute ago", None),
        ("Exited (0) 2 minutes ago", None),
        ("Up 5 seconds", None),
    ],
)
def test_docker_tells_what_ended_within_the_last_minute(status: str, ago: int | None) -> None:
    told = _podsources._docker_container(entry("web", DYNAMIC, "app", State="exited", Status=status), {})
    assert ("ended" in told) == (ago is not None)
    assert ago is None or time.time() - told["ended"] == pytest.approx(ago, abs=0.5)


def test_docker_tells_of_each_pod_its_newest_sandbox_and_containers(path: pathlib.Path) -> None:
    with Server(path, docker) as server:
        etcd, web = ask(path)["pods"]
    assert [(pod["name"], pod["static"], pod["sandbox_ready"]) for pod in (etcd, web)] == [
        ("etcd-cp1", True, True),
        ("web", False, True),
    ]
    told = [(each["name"], each["state"], each["restarts"], each["exit_code"]) for each in web["containers"]]
    assert told == [("app", "exited", 2, 3), ("init", "exited", 0, 0)]
    assert [each["images"] for each in etcd["containers"]] == [["sha256:1"]]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(server.asked[-1]).query)
    assert query == {"all": ["1"], "filters": ['{"label": ["io.kubernetes.pod.name"]}']}


@pytest.mark.parametrize(
    ("uid", "source", "static"),
    [
        (STATIC, {}, True),
        (DYNAMIC, {}, False),
        (DYNAMIC, {"annotation.kubernetes.io/config.source": "file"}, True),  # its manifest says a uid
        (DYNAMIC, {"annotation.kubernetes.io/config.source": "api"}, False),
    ],
)
def test_a_pod_is_static_by_where_the_kubelet_has_it_from(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, uid: str, source: dict[str, str], static: bool
) -> None:
    plain = entry("kube-apiserver-cp1", uid, "POD")
    monkeypatch.setattr(sys.modules[__name__], "LISTED", [plain | {"Labels": plain["Labels"] | source}])
    with Server(path, docker):
        assert [pod["static"] for pod in ask(path)["pods"]] == [static]


def test_what_ran_in_an_earlier_sandbox_is_told(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init, app = entry("web", DYNAMIC, "init"), entry("web", DYNAMIC, "app", State="exited", Status="Exited (255)")
    init["Labels"]["io.kubernetes.sandbox.id"], app["Labels"]["io.kubernetes.sandbox.id"] = "2", "1"
    sandboxes = [entry("web", DYNAMIC, "POD", Id="1", State="exited"), entry("web", DYNAMIC, "POD", Id="2", Created=9)]
    monkeypatch.setattr(sys.modules[__name__], "LISTED", [*sandboxes, init, app])
    with Server(path, docker):
        (seen,) = ask(path)["pods"]
    assert [(each["name"], each.get("earlier", False)) for each in seen["containers"]] == [
        ("app", True),
        ("init", False),
    ]


def test_the_names_of_images_are_asked_for_where_they_are_wanted(path: pathlib.Path) -> None:
    with Server(path, docker):
        etcd = ask(path, images=True)["pods"][0]
    assert etcd["containers"][0]["images"] == ["sha256:1", "etcd:3"]


def test_a_pod_that_was_made_again_under_the_same_name_is_another_one(path: pathlib.Path) -> None:
    twice = [entry("web", uid, "POD", State=state) for uid, state in (("a", "exited"), ("b", "running"))]
    with Server(path, lambda asked: http(json.dumps(twice)) if "containers" in asked else http("OK")):
        seen = ask(path)["pods"]
    assert sorted(pod["sandbox_ready"] for pod in seen) == [False, True]


def test_where_docker_hangs_the_manifests_are_seen_all_the_same(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with Server(path, lambda asked: None if "containers" in asked else http("OK")):
        seen = ask(path, manifests=str(tmp_path / "nowhere"))
    assert (seen["stopped"]["rung"], seen["stopped"]["kind"], seen["pods"]) == ("pods", "silent", None)
    assert seen["manifests"] is None


# ---- over the CRI


def labels(number: int, name: str, uid: str) -> bytes:
    return pairs(number, {f"io.kubernetes.pod.{key}": value for key, value in {"name": name, "uid": uid}.items()})


def sandbox(name: str, uid: str, *, ready: bool = True, created: int = 1, source: str = "") -> bytes:
    told = field(2, write_text(1, name), write_text(2, uid), write_text(3, "kube-system"))
    annotations = pairs(6, {"kubernetes.io/config.source": source} if source else {})
    return field(1, write_text(1, f"s-{name}"), told, numbers({3: 0 if ready else 1, 4: created}), annotations)


def container(number: str, uid: str, state: int, restarts: int) -> bytes:
    named = field(3, write_text(1, "main"), numbers({2: restarts}))
    image = field(4, write_text(1, "sha256:1"))
    return field(1, write_text(1, number), named, image, numbers({6: state, 7: 9}), labels(8, "web", uid))


def look_by_cri(path: pathlib.Path, **changed: str) -> Any:
    answers = {
        "v1/Version": "",
        "v1/ListPodSandbox": (sandbox("etcd-cp1", STATIC) + sandbox("web", DYNAMIC)).hex(),
        "v1/ListContainers": (container("1", STATIC, 1, 0) + container("2", DYNAMIC, 2, 7)).hex(),
        "v1/ContainerStatus": field(1, numbers({6: 5000, 7: 137})).hex(),
        "v1/ListImages": field(1, write_text(1, "sha256:1"), write_text(2, "etcd:3")).hex(),
    }
    want = pods.PodsWant(str(path), images=True, seconds=5.0)
    with serving(path, answers | {f"v1/{method}": answer for method, answer in changed.items()}):
        looks = Looks([want])
        seen: Any = dict(looks.results(time.monotonic() + 10))[want]
        looks.close()
    return pods.SHAPE(seen, "")


def ask_cri(path: pathlib.Path, **changed: str) -> list[tuple[Any, ...]]:
    return [
        (pod["name"], pod["static"], each["state"], each["restarts"], each["exit_code"], each["images"])
        for pod in look_by_cri(path, **changed)["pods"]
        for each in pod["containers"]
    ]


@needs_grpc
def test_a_cri_tells_when_a_container_ended(tmp_path: pathlib.Path) -> None:
    _, web = look_by_cri(tmp_path / "cri.sock")["pods"]
    assert [each["ended"] for each in web["containers"]] == [5e-6]


@needs_grpc
@pytest.mark.parametrize(("changed", "code"), [({}, 137), ({"ContainerStatus": "NOT_FOUND"}, None)])
def test_a_cri_tells_the_same(tmp_path: pathlib.Path, changed: dict[str, str], code: int | None) -> None:
    images = ["sha256:1", "etcd:3"]
    assert ask_cri(tmp_path / "cri.sock", **changed) == [
        ("etcd-cp1", True, "running", 0, None, images),
        ("web", False, "exited", 7, code, images),
    ]


@needs_grpc
def test_a_cri_tells_where_the_kubelet_has_a_pod_from(tmp_path: pathlib.Path) -> None:
    listed = sandbox("etcd-cp1", STATIC) + sandbox("web", DYNAMIC, source="file")
    seen = ask_cri(tmp_path / "cri.sock", ListPodSandbox=listed.hex())
    assert [pod[:2] for pod in seen] == [("etcd-cp1", True), ("web", True)]


# ---- which runtime


@pytest.mark.parametrize(
    ("flags", "settings", "expected"),
    [
        ("", "", ""),
        ('KUBELET_KUBEADM_ARGS="--network-plugin=cni --pod-infra-container-image=k8s.gcr.io/pause:3.2"\n', "", ""),
        ('ARGS="--container-runtime-endpoint=unix:///run/crio/crio.sock --a=b"\n', "", "/run/crio/crio.sock"),
        ('ARGS="--a --container-runtime-endpoint /run/x.sock"\n', "", "/run/x.sock"),
        ("", 'a: b\ncontainerRuntimeEndpoint: "unix:///run/y.sock"\n', "/run/y.sock"),
        ("", "containerRuntimeEndpoint: ''\n", ""),
        ("--container-runtime-endpoint=unix:///run/z.sock\n", "containerRuntimeEndpoint: unix:///y\n", "/run/z.sock"),
    ],
)
def test_the_runtime_is_the_one_that_the_kubelet_is_told(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, flags: str, settings: str, expected: str
) -> None:
    (tmp_path / "flags").write_text(flags)
    (tmp_path / "settings").write_text(settings)
    monkeypatch.setattr(_kubelet, "FLAG_FILE", str(tmp_path / "flags"))
    monkeypatch.setattr(_kubelet, "SETTING_FILES", (str(tmp_path / "nowhere"), str(tmp_path / "settings")))
    monkeypatch.setattr(_kubelet, "_command_line", lambda: "")
    assert _kubelet.endpoint() == expected


def test_what_a_kubelet_that_runs_was_told_counts_most() -> None:
    found = _kubelet.FLAG.search("/usr/bin/kubelet\0--container-runtime-endpoint=unix:///run/a.sock\0--v=2\0")
    assert found is not None
    assert found[1] == "unix:///run/a.sock"


@pytest.mark.parametrize("option", ["--config={}/config.json", "--config /no --config-dir {}/rke2.d"])
def test_a_kubelet_that_runs_is_told_by_the_files_of_its_command_line(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    (tmp_path / "config.json").write_text('{"containerRuntimeEndpoint": "unix:///var/run/crio/crio.sock"}')
    (tmp_path / "rke2.d").mkdir()
    (tmp_path / "rke2.d/00-defaults.conf").write_text("containerRuntimeEndpoint: unix:///run/crio/crio.sock\n")
    words = ["/usr/bin/kubelet", *option.format(tmp_path).split()]
    monkeypatch.setattr(_kubelet, "_command_line", lambda: "\0".join(words))
    assert _kubelet.endpoint() == "/run/crio/crio.sock"


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([], ""),
        (["docker"], "docker"),
        (["docker", "cri"], "cri"),
        (["docker", "cri", "dockershim"], "docker"),
        (["cri", "dockershim"], "cri"),
    ],
)
def test_without_a_word_to_the_kubelet_its_own_socket_tells_that_docker_is_used(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, there: list[str], expected: str
) -> None:
    for name in there:
        (tmp_path / name).touch()
    monkeypatch.setattr(_kubelet, "endpoint", lambda: "")
    monkeypatch.setattr(_kubelet, "CRI_SOCKETS", (str(tmp_path / "cri"),))
    monkeypatch.setattr(_dockerapi, "SOCKET", str(tmp_path / "docker"))
    monkeypatch.setattr(pods, "DOCKERSHIM", str(tmp_path / "dockershim"))
    assert pods._find_socket() == (str(tmp_path / expected) if expected else "")
