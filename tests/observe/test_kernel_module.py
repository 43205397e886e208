"""Modules of the kernel: loaded, built in, available, and what is loaded at boot. None is loaded by looking."""

from __future__ import annotations

import os
from typing import Any

import pytest

from nodecheck.node.windows import kernel_module
from nodecheck.node.windows.kernel_module import KernelModuleWant

from .writing import Root

TREE = f"/lib/modules/{os.uname().release}"
NAME = "br_netfilter"


def _look(name: str = NAME) -> dict[str, Any]:
    seen = kernel_module.look(KernelModuleWant(name))
    assert kernel_module.SHAPE(seen, "") == seen
    return seen


def test_a_module_that_does_not_exist_is_not_loaded_on_this_machine() -> None:
    seen = _look("no_such_module")

    assert (seen["loaded"], seen["boot"]) == (False, [])


@pytest.mark.parametrize(
    ("files", "loaded", "builtin", "available"),
    [
        ({}, False, None, None),
        ({"/proc/modules": "br_netfilter 36864 0 - Live 0x0\n"}, True, False, True),
        ({"/proc/modules": "br_netfilter 36864 0 - Loading 0x0\n"}, False, None, None),
        ({"/proc/modules": "bridge 1 1 br_netfilter, Live 0x0\n"}, False, None, None),
        ({"/sys/module/br_netfilter/initstate": "live\n"}, True, False, True),
        ({"/sys/module/br_netfilter/initstate": "coming\n"}, False, None, None),
        ({"/sys/module/br_netfilter/uevent": ""}, False, True, None),
        ({f"{TREE}/modules.builtin": "kernel/net/bridge/br_netfilter.ko\n"}, False, True, None),
        ({f"{TREE}/modules.builtin": "kernel/x/br-netfilter.ko\n"}, False, True, None),
        (
            {f"{TREE}/modules.builtin": "", f"{TREE}/modules.dep": "kernel/net/br_netfilter.ko.xz: kernel/net/b.ko\n"},
            False,
            False,
            True,
        ),
        (
            {f"{TREE}/modules.builtin": "", f"{TREE}/modules.dep": "kernel/x.ko: kernel/net/br_netfilter.ko\n"},
            False,
            False,
            False,
        ),
    ],
)
def test_where_a_module_is(
    write: Root, files: dict[str, str], loaded: bool, builtin: bool | None, available: bool | None
) -> None:
    for path, text in files.items():
        write(path, text)
    seen = _look()

    assert (loaded, builtin, available) == (seen["loaded"], seen["builtin"], seen["available"])


@pytest.mark.parametrize(
    ("files", "boot"),
    [
        ({"/etc/modules-load.d/k8s.conf": "overlay\nbr_netfilter\n"}, ["/etc/modules-load.d/k8s.conf"]),
        ({"/usr/lib/modules-load.d/k8s.conf": "br-netfilter\n"}, ["/usr/lib/modules-load.d/k8s.conf"]),
        ({"/run/modules-load.d/k8s.conf": "br_netfilter\n"}, []),  # it is gone by then
        ({"/etc/modules-load.d/k8s.conf": "# br_netfilter\nbr_netfilter2\n"}, []),
        ({"/etc/modules-load.d/k8s": "br_netfilter\n"}, []),
        ({"/etc/modules": "br_netfilter\n"}, []),
        ({"/proc/cmdline": "modules_load=x,br_netfilter quiet\n"}, ["the kernel command line"]),
        ({"/proc/cmdline": "rd.modules_load=br_netfilter\n"}, []),  # in the initial RAM disk only
    ],
)
def test_what_is_loaded_at_boot(write: Root, files: dict[str, str], boot: list[str]) -> None:
    for path, text in files.items():
        write(path, text)

    assert boot == _look()["boot"]


@pytest.mark.parametrize(
    ("files", "blacklist"),
    [
        ({"/etc/modprobe.d/a.conf": "blacklist br_netfilter\n"}, ["/etc/modprobe.d/a.conf"]),
        ({"/lib/modprobe.d/a.conf": "blacklist\tbr-netfilter # x\n"}, ["/lib/modprobe.d/a.conf"]),
        ({"/etc/modprobe.d/a.conf": "install br_netfilter /bin/false\n"}, ["/etc/modprobe.d/a.conf"]),
        ({"/etc/modprobe.d/a.conf": "install br_netfilter /sbin/modprobe --ignore-install br_netfilter\n"}, []),
        ({"/etc/modprobe.d/a.conf": "install br_netfilter\nblacklist\noptions br_netfilter x=1\n"}, []),
        ({"/proc/cmdline": "modprobe.blacklist=br_netfilter\n"}, ["the kernel command line"]),
        ({"/proc/cmdline": "module_blacklist=x,br_netfilter\n"}, ["the kernel command line"]),
    ],
)
def test_what_keeps_a_module_away(write: Root, files: dict[str, str], blacklist: list[str]) -> None:
    for path, text in files.items():
        write(path, text)

    assert blacklist == _look()["blacklist"]
