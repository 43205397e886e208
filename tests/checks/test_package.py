from __future__ import annotations

from typing import Any

import pytest
from fakes import make, node, status_of, statuses, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN


def package(version: str = "1.20.2-00", **fields: Any) -> dict[str, Any]:
    """Return a package that is installed."""
    return {"version": version, "architecture": "amd64", "state": "installed", "broken": False, "held": False} | fields


def seen(*names: str, manager: str = "dpkg", **packages: list[dict[str, Any]]) -> Node:
    made = node()
    known = {name: packages.get(name, []) for name in names}
    made.observed.windows = {"package": {" ".join(names): {"manager": manager, "packages": known}}}
    return made


@pytest.mark.parametrize(
    ("arguments", "packages", "status", "message"),
    [
        ({}, [package()], OK, "kubelet 1.20.2-00 is installed"),
        ({}, [], CRITICAL, "kubelet is not installed"),
        ({}, [package(state="config-files")], CRITICAL, "kubelet is not installed"),
        ({}, [package(state="not-installed", version="")], CRITICAL, "kubelet is not installed"),
        ({}, [package(state="triggers-pending")], OK, "kubelet 1.20.2-00 is installed"),
        (
            {},
            [package(state="half-configured")],
            CRITICAL,
            "kubelet 1.20.2-00 is half-configured: its installation did not come to its end",
        ),
        (
            {},
            [package(broken=True)],
            CRITICAL,
            "kubelet 1.20.2-00 is in need of a new installation: its installation did not come to its end",
        ),
        ({"installed": False}, [], OK, "kubelet is not installed"),
        ({"installed": False}, [package(state="config-files")], OK, "kubelet is not installed"),
        ({"installed": False}, [package()], CRITICAL, "kubelet 1.20.2-00 is installed"),
        ({"installed": False}, [package(state="half-installed")], CRITICAL, "kubelet 1.20.2-00 is installed"),
    ],
)
def test_whether_it_is_installed(
    arguments: dict[str, Any], packages: list[dict[str, Any]], status: Status, message: str
) -> None:
    check, made = make("package", name="kubelet", **arguments), seen("kubelet", kubelet=packages)
    assert statuses(check, made) == {"installed": status}
    assert told(check, made) == message


@pytest.mark.parametrize(
    ("arguments", "version", "status", "message"),
    [
        ({"version": "1.20.2-00"}, "1.20.2-00", OK, None),
        ({"version": "/^1[.]20[.]/"}, "1.21.0-00", CRITICAL, None),
        ({"at_least": "1.20.2"}, "1.20.2-00", OK, None),
        (
            {"at_least": "1.20.10"},
            "1.20.2-00",
            CRITICAL,
            "version of kubelet is 1.20.2-00, expected at least 1.20.10",
        ),
        ({"older_than": "1.21"}, "1.20.99-00", OK, None),
        ({"older_than": "1.21"}, "1.21.0-00", CRITICAL, "version of kubelet is 1.21.0-00, expected older than 1.21"),
        ({"older_than": "1.21"}, "5:1.20.0-00", OK, None),
        ({"at_least": "1.0"}, "what is this", UNKNOWN, "the version of kubelet, 'what is this', cannot be read"),
    ],
)
def test_its_version_is_judged(arguments: dict[str, Any], version: str, status: Status, message: str | None) -> None:
    check, made = make("package", name="kubelet", **arguments), seen("kubelet", kubelet=[package(version)])
    assert [*statuses(check, made).values()] == [OK, status]
    assert message in (None, told(check, made))


# dnf keeps three of these, and boots the newest; whoever went back has the older one behind it in rpm's list.
KERNELS = [package(version, architecture="x86_64") for version in ("5.14.0-427.el9", "5.14.0-503.el9", "5.14.0-70.el9")]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({"at_least": "5.14.0-503"}, OK),
        ({"at_least": "5.14.0-570"}, CRITICAL),
        ({"older_than": "5.14.0-503"}, CRITICAL),
        ({"version": "/-503[.]/"}, OK),
    ],
)
def test_of_several_versions_side_by_side_the_newest_counts(arguments: dict[str, Any], status: Status) -> None:
    check, made = make("package", name="kernel", **arguments), seen("kernel", manager="rpm", kernel=KERNELS)
    assert [*statuses(check, made).values()] == [OK, status]


