"""Which checks run on this node for this call, and what they wait for."""

import pytest

from nodecheck.definitions.block import Reading
from nodecheck.definitions.errors import DefinitionError, Mistakes
from nodecheck.definitions.play import Play, read_plays
from nodecheck.definitions.scope import Scope
from nodecheck.definitions.yamlfile import load
from nodecheck.engine.plan import Plan, Selection, make_plan

PLAYS = """
- name: Containers
  hosts: docker
  tags: [runtime]
  checks:
    - {name: Docker is up, system: {}, tags: [slow]}
    - {name: Docker answers, system: {}, needs: Docker is up}
- name: Kubernetes
  hosts: kubelet:!control_plane
  tags: [kubernetes]
  checks:
    - {name: Kubelet is up, system: {}, needs: docker-answers}
    - {name: Kubelet answers, system: {}, needs: [Kubelet is up, Docker is up], tags: [slow]}
- name: Host
  hosts: all
  checks:
    - {name: Systemd is well, system: {}}
"""


def plays(text: str) -> list[Play]:
    mistakes = Mistakes()
    value = load("x.yaml", text, mistakes)
    assert value is not None
    read = read_plays(value, Scope({}, {}, {}, {}, {}), Reading(mistakes, lambda _path: None, frozenset({"all"})))
    mistakes.raise_if_any()
    return read


def chain(*needs: tuple[str, str]) -> list[Play]:
    """One play with a check for each (name, names that it needs)."""
    checks = "".join(f"    - {{name: '{name}', system: {{}}, needs: [{wanted}]}}\n" for name, wanted in needs)
    return plays(f"- hosts: all\n  checks:\n{checks}")


def plan(groups: str, **selection: str) -> Plan:
    tags, skip_tags = (frozenset(selection.get(key, "").split()) for key in ("tags", "skip_tags"))
    return make_plan(plays(PLAYS), set(groups.split()), Selection(tags, skip_tags, selection.get("limit", "")))


@pytest.mark.parametrize(
    ("groups", "selection", "chosen"),
    [
        ("all docker kubelet", {}, "Docker is up, Docker answers, Kubelet is up, Kubelet answers, Systemd is well"),
        ("all docker", {}, "Docker is up, Docker answers, Systemd is well"),
        ("all kubelet control_plane", {}, "Systemd is well"),
        ("all docker kubelet", {"tags": "runtime"}, "Docker is up, Docker answers"),
        ("all docker kubelet", {"tags": "slow"}, "Docker is up, Kubelet answers"),
        ("all docker kubelet", {"tags": "slow kubernetes"}, "Docker is up, Kubelet is up, Kubelet answers"),
        ("all docker kubelet", {"skip_tags": "slow"}, "Docker answers, Kubelet is up, Systemd is well"),
        ("all docker kubelet", {"tags": "runtime", "skip_tags": "slow"}, "Docker answers"),
        ("all docker kubelet", {"tags": "runtime", "skip_tags": "runtime"}, ""),
        ("all kubelet", {"tags": "runtime"}, ""),
        ("all docker w1", {"limit": "w1"}, "Docker is up, Docker answers, Systemd is well"),
        ("all docker w1", {"limit": "w2"}, ""),
        ("all docker", {"limit": "all:!docker"}, ""),
        ("all docker", {"limit": "docker", "tags": "slow"}, "Docker is up"),
    ],
)
def test_groups_tags_and_limit_select(groups: str, selection: dict[str, str], chosen: str) -> None:
    assert chosen == ", ".join(planned.definition.name for planned in plan(groups, **selection).checks)


def test_needs_are_known_by_name_and_by_id() -> None:
    expected = {
        "docker-is-up": (),
        "docker-answers": ("docker-is-up",),
        "kubelet-is-up": ("docker-answers",),
        "kubelet-answers": ("kubelet-is-up", "docker-is-up"),
        "systemd-is-well": (),
    }
    assert expected == {found.definition.id: found.needs for found in plan("all docker kubelet").checks}


