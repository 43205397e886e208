"""The collection for Ansible on three real nodes, by ssh: the second of them is the sick one."""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator

import pytest

from nodecheck import __version__

from .conftest import CHECKOUT
from .fleet import NAMES, Ended, Fleet, make_package

ROLE = "nodecheck.nodecheck.nodecheck"
UNIT = "[Service]\nExecStart=/usr/bin/sleep infinity\n"
WEB = """
- name: Web
  hosts: web
  checks:
    - name: web.service is healthy
      unit: {name: web.service}
      tags: quick
"""
# It needs what another file and a shipped one have; for nodecheck to fill in is what is raw.
STORAGE = """
- name: Storage
  hosts: storage
  checks:
    - name: "{{ 'a program' }} is {% raw %}{{ item }}{% endraw %}"
      needs: [web.service is healthy, systemd answers and is well]
      process: {name: sleep, count: ">= {% raw %}{{ sleepers }}{% endraw %}"}
      loop: [there]
"""
METRICS = "[Service]\nUMask=0022\n"
SITE = f"""
- name: Hosts that know how they are
  hosts: all
  become: true
  gather_facts: false
  roles:
    - role: {ROLE}
      nodecheck_deb: nodecheck.deb
      nodecheck_vars: {{sleepers: "{{{{ sleepers | default(1) | string }}}}"}}
      nodecheck_events: {{to: [journal]}}
      nodecheck_checks: [50-web.yaml, 60-storage.yaml.j2]
      nodecheck_drop_ins: [{{unit: nodecheck@quick.service, src: metrics.conf}}]
      nodecheck_timers: [nodecheck@quick.timer, nodecheck@deep.timer]
"""
ROLLING = """
- name: Upgrade one node after the other
  hosts: web
  serial: 1
  become: true
  gather_facts: false
  tasks:
    - name: Upgrade it
      ansible.builtin.command: touch /run/upgraded
      changed_when: true

    - name: Go on only with a node that is healthy
      nodecheck.nodecheck.nodecheck:
        tags: quick
"""
SICK = {"node1": 0, "node2": 2, "node3": 0}  # what nodecheck ends with on each
LAID = "find /etc/nodecheck /etc/systemd/system /usr/bin/nodecheck ! -type d -exec md5sum {} + 2>/dev/null || true"
CONSOLE = re.compile(r"^## On many hosts$.*?```console\n(.*?)```", re.DOTALL | re.MULTILINE)


def readme() -> list[list[str]]:
    """The commands that the README shows for many hosts."""
    [block] = CONSOLE.findall((CHECKOUT / "README.md").read_text())
    return [line.partition("#")[0].split() for line in block.splitlines()]


@dataclasses.dataclass
class Story:
    """What came of it when the role came to nodes that had no nodecheck."""

    installed: Ended
    missing: Ended
    tried: Ended
    laid_by_trying: dict[str, str]
    applied: Ended
    again: Ended


@pytest.fixture(scope="module")
def fleet(node_possible: None, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]) -> Iterator[Fleet]:
    """Three nodes with a web server; that of the second one was killed."""
    folder = tmp_path_factory.mktemp("fleet")
    make_package(CHECKOUT, folder / "nodecheck.deb", __version__)
    for name, text in (("50-web.yaml", WEB), ("60-storage.yaml.j2", STORAGE), ("metrics.conf", METRICS)):
        (folder / name).write_text(text)
    (folder / "ansible").symlink_to(CHECKOUT / "ansible")
    with Fleet(folder, say) as fleet:
        for node in fleet.nodes.values():
            node.write_file("/etc/systemd/system/web.service", UNIT)
            node.run("systemctl", "start", "web.service")
        fleet.nodes["node2"].run("systemctl", "kill", "--signal=KILL", "web.service")
        yield fleet


