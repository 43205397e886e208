"""Settings of the kernel: their values, and what files make them at boot."""

from __future__ import annotations

import os
import pathlib

import pytest

from nodecheck.node import dropins
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import sysctl
from nodecheck.node.windows.sysctl import SysctlWant, path_of

from .writing import Root

FORWARD = "net/ipv4/ip_forward"
ETH0 = "net/ipv4/conf/eth0/rp_filter"


def _at_boot(path: str) -> str | None:
    """What is set at boot, and where."""
    boot = sysctl.look(SysctlWant(path, boot=True))["boot"]
    return boot and f"{boot['source']} {boot['value']}"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("kernel.pid_max", "kernel/pid_max"),
        ("kernel/pid_max", "kernel/pid_max"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
    ],
)
def test_the_first_separator_tells_what_is_meant(name: str, path: str) -> None:
    assert path == path_of(name)


def test_a_setting_of_this_machine_is_read() -> None:
    seen = sysctl.look(SysctlWant("kernel/pid_max", boot=True))

    assert sysctl.SHAPE(seen, "") == seen
    assert seen["value"] == pathlib.Path("/proc/sys/kernel/pid_max").read_text().strip()


def test_a_setting_that_does_not_exist_has_no_value() -> None:
    assert sysctl.look(SysctlWant("net/no/such", boot=False)) == {"value": None, "boot": None}


def test_numbers_are_divided_by_one_blank(write: Root) -> None:
    write("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n")

    assert sysctl.look(SysctlWant("net/ipv4/tcp_rmem", boot=False))["value"] == "4096 131072 6291456"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"/etc/sysctl.d/k8s.conf": "net.ipv4.ip_forward = 1"}, "/etc/sysctl.d/k8s.conf 1"),
        ({"/etc/sysctl.d/k8s.conf": "net/ipv4/ip_forward=1\n"}, "/etc/sysctl.d/k8s.conf 1"),
        ({"/etc/sysctl.d/k8s.conf": "  -net.ipv4.ip_forward =  1  \n"}, "/etc/sysctl.d/k8s.conf 1"),
        ({"/etc/sysctl.d/k8s.conf": "#net.ipv4.ip_forward=1\n;net.ipv4.ip_forward=1\n\n"}, None),
        ({"/etc/sysctl.d/k8s.conf": "net.ipv4.ip_forward\n"}, None),  # no assignment
        ({"/etc/sysctl.d/k8s": "net.ipv4.ip_forward=1"}, None),  # only .conf counts
        ({"/etc/sysctl.conf": "net.ipv4.ip_forward=1"}, None),  # systemd does not read it
        # In the order of their names, wherever they are: the last one wins.
        (
            {
                "/etc/sysctl.d/10-a.conf": "net.ipv4.ip_forward=1",
                "/usr/lib/sysctl.d/50-b.conf": "net.ipv4.ip_forward=0",
            },
            "/usr/lib/sysctl.d/50-b.conf 0",
        ),
        ({"/etc/sysctl.d/a.conf": "net.ipv4.ip_forward=1\nnet.ipv4.ip_forward=0"}, "/etc/sysctl.d/a.conf 0"),
        # The same name in /etc replaces the one below /usr; what is in /run is gone by then.
        (
            {"/etc/sysctl.d/a.conf": "", "/usr/lib/sysctl.d/a.conf": "net.ipv4.ip_forward=1"},
            None,
        ),
        (
            {
                "/run/sysctl.d/a.conf": "net.ipv4.ip_forward=0",
                "/usr/local/lib/sysctl.d/a.conf": "net.ipv4.ip_forward=1",
            },
            "/usr/local/lib/sysctl.d/a.conf 1",
        ),
        ({"/proc/cmdline": "quiet sysctl.net.ipv4.ip_forward=1\n"}, "the kernel command line 1"),
        # The kernel has two names for this one.
        ({"/etc/sysctl.d/a.conf": "net.ipv4.conf.all.forwarding=1"}, "/etc/sysctl.d/a.conf 1"),
        ({"/etc/sysctl.d/a.conf": "net.ipv4.conf.*.forwarding=1"}, "/etc/sysctl.d/a.conf 1"),
        ({"/proc/cmdline": "sysctl.net.ipv4.conf.all.forwarding=1\n"}, "the kernel command line 1"),
        (
            {
                "/etc/sysctl.d/10-k8s.conf": "net.ipv4.ip_forward=1",
                "/etc/sysctl.d/90-hardened.conf": "net.ipv4.conf.all.forwarding=0",
            },
            "/etc/sysctl.d/90-hardened.conf 0",
        ),
        (
            {"/proc/cmdline": "sysctl.net/ipv4/ip_forward=1\n", "/etc/sysctl.d/a.conf": "net.ipv4.ip_forward=0"},
            "/etc/sysctl.d/a.conf 0",
        ),
    ],
)
def test_what_a_setting_becomes_at_boot(write: Root, files: dict[str, str], expected: str | None) -> None:
    for path, text in files.items():
        write(path, text)

    assert expected == _at_boot(FORWARD)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("net.ipv4.conf.*.rp_filter = 2", "2"),
        ("net.ipv4.*.rp_filter = 2", None),  # a * is no slash
        ("net.ipv4.conf.*.rp_filter = 2\nnet.ipv4.conf.e*.rp_filter = 1", "1"),
        ("net.ipv4.conf.eth0.rp_filter = 0\nnet.ipv4.conf.*.rp_filter = 2", "0"),  # by name wins, wherever it stands
        ("-net.ipv4.conf.eth0.rp_filter\nnet.ipv4.conf.*.rp_filter = 2", None),  # taken out of the pattern
    ],
)
def test_patterns_set_what_is_not_set_by_its_name(write: Root, text: str, expected: str | None) -> None:
    write("/usr/lib/sysctl.d/50-default.conf", text)

    assert _at_boot(ETH0) == (expected and f"/usr/lib/sysctl.d/50-default.conf {expected}")


def test_a_link_to_dev_null_masks_and_one_to_nowhere_is_passed_over(write: Root) -> None:
    write("/usr/lib/sysctl.d/a.conf", "net.ipv4.ip_forward=1")
    write.link("/etc/sysctl.d/a.conf", "/dev/null")
    write.link("/etc/sysctl.d/b.conf", "nowhere")

    assert _at_boot(FORWARD) is None


def test_the_old_file_counts_where_it_is_linked(write: Root) -> None:
    write("/etc/sysctl.conf", "net.ipv4.ip_forward=1")
    write.link("/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf")

    assert _at_boot(FORWARD) == "/etc/sysctl.d/99-sysctl.conf 1"


def test_a_file_that_is_none_is_told_by_its_name_and_holds_nobody_up(write: Root) -> None:
    write("/etc/sysctl.d/a.conf", "net.ipv4.ip_forward=1")
    os.mkfifo(write.made("/etc/sysctl.d/b.conf"))

    with pytest.raises(Unobserved, match=r"/etc/sysctl\.d/b\.conf cannot be read: it is not a regular file"):
        _at_boot(FORWARD)


def test_a_file_that_only_root_may_read_is_told_with_what_to_do(write: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: str, _maximum: int) -> bytes:
        raise PermissionError(13, "Permission denied")

    write("/etc/sysctl.d/a.conf", "net.ipv4.ip_forward=1")
    monkeypatch.setattr(dropins, "read_regular_file", refuse)
    with pytest.raises(Unobserved, match=r"/etc/sysctl\.d/a\.conf cannot be read: Permission denied") as dark:
        _at_boot(FORWARD)
    assert dark.value.remedy == "run nodecheck as root"