@pytest.mark.parametrize(("groups", "tags"), [("all kubelet", ""), ("all docker kubelet", "kubernetes")])
def test_a_need_outside_of_the_plan_does_not_count(groups: str, tags: str) -> None:
    expected = {"kubelet-is-up": (), "kubelet-answers": ("kubelet-is-up",)}
    found = {planned.definition.id: planned.needs for planned in plan(groups, tags=tags).checks}

    assert expected == {name: needs for name, needs in found.items() if name in expected}


def test_a_check_may_need_one_that_comes_later() -> None:
    (first, _) = make_plan(chain(("A", "B"), ("B", "")), {"all"}, Selection()).checks

    expected = ("b",)
    assert expected == first.needs


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ([("A", "A")], ["A -> A"]),
        ([("A", "B"), ("B", "A")], ["A -> B -> A"]),
        ([("A", ""), ("B", "A, C"), ("C", "D"), ("D", "B")], ["B -> C -> D -> B"]),
        ([("Before", "A"), ("A", "B"), ("B", "A")], ["A -> B -> A"]),
        ([("A", "B"), ("B", "A"), ("C", "D"), ("D", "C")], ["A -> B -> A", "C -> D -> C"]),
        ([("A", "Z, B"), ("B", "A"), ("Z", "")], ["A -> B -> A"]),
    ],
)
def test_every_circle_is_a_mistake_at_one_of_its_needs(needs: list[tuple[str, str]], said: list[str]) -> None:
    with pytest.raises(DefinitionError) as raised:
        make_plan(chain(*needs), {"all"}, Selection())

    assert said == [mistake.message.rpartition(": ")[2] for mistake in raised.value.mistakes]
    assert all(mistake.mark for mistake in raised.value.mistakes)


@pytest.mark.parametrize(
    "needs",
    [
        [("A", "B, C"), ("B", "D"), ("C", "D"), ("D", "")],
        [(f"check {number}", f"check {number + 1}") for number in range(2000)] + [("check 2000", "")],
    ],
    ids=["a diamond", "a long chain"],
)
def test_what_is_no_circle_is_planned(needs: list[tuple[str, str]]) -> None:
    assert len(needs) == len(make_plan(chain(*needs), {"all"}, Selection()).checks)


def test_a_need_that_names_nothing_is_a_mistake_even_outside_of_the_plan() -> None:
    with pytest.raises(DefinitionError, match=r"x.yaml:3:\d+: no check is named 'Bee', and this one needs it"):
        make_plan(chain(("A", "Bee"), ("B", "")), set(), Selection())


@pytest.mark.parametrize("limit", ["!", ":", "~w.*", "w[0]"])
def test_a_limit_that_means_nothing_is_a_mistake(limit: str) -> None:
    with pytest.raises(DefinitionError, match=f"^-l {limit.replace('[', '.').replace('*', '.')}"):
        plan("all", limit=limit)


@pytest.mark.parametrize(
    ("tags", "asked", "left_out", "taken"),
    [
        # playbook/taggable.py of ansible-core, evaluate_tags
        ("", "", "", True), ("x", "", "", True), ("x", "x", "", True), ("x", "y", "", False), ("", "x", "", False),
        ("x,y", "y,z", "", True), ("always", "x", "", True), ("always", "", "always", False),
        ("always", "x", "x", True),
        ("never", "", "", False), ("never", "all", "", False), ("never", "never", "", True), ("never,x", "", "", False),
        ("never,x", "x", "", True), ("never,x", "tagged", "", False), ("", "all", "", True), ("x", "all", "", True),
        ("", "tagged", "", False), ("x", "tagged", "", True), ("", "untagged", "", True), ("x", "untagged", "", False),
        ("x", "", "x", False), ("x", "x", "x", False), ("x", "", "tagged", False), ("", "", "tagged", True),
        ("", "", "untagged", False), ("x", "", "untagged", True), ("x", "", "all", False), ("", "", "all", False),
        ("always", "", "all", True), ("always", "", "all,always", False),
    ],
)  # fmt: skip
def test_tags_mean_what_they_mean_to_ansible(tags: str, asked: str, left_out: str, taken: bool) -> None:
    words = [frozenset(text.split(",")) if text else frozenset() for text in (tags, asked, left_out)]
    (play,) = plays("- {hosts: all, checks: [{name: A, system: {}}]}")
    check = play.checks[0]._replace(tags=words[0])

    assert taken == Selection(words[1], words[2]).takes(check)