@pytest.fixture(scope="module")
def story(fleet: Fleet) -> Story:
    """The role, first tried and then applied, twice."""
    program, *arguments = next(line for line in readme() if line[0] == "ansible-galaxy")
    return Story(
        installed=fleet.run(program, *arguments),
        missing=fleet.run("ansible", "all", "-b", "-m", ROLE),
        tried=fleet.play(SITE, "--check", "--diff"),
        laid_by_trying=laid(fleet, "nodecheck"),
        applied=fleet.play(SITE),
        again=fleet.play(SITE),
    )


def laid(fleet: Fleet, part: str = "") -> dict[str, str]:
    """The files that the role might have laid down on each node, with their sums."""
    said = {name: node.run("sh", "-c", LAID).stdout for name, node in fleet.nodes.items()}
    return {name: "\n".join(line for line in text.splitlines() if part in line) for name, text in said.items()}


def all_nodes(value: object) -> dict[str, object]:
    """The same for each node."""
    return dict.fromkeys(NAMES, value)


def told(output: str) -> dict[str, dict[str, object]]:
    """What the module told of each host, in an ad hoc call."""
    found = re.findall(r"^(\w+) \| (?:SUCCESS|FAILED!) => (\{\n.*?^\})", output, re.DOTALL | re.MULTILINE)
    return {name: json.loads(text) for name, text in found}


def test_the_readme_shows_two_commands_and_both_are_run_here() -> None:
    assert [line[0] for line in readme()] == ["ansible-galaxy", "ansible"]


def test_a_host_without_nodecheck_fails_in_plain_words(story: Story) -> None:
    assert story.installed.code == 0, story.installed.output
    assert {name: one["msg"] for name, one in told(story.missing.output).items()} == all_nodes(
        "nodecheck is not installed on this host: install its package, "
        "for example with the role nodecheck.nodecheck.nodecheck"
    )


def test_check_mode_tells_on_a_bare_host_what_it_would_do_and_does_nothing(story: Story) -> None:
    assert story.tried.recap("failed") == all_nodes(0), story.tried.output
    assert "+- name: Web" in story.tried.output
    assert story.laid_by_trying == all_nodes("")


def test_the_role_applied_twice_changes_nothing_the_second_time(story: Story) -> None:
    assert story.applied.recap("failed") == all_nodes(0), story.applied.output
    assert story.again.recap("changed") == all_nodes(0), story.again.output
    assert story.again.recap("failed") == all_nodes(0)


def test_the_groups_of_a_host_are_those_of_the_inventory(fleet: Fleet, story: Story) -> None:
    groups = {name: node.run("nodecheck", "facts").stdout for name, node in fleet.nodes.items()}
    assert {name: ("web" in text, "storage" in text) for name, text in groups.items()} == {
        "node1": (True, False), "node2": (True, False), "node3": (True, True),
    }  # fmt: skip


def test_a_template_is_filled_in_and_what_is_for_nodecheck_is_left_to_it(fleet: Fleet, story: Story) -> None:
    ran = fleet.nodes["node3"].run(
        "nodecheck", "run", "-o", "json", "--state", "none", "--events", "never", check=False
    )
    [result] = [one for one in json.loads(ran.stdout)["results"] if one["play"] == "Storage"]
    assert (result["name"], result["status"]) == ("a program is there", "ok")


def test_the_two_timers_run_in_place_of_the_one(fleet: Fleet, story: Story) -> None:
    timers = ("nodecheck.timer", "nodecheck@quick.timer", "nodecheck@deep.timer")
    for node in fleet.nodes.values():
        assert node.run("systemctl", "is-active", *timers, check=False).stdout.split() == [
            "inactive", "active", "active",
        ]  # fmt: skip
        assert node.run("systemctl", "show", "-p", "UMask", "--value", "nodecheck@quick").stdout == "0022\n"


