"""The package for Debian on real nodes: installed, run, upgraded, removed and purged; what stays, and what must not."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from packages import CHECKOUT, copy_to, make

from nodecheck import __version__

from .machine import Machine

OLD, NEW = "0.0.1", __version__
SETTINGS = "/etc/nodecheck/nodecheck.yaml"
INSTALL = "apt-get install ./dist/nodecheck_*_all.deb"
OWN = "vars: {disk_used_critical: 96%}"
SHIPPED = "/usr/share/nodecheck/checks.d"
STATE = "/var/lib/nodecheck"
UNITS = ("systemctl", "list-units", "--plain", "--no-legend", "nodecheck*")
LINKS = "/etc/systemd/system/timers.target.wants"
# What any package leaves, and what a node writes by itself.
OF_OTHERS = ("/var/log", "/var/cache", "/var/lib/apt", "/var/lib/dpkg", "/var/lib/systemd/catalog", "/root")
SLOW = """
- name: Slow
  hosts: all
  checks:
    - name: It takes its time
      command: {run: "sleep 8; [ -e /run/ended ] || date +%s >/run/ended", shell: true}
      timeout: 20s
"""


class Host:
    """A node on which nodecheck comes as a package."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.files = self.all_files()

    def run(self, *argv: str) -> str:
        """Run a command that ends well; return what it says."""
        return self.machine.run(*argv, timeout=120).stdout.strip()

    def asked(self, *argv: str) -> str:
        """Run a command that may end as it likes; return what it says."""
        return self.machine.run(*argv, check=False).stdout.strip()

    def install(self, version: str, *options: str) -> None:
        """Install a version as README says."""
        # The node has no network: what the package depends on is there, what it recommends cannot be had.
        command = INSTALL.replace("install", f"install -y --no-install-recommends {' '.join(options)}")
        self.run("sh", "-c", f"cd /root/{version} && DEBIAN_FRONTEND=noninteractive {command}")

    def report(self) -> dict[str, Any]:
        """Judge the node by the installed definitions; return the report."""
        ended = self.machine.run("nodecheck", "run", "-o", "json", "--events", "never", check=False)
        assert ended.returncode in (0, 1, 2), ended.stdout + ended.stderr
        report: dict[str, Any] = json.loads(ended.stdout)
        return report

    def all_files(self) -> set[str]:
        """All that is on the node's disk, but for what is not of one package."""
        return {
            path
            for path in self.run("find", "/", "/run/systemd/system", "-xdev").splitlines()
            if not path.startswith(OF_OTHERS) and "/__pycache__" not in path.replace("/usr/lib/nodecheck", "")
        }

    def exists(self, *paths: str) -> list[str]:
        """Those of these paths that are there."""
        return [path for path in paths if self.machine.run("test", "-e", path, check=False).returncode == 0]

    def state(self, unit: str) -> tuple[str, str]:
        """Whether a unit is enabled, and whether it is active."""
        return self.asked("systemctl", "is-enabled", unit), self.show(unit, "ActiveState")

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "--value", "-p", name, unit)


@pytest.fixture(scope="module")
def packages(node_possible: None, tmp_path_factory: pytest.TempPathFactory) -> list[pathlib.Path]:
    """The package, and one of an earlier version, whose settings were others."""
    earlier, copy = copy_to(tmp_path_factory.mktemp("earlier")), copy_to(tmp_path_factory.mktemp("now"))
    with (earlier / ".packaging/nodecheck.yaml").open("a") as settings:
        settings.write("# of an earlier version\n")
    return [*make(earlier, "deb", f"VERSION={OLD}").glob("*.deb"), *make(copy, "deb").glob("*.deb")]


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def booted(request: pytest.FixtureRequest, packages: list[pathlib.Path]) -> Iterator[Host]:
    """A node with what nodecheck depends on, and without nodecheck."""
    with Machine(request.param) as machine:
        for package in packages:
            machine.put(package, f"/root/{package.name.split('_')[1]}/dist/{package.name}", 0o644)
        yield Host(machine)


@pytest.fixture
def host(booted: Host) -> Iterator[Host]:
    """The node; afterwards it is as before."""
    yield booted
    booted.asked("dpkg", "--purge", "nodecheck")
    booted.run("rm", "-rf", "/etc/nodecheck")
    booted.run("systemctl", "daemon-reload")


def test_installed_it_runs_by_the_words_of_the_readme(host: Host) -> None:
    assert f"make deb\nsudo {INSTALL}\n" in (CHECKOUT / "README.md").read_text()
    host.install(NEW)

    assert f"{NEW} installed" == host.run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", "nodecheck")
    assert {timer: host.state(timer) for timer in ("nodecheck.timer", "nodecheck@quick.timer")} == {
        "nodecheck.timer": ("enabled", "active"),
        "nodecheck@quick.timer": ("disabled", "inactive"),
    }
    assert host.asked("systemctl", "is-enabled", "nodecheck.service") == "static"
    assert {result["source"].rpartition("/")[0] for result in host.report()["results"]} == {SHIPPED}
    host.run("systemctl", "start", "nodecheck.service")
    assert host.show("nodecheck.service", "Result") == "success"


