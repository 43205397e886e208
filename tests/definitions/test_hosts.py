"""Which nodes a pattern means: as Ansible reads it, over the groups of one node."""

import pytest

from nodecheck.definitions import hosts


@pytest.mark.parametrize(
    ("pattern", "groups", "meant"),
    [
        ("all", "all", True),
        ("*", "all docker", True),
        ("docker", "all docker", True),
        ("docker", "all kubelet", False),
        ("docker:kubelet", "all kubelet", True),
        ("docker,kubelet", "all kubelet", True),
        ("docker:kubelet", "all etcd", False),
        ("docker:&kubelet", "all docker kubelet", True),
        ("docker:&kubelet", "all docker", False),
        ("docker:&kubelet", "all kubelet", False),
        ("all:!docker", "all", True),
        ("all:!docker", "all docker", False),
        ("!docker:all", "all docker", False),
        ("docker:crio:&kubelet:!control_plane", "all crio kubelet", True),
        ("docker:crio:&kubelet:!control_plane", "all crio kubelet control_plane", False),
        ("docker:crio:&kubelet:!control_plane", "all crio", False),
        ("&kubelet:docker", "all docker kubelet", True),
        ("!docker", "all kubelet", True),
        ("!docker", "all docker", False),
        ("&docker", "all docker", True),
        ("&docker", "all", False),
        ("open*", "all openvswitch", True),
        ("open*", "all docker", False),
        ("all:!open*", "all openstack_compute", False),
        ("w?", "all w1", True),
        ("w?", "all w10", False),
        ("w1.example.org", "all w1.example.org", True),
        (" docker : kubelet ", "all kubelet", True),
        ("docker::kubelet", "all kubelet", True),
        ("Docker", "all docker", False),
    ],
)
def test_a_pattern_means_a_node_by_its_groups(pattern: str, groups: str, meant: bool) -> None:
    assert meant is hosts.matches(pattern, set(groups.split()))


@pytest.mark.parametrize("pattern", ["", " ", ":", ",", "!", "&", "docker:!", "all:& ", "~web.*", "all:~web", "web[0]"])
def test_a_pattern_that_would_mean_more_or_less_than_it_says_is_a_mistake(pattern: str) -> None:
    message, hint = hosts.mistake(pattern)

    assert message
    assert hint


@pytest.mark.parametrize("pattern", ["all", "docker:&kubelet:!etcd", "open*", "w1.example.org"])
def test_a_good_pattern_is_none(pattern: str) -> None:
    expected = "", ""
    assert expected == hosts.mistake(pattern)
