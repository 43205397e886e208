"""The shipped definitions, on recorded nodes to which something has happened: packs/ holds the cases."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from nodecheck.checks.command import Command
from nodecheck.definitions.sources import read_definitions
from nodecheck.engine.cases import judge, read_cases
from nodecheck.engine.known import names_of, variables_of
from nodecheck.node.recordfile import read

if TYPE_CHECKING:
    from nodecheck.engine.cases import Case

CHECKOUT = pathlib.Path(__file__).parents[1]
CASES = [case for path in sorted((CHECKOUT / "tests/packs").glob("*.yaml")) for case in read_cases(str(path))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_shipped_check_says_what_its_case_expects(case: Case) -> None:
    assert judge(case, [str(CHECKOUT / "checks.d")], {}).differences == ()


def test_each_shipped_check_is_quick_or_deep_or_only_made_when_asked_for() -> None:
    node = read(str(CHECKOUT / "tests/packs/nodes/control-plane.json"))
    plays = read_definitions([str(CHECKOUT / "checks.d")], variables_of(node), {}, names_of(node)).plays
    found = {check.name: check.tags & {"quick", "deep", "never"} for play in plays for check in play.checks}
    assert len(found) > 200
    assert [name for name, depth in found.items() if not depth or {"quick", "deep"} <= depth] == []


@pytest.mark.parametrize("file", sorted(path.name for path in (CHECKOUT / "checks.d").glob("*.yaml")))
def test_each_shipped_file_has_a_check_that_a_case_breaks(file: str) -> None:
    names = {
        expected.check.partition(" (")[0]  # of a loop, without the item
        for case in CASES
        for expected in case.expected
        if expected.status in ("critical", "warning")
    }
    text = (CHECKOUT / "checks.d" / file).read_text()
    assert [name for name in names if name in text]


def test_no_remedy_overwrites_what_another_one_writes() -> None:
    """A person types one after the other, in any order: the second must not undo the first."""
    text = "".join(path.read_text() for path in sorted((CHECKOUT / "checks.d").glob("*.yaml")))
    written = re.findall(r"\S (>>?) (/etc/[a-z-]+\.d/\S+[a-z])", text)
    assert len(written) > 3
    assert [file for how, file in written if how == ">"] == []


def test_a_libvirtd_that_has_just_forked_is_looked_at_again() -> None:
    node = read(str(CHECKOUT / "tests/packs/nodes/hypervisor.json"))
    plays = read_definitions([str(CHECKOUT / "checks.d")], variables_of(node), {}, names_of(node)).plays
    (check,) = (each for play in plays for each in play.checks if each.name.startswith("There is at most one libvirtd"))
    assert (check.retries, check.delay) == (3, 1.0)


def test_no_remedy_before_kubeadm_begins_a_cluster() -> None:
    """A host that is to join one is told it, too."""
    text = (CHECKOUT / "checks.d/50-preflight-init.yaml").read_text()
    assert re.findall(r"^ +(?:remedy: )?(kubeadm (?:init|join)\b.*)", text, re.MULTILINE) == []


@pytest.mark.parametrize(
    ("kubeadm", "kubelet", "expected"),
    [
        ("v1.34.1", "v1.31.9", 0),
        ("v1.34.1", "v1.30.9", 1),
        ("v1.34.1", "v1.35.0", 1),
        ("v1.29.0", "v1.26.4", 0),
        ("v1.28.2", "v1.27.4", 0),
        ("v1.28.2", "v1.26.4", 1),  # "Kubelet version is lower than kubeadm can support"
    ],
)
def test_the_kubelet_may_be_as_old_as_its_kubeadm_lets_it(
    tmp_path: pathlib.Path, kubeadm: str, kubelet: str, expected: int
) -> None:
    for name, version in (("kubeadm", kubeadm), ("kubelet", f"Kubernetes {kubelet}")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    assert expected == _ends("The kubelet is as new as kubeadm", tmp_path)


@pytest.mark.parametrize(("kubeadm", "expected"), [("v1.30.4", 1), ("v1.31.0", 0)])
def test_crictl_is_wanted_by_an_old_kubeadm_alone(tmp_path: pathlib.Path, kubeadm: str, expected: int) -> None:
    (tmp_path / "kubeadm").write_text(f"#!/bin/sh\necho {kubeadm}\n")
    (tmp_path / "kubeadm").chmod(0o755)
    assert expected == _ends("crictl is in PATH", tmp_path)


@pytest.mark.parametrize("client", ["mariadb-admin", "mysqladmin"])
def test_mariadb_is_asked_by_the_client_that_is_there_and_its_certificate_is_not_verified(
    tmp_path: pathlib.Path, client: str
) -> None:
    """That of 11.4 says "TLS/SSL error: self-signed certificate", and ends as if nobody answered."""
    (tmp_path / client).write_text('#!/bin/sh\ncase "$*" in *-verify-server-cert=0*ping) ;; *) exit 1;; esac\n')
    (tmp_path / client).chmod(0o755)
    assert _ends("MariaDB answers", tmp_path, "hypervisor") == 0


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ready\\tON connected\\tON cluster_status\\tPrimary local_state_comment\\tSynced", 0),
        ("ready\\tON connected\\tON cluster_status\\tPrimary local_state_comment\\tDonor/Desynced", 0),
        ("ready\\tOFF connected\\tON cluster_status\\tnon-Primary local_state_comment\\tInitialized", 2),
        ("ready\\tOFF connected\\tOFF cluster_status\\tDisconnected", 2),
        ("", 3),  # root has a password
    ],
)
def test_a_galera_cluster_of_which_root_is_told_nothing_is_not_said_to_be_left(
    tmp_path: pathlib.Path, said: str, expected: int
) -> None:
    lines = "".join(f"wsrep_{line}\\n" for line in said.split())
    answer = f"printf '{lines}'" if said else "echo 'ERROR 1045 (28000): Access denied' >&2; exit 1"
    (tmp_path / "mariadb").write_text(f"#!/bin/sh\n{answer}\n")
    (tmp_path / "mariadb").chmod(0o755)
    assert expected == _ends("The node takes part in its Galera cluster", tmp_path, "hypervisor")


def _ends(name: str, folder: pathlib.Path, record: str = "node-bare") -> int:
    """Return the exit code of the command of a shipped check, where there are no programs but these, cut and grep."""
    node = read(str(CHECKOUT / f"tests/packs/nodes/{record}.json"))
    plays = read_definitions([str(CHECKOUT / "checks.d")], variables_of(node), {}, names_of(node)).plays
    (check,) = (each.check for play in plays for each in play.checks if each.name.startswith(name))
    assert isinstance(check, Command)
    for program in ("cut", "grep"):
        (folder / program).symlink_to(shutil.which(program) or f"/usr/bin/{program}")
    return subprocess.run(["/bin/sh", "-c", check.run[0]], env={"PATH": str(folder)}, check=False).returncode