def test_check_mode_and_diff_show_a_change_and_leave_it_to_be_made(fleet: Fleet, story: Story) -> None:
    before = laid(fleet)
    ended = fleet.play(SITE, "--check", "--diff", "-e", "sleepers=7")
    assert ended.recap("changed") == all_nodes(1), ended.output
    assert re.search(r"^-  sleepers: '1'\n\+  sleepers: '7'$", ended.output, re.MULTILINE), ended.output
    assert laid(fleet) == before


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("nodecheck_checks: [50-web.yaml", "nodecheck_checks: [bad/50-web.yaml", "did you mean unit?"),
        ("to: [journal]", "to: [jurnal]", "did you mean journal?"),
    ],
)
def test_what_nodecheck_does_not_understand_is_refused_and_the_old_file_stays(
    fleet: Fleet, story: Story, old: str, new: str, says: str
) -> None:
    (fleet.folder / "bad").mkdir(exist_ok=True)
    (fleet.folder / "bad/50-web.yaml").write_text(WEB.replace("unit:", "uint:"))
    before = laid(fleet)
    ended = fleet.play(SITE.replace(old, new), "-l", "node1")
    assert (ended.recap("failed"), says in ended.output) == ({"node1": 1}, True), ended.output
    assert laid(fleet) == before


def test_the_ad_hoc_call_of_the_readme_tells_who_is_sick_and_why(fleet: Fleet, story: Story) -> None:
    program, *arguments = next(line for line in readme() if line[0] == "ansible")
    ended = fleet.run(program, *arguments)
    found = told(ended.output)
    assert {name: one["exit_code"] for name, one in found.items()} == SICK, ended.output
    assert found["node2"]["status"] == "critical"
    assert found["node2"]["problems"] == [
        "critical: web.service is healthy: web.service has failed: main process killed by SIGKILL"
    ]
    lines = [line.strip() for line in ended.output.splitlines() if '"msg"' in line]
    assert sorted(line[:13] for line in lines) == ['"msg": "node1', '"msg": "node2', '"msg": "node3']
    assert {name: one["changed"] for name, one in found.items()} == all_nodes(False)
    assert ended.code == 2


def test_the_short_name_is_found_with_the_line_of_the_docs(fleet: Fleet, story: Story) -> None:
    [settings] = re.findall(r"```ini\n(.*?)```", (CHECKOUT / "ansible/README.md").read_text(), re.DOTALL)
    config = fleet.folder / "ansible.cfg"
    config.write_text(settings)
    ended = fleet.run("ansible", "node1", "-b", "-m", "nodecheck", "-a", "tags=quick")
    config.unlink()
    assert told(ended.output)["node1"]["exit_code"] == 0, ended.output


def test_a_rolling_upgrade_stops_at_the_first_sick_node(fleet: Fleet, story: Story) -> None:
    ended = fleet.play(ROLLING)
    upgraded = {
        name: node.run("test", "-e", "/run/upgraded", check=False).returncode == 0 for name, node in fleet.nodes.items()
    }
    assert upgraded == {"node1": True, "node2": True, "node3": False}, ended.output
    assert "node2 is critical" in ended.output
    assert ended.recap("failed") == {"node1": 0, "node2": 1}


def test_the_oldest_ansible_core_does_the_same(fleet: Fleet, story: Story) -> None:
    oldest = fleet.oldest()
    if oldest is None:
        pytest.skip("it is not known which ansible-core is the oldest for this Python")
    again = fleet.play(SITE, of=oldest)
    assert again.recap("changed") == all_nodes(0), again.output
    found = told(fleet.run("ansible", "all", "-b", "-m", ROLE, "-a", "tags=quick", of=oldest).output)
    assert {name: one["exit_code"] for name, one in found.items()} == SICK


def test_absent_takes_away_what_was_laid_down(fleet: Fleet, story: Story) -> None:
    """The last test: it leaves a node without nodecheck."""
    absent = SITE + "      nodecheck_state: absent\n"
    ended = fleet.play(absent, "-l", "node1")
    assert ended.recap("failed") == {"node1": 0}, ended.output
    again = fleet.play(absent, "-l", "node1")
    assert again.recap("changed") == {"node1": 0}, again.output
    assert laid(fleet, "nodecheck")["node1"] == ""