def test_each_architecture_counts() -> None:
    both = [package("2.36-9"), package("2.36-8", architecture="i386")]
    check = make("package", name="libc6", at_least="2.36-9")
    assert status_of(check, seen("libc6", libc6=both)) is CRITICAL


@pytest.mark.parametrize(
    ("arguments", "other", "status", "message"),
    [
        ({"same_version": "kubeadm"}, "1.20.2-01", OK, "kubelet 1.20.2-00 is installed; kubelet is"),
        (
            {"same_version": "kubeadm"},
            "1.20.3-00",
            CRITICAL,
            "kubelet is 1.20.2-00 and kubeadm is 1.20.3-00, expected the same version",
        ),
        (
            {"same_version": ["kubeadm"]},
            "",
            CRITICAL,
            "kubeadm is not installed, so that its version cannot be compared with 1.20.2-00",
        ),
        ({"skew_with": "kubeadm"}, "1.21.9-00", OK, None),
        (
            {"skew_with": "kubeadm"},
            "1.22.0-00",
            CRITICAL,
            "kubelet 1.20.2-00 is 2 minor versions apart from kubeadm 1.22.0-00, expected <= 1",
        ),
        ({"skew_with": "kubeadm", "skew": "<= 2"}, "1.22.0-00", OK, None),
        ({"skew_with": "kubeadm", "skew": 0}, "1.19.0-00", CRITICAL, None),
        (
            {"skew_with": "kubeadm"},
            "2.20.0-00",
            CRITICAL,
            "kubelet 1.20.2-00 is a major version apart from kubeadm 2.20.0-00, expected <= 1",
        ),
        ({"skew_with": "kubeadm"}, "", CRITICAL, None),
        ({"skew_with": "kubeadm"}, "20240101", UNKNOWN, "20240101 has no minor version"),
    ],
)
def test_it_is_compared_with_others(arguments: dict[str, Any], other: str, status: Status, message: str | None) -> None:
    check = make("package", name="kubelet", **arguments)
    made = seen("kubelet", "kubeadm", kubelet=[package()], kubeadm=[package(other)] if other else [])
    assert [*statuses(check, made).values()] == [OK, status]
    if message and status is not OK:
        assert told(check, made) == message


@pytest.mark.parametrize(
    ("held", "expected", "status"),
    [(True, True, OK), (False, True, CRITICAL), (True, False, CRITICAL), (None, True, UNKNOWN)],
)
def test_whether_it_is_held(held: bool | None, expected: bool, status: Status) -> None:
    check = make("package", name="kubelet", held=expected)
    assert statuses(check, seen("kubelet", kubelet=[package(held=held)])) == {"installed": OK, "held": status}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"at_least": "1.20"}, ()),
        ({"at_least": ">= 1.20"}, ("at_least",)),
        ({"older_than": "new"}, ()),
        ({"skew": 1}, ("skew",)),
        ({"installed": False}, ()),
        ({"installed": False, "version": "1"}, ("installed",)),
        ({"installed": False, "held": True}, ("installed",)),
    ],
)
def test_what_cannot_be_meant_is_a_mistake(arguments: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert expected == tuple(name for name, _, _ in make("package", name="x", **arguments).mistakes())


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "libc6:amd64"},
        {"name": "x", "same_version": ["y", "libc6:amd64"]},
        {"name": "x", "skew_with": "libc6:amd64"},
    ],
)
def test_a_name_as_dpkg_lists_it_names_an_architecture_too(arguments: dict[str, Any]) -> None:
    mistakes = list(make("package", **arguments).mistakes())

    assert [([*arguments][-1], "'libc6:amd64' names an architecture too", "write libc6")] == mistakes
