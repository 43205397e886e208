"""The collection for Ansible, without a host: what its module tells of what nodecheck said, and that its parts agree.

The real thing is in tests/node/test_ansible.py.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import time
from typing import Any

import pytest
import yaml
from commandline import CHECKOUT, CRITICAL, PYTHON, UNSEEN, WELL, Cli

from nodecheck import __version__

COLLECTION = CHECKOUT / "ansible"
ROLE = COLLECTION / "roles/nodecheck"
RECORDED = CHECKOUT / "tests/packs/nodes/worker.json"


class Host(Cli):
    """A folder that has nodecheck in it, and Ansible's module run there as Ansible runs it."""

    def install(self, script: str) -> None:
        """Put a program that is called nodecheck where it is found."""
        program = self.folder / "bin/nodecheck"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def module(self, **arguments: Any) -> dict[str, Any]:
        """Return what the module told, and whether it `failed`."""
        ended = subprocess.run(
            [sys.executable, COLLECTION / "plugins/modules/nodecheck.py"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            env=self.environment(PATH=f"{self.folder}/bin:/usr/bin:/bin"),
            cwd=self.folder, capture_output=True, encoding="utf-8", timeout=60, check=False,
        )  # fmt: skip
        told: dict[str, Any] = {"failed": False} | json.loads(ended.stdout)
        assert (ended.returncode != 0, "Traceback" in ended.stderr) == (told["failed"], False), ended.stderr
        return told


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Host:
    """Return a host with the real nodecheck, which judges a recorded node."""
    made = Host(tmp_path)
    made.install(f'echo "$@" >{tmp_path}/asked\nexec {PYTHON} -m nodecheck "$@" --replay {RECORDED}')
    return made


def test_a_host_that_is_well_is_told_in_a_line(host: Host) -> None:
    told = host.module(checks=[str(CHECKOUT / "checks.d")], tags=["quick"])
    summary = told["report"]["summary"]
    assert told["msg"] == f"w1 is well: {summary['ok']} ok, {summary['skipped']} skipped"
    assert (told["failed"], told["changed"], told["exit_code"], told["problems"]) == (False, False, 0, [])
    assert (told["report"]["schema"], told["report"]["results"]) == ("nodecheck.report/1", [])


def test_the_whole_report_is_there_when_it_is_wanted(host: Host) -> None:
    told = host.module(checks=[str(CHECKOUT / "checks.d")], quiet=False)
    assert len(told["report"]["results"]) == sum(told["report"]["summary"].values())


def test_a_critical_host_fails_and_names_its_problems_the_worst_first(host: Host) -> None:
    host.write(f"Seen | {WELL}", f"Dark | {UNSEEN}", f"Late | {CRITICAL} | severity: warning", f"Gone | {CRITICAL}")
    told = host.module(checks=["checks.yaml"])
    assert [line.split(": ")[:2] for line in told["problems"]] == [
        ["critical", "Gone"], ["unknown", "Dark"], ["warning", "Late"],
    ]  # fmt: skip
    assert told["msg"].splitlines() == [
        "w1 is critical: 1 ok, 1 warning, 1 critical, 1 unknown",
        *told["problems"],
    ]
    assert (told["failed"], told["status"], told["exit_code"]) == (True, "critical", 2)
    assert [result["name"] for result in told["report"]["results"]] == ["Dark", "Late", "Gone"]


@pytest.mark.parametrize(
    ("check", "fails"),
    [
        (WELL, []),
        (f"{CRITICAL} | severity: info", []),
        (f"{CRITICAL} | severity: warning", ["warning"]),
        (UNSEEN, ["unknown", "warning"]),
        (CRITICAL, ["critical", "unknown", "warning"]),
    ],
)
def test_it_fails_on_what_it_is_told_to_fail_on_and_on_worse(host: Host, check: str, fails: list[str]) -> None:
    host.write(f"A | {check}")
    modes = ("critical", "unknown", "warning", "never")
    assert [mode for mode in modes if host.module(checks=["checks.yaml"], fail_on=mode)["failed"]] == fails


def test_each_argument_becomes_the_option_of_that_name(host: Host) -> None:
    host.write("A | process: {name: '{{ wanted }}', count: 0} | tags: [a]", f"B | {CRITICAL} | tags: [a, b]")
    told = host.module(
        checks=["checks.yaml"],
        tags=["a"],
        skip_tags=["b"],
        budget="7s",
        extra_vars={"wanted": "no such 'näme' \N{FIRE}"},
    )
    assert (told["failed"], told["report"]["budget_seconds"], told["report"]["summary"]["ok"]) == (False, 7.0, 1)


def test_nothing_is_remembered_or_told_so_that_the_timers_own_runs_miss_nothing(host: Host) -> None:
    host.write(f"A | {CRITICAL}")
    host.module(checks=["checks.yaml"], _ansible_check_mode=True)
    assert "--state none --events never" in (host.folder / "asked").read_text()


def test_a_host_without_nodecheck_says_what_to_do(tmp_path: pathlib.Path) -> None:
    told = Host(tmp_path).module()
    assert told["failed"]
    assert told["msg"] == (
        "nodecheck is not installed on this host: install its package, "
        "for example with the role nodecheck.nodecheck.nodecheck"
    )


@pytest.mark.parametrize(
    ("written", "arguments", "says"),
    [
        (f"A | {CRITICAL}".replace("process", "proces"), {}, "did you mean process?"),
        (f"A | {CRITICAL}", {"tags": ["b"]}, "no check has the tag 'b'"),
        (f"A | {CRITICAL}", {"budget": "soon"}, "--budget: expected a time with its unit"),
    ],
)
def test_unusable_definitions_and_arguments_fail_with_the_words_of_nodecheck(
    host: Host, written: str, arguments: dict[str, Any], says: str
) -> None:
    host.write(written)
    told = host.module(checks=["checks.yaml"], fail_on="never", **arguments)
    assert (told["failed"], told["exit_code"], "report" in told) == (True, 3, False)
    assert told["msg"].startswith("nodecheck could not judge this host:\n")
    assert says in told["msg"]


def test_a_helper_that_hangs_in_the_kernel_does_not_keep_the_module(host: Host) -> None:
    """It is left behind by the run, and still holds what it has open."""
    host.write(f"A | {WELL}")
    host.install(f'sleep 30 &\nexec {PYTHON} -m nodecheck "$@" --replay {RECORDED}')
    started = time.monotonic()
    assert host.module(checks=["checks.yaml"])["status"] == "ok"
    assert time.monotonic() - started < 15


def test_the_collection_has_the_version_and_the_licence_of_nodecheck() -> None:
    assert yaml.safe_load((COLLECTION / "galaxy.yml").read_text())["version"] == __version__
    assert (COLLECTION / "LICENSE").read_text() == (CHECKOUT / "LICENSE").read_text()


def test_each_variable_of_the_role_is_documented_with_its_default() -> None:
    documented = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    assert {name: option["default"] for name, option in documented.items()} == defaults


@pytest.mark.parametrize("kind", ["module", "role"])
def test_ansible_doc_renders_it(tmp_path: pathlib.Path, kind: str) -> None:
    place = tmp_path / "ansible_collections/nodecheck"
    place.mkdir(parents=True)
    (place / "nodecheck").symlink_to(COLLECTION)
    ended = subprocess.run(
        [pathlib.Path(sys.executable).with_name("ansible-doc"), "-t", kind, "nodecheck.nodecheck.nodecheck"],
        env=Cli(tmp_path).environment(ANSIBLE_COLLECTIONS_PATH=str(tmp_path), LC_ALL="C.UTF-8", HOME=str(tmp_path)),
        capture_output=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, "fail_on" in ended.stdout or "nodecheck_checks" in ended.stdout) == (0, True), ended