def test_installed_it_is_whole_and_compiled_for_the_python_of_the_node(host: Host) -> None:
    host.install(NEW)

    assert host.run("dpkg", "--verify", "nodecheck") == ""
    tag = host.run("/usr/bin/python3", "-c", "import sys; print(sys.implementation.cache_tag)")
    there = [f"/usr/lib/nodecheck/nodecheck/__pycache__/__main__.{tag}.pyc", "/usr/share/man/man1/nodecheck.1.gz"]
    assert there == host.exists(*there)
    assert "Defined-By: nodecheck" in host.run("journalctl", "--dump-catalog")


def test_an_upgrade_keeps_what_is_yours_and_waits_for_a_run_that_is_under_way(host: Host) -> None:
    host.install(OLD)
    before = max(result["streak"] for result in host.report()["results"])
    host.run("rm", "-f", "/run/ended")
    host.machine.write_file(SETTINGS, OWN)
    host.machine.write_file("/etc/nodecheck/checks.d/own.yaml", SLOW)
    host.run("systemctl", "enable", "--now", "nodecheck@quick.timer")
    host.run("systemctl", "start", "--no-block", "nodecheck.service")
    assert host.show("nodecheck.service", "ActiveState") == "activating"

    host.install(NEW, "-o", "Dpkg::Options::=--force-confold")

    unpacked = host.run("stat", "-c", "%Z", "/usr/lib/nodecheck/nodecheck/__init__.py")
    assert int(host.run("cat", "/run/ended")) <= int(unpacked)
    assert (host.run("dpkg-query", "-W", "-f", "${Version}", "nodecheck"), host.run("cat", SETTINGS)) == (NEW, OWN)
    timers = ("nodecheck.timer", "nodecheck@quick.timer")
    assert [host.state(timer) for timer in timers] == [("enabled", "active")] * 2
    host.run("rm", "/etc/nodecheck/checks.d/own.yaml")
    assert max(result["streak"] for result in host.report()["results"]) > before


def test_an_upgrade_brings_new_settings_to_who_changed_none_and_leaves_off_what_is_off(host: Host) -> None:
    host.install(OLD)
    assert "earlier version" in host.run("cat", SETTINGS)
    host.run("systemctl", "disable", "--now", "nodecheck.timer")

    host.install(NEW)

    assert "earlier version" not in host.run("cat", SETTINGS)
    assert host.state("nodecheck.timer") == ("disabled", "inactive")


def test_removed_its_settings_and_memory_stay_nothing_runs_and_it_can_come_back(host: Host) -> None:
    host.install(NEW)
    host.report()
    host.run("apt-get", "remove", "-y", "nodecheck")

    stays = [SETTINGS, "/etc/nodecheck/checks.d/README", STATE]
    assert stays == host.exists(*stays, "/usr/lib/nodecheck", "/usr/share/nodecheck", "/usr/bin/nodecheck")
    assert host.asked(*UNITS, "--state=active") == ""
    assert "nodecheck" not in host.run("journalctl", "--dump-catalog")

    host.install(NEW)
    assert host.state("nodecheck.timer") == ("enabled", "active")


def test_purged_nothing_is_left_but_definitions_of_yours(host: Host) -> None:
    host.install(OLD)
    host.machine.write_file(SETTINGS, OWN)
    host.install(NEW, "-o", "Dpkg::Options::=--force-confold")
    host.machine.write_file("/etc/nodecheck/checks.d/own.yaml", SLOW.replace("sleep 8", "true"))
    host.run("systemctl", "enable", "--now", "nodecheck@quick.timer", "nodecheck@deep.timer")
    host.report()
    host.asked("systemctl", "start", "nodecheck@no-such-tag.service")
    assert host.asked("systemctl", "is-failed", "nodecheck@no-such-tag.service") == "failed"
    there = [STATE, f"{LINKS}/nodecheck.timer", f"{LINKS}/nodecheck@deep.timer", f"{SETTINGS}.dpkg-dist"]
    assert there == host.exists(*there)

    host.run("apt-get", "purge", "-y", "nodecheck")

    assert host.run("find", "/etc/nodecheck", "-type", "f") == "/etc/nodecheck/checks.d/own.yaml"
    host.run("rm", "-r", "/etc/nodecheck")
    assert host.run("find", "/", "/run", "-xdev", "-name", "*nodecheck*", "!", "-path", "/root/*") == ""
    assert host.asked("grep", "-rls", "nodecheck", "/etc", "/var/lib/systemd") == ""
    assert host.asked(*UNITS, "--all") == ""
    assert host.all_files() - host.files == set()
